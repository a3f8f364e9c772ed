//! The way through a script.

use std::collections::{BTreeMap, BTreeSet};

use super::super::held::Held;
use super::super::{Note, Sysctl};
use super::expand::{Variables, is_argument, is_unknown};
use super::lexer::{Document, Piece, RawWord};
use super::load::{Loaded, family};
use super::parser::{Node, Script, Simple};

/// So much is done at most: commands, and rules that are put aside for a branch.
const MOST_STEPS: usize = 200_000;
/// So much text, and so many words, count as one step more.
const CHEAP_BYTES: usize = 256;
const CHEAP_WORDS: usize = 64;
/// Functions may call each other so deep.
const DEEPEST: usize = 16;

/// Goes through a script; the sysctls it sets.
pub(super) fn run(file: &str, script: &Script, held: &mut Held, notes: &mut Vec<Note>) -> Vec<Sysctl> {
    let mut runner = Runner {
        file,
        documents: &script.documents,
        variables: Variables::default(),
        functions: BTreeMap::new(),
        called: BTreeSet::new(),
        callers: Vec::new(),
        loaded: Loaded::default(),
        notes: Vec::new(),
        conditions: BTreeSet::new(),
        steps: 0,
        is_over: false,
    };
    runner.nodes(&script.nodes);
    runner.uncalled();
    notes.append(&mut runner.notes);
    if !runner.conditions.is_empty() {
        let lines: Vec<String> = runner.conditions.iter().take(20).map(ToString::to_string).collect();
        notes.push((
            None,
            format!(
                "Conditions are not evaluated: what stands in them is read as if it were run, and of several branches the \
one with the most rules (lines {}).",
                lines.join(", ")
            ),
        ));
    }
    *held = runner.loaded.held;
    runner.loaded.sysctls
}

struct Runner<'a> {
    file: &'a str,
    documents: &'a [Document],
    variables: Variables,
    functions: BTreeMap<&'a str, (usize, &'a [Node])>,
    called: BTreeSet<&'a str>,
    /// The lines of the calls that it is in.
    callers: Vec<usize>,
    loaded: Loaded,
    notes: Vec<Note>,
    /// The lines of conditions with rules in them.
    conditions: BTreeSet<usize>,
    steps: usize,
    is_over: bool,
}

impl<'a> Runner<'a> {
    fn note(&mut self, line: usize, text: impl Into<String>) {
        self.notes.push((Some(line), text.into()));
    }

    fn step(&mut self, cost: usize, line: usize) {
        let was_within = self.steps <= MOST_STEPS;
        self.steps = self.steps.saturating_add(cost);
        if was_within && self.steps > MOST_STEPS {
            self.note(
                line,
                "the script does more than is followed up; what comes after this is not read.",
            );
            self.is_over = true;
        }
    }

    fn nodes(&mut self, nodes: &'a [Node]) {
        for node in nodes {
            if self.is_over {
                return;
            }
            self.node(node);
        }
    }

    fn node(&mut self, node: &'a Node) {
        match node {
            Node::Simple(simple) => self.simple(simple, None),
            Node::Group(nodes) => self.nodes(nodes),
            Node::Function { name, body, line } => {
                self.functions.insert(name, (*line, body));
            }
            Node::Pipe(nodes) => self.pipe(nodes),
            Node::For {
                name,
                words,
                body,
                line,
            } => self.for_loop(name, words.as_deref(), body, *line),
            Node::Loop { condition, body, line } => {
                self.nodes(condition);
                self.forget_read(condition);
                self.under_condition(body, *line);
            }
            Node::Branches {
                conditions,
                branches,
                line,
            } => {
                self.nodes(conditions);
                self.branches(branches, *line);
            }
        }
    }

    fn under_condition(&mut self, nodes: &'a [Node], line: usize) {
        let before = self.loaded.weight();
        self.nodes(nodes);
        if self.loaded.weight() != before {
            self.conditions.insert(line);
        }
    }

