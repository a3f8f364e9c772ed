//! Words and operators of a shell script.

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// As it stands.
    Text { text: String, is_quoted: bool },
    /// `$NAME`, `${NAME:-default}`
    Variable {
        name: String,
        default: Option<String>,
        raw: String,
        is_quoted: bool,
    },
    /// What a command prints or a calculation gives: `$(which iptables)`.
    Output { command: String, raw: String },
}

/// A word before its variables are put in.
pub(super) type RawWord = Vec<Piece>;

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Word(RawWord),
    /// `;`, `&&`, `(` and the like; a line break is `\n`.
    Operator(&'static str),
    /// `>`, `<` and the like: the word behind it is a file.
    Redirect(&'static str),
    /// A text that stands behind the line, by its number.
    Document(usize),
}

/// A text for the standard input of a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Document {
    /// Its lines with their numbers.
    pub(super) lines: Vec<(usize, String)>,
    /// Whether variables stay as they are.
    pub(super) is_literal: bool,
}

/// What a script consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lexed {
    /// The tokens with their lines.
    pub(super) tokens: Vec<(usize, Token)>,
    /// The texts.
    pub(super) documents: Vec<Document>,
    /// The line of a quote that is never closed.
    pub(super) unclosed: Option<usize>,
}

const OPERATORS: [&str; 9] = [";;", "&&", "||", ";", "&", "|", "(", ")", "\n"];
const REDIRECTS: [&str; 9] = ["<<<", "&>>", ">>", ">&", "<&", "&>", ">|", ">", "<"];

/// Splits a script.
pub(super) fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer {
        characters: text.chars().filter(|character| *character != '\r').collect(),
        at: 0,
        line: 1,
        lexed: Lexed::default(),
        awaited: Vec::new(),
    };
    while lexer.step() {}
    lexer.documents();
    lexer.lexed
}

/// The pieces of a text as between double quotes.
pub(super) fn quoted(text: &str) -> RawWord {
    let mut lexer = Lexer {
        characters: text.chars().collect(),
        at: 0,
        line: 1,
        lexed: Lexed::default(),
        awaited: Vec::new(),
    };
    let mut pieces = Vec::new();
    while lexer.peek().is_some() {
        lexer.within_quotes(&mut pieces);
    }
    pieces
}

struct Lexer {
    characters: Vec<char>,
    at: usize,
    line: usize,
    lexed: Lexed,
    /// Texts whose word was read: number, closing line, whether tabs in front are taken off.
    awaited: Vec<(usize, String, bool)>,
}

