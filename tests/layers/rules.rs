//! What each layer may name.

use crate::scan::{Named, paths};

/// Each layer with the layers it may use, itself included.
const LAYERS: [(&str, &[&str]); 10] = [
    ("core", &["core"]),
    ("sys", &["core", "sys"]),
    ("backend", &["core", "sys", "backend"]),
    ("store", &["core", "sys", "store"]),
    ("guard", &["core", "sys", "backend", "store", "guard"]),
    ("app", &["core", "sys", "backend", "store", "guard", "app"]),
    // Not the layers below app: the screens can't run a command or read a file.
    ("tui", &["core", "app", "tui"]),
    (
        "cli",
        &["core", "sys", "backend", "store", "guard", "app", "tui", "cli"],
    ),
    ("main", &["cli"]),
    ("lib", &[]),
];

/// What the core may not name: anything that is not the same everywhere and always.
const IMPURE: [&str; 8] = [
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "std::os",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::net::TcpStream",
];
/// The same, by their last name, however they came in.
const IMPURE_WORDS: [&str; 8] = [
    "HashMap",
    "HashSet",
    "Instant",
    "SystemTime",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "Command",
];

/// What is wrong with a file; its path is relative to `src/`.
pub fn complaints(file: &str, source: &str) -> Vec<String> {
    let module: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    let layer = module[0];
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
        return vec![format!(
            "src/{file}: {layer} is no layer; tests/layers says which there are"
        )];
    };
    let is_test_file = module.last() == Some(&"tests");
    let mut found = Vec::new();
    for named in paths(source) {
        let mut complain = |what: String| found.push(format!("src/{file}:{}: {what}", named.line));
        let spelled = named.segments.join("::");
        if let Some(target) = target(&named, &module)
            && !allowed.contains(&target)
        {
            complain(format!("{layer} may not use {target} ({spelled})"));
        }
        if is_test_file || named.is_test {
            continue;
        }
        if layer == "core" && is_impure(&named.segments, &spelled) {
            complain(format!("core is pure and may not use {spelled}"));
        }
        if !file.starts_with("sys/runner/") && starts_program(&spelled) {
            complain(format!("starts a program past sys/runner ({spelled})"));
        }
    }
    found
}

/// The layer a path leads to, if it leads to one.
fn target<'a>(named: &'a Named, module: &[&'a str]) -> Option<&'a str> {
    let layer_named = |name: Option<&'a String>| {
        let name = name?.as_str();
        LAYERS.iter().map(|(layer, _)| *layer).find(|layer| *layer == name)
    };
    match named.segments.first()?.as_str() {
        "crate" | "fwtui" => layer_named(named.segments.get(1)),
        "super" => {
            let ups = named.segments.iter().take_while(|segment| *segment == "super").count();
            // Less than all the way up stays in the layer.
            match ups.cmp(&(module.len() + named.depth)) {
                std::cmp::Ordering::Less => None,
                _ => layer_named(named.segments.get(ups)),
            }
        }
        _ => None,
    }
}

fn is_impure(segments: &[String], spelled: &str) -> bool {
    let begins = |with: &&str| *spelled == **with || spelled.starts_with(&format!("{with}::"));
    IMPURE.iter().any(begins) || segments.iter().any(|word| IMPURE_WORDS.contains(&word.as_str()))
}

fn starts_program(spelled: &str) -> bool {
    let is_path_of = |what: &str| spelled == what || spelled.ends_with(&format!("::{what}"));
    is_path_of("Command::new") || spelled.contains("process::Command")
}
