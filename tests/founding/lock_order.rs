//! Can pulls of images that share layers wait for each other in a circle?
//!
//! Relatives of founding case 5: podman#23613, #20313. Deliberately elsewhere: the debug build's own graph of who waits
//! for whom (`waiting`), which looks at every lock that is taken.

use shuttle::thread;
use wharf::engine::sync::Flights;

use super::{
    schedules::explore,
    twin::{Variant, holds_and_catches_its_twin},
};

#[test]
fn writers_take_a_blob_and_then_its_layer_and_never_wait_in_a_circle() {
    let test = "lock_order::writers_take_a_blob_and_then_its_layer_and_never_wait_in_a_circle";
    holds_and_catches_its_twin(test, &["deadlock"], |variant| {
        explore("blob, then layer", 4_000, move || pull_side_by_side(variant));
    });
}

fn pull_side_by_side(variant: Variant) {
    let flights = Flights::default();
    let pulls: Vec<_> = (0..3)
        .map(|number| {
            let flights = flights.clone();
            thread::spawn(move || {
                let mut order = ["blob", "layer"];
                // The fault: one of them comes the other way.
                if variant == Variant::Twin && number == 0 {
                    order.reverse();
                }
                let lead = |key: &&'static str| flights.lead::<()>(key, &|| Ok(()), &mut || {}).unwrap();
                let held = order.each_ref().map(lead);
                drop(held);
            })
        })
        .collect();
    pulls.into_iter().for_each(|pull| pull.join().unwrap());
}
