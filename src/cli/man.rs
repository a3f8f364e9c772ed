//! The man page and the completions, made from the arguments and from the table of keys.

use clap::{Arg, Command, CommandFactory as _};

use crate::app::Error;
use crate::cli::DONE;
use crate::cli::args::{Cli, EXIT_CODES};
use crate::cli::output::Out;
use crate::core::checkup::{Kind, Severity, kinds};
use crate::core::network::NetworkClass;
use crate::core::policy::{Logging, Refusal};
use crate::core::setup::words;
use crate::core::text::capitalised;
use crate::tui::commands::{self, Context};

mod prose;
mod roff;

use roff::Page;

/// When the page last changed in substance.
const DATE: &str = "2026-11-23";

pub(super) fn completions(shell: clap_complete::Shell, out: &Out) -> Result<u8, Error> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "fwtui", &mut text);
    out.print(&String::from_utf8_lossy(&text))?;
    Ok(DONE)
}

pub(super) fn print(out: &Out) -> Result<u8, Error> {
    out.print(&page())?;
    Ok(DONE)
}

/// The man page fwtui(8), in roff.
pub fn page() -> String {
    let program = Cli::command();
    let version = concat!("fwtui ", env!("CARGO_PKG_VERSION"));
    let mut page = Page::new("FWTUI", 8, DATE, version, "System Administration");
    page.section("NAME");
    page.paragraph("fwtui - see what listens, decide who may connect, apply with a rollback timer");
    synopsis(&mut page, &program);
    for (title, text) in prose::BEFORE {
        page.section(title);
        page.paragraphs(text);
    }
    setup(&mut page);
    commands(&mut page, &program);
    findings(&mut page);
    keys(&mut page);
    for (title, text) in prose::AFTER {
        page.section(title);
        page.paragraphs(text);
    }
    policy(&mut page);
    scripts(&mut page);
    items(&mut page, "FILES", prose::FILES);
    items(&mut page, "ENVIRONMENT", prose::ENVIRONMENT);
    exit_status(&mut page);
    page.section("EXAMPLES");
    for (text, example) in prose::EXAMPLES {
        page.paragraph(text);
        page.example(example);
    }
    page.section("SEE ALSO");
    page.paragraph(prose::SEE_ALSO);
    page.into_text()
}

fn synopsis(page: &mut Page, program: &Command) {
    page.section("SYNOPSIS");
    let globals: Vec<String> = options(program)
        .map(|option| format!("[{}]", spelled(option)))
        .collect();
    page.paragraph(&format!("`fwtui` {}", globals.join(" ")));
    page.paragraph(&format!("`fwtui` {} COMMAND [ARGUMENTS]", globals.join(" ")));
}

fn commands(page: &mut Page, program: &Command) {
    page.section("COMMANDS");
    page.paragraph("Without a command the screens open. The commands do the same for scripts.");
    for command in program.get_subcommands().filter(|command| !command.is_hide_set()) {
        let mut usage = vec![format!("`fwtui {}`", command.get_name())];
        usage.extend(options(command).map(|option| format!("[{}]", spelled(option))));
        usage.extend(command.get_positionals().map(positional));
        page.subsection_marked(&usage.join(" "));
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        page.paragraph(&format!("{about}."));
        let described: Vec<&Arg> = command.get_positionals().chain(options(command)).collect();
        for arg in described {
            page.item(&spelled_plain(arg), &described_as(arg));
        }
        // Behind the first paragraph of the long help are examples, line by line.
        let long = command.get_long_about().map(ToString::to_string).unwrap_or_default();
        if let Some((_, examples)) = long.split_once("\n\n") {
            page.example(examples);
        }
        if let Some((_, more)) = prose::MORE.iter().find(|(name, _)| *name == command.get_name()) {
            page.paragraphs(more);
        }
    }
    page.subsection("Options of every command");
    for option in options(program) {
        page.item(&spelled_plain(option), &described_as(option));
    }
    page.item("`-h`, `--help`", "Print help; with a command, its help.");
    page.item("`-V`, `--version`", "Print the version.");
}

/// The arguments that begin with dashes.
fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    command
        .get_arguments()
        .filter(|arg| !arg.is_positional() && !arg.is_hide_set())
}

/// What stands for an argument's value.
fn value_name(arg: &Arg) -> String {
    match arg.get_value_names() {
        Some([first, ..]) => first.to_string(),
        _ => arg.get_id().to_string().to_uppercase(),
    }
}

