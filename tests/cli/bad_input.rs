//! Does everything that is wrong end in words a person can use? What was tried, on what, why not, and what to do; the
//! right exit code, nothing half-visible, and nothing left behind.
//! Deliberately elsewhere: what a registry's failures do to single requests (`tests/registry`), usage (`plain`).

use std::path::PathBuf;

use crate::support::{
    command::{Finished, run_to_end},
    deadline::PATIENCE,
    need::{needs_image, needs_root, needs_user},
    registry::{Fault, Login, TestRegistry},
    residue::{entries, name_of},
    store::Store,
};

/// Runs `words`, which must end with `code`, say all of `parts` on stderr and a hint after them, and leave no trace.
#[track_caller]
fn refused(store: &Store, code: i32, words: &[&str], parts: &[&str]) -> Finished {
    let before = visible(store);
    let ended = store.run(words);
    assert_eq!(ended.code(), code, "{words:?}: {ended}");
    for part in parts {
        assert!(ended.stderr.contains(part), "{words:?} does not say {part:?}: {ended}");
    }
    assert!(ended.stderr.contains("  hint: "), "{words:?} does not say what to do: {ended}");
    assert!(!ended.stderr.contains("panicked"), "{words:?}: {ended}");
    assert_eq!(visible(store), before, "{words:?} left something that can be seen");
    assert_eq!(left(store), Vec::<PathBuf>::new(), "{words:?}");
    ended
}

fn visible(store: &Store) -> [String; 2] {
    [&["ps", "-a", "-q"][..], &["images", "-q"]].map(|words| store.ok(words))
}

/// Temporary files, leases, layers half-unpacked, containers half-made. Parts of a download wait for the next try.
fn left(store: &Store) -> Vec<PathBuf> {
    let data = store.root().join("data");
    let odd = |path: &PathBuf| name_of(path).starts_with('.') && name_of(path) != ".lock";
    let folders = ["containers", "names", "images/records", "images/blobs/sha256"].map(|folder| data.join(folder));
    let hidden = folders.iter().flat_map(|folder| entries(folder)).filter(odd);
    let ingest = entries(&data.join("images/ingest")).into_iter().filter(|path| !name_of(path).ends_with(".part"));
    let rest = ["trash", "images/trash", "images/leases"].map(|folder| entries(&data.join(folder)));
    hidden.chain(ingest).chain(rest.into_iter().flatten()).collect()
}

#[test]
fn a_wrong_reference_is_told_with_what_would_be_right() {
    let store = Store::new();
    refused(&store, 2, &["pull", "app/CASE:1"], &["app/CASE:1", "lower"]);
    refused(&store, 2, &["pull", "a:b:c"], &["a:b:c"]);
    refused(&store, 125, &["run", "--network", "none", "bad@sha256:123", "true"], &["bad@sha256:123"]);
}

#[test]
fn a_registry_that_is_not_there_is_told_with_its_address() {
    let store = Store::new();
    refused(&store, 1, &["pull", "127.0.0.1:1/x:1"], &["cannot pull 127.0.0.1:1/x:1", "refused"]);
}

#[test]
fn a_registry_that_refuses_is_told_with_what_helps() {
    let (store, registry) = (Store::new(), TestRegistry::start());
    registry.put_image("app", "1", "amd64", &[b"layer"]);
    let app = format!("{}/app:1", registry.host());
    registry.demand(Login::Basic { user: "me", password: "secret" });
    refused(&store, 1, &["pull", &app], &["cannot pull", &app, "login"]);
    registry.demand(Login::Open);
    registry.break_next(usize::MAX, "GET", "/manifests/", Fault::Status(403, &[]));
    refused(&store, 1, &["pull", &app], &["cannot pull", &app]);
}

#[test]
fn an_image_that_is_not_there_is_told_by_its_name() {
    let (store, registry) = (Store::new(), TestRegistry::start());
    let name = format!("{}/nobody:1", registry.host());
    refused(&store, 1, &["pull", &name], &[&name]);
    refused(&store, 125, &["run", "--network", "none", &name, "true"], &[&name]);
    refused(&store, 1, &["rmi", "nobody:1"], &["nobody:1"]);
    refused(&store, 1, &["push", "nobody:1"], &["nobody:1"]);
}

