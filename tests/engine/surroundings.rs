//! What does a process see inside its container? The user, files, limits and walls that were asked for.
//! Deliberately elsewhere: how it lives and dies (`runtime`).

use std::fs;

use wharf::engine::{
    backend::embedded::{kernel::Kernel, launch::ResolvedMount},
    domain::{Cpus, Mount, MountKind, NetworkMode, ProcessExit, ReadOnly, Signal, Size},
};

use super::bench_container::{Bench, PATIENCE};
use crate::support::need::needs_root;

fn printed(bench: &Bench) -> String {
    let (stdout, stderr, exit) = bench.run();
    assert_eq!(exit, ProcessExit::Code(0), "stdout {stdout:?}, stderr {stderr:?}");
    stdout
}

#[test]
fn capabilities_are_the_fourteen_of_docker_and_none_for_an_ordinary_user() {
    if !needs_root() {
        return;
    }
    let mut bench = Bench::new(&["grep", "^Cap", "/proc/self/status"]);
    let wanted = "CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\n\
                  CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\n";
    assert_eq!(printed(&bench), wanted);
    bench.plan.process.user = Some("web".into());
    let wanted = "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n\
                  CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\n";
    assert_eq!(printed(&bench), wanted);
}

#[test]
fn the_user_and_its_groups_come_from_the_container() {
    if !needs_root() {
        return;
    }
    let mut bench = Bench::new(&["id"]);
    bench.plan.process.user = Some("web".into());
    assert_eq!(printed(&bench).trim(), "uid=33(web) gid=34(web) groups=34(web),35(extra)");
    bench.plan.process.user = Some("4711:99".into());
    assert_eq!(printed(&bench).trim(), "uid=4711 gid=99 groups=99");
}

#[test]
fn environment_hostname_directory_and_names_are_set() {
    if !needs_root() {
        return;
    }
    let mut bench = Bench::shell(
        "hostname; pwd; echo $HOME $HOSTNAME $COLOUR; cat /etc/hostname; grep -c localhost /etc/hosts; env | wc -l",
    );
    bench.plan.process.workdir = "/made/for/you".into();
    // PATH COLOUR HOSTNAME HOME, and the shell's PWD, SHLVL.
    assert_eq!(printed(&bench), "bench\n/made/for/you\n/root bench blue\nbench\n2\n6\n");
}

#[test]
fn the_kernel_interfaces_that_docker_hides_are_hidden() {
    if !needs_root() {
        return;
    }
    let script = "cat /proc/kcore | head -c 1 | wc -c; ls /sys/firmware | wc -l; echo 1 2>/dev/null > /proc/sys/kernel/panic || echo refused; \
                  grep -q ' ro,' /proc/self/mountinfo && echo some; ls /proc | grep -c '^1$'";
    assert_eq!(printed(&Bench::shell(script)), "0\n0\nrefused\nsome\n1\n");
}

#[test]
fn the_network_is_loopback_alone_or_the_hosts() {
    if !needs_root() {
        return;
    }
    let mut bench = Bench::shell("ls /sys/class/net; cat /sys/class/net/lo/operstate /sys/class/net/lo/flags");
    let alone = printed(&bench);
    assert!(alone.starts_with("lo\n") && alone.ends_with("0x9\n"), "up and loopback: {alone:?}");
    bench.plan.network = NetworkMode::Host;
    let hosts = printed(&bench);
    assert_eq!(hosts.lines().count() - 2, fs::read_dir("/sys/class/net").unwrap().count(), "{hosts:?}");
}

