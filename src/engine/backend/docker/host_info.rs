//! What does the daemon say about itself and its machine?
//!
//! Deliberately elsewhere: its name and version on the wire (`api`, from the ping's headers).

use serde_json::Value;

use super::{
    api::{Api, ApiVersion, Daemon},
    container_json::{array, text},
    failure::About,
    path::Path,
};
use crate::engine::domain::{Feature, HostInfo, Result, Support, SupportItem};

/// # Errors
/// When the daemon does not answer.
pub async fn read(api: &Api) -> Result<HostInfo> {
    let daemon = api.daemon().await?;
    let info: Value = api.get(Path::new("/info")).await?.json(About::Host)?;
    Ok(describe(&daemon, &info, api.location()))
}

fn describe(daemon: &Daemon, info: &Value, location: String) -> HostInfo {
    // Debian writes 20.10.24+dfsg1: what comes after the plus is packaging.
    let short = daemon.version.split('+').next().unwrap_or_default();
    let rootless = info.get("Rootless").and_then(Value::as_bool).unwrap_or_default()
        || array(info, "SecurityOptions").iter().filter_map(Value::as_str).any(|option| option == "name=rootless");
    let ApiVersion(major, minor) = daemon.api;
    let mut facts = vec![("api".to_owned(), format!("{major}.{minor}"))];
    let known = [
        ("system", "OperatingSystem"),
        ("kernel", "KernelVersion"),
        ("architecture", "Architecture"),
        ("storage driver", "Driver"),
        ("cgroup version", "CgroupVersion"),
        ("runtime", "DefaultRuntime"),
        ("data directory", "DockerRootDir"),
        ("machine", "Name"),
    ];
    facts.extend(known.into_iter().filter_map(|(label, key)| {
        let value = text(info, key);
        (!value.is_empty()).then(|| (label.to_owned(), value.to_owned()))
    }));
    HostInfo {
        kind: daemon.kind,
        title: format!("{} {short}", daemon.kind.word()).trim_end().to_owned(),
        version: daemon.version.clone(),
        location,
        rootless,
        root_equivalent: !rootless,
        memory_bytes: info.get("MemTotal").and_then(Value::as_u64).filter(|bytes| *bytes > 0),
        cpus: info.get("NCPU").and_then(Value::as_u64).and_then(|cpus| usize::try_from(cpus).ok()),
        support: Support { items: support(info) },
        facts,
    }
}

fn support(info: &Value) -> Vec<SupportItem> {
    let limits =
        [(Feature::MemoryLimit, "MemoryLimit"), (Feature::CpuLimit, "CpuCfsQuota"), (Feature::PidsLimit, "PidsLimit")];
    let mut items: Vec<SupportItem> = limits
        .into_iter()
        .filter(|(_, key)| info.get(*key).and_then(Value::as_bool) == Some(false))
        .map(|(feature, key)| SupportItem {
            feature,
            available: false,
            reason: Some(format!("the daemon reports {key} as missing")),
            fix: Some("delegate the cgroup controller to the daemon, or enable it in the kernel".to_owned()),
        })
        .collect();
    items.push(SupportItem {
        feature: Feature::IndexCreate,
        available: false,
        reason: Some("the Engine API has no call for it".to_owned()),
        fix: Some("wharf --host embedded index create -t TARGET SOURCE...".to_owned()),
    });
    items
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::domain::HostKind;

    #[test]
    fn the_title_is_short_and_rootless_is_seen() {
        let daemon =
            Daemon { kind: HostKind::Docker, version: "20.10.24+dfsg1".into(), api: ApiVersion(1, 41), seconds: 0 };
        let info = json!({"SecurityOptions": ["name=seccomp,profile=default", "name=rootless"], "NCPU": 2,
            "MemTotal": 1024, "PidsLimit": false, "KernelVersion": "6.18"});
        let found = describe(&daemon, &info, "unix:///x".into());
        assert_eq!(found.title, "docker 20.10.24");
        assert!(found.rootless && !found.root_equivalent);
        assert!(found.support.missing(Feature::PidsLimit).is_some());
        assert!(found.support.missing(Feature::MemoryLimit).is_none());
        assert!(describe(&daemon, &Value::Null, String::new()).root_equivalent);
    }
}
