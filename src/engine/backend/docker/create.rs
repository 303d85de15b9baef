//! How is a container created so that a lost answer is resolved by looking, never by guessing?
//!
//! Every creation carries a token as a label; whoever has the token was made by it. Deliberately elsewhere: pulling
//! the image first (`transfer`).

use std::{collections::HashMap, time::Duration};

use bollard::{
    models::{ContainerCreateBody, HostConfig, Mount as ApiMount, MountTmpfsOptions, MountType, MountVolumeOptions},
    query_parameters::CreateContainerOptionsBuilder,
};
use serde_json::{Value, json};

use super::{
    api::{Api, typed_error},
    container_json,
    containers::{self, Remembered},
    failure::About,
    lifecycle::{self, Target, name_in_use},
    path::Path,
    transfer,
};
use crate::engine::{
    backend::OperationContext,
    core::limits,
    domain::{
        Container, ContainerSpec, Done, Error, ErrorKind, Force, ImageReference, InitialContent, Mount, MountKind,
        NetworkMode, PullOptions, PullPolicy, RemoveOptions, Result,
    },
};

/// The label that tells whose creation a container is.
pub const OPERATION_LABEL: &str = "wharf.operation";
/// After a cancel the daemon's answer is awaited so long before the label is looked for.
const LATE_ANSWER: Duration = Duration::from_millis(1200);

/// Creates it, pulling as the spec's policy says. Cancelled or failed, nothing of it stays.
///
/// # Errors
/// `NoSuchImage`, `NameInUse`, `InvalidInput`, or why the pull failed.
pub async fn create(
    api: &Api,
    remembered: &Remembered,
    spec: ContainerSpec,
    context: &OperationContext,
) -> Result<Done> {
    let reference = spec.image.parse::<ImageReference>();
    let options = PullOptions { platform: spec.platform.clone() };
    if let (PullPolicy::Always, Ok(reference)) = (spec.pull, &reference) {
        transfer::pull(api, reference, &options, context).await?;
    }
    context.step("creating");
    match once(api, remembered, &spec, context).await {
        Err(error) if error.kind() == ErrorKind::NoSuchImage && spec.pull != PullPolicy::Never => {
            // An id that is not there cannot be pulled.
            let Ok(reference) = &reference else { return Err(error) };
            if looks_like_id(&spec.image) {
                return Err(error);
            }
            transfer::pull(api, reference, &options, context).await?;
            context.step("creating");
            once(api, remembered, &spec, context).await
        }
        outcome => outcome,
    }
}

async fn once(api: &Api, remembered: &Remembered, spec: &ContainerSpec, context: &OperationContext) -> Result<Done> {
    context.check()?;
    let token = token();
    let mut options = CreateContainerOptionsBuilder::new();
    if let Some(name) = &spec.name {
        options = options.name(name.as_str());
    }
    if let Some(platform) = &spec.platform {
        options = options.platform(&platform.to_string());
    }
    let request = api.typed().create_container(Some(options.build()), body(spec, &token)?);
    tokio::pin!(request);
    let answer = tokio::select! {
        answer = &mut request => answer,
        () = context.cancel.cancelled() => {
            // The daemon may be making it right now: what comes of it is taken away again.
            let late = tokio::time::timeout(LATE_ANSWER, request).await;
            let made = late.is_err() || late.is_ok_and(|answer| answer.is_ok());
            if made && let Some(made) = labelled(api, &token).await? {
                let target = Target { api, remembered, id: &made.id };
                let away = RemoveOptions { force: Force::Yes, volumes: true };
                lifecycle::remove(target, &away, &OperationContext::unwatched(limits::CLOSE_DEADLINE)).await?;
            }
            return Err(Error::cancelled());
        }
    };
    let (id, warnings) = match answer {
        Ok(made) => (made.id, made.warnings),
        Err(error) => {
            let error = typed_error(error, About::Image);
            // The name may be taken by our own request whose answer was lost; Podman says 500 for that.
            let unsure =
                [ErrorKind::Refused, ErrorKind::Io, ErrorKind::Unreachable, ErrorKind::TimedOut, ErrorKind::Protocol]
                    .contains(&error.kind());
            match if unsure { labelled(api, &token).await? } else { None } {
                Some(made) => (made.id.to_string(), Vec::new()),
                None => return Err(explained(api, remembered, spec, error).await),
            }
        }
    };
    let id = id.parse().map_err(|_| Error::new(ErrorKind::Protocol, "the daemon gave no id to the new container"))?;
    Ok(Done { already: false, output: vec![format!("{id}")], container: Some(id), warnings })
}

