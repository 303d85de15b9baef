//! How is a model run under many schedules, and how many were there?
//!
//! Half of them are random, half are chosen to reorder few but unlikely points (PCT, depth 3).
//! `WHARF_MODEL_SCHEDULES=n` runs n times as many. Deliberately elsewhere: the models.

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use shuttle::{
    Config, Runner,
    scheduler::{PctScheduler, RandomScheduler},
};
use wharf::engine::sync::primitives::{Checker, check_with};

use super::twin::report;

/// Runs `model` under `schedules` schedules and reports how many steps of the environment's factor that were.
pub fn explore(name: &str, schedules: usize, model: impl Fn() + Send + Sync + 'static) {
    check_with(Checker::Shuttle);
    let factor = env::var("WHARF_MODEL_SCHEDULES").ok().and_then(|factor| factor.parse().ok()).unwrap_or(1);
    let each = (schedules * factor).div_ceil(2);
    let ran = Arc::new(AtomicUsize::new(0));
    let model = Arc::new(model);
    for scheduler in [Chosen::Random, Chosen::Priorities] {
        let (ran, model) = (Arc::clone(&ran), Arc::clone(&model));
        let run = move || {
            ran.fetch_add(1, Ordering::Relaxed);
            model();
        };
        match scheduler {
            Chosen::Random => Runner::new(RandomScheduler::new(each), config()).run(run),
            Chosen::Priorities => Runner::new(PctScheduler::new(3, each), config()).run(run),
        };
    }
    report(&format!("shuttle: {name}: {} schedules", ran.load(Ordering::Relaxed)));
}

#[derive(Clone, Copy)]
enum Chosen {
    Random,
    Priorities,
}

fn config() -> Config {
    let mut config = Config::new();
    // Unoptimised futures of a whole engine are large.
    config.stack_size = 1 << 20;
    config
}
