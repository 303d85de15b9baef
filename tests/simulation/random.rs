//! Where does chance come from in a simulation? From the seed and nothing else.
//! Deliberately elsewhere: what is drawn by lot (`faults`, `scheduler`, `workload`).

use crate::support::split_mix::SplitMix;

/// The same seed gives the same numbers for ever.
#[derive(Clone, Debug)]
pub struct Dice(SplitMix);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(SplitMix::new(seed ^ 0x5eed_0f77_a11f_0a7d))
    }

    pub fn next(&mut self) -> u64 {
        self.0.next()
    }

    /// A number below `end`, which is not zero.
    pub fn below(&mut self, end: u64) -> u64 {
        // The bias of a remainder is far below what a simulation could notice.
        self.next() % end
    }

    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.index(from.len())]
    }

    /// True `times` times in a thousand.
    pub fn per_mille(&mut self, times: u32) -> bool {
        times > 0 && self.below(1000) < u64::from(times)
    }

    /// True once in `times` times; never when zero.
    pub fn once_in(&mut self, times: u64) -> bool {
        times > 0 && self.below(times) == 0
    }
}
