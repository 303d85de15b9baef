//! How is a test shown to catch the fault it is for? By running it on the faulty variant, in a process of its own.
//!
//! A checker that finds a deadlock may abort, and a failed run may spoil the next one, so twins never share a process
//! with anything. Deliberately elsewhere: the variants, beside their models.

use std::{
    env,
    process::{self, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// Which mechanism a model runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    Ours,
    /// The original fault.
    Twin,
}

/// How long a twin may take. Its fault may leave it hanging, or without the memory to say what was wrong.
const PATIENCE: Duration = Duration::from_secs(300);

/// Set where the fault is meant to happen.
const TWIN: &str = "WHARF_TEST_TWIN";

/// For the test `test`, by its full name: runs `model` on our mechanism, then itself again on the twin, which must fail
/// saying one of `complaints`.
///
/// # Panics
/// When our mechanism fails, and when the twin does not.
#[track_caller]
pub fn holds_and_catches_its_twin(test: &str, complaints: &[&str], model: impl Fn(Variant)) {
    let twin = env::var(TWIN);
    if twin.as_deref() == Ok(test) {
        thread::spawn(|| {
            let (_never, end) = mpsc::channel::<()>();
            // Nothing comes: the time is over.
            let _ = end.recv_timeout(PATIENCE);
            process::abort();
        });
        model(Variant::Twin);
        return;
    }
    model(Variant::Ours);
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(TWIN, test);
    let ended = child.stdin(Stdio::null()).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(said.contains("running 1 test"), "{test} is not this test's name:\n{said}");
    assert!(!ended.status.success(), "{test} lets its twin pass: it would not notice the original fault");
    assert!(complaints.iter().any(|wanted| said.contains(wanted)), "the twin of {test} fails otherwise:\n{said}");
    let name = thread::current().name().unwrap_or_default().to_owned();
    report(&format!("{name}: twin caught"));
}

/// A line for whoever reads the log of a passing run, past the harness that captures what tests print.
pub fn report(line: &str) {
    use std::io::Write as _;
    // Without a log nobody misses the line.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
