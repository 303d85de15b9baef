//! Where does a request go? An http or https address, with the little arithmetic that redirects and upload
//! locations need.
//!
//! Deliberately elsewhere: which address a registry's name stands for (`endpoint`), following redirects (`client`).

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

/// The two ways to speak to a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    Http,
    Https,
}

/// An absolute address without user information. `Display` is the whole of it; `Debug` leaves the query out, because
/// the addresses that registries redirect to carry signatures there.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    scheme: Scheme,
    /// Lower case; IPv6 addresses stand in brackets.
    host: String,
    port: u16,
    /// Begins with `/`.
    path_and_query: String,
}

impl Scheme {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Url {
    /// The address of `path` on `registry`, a `host[:port]`. `None` when that is no authority.
    pub fn of_registry(scheme: Scheme, registry: &str, path: &str) -> Option<Self> {
        format!("{}://{registry}{path}", scheme.as_str()).parse().ok()
    }

    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host alone, IPv6 addresses in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// `host[:port]`, the port only where it is not the scheme's own.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }

    /// Whether both lead to the same server by the same means: the bound within which credentials may travel.
    pub fn same_origin(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.host == other.host && self.port == other.port
    }

    /// The host as an address, when it is written as one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// What a `Location` header given by this address means. `None` when it is no usable address.
    pub fn join(&self, location: &str) -> Option<Self> {
        let location = location.trim();
        if location.contains("://") {
            return location.parse().ok();
        }
        if location.starts_with("//") {
            return format!("{}:{location}", self.scheme.as_str()).parse().ok();
        }
        let path = self.path_and_query.split('?').next().unwrap_or("/");
        let path_and_query = if location.starts_with('/') {
            location.to_owned()
        } else if location.starts_with('?') {
            format!("{path}{location}")
        } else {
            let directory = path.rfind('/').and_then(|end| path.get(..=end)).unwrap_or("/");
            format!("{directory}{location}")
        };
        format!("{}://{}{path_and_query}", self.scheme.as_str(), self.authority()).parse().ok()
    }

    /// The same address with one more query parameter, its value escaped.
    pub fn with_query(mut self, name: &str, value: &str) -> Self {
        let separator = if self.path_and_query.contains('?') { '&' } else { '?' };
        self.path_and_query.push(separator);
        self.path_and_query.push_str(name);
        self.path_and_query.push('=');
        self.path_and_query.push_str(&escaped(value));
        self
    }

    /// Without the query: fit for messages.
    pub fn without_query(&self) -> String {
        let path = self.path_and_query.split('?').next().unwrap_or_default();
        format!("{}://{}{path}", self.scheme.as_str(), self.authority())
    }
}

impl FromStr for Url {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A fragment never reaches a server.
        let text = text.split('#').next().unwrap_or_default();
        let uri: http::Uri = text.parse().map_err(|_| "it is not a web address")?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            Some(_) | None => return Err("it is neither http nor https"),
        };
        let authority = uri.authority().ok_or("it names no host")?;
        if authority.as_str().contains('@') {
            return Err("it carries a user name");
        }
        let host = authority.host().to_ascii_lowercase();
        if host.is_empty() {
            return Err("it names no host");
        }
        // The parser takes brackets anywhere.
        let is_name = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte));
        let inside = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let is_address = inside.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
        if !is_name && !is_address {
            return Err("its host is neither a name nor an address");
        }
        let port = authority.port_u16().unwrap_or(scheme.default_port());
        let path_and_query = match uri.path_and_query().map(http::uri::PathAndQuery::as_str) {
            None | Some("") => "/".to_owned(),
            Some(query) if query.starts_with('?') => format!("/{query}"),
            Some(path) => path.to_owned(),
        };
        Ok(Self { scheme, host, port, path_and_query })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme.as_str(), self.authority(), self.path_and_query)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.without_query())
    }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986 and the few that scopes and digests use.
pub fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:,".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push_str(&format!("{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_prints_as_it_was_parsed() {
        for text in ["https://ghcr.io/v2/", "http://127.0.0.1:5000/v2/a/b?x=1", "http://[::1]:5000/", "https://a/?q"] {
            assert_eq!(url(text).to_string(), text);
        }
        assert_eq!(url("HTTPS://GHCR.io:443").to_string(), "https://ghcr.io/");
    }

    #[test]
    fn addresses_that_could_mislead_are_refused() {
        for text in ["", "/v2/", "ftp://a/", "https://user:pw@a/", "https:///x", "file:///etc/passwd", "https://a b/"] {
            assert!(text.parse::<Url>().is_err(), "{text}");
        }
    }

    #[test]
    fn locations_are_read_relative_to_where_they_came_from() {
        let base = url("http://r:5000/v2/a/blobs/uploads/7?state=x");
        for (location, meant) in [
            ("https://cdn/x?sig=1", "https://cdn/x?sig=1"),
            ("//cdn/x", "http://cdn/x"),
            ("/v2/b", "http://r:5000/v2/b"),
            ("?state=y", "http://r:5000/v2/a/blobs/uploads/7?state=y"),
            ("8?state=z", "http://r:5000/v2/a/blobs/uploads/8?state=z"),
        ] {
            assert_eq!(base.join(location).unwrap().to_string(), meant, "{location}");
        }
        assert_eq!(base.join("gopher://x/"), None);
    }

    #[test]
    fn credentials_stay_with_scheme_host_and_port() {
        let base = url("https://r/v2/");
        assert!(base.same_origin(&url("https://R:443/token")));
        for other in ["http://r/", "https://r:444/", "https://s/"] {
            assert!(!base.same_origin(&url(other)), "{other}");
        }
    }

    #[test]
    fn the_query_is_escaped_and_kept_out_of_debug_output() {
        let signed = url("https://r/blob").with_query("scope", "repository:a/b:pull,push").with_query("sig", "a+b&c");
        assert_eq!(signed.to_string(), "https://r/blob?scope=repository:a/b:pull,push&sig=a%2Bb%26c");
        assert_eq!(format!("{signed:?}"), "https://r/blob");
    }
}
