//! From create to gone: does every engine take a container through the same life?
//!
//! Deliberately elsewhere: names and prefixes (`names`), output (`streams`).

use wharf::engine::domain::*;

use super::bench::{checks, fails_as, same, told};

checks! {
    "a created container has no process and can be started" => |bench| {
        let id = bench.create(bench.spec(&["sleep", "1000"])).await.map_err(told)?;
        same("status", bench.status(&id).await.map_err(told)?, Status::Created)?;
        bench.start(&id).await.map_err(told)?;
        let seen = bench.look(&id).await.map_err(told)?;
        same("status", seen.status(), Status::Running)?;
        same("has a pid", seen.state.pid.is_some_and(|pid| pid > 0), true)
    }
    "starting what runs is already so" => |bench| {
        let id = bench.sleeper().await.map_err(told)?;
        same("already", bench.start(&id).await.map_err(told)?.already, true)
    }
    "a process that ends leaves its exit code" => |bench| {
        let id = bench.running(&["sh", "-c", "exit 7"]).await.map_err(told)?;
        same("exit", bench.exit(&id).await.map_err(told)?, ProcessExit::Code(7))?;
        let seen = bench.look(&id).await.map_err(told)?;
        same("status", seen.status(), Status::Exited)?;
        same("code", seen.state.exit_code, Some(7))
    }
    "a table of containers tells of each what a close look tells" => |bench| {
        let created = bench.create(bench.spec(&["true"])).await.map_err(told)?;
        let runs = bench.sleeper().await.map_err(told)?;
        let ended = bench.running(&["sh", "-c", "exit 7"]).await.map_err(told)?;
        same("exit", bench.exit(&ended).await.map_err(told)?, ProcessExit::Code(7))?;
        let table = bench.engine.container_table().await.map_err(told)?;
        for id in [created, runs, ended] {
            let close = bench.look(&id).await.map_err(told)?;
            let Some(row) = table.iter().find(|row| row.id == id) else { return Err(format!("{id} has no row")) };
            let (told, known) = (&row.state, &close.state);
            same("state", (told.status, told.exit_code, told.health), (known.status, known.exit_code, known.health))?;
            same("name and image", (&row.name, &row.image, &row.image_id), (&close.name, &close.image, &close.image_id))?;
            same("labels and ports", (&row.labels, &row.ports), (&close.labels, &close.ports))?;
            for (told, known) in [(told.started, known.started), (told.finished, known.finished)] {
                let apart = told.zip(known).map_or(0, |(a, b)| a.since(b).max(b.since(a)).as_secs());
                same("times agree", (apart <= 2, told.is_some() <= known.is_some()), (true, true))?;
            }
        }
        Ok(())
    }
    "an exited container starts again" => |bench| {
        let id = bench.running(&["true"]).await.map_err(told)?;
        same("first exit", bench.exit(&id).await.map_err(told)?, ProcessExit::Code(0))?;
        bench.start(&id).await.map_err(told)?;
        same("second exit", bench.exit(&id).await.map_err(told)?, ProcessExit::Code(0))
    }
    "stop ends a process that traps TERM with that process's own code" => |bench| {
        let id = bench.running(&["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"]).await.map_err(told)?;
        bench.stop(&id, 10).await.map_err(told)?;
        same("status", bench.status(&id).await.map_err(told)?, Status::Exited)
    }
    "stop kills after its grace what ignores TERM" => |bench| {
        let id = bench.sleeper().await.map_err(told)?;
        let begun = std::time::Instant::now();
        bench.stop(&id, 1).await.map_err(told)?;
        same("took at least the grace", begun.elapsed().as_millis() >= 900, true)?;
        same("exit", bench.exit(&id).await.map_err(told)?, ProcessExit::Code(137))
    }
    "stopping what does not run is already so" => |bench| {
        let id = bench.create(bench.spec(&["true"])).await.map_err(told)?;
        same("already", bench.stop(&id, 1).await.map_err(told)?.already, true)
    }
    "kill ends a process at once" => |bench| {
        let id = bench.sleeper().await.map_err(told)?;
        bench.kill(&id, Signal::KILL).await.map_err(told)?;
        same("exit", bench.exit(&id).await.map_err(told)?, ProcessExit::Code(137))?;
        same("status", bench.status(&id).await.map_err(told)?, Status::Exited)
    }
    "kill does not wait for a stop that waits" => |bench| {
        let id = bench.sleeper().await.map_err(told)?;
        let begun = std::time::Instant::now();
        let options = StopOptions { signal: None, grace: Some("60".parse().unwrap()) };
        let stop = bench.engine.submit(Command::Stop { container: id.clone().into(), options }).map_err(told)?;
        bench.kill(&id, Signal::KILL).await.map_err(told)?;
        stop.outcome().await.map_err(told)?;
        same("well before the grace", begun.elapsed().as_secs() < 20, true)
    }
    "killing what does not run is refused" => |bench| {
        let id = bench.create(bench.spec(&["true"])).await.map_err(told)?;
        fails_as("kill", bench.kill(&id, Signal::KILL).await, ErrorKind::Refused)
    }
    "restart gives a new process" => |bench| {
        let id = bench.sleeper().await.map_err(told)?;
        let before = bench.look(&id).await.map_err(told)?.state.started;
        let options = StopOptions { signal: Some(Signal::KILL), grace: Some("5".parse().unwrap()) };
        bench.submit(Command::Restart { container: id.clone().into(), options }).await.map_err(told)?;
        let after = bench.look(&id).await.map_err(told)?;
        same("status", after.status(), Status::Running)?;
        same("started later", after.state.started >= before, true)
    }
    "a restart keeps an auto-remove container and a stop removes it" => |bench| {
        let spec = ContainerSpec { auto_remove: true, ..bench.spec(&["sleep", "1000"]) };
        let id = bench.submit(Command::Run(Box::new(spec))).await.map_err(told)?.container.unwrap();
        let options = StopOptions { signal: None, grace: Some("0".parse().unwrap()) };
        // Once only: Podman 4.3 clears up after the stop so late that it meets, and removes, a second restart's.
        bench.submit(Command::Restart { container: id.clone().into(), options }).await.map_err(told)?;
        same("status", bench.status(&id).await.map_err(told)?, Status::Running)?;
        bench.stop(&id, 0).await.map_err(told)?;
        let gone = || async { bench.look(&id).await.is_err_and(|error| error.kind() == ErrorKind::NoSuchContainer) };
        bench.until("the container is gone", gone).await
    }
    "pause and unpause show in the status" => |bench| {
        let id = bench.sleeper().await.map_err(told)?;
        let paused = bench.submit(Command::Pause { container: id.clone().into() }).await;
        if let Err(error) = &paused && error.kind() == ErrorKind::Unsupported {
            return same("a refusal says how to change that", error.remedy_text().is_some(), true);
        }
        paused.map_err(told)?;
        same("status", bench.status(&id).await.map_err(told)?, Status::Paused)?;
        bench.submit(Command::Unpause { container: id.clone().into() }).await.map_err(told)?;
        same("status", bench.status(&id).await.map_err(told)?, Status::Running)
    }
    "a paused container can be killed" => |bench| {
        let id = bench.sleeper().await.map_err(told)?;
        let paused = bench.submit(Command::Pause { container: id.clone().into() }).await;
        if paused.as_ref().is_err_and(|error| error.kind() == ErrorKind::Unsupported) {
            return Ok(());
        }
        bench.kill(&id, Signal::KILL).await.map_err(told)?;
        same("exit", bench.exit(&id).await.map_err(told)?, ProcessExit::Code(137))
    }
    "removing a running container without force is refused and changes nothing" => |bench| {
        let id = bench.sleeper().await.map_err(told)?;
        fails_as("rm", bench.remove(&id, Force::No).await, ErrorKind::Refused)?;
        same("status", bench.status(&id).await.map_err(told)?, Status::Running)
    }
    "removing with force ends the process and the record" => |bench| {
        let id = bench.sleeper().await.map_err(told)?;
        bench.remove(&id, Force::Yes).await.map_err(told)?;
        fails_as("look", bench.look(&id).await, ErrorKind::NoSuchContainer)
    }
    "removing with force what is gone is already so" => |bench| {
        let id = bench.create(bench.spec(&["true"])).await.map_err(told)?;
        bench.remove(&id, Force::No).await.map_err(told)?;
        bench.remove(&id, Force::Yes).await.map_err(told)?;
        fails_as("rm without force", bench.remove(&id, Force::No).await, ErrorKind::NoSuchContainer)
    }
    "two removals at once both succeed" => |bench| {
        let id = bench.sleeper().await.map_err(told)?;
        let (one, two) = tokio::join!(bench.remove(&id, Force::Yes), bench.remove(&id, Force::Yes));
        one.map_err(told)?;
        two.map_err(told)?;
        fails_as("look", bench.look(&id).await, ErrorKind::NoSuchContainer)
    }
    "a forced removal does not wait for a stop that waits" => |bench| {
        let id = bench.sleeper().await.map_err(told)?;
        let begun = std::time::Instant::now();
        let options = StopOptions { signal: None, grace: Some("60".parse().unwrap()) };
        let stop = bench.engine.submit(Command::Stop { container: id.clone().into(), options }).map_err(told)?;
        bench.remove(&id, Force::Yes).await.map_err(told)?;
        // Both ends are fine: stopped, or gone under it.
        let _ = stop.outcome().await;
        same("well before the grace", begun.elapsed().as_secs() < 20, true)
    }
    "an auto-remove container is gone after its exit" => |bench| {
        let spec = ContainerSpec { auto_remove: true, ..bench.spec(&["true"]) };
        let id = bench.submit(Command::Run(Box::new(spec))).await.map_err(told)?.container.unwrap();
        let gone = || async { bench.look(&id).await.is_err_and(|error| error.kind() == ErrorKind::NoSuchContainer) };
        bench.until("the container is gone", gone).await
    }
    "a command that is not in the image fails as such" => |bench| {
        let id = bench.create(bench.spec(&["no-such-command"])).await;
        let outcome = match id {
            Ok(id) => bench.start(&id).await,
            Err(error) => Err(error),
        };
        fails_as("start", outcome, ErrorKind::CommandNotFound)
    }
    "verbs on nothing say that there is no such container" => |bench| {
        let nothing = ContainerSelector::from("no-such-container-anywhere");
        let stop = Command::Stop { container: nothing.clone(), options: StopOptions::default() };
        fails_as("stop", bench.submit(stop).await, ErrorKind::NoSuchContainer)?;
        fails_as("look", bench.engine.find_container(&nothing).await, ErrorKind::NoSuchContainer)?;
        let forced = RemoveOptions { force: Force::Yes, volumes: false };
        let rm = Command::Remove { container: nothing, options: forced };
        same("rm -f", bench.submit(rm).await.map(|done| done.already), Ok(true))
    }
}
