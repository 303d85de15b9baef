//! How does a container look to scripts that read Docker's `inspect`? The same keys, the same meanings.
//!
//! Docker Engine API v1.43, `ContainerInspectResponse`; keys that have no meaning here are absent rather
//! than invented, but for those scripts test without looking. Deliberately elsewhere: printing (`cli`).

use std::{collections::BTreeMap, path::Path};

use serde_json::{Map, Value, json};

use super::{
    layout::{LOG, UPPER, WORK},
    record::{Record, RecordedMount},
    store::Store,
    volumes,
};
use crate::engine::domain::{Container, InitialContent, Mount, MountKind, NetworkMode, Size, Status, Timestamp};

/// The object for one container.
pub fn inspect(store: &Store, record: &Record, container: &Container) -> Value {
    let dir = store.layout.container(&record.id);
    let arguments = record.resolved.arguments();
    json!({
        "Id": record.id,
        "Created": record.created,
        "Path": arguments.first().cloned().unwrap_or_default(),
        "Args": arguments.get(1..).unwrap_or_default(),
        "State": state(container),
        "Image": record.image.id,
        "ResolvConfPath": "",
        "HostnamePath": "",
        "HostsPath": "",
        "LogPath": path(&dir.join(LOG)),
        "Name": format!("/{}", record.name),
        "RestartCount": 0,
        "Driver": "overlay",
        "Platform": record.image.platform.as_ref().map_or_else(|| "linux".to_owned(), |platform| platform.os.clone()),
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": Value::Null,
        "HostConfig": host_config(record),
        "GraphDriver": graph_driver(store, record, &dir),
        "Mounts": record.mounts.iter().filter_map(|mount| mounted(store, mount)).collect::<Vec<_>>(),
        "Config": config(record),
        "NetworkSettings": network_settings(record),
    })
}

fn state(container: &Container) -> Value {
    let state = &container.state;
    let running = match state.status {
        Status::Running | Status::Paused | Status::Restarting | Status::Stopping | Status::Unknown => true,
        Status::Creating | Status::Created | Status::Exited | Status::Removing | Status::Broken => false,
    };
    json!({
        "Status": state.status.docker_word(),
        "Running": running,
        "Paused": state.status == Status::Paused,
        "Restarting": state.status == Status::Restarting,
        "OOMKilled": state.oom_killed,
        "Dead": state.status == Status::Broken,
        "Pid": state.pid.unwrap_or_default(),
        // Docker has no word for "nobody saw it"; 255 is what containerd reports then.
        "ExitCode": state.exit_code.unwrap_or(if state.status == Status::Exited { 255 } else { 0 }),
        "Error": state.reason.clone().unwrap_or_default(),
        "StartedAt": state.started.unwrap_or(Timestamp::ZERO),
        "FinishedAt": state.finished.unwrap_or(Timestamp::ZERO),
    })
}

fn host_config(record: &Record) -> Value {
    let spec = &record.spec;
    let mut binds = Vec::new();
    let mut mounts = Vec::new();
    let mut tmpfs = Map::new();
    for mount in &record.mounts {
        let target = path(&mount.mount.target);
        let suffix = if mount.mount.read_only.is_yes() { ":ro" } else { "" };
        match (&mount.mount.kind, &mount.volume) {
            (MountKind::Bind { source }, _) => binds.push(format!("{}:{target}{suffix}", path(source))),
            (MountKind::Volume { .. }, Some(name)) if !mount.anonymous => {
                binds.push(format!("{name}:{target}{}", volume_options(&mount.mount)));
            }
            (MountKind::Volume { .. }, _) => mounts.push(json!({"Type": "volume", "Target": target})),
            (MountKind::Tmpfs { size, mode }, _) => {
                tmpfs.insert(target, Value::String(tmpfs_options(*size, *mode)));
            }
        }
    }
    json!({
        "Binds": if binds.is_empty() { Value::Null } else { json!(binds) },
        "ContainerIDFile": "",
        "LogConfig": {"Type": "wharf", "Config": {}},
        "NetworkMode": network_word(spec.network),
        "PortBindings": {},
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "AutoRemove": spec.auto_remove,
        "Privileged": false,
        "PublishAllPorts": false,
        "ReadonlyRootfs": spec.read_only,
        "Runtime": "libcontainer",
        "Memory": spec.memory.map_or(0, Size::bytes),
        "NanoCpus": spec.cpus.map_or(0, crate::engine::domain::Cpus::nanos),
        "PidsLimit": spec.pids_limit.map_or(Value::Null, Value::from),
        "Tmpfs": if tmpfs.is_empty() { Value::Null } else { Value::Object(tmpfs) },
        "Mounts": mounts,
        "CapAdd": Value::Null,
        "CapDrop": Value::Null,
        "Dns": [],
        "ExtraHosts": Value::Null,
    })
}

