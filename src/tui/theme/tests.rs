//! Every file in themes/, measured.

use std::fs;
use std::path::Path;

use ratatui::style::Style;

use super::approximate::rgb_of;
use super::rgb::{contrast, difference, lab, linear};
use super::*;

/// Every theme in the folder, whether the program knows it or not.
fn themes() -> Vec<Theme> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("themes");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort_by_key(|path| path.file_stem().map(std::ffi::OsStr::to_owned));
    let read = |path: &std::path::PathBuf| {
        assert_eq!(path.extension().unwrap(), "json", "{}", path.display());
        let name = path.file_stem().unwrap().to_str().unwrap();
        Theme::parse(name, &fs::read_to_string(path).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    paths.iter().map(read).collect()
}

/// What a terminal shows for a colour; none where that is the user's to say.
fn shown(color: Option<Color>) -> Option<Rgb> {
    match color? {
        Color::Rgb(red, green, blue) => Some([red, green, blue]),
        Color::Indexed(index) => Some(rgb_of(index)),
        _ => None,
    }
}

/// The sixteen as the Linux console and old PCs show them: darker than most, so the harder case.
fn of_console(color: Color, default: Rgb) -> Rgb {
    match color {
        Color::Black => [0, 0, 0],
        Color::Red => [170, 0, 0],
        Color::Green => [0, 170, 0],
        Color::Yellow => [170, 85, 0],
        Color::Blue => [0, 0, 170],
        Color::Magenta => [170, 0, 170],
        Color::Cyan => [0, 170, 170],
        Color::Gray => [170, 170, 170],
        Color::DarkGray => [85, 85, 85],
        Color::LightRed => [255, 85, 85],
        Color::LightGreen => [85, 255, 85],
        Color::LightYellow => [255, 255, 85],
        Color::LightBlue => [85, 85, 255],
        Color::LightMagenta => [255, 85, 255],
        Color::LightCyan => [85, 255, 255],
        Color::White => [255, 255, 255],
        _ => default,
    }
}

const DEPTHS: [ColorDepth; 2] = [ColorDepth::True, ColorDepth::Many];

/// What must never look the same.
const TOLD_APART: [Token; 4] = [Token::Good, Token::Warn, Token::Bad, Token::Changed];

fn pairs(tokens: &[Token]) -> impl Iterator<Item = (Token, Token)> {
    let others = |index: usize| tokens.iter().skip(index + 1);
    tokens
        .iter()
        .enumerate()
        .flat_map(move |(index, one)| others(index).map(move |other| (*one, *other)))
}

#[test]
fn the_program_has_every_file_of_the_folder_and_no_other() {
    let mut names: Vec<&str> = Theme::names().collect();
    names.sort_unstable();
    let themes = themes();
    let files: Vec<&str> = themes.iter().map(Theme::name).collect();
    assert_eq!(names, files);
    assert_eq!(Theme::all_built_in().len(), files.len());
    for theme in &themes {
        assert_eq!(&Theme::built_in(theme.name()).unwrap(), theme);
        assert!(
            !theme.about().is_empty() && !theme.about().ends_with('.'),
            "{}",
            theme.name()
        );
        // Half a theme in colours and half left to the terminal could be anything.
        let colors = Token::ALL.iter().filter(|token| theme.rgb(**token).is_some()).count();
        assert!(
            colors == Token::ALL.len() || theme.name() == MONOCHROME && colors == 0,
            "{}",
            theme.name()
        );
    }
}

#[test]
fn everything_can_be_read_in_true_and_in_256_colours() {
    for theme in themes().into_iter().filter(|theme| theme.name() != MONOCHROME) {
        // AAA for those who ask for it, AA for the others.
        let (least, visible) = match theme.name() {
            "high-contrast" | "high-contrast-light" => (7.0, 3.0),
            _ => (4.5, 1.5),
        };
        for depth in DEPTHS {
            let palette = Palette::new(&theme, depth);
            let at_least = |what: &str, style: Style, ground: Option<Color>, least: f64| {
                let contrast = contrast(shown(style.fg).unwrap(), shown(ground).unwrap());
                assert!(
                    contrast >= least,
                    "{} {depth:?}: {what} has {contrast:.2}, not {least}",
                    theme.name()
                );
            };
            let (base, selection) = (palette.base().bg, palette.selection().bg);
            for token in Token::READ {
                at_least(token.name(), palette.of(token), base, least);
                let selected = palette.selected(token);
                at_least(&format!("selected {token}"), selected, selected.bg, least);
            }
            at_least("dim", palette.of(Token::Dim), base, least);
            at_least(
                "selected dim",
                palette.selected(Token::Dim),
                selection,
                if least > 5.0 { least } else { 3.0 },
            );
            at_least("border", palette.of(Token::Border), base, visible);
            for (what, style) in [
                ("selection", palette.selection()),
                ("trial", palette.trial()),
                ("alarm", palette.alarm()),
            ] {
                at_least(what, style, style.bg, least);
            }
            at_least(
                "the trial's bar",
                Style::new().fg(palette.trial().bg.unwrap()),
                base,
                3.0,
            );
            at_least(
                "the alarm's bar",
                Style::new().fg(palette.alarm().bg.unwrap()),
                base,
                3.0,
            );
            at_least("the selected row", Style::new().fg(selection.unwrap()), base, 1.15);
            let lab_of = |style: Style| lab(shown(style.fg).unwrap().map(linear));
            for (one, other) in pairs(&TOLD_APART) {
                let difference = difference(lab_of(palette.of(one)), lab_of(palette.of(other)));
                assert!(
                    difference >= 20.0,
                    "{} {depth:?}: {one} and {other}: {difference:.1}",
                    theme.name()
                );
            }
            assert_ne!(palette.trial().bg, palette.alarm().bg, "{} {depth:?}", theme.name());
        }
    }
}

#[test]
fn sixteen_colours_are_enough_too() {
    for theme in themes().into_iter().filter(|theme| theme.name() != MONOCHROME) {
        let name = theme.name();
        let palette = Palette::new(&theme, ColorDepth::Sixteen);
        // Where the background is left to the terminal, it is taken to be as the theme's own.
        let [red, green, blue] = theme.rgb(Token::Background).unwrap();
        let is_dark = u16::from(red) + u16::from(green) + u16::from(blue) < 3 * 128;
        let ground = if is_dark { [0; 3] } else { [255; 3] };
        let ink = if is_dark { [170; 3] } else { [0; 3] };
        let readable = |what: &str, style: Style, back: Option<Color>| {
            assert!(
                style.fg != back || style.fg == Some(Color::Reset),
                "{name}: {what} is its own background"
            );
            let contrast = contrast(of_console(style.fg.unwrap(), ink), of_console(back.unwrap(), ground));
            assert!(contrast >= 3.0, "{name}: {what} has {contrast:.2}");
        };
        let base = palette.base().bg;
        for token in Token::READ.into_iter().chain([Token::Dim]) {
            readable(token.name(), palette.of(token), base);
            let selected = palette.selected(token);
            readable("the selected row", selected, selected.bg);
        }
        for (what, style) in [
            ("selection", palette.selection()),
            ("trial", palette.trial()),
            ("alarm", palette.alarm()),
        ] {
            readable(what, style, style.bg);
            assert_ne!(style.bg, base, "{name}: {what}");
        }
        assert_ne!(palette.of(Token::Border).fg, base, "{name}");
        assert_ne!(palette.trial().bg, palette.alarm().bg, "{name}");
        for (one, other) in pairs(&TOLD_APART).chain([(Token::Added, Token::Removed), (Token::Good, Token::Unknown)]) {
            assert_ne!(palette.of(one).fg, palette.of(other).fg, "{name}: {one} and {other}");
        }
    }
}

/// How the colour-blind see light (red, green, blue): Machado, Oliveira and Fernandes, "A
/// Physiologically-based Model for Simulation of Color Vision Deficiency" (2009), table 1, severity 1.
const VISIONS: [(&str, [[f64; 3]; 3]); 4] = [
    ("full", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protanopia",
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ),
    (
        "tritanopia",
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_900],
        ],
    ),
];