    /// The branch that leaves the most rules behind.
    fn branches(&mut self, branches: &'a [Vec<Node>], line: usize) {
        if let [only] = branches {
            return self.one_branch(only, line);
        }
        let before = (self.loaded.clone(), self.variables.clone());
        let weight = before.0.weight();
        let mut best: Option<(Loaded, Variables)> = None;
        for branch in branches {
            self.step(weight / 16 + 1, line);
            if self.is_over {
                break;
            }
            (self.loaded, self.variables) = before.clone();
            self.nodes(branch);
            let is_better = best
                .as_ref()
                .is_none_or(|(best, _)| self.loaded.weight() > best.weight());
            if is_better {
                best = Some((self.loaded.clone(), self.variables.clone()));
            }
        }
        (self.loaded, self.variables) = best.unwrap_or(before);
        if self.loaded.weight() != weight {
            self.conditions.insert(line);
        }
    }

    /// `if` without `else`. Where it takes more away than it brings (`if stop; then flush; exit; fi`) the
    /// script goes on without it.
    fn one_branch(&mut self, branch: &'a [Node], line: usize) {
        if !branch.iter().any(|node| self.may_take_away(node)) {
            return self.under_condition(branch, line);
        }
        let before = (self.loaded.clone(), self.variables.clone());
        let weight = before.0.weight();
        self.step(weight / 16 + 1, line);
        self.under_condition(branch, line);
        if self.loaded.weight() < weight {
            (self.loaded, self.variables) = before;
        }
    }

    /// Whether a command may leave fewer rules behind; of anything but a plain one that is not asked.
    fn may_take_away(&self, node: &Node) -> bool {
        let Node::Simple(simple) = node else { return true };
        simple.words.iter().any(|word| match word.as_slice() {
            [Piece::Text { text, .. }] => {
                matches!(
                    text.as_str(),
                    "-F" | "--flush" | "-D" | "--delete" | "-X" | "--delete-chain" | "-P" | "--policy"
                ) || text.ends_with("-restore")
                    || self.functions.contains_key(text.as_str())
            }
            _ => false,
        })
    }

    fn for_loop(&mut self, name: &str, words: Option<&'a [RawWord]>, body: &'a [Node], line: usize) {
        let values = match words {
            Some(words) => self.variables.fields(words),
            None => self.variables.arguments.last().cloned().unwrap_or_default(),
        };
        // `{22,80}` is several words for bash and one for sh.
        let is_open = |value: &String| is_unknown(value) || value.contains('{');
        if values.is_empty() || values.iter().any(is_open) {
            self.variables.forget(name);
            let before = self.loaded.weight();
            self.nodes(body);
            if self.loaded.weight() != before {
                self.note(line, "what this loop goes through can't be known; it is read once.");
            }
            return;
        }
        for value in values {
            self.step(1, line);
            if self.is_over {
                return;
            }
            self.variables.set(name, value);
            self.nodes(body);
        }
    }

    /// `while read NAME`: it comes from outside.
    fn forget_read(&mut self, condition: &[Node]) {
        for node in condition {
            let Node::Simple(simple) = node else {
                continue;
            };
            let fields = self.variables.fields(&simple.words);
            if let Some(at) = fields.iter().position(|field| field == "read") {
                for name in fields.iter().skip(at + 1) {
                    self.variables.forget(name);
                }
            }
        }
    }

    /// Of a pipe the last command counts, with what the first gives it.
    fn pipe(&mut self, nodes: &'a [Node]) {
        let first = nodes.first().and_then(|node| {
            let Node::Simple(simple) = node else {
                return None;
            };
            Some(simple)
        });
        let Some((Node::Simple(last), before)) = nodes.split_last() else {
            return self.nodes(nodes);
        };
        self.nodes(before);
        let text = first.and_then(|first| self.output(first));
        self.simple(last, text.as_deref());
    }

