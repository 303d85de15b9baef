use std::{
    io::Write,
    net::{SocketAddr, TcpListener},
    thread,
};

use super::*;

/// A server for one connection that answers whatever comes.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
        stream.write_all(b"HTTP/1.1 204 Fine\r\nX-Name: value\r\n\r\n").unwrap();
    });
    address
}

fn get(url: &str, reach: Reach<'_>) -> Result<Response, TransportError> {
    let transport = UreqTransport::new(Arc::default(), CancelToken::default());
    let url: Url = url.parse().unwrap();
    transport.send(Request { method: Method::Get, url: &url, headers: Vec::new(), body: Body::Empty, reach })
}

#[test]
fn an_answer_comes_with_its_headers() {
    let response = get(&format!("http://{}/", server()), Reach::Anywhere).unwrap();
    assert_eq!((response.status, response.headers.get("x-name")), (204, Some("value")));
}

#[test]
fn a_registry_cannot_point_us_nearer_than_itself() {
    // Port 1: if the connection were tried, it would be refused, which is another fault.
    for (registry, target) in [
        ("https://1.1.1.1/", "http://127.0.0.1:1/"),
        ("https://1.1.1.1/", "http://[::1]:1/"),
        ("https://1.1.1.1/", "http://localhost:1/"),
        ("https://1.1.1.1/", "http://169.254.169.254/latest/meta-data/"),
        ("https://1.1.1.1/", "http://10.0.0.1:1/"),
        ("https://10.0.0.1/", "http://127.0.0.1:1/"),
        ("https://10.0.0.1/", "http://169.254.169.254/"),
        ("https://1.1.1.1/", "http://[::ffff:127.0.0.1]:1/"),
    ] {
        let registry: Url = registry.parse().unwrap();
        let error = get(target, Reach::AsFarAs(&registry)).unwrap_err();
        assert_eq!(error.fault, Fault::OutOfReach, "{registry} {target}: {error}");
    }
}

#[test]
fn a_registry_on_this_machine_may_point_at_this_machine() {
    for registry in ["http://127.0.0.1:5000/", "http://localhost:5000/"] {
        let registry: Url = registry.parse().unwrap();
        assert_eq!(get(&format!("http://{}/", server()), Reach::AsFarAs(&registry)).unwrap().status, 204);
    }
}

#[test]
fn names_without_an_address_and_ports_without_a_listener_are_told_apart() {
    assert_eq!(get("http://host.invalid/", Reach::Anywhere).unwrap_err().fault, Fault::UnknownHost);
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(get(&format!("http://{gone}/"), Reach::Anywhere).unwrap_err().fault, Fault::Refused);
}

#[test]
fn a_server_that_hangs_up_is_broken_and_one_that_is_no_web_server_malformed() {
    for (answer, fault) in [(&b""[..], Fault::Broken), (b"SSH-2.0-x\r\n\r\n", Fault::Malformed)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
            stream.write_all(answer).unwrap();
        });
        let error = get(&format!("http://{address}/"), Reach::Anywhere).unwrap_err();
        assert_eq!(error.fault, fault, "{error}");
    }
}