fn seen(rgb: Rgb, vision: &[[f64; 3]; 3]) -> [f64; 3] {
    let light = rgb.map(linear);
    let mix = |row: &[f64; 3]| row.iter().zip(light).map(|(share, light)| share * light).sum::<f64>();
    lab([mix(&vision[0]), mix(&vision[1]), mix(&vision[2])].map(|light| light.clamp(0.0, 1.0)))
}

#[test]
fn the_colour_blind_can_tell_what_matters_apart() {
    let theme = Theme::built_in("colorblind").unwrap();
    for depth in DEPTHS {
        let palette = Palette::new(&theme, depth);
        for (vision, matrix) in &VISIONS {
            let of = |token| seen(shown(palette.of(token).fg).unwrap(), matrix);
            let apart = |one, other, least: f64| {
                let difference = difference(of(one), of(other));
                assert!(
                    difference >= least,
                    "{depth:?}, {vision}: {one} and {other}: {difference:.1}, not {least}"
                );
            };
            for (one, other) in pairs(&TOLD_APART).chain([(Token::Added, Token::Removed)]) {
                apart(one, other, 24.0);
            }
            for token in TOLD_APART {
                apart(token, Token::Text, 18.0);
                apart(token, Token::Unknown, 13.0);
            }
        }
    }
}

/// The simulation is one: by it the usual green and red come close to one another.
#[test]
fn red_and_green_alone_would_not_do() {
    let (green, red) = ([0x6a, 0xa8, 0x4f], [0xc2, 0x7b, 0x4a]);
    let apart = |vision: usize| difference(seen(green, &VISIONS[vision].1), seen(red, &VISIONS[vision].1));
    assert!(
        apart(0) > 50.0 && apart(2) < apart(0) / 2.0,
        "{} {}",
        apart(0),
        apart(2)
    );
}

#[test]
fn without_colours_only_modifiers_are_left() {
    for theme in themes() {
        let palette = Palette::new(&theme, ColorDepth::None);
        for token in Token::ALL {
            assert_eq!(palette.of(token).fg, Some(Color::Reset), "{token}");
        }
        assert!(palette.selection().add_modifier.contains(Modifier::REVERSED));
        assert!(palette.trial().add_modifier.contains(Modifier::REVERSED));
        assert_ne!(palette.trial(), palette.alarm());
        assert_ne!(palette.of(Token::Good), palette.of(Token::Bad));
        assert_ne!(palette.of(Token::Good), palette.of(Token::Changed));
    }
}
