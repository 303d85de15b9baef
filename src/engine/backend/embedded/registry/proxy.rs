//! Does a request go through a proxy, and through which? The rules of curl and Go: `HTTPS_PROXY`, `HTTP_PROXY` and
//! `NO_PROXY`, in either case, and never for this very machine.
//!
//! Deliberately elsewhere: speaking to the proxy (`transport_ureq`).

use std::net::IpAddr;

use super::url::{Scheme, Url};

/// The proxy part of the environment. Proxy addresses may hold passwords, so there is no `Debug`.
#[derive(Clone, Default)]
pub struct Proxies {
    http: Option<String>,
    https: Option<String>,
    exceptions: Vec<String>,
}

impl Proxies {
    /// Reads the variables through `variable`; the lower-case name wins, as in curl.
    pub fn from_variables(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let either = |name: &str| {
            variable(&name.to_ascii_lowercase()).or_else(|| variable(name)).filter(|value| !value.is_empty())
        };
        let exceptions = either("NO_PROXY").unwrap_or_default();
        let exceptions = exceptions.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty());
        Self {
            http: either("HTTP_PROXY"),
            https: either("HTTPS_PROXY"),
            exceptions: exceptions.map(str::to_ascii_lowercase).collect(),
        }
    }

    /// The proxy's address for a request to `url`, if it takes one.
    pub fn for_url(&self, url: &Url) -> Option<&str> {
        let proxy = match url.scheme() {
            Scheme::Http => self.http.as_deref(),
            Scheme::Https => self.https.as_deref(),
        };
        proxy.filter(|_| !is_this_machine(url) && !self.exceptions.iter().any(|entry| covers(entry, url)))
    }
}

/// `localhost`, its subdomains and loopback addresses.
pub fn is_this_machine(url: &Url) -> bool {
    url.host() == "localhost"
        || url.host().ends_with(".localhost")
        || url.ip().is_some_and(|ip| ip.to_canonical().is_loopback())
}

/// Whether one entry of `NO_PROXY` covers the address: `*`, a host, a domain, an address, a network, each perhaps
/// with a port.
fn covers(entry: &str, url: &Url) -> bool {
    if entry == "*" {
        return true;
    }
    if let (Some(ip), Some((network, bits))) = (url.ip(), entry.split_once('/')) {
        return match (network.parse::<IpAddr>(), bits.parse::<u32>()) {
            (Ok(network), Ok(bits)) => in_network(ip, network, bits),
            _ => false,
        };
    }
    let (entry, port) = match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port.parse::<u16>().ok()),
        Some(_) | None => (entry, None),
    };
    if port.is_some_and(|port| port != url.port()) {
        return false;
    }
    let domain = entry.trim_start_matches("*.").trim_start_matches('.');
    let host = url.host().trim_start_matches('[').trim_end_matches(']');
    host == domain.trim_start_matches('[').trim_end_matches(']')
        || host.strip_suffix(domain).is_some_and(|front| !domain.is_empty() && front.ends_with('.'))
}

fn in_network(ip: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            ip.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            ip.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V4(_) | IpAddr::V6(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(exceptions: &str) -> Proxies {
        let exceptions = exceptions.to_owned();
        Proxies::from_variables(&move |name| match name {
            "HTTPS_PROXY" => Some("http://proxy:3128".to_owned()),
            "no_proxy" => Some(exceptions.clone()),
            _ => None,
        })
    }

    #[test]
    fn each_scheme_has_its_own_proxy_and_this_machine_none() {
        let found = proxies("");
        assert_eq!(found.for_url(&"https://ghcr.io/v2/".parse().unwrap()), Some("http://proxy:3128"));
        for direct in ["http://ghcr.io/", "https://localhost:5000/", "https://127.0.0.9/", "https://[::1]/"] {
            assert_eq!(found.for_url(&direct.parse().unwrap()), None, "{direct}");
        }
    }

    #[test]
    fn exceptions_cover_hosts_domains_networks_and_ports() {
        let found = proxies("corp.example, .intern.example ,10.0.0.0/8,reg.example:5000,[fd00::1]");
        for direct in [
            "https://corp.example/",
            "https://a.corp.example/",
            "https://b.intern.example/",
            "https://10.1.2.3/",
            "https://reg.example:5000/",
            "https://[fd00::1]/",
        ] {
            assert_eq!(found.for_url(&direct.parse().unwrap()), None, "{direct}");
        }
        for proxied in ["https://notcorp.example/", "https://11.1.2.3/", "https://reg.example/", "https://example/"] {
            assert!(found.for_url(&proxied.parse().unwrap()).is_some(), "{proxied}");
        }
        assert_eq!(proxies("*").for_url(&"https://ghcr.io/".parse().unwrap()), None);
    }
}
