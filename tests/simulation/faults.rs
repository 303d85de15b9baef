//! What goes wrong in one run? A mix drawn by the seed: most runs have few kinds of faults, some have many.
//!
//! A mix with everything in it would end every operation at its first step, so each kind is there or not ("swarm
//! testing", Groce et al. 2012). Deliberately elsewhere: faults at one chosen call (`crash_points`).

use super::random::Dice;

/// How often each kind of fault strikes, in a thousand calls unless said otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// EIO from any call of the disk.
    pub disk_error: u32,
    /// ENOSPC from calls that need room.
    pub no_space: u32,
    /// The call takes up to ten seconds.
    pub delay: u32,
    /// In ten thousand steps: a client is killed.
    pub kill: u32,
    /// In ten thousand steps: a monitor is killed.
    pub kill_monitor: u32,
    /// In a hundred thousand steps: the power goes.
    pub power: u32,
    /// In ten thousand steps: the wall clock jumps.
    pub clock: u32,
    /// In a thousand launches: it fails, before or after the process was made.
    pub launch: u32,
    /// In a thousand removals and sweeps: the kernel says EBUSY.
    pub busy: u32,
    /// In a thousand runs: the process takes seconds to die of KILL.
    pub stuck: u32,
    /// In a thousand runs: the monitor stands still for a long time.
    pub deaf: u32,
    /// In a thousand answers of a registry: something is wrong with it.
    pub registry: u32,
    /// In a thousand operations: a defect of ours panics in it.
    pub panic: u32,
}

impl Faults {
    pub fn none() -> Self {
        Self::default()
    }

    pub fn swarm(dice: &mut Dice) -> Self {
        let mut maybe = |often: &[u32]| if dice.once_in(2) { 0 } else { dice.pick(often) };
        Self {
            disk_error: maybe(&[2, 10]),
            no_space: maybe(&[2, 10]),
            delay: maybe(&[2, 20]),
            kill: maybe(&[10, 40]),
            kill_monitor: maybe(&[10, 40]),
            power: maybe(&[20, 100, 200]),
            clock: maybe(&[5]),
            launch: maybe(&[50, 200]),
            busy: maybe(&[50, 200]),
            stuck: maybe(&[50, 200]),
            deaf: maybe(&[50, 200]),
            registry: maybe(&[50, 200]),
            panic: maybe(&[1, 3]),
        }
    }
}
