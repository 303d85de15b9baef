//! What does a registry want before it answers? Reading `WWW-Authenticate` (RFC 9110, 11.6.1; RFC 6750).
//!
//! Deliberately elsewhere: satisfying it (`authenticator`).

/// One way in that the registry offers and we know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Challenge {
    Basic,
    Bearer {
        realm: String,
        service: Option<String>,
        /// What the registry says the request needs; several are separated by spaces.
        scope: Option<String>,
    },
}

/// The challenges of one header field, in its order. Unknown schemes and broken parts are left out.
pub fn parse(header: &str) -> Vec<Challenge> {
    let mut found = Vec::new();
    let mut current: Option<(String, Vec<(String, String)>)> = None;
    for item in items(header) {
        match item {
            Item::Scheme(scheme) => {
                found.extend(current.take().and_then(understood));
                current = Some((scheme, Vec::new()));
            }
            Item::Parameter(name, value) => {
                if let Some((_, parameters)) = &mut current {
                    parameters.push((name, value));
                }
            }
        }
    }
    found.extend(current.and_then(understood));
    found
}

fn understood((scheme, parameters): (String, Vec<(String, String)>)) -> Option<Challenge> {
    let parameter = |name: &str| {
        let found = parameters.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    };
    match scheme.as_str() {
        "basic" => Some(Challenge::Basic),
        "bearer" => Some(Challenge::Bearer {
            realm: parameter("realm")?,
            service: parameter("service"),
            scope: parameter("scope"),
        }),
        _ => None,
    }
}

enum Item {
    Scheme(String),
    Parameter(String, String),
}

/// Cuts the header into schemes and parameters. A word followed by `=` is a parameter, any other a scheme.
fn items(header: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return items;
        }
        let end = rest.find([' ', '\t', ',', '=', '"']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let value = after.trim_start().strip_prefix('=');
        match value {
            Some(value) if !word.is_empty() => {
                let (value, after) = quoted_or_token(value.trim_start());
                items.push(Item::Parameter(word.to_ascii_lowercase(), value));
                rest = after;
            }
            Some(after) => rest = after,
            None if word.is_empty() => rest = after.trim_start_matches('"'),
            None => {
                items.push(Item::Scheme(word.to_ascii_lowercase()));
                rest = after;
            }
        }
    }
}

fn quoted_or_token(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        let (token, rest) = text.split_at(end);
        return (token.to_owned(), rest);
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.into(), service: service.map(str::to_owned), scope: scope.map(str::to_owned) }
    }

    #[test]
    fn challenges_as_registries_send_them_are_read() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
        assert_eq!(
            parse(hub),
            [bearer("https://auth.docker.io/token", Some("registry.docker.io"), Some("repository:a/b:pull,push"))]
        );
        assert_eq!(parse(r#"Basic realm="Registry Realm""#), [Challenge::Basic]);
        assert_eq!(parse("basic"), [Challenge::Basic]);
        assert_eq!(
            parse(r#"Negotiate, BEARER Realm = "https://a/t" , service=s, Basic realm="x, y""#),
            [bearer("https://a/t", Some("s"), None), Challenge::Basic]
        );
        assert_eq!(parse(r#"Bearer realm="a\"b""#), [bearer("a\"b", None, None)]);
    }

    #[test]
    fn broken_challenges_give_nothing_and_never_hang() {
        for header in
            ["", ",,,", "=", "\"", "Bearer", "Bearer realm=", "Bearer realm=\"", "=\"x\"", "Digest a=b", "é=ü"]
        {
            assert_eq!(parse(header), [], "{header}");
        }
    }
}
