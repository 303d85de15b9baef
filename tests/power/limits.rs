//! Do limits, freezing and the report of a lack of memory work where control groups are version 2 alone?
//! Deliberately elsewhere: the same on this machine, whatever its version is (`engine::surroundings`).

use super::machine::{BOOT, Machine};

/// Prints `@name`, what the command printed, and its exit code if that is not zero.
const SCRIPT: &str = r#"
say() { echo "@$1"; shift; "$@" 2>/tmp/error; code=$?; cat /tmp/error; [ $code = 0 ] || echo "code $code"; }
group() { cat "/sys/fs/cgroup/wharf-$(wharf ps -q --no-trunc --filter name=limited)/$1"; }
# A container of the demo's image with the machine's own tools.
run() { wharf run -v /bin:/tools:ro "$@"; }
wharf demo >/dev/null 2>&1; wharf rm -f $(wharf ps -aq) >/dev/null 2>&1
say groups cat /sys/fs/cgroup/cgroup.controllers
say start run -d -q --name limited -m 64m --cpus 0.5 --pids-limit 17 wharf/demo:latest /tools/busybox sleep 1000
say memory group memory.max
say cpus group cpu.max
say processes group pids.max
say pause wharf pause limited
say frozen group cgroup.freeze
say state wharf ps --format json
say unpause wharf unpause limited
say exec wharf exec limited /tools/busybox echo inside
say forks wharf exec limited /tools/busybox sh -c 'i=0; while [ $i -lt 30 ]; do /tools/busybox sleep 100 & i=$((i+1)); done'
say again wharf pause limited
say kill wharf kill limited
say wait wharf wait limited
say memory-hog run --name hog -m 16m wharf/demo:latest /tools/busybox dd if=/dev/zero of=/dev/null bs=200M count=1
say why wharf ps -a --format json --filter name=hog
say remove wharf rm limited hog
say left sh -c 'ls -d /sys/fs/cgroup/wharf-* 2>/dev/null; grep wharf /proc/mounts; wharf ps -aq; true'
say end true
"#;

#[test]
fn limits_hold_under_version_2_control_groups_alone() {
    let Some(machine) = Machine::new() else { return };
    let printed = machine.boot(SCRIPT).off(BOOT);
    let said = |name: &str| {
        let after = printed.iter().skip_while(|line| **line != format!("@{name}")).skip(1);
        let lines: Vec<&str> = after.take_while(|line| !line.starts_with('@')).map(String::as_str).collect();
        lines.join("\n")
    };
    let all = printed.join("\n");
    for controller in ["cpu", "memory", "pids"] {
        assert!(said("groups").split(' ').any(|name| name == controller), "{all}");
    }
    assert_eq!(said("memory"), "67108864", "{all}");
    assert_eq!(said("cpus"), "50000 100000", "{all}");
    assert_eq!(said("processes"), "17", "{all}");
    assert_eq!(said("frozen"), "1", "{all}");
    assert!(said("state").contains(r#""status":"paused""#), "{all}");
    assert_eq!(said("exec"), "inside", "{all}");
    assert!(said("forks").contains("can't fork"), "{all}");
    assert_eq!(said("wait"), "137", "{all}");
    assert!(said("memory-hog").ends_with("code 137"), "{all}");
    assert!(said("why").contains(r#""oom_killed":true"#), "{all}");
    assert_eq!(said("left"), "", "{all}");
}
