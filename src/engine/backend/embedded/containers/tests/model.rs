//! What do the verbs run on in tests? A kernel in memory, an image of nothing, and a process that can die anywhere.
//!
//! Deliberately elsewhere: what is checked (`super`); the simulation of a whole machine (`tests/simulation`), which has no
//! real disk under it and does not run where file systems have other rules (Windows).

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use crate::engine::{
    backend::{
        OperationContext,
        embedded::{
            containers::{
                Containers,
                base_image::{BaseImage, BaseImages, Defaults},
                layout::{EXIT, Layout, STATE},
            },
            disk::{Disk, Entry, LockMode, LockedFile, RealDisk, Stat, TemporaryFile},
            images::unpacker::RootAttributes,
            kernel::{HostFacts, Kernel, Launched, Liveness, Observation, ProcessSession, VolumeFill, Watch},
            launch::{ExitFile, FORMAT, LaunchPlan, ProcessIdentity, StateFile},
            machine::Machine as OneProcess,
        },
    },
    domain::*,
};

/// How many more steps the process lives; it does nothing at all afterwards.
#[derive(Clone, Debug)]
pub struct Life(Arc<AtomicI64>);

impl Life {
    pub fn endless() -> Self {
        Self::of(i64::MAX)
    }

    pub fn of(steps: i64) -> Self {
        Self(Arc::new(AtomicI64::new(steps)))
    }

    pub fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed) <= 0
    }

    fn step(&self) -> io::Result<()> {
        if self.0.fetch_sub(1, Ordering::Relaxed) > 0 { Ok(()) } else { Err(io::Error::other("killed")) }
    }

    fn checked(&self) -> Result<()> {
        self.step().map_err(|error| Error::io("it was killed", error))
    }
}

/// The real disk under a process that may be killed between any two changes.
pub struct MortalDisk(pub Life, pub LockFaults);

/// Which locks the disk refuses: those with this in their path.
pub type LockFaults = Option<&'static str>;

impl Disk for MortalDisk {
    fn claim_root(&self, root: &Path) -> io::Result<()> {
        RealDisk.claim_root(root)
    }
    fn try_lock(&self, path: &Path, mode: LockMode) -> io::Result<Option<Box<dyn LockedFile>>> {
        if self.1.is_some_and(|refused| path.to_string_lossy().contains(refused)) {
            return Err(io::Error::other("no locks available"));
        }
        RealDisk.try_lock(path, mode)
    }
    fn is_lock_free(&self, path: &Path) -> bool {
        RealDisk.is_lock_free(path)
    }
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        RealDisk.read(path)
    }
    fn write_durable(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.0.step().and_then(|()| RealDisk.write_durable(path, bytes))
    }
    fn write_atomic(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.0.step().and_then(|()| RealDisk.write_atomic(path, bytes))
    }
    fn create_exclusive(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.0.step().and_then(|()| RealDisk.create_exclusive(path, bytes))
    }
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.0.step().and_then(|()| RealDisk.append(path, bytes))
    }
    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        self.0.step().and_then(|()| RealDisk.truncate(path, len))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.step().and_then(|()| RealDisk.rename(from, to))
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.0.step().and_then(|()| RealDisk.remove_file(path))
    }
    fn remove_tree(&self, path: &Path) -> io::Result<()> {
        self.0.step().and_then(|()| RealDisk.remove_tree(path))
    }
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.0.step().and_then(|()| RealDisk.create_dir(path))
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        RealDisk.create_dir_all(path)
    }
    fn create_dir_with_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.0.step().and_then(|()| RealDisk.create_dir_with_mode(path, mode))
    }
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        RealDisk.list(path)
    }
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        RealDisk.stat(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.0.step().and_then(|()| RealDisk.sync_dir(path))
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn io::Read + Send>> {
        RealDisk.open(path)
    }
    fn open_partial(&self, path: &Path) -> io::Result<Box<dyn TemporaryFile>> {
        self.0.step().and_then(|()| RealDisk.open_partial(path))
    }
    fn create_temporary(&self, dir: &Path) -> io::Result<Box<dyn TemporaryFile>> {
        self.0.step().and_then(|()| RealDisk.create_temporary(dir))
    }
}

