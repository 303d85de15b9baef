//! Does a container under its monitor start, print, stop, die and vanish as promised?
//! Deliberately elsewhere: making one (`bench_container`).

use wharf::engine::domain::ProcessExit;

use super::bench_container::Bench;
use crate::support::need::needs_root;

#[test]
fn a_command_runs_prints_and_its_exit_is_recorded() {
    if !needs_root() {
        return;
    }
    let bench = Bench::shell("echo out; echo err >&2; exit 7");
    assert_eq!(bench.run(), ("out\n".into(), "err\n".into(), ProcessExit::Code(7)));
    assert_eq!(bench.exit().code, Some(7));
    assert_eq!(bench.residue(), Vec::<String>::new());
}
