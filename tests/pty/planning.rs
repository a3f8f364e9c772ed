//! What another class would change, searching, and a file of what is shown.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::lab::in_sandbox;

#[test]
fn a_plan_is_searched_and_written_to_a_file() {
    in_sandbox(|lab| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.txt");
        let typed = format!("\u{15}{}\r", path.display());
        let mut terminal = lab.open((80, 24));
        terminal.sees(&["off: nothing is refused", "sshd"]);
        terminal.answers("t", &["trusted. Waits for an apply."]);
        terminal.answers(
            "2",
            &["If it were trusted, after applying its neighbours would also reach sshd"],
        );
        terminal.answers("\r", &["IF GUESTS", "close"]);
        // Until it is closed, the next key would come with the escape, as one with Alt.
        terminal.types("\u{1b}");
        terminal.loses("IF GUESTS");
        terminal.answers("p", &["Applying adds"]);
        terminal.answers("/sshd", &["1 of "]);
        terminal.answers("\r", &["Search: sshd (1 of "]);
        terminal.answers("\u{1b}", &["search"]);
        terminal.loses("Search:");
        terminal.answers("w", &["./fwtui-preview-"]);
        terminal.answers(&typed, &["Written to", "plan.txt"]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("sshd 22/tcp, now everyone") && text.contains("Rules (diff)"),
            "{text}"
        );
        // Once more in another view: it asks, and replaces.
        terminal.answers("v", &["[full]"]);
        terminal.answers("w", &["./fwtui-preview-"]);
        terminal.answers(&typed, &["is there already"]);
        terminal.answers("y", &["Written to"]);
        assert!(fs::read_to_string(&path).unwrap().contains("Rules (full)"));
        terminal.types("q");
        terminal.ends_well(0);
    });
}