impl Lexer {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += 1;
        self.line += usize::from(next == '\n');
        Some(next)
    }

    fn looks_at(&self, text: &str) -> bool {
        let ahead = self.characters.get(self.at..).unwrap_or_default();
        let mut ahead = ahead.iter();
        text.chars().all(|wanted| ahead.next() == Some(&wanted))
    }

    fn takes(&mut self, text: &str) -> bool {
        let does = self.looks_at(text);
        if does {
            for _ in text.chars() {
                self.next();
            }
        }
        does
    }

    fn push(&mut self, line: usize, token: Token) {
        self.lexed.tokens.push((line, token));
    }

    /// One token; false at the end.
    fn step(&mut self) -> bool {
        while self.takes(" ") || self.takes("\t") || self.takes("\\\n") {}
        let Some(first) = self.peek() else {
            return false;
        };
        let line = self.line;
        if first == '#' {
            while self.peek().is_some_and(|next| next != '\n') {
                self.next();
            }
            return true;
        }
        if self.looks_at("<<") && !self.looks_at("<<<") {
            self.document();
            return true;
        }
        if let Some(operator) = REDIRECTS.into_iter().find(|operator| self.takes(operator)) {
            self.push(line, Token::Redirect(operator));
            return true;
        }
        if let Some(operator) = OPERATORS.into_iter().find(|operator| self.takes(operator)) {
            self.push(line, Token::Operator(operator));
            if operator == "\n" {
                self.documents();
            }
            return true;
        }
        let word = self.word();
        // `2>`: the number is a file's, and no word.
        let is_number = |text: &str| !text.is_empty() && text.chars().all(|digit| digit.is_ascii_digit());
        let is_file = matches!(word.as_slice(), [Piece::Text { text, is_quoted: false }] if is_number(text));
        if is_file && matches!(self.peek(), Some('<' | '>')) {
            if let Some(operator) = REDIRECTS.into_iter().find(|operator| self.takes(operator)) {
                // What goes to standard error tells nothing.
                let operator = if operator.starts_with('<') { "<" } else { "2>" };
                self.push(line, Token::Redirect(operator));
            }
            return true;
        }
        self.push(line, Token::Word(word));
        true
    }

    /// `<<EOF`: its text comes behind the line.
    fn document(&mut self) {
        let line = self.line;
        let is_stripped = self.takes("<<-") || !self.takes("<<");
        while self.takes(" ") {}
        let word = self.word();
        let mut end = String::new();
        let mut is_literal = false;
        for piece in word {
            match piece {
                Piece::Text { text, is_quoted } => {
                    end.push_str(&text);
                    is_literal |= is_quoted;
                }
                Piece::Variable { raw, .. } | Piece::Output { raw, .. } => end.push_str(&raw),
            }
        }
        let number = self.lexed.documents.len();
        self.lexed.documents.push(Document {
            lines: Vec::new(),
            is_literal,
        });
        self.awaited.push((number, end, is_stripped));
        self.push(line, Token::Document(number));
    }

    /// Reads the texts that begin here.
    fn documents(&mut self) {
        for (number, end, is_stripped) in std::mem::take(&mut self.awaited) {
            let mut lines = Vec::new();
            while self.peek().is_some() {
                let at = self.line;
                let mut line = String::new();
                while let Some(character) = self.next().filter(|character| *character != '\n') {
                    line.push(character);
                }
                let shown = if is_stripped {
                    line.trim_start_matches('\t')
                } else {
                    &line
                };
                if shown == end {
                    break;
                }
                lines.push((at, shown.to_owned()));
            }
            if let Some(document) = self.lexed.documents.get_mut(number) {
                document.lines = lines;
            }
        }
    }

    /// A word, up to what ends it.
    fn word(&mut self) -> RawWord {
        let mut pieces = Vec::new();
        while let Some(next) = self.peek() {
            match next {
                ' ' | '\t' | '\n' | ';' | '&' | '|' | '(' | ')' | '<' | '>' => break,
                '\\' => {
                    self.next();
                    if let Some(character) = self.next().filter(|character| *character != '\n') {
                        add(&mut pieces, character, true);
                    }
                }
                '\'' => {
                    let line = self.line;
                    self.next();
                    add_text(&mut pieces, "", true);
                    loop {
                        match self.next() {
                            Some('\'') => break,
                            Some(character) => add(&mut pieces, character, true),
                            None => {
                                self.lexed.unclosed.get_or_insert(line);
                                break;
                            }
                        }
                    }
                }
                '"' => {
                    let line = self.line;
                    self.next();
                    add_text(&mut pieces, "", true);
                    loop {
                        match self.peek() {
                            Some('"') => {
                                self.next();
                                break;
                            }
                            Some(_) => self.within_quotes(&mut pieces),
                            None => {
                                self.lexed.unclosed.get_or_insert(line);
                                break;
                            }
                        }
                    }
                }
                '$' | '`' => self.dollar(&mut pieces, false),
                other => {
                    self.next();
                    add(&mut pieces, other, false);
                }
            }
        }
        pieces
    }

    /// One character or one substitution between double quotes.
    fn within_quotes(&mut self, pieces: &mut RawWord) {
        match self.peek() {
            Some('\\') => {
                self.next();
                match self.next() {
                    Some('\n') | None => {}
                    Some(character) => {
                        if !matches!(character, '"' | '\\' | '$' | '`') {
                            add(pieces, '\\', true);
                        }
                        add(pieces, character, true);
                    }
                }
            }
            Some('$' | '`') => self.dollar(pieces, true),
            Some(other) => {
                self.next();
                add(pieces, other, true);
            }
            None => {}
        }
    }

    /// What a `$` or a backquote begins.
    fn dollar(&mut self, pieces: &mut RawWord, is_quoted: bool) {
        let start = self.at;
        let first = self.next();
        if first == Some('`') {
            let mut command = String::new();
            while let Some(character) = self.next().filter(|character| *character != '`') {
                command.push(character);
            }
            let raw = self.raw(start);
            return pieces.push(Piece::Output { command, raw });
        }
        match self.peek() {
            Some('(') => {
                let command = self.balanced('(', ')');
                let raw = self.raw(start);
                pieces.push(Piece::Output { command, raw });
            }
            Some('{') => {
                let inner = self.balanced('{', '}');
                let raw = self.raw(start);
                pieces.push(braced(&inner, raw, is_quoted));
            }
            Some(next) if next.is_ascii_alphabetic() || next == '_' => {
                let mut name = String::new();
                while let Some(next) = self.peek().filter(|next| next.is_ascii_alphanumeric() || *next == '_') {
                    name.push(next);
                    self.next();
                }
                pieces.push(variable(name, None, self.raw(start), is_quoted));
            }
            Some(next) if next.is_ascii_digit() || "@*#?!-$".contains(next) => {
                self.next();
                pieces.push(variable(next.to_string(), None, self.raw(start), is_quoted));
            }
            _ => add(pieces, '$', is_quoted),
        }
    }

    /// What stands between two brackets, which may hold more of them, and quotes.
    fn balanced(&mut self, open: char, close: char) -> String {
        let mut inner = String::new();
        let mut depth = 0_usize;
        let mut quote: Option<char> = None;
        while let Some(character) = self.next() {
            match (quote, character) {
                (Some(mark), _) if character == mark => quote = None,
                (None, '\'' | '"') => quote = Some(character),
                (None, _) if character == open => depth += 1,
                (None, _) if character == close => depth = depth.saturating_sub(1),
                _ => {}
            }
            inner.push(character);
            if depth == 0 {
                break;
            }
        }
        inner
            .strip_prefix(open)
            .and_then(|inner| inner.strip_suffix(close))
            .unwrap_or(&inner)
            .to_owned()
    }

    /// The text since a place, not too long.
    fn raw(&self, start: usize) -> String {
        const LONGEST: usize = 80;
        let end = self.at.min(start + LONGEST);
        self.characters.get(start..end).unwrap_or_default().iter().collect()
    }
}

