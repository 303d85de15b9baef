//! Which flags describe a new container, and what do they make of it? `create` and `run`.
//!
//! Deliberately elsewhere: what an image adds (each backend), the grammar of each value (the domain types).

use std::path::Path;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::{
    flags::{Surroundings, is_set, number, switch, text, texts, trailing, typed, value, values},
    usage::UsageError,
};
use crate::engine::domain::{
    ContainerSpec, EnvEntry, EnvVar, Label, Mount, NetworkMode, PullPolicy, Span, parse_env_file,
};

/// Adds the flags and positionals to `create` or `run`. `-h` is the hostname, as in Docker.
pub fn arguments(command: Command) -> Command {
    command
        .disable_help_flag(true)
        .arg(Arg::new("help").long("help").action(ArgAction::Help).help("Print help"))
        .arg(value("name", None, "NAME", "Name of the container"))
        .arg(switch("interactive", Some('i'), "Keep standard input open"))
        .arg(switch("tty", Some('t'), "Give it a terminal"))
        .arg(switch("rm", None, "Remove it when it ends"))
        .arg(value("entrypoint", None, "COMMAND", "Replace the image's entrypoint; \"\" resets it"))
        .arg(values("env", Some('e'), "KEY=VALUE", "Set a variable; KEY alone takes it from here"))
        .arg(values("env-file", None, "FILE", "Read variables from a file"))
        .arg(value("workdir", Some('w'), "DIR", "Working directory inside"))
        .arg(value("user", Some('u'), "USER[:GROUP]", "User to run as"))
        .arg(value("hostname", Some('h'), "NAME", "Host name inside"))
        .arg(values("label", Some('l'), "KEY=VALUE", "Attach a label"))
        .arg(values("volume", Some('v'), "SOURCE:TARGET[:ro]", "Mount a directory or a volume"))
        .arg(values("mount", None, "KEY=VALUE,...", "Mount, spelled out: type=bind,source=/srv,target=/www"))
        .arg(values("tmpfs", None, "TARGET[:OPTIONS]", "Mount memory as a directory"))
        .arg(switch("read-only", None, "Make its root file system read-only"))
        .arg(value("memory", Some('m'), "SIZE", "Memory limit: 512m, 2g"))
        .arg(value("cpus", None, "NUMBER", "Processor limit: 1.5"))
        .arg(value("pids-limit", None, "NUMBER", "Process limit; -1 is none").allow_negative_numbers(true))
        .arg(value("network", None, "MODE", "none (default) or host").visible_alias("net"))
        .arg(values("publish", Some('p'), "PORTS", "Publish a port (needs a bridge network: not available yet)"))
        .arg(value("stop-signal", None, "SIGNAL", "Signal that asks it to end"))
        .arg(value("stop-timeout", None, "SECONDS", "Grace between that signal and KILL"))
        .arg(value("pull", None, "POLICY", "Fetch the image: always, missing (default) or never"))
        .arg(value("platform", None, "OS/ARCH", "Platform of the image"))
        .arg(trailing("IMAGE", "Image, then the command to run instead of its own"))
}

/// What the flags say, with variables and files of the caller taken in.
///
/// # Errors
/// The first flag whose value cannot be used.
pub fn read_spec(matches: &ArgMatches, around: &Surroundings<'_>) -> Result<ContainerSpec, UsageError> {
    let mut words = texts(matches, "words").into_iter();
    if let Some(ports) = text(matches, "publish") {
        return Err(no_bridge(&format!("-p {ports}")));
    }
    Ok(ContainerSpec {
        image: words.next().unwrap_or_default(),
        name: typed(matches, "name")?,
        entrypoint: text(matches, "entrypoint")
            .map(|word| Some(word).into_iter().filter(|word| !word.is_empty()).collect()),
        command: words.collect(),
        env: environment(&texts(matches, "env-file"), &texts(matches, "env"), around)?,
        workdir: text(matches, "workdir").map(Into::into),
        user: text(matches, "user"),
        hostname: text(matches, "hostname"),
        labels: all::<Label>(matches, "label")?.into_iter().map(|label| (label.key, label.value)).collect(),
        mounts: mounts(matches)?,
        read_only: is_set(matches, "read-only"),
        tty: is_set(matches, "tty"),
        interactive: is_set(matches, "interactive"),
        auto_remove: is_set(matches, "rm"),
        memory: typed(matches, "memory")?,
        cpus: typed(matches, "cpus")?,
        pids_limit: number::<i64>(matches, "pids-limit")?
            .and_then(|limit| u32::try_from(limit).ok())
            .filter(|n| *n > 0),
        network: text(matches, "network").as_deref().map_or(Ok(NetworkMode::Default), network)?,
        stop_signal: typed(matches, "stop-signal")?,
        stop_timeout: typed::<Span>(matches, "stop-timeout")?,
        pull: text(matches, "pull").as_deref().map_or(Ok(PullPolicy::default()), pull_policy)?,
        platform: typed(matches, "platform")?,
    })
}

