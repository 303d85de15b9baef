//! Where does chaos play? One store with an image, a registry to push to, a bystander that must never fall, and the
//! question whether what is left can still be used and removed.
//! Deliberately elsewhere: what happens there (`steps`, `moments`, `storms`).

use std::{path::Path, time::Duration};

use crate::support::{
    command::{Finished, run_to_end},
    deadline::wait_until,
    need::needs_image,
    ownership::{self, Owner},
    registry::TestRegistry,
    store::Store,
};

/// A number from the environment: how much of something.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// A store, and what words stand for in it.
pub struct Scene {
    pub store: Store,
    pub image: String,
    pub registry: TestRegistry,
}

impl Scene {
    /// `None` without the lab's registry.
    pub fn new() -> Option<Self> {
        Self::in_store(Store::new())
    }

    /// The same in a store of a special place.
    pub fn in_store(store: Store) -> Option<Self> {
        let image = needs_image("bb:1")?;
        let scene = Self { store, image, registry: TestRegistry::start() };
        scene.verb("pull -q IMAGE");
        Some(scene)
    }

    /// A container that nothing here is about; see [`Scene::assert_bystander`].
    pub fn with_bystander(self) -> Self {
        self.verb("run -d --network none --name bystander IMAGE sleep 100000");
        self
    }

    /// `IMAGE` is the image, `PUSHED` a tag at our own registry.
    pub fn words(&self, line: &str) -> Vec<String> {
        let word = |word: &str| match word {
            "IMAGE" => self.image.clone(),
            "PUSHED" => format!("{}/chaos:1", self.registry.host()),
            // A tab is a blank within a word.
            other => other.replace('\t', " "),
        };
        line.split(' ').filter(|word| !word.is_empty()).map(word).collect()
    }

    pub fn run(&self, line: &str) -> Finished {
        // Many runs at once on a busy machine.
        run_to_end(self.store.command(&self.words(line)), Duration::from_secs(60))
    }

    #[track_caller]
    pub fn verb(&self, line: &str) -> String {
        self.run(line).success().trim_end().to_owned()
    }

    pub fn owners(&self) -> Vec<Owner> {
        ownership::owners(&self.store)
    }

    /// The bystander runs, and somebody tends it.
    #[track_caller]
    pub fn assert_bystander(&self, why: &str) {
        let owners = self.owners();
        assert!(owners.iter().any(|owner| owner.name == "bystander" && lives(owner)), "{why}: it fell: {owners:?}");
    }

    /// Whatever has one of these names can go, then the names are free, and the kernel holds nothing of it.
    #[track_caller]
    pub fn assert_removable(&self, names: &[&str], why: &str) {
        let removed = self.run(&format!("rm -f {}", names.join(" ")));
        assert!(removed.status.success(), "{why}: rm -f {names:?}: {removed}");
        for name in names {
            let made = self.run(&format!("create --network none --name {name} IMAGE true"));
            assert!(made.status.success(), "{why}: the name {name} is not free: {made}");
        }
        let gone = self.run(&format!("rm {}", names.join(" ")));
        assert!(gone.status.success(), "{why}: rm {names:?}: {gone}");
        let owners = self.owners();
        assert!(!owners.iter().any(|owner| names.contains(&owner.name.as_str())), "{why}: {owners:?}");
        let left = ownership::in_the_kernel(&self.store, &owners);
        assert!(left.is_empty(), "{why}: left in the kernel:\n  {}", left.join("\n  "));
    }

    /// Half-made files and volumes are young for a second, and then a repair removes them too.
    #[track_caller]
    pub fn assert_repairable(&self) {
        let mut left = Vec::new();
        let settled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_until("a repair that leaves nothing without an owner", Duration::from_secs(10), || {
                let repaired = self.run("system repair");
                left = ownership::ownerless(&self.store);
                if !repaired.status.success() {
                    left.push(repaired.to_string());
                }
                left.extend(Some(self.verb("system repair --dry-run -q")).filter(|found| !found.is_empty()));
                left.is_empty().then_some(())
            });
        }));
        assert!(settled.is_ok(), "repair leaves:\n  {}", left.join("\n  "));
    }
}

/// It says that it runs, it does, and it has a monitor.
pub fn lives(owner: &Owner) -> bool {
    owner.runs() && !owner.degraded && owner.pid.is_some_and(|pid| Path::new(&format!("/proc/{pid}")).exists())
}