/// `NAME`, `NAME:-default`; anything cleverer is not known.
fn braced(inner: &str, raw: String, is_quoted: bool) -> Piece {
    let is_of_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let end = inner.find(|character| !is_of_name(character)).unwrap_or(inner.len());
    let (name, rest) = inner.split_at(end);
    if name.is_empty() && !matches!(inner, "@" | "*") {
        let command = String::new();
        return Piece::Output { command, raw };
    }
    match rest {
        "" | "[@]" | "[*]" => variable(name.to_owned(), None, raw, is_quoted),
        "@" | "*" if name.is_empty() => variable(inner.to_owned(), None, raw, is_quoted),
        rest => {
            let default = rest.strip_prefix(':').unwrap_or(rest);
            match default.strip_prefix(['-', '=']) {
                Some(default) => variable(name.to_owned(), Some(default.to_owned()), raw, is_quoted),
                None if default.starts_with('?') => variable(name.to_owned(), None, raw, is_quoted),
                None => Piece::Output {
                    command: String::new(),
                    raw,
                },
            }
        }
    }
}

const fn variable(name: String, default: Option<String>, raw: String, is_quoted: bool) -> Piece {
    Piece::Variable {
        name,
        default,
        raw,
        is_quoted,
    }
}

fn add(pieces: &mut RawWord, character: char, is_quoted: bool) {
    add_text(pieces, character.encode_utf8(&mut [0; 4]), is_quoted);
}

fn add_text(pieces: &mut RawWord, more: &str, quoted: bool) {
    match pieces.last_mut() {
        Some(Piece::Text { text, is_quoted }) if *is_quoted == quoted => text.push_str(more),
        _ => pieces.push(Piece::Text {
            text: more.to_owned(),
            is_quoted: quoted,
        }),
    }
}