    /// What `cat` and `echo` print.
    fn output(&self, simple: &Simple) -> Option<Vec<(usize, String)>> {
        let fields = self.variables.fields(&simple.words);
        match fields.first().map(String::as_str) {
            Some("cat") => self.document(simple),
            Some("echo" | "printf") => Some(vec![(simple.line, said(&fields))]),
            _ => None,
        }
    }

    /// The text on a command's standard input.
    fn document(&self, simple: &Simple) -> Option<Vec<(usize, String)>> {
        let document = self.documents.get(simple.document?)?;
        let line = |(number, line): &(usize, String)| match document.is_literal {
            true => (*number, line.clone()),
            false => (*number, self.variables.line(line)),
        };
        Some(document.lines.iter().map(line).collect())
    }

    fn simple(&mut self, simple: &'a Simple, input: Option<&[(usize, String)]>) {
        self.step(1, simple.line);
        if self.is_over {
            return;
        }
        let assigned = simple
            .words
            .iter()
            .take_while(|word| assignment(word).is_some())
            .count();
        let (assignments, words) = simple.words.split_at(assigned);
        for word in assignments {
            self.assign(word);
        }
        let fields = self.variables.fields(words);
        // A few lines can stand for a great deal of text.
        let bytes: usize = fields.iter().map(String::len).sum();
        self.step(bytes / CHEAP_BYTES + fields.len() / CHEAP_WORDS, simple.line);
        if self.is_over {
            return;
        }
        let fields = program(&fields);
        let Some((name, rest)) = fields.split_first() else {
            return;
        };
        // What comes from the caller is found in his line.
        let caller = self.callers.last().filter(|_| words.iter().any(is_argument));
        let line = caller.copied().unwrap_or(simple.line);
        if let Some((known, (_, body))) = self.functions.get_key_value(name.as_str()) {
            let (known, body) = (*known, *body);
            if self.variables.arguments.len() < DEEPEST {
                self.called.insert(known);
                self.variables.arguments.push(rest.to_vec());
                self.callers.push(line);
                self.nodes(body);
                self.callers.pop();
                self.variables.arguments.pop();
            }
            return;
        }
        if let Some(family) = family(name) {
            if name.ends_with("-restore") {
                self.step(self.loaded.weight() / 16 + 1, line);
                let own = self.document(simple);
                return self
                    .loaded
                    .restore(family, rest, own.as_deref().or(input), line, &mut self.notes);
            }
            self.step(self.loaded.cost(rest), line);
            return self.loaded.iptables(family, rest, line, &mut self.notes);
        }
        match name.rsplit('/').next().unwrap_or(name) {
            "sysctl" => self.loaded.sysctl(self.file, rest, line, &mut self.notes),
            "echo" | "printf" => {
                for (operator, target) in &simple.redirects {
                    if matches!(*operator, ">" | ">>" | ">|") {
                        let path = self.variables.whole(target);
                        self.loaded
                            .write(self.file, &path, &said(fields), line, &mut self.notes);
                    }
                }
            }
            "tee" => {
                let value = input
                    .and_then(|lines| lines.first())
                    .map_or("", |(_, text)| text.as_str());
                for path in rest {
                    self.loaded.write(self.file, path, value, line, &mut self.notes);
                }
            }
            "export" | "local" | "readonly" | "declare" | "typeset" => {
                for word in words.iter().filter(|word| assignment(word).is_some()) {
                    self.assign(word);
                }
            }
            "unset" | "read" => rest.iter().for_each(|name| self.variables.forget(name)),
            "exit" if !simple.is_conditional && self.variables.arguments.is_empty() => self.is_over = true,
            other => self.other(other, rest, line),
        }
    }

