//! The lines below the tabs: what is wrong, and what can't be seen. They stay until it is mended.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::State;
use crate::tui::model::Model;
use crate::tui::theme::Token;
use crate::tui::widgets::text::fit;

/// The lines, the gravest first.
pub fn of(model: &Model) -> Vec<(Token, String)> {
    let observation = &model.observation;
    let mut alerts = Vec::new();
    if let Some(error) = &observation.policy_error {
        alerts.push((Token::Bad, format!("The policy can't be read: {error}")));
        alerts.push((Token::Bad, "Nothing is changed until it is mended.".to_owned()));
    }
    if observation.status.state == State::Drifted {
        let why = observation.status.drift.as_deref().unwrap_or("something changed them");
        alerts.push((
            Token::Bad,
            format!("The rules in the kernel are not what was confirmed: {why}. Apply again: a"),
        ));
    }
    if let Some(other) = &observation.status.other_backend {
        alerts.push((Token::Warn, format!("Both kinds of iptables are in use: {other}")));
    }
    alerts.extend(observation.unseen.iter().map(|what| (Token::Unknown, what.clone())));
    alerts
}

/// Draws as many as there is room for; the last line says how many more there are.
pub fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let alerts = of(model);
    let rows = usize::from(area.height);
    let width = usize::from(area.width);
    let hidden = alerts.len().saturating_sub(rows);
    for (index, (row, (token, text))) in area.rows().zip(&alerts).enumerate() {
        let more = if hidden > 0 && index + 1 == rows {
            format!("  +{hidden} more: ?")
        } else {
            String::new()
        };
        let style = model.palette.of(*token);
        let line = Line::from(vec![
            Span::styled(" ▌", style),
            Span::styled(fit(text, width.saturating_sub(3 + more.len())), style),
            Span::styled(more, model.palette.of(Token::Dim)),
        ]);
        frame.render_widget(line, row);
    }
}