/// Runs that outlive the processes that started them.
#[derive(Clone, Default)]
pub struct Machine(Arc<Mutex<BTreeMap<PathBuf, Running>>>, Arc<Mutex<BTreeSet<PathBuf>>>);

struct Running {
    plan: LaunchPlan,
    state: StateFile,
}

impl Machine {
    pub fn running(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// A monitor is there, and its process not yet.
    pub fn begin_launch(&self, run_dir: &Path) {
        self.1.lock().unwrap().insert(run_dir.to_owned());
    }

    pub fn give_up_launch(&self, run_dir: &Path) {
        self.1.lock().unwrap().remove(run_dir);
    }

    /// The process ends, and its monitor records that.
    pub fn end(&self, run_dir: &Path, code: Option<i32>) -> bool {
        let Some(run) = self.0.lock().unwrap().remove(run_dir) else { return false };
        let exit = ExitFile {
            format: FORMAT,
            generation: run.plan.generation,
            started: Some(run.state.started),
            finished: Timestamp::now(),
            code,
            oom_killed: false,
            reason: None,
        };
        std::fs::write(run.plan.container_dir.join(EXIT), serde_json::to_vec(&exit).unwrap()).unwrap();
        std::fs::remove_file(run_dir.join(STATE)).unwrap();
        true
    }

    /// The power goes: everything that ran is gone without a trace in `run`.
    pub fn power_cut(&self) {
        for (run_dir, _) in std::mem::take(&mut *self.0.lock().unwrap()) {
            std::fs::remove_dir_all(run_dir).unwrap();
        }
    }
}

/// One process's view of the machine.
pub struct ModelKernel {
    pub machine: Machine,
    pub life: Life,
    /// What the next launches fail with.
    pub launch_fails: Option<ErrorKind>,
}

impl Kernel for ModelKernel {
    fn launch(&self, plan: &LaunchPlan, _attach: Option<&AttachOptions>, _within: Duration) -> Result<Launched> {
        self.life.checked()?;
        if let Some(kind) = self.launch_fails {
            return Err(Error::new(kind, "it does not start"));
        }
        let identity = ProcessIdentity { pid: 42, start_time: 7 };
        let state = StateFile {
            format: FORMAT,
            generation: plan.generation,
            boot_id: "boot".into(),
            pid_namespace: None,
            monitor: identity.clone(),
            init: identity,
            started: Timestamp::now(),
            paused: false,
            stopping_until: None,
        };
        std::fs::create_dir_all(&plan.run_dir).unwrap();
        std::fs::write(plan.run_dir.join(STATE), serde_json::to_vec(&state).unwrap()).unwrap();
        let run = Running { plan: plan.clone(), state: state.clone() };
        assert!(self.machine.0.lock().unwrap().insert(plan.run_dir.clone(), run).is_none(), "two runs at once");
        Ok(Launched { state, warnings: Vec::new(), session: None })
    }

    fn observe(&self, run_dir: &Path, _state: Option<&StateFile>) -> Observation {
        let alive = |is_alive| if is_alive { Liveness::Alive } else { Liveness::Dead };
        let runs = self.machine.0.lock().unwrap().contains_key(run_dir);
        let launches = self.machine.1.lock().unwrap().contains(run_dir);
        Observation { monitor: alive(runs || launches), init: alive(runs) }
    }

    fn stop(&self, run_dir: &Path, signal: Signal, _grace: Span, within: Duration) -> Result<()> {
        self.kill(run_dir, if signal == Signal::KILL { signal } else { Signal::KILL }, within)
    }

