//! Does the registry client keep its promises, over real sockets?
//! Deliberately elsewhere: its pure parts (unit tests beside them), what the store makes of the bytes.

mod real;
