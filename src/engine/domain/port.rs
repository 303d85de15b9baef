//! Which port of a container is reachable where on the host.
//! Opening and forwarding ports is the backends' work.

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::parse::{ParseError, serde_as_string};

const WHAT: &str = "published port";
const HINT: &str = "ports look like 8080:80, 127.0.0.1:8080:80/tcp or 8000-8005:9000-9005";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    #[default]
    Tcp,
    Udp,
    Sctp,
}

/// One container port and where the host offers it. Printed as `127.0.0.1:8080->80/tcp`; read in that form
/// and in the form of `-p`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublishedPort {
    /// Every address of the host when absent.
    pub host_ip: Option<IpAddr>,
    /// One the engine picks when absent.
    pub host_port: Option<u16>,
    pub container_port: u16,
    pub protocol: Protocol,
}

impl Protocol {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Protocol {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        match input.to_ascii_lowercase().as_str() {
            "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            "sctp" => Ok(Self::Sctp),
            _ => Err(ParseError::new("protocol", input, "it is not tcp, udp or sctp")),
        }
    }
}

impl fmt::Display for PublishedPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host_ip {
            Some(IpAddr::V6(ip)) => write!(f, "[{ip}]:")?,
            Some(IpAddr::V4(ip)) => write!(f, "{ip}:")?,
            None => {}
        }
        match (self.host_ip, self.host_port) {
            (_, Some(port)) => write!(f, "{port}->")?,
            (Some(_), None) => write!(f, "0->")?,
            (None, None) => {}
        }
        write!(f, "{}/{}", self.container_port, self.protocol)
    }
}

impl FromStr for PublishedPort {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        let mut ports = parse_publish(&input.replacen("->", ":", 1)).map_err(|error| error.within(WHAT, input))?;
        match (ports.pop(), ports.is_empty()) {
            (Some(port), true) => Ok(port),
            _ => Err(ParseError::new(WHAT, input, "it is a range where one port is expected")),
        }
    }
}

serde_as_string!(Protocol, PublishedPort);

/// Docker's `-p`: `[address:][host port:]container port[/protocol]`, each port a number or a range; ranges on
/// both sides are equally long. A host port of 0 or none lets the engine pick.
///
/// # Errors
/// When the text is not of that form.
pub fn parse_publish(input: &str) -> Result<Vec<PublishedPort>, ParseError> {
    let error = |why: &str| ParseError::new(WHAT, input, why).with_hint(HINT);
    let inner = |e: ParseError| e.within(WHAT, input).with_hint(HINT);
    let (rest, protocol) = match input.split_once('/') {
        Some((rest, protocol)) => (rest, protocol.parse().map_err(inner)?),
        None => (input, Protocol::Tcp),
    };
    let (before, container) = rest.rsplit_once(':').map_or((None, rest), |(before, last)| (Some(before), last));
    let (address, host) = match before.map(|text| text.rsplit_once(':').unwrap_or(("", text))) {
        Some((address, host)) => (address, Some(host)),
        None => ("", None),
    };
    let host_ip = match address.strip_prefix('[').map_or(Some(address), |a| a.strip_suffix(']')) {
        Some("") if address.is_empty() && before.is_none_or(|text| !text.starts_with(':')) => None,
        Some(ip) => Some(ip.parse::<IpAddr>().map_err(|_| error("the host address is not an IP address"))?),
        None => return Err(error("the bracket around the host address is not closed")),
    };
    let containers = range(container).map_err(inner)?;
    if *containers.start() == 0 {
        return Err(error("container ports are 1 to 65535"));
    }
    let hosts = match host {
        None | Some("" | "0") => None,
        Some(host) => Some(range(host).map_err(inner)?),
    };
    if let Some(hosts) = &hosts {
        if *hosts.start() == 0 {
            return Err(error("a range of host ports begins at 1 or later"));
        }
        if hosts.len() != containers.len() {
            return Err(error("the two ranges are not equally long"));
        }
    }
    let mut hosts = hosts.into_iter().flatten();
    let published =
        containers.map(|container_port| PublishedPort { host_ip, host_port: hosts.next(), container_port, protocol });
    Ok(published.collect())
}

fn range(text: &str) -> Result<RangeInclusive<u16>, ParseError> {
    let number = |digits: &str| match digits.parse::<u16>() {
        Ok(port) if !digits.starts_with('+') => Ok(port),
        _ => Err(ParseError::new("port", text, "ports are numbers up to 65535")),
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = number(first)?..=number(last)?;
    if range.is_empty() { Err(ParseError::new("port", text, "the range runs backwards")) } else { Ok(range) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_of_publish_is_read() {
        for (input, shown) in [
            ("80", "80/tcp"),
            ("8080:80", "8080->80/tcp"),
            ("53:53/udp", "53->53/udp"),
            ("53:53/UDP", "53->53/udp"),
            ("127.0.0.1:8080:80", "127.0.0.1:8080->80/tcp"),
            ("127.0.0.1::80", "127.0.0.1:0->80/tcp"),
            ("0:80", "80/tcp"),
            ("[::1]:8080:80", "[::1]:8080->80/tcp"),
            ("[::]::80/sctp", "[::]:0->80/sctp"),
            ("::1:8080:80", "[::1]:8080->80/tcp"),
        ] {
            let ports = parse_publish(input).unwrap();
            assert_eq!(ports.iter().map(ToString::to_string).collect::<Vec<_>>(), [shown], "{input}");
        }
    }

    #[test]
    fn ranges_run_side_by_side() {
        let shown: Vec<String> =
            parse_publish("8000-8002:90-92/udp").unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["8000->90/udp", "8001->91/udp", "8002->92/udp"]);
        assert_eq!(parse_publish("127.0.0.1::1-65535").unwrap().len(), 65_535);
        assert!("80-81".parse::<PublishedPort>().is_err());
    }

    #[test]
    fn malformed_ports_are_refused_with_the_reason() {
        for (input, why) in [
            ("", "numbers"),
            ("http", "numbers"),
            ("0", "1 to 65535"),
            ("65536", "65535"),
            ("80/icmp", "tcp, udp or sctp"),
            ("80/", "tcp, udp or sctp"),
            ("8000-8001:80", "equally long"),
            ("90-80", "backwards"),
            ("host:8080:80", "IP address"),
            ("[::1:80:80", "not closed"),
            ("+80", "numbers"),
            (":80:80", "IP address"),
        ] {
            let error = parse_publish(input).unwrap_err().to_string();
            assert!(error.contains(why), "{input}: {error}");
        }
    }

    proptest! {
        #[test]
        fn every_port_prints_a_form_that_parses_back(
            ip in any::<Option<IpAddr>>(), host in proptest::option::of(1u16..), container in 1u16.., kind in 0usize..3
        ) {
            let protocol = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp][kind];
            let port = PublishedPort { host_ip: ip, host_port: host, container_port: container, protocol };
            prop_assert_eq!(port.to_string().parse::<PublishedPort>(), Ok(port));
        }

        #[test]
        fn no_input_panics(input in any::<String>()) {
            let _either = parse_publish(&input);
        }
    }
}
