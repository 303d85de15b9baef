//! When do the keys of an attached person mean "leave"? Ctrl-p, then Ctrl-q, as in Docker.
//!
//! Deliberately elsewhere: reading keys (`input`).

const CTRL_P: u8 = 0x10;
const CTRL_Q: u8 = 0x11;

/// Finds the two keys in a stream of bytes. Ctrl-p is held back until the next byte shows what it is.
#[derive(Debug, Default)]
pub struct DetachKeys {
    held: bool,
}

impl DetachKeys {
    /// The bytes to pass on, and whether the person leaves after them; the rest of `typed` is dropped then.
    pub fn filter(&mut self, typed: &[u8]) -> (Vec<u8>, bool) {
        let mut passed = Vec::with_capacity(typed.len() + 1);
        for &byte in typed {
            match (std::mem::take(&mut self.held), byte) {
                (true, CTRL_Q) => return (passed, true),
                (true, CTRL_P) => {
                    passed.push(CTRL_P);
                    self.held = true;
                }
                (true, other) => passed.extend([CTRL_P, other]),
                (false, CTRL_P) => self.held = true,
                (false, other) => passed.push(other),
            }
        }
        (passed, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ctrl_p_ctrl_q_leaves_even_when_it_comes_in_two_reads() {
        let mut keys = DetachKeys::default();
        assert_eq!(keys.filter(b"ls\r\x10\x11x"), (b"ls\r".to_vec(), true));
        let mut keys = DetachKeys::default();
        assert_eq!(keys.filter(b"\x10"), (Vec::new(), false));
        assert_eq!(keys.filter(b"\x11"), (Vec::new(), true));
    }

    #[test]
    fn any_other_key_after_ctrl_p_arrives_with_it() {
        let mut keys = DetachKeys::default();
        assert_eq!(keys.filter(b"\x10a\x10\x10\x11"), (b"\x10a\x10".to_vec(), true));
        let mut keys = DetachKeys::default();
        assert_eq!(keys.filter(b"\x11\x10"), (b"\x11".to_vec(), false));
        assert_eq!(keys.filter(b"b"), (b"\x10b".to_vec(), false));
    }
}
