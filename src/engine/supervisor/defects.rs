//! What comes of it when a task beside the loop panics? Whoever waited for it is told, and what it looked at is looked at
//! again.
//!
//! Deliberately elsewhere: the tasks (`errands`), panics in actors and their work (`actor`).

use super::{
    Supervisor,
    errands::{Ending, Errand, settle_remembered},
    observer::Seen,
};
use crate::engine::domain::{Error, ErrorKind};

const REPORT: &str = "look at the object again and repeat the command; please report what you did";

impl Supervisor {
    pub(super) fn errand_ended(&mut self, errand: Errand, ending: Ending) {
        let errand = match errand {
            Errand::Remember(..) => return settle_remembered(errand),
            errand if ending == Ending::Panicked => errand,
            Errand::Follow | Errand::Look | Errand::Pause | Errand::Lookup(_) | Errand::Compose(_) => return,
        };
        match errand {
            Errand::Follow => {
                self.observer.follow_again(&mut self.errands);
                self.uncertain("following the host hit a defect in Wharf; it is followed anew");
            }
            Errand::Look => {
                self.observer.look_later(&mut self.errands);
                self.uncertain("looking at the host hit a defect in Wharf; it is looked at again");
            }
            Errand::Pause | Errand::Remember(..) => {}
            Errand::Lookup(query) => {
                let error = Error::new(ErrorKind::Internal, "looking it up hit a defect in Wharf");
                self.resolved(&query, Err(error.remedy(REPORT)));
            }
            Errand::Compose(operation) => {
                let error = Error::new(ErrorKind::Internal, "the operation hit a defect in Wharf");
                self.ended(operation, Err(error.remedy(REPORT)));
            }
        }
    }

    /// What is on the screen may not be so any more.
    fn uncertain(&mut self, why: &str) {
        let error = Error::new(ErrorKind::Internal, why);
        if self.observer.take(Seen::LookFailed { error }, &mut self.errands) {
            self.publish();
        }
    }
}
