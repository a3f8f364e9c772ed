//! A theme in as many colours as there are.

use std::collections::BTreeMap;

use ratatui::style::{Color, Style};

use super::{ColorDepth, MONOCHROME, Paint, Theme, Token};

/// A theme as one terminal can show it: what the screens draw with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    styles: BTreeMap<Token, Style>,
    /// Sixteen colours can't be told apart on a coloured row: there the symbols have to do.
    has_colored_selection: bool,
}

impl Palette {
    /// The theme in as many colours as there are; without any, the monochrome theme takes over,
    /// since bold and reversed must then say what the colours said.
    pub fn new(theme: &Theme, depth: ColorDepth) -> Self {
        let monochrome = match depth {
            ColorDepth::None => Theme::built_in(MONOCHROME).ok(),
            ColorDepth::Sixteen | ColorDepth::Many | ColorDepth::True => None,
        };
        let paints = &monochrome.as_ref().unwrap_or(theme).paints;
        let styles = paints
            .iter()
            .map(|(token, paint)| {
                let style = Style::new().fg(paint.color(depth)).add_modifier(paint.modifiers);
                (*token, style)
            })
            .collect();
        Self {
            styles,
            has_colored_selection: matches!(depth, ColorDepth::Many | ColorDepth::True),
        }
    }

    /// The foreground of a meaning.
    pub fn of(&self, token: Token) -> Style {
        self.styles.get(&token).copied().unwrap_or_default()
    }

    /// What the whole screen starts from.
    pub fn base(&self) -> Style {
        self.pair(Token::Text, Token::Background)
    }

    /// The selected row.
    pub fn selection(&self) -> Style {
        self.pair(Token::SelectionText, Token::SelectionBackground)
    }

    /// A meaning within the selected row.
    pub fn selected(&self, token: Token) -> Style {
        if self.has_colored_selection && token != Token::Text {
            self.selection().patch(self.of(token))
        } else {
            self.selection()
        }
    }

    /// The trial's banner.
    pub fn trial(&self) -> Style {
        self.pair(Token::TrialText, Token::TrialBackground)
    }

    /// The trial's banner in its last seconds.
    pub fn alarm(&self) -> Style {
        self.pair(Token::AlarmText, Token::AlarmBackground)
    }

    fn pair(&self, text: Token, background: Token) -> Style {
        let mut style = self.of(text);
        style.bg = self.of(background).fg;
        style
    }
}

impl Paint {
    fn color(self, depth: ColorDepth) -> Color {
        match (depth, self.rgb) {
            (ColorDepth::None, _) => Color::Reset,
            (ColorDepth::Sixteen, _) | (_, None) => self.ansi,
            (ColorDepth::Many, Some(rgb)) => Color::Indexed(nearest(rgb)),
            (ColorDepth::True, Some([red, green, blue])) => Color::Rgb(red, green, blue),
        }
    }
}

/// The nearest of xterm's 256: the grey ramp (232 to 255) or the 6x6x6 cube (16 to 231).
fn nearest(rgb: [u8; 3]) -> u8 {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let distance = |other: [u8; 3]| -> u32 {
        let squares = rgb.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2));
        squares.sum()
    };
    let greys = (0..24u8).map(|step| (232 + step, [8 + 10 * step; 3]));
    let cube = (0..216u8).map(|index| {
        let step = |position: u8| STEPS.get(usize::from(position % 6)).copied().unwrap_or_default();
        (16 + index, [step(index / 36), step(index / 6), step(index)])
    });
    greys
        .chain(cube)
        .min_by_key(|(_, other)| distance(*other))
        .map_or(0, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_of_256_is_near() {
        assert_eq!(nearest([0, 0, 0]), 16);
        assert_eq!(nearest([255, 255, 255]), 231);
        assert_eq!(nearest([255, 0, 0]), 196);
        assert_eq!(nearest([128, 128, 128]), 244);
    }
}
