//! Where does a redirect lead, and what goes along? Content from anywhere that is allowed, credentials to nobody.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use wharf::engine::domain::ErrorKind;

use super::{noise, operation};
use crate::support::registry::{Fault, Login, TestRegistry};

#[test]
fn a_blob_on_another_host_is_followed_without_the_credentials() {
    let (registry, storage) = (TestRegistry::start(), TestRegistry::start());
    let bytes = noise(1000);
    let digest = registry.put_blob("a", &bytes);
    storage.put_blob("a", &bytes);
    registry.demand(Login::Bearer { realm: None, user: None, refresh: None });
    let operation = operation();
    let name = format!("{}/a", registry.host());
    operation.blob(&name, &digest, 1000).unwrap();
    registry.break_next(usize::MAX, "GET", "/blobs/", Fault::RedirectTo(storage.host()));
    assert_eq!(operation.blob(&name, &digest, 1000).unwrap(), bytes);
    assert_eq!(registry.authorizations().len(), 1);
    assert_eq!(storage.count("GET", "/blobs/"), 1);
    assert_eq!(storage.authorizations().len(), 0, "the token stays with the registry");
}

#[test]
fn a_redirect_without_end_is_given_up_after_five() {
    let registry = TestRegistry::start();
    registry.break_next(usize::MAX, "GET", "/blobs/", Fault::RedirectTo(registry.host()));
    let digest = registry.put_blob("a", b"x");
    let error = operation().blob(&format!("{}/a", registry.host()), &digest, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
    assert_eq!(registry.count("GET", "/blobs/"), 6);
}

#[test]
fn a_redirect_with_an_unusable_aim_is_told() {
    let registry = TestRegistry::start();
    let digest = registry.put_blob("a", b"x");
    for location in ["", "ftp://elsewhere/", "http://user:password@elsewhere/"] {
        let location: &'static [(&str, &str)] = match location {
            "" => &[],
            "ftp://elsewhere/" => &[("Location", "ftp://elsewhere/")],
            _ => &[("Location", "http://user:password@elsewhere/")],
        };
        registry.break_next(1, "GET", "/blobs/", Fault::Status(302, location));
        let error = operation().blob(&format!("{}/a", registry.host()), &digest, 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
    }
}

#[test]
fn a_redirect_to_tls_where_none_is_spoken_says_so() {
    let registry = TestRegistry::start();
    let digest = registry.put_blob("a", b"x");
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let location: &'static str = format!("https://{}/x", plain.local_addr().unwrap()).leak();
    let headers: &'static [(&str, &str)] = vec![("Location", location)].leak();
    let server = thread::spawn(move || {
        let (mut stream, _) = plain.accept().unwrap();
        let mut hello = vec![0; 4096];
        let length = stream.read(&mut hello).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        hello.truncate(length);
        hello
    });
    registry.break_next(1, "GET", "/blobs/", Fault::Status(302, headers));
    let error = operation().blob(&format!("{}/a", registry.host()), &digest, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error:?}");
    assert!(error.reason().contains("no secure connection"), "{error:?}");
    assert_eq!(server.join().unwrap().first(), Some(&0x16), "a TLS handshake and nothing in the clear");
}
