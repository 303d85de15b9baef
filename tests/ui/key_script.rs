//! Can the main job be done without leaving the keyboard? Pull, run, logs, inspect, stop, remove and push, typed into
//! the binary on a real terminal, on the embedded engine, against a real registry.
//! Deliberately elsewhere: the same over the fake engine (`over_the_fake`).

use crate::support::{
    need::{needs_image, needs_registry, needs_root},
    screen::Size,
    store::Store,
};

#[test]
fn the_main_job_is_done_by_keys_alone() {
    if !needs_root() {
        return;
    }
    let (Some(registry), Some(image)) = (needs_registry(), needs_image("bb:1")) else { return };
    let pushed = format!("{registry}/typed-by-keys:1");
    let store = Store::new();
    let mut screen = store.screen(&["ui"], Size { columns: 100, rows: 30 });
    screen.wait_for("No containers on the embedded engine");
    screen.type_keys("p");
    screen.wait_for("wharf pull");
    screen.type_keys(&format!("{image},enter"));
    screen.wait_for("pulled");
    screen.type_keys("c");
    screen.wait_for("create a container");
    screen.type_keys(&format!("{image},tab,web,tab"));
    screen.send(b"sh -c \"trap 'exit 0' TERM; echo hello; while :; do sleep 0.1; done\"");
    screen.type_keys("enter");
    screen.wait_for("● web");
    screen.wait_for("1 line");
    screen.type_keys(":");
    screen.send(b"exec web sh -c \"echo said by exec; exit 3\"\r");
    screen.wait_for("said by exec");
    screen.wait_for("[exited 3; enter comes back]");
    screen.type_keys("enter");
    screen.wait_for("back from web");
    screen.type_keys("i");
    screen.wait_for("Path  sh");
    screen.type_keys("esc,1");
    screen.wait_for("1 line");
    screen.type_keys("s");
    screen.wait_for("exited 0");
    screen.type_keys("ctrl-d");
    screen.wait_for("remove web?");
    screen.type_keys("tab,enter");
    screen.wait_for("No containers");
    screen.type_keys("f3");
    screen.wait_for("SIZE");
    screen.type_keys("t");
    screen.wait_for("wharf tag");
    screen.type_keys(&format!("{pushed},enter"));
    screen.wait_for("tagged");
    screen.type_keys("u");
    screen.wait_for("wharf push");
    screen.type_keys(&format!("ctrl-u,{pushed},enter"));
    screen.wait_for("pushed");
    screen.type_keys("f2,q");
    assert!(screen.wait_exit().success());
    assert_eq!(screen.left_set(), Vec::<&str>::new());
    store.ok(&["rmi", &pushed]);
    store.ok(&["pull", "-q", &pushed]);
}
