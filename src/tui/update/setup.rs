//! The first-time setup: steps back and forth, answers, and what becomes of them.
//!
//! Nothing is written but the answers themselves, until the user applies: then the policy is saved,
//! and put on trial.

use super::commands;
use super::commands::{movement, open};
use crate::app::{Error, Observation, Setup as Found};
use crate::core::policy::{Decision, Policy};
use crate::core::setup::{Answers, Step};
use crate::tui::commands::{CommandId, Context};
use crate::tui::model::{Model, Movement, Pane, Setup};
use crate::tui::msg::Effect;
use crate::tui::popups::{Help, Message, Popup, SetupQuestion};
use crate::tui::port::Depth;
use crate::tui::runtime::Start;
use crate::tui::screens::{ScreenId, setup as pages};
use crate::tui::theme::Token;

mod answers;
mod ending;
mod mouse;
mod resuming;

pub(super) use ending::{Ended, before_apply, follow};
pub(super) use mouse::{click, wheel};

/// The first complete look is there: whether the setup begins is asked of the machine.
pub(super) fn begin(model: &mut Model) -> Option<Effect> {
    let has_begun = model.setup.is_some() || model.trial().is_some();
    match model.start {
        Start::Screens => None,
        Start::SetupIfNew if has_begun || model.why_read_only().is_some() || model.observation.filter.is_none() => None,
        Start::Setup | Start::SetupIfNew => ask(model),
    }
}

/// Asks what is recommended here.
pub(super) fn ask(model: &mut Model) -> Option<Effect> {
    let why = if let Some(why) = model.why_read_only() {
        why
    } else if model.trial().is_some() {
        let again = model.key_of(CommandId::RunSetup, Context::Screens);
        format!("{} first; {again} then begins the setup.", model.trial_first())
    } else if model.depth != Some(Depth::Complete) {
        "The rules in the kernel have not been read yet.".to_owned()
    } else if model.task.is_some() {
        "One thing at a time: something is still being done.".to_owned()
    } else {
        return Some(Effect::AskSetup(Box::new(model.observation.clone())));
    };
    model.start = Start::Screens;
    model.say(Token::Warn, why);
    None
}

/// The setup is asked for from the screens.
pub(super) fn ask_again(model: &mut Model) -> Vec<Effect> {
    model.start = Start::Setup;
    ask(model).into_iter().collect()
}

/// What is recommended is known: the setup begins, or goes on where the user left it.
pub(super) fn on_found(model: &mut Model, found: Found, is_new: bool) -> Vec<Effect> {
    let start = std::mem::take(&mut model.start);
    if model.setup.is_some() {
        renew(model, found);
        return Vec::new();
    }
    let is_wanted = match start {
        // The user has left it before the answer came.
        Start::Screens => false,
        Start::Setup => true,
        Start::SetupIfNew => is_new,
    };
    if start == Start::SetupIfNew && !is_new && found.draft.as_ref().is_some_and(Answers::has_own) {
        let again = model.key_of(CommandId::RunSetup, Context::Screens);
        let text = format!("You left the setup before its end, and your answers are kept: {again} goes on with it.");
        model.say(Token::Accent, text);
    }
    if !is_wanted || model.trial().is_some() || model.task.is_some() {
        return Vec::new();
    }
    // What is on its way to the disk is the newest there is.
    let base = match model.saves_under_way {
        0 => model.observation.policy.clone(),
        _ => model.wanted().clone(),
    };
    let setup = match &found.draft {
        Some(draft) => Setup::resumed(draft, found.proposals, found.conflicts, base),
        None => Setup::new(found.proposals, found.conflicts, base),
    };
    let step = setup.step();
    // How the last trial ended is still to be read.
    model.popups.retain(|popup| matches!(popup, Popup::Outcome(_)));
    // What was said on the screens is not so here: there is no filter, and esc goes back.
    model.notice = None;
    model.setup = Some(setup);
    resuming::greet(model, found.draft.is_some(), found.notes);
    adopt(model);
    show(model, step);
    Vec::new()
}

/// The answers could not be kept, or forgotten: that is no reason to stop.
pub(super) fn on_kept_answers(model: &mut Model, result: Result<(), Error>) {
    if let (Err(error), Some(_)) = (result, &model.setup) {
        let text = format!(
            "Your answers can't be kept for later: {}.",
            error.message.trim_end_matches('.')
        );
        model.say(Token::Warn, text);
    }
}