/// 409 (500 on Podman) with a name that somebody has means the name; who has it, helps.
async fn explained(api: &Api, remembered: &Remembered, spec: &ContainerSpec, error: Error) -> Error {
    match (error.kind(), &spec.name) {
        (kind @ (ErrorKind::Refused | ErrorKind::Io), Some(name)) => {
            match containers::find(api, remembered, name.as_str()).await {
                Ok(owner) if owner.name.as_ref() == Some(name) => name_in_use(name, &owner.id),
                // Its owner is just going away.
                Ok(_) | Err(_) if kind == ErrorKind::Refused => {
                    Error::new(ErrorKind::NameInUse, error.reason()).remedy("choose another name, or try again")
                }
                Ok(_) | Err(_) => error,
            }
        }
        (ErrorKind::NoSuchImage, _) => {
            Error::no_such_image(&spec.image).remedy(format!("pull it first: wharf pull {}", spec.image))
        }
        (_, _) => error,
    }
}

/// The container that carries our token, if the daemon has made one.
async fn labelled(api: &Api, token: &str) -> Result<Option<Container>> {
    let filters = json!({"label": [format!("{OPERATION_LABEL}={token}")]});
    let path = Path::new("/containers/json").query("all", 1).query("filters", filters);
    let entries: Vec<Value> = api.get(path).await?.json(About::Host)?;
    Ok(entries.iter().find_map(container_json::from_list_entry))
}

fn token() -> String {
    // As random as a container id, and shorter to look at.
    crate::engine::domain::ContainerId::random().short().to_owned()
}

