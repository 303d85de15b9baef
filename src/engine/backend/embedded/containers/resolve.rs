//! What comes of an image's defaults and what a person asked for? Docker's rules, pure.
//!
//! Deliberately elsewhere: making volumes and directories (`create`), looking up users and programs (the
//! monitor, inside the container).

use std::path::{Path, PathBuf};

use super::{base_image::Defaults, record::Resolved};
use crate::engine::domain::{
    ContainerId, ContainerSpec, EnvVar, Error, ErrorKind, InitialContent, Mount, MountKind, NetworkMode, ReadOnly,
    Result,
};

/// What containers search for programs when nobody says otherwise; Docker's value.
const DEFAULT_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The line that replaces a surprise.
pub const NO_BRIDGE: &str =
    "no network: the embedded engine has no bridge network yet; use --network host for the host's own";

/// A container's configuration and what to tell its maker.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub resolved: Resolved,
    /// In the order of mounting; volumes have no directory yet.
    pub mounts: Vec<Mount>,
    /// Never `Default`.
    pub network: NetworkMode,
    pub warnings: Vec<String>,
}

/// Merges. `host_name` is this machine's, for containers on its network.
///
/// # Errors
/// `InvalidInput` when there is no command, the working directory is relative, or two mounts share a target.
pub fn resolve(spec: &ContainerSpec, defaults: &Defaults, id: &ContainerId, host_name: Option<&str>) -> Result<Plan> {
    let mut warnings = Vec::new();
    let (entrypoint, command) = arguments(spec, defaults)?;
    let network = match spec.network {
        NetworkMode::Default => {
            warnings.push(NO_BRIDGE.to_owned());
            NetworkMode::None
        }
        NetworkMode::None => NetworkMode::None,
        NetworkMode::Host => NetworkMode::Host,
    };
    let hostname = match (&spec.hostname, network, host_name) {
        (Some(hostname), _, _) => hostname.clone(),
        (None, NetworkMode::Host, Some(host)) => host.to_owned(),
        (None, _, _) => id.short().to_owned(),
    };
    let stop_signal = match (spec.stop_signal, defaults.stop_signal.as_deref()) {
        (Some(signal), _) => Some(signal),
        (None, Some(text)) => text.parse().map(Some).unwrap_or_else(|_| {
            warnings.push(format!("the image's stop signal {text:?} does not exist; TERM is used"));
            None
        }),
        (None, None) => None,
    };
    let mut labels = defaults.labels.clone();
    labels.extend(spec.labels.clone());
    let user = spec.user.clone().or_else(|| Some(defaults.user.clone())).filter(|user| !user.is_empty());
    let resolved = Resolved {
        entrypoint,
        command,
        env: environment(&defaults.env, &spec.env),
        workdir: workdir(spec, defaults)?,
        user,
        hostname,
        labels,
        stop_signal,
        stop_grace: spec.stop_timeout,
        exposed_ports: defaults.exposed_ports.clone(),
    };
    Ok(Plan { resolved, mounts: mounts(spec, defaults)?, network, warnings })
}

/// An entrypoint that was asked for drops the image's command with the image's entrypoint.
fn arguments(spec: &ContainerSpec, defaults: &Defaults) -> Result<(Vec<String>, Vec<String>)> {
    let (entrypoint, inherited) = match &spec.entrypoint {
        Some(asked) if asked.iter().all(String::is_empty) => (Vec::new(), &[][..]),
        Some(asked) => (asked.clone(), &[][..]),
        None => (defaults.entrypoint.clone(), defaults.command.as_slice()),
    };
    let command = if spec.command.is_empty() { inherited.to_vec() } else { spec.command.clone() };
    if entrypoint.is_empty() && command.is_empty() {
        return Err(Error::new(ErrorKind::InvalidInput, "no command is given, and the image has none")
            .remedy("write the command after the image"));
    }
    Ok((entrypoint, command))
}

/// Later values replace earlier ones in their place, as Docker does.
fn environment(image: &[String], asked: &[EnvVar]) -> Vec<String> {
    let mut merged: Vec<String> = Vec::new();
    if !image.iter().any(|variable| key(variable) == "PATH") {
        merged.push(DEFAULT_PATH.to_owned());
    }
    for variable in image.iter().cloned().chain(asked.iter().map(EnvVar::to_string)) {
        match merged.iter_mut().find(|known| key(known) == key(&variable)) {
            Some(known) => *known = variable,
            None => merged.push(variable),
        }
    }
    merged
}

fn key(variable: &str) -> &str {
    variable.split('=').next().unwrap_or_default()
}

fn workdir(spec: &ContainerSpec, defaults: &Defaults) -> Result<PathBuf> {
    match &spec.workdir {
        Some(asked) if is_absolute(asked) => Ok(asked.clone()),
        Some(asked) => Err(Error::new(
            ErrorKind::InvalidInput,
            format!("the working directory {} is not absolute", asked.display()),
        )
        .remedy("write it from the container's root, such as /srv")),
        // An image may write it without the slash; it means the root's.
        None => Ok(Path::new("/").join(defaults.workdir.trim_start_matches('/'))),
    }
}