#[test]
fn wrong_and_missing_bytes_are_never_taken_for_an_image() {
    let store = Store::new();
    for (path, fault, what) in [
        ("/blobs/", Fault::WrongBytes, "digest"),
        ("/manifests/", Fault::WrongBytes, ""),
        ("/blobs/", Fault::CutAfter(0), ""),
        ("/blobs/", Fault::HangUp, ""),
        ("/v2/", Fault::Garbage, ""),
    ] {
        let registry = TestRegistry::start();
        registry.put_image("app", "1", "amd64", &[&[7; 50_000]]);
        let app = format!("{}/app:1", registry.host());
        registry.break_next(usize::MAX, "GET", path, fault);
        refused(&store, 1, &["pull", "--platform", "linux/amd64", &app], &["cannot pull", &app, what]);
    }
}

#[test]
fn an_image_for_another_platform_is_told_with_those_there_are() {
    let (store, registry) = (Store::new(), TestRegistry::start());
    registry.put_image("app", "1", "s390x", &[b"layer"]);
    let app = format!("{}/app:1", registry.host());
    refused(&store, 1, &["pull", "--platform", "linux/amd64", &app], &["cannot pull", &app, "s390x"]);
}

#[test]
fn wrong_words_about_containers_are_told() {
    if needs_root() {
        about_containers();
    }
}

#[test]
fn wrong_words_about_containers_are_told_rootless() {
    if needs_user() {
        about_containers();
    }
}

fn about_containers() {
    let Some(image) = needs_image("bb:1") else { return };
    let store = Store::new();
    store.ok(&["pull", "-q", &image]);
    let run = ["run", "--network", "none"];
    store.ok(&[&run[..], &["-d", "--name", "taken", &image, "sleep", "1000"]].concat());
    let again = [&run[..], &["--name", "taken", &image, "true"]].concat();
    refused(&store, 125, &again, &["taken", "in use"]);
    let ghost = [&run[..], &["--rm", "--name", "ghost", &image, "no-such-command"]].concat();
    refused(&store, 127, &ghost, &["cannot start", "no-such-command"]);
    let script = [&run[..], &["--rm", "--name", "ghost", &image, "/etc/passwd"]].concat();
    refused(&store, 126, &script, &["cannot start", "/etc/passwd"]);
    let unbound = [&run[..], &["--rm", "-v", "/no/such/directory:/x", &image, "true"]].concat();
    refused(&store, 125, &unbound, &["/no/such/directory"]);
    refused(&store, 127, &["exec", "taken", "no-such-command"], &["no-such-command"]);
    refused(&store, 1, &["rm", "taken"], &["cannot remove", "taken", "running"]);
    // Seventeen ids cannot all begin with another of sixteen digits.
    for number in 0..16 {
        store.ok(&["create", "--network", "none", "--name", &format!("one-{number}"), &image, "true"]);
    }
    let ids = store.ok(&["ps", "-a", "-q"]);
    let firsts: Vec<&str> = ids.lines().filter_map(|id| id.get(..1)).collect();
    let twice = firsts.iter().find(|first| firsts.iter().filter(|other| other == first).count() > 1).unwrap();
    refused(&store, 1, &["stop", twice], &[twice, "is the beginning of"]);
}

#[test]
fn a_full_disk_in_the_middle_of_a_pull_leaves_a_store_that_works() {
    if !needs_root() {
        return;
    }
    let (Some(large), Some(small)) = (needs_image("mid:1"), needs_image("bb:1")) else { return };
    let store = Store::new();
    // A small disk that only this shell sees, so that it goes with it whatever happens.
    let script = r#"
        set -u
        mount -t tmpfs -o size=24m small "$WHARF_ROOT"
        "$0" pull -q "$1"; echo "pull $?"
        "$0" images -q; echo "images $?"
        find "$WHARF_ROOT/data/images" -path '*/ingest/*' ! -name '*.part' -o -path '*/leases/*' -o -path '*/trash/*'
        "$0" prune images >/dev/null; echo "prune $?"
        "$0" pull -q "$2" >/dev/null; echo "small $?"
        "$0" run --rm --network none "$2" echo fine; echo "run $?"
    "#;
    let mut command = store.command::<&str>(&[]);
    let wharf = command.get_program().to_owned();
    let environment: Vec<_> =
        command.get_envs().map(|(key, value)| (key.to_owned(), value.map(ToOwned::to_owned))).collect();
    command = std::process::Command::new("unshare");
    command.args(["-m", "sh", "-c", script]).arg(wharf).args([&large, &small]).env_clear();
    command.envs(environment.into_iter().filter_map(|(key, value)| Some((key, value?))));
    let ended = run_to_end(command, PATIENCE * 3);
    assert_eq!(ended.stdout, "pull 1\nimages 0\nprune 0\nsmall 0\nfine\nrun 0\n", "{ended}");
    for part in ["cannot pull", &large, "o space left", "  hint: free some space"] {
        assert!(ended.stderr.contains(part), "{part}: {ended}");
    }
}
