//! How is a model run through all its interleavings, and how many were there?
//!
//! `WHARF_MODEL_PREEMPTIONS=n` bounds how often a thread may be interrupted, where a model names no bound of its own
//! `0` takes every bound away. Deliberately elsewhere: the models.

use std::{
    env, panic,
    sync::{
        Arc, Once,
        atomic::{AtomicUsize, Ordering},
    },
};

use wharf::engine::sync::primitives::{Checker, check_with};

use super::twin::report;

/// A run that is not waited for to its end has still shown so many executions.
const PAGE: usize = 250_000;

/// How many interruptions of a thread are tried unless the environment says otherwise.
#[derive(Clone, Copy)]
pub enum Bound {
    /// Every interleaving there is.
    None,
    Preemptions(usize),
}

/// Runs `model` in every interleaving within the bound and reports how many that were.
pub fn exhaust(name: &str, bound: Bound, model: impl Fn() + Send + Sync + 'static) {
    quiet();
    check_with(Checker::Loom);
    let executions = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&executions);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = match (env::var("WHARF_MODEL_PREEMPTIONS").ok().and_then(|n| n.parse().ok()), bound) {
        (Some(0), _) | (None, Bound::None) => None,
        (Some(preemptions), Bound::None | Bound::Preemptions(_)) => Some(preemptions),
        (None, Bound::Preemptions(preemptions)) => Some(preemptions),
    };
    builder.max_branches = 10_000;
    let large = name.to_owned();
    builder.check(move || {
        let before = counted.fetch_add(1, Ordering::Relaxed);
        if before > 0 && before % PAGE == 0 {
            report(&format!("loom: {large}: {before} executions, and more to come"));
        }
        model();
    });
    let bound = builder.preemption_bound.map_or_else(|| "unbounded".to_owned(), |n| format!("at most {n} preemptions"));
    report(&format!("loom: {name}: {} executions, {bound}", executions.load(Ordering::Relaxed)));
}

/// A panic that a model injects, and catches, says nothing.
pub const INJECTED: &str = "injected";

fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref::<&str>() != Some(&INJECTED) {
                usual(info);
            }
        }));
    });
}
