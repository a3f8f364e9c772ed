//! The footer: what the keys do here and now, from the command table.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use crate::tui::commands::{self, Command, CommandId, Context, Keymap};
use crate::tui::model::Model;
use crate::tui::screens::ScreenId;
use crate::tui::theme::{Palette, Token};
use crate::tui::widgets::text::width;

/// A command in the footer, with the cells it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// What a click on it does.
    pub id: CommandId,
    /// Its key.
    pub key: String,
    /// What the key does.
    pub label: &'static str,
    /// The first cell.
    pub x: u16,
    /// How many cells.
    pub width: u16,
}

/// The hints that fit, those that matter least left out first.
pub fn hints(keymap: &Keymap, contexts: &[Context], is_useful: &dyn Fn(&Command) -> bool, area: Rect) -> Vec<Hint> {
    let mut commands: Vec<&Command> = contexts
        .iter()
        .flat_map(|context| commands::of(*context))
        .filter(|command| command.rank > 0 && is_useful(command))
        .collect();
    let room = usize::from(area.width);
    let total = |commands: &[&Command]| 1 + commands.iter().map(|command| cells(keymap, command) + 2).sum::<usize>();
    while total(&commands) > room + 1 && !commands.is_empty() {
        let least = commands
            .iter()
            .enumerate()
            .max_by_key(|(index, command)| (command.rank, *index))
            .map(|(index, _)| index);
        least.map(|index| commands.remove(index));
    }
    let mut x = area.x + 1;
    commands
        .into_iter()
        .map(|command| {
            let width = u16::try_from(cells(keymap, command)).unwrap_or(u16::MAX);
            let hint = Hint {
                id: command.id,
                key: keymap.shown(command),
                label: command.label,
                x,
                width,
            };
            x = x.saturating_add(width + 2);
            hint
        })
        .collect()
}

fn cells(keymap: &Keymap, command: &Command) -> usize {
    width(&keymap.shown(command)) + 1 + width(command.label)
}

/// The hints of the screen as it is; a key that would do nothing is not offered.
pub fn of_screen(model: &Model, area: Rect) -> Vec<Hint> {
    let contexts = [model.screen.context(), Context::Screens];
    let can_edit = model.why_read_only().is_none();
    hints(
        &model.settings.keymap,
        &contexts,
        &|command| match command.id {
            CommandId::ShowPreview => model.screen != ScreenId::Preview,
            CommandId::Apply => can_edit && model.trial().is_none() && model.task.is_none(),
            CommandId::Restore => can_edit && model.why_no_restore().is_none(),
            CommandId::TurnOff => can_edit && model.trial().is_none(),
            CommandId::WhoCan => model.observation.netfilter.is_some(),
            CommandId::Known => can_edit && model.checkup.selected_item().is_some(),
            CommandId::CycleSeverity => !model.checkup.items().is_empty(),
            CommandId::ReadWhole => !model.checkup.is_empty(),
            CommandId::Follow => {
                let item = model.checkup.selected_item();
                item.is_some_and(|item| item.finding.place.service.is_some())
            }
            CommandId::Undo => can_edit && model.has_undo(),
            CommandId::Redo => can_edit && model.has_redo(),
            CommandId::Confine
            | CommandId::Trust
            | CommandId::Open
            | CommandId::Undecide
            | CommandId::Sources
            | CommandId::Block
            | CommandId::Unblock
            | CommandId::CycleClass
            | CommandId::AddSource
            | CommandId::RemoveSource
            | CommandId::SwitchRefusal
            | CommandId::SwitchLogging
            | CommandId::Mark
            | CommandId::MarkAll => can_edit,
            _ => true,
        },
        area,
    )
}

/// Hints as a line.
pub fn line(hints: &[Hint], palette: &Palette) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    for hint in hints {
        spans.push(Span::styled(hint.key.clone(), palette.of(Token::Key)));
        spans.push(Span::styled(format!(" {}", hint.label), palette.of(Token::Dim)));
        spans.push(Span::raw("  "));
    }
    spans.pop();
    Line::from(spans)
}

/// Draws the footer of the screen.
pub fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    if model.popups.is_empty() {
        frame.render_widget(line(&of_screen(model, area), &model.palette), area);
    }
}

/// The command under the mouse.
pub fn hit(hints: &[Hint], area: Rect, position: Position) -> Option<CommandId> {
    if position.y != area.y {
        return None;
    }
    hints
        .iter()
        .find(|hint| (hint.x..hint.x.saturating_add(hint.width)).contains(&position.x))
        .map(|hint| hint.id)
}