    fn kill(&self, run_dir: &Path, signal: Signal, _within: Duration) -> Result<()> {
        self.life.checked()?;
        if signal != Signal::KILL || self.machine.end(run_dir, Some(137)) {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::Refused, "nothing runs"))
        }
    }

    fn pause(&self, _run_dir: &Path, _within: Duration) -> Result<()> {
        self.life.checked()
    }
    fn unpause(&self, _run_dir: &Path, _within: Duration) -> Result<()> {
        self.life.checked()
    }
    fn attach(&self, _run_dir: &Path, _options: &AttachOptions, _within: Duration) -> Result<ProcessSession> {
        Err(Error::new(ErrorKind::Unsupported, "not in this model"))
    }
    fn exec(&self, _run_dir: &Path, _spec: &ExecSpec, _within: Duration) -> Result<ProcessSession> {
        Err(Error::new(ErrorKind::Unsupported, "not in this model"))
    }
    fn wait(&self, run_dir: &Path, _within: Duration) -> Result<bool> {
        Ok(!self.machine.0.lock().unwrap().contains_key(run_dir))
    }
    fn processes(&self, _run_dir: &Path) -> Result<ProcessTable> {
        Ok(ProcessTable::default())
    }
    fn sweep(&self, run_dir: &Path) -> Result<()> {
        self.remove_tree(run_dir)
    }
    fn remove_tree(&self, path: &Path) -> Result<()> {
        self.life.checked()?;
        RealDisk.remove_tree(path).map_err(|error| Error::io("removing", error))
    }
    fn fill_volume(&self, fill: &VolumeFill, check: &dyn Fn() -> Result<()>) -> Result<()> {
        check()?;
        self.life.checked()?;
        std::fs::write(fill.volume.join("data/from-the-image"), "").map_err(|error| Error::io("filling", error))
    }
    fn watch_log(&self, _log_dir: &Path, _run_dir: &Path) -> Result<Box<dyn Watch>> {
        Err(Error::new(ErrorKind::Unsupported, "not in this model"))
    }
    fn support(&self) -> HostFacts {
        HostFacts::default()
    }
    fn reap(&self) {}
}

struct OneImage;

impl BaseImages for OneImage {
    fn base(&self, query: &str, _platform: Option<&Platform>, _context: &OperationContext) -> Result<BaseImage> {
        if query != "bb:1" {
            return Err(Error::no_such_image(query));
        }
        Ok(BaseImage {
            id: Digest::sha256_of(b"bb"),
            platform: None,
            layers: vec![PathBuf::from("/layers/bb")],
            defaults: Defaults { command: vec!["sh".into()], ..Defaults::default() },
            root: RootAttributes::default(),
            hold: Box::new(()),
        })
    }
}

/// A store in a directory of its own, a machine, and as many processes on both as a test wants.
pub struct World {
    dir: tempfile::TempDir,
    pub machine: Machine,
}

impl World {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), machine: Machine::default() }
    }

    pub fn layout(&self) -> Layout {
        Layout::new(self.dir.path().join("data"), self.dir.path().join("run"))
    }

    /// A process that lives so long.
    pub fn process(&self, life: &Life) -> Containers {
        self.process_where_starts_fail(life, None)
    }

    pub fn process_where_starts_fail(&self, life: &Life, launch_fails: Option<ErrorKind>) -> Containers {
        self.process_with_faults(life, launch_fails, None)
    }

    pub fn process_where_locks_fail(&self, refused: &'static str) -> Containers {
        self.process_with_faults(&Life::endless(), None, Some(refused))
    }

    fn process_with_faults(&self, life: &Life, launch_fails: Option<ErrorKind>, locks: LockFaults) -> Containers {
        let kernel = ModelKernel { machine: self.machine.clone(), life: life.clone(), launch_fails };
        let machine = OneProcess::with_disk(Arc::new(MortalDisk(life.clone(), locks)));
        Containers::new(self.layout(), machine, Arc::new(kernel), Arc::new(OneImage))
    }
}
