//! Does any input break what a parser promises? Replays every input in `corpus`, then tries as many changed ones as
//! `WHARF_FUZZ_EXECUTIONS` says (a few thousand), always the same. Run it with
//! `cargo test --features fuzzing --test fuzz [TARGET]`; README.md beside this file tells the rest.
//! Deliberately elsewhere: the checks (`targets`, and `fuzz.rs` beside private parsers), libFuzzer (`libfuzzer.rs`).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected should stop loudly, where it stands"
)]

mod corpus;
mod mutate;
mod replay;
#[cfg(target_os = "linux")]
mod second_opinions;
#[path = "../support/split_mix.rs"]
mod split_mix;
#[macro_use]
mod targets;

/// One test for each target, and the list of them all.
macro_rules! tests {
    ($($(#[$on:meta])* $name:ident: $check:expr, $share:expr;)*) => {
        $(
            $(#[$on])*
            #[test]
            fn $name() {
                let target = targets::TARGETS.iter().find(|target| target.name == stringify!($name)).unwrap();
                replay::replay(target);
            }
        )*
    };
}

every_target!(tests);

#[test]
fn every_folder_of_the_corpus_belongs_to_a_target_and_every_target_has_one() {
    let all = targets::NAMES;
    let folders = corpus::folders();
    assert!(folders.iter().all(|folder| all.contains(&folder.as_str())), "{folders:?} against {all:?}");
    assert!(all.iter().all(|name| corpus::inputs(name).len() >= 2), "a target has fewer than two inputs: {all:?}");
}

/// The harness itself: a fault that needs two numbers to be large at once is found, and made short.
#[test]
fn a_planted_fault_is_found_and_its_input_made_short() {
    fn faulty(input: &[u8]) {
        let text = String::from_utf8_lossy(input);
        if let Some((left, right)) = text.split_once(':')
            && let (Ok(left), Ok(right)) = (left.parse::<u8>(), right.trim_end().parse::<i64>())
        {
            assert!(left <= 200 || right <= 1000, "planted");
        }
    }
    let seeds = [b"17:4\n".to_vec(), b"80:443 and some words that do not matter\n".to_vec()];
    let failure = replay::search(&faulty, &seeds, 200_000).unwrap_err();
    assert!(failure.message.contains("planted"), "{failure:?}");
    assert!(failure.input.len() <= 8, "{failure:?}");
}
