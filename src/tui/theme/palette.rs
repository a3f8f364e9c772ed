//! A theme in as many colours as there are.

use std::collections::BTreeMap;

use ratatui::style::{Color, Style};

use super::{ColorDepth, MONOCHROME, Paint, Theme, Token, approximate};

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
        let (monochrome, indices) = match depth {
            ColorDepth::None => (Theme::built_in(MONOCHROME).ok(), BTreeMap::new()),
            ColorDepth::Many => (None, approximate::indices(theme)),
            ColorDepth::Sixteen | ColorDepth::True => (None, BTreeMap::new()),
        };
        let paints = &monochrome.as_ref().unwrap_or(theme).paints;
        let styles = paints
            .iter()
            .map(|(token, paint)| {
                let index = indices.get(token).copied();
                let style = Style::new().fg(paint.color(depth, index)).add_modifier(paint.modifiers);
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
    fn color(self, depth: ColorDepth, index: Option<u8>) -> Color {
        match (depth, self.rgb, index) {
            (ColorDepth::None, ..) => Color::Reset,
            (ColorDepth::Many, _, Some(index)) => Color::Indexed(index),
            (ColorDepth::True, Some([red, green, blue]), _) => Color::Rgb(red, green, blue),
            _ => self.ansi,
        }
    }
}
