//! Which verbs blow in a storm? An endless, repeatable mix on a dozen names.
//!
//! Deliberately elsewhere: running them (`mod`).

/// A repeatable source of script lines.
pub struct Lines {
    state: u64,
    image: String,
}

impl Lines {
    pub fn new(seed: u64, image: &str) -> Self {
        Self { state: seed, image: image.to_owned() }
    }

    pub fn take(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.line()).collect()
    }

    fn line(&mut self) -> String {
        let name = self.name();
        let image = self.image.clone();
        match self.below(16) {
            0..=3 => format!("run -d --network none --name {name} {image} sleep 100000"),
            4 => format!("create --network none --name {name} {image} true"),
            5 => format!("run -d --rm --network none --name {name} {image} true"),
            6 => format!("start {name}"),
            7 => format!("stop -t 0 {name}"),
            8 => format!("kill {name}"),
            9 => format!("restart -t 0 {name}"),
            10 => format!("pause {name}"),
            11 => format!("unpause {name}"),
            12 => format!("rename {name} {}", self.name()),
            13 => format!("rm {name}"),
            _ => format!("rm -f {name}"),
        }
    }

    fn name(&mut self) -> String {
        format!("storm-{}", self.below(12))
    }

    /// A linear congruence: the same seed blows the same storm.
    fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.state >> 33) % bound
    }
}
