//! Does a person hear of containers that end badly by themselves, on a real engine?
//! Deliberately elsewhere: which ends are told of (unit tests of `ui::ends`), all else around them (`over_the_fake`).

use crate::support::{
    need::{needs_image, needs_root},
    screen::Size,
    store::Store,
};

#[test]
fn what_ends_badly_by_itself_is_told_and_what_somebody_ended_is_not() {
    if !needs_root() {
        return;
    }
    let Some(image) = needs_image("bb:1") else { return };
    let store = Store::new();
    let verb = |line: &str| store.ok(&line.replace("IMAGE", &image).split(' ').collect::<Vec<_>>());
    verb("pull -q IMAGE");
    let mut screen = store.screen(&["ui"], Size::STANDARD);
    screen.wait_for("No containers");
    // Another screen: the rows of containers do not show what happens here.
    screen.type_keys("f3");
    screen.wait_for("bb:1");
    for name in ["xa", "xb"] {
        verb(&format!("run -d --network none --name {name} IMAGE sleep 1000"));
    }
    verb("kill xa");
    verb("stop -t 0 xb");
    verb("run -d --network none --name xc IMAGE ls /nowhere");
    screen.wait_for("xc exited (1)");
    assert!(!String::from_utf8_lossy(&screen.output()).contains("xa exited"));
    assert!(!String::from_utf8_lossy(&screen.output()).contains("xb exited"));
    screen.type_keys("q,q");
    assert!(screen.wait_exit().success());
}

#[test]
fn whoever_runs_out_of_memory_is_told_of_as_such() {
    if !needs_root() {
        return;
    }
    let Some(image) = needs_image("bb:1") else { return };
    let store = Store::new();
    store.ok(&["pull", "-q", &image]);
    let mut screen = store.screen(&["ui"], Size::STANDARD);
    screen.wait_for("No containers");
    store.ok(&["run", "-d", "--network", "none", "-m", "8m", "--name", "xa", &image, "tail", "/dev/zero"]);
    screen.wait_for("xa ran out of memory");
    screen.type_keys("q");
    assert!(screen.wait_exit().success());
}
