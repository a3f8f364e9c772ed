//! Options that would do nothing where they stand: refused, so that nobody counts on them.

use crate::app::{Error, Kind};
use crate::cli::args::{Cli, Verb};

/// Refuses options that have no effect on what is asked for.
///
/// # Errors
/// Names the first one, and says why it has none.
pub(super) fn refuse(cli: &Cli) -> Result<(), Error> {
    let Some(verb) = &cli.verb else {
        return Ok(());
    };
    let idle = |option: &str, why: &str, hint: &str| {
        let message = format!("{option} has no effect here: {why}");
        Err(Error::new(Kind::Usage, message).hint(hint))
    };
    if cli.root.is_some()
        && let Some(why) = rootless(verb)
    {
        return idle("--root", why, "Leave it out.");
    }
    if cli.theme.is_some() && !shows_colours(verb) {
        let why = match verb {
            Verb::Themes(_) => "the theme is printed as it is",
            Verb::Sandbox(_) => "a command runs instead of the screens",
            _ => "only the screens have themes",
        };
        return idle("--theme", why, theme_hint(verb));
    }
    if cli.screen.is_some() && !opens_screens(verb) {
        let why = match verb {
            Verb::Setup(_) => "the setup takes the place of the screens",
            Verb::Sandbox(_) => "a command runs instead of the screens",
            _ => "no screens open",
        };
        return idle(
            "--screen",
            why,
            "Leave the verb out to open the screens: fwtui --screen NAME.",
        );
    }
    match verb {
        Verb::Off(args) if args.end_connections => idle(
            "--end-connections",
            "with fwtui off nothing is refused any more, so no connection is to be ended",
            "Leave it out.",
        ),
        _ => Ok(()),
    }
}

/// Why none of fwtui's files is read or written; none where some are.
const fn rootless(verb: &Verb) -> Option<&'static str> {
    match verb {
        Verb::Sandbox(_) => Some("the sandbox has a folder of its own for all of fwtui's files, in memory"),
        Verb::Knock(_) => Some("knocking uses none of fwtui's files"),
        Verb::Check(args) if args.file.is_some() => Some("a file is judged by itself"),
        Verb::Themes(_) | Verb::Config(_) => {
            Some("settings and themes are the user's, in the folder that 'fwtui config --path' tells")
        }
        Verb::Completions { .. } | Verb::Man => Some("it is the same wherever fwtui's files are"),
        _ => None,
    }
}

/// Whether a theme changes anything of what is shown.
const fn shows_colours(verb: &Verb) -> bool {
    match verb {
        Verb::Setup(args) => !(args.show || args.json || args.take_all),
        Verb::Sandbox(args) => args.command.is_empty(),
        Verb::Themes(args) => args.name.is_none(),
        Verb::Config(args) => !(args.path || args.keys),
        _ => false,
    }
}

/// Whether the screen shown first is shown, or told.
const fn opens_screens(verb: &Verb) -> bool {
    match verb {
        Verb::Sandbox(args) => args.command.is_empty(),
        Verb::Config(args) => !(args.path || args.keys),
        _ => false,
    }
}

const fn theme_hint(verb: &Verb) -> &'static str {
    match verb {
        Verb::Themes(_) => "Leave it out: fwtui themes NAME.",
        _ => "Leave it out; 'fwtui --theme NAME' opens the screens with it.",
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn what_has_no_effect_is_refused_and_nothing_else() {
        for (line, words) in [
            ("fwtui --root /x sandbox", "folder of its own"),
            ("fwtui sandbox --root /x -- true", "folder of its own"),
            ("fwtui knock --root /x", "none of fwtui's files"),
            ("fwtui themes --root /x", "the user's"),
            ("fwtui config --root /x", "fwtui config --path"),
            ("fwtui man --root /x", "the same"),
            ("fwtui completions bash --root /x", "the same"),
            ("fwtui check rules.v4 --root /x", "judged by itself"),
            ("fwtui --theme dark list", "only the screens"),
            ("fwtui setup --show --theme dark", "only the screens"),
            ("fwtui themes dark --theme light", "as it is"),
            ("fwtui config --path --theme dark", "only the screens"),
            ("fwtui sandbox --theme dark -- true", "a command runs"),
            ("fwtui --screen preview status", "no screens"),
            ("fwtui --screen preview setup", "takes the place"),
            ("fwtui --screen preview themes", "no screens"),
            ("fwtui sandbox --screen preview -- true", "a command runs"),
            ("fwtui off --end-connections", "nothing is refused"),
            ("fwtui", ""),
            ("fwtui --root /x --theme dark --screen preview --ascii", ""),
            ("fwtui --root /x list --json --ascii", ""),
            ("fwtui --root /x check", ""),
            ("fwtui --root /x setup --theme dark", ""),
            ("fwtui sandbox --theme dark --screen preview", ""),
            ("fwtui --theme dark themes", ""),
            ("fwtui config --json --theme dark --screen preview", ""),
            ("fwtui apply --end-connections", ""),
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            let said = refuse(&cli).map_or_else(|error| error.message, |()| String::new());
            assert!(
                said.contains(words) && words.is_empty() == said.is_empty(),
                "{line}: {said}"
            );
        }
    }
}
