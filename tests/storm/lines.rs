//! Which verbs blow in a storm? An endless, repeatable mix on a dozen names.
//!
//! Deliberately elsewhere: running them (`mod`).

/// A repeatable source of script lines.
pub struct Lines {
    state: u64,
    image: String,
    /// An image that is pulled and removed all the time.
    fleeting: String,
}

impl Lines {
    pub fn new(seed: u64, image: &str, fleeting: &str) -> Self {
        Self { state: seed, image: image.to_owned(), fleeting: fleeting.to_owned() }
    }

    pub fn take(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.line()).collect()
    }

    fn line(&mut self) -> String {
        let name = self.name();
        let (image, fleeting) = (self.image.clone(), self.fleeting.clone());
        match self.below(21) {
            0..=3 => format!("run -d --network none --name {name} {image} sleep 100000"),
            4 => format!("create --network none --name {name} -v {name}:/etc {image} true"),
            5 => format!("run -d --rm --network none --name {name} {image} true"),
            6 => format!("run -d --rm --network none --name {name} -v /etc {image} sleep 100000"),
            7 => format!("start {name}"),
            8 => format!("stop -t 0 {name}"),
            9 => format!("kill {name}"),
            10 => format!("restart -t 0 {name}"),
            11 => format!("pause {name}"),
            12 => format!("unpause {name}"),
            13 => format!("rename {name} {}", self.name()),
            14 => format!("rm {name}"),
            15 => format!("exec {name} true"),
            16 => format!("pull -q {fleeting}"),
            17 => format!("rmi -f {fleeting}"),
            _ => format!("rm -f -v {name}"),
        }
    }

    pub fn name(&mut self) -> String {
        format!("storm-{}", self.below(12))
    }

    /// A linear congruence: the same seed blows the same storm.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.state >> 33) % bound
    }
}
