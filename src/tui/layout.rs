//! Where everything is: one function for drawing, scrolling and the mouse alike.

use ratatui::layout::{Constraint, Layout, Rect};

use crate::tui::model::Model;
use crate::tui::widgets::{alerts, banner, bars};

/// Below this size a polite line takes the place of the screens.
pub const SMALLEST: (u16, u16) = (60, 20);

/// The parts of the terminal, from top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frames {
    /// All of it.
    pub area: Rect,
    /// The trial's banner; empty while none runs.
    pub banner: Rect,
    /// The program, the machine, where it stands.
    pub header: Rect,
    /// The screens' names.
    pub tabs: Rect,
    /// What is wrong or can't be seen.
    pub alerts: Rect,
    /// The screen.
    pub body: Rect,
    /// A line for the user, or a few: those above the first lie over the end of the screen, which stays where
    /// it is.
    pub notice: Rect,
    /// What the keys do.
    pub footer: Rect,
}

impl Frames {
    /// Whether the screens do not fit.
    pub const fn is_too_small(&self) -> bool {
        self.area.width < SMALLEST.0 || self.area.height < SMALLEST.1
    }

    /// Where popups go: never over the banner.
    pub fn beside_popups(&self) -> Rect {
        self.alerts.union(self.body).union(self.notice)
    }
}

/// Divides the terminal.
pub fn frames(model: &Model) -> Frames {
    let (width, height) = model.size;
    let area = Rect::new(0, 0, width, height);
    let banner = if model.trial().is_some() {
        banner::height(model, width, height)
    } else {
        0
    };
    let most_alerts = match height {
        ..24 => 1,
        24..32 => 2,
        32.. => 4,
    };
    let alerts = u16::try_from(alerts::lines(model, usize::from(width)).len())
        .unwrap_or(u16::MAX)
        .min(most_alerts);
    let notice = u16::try_from(bars::notice_lines(model, width).len())
        .unwrap_or(1)
        .max(1);
    // The setup has its answers there.
    let over = match model.setup {
        Some(_) => 0,
        None => notice.saturating_sub(1),
    };
    let [banner, header, tabs, alerts, body, notice, footer] = Layout::vertical([
        Constraint::Length(banner),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(alerts),
        Constraint::Min(0),
        Constraint::Length(notice.saturating_sub(over)),
        Constraint::Length(1),
    ])
    .areas(area);
    let over = over.min(body.height);
    let notice = Rect {
        y: notice.y.saturating_sub(over),
        height: notice.height.saturating_add(over),
        ..notice
    };
    Frames {
        area,
        banner,
        header,
        tabs,
        alerts,
        body,
        notice,
        footer,
    }
}

/// The parts of a screen with a table and the details of the selected row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableFrames {
    /// The line with the screen's title.
    pub title: Rect,
    /// The columns' names.
    pub head: Rect,
    /// The rows.
    pub rows: Rect,
    /// The line with the row's title.
    pub detail_title: Rect,
    /// The details.
    pub detail: Rect,
}

/// Divides the Services screen: what a short list leaves is for the details, whatever the filter leaves of it.
pub fn services(model: &Model, body: Rect) -> TableFrames {
    let least = match body.height {
        ..16 => 3,
        16..24 => 4,
        24..32 => 6,
        32..48 => 8,
        48.. => 12,
    };
    // Before the first look nobody knows how short it is.
    let lines = model.depth.map(|_| model.services.total());
    table_of(body, lines, least)
}

/// Divides the Checkup screen: a finding says more than a row, and what a short list leaves is its.
pub fn findings(model: &Model, body: Rect) -> TableFrames {
    let least = match body.height {
        ..14 => 5,
        14..18 => 7,
        18..24 => 9,
        24.. => 13,
    };
    table_of(body, Some(model.checkup.total()), least)
}

/// Divides the Networks screen: what a short list leaves is for the details.
pub fn networks(model: &Model, body: Rect) -> TableFrames {
    let least = match body.height {
        ..14 => 5,
        14..18 => 6,
        18..24 => 8,
        24.. => 12,
    };
    table_of(body, Some(model.networks.lines().len()), least)
}

/// So many rows are in sight, or room for as many.
const FEWEST: u16 = 3;

/// A table of so many lines, as far as there is room for them over that many lines of details.
fn table_of(body: Rect, lines: Option<usize>, least: u16) -> TableFrames {
    let room = body.height.saturating_sub(3);
    let lines = lines.map_or(u16::MAX, |lines| u16::try_from(lines).unwrap_or(u16::MAX));
    let rows = lines.clamp(FEWEST, room.saturating_sub(least).max(FEWEST));
    table_over(body, room.saturating_sub(rows))
}

/// Divides a screen with a table over details of so many lines.
pub fn table_over(body: Rect, detail: u16) -> TableFrames {
    let [title, head, rows, detail_title, detail] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
        Constraint::Length(detail),
    ])
    .areas(body);
    TableFrames {
        title,
        head,
        rows,
        detail_title,
        detail,
    }
}

/// How many rows of each table are in sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heights {
    /// Of the Services screen.
    pub services: usize,
}

impl Heights {
    /// The heights that follow from the parts.
    pub fn of(model: &Model, frames: &Frames) -> Self {
        let rows = usize::from(services(model, frames.body).rows.height);
        Self { services: rows }
    }
}

/// A rectangle in the middle of another, cut to fit.
pub fn centered(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn centered_stays_inside() {
        let area = Rect::new(0, 3, 60, 10);
        assert_eq!(centered(area, 20, 4), Rect::new(20, 6, 20, 4));
        assert_eq!(centered(area, 100, 100), area);
    }
}
