//! How themes look, and going through them.

use fwtui::tui::model::Model;
use fwtui::tui::theme::{ColorDepth, Palette, Theme};

use crate::snapshot::check;
use crate::{Session, fixture};

const DEPTHS: [(ColorDepth, &str); 3] = [
    (ColorDepth::True, "true"),
    (ColorDepth::Many, "256"),
    (ColorDepth::Sixteen, "16"),
];

#[test]
fn themes() {
    for name in Theme::names() {
        for (depth, word) in DEPTHS {
            if name == "monochrome" && depth != ColorDepth::True {
                continue;
            }
            let mut session = Session::on((80, 24), fixture::on_trial(62));
            session.model.palette = Palette::new(&Theme::built_in(name).unwrap(), depth);
            session.keys("down space");
            check(&format!("theme-{name}-{word}"), &session.model);
        }
    }
}

/// Nobody's choice, on a terminal without colours.
#[test]
fn without_colours() {
    let mut session = Session::on((80, 24), fixture::decided());
    session.model.settings.color = ColorDepth::None;
    session.model.palette = Palette::new(&session.model.settings.theme, ColorDepth::None);
    session.keys("T");
    assert!(session.notice().contains("NO_COLOR"), "{}", session.notice());
    assert_eq!(session.model.settings.theme.name(), "dark");
    check("theme-none-80x24", &session.model);
}

fn theme_of(model: &Model) -> &str {
    assert_eq!(model.palette, Palette::new(&model.settings.theme, model.settings.color));
    model.settings.theme.name()
}

#[test]
fn themes_are_tried_one_after_the_other() {
    let mut session = Session::on((80, 24), fixture::decided());
    let count = session.model.settings.themes.len();
    session.keys("T");
    assert_eq!(theme_of(&session.model), "light");
    assert_eq!(
        session.notice(),
        format!("Theme: light (2 of {count}). Next time: fwtui --theme light")
    );
    session.model.settings.config = Some("/home/u/.config/fwtui/config.json".into());
    session.keys("T");
    assert_eq!(theme_of(&session.model), "high-contrast");
    let keep = "To keep it: \"theme\": \"high-contrast\" in /home/u/.config/fwtui/config.json";
    assert!(session.notice().ends_with(keep), "{}", session.notice());
    check("theme-next-80x24", &session.model);
    session.keys("ctrl-t ctrl-t");
    assert_eq!(theme_of(&session.model), "dark");
    session.keys("ctrl-t");
    assert_eq!(theme_of(&session.model), "monochrome");
    session.keys("T");
    assert_eq!(theme_of(&session.model), "dark");
    assert!(session.effects.is_empty(), "{:?}", session.effects);
}

/// A theme that is in no list, as one that was taken away meanwhile.
#[test]
fn from_a_theme_that_is_not_in_the_list_the_first_is_next() {
    let mut session = Session::on((80, 24), fixture::decided());
    session.model.settings.theme = Theme::parse("gone", &Theme::default().to_file()).unwrap();
    session.keys("T");
    assert_eq!(theme_of(&session.model), "dark");
    session.model.settings.themes.clear();
    session.keys("T ctrl-t");
    assert_eq!(theme_of(&session.model), "dark");
}
