//! Rust source into the paths it names. No parser: tokens are enough for paths.

/// A path such as `crate::core::plan`, with where it stands.
#[derive(Debug)]
pub struct Named {
    pub line: usize,
    pub segments: Vec<String>,
    /// How many inline modules it is in.
    pub depth: usize,
    /// Whether it is in a `#[cfg(test)]` module.
    pub is_test: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    /// `::`
    Colons,
    Other(char),
}

/// All paths a source names, groups expanded: `a::{b, c::d}` is `a::b` and `a::c::d`.
pub fn paths(source: &str) -> Vec<Named> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    // For each open brace: whether it is an inline module's, and whether that is for tests only.
    let mut braces: Vec<(bool, bool)> = Vec::new();
    let mut at = 0;
    while let Some((line, token)) = tokens.get(at) {
        let depth = braces.iter().filter(|(is_module, _)| *is_module).count();
        let is_test = braces.iter().any(|(_, is_test)| *is_test);
        match token {
            Token::Word(_) => {
                let mut lists = Vec::new();
                let next = path(&tokens, at, &mut Vec::new(), &mut lists);
                found.extend(lists.into_iter().map(|segments| Named {
                    line: *line,
                    segments,
                    depth,
                    is_test,
                }));
                at = next.max(at + 1);
                continue;
            }
            Token::Other('{') => braces.push(opened(&tokens[..at])),
            Token::Other('}') => drop(braces.pop()),
            Token::Colons | Token::Other(_) => {}
        }
        at += 1;
    }
    found
}

/// Whether a brace after these tokens is an inline module's, and one for tests.
fn opened(before: &[(usize, Token)]) -> (bool, bool) {
    let [.., (_, Token::Word(module)), (_, Token::Word(_))] = before else {
        return (false, false);
    };
    let text: String = before[..before.len() - 2]
        .iter()
        .rev()
        .take(7)
        .map(|(_, token)| match token {
            Token::Word(word) => word.clone(),
            Token::Colons => "::".into(),
            Token::Other(other) => other.to_string(),
        })
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    (module == "mod", module == "mod" && text.ends_with("#[cfg(test)]"))
}

/// Reads the path that starts at a token; gives where it ends.
fn path(tokens: &[(usize, Token)], mut at: usize, prefix: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let token = |at: usize| tokens.get(at).map(|(_, token)| token);
    let length = prefix.len();
    while let Some(Token::Word(word)) = token(at) {
        prefix.push(word.clone());
        at += 1;
        if token(at) != Some(&Token::Colons) {
            break;
        }
        at += 1;
        if token(at) == Some(&Token::Other('{')) {
            at = group(tokens, at + 1, prefix, found);
            prefix.truncate(length);
            return at;
        }
    }
    found.push(prefix.clone());
    prefix.truncate(length);
    at
}

/// Reads what is between the braces of a group; gives where it ends.
fn group(tokens: &[(usize, Token)], mut at: usize, prefix: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    loop {
        match tokens.get(at).map(|(_, token)| token) {
            None => return at,
            Some(Token::Other('}')) => return at + 1,
            Some(Token::Word(word)) if word == "as" => at += 2,
            Some(Token::Word(word)) if word == "self" => {
                found.push(prefix.clone());
                at += 1;
            }
            Some(Token::Word(_)) => at = path(tokens, at, prefix, found),
            Some(Token::Colons | Token::Other(_)) => at += 1,
        }
    }
}

/// Source without comments, strings and characters, each token with its line.
fn tokens(source: &str) -> Vec<(usize, Token)> {
    let text: Vec<char> = source.chars().collect();
    let is_word = |at: usize| text.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_');
    let starts = |at: usize, what: &str| what.chars().enumerate().all(|(i, c)| text.get(at + i) == Some(&c));
    let (mut at, mut line, mut found) = (0, 1, Vec::new());
    while at < text.len() {
        let start = at;
        if starts(at, "//") {
            while at < text.len() && text[at] != '\n' {
                at += 1;
            }
        } else if starts(at, "/*") {
            let mut open = 0;
            loop {
                let step = if starts(at, "/*") {
                    open += 1;
                    2
                } else if starts(at, "*/") {
                    open -= 1;
                    2
                } else {
                    1
                };
                at += step;
                if open == 0 || at >= text.len() {
                    break;
                }
            }
        } else if text[at] == 'r' && (starts(at + 1, "\"") || starts(at + 1, "#\"") || starts(at + 1, "##\"")) {
            let hashes = text[at + 1..].iter().take_while(|c| **c == '#').count();
            let end = format!("\"{}", "#".repeat(hashes));
            at += hashes + 2;
            while at < text.len() && !starts(at, &end) {
                at += 1;
            }
            at += end.len();
        } else if text[at] == '"' {
            at += 1;
            while at < text.len() && text[at] != '"' {
                at += if text[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if text[at] == '\'' && (starts(at + 1, "\\") || text.get(at + 2) == Some(&'\'')) {
            at += if text[at + 1] == '\\' { 3 } else { 2 };
            while at < text.len() && text[at] != '\'' {
                at += 1;
            }
            at += 1;
        } else if starts(at, "::") {
            found.push((line, Token::Colons));
            at += 2;
        } else if is_word(at) {
            while is_word(at) {
                at += 1;
            }
            found.push((line, Token::Word(text[start..at].iter().collect())));
        } else {
            if !text[at].is_whitespace() {
                found.push((line, Token::Other(text[at])));
            }
            at += 1;
        }
        let end = at.min(text.len());
        line += text[start..end].iter().filter(|c| **c == '\n').count();
    }
    found
}
