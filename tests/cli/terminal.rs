//! Is a container with a terminal like a shell of one's own? Keys, sizes, leaving and coming back, and our terminal as
//! it was afterwards.
//! Deliberately elsewhere: without a terminal (`running.rs`), the full-screen interface (`tests/ui`).

use super::bench::on_each_engine;
use crate::support::screen::Size;

#[test]
fn a_shell_in_a_container_takes_keys_and_sizes_and_passes_its_exit_code() {
    on_each_engine(|bench| {
        let mut screen =
            bench.screen(&["run", "--rm", "-it", "--network", "none", "-e", "PS1=box$ ", &bench.image, "sh"]);
        screen.wait_for("box$");
        screen.send(b"echo $((6*7))\r");
        screen.wait_for("\n42");
        screen.send(b"stty size\r");
        screen.wait_for("24 80");
        screen.resize(Size { rows: 30, columns: 100 });
        screen.send(b"sleep 0.2; stty size\r");
        screen.wait_for("30 100");
        screen.send(b"exit 9\r");
        assert_eq!(screen.wait_exit().exit_code(), 9);
    });
}

#[test]
fn ctrl_p_ctrl_q_leaves_the_container_running_and_attach_comes_back() {
    on_each_engine(|bench| {
        let name = bench.name("shell");
        let mut screen =
            bench.screen(&["run", "-it", "--network", "none", "--name", &name, "-e", "PS1=box$ ", &bench.image, "sh"]);
        screen.wait_for("box$");
        screen.send(b"x=kept\r");
        screen.send(&[0x10]);
        screen.send(&[0x11]);
        assert_eq!(screen.wait_exit().exit_code(), 0);
        assert_eq!(bench.status(&name), "running");
        let mut again = bench.screen(&["attach", &name]);
        again.send(b"echo $x\r");
        again.wait_for("kept");
        again.send(b"exit 4\r");
        assert_eq!(again.wait_exit().exit_code(), 4);
        assert_eq!(bench.ok(&["wait", &name]), "4");
    });
}

#[test]
fn the_terminal_is_as_before_after_a_run() {
    on_each_engine(|bench| {
        let line = format!(
            "before=$(stty -g); {} run --rm -it --network none {} true; test \"$before\" = \"$(stty -g)\" && echo same",
            crate::support::command::wharf_binary().display(),
            bench.image
        );
        let mut screen = bench.shell(&line);
        screen.wait_for("same");
        assert_eq!(screen.wait_exit().exit_code(), 0);
    });
}

#[test]
fn a_terminal_is_refused_when_input_is_none() {
    on_each_engine(|bench| {
        let ended = bench.ends_with(125, &["run", "--rm", "-it", "--network", "none", &bench.image, "true"]);
        assert!(ended.stderr.contains("not a TTY"), "{ended}");
    });
}
