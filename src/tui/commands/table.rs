//! Every command with its context, its keys, and what is said of it.

use crossterm::event::KeyCode;

use super::{Command, CommandId, Context, Key};

const fn command(
    id: CommandId,
    context: Context,
    keys: &'static [Key],
    label: &'static str,
    doc: &'static str,
    rank: u8,
) -> Command {
    Command {
        id,
        context,
        keys,
        label,
        doc,
        rank,
    }
}

const fn char(character: char) -> Key {
    Key::char(character)
}

const fn code(code: KeyCode) -> Key {
    Key::code(code)
}

// Letters do not move the cursor: k keeps a trial, and a finger used to another program's k must
// not come near that.
#[rustfmt::skip]
pub(super) const TABLE: &[Command] = &[
    command(CommandId::Keep, Context::Trial, &[char('k')], "keep", "Keep the new rules, after a question", 1),
    command(CommandId::Revert, Context::Trial, &[char('r')], "revert now", "Put the old rules back at once", 1),
    command(CommandId::Extend, Context::Trial, &[char('m')], "one more minute", "Make the trial a minute longer", 1),

    command(CommandId::Confine, Context::Services, &[char('c')], "confine", "Let only this machine connect", 2),
    command(CommandId::Trust, Context::Services, &[char('t')], "trusted", "Let trusted networks and guests connect", 2),
    command(CommandId::Open, Context::Services, &[char('o')], "open", "Let everyone connect", 2),
    command(CommandId::Undecide, Context::Services, &[char('-')], "undecided", "Take the decision back; undecided services are refused", 6),
    command(CommandId::Sources, Context::Services, &[char('f')], "from", "Let only certain addresses or networks connect", 6),
    command(CommandId::Block, Context::Services, &[char('b')], "block", "Refuse it for a while, whatever is decided", 8),
    command(CommandId::Unblock, Context::Services, &[char('B')], "unblock", "End its blocks, so that the decision holds again", 0),
    command(CommandId::Disable, Context::Services, &[char('d')], "disable", "Stop and disable the service itself, or enable it again", 6),
    command(CommandId::Mark, Context::Services, &[char(' ')], "mark", "Mark the row, to decide on many at once", 7),
    command(CommandId::MarkAll, Context::Services, &[char('A'), char('*')], "mark all", "Mark all rows that are shown, or none of them", 9),
    command(CommandId::MarkDown, Context::Services, &[Key::shift(KeyCode::Down)], "mark down", "Mark the row and the one below", 0),
    command(CommandId::MarkUp, Context::Services, &[Key::shift(KeyCode::Up)], "mark up", "Mark the row and the one above", 0),
    command(CommandId::WhoCan, Context::Services, &[char('w'), code(KeyCode::Enter)], "who", "See who can connect, and which rule decides", 3),
    command(CommandId::ReadWhole, Context::Services, &[char('i')], "details", "Read all of it: its processes, how to bind it to loopback", 6),
    command(CommandId::Filter, Context::Services, &[char('/')], "filter", "Show only the rows that match what you type", 4),
    command(CommandId::Sort, Context::Services, &[char('s')], "sort", "Sort by the next column", 7),
    command(CommandId::SortReversed, Context::Services, &[char('S')], "reverse", "Turn the order round", 0),

    command(CommandId::CycleClass, Context::Networks, &[char('c'), char(' ')], "class", "Say whom you trust there: public, trusted, guests", 2),
    command(CommandId::NetworkDetails, Context::Networks, &[code(KeyCode::Enter), char('w')], "details", "See who can be there, and what another class would change", 2),
    command(CommandId::AddSource, Context::Networks, &[char('+')], "trust a network", "Trust addresses by hand, whatever interface they come by", 3),
    command(CommandId::RemoveSource, Context::Networks, &[code(KeyCode::Delete), char('-')], "remove", "Take the selected network out of the policy", 4),

    command(CommandId::SwitchView, Context::Preview, &[char('v')], "view", "Show the difference, all rules, IPv4, IPv6, or as for nft", 2),
    command(CommandId::Filter, Context::Preview, &[char('/')], "search", "Search in the words and in the rules", 4),
    command(CommandId::NextMatch, Context::Preview, &[char('n')], "next", "Go to the next place that was searched for", 2),
    command(CommandId::PreviousMatch, Context::Preview, &[char('N')], "previous", "Go to the place before", 3),
    command(CommandId::WriteFile, Context::Preview, &[char('w')], "write", "Write what is shown to a file", 5),
    command(CommandId::SwitchRefusal, Context::Preview, &[char('x')], "reject/drop", "Refuse politely (reject) or silently (drop)", 3),
    command(CommandId::SwitchLogging, Context::Preview, &[char('l')], "log", "Log refusals: off, to the kernel's log, to NFLOG", 4),
    command(CommandId::PaneLeft, Context::Preview, &[code(KeyCode::Left)], "words", "Go to the consequences in words", 7),
    command(CommandId::PaneRight, Context::Preview, &[code(KeyCode::Right)], "rules", "Go to the rules", 7),
    command(CommandId::TurnOff, Context::Preview, &[char('O')], "off", "Take all of fwtui's rules out, with a trial", 6),

    command(CommandId::Follow, Context::Checkup, &[code(KeyCode::Enter)], "go to", "Go to the service it is about; else read all of it", 3),
    command(CommandId::ReadWhole, Context::Checkup, &[char('f')], "full", "Read all of a finding", 5),
    command(CommandId::Known, Context::Checkup, &[char('i')], "intended", "Mark it as known and intended, or take that back", 2),
    command(CommandId::CycleSeverity, Context::Checkup, &[char('s')], "severity", "Show only the harmful ones, the risky ones, and so on", 3),
    command(CommandId::Filter, Context::Checkup, &[char('/')], "filter", "Show only the findings that match what you type", 4),
    command(CommandId::Refresh, Context::Checkup, &[code(KeyCode::F(5))], "check again", "Look at everything again, and check it", 6),

    command(CommandId::ShowPreview, Context::Screens, &[char('p'), char('3')], "preview", "See what applying would change", 3),
    command(CommandId::Apply, Context::Screens, &[char('a')], "apply", "Apply the policy on trial, after a question", 1),
    command(CommandId::Restore, Context::Screens, &[char('R')], "put back", "Put the confirmed rules back, after something changed them", 1),
    command(CommandId::Undo, Context::Screens, &[char('u')], "undo", "Take the last edit back", 5),
    command(CommandId::Redo, Context::Screens, &[char('U'), Key::ctrl('r')], "redo", "Do again what was taken back", 8),
    command(CommandId::ShowServices, Context::Screens, &[char('1')], "services", "See what listens, and who can connect", 0),
    command(CommandId::ShowNetworks, Context::Screens, &[char('2')], "networks", "See the interfaces, and whom each of them lets in", 0),
    command(CommandId::ShowCheckup, Context::Screens, &[char('4')], "checkup", "See what is harmful, redundant or missing, and what to do", 0),
    command(CommandId::NextScreen, Context::Screens, &[code(KeyCode::Tab)], "next screen", "Go to the next screen", 8),
    command(CommandId::PreviousScreen, Context::Screens, &[code(KeyCode::BackTab)], "previous screen", "Go to the screen before", 0),
    command(CommandId::NextTheme, Context::Screens, &[char('T')], "next theme", "Try other colours: the next theme", 0),
    command(CommandId::PreviousTheme, Context::Screens, &[Key::ctrl('t')], "previous theme", "Try other colours: the theme before", 0),
    command(CommandId::Clear, Context::Screens, &[code(KeyCode::Esc)], "clear", "Clear the message, the marks, then the filter", 0),
    command(CommandId::RunSetup, Context::Screens, &[code(KeyCode::F(2))], "setup", "Be led through the first-time setup, step by step", 0),
    command(CommandId::Help, Context::Screens, &[char('?'), code(KeyCode::F(1))], "help", "Show all keys, and what the signs mean", 1),
    command(CommandId::Palette, Context::Screens, &[char(':')], "commands", "Find a command by its name, and run it", 0),
    command(CommandId::Quit, Context::Screens, &[char('q')], "quit", "Leave; a running trial goes on without the screens", 1),

    command(CommandId::Up, Context::Moving, &[code(KeyCode::Up)], "up", "Go up", 0),
    command(CommandId::Down, Context::Moving, &[code(KeyCode::Down)], "down", "Go down", 0),
    command(CommandId::PageUp, Context::Moving, &[code(KeyCode::PageUp)], "page up", "Go up a page", 0),
    command(CommandId::PageDown, Context::Moving, &[code(KeyCode::PageDown)], "page down", "Go down a page", 0),
    command(CommandId::First, Context::Moving, &[code(KeyCode::Home)], "first", "Go to the beginning", 0),
    command(CommandId::Last, Context::Moving, &[code(KeyCode::End)], "last", "Go to the end", 0),

    command(CommandId::Refresh, Context::Always, &[code(KeyCode::F(5)), Key::ctrl('l')], "refresh", "Look at the machine again, and redraw", 0),
    command(CommandId::Interrupt, Context::Always, &[Key::ctrl('c')], "interrupt", "Leave; during a trial, be asked once what becomes of it", 0),
    command(CommandId::ToggleMouse, Context::Always, &[char('M')], "mouse", "Leave the mouse to the terminal, to select text, or take it", 0),
    command(CommandId::Suspend, Context::Always, &[Key::ctrl('z')], "suspend", "Back to the shell until 'fg'; a trial goes on meanwhile", 0),

    command(CommandId::ShowWay, Context::WhoCan, &[code(KeyCode::Enter), char('w')], "rule by rule", "See the way through the rules, now and after", 1),
    command(CommandId::Cancel, Context::WhoCan, &[code(KeyCode::Esc), char('q')], "close", "Close it", 1),
    command(CommandId::Help, Context::WhoCan, &[char('?'), code(KeyCode::F(1))], "keys", "Show what the keys do here", 0),

    command(CommandId::SwitchTime, Context::Way, &[code(KeyCode::Tab)], "now/after", "Show the rules now, or after applying", 1),
    command(CommandId::Cancel, Context::Way, &[code(KeyCode::Esc), code(KeyCode::Backspace), char('q')], "back", "Back to the list", 1),
    command(CommandId::Help, Context::Way, &[char('?'), code(KeyCode::F(1))], "keys", "Show what the keys do here", 0),

    command(CommandId::Go, Context::Applying, &[code(KeyCode::Enter)], "apply", "Apply, where there is no warning", 1),
    command(CommandId::Accept, Context::Applying, &[char('y')], "apply", "Apply, warnings or not", 1),
    command(CommandId::Longer, Context::Applying, &[char('+')], "longer", "Make the trial longer", 2),
    command(CommandId::Shorter, Context::Applying, &[char('-')], "shorter", "Make the trial shorter", 2),
    command(CommandId::EndConnections, Context::Applying, &[char('e')], "end old ones", "End running connections too, once the trial is kept", 2),
    command(CommandId::Cancel, Context::Applying, &[code(KeyCode::Esc), char('n'), char('q')], "back", "Change nothing", 1),
    command(CommandId::Help, Context::Applying, &[char('?'), code(KeyCode::F(1))], "keys", "Show what the keys do here", 0),

    command(CommandId::Accept, Context::Asking, &[char('y'), code(KeyCode::Enter)], "yes", "Go ahead", 1),
    command(CommandId::Cancel, Context::Asking, &[code(KeyCode::Esc), char('n'), char('q')], "no", "Change nothing", 1),
    command(CommandId::Help, Context::Asking, &[char('?'), code(KeyCode::F(1))], "keys", "Show what the keys do here", 0),

    command(CommandId::Accept, Context::Doubting, &[char('y')], "yes, all the same", "Go ahead in spite of what is said", 1),
    command(CommandId::Cancel, Context::Doubting, &[code(KeyCode::Esc), char('n'), char('q')], "no", "Change nothing", 1),
    command(CommandId::Help, Context::Doubting, &[char('?'), code(KeyCode::F(1))], "keys", "Show what the keys do here", 0),

    command(CommandId::LeaveRunning, Context::Leaving, &[char('y'), char('q'), code(KeyCode::Enter)], "leave it running", "Quit; the trial goes on", 1),
    command(CommandId::RevertAndQuit, Context::Leaving, &[char('r')], "revert and quit", "Put the old rules back, then quit", 1),
    command(CommandId::Cancel, Context::Leaving, &[code(KeyCode::Esc), char('n')], "stay", "Stay here", 1),
    command(CommandId::Help, Context::Leaving, &[char('?'), code(KeyCode::F(1))], "keys", "Show what the keys do here", 0),

    command(CommandId::Submit, Context::Typing, &[code(KeyCode::Enter)], "done", "Take what was typed", 1),
    command(CommandId::Cancel, Context::Typing, &[code(KeyCode::Esc)], "cancel", "Forget what was typed", 1),
    command(CommandId::Erase, Context::Typing, &[code(KeyCode::Backspace)], "erase", "Remove the last character", 0),
    command(CommandId::EraseAll, Context::Typing, &[Key::ctrl('u')], "erase all", "Remove all characters", 3),
    command(CommandId::Help, Context::Typing, &[code(KeyCode::F(1))], "keys", "Show what the keys do here", 0),

    command(CommandId::NextStep, Context::Setup, &[code(KeyCode::Enter), code(KeyCode::Right)], "go on", "Go on to the next step", 1),
    command(CommandId::PreviousStep, Context::Setup, &[code(KeyCode::Left), code(KeyCode::Backspace), code(KeyCode::Esc)], "back", "Go back a step", 2),
    command(CommandId::TakeAll, Context::Setup, &[char('A')], "take all recommendations", "Take all recommendations, and go to the summary", 3),
    command(CommandId::StartAgain, Context::Setup, &[char('x')], "start again", "Forget the answers and start again", 7),
    command(CommandId::Help, Context::Setup, &[char('?'), code(KeyCode::F(1))], "help", "Show all keys", 5),
    command(CommandId::Quit, Context::Setup, &[char('q')], "quit", "Leave the setup; nothing is changed, the answers are kept", 1),

    command(CommandId::NextAnswer, Context::SetupNetworks, &[char(' '), char('c')], "change", "Say whom you trust there: public, trusted, guests", 1),
    command(CommandId::TakeAdvice, Context::SetupNetworks, &[char('r')], "as recommended", "Take the recommended class", 4),

    command(CommandId::NextAnswer, Context::SetupChoice, &[char(' ')], "change", "Choose the next answer; so do the arrows", 1),
    command(CommandId::TakeAdvice, Context::SetupChoice, &[char('r')], "as recommended", "Choose the recommended answer", 4),

    command(CommandId::NextAnswer, Context::SetupServices, &[char(' ')], "change", "Choose the next decision", 6),
    command(CommandId::Confine, Context::SetupServices, &[char('c')], "confine", "Let only this machine connect", 1),
    command(CommandId::Trust, Context::SetupServices, &[char('t')], "trusted", "Let trusted networks and guests connect", 1),
    command(CommandId::Open, Context::SetupServices, &[char('o')], "open", "Let everyone connect", 1),
    command(CommandId::Undecide, Context::SetupServices, &[char('-')], "later", "Decide later; until then it is refused", 4),
    command(CommandId::TakeAdvice, Context::SetupServices, &[char('r')], "as recommended", "Take the recommendation", 4),

    command(CommandId::Apply, Context::SetupPreview, &[char('a')], "apply", "Apply it on trial, after a question", 1),
    command(CommandId::SwitchView, Context::SetupPreview, &[char('v')], "view", "Show the difference, all rules, IPv4, IPv6, or as for nft", 3),
    command(CommandId::Filter, Context::SetupPreview, &[char('/')], "search", "Search in the words and in the rules", 4),
    command(CommandId::NextMatch, Context::SetupPreview, &[char('n')], "next", "Go to the next place that was searched for", 4),
    command(CommandId::PreviousMatch, Context::SetupPreview, &[char('N')], "previous", "Go to the place before", 5),
    command(CommandId::WriteFile, Context::SetupPreview, &[char('w')], "write", "Write what is shown to a file", 6),
    command(CommandId::SwitchPane, Context::SetupPreview, &[code(KeyCode::Tab)], "words/rules", "Go to the rules, or to the consequences in words", 3),

    command(CommandId::Help, Context::SetupTrial, &[char('?'), code(KeyCode::F(1))], "help", "Show all keys", 1),
    command(CommandId::Quit, Context::SetupTrial, &[char('q')], "quit", "Leave; the trial goes on without the screens", 1),

    command(CommandId::ShowScreens, Context::SetupEnd, &[code(KeyCode::Enter), code(KeyCode::Esc)], "to the screens", "See everything that listens, and go on from there", 1),
    command(CommandId::Help, Context::SetupEnd, &[char('?'), code(KeyCode::F(1))], "help", "Show all keys", 3),
    command(CommandId::Quit, Context::SetupEnd, &[char('q')], "quit", "Leave; what was set up stays", 1),

    command(CommandId::Quit, Context::SetupLeaving, &[char('y'), char('q'), code(KeyCode::Enter)], "leave", "Leave fwtui; the answers are kept", 1),
    command(CommandId::ShowScreens, Context::SetupLeaving, &[char('s')], "to the screens", "Decide by yourself, on the screens", 1),
    command(CommandId::Cancel, Context::SetupLeaving, &[code(KeyCode::Esc), char('n')], "stay", "Go on with the setup", 1),

    command(CommandId::Filter, Context::Help, &[char('/')], "search", "Search in the help", 2),
    command(CommandId::NextMatch, Context::Help, &[char('n')], "next", "Go to the next place that was searched for", 2),
    command(CommandId::PreviousMatch, Context::Help, &[char('N')], "previous", "Go to the place before", 3),

    command(CommandId::Cancel, Context::Reading, &[code(KeyCode::Esc), char('q'), char('?'), code(KeyCode::Enter), code(KeyCode::F(1))], "close", "Close it", 1),

    command(CommandId::Submit, Context::Palette, &[code(KeyCode::Enter)], "run", "Run the selected command, as its key would", 1),
    command(CommandId::Cancel, Context::Palette, &[code(KeyCode::Esc)], "close", "Close it", 1),
    command(CommandId::Erase, Context::Palette, &[code(KeyCode::Backspace)], "erase", "Remove the last character", 0),
    command(CommandId::EraseAll, Context::Palette, &[Key::ctrl('u')], "erase all", "Remove all characters", 3),
    command(CommandId::Help, Context::Palette, &[code(KeyCode::F(1))], "keys", "Show what the keys do here", 0),
];
