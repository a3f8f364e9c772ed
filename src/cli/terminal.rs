//! What the terminal can show, as far as the environment tells.

use crate::tui::theme::ColorDepth;

/// Asks the environment for a variable; none where it is not set or empty.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Terminals that show 24 bits; over SSH their word for it, `COLORTERM`, is lost, and TERM is not.
const TRUE: [&str; 6] = [
    "alacritty",
    "contour",
    "foot",
    "wezterm",
    "xterm-ghostty",
    "xterm-kitty",
];

/// How many colours there are: none where the user wants none (no-color.org) or the terminal has
/// none, and more than the sixteen only where it says so.
pub(super) fn color_depth(variable: Environment<'_>) -> ColorDepth {
    let term = variable("TERM").unwrap_or_default();
    if variable("NO_COLOR").is_some() || term == "dumb" || term.ends_with("-m") || term.ends_with("-mono") {
        return ColorDepth::None;
    }
    // Its 24 bits are made into sixteen by a rule of its own, which spoils what was chosen for sixteen.
    if term == "linux" || term.starts_with("linux-") {
        return ColorDepth::Sixteen;
    }
    let is_true = matches!(variable("COLORTERM").as_deref(), Some("truecolor" | "24bit"));
    // GNU screen takes the numbers of 24 bits for blinking and the like, and COLORTERM is from the terminal
    // around it; tmux, which may have the same name, does not.
    if term.starts_with("screen") && variable("TMUX").is_none() {
        return ColorDepth::Many;
    }
    if is_true || term.ends_with("-direct") || TRUE.iter().any(|name| term.starts_with(name)) {
        return ColorDepth::True;
    }
    match term.contains("256") || term.starts_with("screen") || term.starts_with("tmux") {
        true => ColorDepth::Many,
        false => ColorDepth::Sixteen,
    }
}

/// Whether what is erased gets the background in use (`bce` in terminfo): not in GNU screen, and
/// nobody knows where the terminal is not one of these.
pub(super) fn erases_in_color(variable: Environment<'_>) -> bool {
    const THEY_DO: [&str; 12] = [
        "xterm",
        "tmux",
        "linux",
        "alacritty",
        "foot",
        "ghostty",
        "gnome",
        "konsole",
        "rxvt",
        "st-",
        "vte",
        "wezterm",
    ];
    let term = variable("TERM").unwrap_or_default();
    THEY_DO.iter().any(|name| term.starts_with(name))
}

/// Whether only ASCII can be shown for certain: a locale that says so, or a terminal with few letters.
///
/// Without any locale (`env -i`, `su -`, a container) POSIX would mean ASCII too; but there nobody has chosen
/// it, and terminals have been UTF-8 for so long that theirs is the better guess. `sudo` keeps all of this.
pub(super) fn is_ascii(variable: Environment<'_>) -> bool {
    let term = variable("TERM").unwrap_or_default();
    // The console's font has frames, but neither circles nor ticks.
    let is_model = |rest: &str| rest.starts_with(|first: char| first.is_ascii_digit());
    if matches!(term.as_str(), "linux" | "dumb" | "ansi")
        || term.starts_with("linux-")
        || term.strip_prefix("vt").is_some_and(is_model)
    {
        return true;
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        !(locale.contains("utf-8") || locale.contains("utf8"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An environment written `NAME=value NAME=value`.
    fn asked<T>(environment: &str, ask: impl Fn(Environment<'_>) -> T) -> T {
        ask(&|name| {
            let mut pairs = environment.split_whitespace().filter_map(|pair| pair.split_once('='));
            let value = pairs
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.to_owned());
            value.filter(|value| !value.is_empty())
        })
    }

    #[test]
    fn colours_are_as_many_as_the_terminal_says() {
        use ColorDepth::{Many, None, Sixteen, True};
        for (environment, wanted) in [
            ("", Sixteen),
            ("TERM=xterm", Sixteen),
            ("TERM=xterm-256color", Many),
            ("TERM=xterm-256color COLORTERM=truecolor", True),
            ("TERM=xterm COLORTERM=24bit", True),
            ("TERM=xterm-256color COLORTERM=yes", Many),
            ("TERM=xterm-256color COLORTERM=truecolor NO_COLOR=1", None),
            ("TERM=xterm-256color COLORTERM=truecolor NO_COLOR=", True),
            ("TERM=dumb COLORTERM=truecolor", None),
            ("TERM=xterm-mono", None),
            ("TERM=linux", Sixteen),
            ("TERM=linux COLORTERM=truecolor", Sixteen),
            ("TERM=linux-16color", Sixteen),
            ("TERM=vt220", Sixteen),
            ("TERM=screen", Many),
            ("TERM=screen-256color", Many),
            ("TERM=screen.xterm-256color COLORTERM=truecolor", Many),
            (
                "TERM=screen-256color COLORTERM=truecolor TMUX=/tmp/tmux-0/default,1,0",
                True,
            ),
            ("TERM=screen TMUX=/tmp/tmux-0/default,1,0", Many),
            ("TERM=tmux", Many),
            ("TERM=tmux-256color COLORTERM=truecolor", True),
            ("TERM=xterm-kitty", True),
            ("TERM=foot-extra", True),
            ("TERM=xterm-direct", True),
            ("TERM=rxvt-unicode-256color", Many),
        ] {
            assert_eq!(asked(environment, color_depth), wanted, "{environment}");
        }
    }

    #[test]
    fn ascii_is_drawn_where_a_locale_or_a_terminal_asks_for_it() {
        for (environment, wanted) in [
            ("", false),
            ("TERM=xterm-256color", false),
            ("TERM=xterm LANG=en_GB.UTF-8", false),
            ("TERM=xterm LANG=de_DE.utf8", false),
            ("TERM=xterm LANG=C.UTF-8", false),
            ("TERM=xterm LANG=C", true),
            ("TERM=xterm LANG=POSIX", true),
            ("TERM=xterm LANG=de_DE@euro", true),
            ("TERM=xterm LANG=en_GB.UTF-8 LC_ALL=C", true),
            ("TERM=xterm LANG=C LC_ALL=en_GB.UTF-8", false),
            ("TERM=xterm LANG=C LC_CTYPE=en_GB.UTF-8", false),
            ("TERM=xterm LANG=en_GB.UTF-8 LC_CTYPE=C", true),
            ("TERM=xterm LANG=en_GB.UTF-8 LC_ALL=", false),
            ("TERM=linux LANG=en_GB.UTF-8", true),
            ("TERM=vt220 LANG=en_GB.UTF-8", true),
            ("TERM=vte-256color LANG=en_GB.UTF-8", false),
            ("TERM=dumb", true),
        ] {
            assert_eq!(asked(environment, is_ascii), wanted, "{environment}");
        }
    }
}