/// As after `-v NAME:DIR`.
fn volume_options(mount: &Mount) -> &'static str {
    let copies = !matches!(mount.kind, MountKind::Volume { initial: InitialContent::Empty, .. });
    match (mount.read_only.is_yes(), copies) {
        (false, true) => "",
        (true, true) => ":ro",
        (false, false) => ":nocopy",
        (true, false) => ":ro,nocopy",
    }
}

/// As after `--tmpfs DIR:`.
fn tmpfs_options(size: Option<Size>, mode: Option<u32>) -> String {
    let size = size.map(|size| format!("size={}", size.bytes()));
    let mode = mode.map(|mode| format!("mode={mode:o}"));
    size.into_iter().chain(mode).collect::<Vec<_>>().join(",")
}

fn graph_driver(store: &Store, record: &Record, dir: &Path) -> Value {
    let lowers: Vec<String> = record.image.layers.iter().map(|layer| path(&store.layout.data().join(layer))).collect();
    json!({
        "Name": "overlay",
        "Data": {"LowerDir": lowers.join(":"), "UpperDir": path(&dir.join(UPPER)), "WorkDir": path(&dir.join(WORK))},
    })
}

fn mounted(store: &Store, mount: &RecordedMount) -> Option<Value> {
    let target = path(&mount.mount.target);
    let writable = !mount.mount.read_only.is_yes();
    let source = volumes::source(store, mount).map(|source| path(&source));
    let (kind, mut more) = match &mount.mount.kind {
        MountKind::Bind { .. } => ("bind", Map::new()),
        MountKind::Volume { .. } => {
            let name = mount.volume.as_ref().map_or_else(String::new, ToString::to_string);
            ("volume", Map::from_iter([("Name".to_owned(), json!(name)), ("Driver".to_owned(), json!("local"))]))
        }
        // Docker lists what `--tmpfs` made in HostConfig alone.
        MountKind::Tmpfs { .. } => return None,
    };
    let mode = if writable { "" } else { "ro" };
    more.extend([
        ("Type".to_owned(), json!(kind)),
        ("Source".to_owned(), json!(source.unwrap_or_default())),
        ("Destination".to_owned(), json!(target)),
        ("Mode".to_owned(), json!(mode)),
        ("RW".to_owned(), json!(writable)),
        ("Propagation".to_owned(), json!(if kind == "bind" { "rprivate" } else { "" })),
    ]);
    Some(Value::Object(more))
}

fn config(record: &Record) -> Value {
    let (spec, resolved) = (&record.spec, &record.resolved);
    let empty_object = || Value::Object(Map::new());
    let ports: BTreeMap<&String, Value> = resolved.exposed_ports.iter().map(|port| (port, empty_object())).collect();
    let volumes: BTreeMap<String, Value> = record
        .mounts
        .iter()
        .filter(|mount| mount.anonymous)
        .map(|mount| (path(&mount.mount.target), empty_object()))
        .collect();
    json!({
        "Hostname": resolved.hostname,
        "Domainname": "",
        "User": resolved.user.clone().unwrap_or_default(),
        "AttachStdin": spec.interactive,
        "AttachStdout": true,
        "AttachStderr": true,
        "ExposedPorts": ports,
        "Tty": spec.tty,
        "OpenStdin": spec.interactive,
        "StdinOnce": spec.interactive,
        "Env": resolved.env,
        "Cmd": if resolved.command.is_empty() { Value::Null } else { json!(resolved.command) },
        "Image": spec.image,
        "Volumes": if volumes.is_empty() { Value::Null } else { json!(volumes) },
        "WorkingDir": path(&resolved.workdir),
        "Entrypoint": if resolved.entrypoint.is_empty() { Value::Null } else { json!(resolved.entrypoint) },
        "OnBuild": Value::Null,
        "Labels": resolved.labels,
        "StopSignal": record.stop_signal().to_string(),
        "StopTimeout": resolved.stop_grace.map_or(Value::Null, |grace| Value::from(grace.duration().as_secs())),
    })
}

fn network_settings(record: &Record) -> Value {
    let word = network_word(record.spec.network);
    json!({
        "Ports": {},
        "IPAddress": "",
        "IPPrefixLen": 0,
        "Gateway": "",
        "MacAddress": "",
        "Networks": {word: {
            "NetworkID": "", "EndpointID": "", "Gateway": "", "IPAddress": "", "IPPrefixLen": 0, "MacAddress": "",
        }},
    })
}

fn network_word(network: NetworkMode) -> &'static str {
    match network {
        NetworkMode::Default | NetworkMode::None => "none",
        NetworkMode::Host => "host",
    }
}

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
