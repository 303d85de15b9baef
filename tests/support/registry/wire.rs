//! How does the test registry speak HTTP/1.1? Reads requests, carries out the scripted fault or the proper answer.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpStream},
};

use super::{Fault, Recorded, Shared, answers};

/// A request with its body.
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// The proper answer to a request.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn length(&self) -> usize {
        self.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)
    }
}

/// Answers requests on one connection until either side ends it.
pub(super) fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(1 << 20, stream.try_clone()?);
    let mut writer = stream;
    while let Some(mut asked) = read_head(&mut reader)? {
        let length = asked.length();
        let is_form = asked.header("content-type") == Some("application/x-www-form-urlencoded");
        if is_form {
            asked.body = read_body(&mut reader, length)?;
        }
        let recorded = Recorded {
            method: asked.method.clone(),
            path: asked.path.clone(),
            authorization: asked.header("authorization").map(str::to_owned),
            form: String::from_utf8_lossy(&asked.body).into_owned(),
        };
        let fault = shared.state().arrived(recorded);
        if let Some(Fault::CutUploadAfter(taken)) = fault {
            asked.body = read_body(&mut reader, taken)?;
            answers::take_piece(&asked, &mut shared.state());
            return writer.shutdown(Shutdown::Both);
        }
        if !is_form {
            asked.body = read_body(&mut reader, length)?;
        }
        if let Some(Fault::IgnoreRange) = fault {
            asked.headers.retain(|(name, _)| name != "range");
        }
        let answer = answers::to(&asked, shared);
        if !write(&mut writer, &mut reader, &asked, answer, fault)? {
            return writer.shutdown(Shutdown::Both);
        }
    }
    Ok(())
}

fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Asked>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let Some((name, value)) = line.split_once(':') else {
            return Ok(Some(Asked { method, path, headers, body: Vec::new() }));
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn read_body(reader: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}

/// Sends the answer as the fault lets it. False: the connection ends.
fn write(
    writer: &mut TcpStream,
    reader: &mut impl Read,
    asked: &Asked,
    mut answer: Answer,
    fault: Option<Fault>,
) -> io::Result<bool> {
    let mut ending = Ending::Whole;
    match fault {
        None | Some(Fault::IgnoreRange | Fault::CutUploadAfter(_)) => {}
        Some(Fault::Status(status, headers)) => {
            let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            answer = Answer { status, headers, body: Vec::new() };
        }
        Some(Fault::RedirectTo(host)) => {
            let location = format!("http://{host}{}", asked.path);
            answer = Answer { status: 307, headers: vec![("Location".into(), location)], body: Vec::new() };
        }
        Some(Fault::CutAfter(bytes)) => ending = Ending::Cut(bytes),
        Some(Fault::WrongBytes) => answer.body.iter_mut().for_each(|byte| *byte ^= 1),
        Some(Fault::LongerBy(bytes)) => answer.body.resize(answer.body.len() + bytes, 7),
        Some(Fault::Stall) => ending = Ending::Silence,
        Some(Fault::HangUp) => return Ok(false),
        Some(Fault::Garbage) => {
            writer.write_all(b"\x16\x03\x01 what is this?\r\n\r\n")?;
            return Ok(false);
        }
    }
    let mut head = format!("HTTP/1.1 {} Scripted\r\nContent-Length: {}\r\n", answer.status, answer.body.len());
    answer.headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    head.push_str("\r\n");
    writer.write_all(head.as_bytes())?;
    if asked.method == "HEAD" {
        return Ok(true);
    }
    match ending {
        Ending::Whole => writer.write_all(&answer.body).map(|()| true),
        Ending::Cut(bytes) => writer.write_all(&answer.body[..bytes.min(answer.body.len())]).map(|()| false),
        // Until the client goes away, which shows as an end or as an error.
        Ending::Silence => {
            let _ = reader.read(&mut [0]);
            Ok(false)
        }
    }
}

/// How the body of an answer goes.
enum Ending {
    Whole,
    Cut(usize),
    Silence,
}
