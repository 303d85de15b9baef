//! What must hold for any bytes of a peer, a kernel file or an image's `/etc/passwd`? Each function checks one input.
//!
//! Deliberately elsewhere: layers (`unpack::fuzz`), the inputs and who runs them (`tests/fuzz`).

use super::{
    cgroup::{Mounts, Version},
    client::parse_request,
    namespaces::parse_ranges,
    protocol::{self, Asked, Decoder, ExitNote, Kind, Reply, VERSION},
    user::lookup,
};

type Frames = (Vec<(Kind, Vec<u8>)>, bool);

/// A socket of a monitor: the same frames however the stream is cut; requests print as they parse.
pub fn frames(input: &[u8]) {
    let whole = decode(&[input]);
    assert_eq!(decode(&input.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
    for at in [1, 3, 5, 8, input.len() / 2] {
        if let Some((first, second)) = input.split_at_checked(at) {
            assert_eq!(decode(&[first, second]), whole, "cut at {at}");
        }
    }
    for (kind, payload) in whole.0 {
        if let Ok(request) = parse_request(kind, &payload) {
            let mut bytes = Vec::new();
            protocol::put_json(&mut bytes, kind, &Asked { v: VERSION, request: request.clone() });
            let (frames, failed) = decode(&[&bytes]);
            assert!(!failed && frames.len() == 1);
            let again = frames.first().and_then(|(kind, payload)| parse_request(*kind, payload).ok());
            assert_eq!(again, Some(request));
        }
        // These come from the other side; that they do not parse is an answer too.
        drop((protocol::parse::<Reply>(&payload), protocol::parse::<ExitNote>(&payload)));
    }
}

/// The frames, and whether the stream was refused behind them.
fn decode(pieces: &[&[u8]]) -> Frames {
    let mut decoder = Decoder::default();
    let mut frames = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(_) => return (frames, true),
            }
        }
    }
    (frames, false)
}

/// `/proc/self/mountinfo` and `/etc/subuid`: no range is empty, and nothing overflows.
pub fn kernel_files(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mounts = Mounts::parse(&text);
    assert!(text.contains(" cgroup") || mounts.version() == Version::Absent, "{mounts:?} out of nothing");
    for (_, count) in parse_ranges(&text, Some("ann"), 1000) {
        assert!(count > 0);
    }
}

/// A wanted user on the first line, `/etc/passwd`, a blank line, `/etc/group`: a number is always found, and is itself.
pub fn users(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (wanted, files) = text.split_once('\n').unwrap_or((&text, ""));
    let (passwd, group) = files.split_once("\n\n").unwrap_or((files, ""));
    let found = lookup(passwd, group, wanted);
    if let Ok(number) = wanted.parse::<u32>() {
        assert_eq!(found.as_ref().map(|user| user.uid).ok(), Some(number), "{wanted:?}");
    }
    if let Ok(user) = found {
        assert!(user.groups.contains(&user.gid), "its own group is missing");
        assert!(!user.home.is_empty());
    }
}
