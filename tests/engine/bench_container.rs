//! How does a test get a container without an image? A busybox root of links, a plan, a kernel.
//! Deliberately elsewhere: the checks (`runtime`).

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use wharf::engine::{
    backend::embedded::{
        kernel::{Kernel, Launched, ProcessSession},
        launch::{ExitFile, LaunchPlan, LogLimits, ProcessPlan, ResourceLimits, RootfsPlan, StateFile},
        linux::LinuxKernel,
    },
    domain::{
        AttachOptions, ContainerId, Flow, Generation, NetworkMode, ProcessExit, Result, SessionOutput, Signal, Span,
    },
};

use crate::support::command::wharf_binary;

pub const PATIENCE: Duration = Duration::from_secs(20);
const BUSYBOX: &str = "/bin/busybox";
const TOOLS: [&str; 22] = [
    "sh", "echo", "cat", "sleep", "true", "false", "id", "env", "ls", "kill", "stty", "hostname", "grep", "touch",
    "dd", "yes", "ps", "wc", "head", "pwd", "mount", "ip",
];

/// One container of a test, in a directory of its own.
pub struct Bench {
    pub kernel: LinuxKernel,
    pub plan: LaunchPlan,
    folder: tempfile::TempDir,
}

impl Bench {
    /// A container that will run `args` in a busybox root.
    pub fn new(args: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("wharf-b").tempdir().unwrap();
        let root = folder.path();
        make_rootfs(&root.join("layer"));
        let id = ContainerId::random();
        let container_dir = root.join("data/containers").join(id.as_str());
        fs::create_dir_all(&container_dir).unwrap();
        let plan = LaunchPlan {
            format: 1,
            id: id.clone(),
            generation: Generation(1),
            run_dir: root.join("run/c").join(id.as_str()),
            rootfs: RootfsPlan {
                lowers: vec![root.join("layer")],
                upper: container_dir.join("upper"),
                work: container_dir.join("work"),
            },
            container_dir,
            process: ProcessPlan {
                args: args.iter().map(|arg| (*arg).to_owned()).collect(),
                env: vec!["PATH=/bin".to_owned(), "COLOUR=blue".to_owned()],
                workdir: PathBuf::from("/"),
                user: None,
                tty: false,
                terminal: None,
                interactive: false,
            },
            hostname: "bench".to_owned(),
            mounts: Vec::new(),
            read_only: false,
            limits: ResourceLimits::default(),
            network: NetworkMode::None,
            stop_signal: Signal::TERM,
            stop_grace: Span::from_secs(10),
            auto_remove: false,
            log: LogLimits::default(),
        };
        Self { kernel: LinuxKernel::new(wharf_binary()), plan, folder }
    }

    pub fn shell(script: &str) -> Self {
        Self::new(&["sh", "-c", script])
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn run_dir(&self) -> &Path {
        &self.plan.run_dir
    }

    pub fn launch(&self) -> Result<Launched> {
        self.kernel.launch(&self.plan, None, PATIENCE)
    }

    /// Launches with a client that must not miss anything.
    pub fn launch_attached(&self) -> ProcessSession {
        let attach = AttachOptions {
            stdin: self.plan.process.interactive,
            flow: Flow::Lossless,
            terminal: self.plan.process.terminal,
        };
        self.kernel.launch(&self.plan, Some(&attach), PATIENCE).unwrap().session.unwrap()
    }

    /// Everything printed and how it ended.
    pub fn run(&self) -> (String, String, ProcessExit) {
        collect(self.launch_attached())
    }

    pub fn exit(&self) -> ExitFile {
        serde_json::from_slice(&fs::read(self.plan.container_dir.join("exit.json")).unwrap()).unwrap()
    }

    pub fn state(&self) -> Option<StateFile> {
        serde_json::from_slice(&fs::read(self.run_dir().join("state.json")).ok()?).ok()
    }

    /// What a run that is over must not leave: processes, mounts, control groups, files.
    pub fn residue(&self) -> Vec<String> {
        let id = self.plan.id.as_str();
        let mut found = Vec::new();
        if self.run_dir().exists() {
            found.push(format!(
                "run directory: {:?}",
                fs::read_dir(self.run_dir()).unwrap().flatten().map(|entry| entry.file_name()).collect::<Vec<_>>()
            ));
        }
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        found.extend(mounts.lines().filter(|line| line.contains(&*self.root().to_string_lossy())).map(str::to_owned));
        for line in mounts.lines().filter(|line| line.contains(" - cgroup")) {
            let point = line.split(' ').nth(4).unwrap();
            let group = Path::new(point).join(format!("wharf-{id}"));
            if group.exists() {
                found.push(format!("control group: {}", group.display()));
            }
        }
        found
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // A test that failed half-way must not leave its container behind; one that succeeded has none.
        let _ = self.kernel.kill(&self.plan.run_dir, Signal::KILL, Duration::from_secs(5));
        let _ = self.kernel.sweep(&self.plan.run_dir);
        // An ordinary user's container may have files that only its user namespace can delete.
        let _ = self.kernel.remove_tree(&self.plan.container_dir);
        self.kernel.reap();
    }
}

/// Reads a session to its end; one that does not come is cut off, which fails the test.
pub fn collect(mut session: ProcessSession) -> (String, String, ProcessExit) {
    let hang_up = session.input.hang_up_handle();
    let (done, watched) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        if watched.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            hang_up.hang_up();
        }
    });
    let _ended = done;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    loop {
        match session.output.receive().unwrap() {
            Some(SessionOutput::Stdout(bytes)) => stdout.extend(bytes),
            Some(SessionOutput::Stderr(bytes)) => stderr.extend(bytes),
            Some(SessionOutput::Missed { .. }) => {}
            Some(SessionOutput::Exit(exit)) => {
                return (String::from_utf8_lossy(&stdout).into(), String::from_utf8_lossy(&stderr).into(), exit);
            }
            None => panic!("the session ended without an exit; stdout so far: {:?}", String::from_utf8_lossy(&stdout)),
        }
    }
}

fn make_rootfs(layer: &Path) {
    for dir in ["bin", "etc", "proc", "sys", "dev", "tmp", "root"] {
        fs::create_dir_all(layer.join(dir)).unwrap();
    }
    fs::copy(BUSYBOX, layer.join("bin/busybox")).unwrap();
    for tool in TOOLS {
        symlink("busybox", layer.join("bin").join(tool)).unwrap();
    }
    fs::write(layer.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:web:/srv:/bin/sh\n").unwrap();
    fs::write(layer.join("etc/group"), "root:x:0:\nweb:x:34:\nextra:x:35:web\n").unwrap();
}