/// Hexadecimal and long enough to be meant as an id, or a digest.
fn looks_like_id(image: &str) -> bool {
    let digits = image.strip_prefix("sha256:").unwrap_or(image);
    digits.len() >= 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn body(spec: &ContainerSpec, token: &str) -> Result<ContainerCreateBody> {
    let mut labels: HashMap<String, String> = spec.labels.clone().into_iter().collect();
    labels.insert(OPERATION_LABEL.to_owned(), token.to_owned());
    let yes = |flag: bool| flag.then_some(true);
    let number = |number: u64, what: &str| {
        i64::try_from(number).map_err(|_| Error::new(ErrorKind::InvalidInput, format!("the {what} is too large")))
    };
    let entrypoint = spec.entrypoint.as_ref().map(|words| match words.as_slice() {
        // The API resets the image's entrypoint by one empty word.
        [] => vec![String::new()],
        words => words.to_vec(),
    });
    let host = HostConfig {
        mounts: (!spec.mounts.is_empty()).then(|| spec.mounts.iter().map(mount).collect()),
        readonly_rootfs: yes(spec.read_only),
        auto_remove: yes(spec.auto_remove),
        memory: spec.memory.map(|size| number(size.bytes(), "memory limit")).transpose()?,
        nano_cpus: spec.cpus.map(|cpus| number(cpus.nanos(), "number of CPUs")).transpose()?,
        pids_limit: spec.pids_limit.map(i64::from),
        network_mode: match spec.network {
            NetworkMode::Default => None,
            NetworkMode::None => Some("none".to_owned()),
            NetworkMode::Host => Some("host".to_owned()),
        },
        ..HostConfig::default()
    };
    Ok(ContainerCreateBody {
        image: Some(spec.image.clone()),
        entrypoint,
        cmd: (!spec.command.is_empty()).then(|| spec.command.clone()),
        env: (!spec.env.is_empty()).then(|| spec.env.iter().map(ToString::to_string).collect()),
        working_dir: spec.workdir.as_ref().map(|workdir| workdir.to_string_lossy().into_owned()),
        user: spec.user.clone(),
        hostname: spec.hostname.clone(),
        labels: Some(labels),
        tty: yes(spec.tty),
        open_stdin: yes(spec.interactive),
        // One client, and the process reads end of file when it leaves.
        stdin_once: yes(spec.interactive),
        attach_stdin: yes(spec.interactive),
        stop_signal: spec.stop_signal.map(|signal| signal.to_string()),
        stop_timeout: spec
            .stop_timeout
            .map(|timeout| number(timeout.duration().as_millis().div_ceil(1000) as u64, "stop timeout"))
            .transpose()?,
        host_config: Some(host),
        ..ContainerCreateBody::default()
    })
}

fn mount(mount: &Mount) -> ApiMount {
    let (typ, source, tmpfs_options) = match &mount.kind {
        MountKind::Bind { source } => (MountType::BIND, Some(source.to_string_lossy().into_owned()), None),
        MountKind::Volume { name, .. } => (MountType::VOLUME, name.as_ref().map(ToString::to_string), None),
        MountKind::Tmpfs { size, mode } => {
            let options = MountTmpfsOptions {
                size_bytes: size.and_then(|size| i64::try_from(size.bytes()).ok()),
                mode: mode.map(i64::from),
                options: None,
            };
            (MountType::TMPFS, None, Some(options))
        }
    };
    let volume_options = match &mount.kind {
        MountKind::Volume { initial: InitialContent::Empty, .. } => {
            Some(MountVolumeOptions { no_copy: Some(true), ..MountVolumeOptions::default() })
        }
        MountKind::Volume { initial: InitialContent::Image, .. } | MountKind::Bind { .. } | MountKind::Tmpfs { .. } => {
            None
        }
    };
    ApiMount {
        target: Some(mount.target.to_string_lossy().into_owned()),
        source,
        typ: Some(typ),
        read_only: Some(mount.read_only.is_yes()),
        tmpfs_options,
        volume_options,
        ..ApiMount::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_reaches_its_place() {
        let spec = ContainerSpec {
            image: "bb:1".into(),
            entrypoint: Some(Vec::new()),
            command: vec!["sh".into()],
            env: vec!["A=b".parse().unwrap()],
            mounts: vec![
                "type=bind,source=/a,target=/b,readonly".parse().unwrap(),
                "type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=700".parse().unwrap(),
                "type=volume,target=/v".parse().unwrap(),
            ],
            interactive: true,
            memory: Some("64m".parse().unwrap()),
            cpus: Some("0.5".parse().unwrap()),
            pids_limit: Some(7),
            network: NetworkMode::None,
            stop_signal: Some(crate::engine::domain::Signal::QUIT),
            stop_timeout: Some("1500ms".parse().unwrap()),
            ..ContainerSpec::default()
        };
        let body = serde_json::to_value(body(&spec, "tok").unwrap()).unwrap();
        assert_eq!(body["Labels"][OPERATION_LABEL], "tok");
        assert_eq!(body["Entrypoint"], json!([""]));
        assert_eq!(body["Env"], json!(["A=b"]));
        assert_eq!((&body["OpenStdin"], &body["StdinOnce"]), (&json!(true), &json!(true)));
        assert_eq!((&body["StopSignal"], &body["StopTimeout"]), (&json!("SIGQUIT"), &json!(2)));
        let host = &body["HostConfig"];
        assert_eq!((&host["Memory"], &host["NanoCpus"]), (&json!(64 << 20), &json!(500_000_000)));
        assert_eq!((&host["PidsLimit"], &host["NetworkMode"]), (&json!(7), &json!("none")));
        let mounts = &host["Mounts"];
        assert_eq!((&mounts[0]["Type"], &mounts[0]["ReadOnly"]), (&json!("bind"), &json!(true)));
        assert_eq!(mounts[1]["TmpfsOptions"], json!({"SizeBytes": 1 << 20, "Mode": 0o700}));
        assert_eq!((&mounts[2]["Type"], mounts[2].get("Source")), (&json!("volume"), None));
    }

    #[test]
    fn what_is_not_asked_for_is_left_to_the_image_and_the_daemon() {
        let spec = ContainerSpec { image: "bb".into(), ..ContainerSpec::default() };
        let body = serde_json::to_value(body(&spec, "tok").unwrap()).unwrap();
        let said: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(said, ["Image", "Labels", "HostConfig"]);
        assert_eq!(body["HostConfig"], json!({}));
    }

    #[test]
    fn ids_are_not_pulled() {
        assert!(looks_like_id("8db6ea3925a1") && looks_like_id("sha256:8db6ea3925a1bd76"));
        assert!(!looks_like_id("bb:1") && !looks_like_id("deadbeef/x:1") && !looks_like_id("cafe"));
    }
}
