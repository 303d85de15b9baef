//! What does a daemon say that no real one can be made to say on demand? A scripted one on a socket of its own.
//! Deliberately elsewhere: the scripts (`docker_wire.rs`).

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    sync::{Arc, Mutex},
};

/// One request: method, target with query, body.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub target: String,
    pub body: String,
}

/// What comes back.
pub enum Answer {
    Json(u16, String),
    /// The head of a stream, then these pieces one by one, then the end of the connection.
    Pieces(Vec<Vec<u8>>),
    /// The connection is closed without a word.
    HangUp,
    /// A proper answer, after which the connection is closed although nobody said so.
    JsonThenHangUp(u16, String),
}

/// Listens until it is dropped; `script` answers all but the ping.
pub struct FakeDaemon {
    folder: tempfile::TempDir,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl FakeDaemon {
    pub fn new(version: &'static str, script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("d.sock")).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (script, seen) = (Arc::new(script), Arc::clone(&asked));
        // Ends with the test's process: the listener has no other end.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (script, seen) = (Arc::clone(&script), Arc::clone(&seen));
                // A client that hangs up ends its thread; nothing to report.
                std::thread::spawn(move || drop(serve(stream, version, &*script, &seen)));
            }
        });
        Self { folder, asked }
    }

    pub fn url(&self) -> String {
        format!("unix://{}", self.folder.path().join("d.sock").display())
    }

    /// Everything asked so far but pings.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(
    stream: UnixStream,
    version: &str,
    script: &dyn Fn(&Asked) -> Answer,
    seen: &Mutex<Vec<Asked>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split_whitespace();
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut asked = Asked { method: method.to_owned(), target: target.to_owned(), body: String::new() };
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if header.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        asked.body = String::from_utf8_lossy(&body).into_owned();
        if asked.target == "/_ping" {
            write!(stream, "HTTP/1.1 200 OK\r\nApi-Version: {version}\r\nServer: Docker/0.fake (linux)\r\n")?;
            write!(stream, "Date: Sat, 21 Nov 2026 09:36:02 GMT\r\nContent-Length: 2\r\n\r\nOK")?;
            continue;
        }
        seen.lock().unwrap().push(asked.clone());
        match script(&asked) {
            Answer::Json(status, body) => json(&mut stream, status, &body)?,
            Answer::JsonThenHangUp(status, body) => return json(&mut stream, status, &body),
            Answer::HangUp => return Ok(()),
            Answer::Pieces(pieces) => {
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")?;
                for piece in pieces {
                    stream.write_all(&piece)?;
                    stream.flush()?;
                }
                return Ok(());
            }
        }
    }
}

fn json(stream: &mut UnixStream, status: u16, body: &str) -> std::io::Result<()> {
    // A status without a body must not announce one.
    match status {
        204 | 304 => write!(stream, "HTTP/1.1 {status} X\r\n\r\n"),
        _ => write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
    }
}
