//! How is the target of a request written? Segments and values are escaped, so that no name becomes a query.
//!
//! Deliberately elsewhere: the version in front (`api`).

use std::fmt;

/// `/containers/web/logs?tail=10`, built piece by piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    text: String,
    queried: bool,
}

impl Path {
    /// A fixed beginning: `/containers`.
    #[must_use]
    pub fn new(start: &'static str) -> Self {
        Self { text: start.to_owned(), queried: false }
    }

    /// A name or id, escaped whole, slashes too.
    #[must_use]
    pub fn part(mut self, part: impl fmt::Display) -> Self {
        self.text.push('/');
        escape(&mut self.text, &part.to_string(), b"");
        self
    }

    /// An image's name: its slashes and colons divide the path, as the daemon expects.
    #[must_use]
    pub fn image(mut self, name: &str) -> Self {
        self.text.push('/');
        escape(&mut self.text, name, b"/:@");
        self
    }

    #[must_use]
    pub fn then(mut self, fixed: &'static str) -> Self {
        self.text.push('/');
        self.text.push_str(fixed);
        self
    }

    #[must_use]
    pub fn query(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.text.push(if self.queried { '&' } else { '?' });
        self.queried = true;
        self.text.push_str(key);
        self.text.push('=');
        escape(&mut self.text, &value.to_string(), b"");
        self
    }

    /// The query only when there is a value.
    #[must_use]
    pub fn maybe(self, key: &'static str, value: Option<impl fmt::Display>) -> Self {
        match value {
            Some(value) => self.query(key, value),
            None => self,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// RFC 3986: everything but unreserved characters and `free`.
fn escape(text: &mut String, raw: &str, free: &[u8]) {
    use fmt::Write as _;
    for byte in raw.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || free.contains(&byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place() {
        let path = Path::new("/containers").part("a/../b?force=1").then("json").query("size", "1&x=2 3");
        assert_eq!(path.to_string(), "/containers/a%2F..%2Fb%3Fforce%3D1/json?size=1%26x%3D2%203");
    }

    #[test]
    fn image_names_keep_their_slashes() {
        let path = Path::new("/images").image("127.0.0.1:5000/a/b@sha256:ff?x").then("json");
        assert_eq!(path.to_string(), "/images/127.0.0.1:5000/a/b@sha256:ff%3Fx/json");
        assert_eq!(Path::new("/x").maybe("a", None::<u8>).maybe("b", Some(1)).query("c", 2).to_string(), "/x?b=1&c=2");
    }
}
