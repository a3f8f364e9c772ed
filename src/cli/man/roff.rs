//! Text as man(7) macros. In text, backquotes make bold: `` `fwtui list` ``.

use std::fmt::Write as _;

/// Source lines are no longer than this.
const WIDTH: usize = 76;

/// A page in the making.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// A page with its title line: name, section, date, program and version.
    pub(super) fn new(name: &str, section: u8, date: &str, source: &str, manual: &str) -> Self {
        Self(format!(
            "{COMMENT}.TH {name} {section} \"{date}\" \"{source}\" \"{manual}\"\n"
        ))
    }

    /// The source.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    pub(super) fn section(&mut self, title: &str) {
        self.line(&format!(".SH {title}"));
    }

    pub(super) fn subsection(&mut self, title: &str) {
        self.line(&format!(".SS \"{}\"", escaped(title)));
    }

    /// The same with marks.
    pub(super) fn subsection_marked(&mut self, title: &str) {
        self.line(&format!(".SS \"{}\"", marked(title)));
    }

    /// A paragraph.
    pub(super) fn paragraph(&mut self, text: &str) {
        if !self.is_after_heading() {
            self.line(".PP");
        }
        self.text(text);
    }

    /// Paragraphs, with an empty line between them.
    pub(super) fn paragraphs(&mut self, text: &str) {
        for paragraph in text.split("\n\n") {
            self.paragraph(&paragraph.replace('\n', " "));
        }
    }

    /// A term, and beside or below it what it is.
    pub(super) fn item(&mut self, term: &str, text: &str) {
        self.line(".TP");
        self.line(&marked(term));
        self.text(text);
    }

    /// Lines as they are, indented.
    pub(super) fn example(&mut self, lines: &str) {
        self.line(".PP\n.RS 4\n.nf");
        for line in lines.lines() {
            self.line(&guarded(&escaped(line)));
        }
        self.line(".fi\n.RE");
    }

    fn text(&mut self, text: &str) {
        let mut line = String::new();
        for word in text.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.flush(&mut line);
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            // Every sentence on a line of its own, as roff wants it, where no mark is open.
            if word.ends_with(['.', '?', '!']) && is_balanced(&line) {
                self.flush(&mut line);
            }
        }
        if !line.is_empty() {
            self.flush(&mut line);
        }
    }

    fn flush(&mut self, line: &mut String) {
        // A mark that spans lines is closed here and opened again on the next one.
        let open = !is_balanced(line);
        if open {
            line.push('`');
        }
        let source = guarded(&marked(line));
        self.line(&source);
        line.clear();
        if open {
            line.push('`');
        }
    }

    fn line(&mut self, line: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{line}");
    }

    fn is_after_heading(&self) -> bool {
        let last = self.0.lines().next_back().unwrap_or_default();
        last.starts_with(".SH") || last.starts_with(".SS")
    }
}

/// Says where the page comes from, in its first line.
const COMMENT: &str = ".\\\" Made by 'fwtui man'; 'make man' writes it anew.\n";

fn is_balanced(text: &str) -> bool {
    text.matches('`').count().is_multiple_of(2)
}

/// Text with bold where backquotes say so.
fn marked(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split('`').enumerate() {
        match index % 2 {
            0 => out.push_str(&escaped(part)),
            _ if part.is_empty() => {}
            _ => out.extend(["\\fB", &escaped(part), "\\fR"]),
        }
    }
    out
}

/// Characters that mean something to roff, or are changed on their way to paper.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '\'' => out.push_str("\\(aq"),
            '"' => out.push_str("\\(dq"),
            '^' => out.push_str("\\(ha"),
            '~' => out.push_str("\\(ti"),
            '\u{2191}' => out.push_str("up"),
            '\u{2193}' => out.push_str("down"),
            '\u{2190}' => out.push_str("left"),
            '\u{2192}' => out.push_str("right"),
            other => out.push(other),
        }
    }
    out
}

/// A line that can't be taken for a macro.
fn guarded(line: &str) -> String {
    match line.starts_with(['.', '\'']) {
        true => format!("\\&{line}"),
        false => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_to_roff_is_escaped() {
        assert_eq!(
            marked("`fwtui list --json` isn't\\"),
            "\\fBfwtui list \\-\\-json\\fR isn\\(aqt\\e"
        );
        assert_eq!(guarded(".TH"), "\\&.TH");
    }

    #[test]
    fn a_mark_may_span_lines() {
        let mut page = Page::default();
        page.text(&format!("`{}`", "word ".repeat(30).trim_end()));
        for line in page.into_text().lines() {
            assert!(line.starts_with("\\fB") && line.ends_with("\\fR"), "{line}");
        }
    }

    #[test]
    fn sentences_begin_on_lines_of_their_own() {
        let mut page = Page::default();
        page.text("One. Two: `a. b` three.");
        assert_eq!(page.into_text(), "One.\nTwo: \\fBa. b\\fR three.\n");
    }
}