/// A new look: what is recommended may be something else by now; no answer is lost.
pub(super) fn on_seen(model: &mut Model, before: &Policy) -> Vec<Effect> {
    let is_saving = model.saves_under_way > 0;
    let is_new_policy = !is_saving
        && model.observation.policy != *before
        && model.observation.policy != model.policy
        && model.observation.policy_error.is_none();
    let Some(setup) = &mut model.setup else {
        return Vec::new();
    };
    if setup.is_done {
        if !is_saving {
            model.policy = model.observation.policy.clone();
        }
        model.recompute();
        return Vec::new();
    }
    if is_new_policy {
        setup.rebase(model.observation.policy.clone());
    }
    if is_new_policy {
        model.say(
            Token::Warn,
            "The policy was changed elsewhere. Your own answers hold; the summary tells where they differ.",
        );
        model.popups.retain(|popup| !matches!(popup, Popup::Apply(_)));
    }
    adopt(model);
    if model.depth != Some(Depth::Complete) {
        return Vec::new();
    }
    // What the setup itself wrote is not what was decided before it.
    let policy = model.setup.as_ref().map(|setup| setup.base.clone()).unwrap_or_default();
    let observation = Observation {
        policy,
        ..model.observation.clone()
    };
    vec![Effect::AskSetup(Box::new(observation))]
}

/// What is recommended by now: no answer is lost.
fn renew(model: &mut Model, found: Found) {
    // What is about to be applied stays what was looked at; the next look is soon.
    let is_asking = model.popups.iter().any(|popup| matches!(popup, Popup::Apply(_)));
    let is_busy = is_asking || model.task.is_some() || model.trial().is_some();
    let Some(setup) = model.setup.as_mut().filter(|setup| !is_busy && !setup.is_done) else {
        return;
    };
    let appeared = setup.renew(found.proposals, found.conflicts);
    if appeared > 0 && setup.step() > Step::Welcome {
        let text = match appeared {
            1 => "One more service listens since you began: it is in the list of services.".to_owned(),
            many => format!("{many} more services listen since you began: they are in the list of services."),
        };
        model.say(Token::Changed, text);
    }
    adopt(model);
}

/// Takes what the answers decide on a machine that was looked at anew: rows, plan and preview follow.
pub(super) fn adopt(model: &mut Model) {
    let Some(setup) = &model.setup else { return };
    let policy = setup.policy();
    model.forget_pending();
    match policy {
        Ok(policy) => model.policy = policy,
        Err(why) => contradict(model, why),
    }
    model.recompute();
}

/// The same for other answers on the same machine: what they do not concern stays as it is.
fn adopt_answers(model: &mut Model) {
    let Some(setup) = &model.setup else { return };
    match setup.policy() {
        Ok(policy) => model.adopt_answers(policy),
        Err(why) => contradict(model, why),
    }
}

/// Says which answer contradicts another one; once, however often it is tried.
fn contradict(model: &mut Model, why: String) {
    let popup = Popup::Message(Message {
        title: "That can't be decided".to_owned(),
        token: Token::Bad,
        text: vec![why],
    });
    if !model.popups.contains(&popup) {
        model.popups.push(popup);
    }
}

/// Shows a step.
fn show(model: &mut Model, step: Step) {
    let Some(setup) = &mut model.setup else { return };
    setup.show(step);
    model.screen = match step {
        Step::Preview => {
            model.preview.begin();
            ScreenId::Preview
        }
        _ => ScreenId::Services,
    };
}

/// A command, while the setup is what is shown.
pub(super) fn run(model: &mut Model, command: CommandId) -> Vec<Effect> {
    let before = model.setup.as_ref().map(|setup| setup.answers.clone());
    let effects = carry_out(model, command);
    let Some(setup) = model.setup.as_mut().filter(|setup| !setup.is_done) else {
        return effects;
    };
    let contradiction = setup.policy().err();
    if let (Some(_), Some(before)) = (&contradiction, &before) {
        // What can't be decided must not look as if it were.
        setup.answers = before.clone();
    }
    let after = setup.answers.clone();
    if let Some(why) = contradiction {
        contradict(model, why);
    }
    if before.as_ref() == Some(&after) {
        return effects;
    }
    let is_step_alone = before.is_some_and(|mut before| {
        before.step = after.step;
        before == after
    });
    if !is_step_alone {
        adopt_answers(model);
    }
    let mut effects = effects;
    effects.push(Effect::KeepAnswers(Box::new(after)));
    effects
}