/// In the container, whatever system this program was built for.
fn is_absolute(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.starts_with('/'))
}

/// What was asked for, then a volume for each path the image wants one at and nobody else took.
fn mounts(spec: &ContainerSpec, defaults: &Defaults) -> Result<Vec<Mount>> {
    let mut mounts: Vec<Mount> = Vec::new();
    for mount in &spec.mounts {
        if mounts.iter().any(|other| other.target == mount.target) {
            let target = mount.target.display();
            return Err(Error::new(ErrorKind::InvalidInput, format!("two mounts have the target {target}")));
        }
        mounts.push(mount.clone());
    }
    for path in &defaults.volumes {
        let target = Path::new("/").join(path.trim_matches('/'));
        let taken = target == Path::new("/") || mounts.iter().any(|mount| mount.target == target);
        if !taken {
            let kind = MountKind::Volume { name: None, initial: InitialContent::Image };
            mounts.push(Mount { kind, target, read_only: ReadOnly::No });
        }
    }
    // Parents before what lies in them.
    mounts.sort_by_key(|mount| mount.target.components().count());
    Ok(mounts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::domain::Signal;

    fn id() -> ContainerId {
        ContainerId::from_random([0xab; 32])
    }

    fn defaults() -> Defaults {
        Defaults {
            entrypoint: vec!["/entry".into()],
            command: vec!["serve".into()],
            env: vec!["A=1".into(), "B=2".into()],
            workdir: "srv".into(),
            user: "app".into(),
            stop_signal: Some("SIGQUIT".into()),
            volumes: vec!["/data".into(), "/data/deep/".into()],
            ..Defaults::default()
        }
    }

    fn resolved(spec: &ContainerSpec) -> Plan {
        resolve(spec, &defaults(), &id(), Some("machine")).unwrap()
    }

    #[test]
    fn the_image_speaks_where_nobody_else_does() {
        let plan = resolved(&ContainerSpec::default());
        assert_eq!(plan.resolved.arguments(), ["/entry", "serve"]);
        assert_eq!(plan.resolved.workdir, Path::new("/srv"));
        assert_eq!(plan.resolved.user.as_deref(), Some("app"));
        assert_eq!(plan.resolved.stop_signal, Some(Signal::QUIT));
        assert_eq!(plan.resolved.hostname, "abababababab");
        assert_eq!(plan.mounts.len(), 2);
    }

    #[test]
    fn a_command_keeps_the_entrypoint_and_an_entrypoint_drops_the_command() {
        let command = ContainerSpec { command: vec!["sh".into()], ..ContainerSpec::default() };
        assert_eq!(resolved(&command).resolved.arguments(), ["/entry", "sh"]);
        let entrypoint = ContainerSpec { entrypoint: Some(vec!["/bin/x".into()]), ..ContainerSpec::default() };
        assert_eq!(resolved(&entrypoint).resolved.arguments(), ["/bin/x"]);
        let reset = ContainerSpec { entrypoint: Some(vec![String::new()]), ..command };
        assert_eq!(resolved(&reset).resolved.arguments(), ["sh"]);
    }

    #[test]
    fn nothing_to_run_is_refused_with_what_to_write() {
        let error = resolve(&ContainerSpec::default(), &Defaults::default(), &id(), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.remedy_text().is_some());
    }

    #[test]
    fn asked_variables_replace_the_images_in_place_and_path_is_always_there() {
        let spec = ContainerSpec {
            env: vec!["A=9".parse().unwrap(), "C=3".parse().unwrap(), "C=4".parse().unwrap()],
            ..ContainerSpec::default()
        };
        assert_eq!(resolved(&spec).resolved.env, [DEFAULT_PATH, "A=9", "B=2", "C=4"]);
    }

    #[test]
    fn a_mount_that_was_asked_for_takes_the_place_of_the_images_volume() {
        let mount = Mount::from_volume_flag("/host:/data").unwrap();
        let spec = ContainerSpec { mounts: vec![mount.clone()], ..ContainerSpec::default() };
        let plan = resolved(&spec);
        assert_eq!(plan.mounts.first(), Some(&mount));
        assert_eq!(plan.mounts.len(), 2);
        let twice = ContainerSpec { mounts: vec![mount.clone(), mount], ..ContainerSpec::default() };
        assert!(resolve(&twice, &defaults(), &id(), None).is_err());
    }

    #[test]
    fn the_default_network_is_none_and_says_so_once() {
        let plan = resolved(&ContainerSpec::default());
        assert_eq!((plan.network, plan.warnings), (NetworkMode::None, vec![NO_BRIDGE.to_owned()]));
        let host = resolved(&ContainerSpec { network: NetworkMode::Host, ..ContainerSpec::default() });
        assert_eq!((host.network, host.warnings.len()), (NetworkMode::Host, 0));
        assert_eq!(host.resolved.hostname, "machine");
    }

    #[test]
    fn a_relative_working_directory_is_refused() {
        let spec = ContainerSpec { workdir: Some("srv".into()), ..ContainerSpec::default() };
        assert!(resolve(&spec, &defaults(), &id(), None).is_err());
    }
}
