//! The commands of a script in their order, with loops, branches and functions.

use super::super::Note;
use super::lexer::{Document, Lexed, Piece, RawWord, Token};

/// A script.
#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    pub(super) nodes: Vec<Node>,
    pub(super) documents: Vec<Document>,
    pub(super) notes: Vec<Note>,
}

/// One step.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Simple(Simple),
    /// `a | b`
    Pipe(Vec<Self>),
    For {
        name: String,
        /// What is gone through; none is the script's own arguments.
        words: Option<Vec<RawWord>>,
        body: Vec<Self>,
        line: usize,
    },
    /// `if` and `case`: the conditions, then one of the branches.
    Branches {
        conditions: Vec<Self>,
        branches: Vec<Vec<Self>>,
        line: usize,
    },
    /// `while` and `until`.
    Loop {
        condition: Vec<Self>,
        body: Vec<Self>,
        line: usize,
    },
    Group(Vec<Self>),
    Function {
        name: String,
        body: Vec<Self>,
        line: usize,
    },
}

/// A command with its words.
#[derive(Debug, Clone, Default)]
pub(super) struct Simple {
    pub(super) line: usize,
    pub(super) words: Vec<RawWord>,
    /// `>` and the like with the files.
    pub(super) redirects: Vec<(&'static str, RawWord)>,
    /// The text on its standard input.
    pub(super) document: Option<usize>,
    /// Whether it is only run under a condition.
    pub(super) is_conditional: bool,
}

/// So deep commands may stand in each other.
const DEEPEST: usize = 64;

/// Puts tokens together. What is not closed ends with the script.
pub(super) fn parse(lexed: Lexed) -> Script {
    let mut parser = Parser {
        tokens: lexed.tokens,
        at: 0,
        depth: 0,
        conditional: 0,
        notes: Vec::new(),
    };
    if let Some(line) = lexed.unclosed {
        let text = "a quote is never closed; what follows may be read wrongly.".to_owned();
        parser.notes.push((Some(line), text));
    }
    let mut nodes = Vec::new();
    while parser.peek().is_some() {
        nodes.append(&mut parser.list(&[]));
        // A word that closes nothing.
        parser.at += 1;
    }
    Script {
        nodes,
        documents: lexed.documents,
        notes: parser.notes,
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    depth: usize,
    conditional: usize,
    notes: Vec<Note>,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn line(&self) -> usize {
        self.tokens
            .get(self.at)
            .or_else(|| self.tokens.last())
            .map_or(1, |(line, _)| *line)
    }

    /// The word here, where it is one without quotes and variables.
    fn keyword(&self) -> Option<&str> {
        match self.peek()? {
            Token::Word(word) => plain(word),
            Token::Operator(operator) => Some(operator),
            Token::Redirect(_) | Token::Document(_) => None,
        }
    }

    fn takes(&mut self, keyword: &str) -> bool {
        let does = self.keyword() == Some(keyword);
        self.at += usize::from(does);
        does
    }

    fn skip_breaks(&mut self) {
        while self.takes("\n") || self.takes(";") || self.takes("&") {}
    }

    /// Commands up to one of these words, which is left.
    fn list(&mut self, ends: &[&str]) -> Vec<Node> {
        let mut nodes = Vec::new();
        if self.depth >= DEEPEST {
            let text = "commands stand too deeply in each other here; what follows is not read.".to_owned();
            self.notes.push((Some(self.line()), text));
            self.at = self.tokens.len();
            return nodes;
        }
        self.depth += 1;
        loop {
            self.skip_breaks();
            match self.keyword() {
                None if self.peek().is_none() => break,
                Some(word) if ends.contains(&word) || is_closing(word) => break,
                _ => {}
            }
            let before = self.at;
            nodes.push(self.pipeline());
            let conditional = self.conditional;
            while self.takes("&&") || self.takes("||") {
                while self.takes("\n") {}
                self.conditional = conditional + 1;
                nodes.push(self.pipeline());
            }
            self.conditional = conditional;
            if self.at == before {
                self.at += 1;
            }
        }
        self.depth -= 1;
        nodes
    }

    fn pipeline(&mut self) -> Node {
        while self.takes("!") {}
        let first = self.command();
        let mut all = vec![first];
        while self.takes("|") {
            while self.takes("\n") {}
            all.push(self.command());
        }
        match all.pop() {
            Some(only) if all.is_empty() => only,
            last => {
                all.extend(last);
                Node::Pipe(all)
            }
        }
    }

    fn command(&mut self) -> Node {
        let line = self.line();
        let node = match self.keyword().unwrap_or_default() {
            "if" => self.branches_of_if(line),
            "case" => self.branches_of_case(line),
            "for" | "select" => self.for_loop(line),
            "while" | "until" => {
                self.at += 1;
                let condition = self.list(&["do"]);
                let body = self.body();
                Node::Loop { condition, body, line }
            }
            "{" => {
                self.at += 1;
                let body = self.list(&["}"]);
                self.takes("}");
                Node::Group(body)
            }
            "(" => {
                self.at += 1;
                let body = self.list(&[")"]);
                self.takes(")");
                Node::Group(body)
            }
            "[[" => {
                while self.peek().is_some() && !self.takes("]]") && self.keyword() != Some("\n") {
                    self.at += 1;
                }
                Node::Group(Vec::new())
            }
            "function" => {
                self.at += 1;
                let name = self.keyword().unwrap_or_default().to_owned();
                self.at += 1;
                self.takes("(");
                self.takes(")");
                self.function(name, line)
            }
            _ => return self.simple(line),
        };
        // Files of a whole loop tell nothing about rules.
        while let Some(token) = self.peek() {
            match token {
                Token::Redirect(_) => self.at += 2,
                Token::Document(_) => self.at += 1,
                Token::Word(_) | Token::Operator(_) => break,
            }
        }
        node
    }

    fn function(&mut self, name: String, line: usize) -> Node {
        while self.takes("\n") {}
        let body = vec![self.nested()];
        Node::Function { name, body, line }
    }

    /// A command that stands in another without a list around it.
    fn nested(&mut self) -> Node {
        if self.depth >= DEEPEST {
            return Node::Group(self.list(&[]));
        }
        self.depth += 1;
        let node = self.command();
        self.depth -= 1;
        node
    }

    /// `do ... done`
    fn body(&mut self) -> Vec<Node> {
        self.skip_breaks();
        self.takes("do");
        self.conditional += 1;
        let body = self.list(&["done"]);
        self.conditional -= 1;
        self.takes("done");
        body
    }

    fn for_loop(&mut self, line: usize) -> Node {
        self.at += 1;
        let name = self.keyword().unwrap_or_default().to_owned();
        self.at += 1;
        while self.takes("\n") {}
        let words = self.takes("in").then(|| {
            let mut words = Vec::new();
            while let Some(Token::Word(word)) = self.peek() {
                words.push(word.clone());
                self.at += 1;
            }
            words
        });
        if name == "(" {
            // `for ((i=0; i<5; i++))`
            while self.peek().is_some() && self.keyword() != Some("do") {
                self.at += 1;
            }
        }
        let body = self.body();
        Node::For {
            name,
            words,
            body,
            line,
        }
    }

    fn branches_of_if(&mut self, line: usize) -> Node {
        let (mut conditions, mut branches) = (Vec::new(), Vec::new());
        while self.takes("if") || self.takes("elif") {
            conditions.append(&mut self.list(&["then"]));
            self.takes("then");
            branches.push(self.branch(&["elif", "else", "fi"]));
        }
        if self.takes("else") {
            branches.push(self.branch(&["fi"]));
        }
        self.takes("fi");
        Node::Branches {
            conditions,
            branches,
            line,
        }
    }

    fn branch(&mut self, ends: &[&str]) -> Vec<Node> {
        self.conditional += 1;
        let nodes = self.list(ends);
        self.conditional -= 1;
        nodes
    }

    fn branches_of_case(&mut self, line: usize) -> Node {
        self.at += 1;
        while self.peek().is_some() && !self.takes("in") {
            self.at += 1;
        }
        let mut branches = Vec::new();
        loop {
            self.skip_breaks();
            while self.takes(";;") || self.takes("\n") {}
            if self.peek().is_none() || self.takes("esac") {
                break;
            }
            // The pattern.
            self.takes("(");
            while self.peek().is_some() && !self.takes(")") {
                self.at += 1;
            }
            branches.push(self.branch(&[";;", "esac"]));
            if !matches!(self.keyword(), Some(";;" | "esac")) {
                self.at += 1;
            }
        }
        Node::Branches {
            conditions: Vec::new(),
            branches,
            line,
        }
    }

    fn simple(&mut self, line: usize) -> Node {
        let mut simple = Simple {
            line,
            is_conditional: self.conditional > 0,
            ..Simple::default()
        };
        while let Some(token) = self.peek().cloned() {
            match token {
                Token::Word(word) => {
                    self.at += 1;
                    simple.words.push(word);
                }
                Token::Document(number) => {
                    self.at += 1;
                    simple.document = Some(number);
                }
                Token::Redirect(operator) => {
                    self.at += 1;
                    if let Some(Token::Word(word)) = self.peek().cloned() {
                        self.at += 1;
                        simple.redirects.push((operator, word));
                    }
                }
                Token::Operator("(") => match simple.words.as_slice() {
                    [name] if self.is_function() => {
                        let name = plain(name).unwrap_or_default().to_owned();
                        self.at += 2;
                        return self.function(name, line);
                    }
                    _ => self.list_in_word(&mut simple),
                },
                Token::Operator(_) => break,
            }
        }
        Node::Simple(simple)
    }

    fn is_function(&self) -> bool {
        matches!(self.tokens.get(self.at + 1), Some((_, Token::Operator(")"))))
    }

    /// `NAME=(a b c)`: a word of its own, the list with spaces between.
    fn list_in_word(&mut self, simple: &mut Simple) {
        self.at += 1;
        let mut held: RawWord = simple.words.pop().unwrap_or_default();
        let mut is_first = true;
        while let Some(token) = self.peek().cloned() {
            self.at += 1;
            match token {
                Token::Word(word) => {
                    if !std::mem::take(&mut is_first) {
                        held.push(Piece::Text {
                            text: " ".to_owned(),
                            is_quoted: true,
                        });
                    }
                    held.extend(word);
                }
                Token::Operator(")") => break,
                Token::Operator(_) | Token::Redirect(_) | Token::Document(_) => {}
            }
        }
        simple.words.push(held);
    }
}

/// A word that stands as it is.
fn plain(word: &RawWord) -> Option<&str> {
    match word.as_slice() {
        [Piece::Text { text, is_quoted: false }] => Some(text),
        _ => None,
    }
}

fn is_closing(word: &str) -> bool {
    matches!(
        word,
        "then" | "elif" | "else" | "fi" | "do" | "done" | "esac" | "}" | ")" | ";;"
    )
}
