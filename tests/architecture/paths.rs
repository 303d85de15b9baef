//! Which paths does a source file name? Every `use` tree spread out, and every path with `::` in its code, as
//! absolute module paths. Comments, strings and unit tests do not count: a test may look anywhere.
//! Deliberately elsewhere: whether it may (`imports.rs`).

/// The module a file is: `src/engine/core/admit.rs` is `engine::core::admit`, `src/engine/mod.rs` is `engine`,
/// `src/lib.rs` is the empty path.
pub fn module_of(path: &str) -> String {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let inner = inner.strip_suffix("/mod").unwrap_or(inner);
    if inner == "lib" { String::new() } else { inner.replace('/', "::") }
}

/// Whether a file holds unit tests alone.
pub fn is_unit_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.ends_with("_tests.rs")
}

/// What a file names.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Absolute paths within this crate.
    pub inside: Vec<String>,
    /// The first words of paths that leave it: `bollard::Docker` gives `bollard`.
    pub outside: Vec<String>,
}

/// Everything that `module` with this `source` names.
pub fn named_by(module: &str, source: &str) -> Named {
    let code = without_unit_tests(&code_only(source));
    let mut named = Named::default();
    let (declared, code) = use_declarations(&code);
    let mut paths = Vec::new();
    declared.iter().for_each(|tree| spread(tree, "", &mut paths));
    paths.extend(inline_paths(&code));
    for path in paths {
        let mut segments = path.split("::").map(str::trim);
        let first = segments.next().unwrap_or_default();
        let rest: Vec<&str> = segments.collect();
        match first {
            "crate" | "wharf" => named.inside.push(rest.join("::")),
            "self" => named.inside.push(joined(module, &rest)),
            "super" => named.inside.push(above(module, &rest)),
            outside => named.outside.push(outside.to_owned()),
        }
    }
    for list in [&mut named.inside, &mut named.outside] {
        list.sort();
        list.dedup();
    }
    named
}

fn joined(module: &str, rest: &[&str]) -> String {
    let own = module.split("::").filter(|segment| !segment.is_empty());
    own.chain(rest.iter().copied()).collect::<Vec<_>>().join("::")
}

fn above(module: &str, rest: &[&str]) -> String {
    let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
    match rest.split_first() {
        Some((&"super", rest)) => above(parent, rest),
        _ => joined(parent, rest),
    }
}

/// The source with comments, strings and character literals blanked out; line numbers stay.
pub fn code_only(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(letter) = rest.chars().next() {
        match comment_length(rest).or_else(|| literal_length(rest, out.chars().last())) {
            Some(length) => {
                out.push(' ');
                out.push_str(&"\n".repeat(rest[..length].matches('\n').count()));
                rest = &rest[length..];
            }
            None => {
                out.push(letter);
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    out
}

fn comment_length(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    let mut depth = 0_usize;
    let mut at = 0;
    while text.starts_with("/*") && at < text.len() {
        let here = &text.as_bytes()[at..];
        if here.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if here.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
    None
}

/// The length of a string or character literal at the start of `text`. The quote of a lifetime starts none.
fn literal_length(text: &str, before: Option<char>) -> Option<usize> {
    let inside_word = before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let unprefixed = text.strip_prefix(['b', 'c']).filter(|_| !inside_word).unwrap_or(text);
    let prefix = text.len() - unprefixed.len();
    if let Some(raw) = unprefixed.strip_prefix('r').filter(|_| !inside_word) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let body = raw[hashes..].strip_prefix('"')?;
        let closing = format!("\"{}", "#".repeat(hashes));
        return Some(prefix + 1 + hashes + 1 + body.find(&closing)? + closing.len());
    }
    if unprefixed.starts_with('"') {
        return Some(prefix + quoted_length(unprefixed, b'"')?);
    }
    let mut letters = unprefixed.strip_prefix('\'')?.chars();
    match (letters.next()?, letters.next()?) {
        ('\\', _) => Some(prefix + quoted_length(unprefixed, b'\'')?),
        (letter, '\'') => Some(prefix + 2 + letter.len_utf8()),
        _ => None,
    }
}

fn quoted_length(text: &str, quote: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    while *bytes.get(at)? != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    Some(at + 1)
}

/// The code without what stands behind `#[cfg(test)]`: one item, to its closing brace or semicolon.
fn without_unit_tests(code: &str) -> String {
    let mut out = String::new();
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let opens = rest.find('{').unwrap_or(rest.len());
        let ends = rest.find(';').unwrap_or(rest.len());
        rest = if ends < opens { &rest[ends + 1..] } else { &rest[opens + block_length(&rest[opens..])..] };
    }
    out.push_str(rest);
    out
}

fn block_length(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// The trees of all `use` declarations, and the code without them and without visibilities.
fn use_declarations(code: &str) -> (Vec<&str>, String) {
    let (mut trees, mut left) = (Vec::new(), String::new());
    let mut rest = code;
    while let Some(at) = rest.find("use ") {
        let in_word = rest[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
        let ends = rest[at..].find(';').map_or(rest.len(), |length| at + length);
        let tree = &rest[at + 4..ends];
        // `+ use<'a>` on a return type, or a macro's own syntax, declares nothing.
        let declares = !in_word && !tree.contains(['(', '=', '<']);
        left.push_str(&rest[..at]);
        if declares {
            trees.push(tree);
        }
        rest = if declares { &rest[ends..] } else { &rest[at + 4..] };
    }
    left.push_str(rest);
    (trees, left.replace("(in crate::", "("))
}

/// Adds every path of a `use` tree.
fn spread(tree: &str, prefix: &str, found: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((head, body)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default().trim();
        if !path.is_empty() {
            found.push(format!("{prefix}{path}").trim_start_matches("::").to_owned());
        }
        return;
    };
    let prefix = format!("{prefix}{}", head.trim());
    let body = body.rsplit_once('}').map_or(body, |(inner, _)| inner);
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, letter) in body.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                spread(&body[start..at], &prefix, found);
                start = at + 1;
            }
            _ => {}
        }
    }
    spread(&body[start..], &prefix, found);
}

/// Paths in code outside `use`: words joined by `::`.
fn inline_paths(code: &str) -> Vec<String> {
    let word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    let words = code.split(|letter| !word(letter));
    words.filter(|path| path.contains("::")).map(|path| path.trim_matches(':').to_owned()).collect()
}