    /// Programs that may load rules in ways that are not read.
    fn other(&mut self, name: &str, rest: &[String], line: usize) {
        let is_rule = |word: &String| matches!(word.as_str(), "-A" | "-I" | "-P" | "-F" | "-N" | "-X" | "-D" | "-t");
        let text = match name {
            "nft" if !rest.iter().any(|word| word == "list") => "rules of nft are not read.",
            "ipset" => "sets of ipset are not read; rules that ask one count as unknown.",
            "ufw" | "firewall-cmd" | "ebtables" | "arptables" | "ferm" | "shorewall" => {
                return self.note(line, format!("what {name} does is not read."));
            }
            "." | "source" => {
                let file = rest.first().map_or("a file", String::as_str);
                return self.note(line, format!("{file} is not read; what it sets is not known."));
            }
            "eval" => "what eval runs is not read.",
            "ip" if rest.iter().any(|word| word == "netns") && rest.iter().any(is_rule) => {
                "this is for another network namespace, and left out."
            }
            _ if is_unknown(name) && rest.iter().any(is_rule) => {
                return self.note(
                    line,
                    format!("which program this is can't be known, and it is left out: {name}."),
                );
            }
            _ => return,
        };
        self.note(line, text);
    }

    fn assign(&mut self, word: &RawWord) {
        let Some((name, first, adds)) = assignment(word) else {
            return;
        };
        let rest: RawWord = word.iter().skip(1).cloned().collect();
        let value = first + &self.variables.whole(&rest);
        match adds {
            true => self.variables.append(&name, &value),
            false => self.variables.set(&name, value),
        }
    }

    /// Functions that nobody called: where there is nothing else, they are all there is.
    fn uncalled(&mut self) {
        let uncalled: Vec<(&str, usize, &[Node])> = self
            .functions
            .iter()
            .filter(|(name, _)| !self.called.contains(*name))
            .map(|(name, (line, body))| (*name, *line, *body))
            .collect();
        let is_all = self.loaded.weight() == 0;
        for (name, line, body) in uncalled {
            self.step(self.loaded.weight() / 16 + 1, line);
            if self.steps > MOST_STEPS {
                return;
            }
            let mut other = self.loaded.clone();
            std::mem::swap(&mut other, &mut self.loaded);
            self.is_over = self.steps > MOST_STEPS;
            self.variables.arguments.push(Vec::new());
            let notes = self.notes.len();
            self.nodes(body);
            self.variables.arguments.pop();
            let does = self.loaded.weight() != other.weight();
            match (does, is_all) {
                (true, true) => self.note(
                    line,
                    format!("function {name} is called nowhere here; it is read where it stands."),
                ),
                (true, false) => {
                    self.loaded = other;
                    self.notes.truncate(notes);
                    self.note(line, format!("function {name} is called nowhere here, and left out."));
                }
                (false, _) => self.loaded = other,
            }
        }
    }
}

/// The words of a program without what only says how it is run.
fn program(fields: &[String]) -> &[String] {
    let mut rest = fields;
    while let Some((first, after)) = rest.split_first() {
        match first.rsplit('/').next().unwrap_or(first) {
            "sudo" | "doas" | "nice" | "env" | "busybox" | "exec" | "command" | "builtin" | "nohup" | "time"
            | "then" => {
                let is_option = |word: &String| word.starts_with('-') || word.contains('=');
                let options = after.iter().take_while(|word| is_option(word)).count();
                rest = after.get(options..).unwrap_or_default();
            }
            _ => break,
        }
    }
    rest
}

/// What echo and printf say, without their options.
fn said(fields: &[String]) -> String {
    let words = fields
        .iter()
        .skip(1)
        .skip_while(|word| matches!(word.as_str(), "-n" | "-e" | "-ne" | "%s" | "%s\\n"));
    words.cloned().collect::<Vec<_>>().join(" ")
}

/// `NAME=value` or `NAME+=value`: the name, how the value begins, whether it is added.
fn assignment(word: &RawWord) -> Option<(String, String, bool)> {
    let Some(Piece::Text { text, is_quoted: false }) = word.first() else {
        return None;
    };
    let (name, value) = text.split_once('=')?;
    let (name, adds) = name.strip_suffix('+').map_or((name, false), |name| (name, true));
    let mut letters = name.chars();
    let is_name = letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    is_name.then(|| (name.to_owned(), value.to_owned(), adds))
}
