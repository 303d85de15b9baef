//! Do several clients share one process's input and output, each free to come and go?
//! Deliberately elsewhere: one more process in the container (`exec`), clients that do not read (`tests/streams`).

use wharf::engine::{
    backend::embedded::kernel::{Kernel, ProcessSession},
    domain::{AttachOptions, Flow, ProcessExit, SessionInput, SessionOutput},
};

use super::bench_container::{Bench, PATIENCE, collect};
use crate::support::need::needs_root;

fn join(bench: &Bench) -> ProcessSession {
    let options = AttachOptions { stdin: true, flow: Flow::Viewer, terminal: None };
    bench.kernel.attach(bench.run_dir(), &options, PATIENCE).unwrap()
}

fn type_in(session: &mut ProcessSession, text: &str) {
    session.input.send(SessionInput::Stdin(text.as_bytes().to_vec())).unwrap();
}

#[track_caller]
fn sees(session: &mut ProcessSession, text: &str) {
    assert_eq!(session.output.receive().unwrap(), Some(SessionOutput::Stdout(text.as_bytes().to_vec())));
}

#[test]
fn whoever_joins_may_type_and_leaving_takes_nothing_from_the_others() {
    if !needs_root() {
        return;
    }
    let mut bench = Bench::new(&["cat"]);
    bench.plan.process.interactive = true;
    let mut owner = bench.launch_attached();
    let (mut second, mut third) = (join(&bench), join(&bench));
    type_in(&mut second, "two\n");
    [&mut owner, &mut second, &mut third].into_iter().for_each(|session| sees(session, "two\n"));
    // One says that it is done, the other just goes.
    second.input.send(SessionInput::Eof).unwrap();
    third.input.hang_up_handle().hang_up();
    // Asked after both left, answered after both were heard.
    bench.kernel.pause(bench.run_dir(), PATIENCE).unwrap();
    bench.kernel.unpause(bench.run_dir(), PATIENCE).unwrap();
    type_in(&mut owner, "one\n");
    [&mut owner, &mut second].into_iter().for_each(|session| sees(session, "one\n"));
    owner.input.send(SessionInput::Eof).unwrap();
    assert_eq!(collect(owner).2, ProcessExit::Code(0));
}
