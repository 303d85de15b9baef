//! How does a container's process come to run? A run number in the record, then one launch.
//!
//! The record's `run` is the journal: a start is over when the monitor's files carry that number, so nothing
//! is written afterwards unless it failed. Deliberately elsewhere: what a monitor does (`linux`).

use super::{
    Containers, Locked, admitted,
    layout::{UPPER, WORK},
    record::{Change, Record, RecordedIntent, StartFailure},
    remove::Volumes,
    store::Store,
    volumes,
};
use crate::engine::{
    backend::{
        OperationContext,
        embedded::{
            kernel::ProcessSession,
            launch::{FORMAT, LaunchPlan, ProcessPlan, ResourceLimits, RootfsPlan},
        },
    },
    core::limits,
    domain::{AttachOptions, ContainerId, Done, Error, Force, Generation, Result, Verb},
};

/// Where overlayfs keeps the mark, below its work directory.
const VOLATILE_MARK: &str = "work/incompat";

/// What a start comes to.
pub struct Run {
    pub done: Done,
    /// Present when an attach was asked for.
    pub session: Option<ProcessSession>,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("done", &self.done).field("attached", &self.session.is_some()).finish()
    }
}

impl Containers {
    /// Starts the container; with `attach`, a session that sees the first byte comes back. One with
    /// auto-remove that fails to start is removed.
    ///
    /// # Errors
    /// `Refused`, `Busy`, `CommandNotFound`, `CommandNotExecutable`, `TimedOut`, and what the machine refuses.
    pub fn start(&self, id: &ContainerId, attach: Option<&AttachOptions>, context: &OperationContext) -> Result<Run> {
        self.store.prepare()?;
        context.check()?;
        let mut locked = self.locked(id, Verb::Start, context.remaining())?;
        if !admitted(Verb::Start, &locked.observed.container, Force::No)? {
            let session = match attach {
                Some(options) => Some(self.kernel.attach(&self.run_dir(id), options, context.remaining())?),
                None => None,
            };
            return Ok(Run { done: Done { container: Some(id.clone()), ..Done::already_so() }, session });
        }
        let plan = self.begin_run(&mut locked, attach, context)?;
        let within = context.remaining().min(limits::STEP_DEADLINE);
        match self.kernel.launch(&plan, attach, within) {
            Ok(launched) => {
                let done = Done { container: Some(id.clone()), warnings: launched.warnings, ..Done::default() };
                Ok(Run { done, session: launched.session })
            }
            Err(error) => Err(match self.start_failed(locked, &error) {
                Ok(()) => error,
                Err(unrecorded) => error.besides(&unrecorded),
            }),
        }
    }

    /// Journals the run and says what the monitor is to do.
    fn begin_run(
        &self,
        locked: &mut Locked,
        attach: Option<&AttachOptions>,
        context: &OperationContext,
    ) -> Result<LaunchPlan> {
        self.images.ready(&locked.observed.record.image.id, context)?;
        let run = locked.observed.last_run.next();
        let now = self.store.machine.clock.now();
        let record = &mut locked.observed.record;
        record.run = run;
        record.start_failure = None;
        record.intent = Some(RecordedIntent {
            pid: self.store.machine.pid,
            since: now,
            deadline: now.plus(context.remaining()),
            change: Change::Start,
        });
        if record.spec.auto_remove && run > Generation(1) {
            // An overlay that may lose its writes marks its work directory, and the kernel refuses the mark of a
            // start that was cut. Nothing of value was written then. Kernel documentation, overlayfs.rst, "Volatile mount".
            self.kernel.remove_tree(&self.store.layout.container(&record.id).join(WORK).join(VOLATILE_MARK))?;
        }
        // The start itself means nothing after a power cut, but the record it replaces does.
        let durability = Store::durability(record);
        self.store.write(&locked.held, record, durability)?;
        Ok(self.plan(record, attach))
    }

    fn plan(&self, record: &Record, attach: Option<&AttachOptions>) -> LaunchPlan {
        let layout = &self.store.layout;
        let container_dir = layout.container(&record.id);
        let resolved = &record.resolved;
        LaunchPlan {
            format: FORMAT,
            id: record.id.clone(),
            generation: record.run,
            run_dir: layout.run_of(&record.id),
            rootfs: RootfsPlan {
                lowers: record.image.layers.iter().map(|layer| layout.data().join(layer)).collect(),
                upper: container_dir.join(UPPER),
                work: container_dir.join(WORK),
            },
            process: ProcessPlan {
                args: resolved.arguments(),
                env: resolved.env.clone(),
                workdir: resolved.workdir.clone(),
                user: resolved.user.clone(),
                tty: record.spec.tty,
                terminal: attach.and_then(|options| options.terminal),
                interactive: record.spec.interactive,
            },
            hostname: resolved.hostname.clone(),
            mounts: volumes::resolved(&self.store, record),
            read_only: record.spec.read_only,
            limits: ResourceLimits { memory: record.spec.memory, cpus: record.spec.cpus, pids: record.spec.pids_limit },
            network: record.spec.network,
            stop_signal: record.stop_signal(),
            stop_grace: record.stop_grace(),
            auto_remove: record.spec.auto_remove,
            log: self.logs.clone(),
            container_dir,
        }
    }

    /// Keeps why, for `inspect` and `ps`; or removes what was meant to go anyway.
    fn start_failed(&self, mut locked: Locked, error: &Error) -> Result<()> {
        if locked.observed.record.spec.auto_remove {
            // What is left of its files is not what went wrong.
            return self.remove_locked(locked, Volumes::Remove, limits::STEP_DEADLINE).map(drop);
        }
        let record = locked.observed.record.as_mut();
        record.intent = None;
        record.start_failure = Some(StartFailure {
            at: self.store.machine.clock.now(),
            // Docker's codes for a container that did not start.
            code: error.kind().command_code().map_or(128, i32::from),
            reason: error.reason().to_owned(),
        });
        let durability = Store::durability(record);
        self.store.write(&locked.held, record, durability)
    }
}
