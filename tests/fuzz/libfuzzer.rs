//! How do the targets run under libFuzzer? One program for all; `WHARF_FUZZ_TARGET` names the target.
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz any tests/fuzz/corpus/TARGET`; README.md tells the rest.
//! Deliberately elsewhere: the targets themselves (`targets`), the replay that CI runs (`mod.rs`).

#![no_main]

#[macro_use]
mod targets;

use std::{env, sync::OnceLock};

use targets::{NAMES, TARGETS};

libfuzzer_sys::fuzz_target!(|input: &[u8]| check()(input));

fn check() -> fn(&[u8]) {
    static CHECK: OnceLock<fn(&[u8])> = OnceLock::new();
    *CHECK.get_or_init(|| {
        let name = env::var("WHARF_FUZZ_TARGET").unwrap_or_default();
        let target = TARGETS.iter().find(|target| target.name == name);
        target.unwrap_or_else(|| panic!("WHARF_FUZZ_TARGET={name}: there are {}", NAMES.join(", "))).check
    })
}