fn spelled(option: &Arg) -> String {
    let long = option.get_long().unwrap_or_default();
    match option.get_action().takes_values() {
        true => format!("`--{long}` {}", value_name(option)),
        false => format!("`--{long}`"),
    }
}

fn positional(arg: &Arg) -> String {
    let dashes = if arg.is_last_set() { "`--` " } else { "" };
    let name = value_name(arg);
    match arg.is_required_set() {
        true => format!("{dashes}{name}"),
        false if arg.is_last_set() => format!("[{dashes}{name} ...]"),
        false => format!("[{name}]"),
    }
}

fn spelled_plain(arg: &Arg) -> String {
    match arg.is_positional() {
        true => value_name(arg),
        false => spelled(arg),
    }
}

/// The help with its possible values and its default, as sentences.
fn described_as(arg: &Arg) -> String {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let mut sentences = vec![help];
    if arg.get_action().takes_values() {
        let values: Vec<String> = arg
            .get_possible_values()
            .iter()
            .filter(|value| !value.is_hide_set())
            .map(|value| match value.get_help() {
                Some(help) => format!("`{}` ({help})", value.get_name()),
                None => format!("`{}`", value.get_name()),
            })
            .collect();
        if !values.is_empty() {
            sentences.push(format!("One of {}", values.join(", ")));
        }
        if let [default] = arg.get_default_values() {
            sentences.push(format!("The default is `{}`", default.to_string_lossy()));
        }
    }
    sentences.join(". ") + "."
}

/// What the setup asks, and what its choices mean, in the words of the screens.
fn setup(page: &mut Page) {
    page.section("SETUP");
    page.paragraphs(prose::SETUP);
    for class in [NetworkClass::Trusted, NetworkClass::Public, NetworkClass::Guests] {
        page.paragraph(words::class_meaning(class));
    }
    page.paragraph(words::AT_HOME);
    page.paragraph(words::IN_A_DMZ);
    for refusal in [Refusal::Reject, Refusal::Drop] {
        page.paragraph(words::refusal_meaning(refusal));
    }
    for logging in [Logging::Off, Logging::Kernel, Logging::Nflog] {
        page.paragraph(words::logging_meaning(logging));
    }
}

/// Every kind of finding, by severity and name.
fn findings(page: &mut Page) {
    page.section("FINDINGS");
    page.paragraphs(prose::FINDINGS);
    for severity in Severity::ALL {
        let mut kinds: Vec<&Kind> = kinds().filter(|kind| kind.severity == severity).collect();
        kinds.sort_by_key(|kind| kind.id);
        if !kinds.is_empty() {
            page.subsection(&capitalised(severity.word()));
        }
        for kind in kinds {
            page.item(&format!("`{}`", kind.id), &format!("{}.", kind.line));
        }
    }
}

fn keys(page: &mut Page) {
    page.section("THE SCREENS");
    page.paragraphs(prose::SCREENS);
    for context in Context::ALL {
        page.subsection(context.title());
        for command in commands::of(context) {
            let keys: Vec<String> = command.keys.iter().map(|key| format!("`{key}`")).collect();
            page.item(&keys.join(", "), &format!("{}.", command.doc));
        }
    }
}

fn policy(page: &mut Page) {
    page.section("THE POLICY FILE");
    page.paragraphs(prose::POLICY);
    page.example(prose::POLICY_EXAMPLE);
    page.paragraphs(prose::POLICY_RULES);
}

fn scripts(page: &mut Page) {
    page.section("OUTPUT FOR SCRIPTS");
    page.paragraphs(prose::SCRIPTS);
    for (command, fields) in prose::JSON {
        page.item(&format!("`{command}`"), fields);
    }
}

fn items(page: &mut Page, title: &str, items: &[(&str, &str)]) {
    page.section(title);
    for (term, text) in items {
        page.item(&format!("`{term}`"), text);
    }
}

/// The sentence of the help, code by code.
fn exit_status(page: &mut Page) {
    page.section("EXIT STATUS");
    let codes = EXIT_CODES.split_once(": ").map_or(EXIT_CODES, |(_, codes)| codes);
    for code in codes.trim_end_matches('.').split("; ") {
        let (number, meaning) = code.split_once(' ').unwrap_or((code, ""));
        let mut letters = meaning.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        page.item(&format!("`{number}`"), &format!("{first}{}.", letters.as_str()));
    }
    page.paragraphs(prose::EXIT_STATUS);
}
