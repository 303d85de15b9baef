//! How is a stream of JSON objects cut into its objects? Wherever the chunks end and whatever divides them.
//!
//! Daemons send one object after another, with line ends, without, or with several in one chunk.
//! Deliberately elsewhere: what the objects mean (`events`, `transfer`).

use serde_json::Value;

use super::api::unreadable;
use crate::engine::domain::{Error, ErrorKind, Result};

/// One object of a stream is smaller than this, or the stream is not what it says.
const LARGEST: usize = 4 << 20;

/// Collects bytes until they make objects.
#[derive(Debug, Default)]
pub struct JsonStream {
    pending: Vec<u8>,
}

impl JsonStream {
    /// Takes in the next bytes; returns the objects they complete, in order.
    ///
    /// # Errors
    /// `Protocol` when the bytes are no JSON or one object never ends; the stream is of no use then.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Value>> {
        self.pending.extend_from_slice(bytes);
        let mut objects = Vec::new();
        let mut read = serde_json::Deserializer::from_slice(&self.pending).into_iter::<Value>();
        let mut used = 0;
        for object in &mut read {
            match object {
                Ok(object) => objects.push(object),
                Err(error) if error.is_eof() => break,
                Err(error) => return Err(unreadable(&error)),
            }
        }
        used += read.byte_offset();
        self.pending.drain(..used.min(self.pending.len()));
        if self.pending.len() > LARGEST {
            return Err(Error::new(ErrorKind::Protocol, "the daemon sent an object that does not end"));
        }
        Ok(objects)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As dockerd, Podman and proxies divide them, with letters of several bytes.
    const RECORDED: &str = "{\"status\":\"Pulling from bb\",\"id\":\"1\"}\r\n{\"status\":\"größe \\u00e9\",\"n\":{\"a\":[1,2]}}{\"id\":\"x\"}\n\n{}";

    fn expected() -> Vec<Value> {
        vec![
            json!({"status": "Pulling from bb", "id": "1"}),
            json!({"status": "größe é", "n": {"a": [1, 2]}}),
            json!({"id": "x"}),
            json!({}),
        ]
    }

    #[test]
    fn every_way_to_cut_the_stream_gives_the_same_objects() {
        let bytes = RECORDED.as_bytes();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let mut stream = JsonStream::default();
                let mut objects = Vec::new();
                for piece in [&bytes[..first], &bytes[first..second], &bytes[second..]] {
                    objects.extend(stream.feed(piece).unwrap());
                }
                assert_eq!(objects, expected(), "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn single_bytes_are_enough() {
        let mut stream = JsonStream::default();
        let objects: Vec<Value> = RECORDED.bytes().flat_map(|byte| stream.feed(&[byte]).unwrap()).collect();
        assert_eq!(objects, expected());
    }

    #[test]
    fn what_is_no_json_is_an_error_and_not_a_panic() {
        assert_eq!(JsonStream::default().feed(b"<html>").unwrap_err().kind(), ErrorKind::Protocol);
        assert_eq!(JsonStream::default().feed(b"{\"a\":\xff\"}").unwrap_err().kind(), ErrorKind::Protocol);
        let mut endless = JsonStream::default();
        let error = (0..20).find_map(|_| endless.feed(&[b'['; 1 << 19]).err());
        assert!(error.is_some());
    }
}
