//! What does a credential helper (`docker-credential-NAME`) know about a registry?
//!
//! The protocol of docker-credential-helpers: `get`, the server's address on standard input, JSON on standard output.
//! Deliberately elsewhere: which helper is for which registry (`credentials`).

use std::{
    io::{self, Read, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use serde::Deserialize;

use super::secret::{Credential, Secret};
use crate::{
    engine::domain::{Error, ErrorKind, Result},
    text::SafeText,
};

/// Helpers may have to ask their user to unlock a key ring.
const DEADLINE: Duration = Duration::from_secs(30);
/// A child cannot be waited for with a deadline on every system.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// No helper has more to say.
const OUTPUT_LIMIT: u64 = 256 << 10;

/// No `Debug`: it holds a secret.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

/// Asks the helper called `name`, looked for in `folders`, for the credential of `server`. `None` when it has none.
///
/// # Errors
/// `Unauthorized` when the helper's name is not one, or the helper is missing, fails, or does not answer in time.
pub fn get(folders: &[PathBuf], name: &str, server: &str) -> Result<Option<Credential>> {
    let failed = |why: String| {
        Error::new(ErrorKind::Unauthorized, format!("credential helper {}: {why}", shown(name)))
            .remedy("mend the helper, or name another in docker's config.json (credsStore, credHelpers)")
    };
    // A name is looked up in PATH: anything but a plain word could name any program.
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        return Err(failed("its name may hold only a-z, 0-9 and '-'".into()));
    }
    let file = format!("docker-credential-{name}{}", std::env::consts::EXE_SUFFIX);
    let program = folders.iter().map(|folder| folder.join(&file)).find(|path| path.is_file());
    let program = program.ok_or_else(|| failed(format!("{file} is not in PATH")))?;
    let mut child = Command::new(&program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read its input may still answer.
        let _ = stdin.write_all(server.as_bytes());
    }
    let (succeeded, output) = finished(&mut child).map_err(|error| failed(error.to_string()))?;
    if !succeeded {
        // Helpers say "credentials not found in native keychain" and fail; every one in its own words.
        let text = String::from_utf8_lossy(&output).to_ascii_lowercase();
        return if text.contains("not found") {
            Ok(None)
        } else {
            Err(failed(format!("it failed: {}", shown(text.trim()))))
        };
    }
    let answer: Answer = serde_json::from_slice(&output).map_err(|_| failed("its answer is not understood".into()))?;
    Ok(match (answer.username.as_str(), answer.secret.as_str()) {
        (_, "") => None,
        ("<token>", token) => Some(Credential::IdentityToken(Secret::new(token))),
        (user, password) => Some(Credential::Password { user: user.to_owned(), password: Secret::new(password) }),
    })
}

/// Waits for the end with a deadline; a helper that outlives it is killed. Its output may stay open longer than itself,
/// in the hands of an agent it started, so that is waited for with the same deadline.
fn finished(child: &mut Child) -> io::Result<(bool, Vec<u8>)> {
    let deadline = Instant::now() + DEADLINE;
    let too_late = || io::Error::other(format!("no answer in {} s", DEADLINE.as_secs()));
    let stdout = child.stdout.take();
    let (sender, output) = mpsc::sync_channel(1);
    thread::Builder::new().name("credential-helper".into()).spawn(move || {
        let mut output = Vec::new();
        let outcome = stdout.map(|stdout| stdout.take(OUTPUT_LIMIT).read_to_end(&mut output));
        // Nobody listens any more once the deadline has passed.
        let _ = sender.send(outcome.unwrap_or(Ok(0)).map(|_| output));
    })?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Err(too_late());
        }
        thread::sleep(LOOK_AGAIN);
    };
    let output = output.recv_timeout(deadline.saturating_duration_since(Instant::now())).map_err(|_| too_late())??;
    Ok((status.success(), output))
}

fn shown(text: &str) -> String {
    SafeText::from_untrusted(text).truncate_end(200).as_str().to_owned()
}

#[cfg(test)]
mod tests;
