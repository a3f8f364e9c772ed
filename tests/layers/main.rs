//! The layers of `src/lib.rs`, held: every path in `src/` is read, and an arrow in the wrong
//! direction fails, as does a core that is not pure or a program started past the runner.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "test code"
)]

mod rules;
mod scan;

use std::fs;
use std::path::Path;

use rules::complaints;

/// All Rust files below a folder, with their paths relative to `src/`.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
            let name = path.strip_prefix(src).unwrap().to_str().unwrap().to_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn no_arrow_points_the_wrong_way() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 50, "only {} files were found", files.len());
    let found: Vec<String> = files
        .iter()
        .flat_map(|(file, source)| complaints(file, source))
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn planted_violations_are_found() {
    for (file, source, complaint) in [
        ("core/plan.rs", "use crate::sys::clock;", "core may not use sys"),
        ("core/plan.rs", "fn f() { crate::app::plan() }", "core may not use app"),
        (
            "core/policy/document.rs",
            "use super::super::super::sys::files;",
            "core may not use sys",
        ),
        (
            "core/plan.rs",
            "mod tests { use super::super::super::sys::files; }",
            "core may not use sys",
        ),
        (
            "backend/memory.rs",
            "use crate::{core::plan, store::{paths, state}};",
            "backend may not use store",
        ),
        (
            "store/state.rs",
            "use crate::backend::Backend;",
            "store may not use backend",
        ),
        ("sys/host.rs", "use crate::\n    store::paths;", "sys may not use store"),
        ("guard.rs", "use crate::app::Machine;", "guard may not use app"),
        ("app.rs", "use crate::tui;", "app may not use tui"),
        ("tui/model.rs", "use crate::sys::clock;", "tui may not use sys"),
        ("tui/model.rs", "use crate::guard;", "tui may not use guard"),
        (
            "tui/model.rs",
            "use crate::store::paths::Paths;",
            "tui may not use store",
        ),
        (
            "tui/model.rs",
            "use crate::backend::Backend;",
            "tui may not use backend",
        ),
        ("tui/model.rs", "use crate::cli::args;", "tui may not use cli"),
        ("main.rs", "use fwtui::app;", "main may not use app"),
        ("new.rs", "", "new is no layer"),
        ("core/plan.rs", "use std::fs;", "core is pure"),
        ("core/plan.rs", "use std::{fmt, env};", "core is pure"),
        ("core/plan.rs", "fn f() { std::process::abort() }", "core is pure"),
        ("core/plan.rs", "use std::time::{Duration, Instant};", "core is pure"),
        (
            "core/plan.rs",
            "let now = std::time::SystemTime::now();",
            "core is pure",
        ),
        ("core/plan.rs", "use std::collections::HashMap;", "core is pure"),
        ("core/plan.rs", "let set: HashSet<u8>;", "core is pure"),
        ("core/plan.rs", "use std::net::{IpAddr, TcpStream};", "core is pure"),
        ("sys/host.rs", "let it = Command::new(\"ip\");", "starts a program"),
        ("sys/host.rs", "use std::process::Command as Start;", "starts a program"),
        (
            "app/look.rs",
            "let it = std::process::Command::new(path);",
            "starts a program",
        ),
    ] {
        let found = complaints(file, source);
        assert!(
            found.iter().any(|text| text.contains(complaint)),
            "{file}: {source}: wanted '{complaint}', found {found:?}"
        );
    }
}

#[test]
fn what_is_allowed_is_not_complained_about() {
    for (file, source) in [
        (
            "core/plan.rs",
            "use crate::core::policy; use std::collections::BTreeMap; use std::time::Duration;",
        ),
        (
            "core/plan.rs",
            "// use crate::sys;\n/* crate::app /* crate::tui */ */ /// [`crate::sys`]\nfn f() {}",
        ),
        (
            "core/plan.rs",
            "const A: &str = \"crate::sys \\\" std::fs\"; const B: &str = r#\"crate::app\"#;",
        ),
        (
            "core/plan.rs",
            "fn f<'a>(c: char) -> bool { c == '\"' || c == '\\'' } // use crate::sys",
        ),
        ("core/plan.rs", "#[cfg(test)] mod tests { use std::fs; use super::*; }"),
        ("core/ruleset/tests.rs", "use std::collections::HashMap;"),
        ("sys/runner.rs", "use crate::core::text;"),
        ("sys/runner/system.rs", "let it = Command::new(path);"),
        ("sys/owners/tests.rs", "let it = Command::new(\"sleep\");"),
        (
            "guard.rs",
            "use crate::{backend::Backend, core::trial, store, sys::clock};",
        ),
        (
            "tui/model.rs",
            "use crate::app::Observation; use super::super::tui::msg;",
        ),
        (
            "cli/sandbox.rs",
            "use crate::sys::runner::SystemRunner; pub(in crate::cli) fn f() {}",
        ),
        ("main.rs", "fn main() -> ExitCode { fwtui::cli::main() }"),
        ("lib.rs", "pub mod app;"),
    ] {
        let found = complaints(file, source);
        assert!(found.is_empty(), "{file}: {source}: {found:?}");
    }
}