#[test]
fn a_read_only_root_has_writable_mounts_where_asked() {
    if !needs_root() {
        return;
    }
    let mut bench = Bench::shell(
        "touch /x 2>/dev/null || echo root; touch /ro/x 2>/dev/null || echo ro; touch /rw/y /scratch/z && cat /ro/given",
    );
    let (ro, rw) = (bench.root().join("ro"), bench.root().join("rw"));
    fs::create_dir(&ro).unwrap();
    fs::create_dir(&rw).unwrap();
    fs::write(ro.join("given"), "given\n").unwrap();
    let bind = |source: &std::path::Path, target: &str, read_only| ResolvedMount {
        mount: Mount { kind: MountKind::Bind { source: source.to_owned() }, target: target.into(), read_only },
        source: Some(source.to_owned()),
    };
    bench.plan.read_only = true;
    bench.plan.mounts = vec![
        bind(&ro, "/ro", ReadOnly::Yes),
        bind(&rw, "/rw", ReadOnly::No),
        ResolvedMount {
            mount: Mount {
                kind: MountKind::Tmpfs { size: Some(Size::from_mib(1)), mode: None },
                target: "/scratch".into(),
                read_only: ReadOnly::No,
            },
            source: None,
        },
    ];
    assert_eq!(printed(&bench), "root\nro\ngiven\n");
    assert!(rw.join("y").exists());
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn limits_are_set_or_the_starter_is_told() {
    if !needs_root() {
        return;
    }
    let mut bench = Bench::new(&["sleep", "1000"]);
    bench.plan.limits.memory = Some(Size::from_mib(64));
    bench.plan.limits.cpus = Some(Cpus::from_nanos(500_000_000));
    bench.plan.limits.pids = Some(17);
    let launched = bench.launch().unwrap();
    let read = |candidates: [&str; 2]| {
        candidates.iter().find_map(|file| {
            let file = file.replace("ID", bench.plan.id.as_str());
            fs::read_to_string(format!("/sys/fs/cgroup/{file}")).ok()
        })
    };
    let mut told = launched.warnings.len();
    for (candidates, wanted) in [
        (["memory/wharf-ID/memory.limit_in_bytes", "wharf-ID/memory.max"], "67108864"),
        (["cpu/wharf-ID/cpu.cfs_quota_us", "wharf-ID/cpu.max"], "50000"),
        (["pids/wharf-ID/pids.max", "wharf-ID/pids.max"], "17"),
    ] {
        match read(candidates) {
            Some(value) => assert!(value.starts_with(wanted), "{candidates:?}: {value}"),
            None => told -= 1,
        }
    }
    assert_eq!(told, 0, "{:?}", launched.warnings);
    bench.kernel.kill(bench.run_dir(), Signal::KILL, PATIENCE).unwrap();
}

#[test]
fn running_out_of_memory_is_said() {
    if !needs_root() {
        return;
    }
    let mut bench = Bench::shell("dd if=/dev/zero of=/dev/null bs=200M count=1");
    bench.plan.limits.memory = Some(Size::from_mib(16));
    let launched = bench.launch().unwrap();
    if launched.warnings.is_empty() {
        assert!(bench.kernel.wait(bench.run_dir(), PATIENCE).unwrap());
        assert!(bench.exit().oom_killed, "{:?}", bench.exit());
    }
}

#[test]
fn two_hundred_layers_make_one_root() {
    if !needs_root() {
        return;
    }
    let mut bench = Bench::shell("ls /layers | wc -l");
    let deep = bench.root().join("a-rather-long-name-for-a-directory-of-layers-so-that-option-strings-overflow");
    for number in 0..200 {
        let layer = deep.join(format!("{number:064}"));
        fs::create_dir_all(layer.join("layers")).unwrap();
        fs::write(layer.join("layers").join(number.to_string()), "").unwrap();
        bench.plan.rootfs.lowers.insert(0, layer);
    }
    assert_eq!(printed(&bench), "200\n");
    assert_eq!(bench.residue(), Vec::<String>::new());
}

#[test]
fn nothing_of_the_engine_is_open_inside() {
    if !needs_root() {
        return;
    }
    // 0, 1, 2 and the directory that ls reads.
    assert_eq!(printed(&Bench::new(&["ls", "/proc/self/fd"])), "0\n1\n2\n3\n");
}

#[test]
fn the_engines_own_program_is_read_only_where_a_container_could_reach_it() {
    if !needs_root() {
        return;
    }
    let bench = Bench::new(&["sleep", "1000"]);
    let monitor = bench.launch().unwrap().state.monitor.pid;
    let written = fs::File::options().write(true).open(format!("/proc/{monitor}/exe"));
    let kind = written.unwrap_err().kind();
    // Not "busy", which ends with the process: a file system that nobody can write, or a sealed copy.
    assert!(matches!(kind, std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied), "{kind:?}");
    bench.kernel.kill(bench.run_dir(), Signal::KILL, PATIENCE).unwrap();
}

#[test]
fn its_control_groups_are_seen_but_not_changed_and_tell_no_others() {
    if !needs_root() {
        return;
    }
    let bench = Bench::shell(
        "find /sys/fs/cgroup/ -name 'wharf-*'; for file in $(find /sys/fs/cgroup/ -name cgroup.procs); do \
         grep -qx 1 $file || echo $file is not its own; echo 1 2>/dev/null > $file && echo $file can be written; done; true",
    );
    assert_eq!(printed(&bench), "");
}

#[test]
fn starting_leaves_the_monitor_no_child_but_the_container() {
    if !needs_root() {
        return;
    }
    let bench = Bench::new(&["sleep", "1000"]);
    bench.launch().unwrap();
    let state = bench.state().unwrap();
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", state.monitor.pid)).unwrap();
    assert_eq!(children.trim(), state.init.pid.to_string());
    bench.kernel.kill(bench.run_dir(), Signal::KILL, PATIENCE).unwrap();
    assert_eq!(bench.residue(), Vec::<String>::new());
}
