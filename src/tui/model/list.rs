//! A cursor in a list, and which part of it is in sight.

/// Where the cursor is and which line is at the top.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListState {
    /// The selected line.
    pub cursor: usize,
    /// The first line in sight.
    pub top: usize,
}

/// A movement in a list or text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    /// So many lines; up is negative.
    Lines(isize),
    /// So many heights.
    Pages(isize),
    /// To the beginning.
    First,
    /// To the end.
    Last,
}

/// The choice so many further, around the end.
pub fn following<T: Copy + PartialEq>(all: &[T], from: T, further: usize) -> T {
    let mut others = all.iter().copied().cycle().skip_while(|one| *one != from);
    others.nth(further).unwrap_or(from)
}

impl ListState {
    /// Moves the cursor in a list of `len` lines of which `height` are in sight.
    pub fn go(&mut self, movement: Movement, len: usize, height: usize) {
        self.cursor = moved(self.cursor, movement, len.saturating_sub(1), height);
        self.keep_in_sight(len, height);
    }

    /// Brings cursor and top back in order after the list or the screen changed.
    pub fn keep_in_sight(&mut self, len: usize, height: usize) {
        self.cursor = self.cursor.min(len.saturating_sub(1));
        self.top = self
            .top
            .min(self.cursor)
            .max((self.cursor + 1).saturating_sub(height.max(1)))
            .min(len.saturating_sub(height));
    }
}

/// Where a text of `len` lines is to be scrolled to when `height` are in sight.
pub fn scrolled(top: usize, movement: Movement, len: usize, height: usize) -> usize {
    moved(top, movement, len.saturating_sub(height), height)
}

fn moved(from: usize, movement: Movement, last: usize, height: usize) -> usize {
    let page = isize::try_from(height.saturating_sub(1).max(1)).unwrap_or(1);
    match movement {
        Movement::Lines(lines) => from.saturating_add_signed(lines),
        Movement::Pages(pages) => from.saturating_add_signed(pages.saturating_mul(page)),
        Movement::First => 0,
        Movement::Last => last,
    }
    .min(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_in_the_list_and_in_sight() {
        let mut list = ListState::default();
        list.go(Movement::Lines(-1), 10, 4);
        assert_eq!(list, ListState { cursor: 0, top: 0 });
        list.go(Movement::Last, 10, 4);
        assert_eq!(list, ListState { cursor: 9, top: 6 });
        list.go(Movement::Pages(-1), 10, 4);
        assert_eq!(list, ListState { cursor: 6, top: 6 });
        list.go(Movement::Lines(-3), 10, 4);
        assert_eq!(list, ListState { cursor: 3, top: 3 });
        list.keep_in_sight(2, 4);
        assert_eq!(list, ListState { cursor: 1, top: 0 });
        list.keep_in_sight(0, 0);
        assert_eq!(list, ListState { cursor: 0, top: 0 });
    }

    #[test]
    fn a_taller_screen_leaves_no_gap_at_the_end() {
        let mut list = ListState { cursor: 9, top: 8 };
        list.keep_in_sight(10, 6);
        assert_eq!(list.top, 4);
    }

    #[test]
    fn texts_scroll_to_their_last_page() {
        assert_eq!(scrolled(0, Movement::Last, 10, 4), 6);
        assert_eq!(scrolled(6, Movement::Lines(5), 10, 4), 6);
        assert_eq!(scrolled(0, Movement::Pages(1), 3, 4), 0);
    }
}
