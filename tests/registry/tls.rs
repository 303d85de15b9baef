//! Whom does the client believe over TLS? Authorities it was told of, for the names in their certificates, and nobody
//! else. The server is openssl's; a registry on loopback redirects to it.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

use wharf::engine::{
    backend::embedded::registry::RegistrySettings,
    domain::{Digest, ErrorKind, Result},
};

use super::{noise, operation_with};
use crate::support::{
    deadline::{PATIENCE, wait_until},
    need::Need,
    registry::{Fault, TestRegistry},
};

const SIZE: usize = 200_000;

/// Certificates for `localhost`, for another name, and one that has expired, all by one authority.
struct Authority {
    folder: tempfile::TempDir,
}

/// Ends with the test.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn openssl(folder: &Path, arguments: &[&str]) -> Option<()> {
    let status = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success()).then_some(())
}

impl Authority {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let made = openssl(
            path,
            &[
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-keyout", "ca.key", "-out", "ca.pem",
                "-subj", "/CN=ca",
            ],
        );
        if made.is_none() {
            Need::from_environment().missing("openssl cannot make certificates");
            return None;
        }
        for (name, alternative, days) in [
            ("good", "DNS:localhost", "9"),
            ("other", "DNS:elsewhere.example", "9"),
            ("expired", "DNS:localhost", "-1"),
        ] {
            fs::write(path.join("names"), format!("subjectAltName={alternative}\n")).unwrap();
            let (key, request, certificate) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
            openssl(
                path,
                &["req", "-newkey", "rsa:2048", "-nodes", "-keyout", &key, "-out", &request, "-subj", "/CN=x"],
            )?;
            // An end before the beginning is what an expired certificate is.
            let signed = ["x509", "-req", "-in", &request, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
            let rest = ["-days", days, "-extfile", "names", "-out", &certificate];
            openssl(path, &[&signed[..], &rest].concat())?;
        }
        Some(Self { folder })
    }

    /// Serves the files of its folder.
    fn serve(&self, certificate: &str) -> Server {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("openssl")
            .args(["s_server", "-WWW", "-quiet", "-accept", &format!("127.0.0.1:{port}")])
            .args(["-cert", &format!("{certificate}.pem"), "-key", &format!("{certificate}.key")])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { child, port };
        wait_until("openssl to listen", PATIENCE, || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        server
    }
}

/// Fetches a blob that lies behind TLS at `server`.
fn fetch(authority: &Authority, certificate: &str, settings: RegistrySettings) -> Result<Vec<u8>> {
    let bytes = noise(SIZE);
    fs::write(authority.folder.path().join("blob"), &bytes).unwrap();
    let server = authority.serve(certificate);
    let registry = TestRegistry::start();
    let location: &'static str = format!("https://localhost:{}/blob", server.port).leak();
    registry.break_next(usize::MAX, "GET", "/blobs/", Fault::Status(302, vec![("Location", location)].leak()));
    let digest = Digest::sha256_of(&bytes);
    let found = operation_with(settings).blob(&format!("{}/a", registry.host()), &digest, SIZE)?;
    assert_eq!(found, bytes);
    Ok(found)
}

#[test]
fn a_server_is_believed_only_with_a_known_authority_and_its_own_name_and_in_time() {
    let Some(authority) = Authority::new() else { return };
    let knowing = || RegistrySettings {
        certificates: vec![authority.folder.path().join("ca.pem")],
        ..RegistrySettings::default()
    };
    fetch(&authority, "good", knowing()).unwrap();
    for (certificate, settings) in [("good", RegistrySettings::default()), ("other", knowing()), ("expired", knowing())]
    {
        let error = fetch(&authority, certificate, settings).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable, "{certificate}: {error:?}");
        assert!(error.reason().contains("no secure connection"), "{certificate}: {error:?}");
    }
}
