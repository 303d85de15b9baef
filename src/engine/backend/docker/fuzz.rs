//! What must hold for any bytes of a daemon? Each function checks one input.
//!
//! Deliberately elsewhere: the inputs and who runs them (`tests/fuzz`).

use http::StatusCode;
use serde_json::Value;

use super::{
    container_json,
    events::read_event,
    failure::{self, About},
    json_stream::JsonStream,
    log_lines::LogLines,
    multiplexed::Demultiplexer,
};
use crate::engine::domain::{LogItem, LogSource, Timestamp};

/// Docker's frames: the same output however the stream is cut, and never more than came in.
pub fn multiplexed(input: &[u8]) {
    let whole = demultiplexed(&[input]);
    assert!(whole.0.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() <= input.len());
    assert_eq!(joined(demultiplexed(&input.chunks(1).collect::<Vec<_>>())), joined(whole.clone()), "byte by byte");
    for cut in cuts(input) {
        assert_eq!(joined(demultiplexed(&cut)), joined(whole.clone()), "cut at {}", cut[0].len());
    }
}

type Output = (Vec<(LogSource, Vec<u8>)>, bool);

fn demultiplexed(pieces: &[&[u8]]) -> Output {
    let mut cutter = Demultiplexer::default();
    let mut output = Vec::new();
    for piece in pieces {
        match cutter.feed(piece) {
            Ok(frames) => output.extend(frames.into_iter().map(|frame| (frame.source, frame.bytes))),
            Err(_) => return (output, true),
        }
    }
    (output, false)
}

/// A stream that is refused gives nothing: how much came before the refusal depends on the chunks.
fn joined((output, refused): Output) -> (Vec<(LogSource, Vec<u8>)>, bool) {
    (if refused { Vec::new() } else { output }, refused)
}

/// Every way to cut a short input in two, some of a long one.
fn cuts(input: &[u8]) -> impl Iterator<Item = [&[u8]; 2]> {
    let step = input.len() / 64 + 1;
    (0..input.len())
        .step_by(step)
        .filter_map(move |at| input.split_at_checked(at))
        .map(|(first, second)| [first, second])
}

/// JSON objects one after another: the same objects however the stream is cut.
pub fn json_stream(input: &[u8]) {
    let (whole, refused) = objects(&[input]);
    let single = objects(&input.chunks(1).collect::<Vec<_>>());
    if !whole.iter().chain(&single.0).all(Value::is_object) {
        return; // Daemons send objects; a bare number has no end.
    }
    assert_eq!(single.1, refused, "byte by byte");
    assert!(refused || single.0 == whole, "byte by byte: {:?} instead of {whole:?}", single.0);
    for cut in cuts(input) {
        let parts = objects(&cut);
        assert_eq!(parts.1, refused, "cut at {}", cut[0].len());
        assert!(refused || parts.0 == whole, "cut at {}: {:?} instead of {whole:?}", cut[0].len(), parts.0);
    }
    for object in &whole {
        described(object);
    }
}

fn objects(pieces: &[&[u8]]) -> (Vec<Value>, bool) {
    let mut stream = JsonStream::default();
    let mut objects = Vec::new();
    for piece in pieces {
        match stream.feed(piece) {
            Ok(found) => objects.extend(found),
            Err(_) => return (objects, true),
        }
    }
    (objects, false)
}

/// An object of the daemon, whatever it was meant to be: read tolerantly, never with a panic, ids as they should be.
fn described(object: &Value) {
    for container in
        [container_json::row(object, Timestamp::ZERO).map(|(row, _)| row), container_json::from_inspect(object)]
            .into_iter()
            .flatten()
    {
        assert_eq!(container.id.to_string().len(), 64);
        assert!(container.ports.iter().all(|port| port.container_port > 0), "{:?}", container.ports);
    }
    // That it is no event is an answer too.
    drop(read_event(object));
}

/// A list or one object as the daemon answers it.
pub fn answers(input: &[u8]) {
    match serde_json::from_slice::<Value>(input) {
        Ok(Value::Array(items)) => items.iter().for_each(described),
        Ok(object) => described(&object),
        Err(_) => {}
    }
}

/// A terminal's log: the same entries however the stream is cut, and with framing no panic either.
pub fn log_lines(input: &[u8]) {
    let whole = log_entries(&[input]);
    for cut in cuts(input) {
        assert_eq!(log_entries(&cut), whole, "cut at {}", cut[0].len());
    }
    // That a stream without frames is refused is an answer too.
    drop(LogLines::Framed(Demultiplexer::default()).feed(input));
}

fn log_entries(pieces: &[&[u8]]) -> Vec<LogItem> {
    let mut reader = LogLines::Terminal(Vec::new());
    let mut items: Vec<LogItem> =
        pieces.iter().flat_map(|piece| reader.feed(piece).expect("bare bytes have no form")).collect();
    items.extend(reader.rest());
    items
}

/// The body of a refusal, and text of an error inside a stream: kept short.
pub fn refusal(input: &[u8]) {
    let error = failure::of_status(StatusCode::INTERNAL_SERVER_ERROR, input, About::Container);
    assert!(error.reason().len() <= 4200, "{} bytes", error.reason().len());
    let text = String::from_utf8_lossy(input);
    assert!(failure::in_stream(&text, About::Image).reason().len() <= 4200);
}
