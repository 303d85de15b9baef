//! Founding case 5: can changing the host one looks at hang, lose an answer, or show what the old one said?
//!
//! Kvrocks#2512: whoever switched held the exclusive guard and joined a thread that waited for it. Here a switch is a
//! new epoch: the old engine is told to close and left to itself. The owner below does what the interface's effect
//! runner does, with the production engines. Deliberately elsewhere: the interface (`ui::effect_runner`).

use shuttle::future::{JoinHandle, block_on, spawn};
use tokio::sync::mpsc;
use wharf::engine::{Engine, backend::fake::FakeHost, domain::HostLink};

use super::{
    schedules::explore,
    supervision::{open, rm, sleeper},
    twin::{Variant, holds_and_catches_its_twin},
};

/// One picture of the host of an epoch, and whether it is of now.
type Picture = (usize, bool);

#[test]
fn the_last_switch_wins_every_command_is_answered_and_nothing_old_is_shown() {
    let test = "switching::the_last_switch_wins_every_command_is_answered_and_nothing_old_is_shown";
    holds_and_catches_its_twin(test, &["deadlock", "exceeded max_steps"], |variant| {
        explore("switching hosts", 1_000, move || block_on(switch_twice(variant)));
    });
}

struct Owner {
    epoch: usize,
    engine: Engine,
    following: JoinHandle<()>,
    pictures: mpsc::Sender<Picture>,
    closing: Vec<JoinHandle<()>>,
    commands: Vec<JoinHandle<()>>,
}

impl Owner {
    fn new(pictures: mpsc::Sender<Picture>) -> Self {
        let engine = open(&FakeHost::new());
        let following = follow(&engine, 0, pictures.clone());
        Self { epoch: 0, engine, following, pictures, closing: Vec::new(), commands: Vec::new() }
    }

    async fn switch(&mut self, variant: Variant) {
        self.command();
        self.epoch += 1;
        let old = std::mem::replace(&mut self.engine, open(&FakeHost::new()));
        let following = follow(&self.engine, self.epoch, self.pictures.clone());
        let following = std::mem::replace(&mut self.following, following);
        match variant {
            Variant::Ours => {
                following.abort();
                self.closing.push(spawn(async move { old.close().await }));
            }
            // The fault: we wait for its end, and it for room in what only we empty.
            Variant::Twin => {
                old.close().await;
                drop(old);
                following.await.unwrap();
            }
        }
    }

    /// Something under way on the host that is about to be left.
    fn command(&mut self) {
        for command in [sleeper("web"), rm("web")] {
            let ticket = self.engine.submit(command).unwrap();
            // Done, cancelled or too late: an answer.
            self.commands.push(spawn(async move { drop(ticket.outcome().await) }));
        }
    }
}

fn follow(engine: &Engine, epoch: usize, pictures: mpsc::Sender<Picture>) -> JoinHandle<()> {
    engine.observe();
    let mut inventory = engine.inventory();
    spawn(async move {
        while let Ok(room) = pictures.reserve().await {
            let Ok(picture) = inventory.next().await else { break };
            room.send((epoch, picture.link == HostLink::Live));
        }
    })
}

async fn switch_twice(variant: Variant) {
    let (sender, mut pictures) = mpsc::channel(1);
    let (wish, mut wishes) = mpsc::channel(1);
    let mut owner = Owner::new(sender);
    let person = spawn(async move {
        for _ in 0..2 {
            wish.send(()).await.unwrap();
        }
    });
    let mut shown = 0;
    loop {
        tokio::select! {
            biased;
            Some(()) = wishes.recv() => owner.switch(variant).await,
            Some((epoch, live)) = pictures.recv() => {
                if epoch != owner.epoch {
                    continue;
                }
                assert!(epoch >= shown, "an older host came back");
                shown = epoch;
                if live && epoch == 2 {
                    break;
                }
            }
        }
    }
    drop(pictures);
    person.await.unwrap();
    for task in owner.closing.drain(..).chain(owner.commands.drain(..)) {
        task.await.unwrap();
    }
    owner.following.abort();
    owner.engine.close().await;
}
