//! When do the keys of an attached person mean "leave"? Ctrl-p, then Ctrl-q, as in Docker; Ctrl-C where it may not
//! mean anything else.
//!
//! Deliberately elsewhere: reading keys (`input`).

const CTRL_C: u8 = 0x03;
const CTRL_P: u8 = 0x10;
const CTRL_Q: u8 = 0x11;

/// Which keys leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// All of them are for the process.
    NotByKeys,
    CtrlPCtrlQ,
    CtrlPCtrlQOrCtrlC,
}

/// Finds the keys in a stream of bytes. Ctrl-p is held back until the next byte shows what it is.
#[derive(Debug)]
pub struct DetachKeys {
    leave: Leave,
    held: bool,
}

impl DetachKeys {
    #[must_use]
    pub fn new(leave: Leave) -> Self {
        Self { leave, held: false }
    }

    /// The bytes to pass on, and whether the person leaves after them; the rest of `typed` is dropped then.
    pub fn filter(&mut self, typed: &[u8]) -> (Vec<u8>, bool) {
        if self.leave == Leave::NotByKeys {
            return (typed.to_vec(), false);
        }
        let mut passed = Vec::with_capacity(typed.len() + 1);
        for &byte in typed {
            match (std::mem::take(&mut self.held), byte) {
                (true, CTRL_Q) => return (passed, true),
                (_, CTRL_C) if self.leave == Leave::CtrlPCtrlQOrCtrlC => return (passed, true),
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
        let mut keys = DetachKeys::new(Leave::CtrlPCtrlQ);
        assert_eq!(keys.filter(b"ls\r\x10\x11x"), (b"ls\r".to_vec(), true));
        let mut keys = DetachKeys::new(Leave::CtrlPCtrlQ);
        assert_eq!(keys.filter(b"\x10"), (Vec::new(), false));
        assert_eq!(keys.filter(b"\x11"), (Vec::new(), true));
    }

    #[test]
    fn ctrl_c_leaves_only_where_it_may() {
        assert_eq!(DetachKeys::new(Leave::CtrlPCtrlQOrCtrlC).filter(b"ls\x03x"), (b"ls".to_vec(), true));
        assert_eq!(DetachKeys::new(Leave::CtrlPCtrlQ).filter(b"\x03"), (b"\x03".to_vec(), false));
        assert_eq!(DetachKeys::new(Leave::NotByKeys).filter(b"\x10\x11\x03"), (b"\x10\x11\x03".to_vec(), false));
    }

    #[test]
    fn any_other_key_after_ctrl_p_arrives_with_it() {
        let mut keys = DetachKeys::new(Leave::CtrlPCtrlQ);
        assert_eq!(keys.filter(b"\x10a\x10\x10\x11"), (b"\x10a\x10".to_vec(), true));
        let mut keys = DetachKeys::new(Leave::CtrlPCtrlQ);
        assert_eq!(keys.filter(b"\x11\x10"), (b"\x11".to_vec(), false));
        assert_eq!(keys.filter(b"b"), (b"\x10b".to_vec(), false));
    }
}
