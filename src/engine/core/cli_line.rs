//! Which command line does a command stand for?
//!
//! Deliberately elsewhere: parsing that line (`cli::grammar`). A test there reads back what is written here.

use std::fmt::Write as _;

use crate::engine::domain::{
    Command, ContainerSpec, Demo, Force, MountKind, NetworkMode, PullPolicy, ReadOnly, StopOptions,
};

/// The line a person could type, for whoever has just given these values: environment values are shown as written.
#[must_use]
pub fn cli_line(command: &Command) -> String {
    line_of(command, EnvValues::Shown)
}

/// The line for everybody else: what other processes see and what the history keeps. `-e KEY` without its value takes
/// it from the environment of whoever runs the line, as Docker does.
#[must_use]
pub fn cli_line_without_secrets(command: &Command) -> String {
    line_of(command, EnvValues::Hidden)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum EnvValues {
    Shown,
    Hidden,
}

fn line_of(command: &Command, env: EnvValues) -> String {
    let mut line = Line { text: format!("wharf {}", command.verb()), env };
    match command {
        Command::Create(spec) => line.spec(spec),
        Command::Run(spec) => {
            line.word("-d");
            line.spec(spec);
        }
        Command::Start { container } | Command::Pause { container } | Command::Unpause { container } => {
            line.value(container);
        }
        Command::Stop { container, options } | Command::Restart { container, options } => {
            line.stop(options);
            line.value(container);
        }
        Command::Kill { container, signal } => {
            if *signal != crate::engine::domain::Signal::KILL {
                line.option("--signal", signal);
            }
            line.value(container);
        }
        Command::Remove { container, options } => {
            if options.force == Force::Yes {
                line.word("--force");
            }
            if options.volumes {
                line.word("--volumes");
            }
            line.value(container);
        }
        Command::Rename { container, name } => {
            line.value(container);
            line.value(name);
        }
        Command::Pull { reference, options } => {
            if let Some(platform) = &options.platform {
                line.option("--platform", platform);
            }
            line.value(reference.familiar());
        }
        Command::Push { reference } => line.value(reference.familiar()),
        Command::Tag { source, target } => {
            line.value(source);
            line.value(target.familiar());
        }
        Command::RemoveImage { image, force } => {
            if *force == Force::Yes {
                line.word("--force");
            }
            line.value(image);
        }
        Command::CreateIndex { targets, sources } => {
            for target in targets {
                line.option("-t", target.familiar());
            }
            for source in sources {
                line.value(source.familiar());
            }
        }
        Command::PruneContainers => line.word("--force"),
        Command::PruneImages { unused } => {
            line.word("--force");
            if *unused {
                line.word("--all");
            }
        }
        Command::Demo(Demo::Start) => {}
        Command::Demo(Demo::Clean) => line.word("--clean"),
    }
    line.text
}

struct Line {
    text: String,
    env: EnvValues,
}

impl Line {
    fn word(&mut self, word: &str) {
        self.text.push(' ');
        self.text.push_str(word);
    }

    fn value(&mut self, value: impl std::fmt::Display) {
        let value = value.to_string();
        self.text.push(' ');
        quote_into(&mut self.text, &value);
    }

    fn option(&mut self, flag: &str, value: impl std::fmt::Display) {
        self.word(flag);
        self.value(value);
    }

    fn stop(&mut self, options: &StopOptions) {
        if let Some(signal) = options.signal {
            self.option("--signal", signal);
        }
        if let Some(grace) = options.grace {
            self.option("--time", grace.duration().as_secs());
        }
    }

    fn spec(&mut self, spec: &ContainerSpec) {
        self.flags(spec);
        self.settings(spec);
        self.limits(spec);
        // Docker's --entrypoint takes one word; the rest of a longer entrypoint leads the command.
        let entrypoint = spec.entrypoint.as_deref();
        if let Some(words) = entrypoint {
            self.option("--entrypoint", words.first().map_or("", String::as_str));
        }
        self.value(&spec.image);
        for word in entrypoint.unwrap_or_default().iter().skip(1).chain(&spec.command) {
            self.value(word);
        }
    }

    fn flags(&mut self, spec: &ContainerSpec) {
        for (set, flag) in
            [(spec.interactive, "-i"), (spec.tty, "-t"), (spec.auto_remove, "--rm"), (spec.read_only, "--read-only")]
        {
            if set {
                self.word(flag);
            }
        }
    }

    fn settings(&mut self, spec: &ContainerSpec) {
        if let Some(name) = &spec.name {
            self.option("--name", name);
        }
        for variable in &spec.env {
            match self.env {
                EnvValues::Shown => self.option("-e", variable),
                EnvValues::Hidden => self.option("-e", &variable.key),
            }
        }
        if let Some(workdir) = &spec.workdir {
            self.option("-w", workdir.display());
        }
        if let Some(user) = &spec.user {
            self.option("-u", user);
        }
        if let Some(hostname) = &spec.hostname {
            self.option("--hostname", hostname);
        }
        for (key, value) in &spec.labels {
            self.option("-l", format_args!("{key}={value}"));
        }
        for mount in &spec.mounts {
            match &mount.kind {
                MountKind::Bind { source } if mount.read_only == ReadOnly::No => {
                    self.option("-v", format_args!("{}:{}", source.display(), mount.target.display()));
                }
                MountKind::Bind { .. } | MountKind::Volume { .. } | MountKind::Tmpfs { .. } => {
                    self.option("--mount", mount);
                }
            }
        }
        match spec.network {
            NetworkMode::Default => {}
            NetworkMode::None => self.option("--network", "none"),
            NetworkMode::Host => self.option("--network", "host"),
        }
        match spec.pull {
            PullPolicy::Missing => {}
            PullPolicy::Always => self.option("--pull", "always"),
            PullPolicy::Never => self.option("--pull", "never"),
        }
        if let Some(platform) = &spec.platform {
            self.option("--platform", platform);
        }
    }

    fn limits(&mut self, spec: &ContainerSpec) {
        if let Some(memory) = spec.memory {
            self.option("-m", memory);
        }
        if let Some(cpus) = spec.cpus {
            self.option("--cpus", cpus);
        }
        if let Some(pids) = spec.pids_limit {
            self.option("--pids-limit", pids);
        }
        if let Some(signal) = spec.stop_signal {
            self.option("--stop-signal", signal);
        }
        if let Some(grace) = spec.stop_timeout {
            self.option("--stop-timeout", grace.duration().as_secs());
        }
    }
}

/// POSIX single quotes where the word needs them.
fn quote_into(line: &mut String, word: &str) {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        line.push_str(word);
        return;
    }
    // Writing into a string cannot fail.
    let _ = write!(line, "'{}'", word.replace('\'', r"'\''"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::domain::{ContainerSelector, RemoveOptions};

    #[test]
    fn a_forced_removal_reads_as_its_command_line() {
        let command = Command::Remove {
            container: ContainerSelector::from("web"),
            options: RemoveOptions { force: Force::Yes, volumes: false },
        };
        assert_eq!(cli_line(&command), "wharf rm --force web");
    }

    #[test]
    fn the_line_that_is_kept_has_no_environment_values() {
        let env = vec!["TOKEN=hunter2".parse().unwrap(), "EMPTY=".parse().unwrap()];
        let command =
            Command::Create(Box::new(ContainerSpec { image: "bb:1".into(), env, ..ContainerSpec::default() }));
        assert_eq!(cli_line(&command), "wharf create -e TOKEN=hunter2 -e EMPTY= bb:1");
        assert_eq!(cli_line_without_secrets(&command), "wharf create -e TOKEN -e EMPTY bb:1");
    }

    #[test]
    fn words_with_spaces_and_quotes_are_quoted() {
        let spec = ContainerSpec {
            image: "bb:1".into(),
            command: vec!["sh".into(), "-c".into(), "echo 'a b'".into()],
            ..ContainerSpec::default()
        };
        assert_eq!(cli_line(&Command::Run(Box::new(spec))), r"wharf run -d bb:1 sh -c 'echo '\''a b'\'''");
    }
}