/// The variables of `--env-file` files, then of `-e` flags: a later value of a key wins.
pub fn environment(files: &[String], flags: &[String], around: &Surroundings<'_>) -> Result<Vec<EnvVar>, UsageError> {
    let mut entries = Vec::new();
    for file in files {
        let content = (around.read_file)(Path::new(file)).map_err(|error| {
            UsageError::new(format!("--env-file: cannot read {}: {error}", UsageError::quote(file)))
                .hint("check the path")
        })?;
        let of_file = parse_env_file(&content);
        entries.extend(of_file.map_err(|error| UsageError::of_flag(&format!("--env-file {file}"), error))?);
    }
    for flag in flags {
        entries.push(flag.parse::<EnvEntry>().map_err(|error| UsageError::of_flag("--env", error))?);
    }
    Ok(entries.into_iter().filter_map(|entry| entry.resolve(around.variable)).collect())
}

fn mounts(matches: &ArgMatches) -> Result<Vec<Mount>, UsageError> {
    let volumes = texts(matches, "volume").into_iter().map(|text| {
        Mount::from_volume_flag(&absolute_source(&text)).map_err(|error| UsageError::of_flag("--volume", error))
    });
    let mounts = texts(matches, "mount")
        .into_iter()
        .map(|text| text.parse::<Mount>().map_err(|error| UsageError::of_flag("--mount", error)));
    let tmpfs = texts(matches, "tmpfs")
        .into_iter()
        .map(|text| Mount::from_tmpfs_flag(&text).map_err(|error| UsageError::of_flag("--tmpfs", error)));
    volumes.chain(mounts).chain(tmpfs).collect()
}

/// Docker takes `./dir` and `../dir` of the caller; engines want absolute paths.
fn absolute_source(volume: &str) -> String {
    let relative =
        |source: &str| source == "." || source == ".." || source.starts_with("./") || source.starts_with("../");
    match volume.split_once(':') {
        Some((source, rest)) if relative(source) => match std::path::absolute(source) {
            Ok(path) => format!("{}:{rest}", path.display()),
            Err(_) => volume.to_owned(), // No working directory: the parser will refuse the relative path.
        },
        Some(_) | None => volume.to_owned(),
    }
}

fn all<T: std::str::FromStr<Err = crate::engine::domain::ParseError>>(
    matches: &ArgMatches,
    name: &str,
) -> Result<Vec<T>, UsageError> {
    let parse = |text: String| text.parse().map_err(|error| UsageError::of_flag(&format!("--{name}"), error));
    texts(matches, name).into_iter().map(parse).collect()
}

fn network(word: &str) -> Result<NetworkMode, UsageError> {
    match word {
        "none" => Ok(NetworkMode::None),
        "host" => Ok(NetworkMode::Host),
        "default" => Ok(NetworkMode::Default),
        "bridge" => Err(no_bridge("--network bridge")),
        other => Err(UsageError::new(format!("--network: there is no mode {}", UsageError::quote(other)))
            .hint("use none or host")),
    }
}

fn no_bridge(flag: &str) -> UsageError {
    UsageError::new(format!("{flag}: bridge networks are not available yet, nor are published ports"))
        .hint("use --network host to share this machine's network, or --network none")
}

fn pull_policy(word: &str) -> Result<PullPolicy, UsageError> {
    match word {
        "always" => Ok(PullPolicy::Always),
        "missing" => Ok(PullPolicy::Missing),
        "never" => Ok(PullPolicy::Never),
        other => Err(UsageError::new(format!("--pull: there is no policy {}", UsageError::quote(other)))
            .hint("use always, missing or never")),
    }
}