fn carry_out(model: &mut Model, command: CommandId) -> Vec<Effect> {
    let is_searching = !model.filter().is_empty();
    let Some(setup) = &mut model.setup else {
        return Vec::new();
    };
    let step = setup.step();
    match command {
        CommandId::NextStep => match step.next() {
            Some(next) => show(model, next),
            None => return ending::apply(model),
        },
        // Esc ends a search first.
        CommandId::PreviousStep if step == Step::Preview && is_searching => {
            model.set_filter(String::new());
        }
        CommandId::PreviousStep => match step.previous() {
            Some(previous) => show(model, previous),
            None => return leave(model),
        },
        CommandId::TakeAll if setup.differing() > 0 => return open(model, Popup::Setup(SetupQuestion::TakeAll)),
        CommandId::TakeAll => take_all(model),
        CommandId::StartAgain => return open(model, Popup::Setup(SetupQuestion::StartAgain)),
        CommandId::Apply => return ending::apply(model),
        CommandId::Quit => return leave(model),
        CommandId::Help => return open(model, Popup::Help(Help::default())),
        CommandId::Keep | CommandId::Revert | CommandId::Extend => return super::trial::run(model, command),
        CommandId::ShowScreens => return ending::to_the_screens(model),
        CommandId::Filter => return commands::ask_filter(model),
        CommandId::WriteFile => return super::planning::ask_file(model),
        CommandId::NextMatch | CommandId::PreviousMatch => {
            super::planning::step(model, command == CommandId::NextMatch);
        }
        CommandId::SwitchView => model.preview.next_view(),
        CommandId::SwitchPane => {
            model.preview.pane = match model.preview.pane {
                Pane::Words => Pane::Rules,
                Pane::Rules => Pane::Words,
            };
        }
        CommandId::Confine => answers::decide(model, Decision::Confine),
        CommandId::Trust => answers::decide(model, Decision::Trusted),
        CommandId::Open => answers::decide(model, Decision::Open),
        CommandId::Undecide => answers::decide(model, Decision::Undecided),
        CommandId::NextAnswer => answers::next(model),
        CommandId::TakeAdvice => answers::take_advice(model),
        _ => {
            if let Some(movement) = movement(command) {
                go(model, movement);
            }
        }
    }
    Vec::new()
}

/// Leaves, or asks first; what is being applied is waited for.
fn leave(model: &mut Model) -> Vec<Effect> {
    let is_done = model.setup.as_ref().is_some_and(|setup| setup.is_done);
    match is_done || model.trial().is_some() || model.task.is_some() {
        true => super::leave(model),
        false => open(model, Popup::Setup(SetupQuestion::Leave)),
    }
}

fn take_all(model: &mut Model) {
    if let Some(setup) = &mut model.setup {
        setup.take_all();
        show(model, Step::Summary);
        model.say(
            Token::Good,
            "All recommendations are taken. Nothing has been changed yet.",
        );
    }
}

/// Moves in the list, the choices, or the text of a step.
pub(super) fn go(model: &mut Model, movement: Movement) {
    let Some(setup) = &model.setup else { return };
    let is_answering = !setup.is_done && model.trial().is_none();
    match setup.step() {
        Step::Networks | Step::Services if is_answering => pages::go(model, movement),
        Step::Refusal | Step::Logging if is_answering => match movement {
            Movement::Lines(lines) => answers::choose(model, lines),
            _ => pages::scroll(model, movement),
        },
        Step::Preview if is_answering => commands::go(model, movement),
        _ => pages::scroll(model, movement),
    }
}

/// A question was answered with yes, or with its third answer.
pub(super) fn on_question(model: &mut Model, question: SetupQuestion, command: CommandId) -> Vec<Effect> {
    model.popups.pop();
    match (question, command) {
        (SetupQuestion::Leave, CommandId::ShowScreens) => ending::to_the_screens(model),
        (SetupQuestion::Leave, CommandId::Quit) => vec![Effect::Quit],
        (SetupQuestion::TakeAll, CommandId::Accept) => {
            take_all(model);
            keep(model)
        }
        (SetupQuestion::StartAgain, CommandId::Accept) => {
            let Some(setup) = &mut model.setup else {
                return Vec::new();
            };
            setup.start_again();
            show(model, Step::Welcome);
            adopt_answers(model);
            vec![Effect::ForgetAnswers]
        }
        _ => Vec::new(),
    }
}

/// Takes all answers anew, and has them kept.
fn keep(model: &mut Model) -> Vec<Effect> {
    adopt_answers(model);
    let answers = model.setup.as_ref().map(|setup| setup.answers.clone());
    answers
        .map(|answers| Effect::KeepAnswers(Box::new(answers)))
        .into_iter()
        .collect()
}
