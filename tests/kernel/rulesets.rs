//! The rulesets of other tools load again, and hold what their files say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::in_sandbox;

/// Empties the tables that stay in `x_tables` for good.
const NOTHING: &str = "*filter\\nCOMMIT\\n*nat\\nCOMMIT\\n*mangle\\nCOMMIT\\n*raw\\nCOMMIT\\n";

fn run(program: &str, args: &[&str], input: Option<&Path>) -> String {
    let stdin = input.map_or_else(Stdio::null, |path| fs::File::open(path).unwrap().into());
    let output = Command::new(program).args(args).stdin(stdin).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {args:?} < {input:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The rules of a save, sorted: what is the same whatever came first.
fn rules(save: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = save.lines().filter(|line| line.starts_with("-A ")).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn they_load_again() {
    in_sandbox(|_| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rulesets");
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let fixtures: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
        assert!(fixtures.len() > 20, "{fixtures:?}");
        for fixture in fixtures {
            let name = fixture.file_name().unwrap().to_str().unwrap();
            let variant = if name.ends_with("-legacy") { "legacy" } else { "nft" };
            // Each begins with nothing.
            run("nft", &["flush", "ruleset"], None);
            if variant == "legacy" {
                for stem in ["iptables", "ip6tables"] {
                    run(
                        "sh",
                        &["-c", &format!("printf '{NOTHING}' | {stem}-legacy-restore")],
                        None,
                    );
                }
            }
            if fixture.join("ipset").exists() {
                run("ipset", &["restore"], Some(&fixture.join("ipset")));
            }
            for (stem, file) in [("iptables", "rules.v4"), ("ip6tables", "rules.v6")] {
                let saved = fixture.join(file);
                run(&format!("{stem}-{variant}-restore"), &[], Some(&saved));
                let now = run(&format!("{stem}-{variant}-save"), &[], None);
                assert_eq!(
                    rules(&now),
                    rules(&fs::read_to_string(&saved).unwrap()),
                    "{name} {file}"
                );
            }
            let native = fixture.join("load.nft");
            if native.exists() {
                run("nft", &["-f", native.to_str().unwrap()], None);
            }
        }
    });
}
