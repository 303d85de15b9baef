//! Does a volume begin with what the image has at its place, and keep what a container put there?
//! Deliberately elsewhere: the forms of `-v` and `--mount` (unit tests of `mount`), cuts (unit tests of `containers`).

use super::bench::on_each_engine;
use crate::support::{
    need::{needs_image, needs_root, needs_user},
    store::Store,
};

#[test]
fn a_volume_of_the_containers_own_begins_as_the_image_has_it() {
    on_each_engine(|bench| {
        let image = bench.image.as_str();
        let run = ["run", "--rm", "--network", "none"];
        let shown = bench.ok(&[&run[..], &["-v", "/etc", image, "cat", "/etc/passwd"]].concat());
        assert!(shown.starts_with("root:x:0:0"), "{shown}");
        let mode = bench.ok(&[&run[..], &["-v", "/tmp", image, "stat", "-c", "%a", "/tmp"]].concat());
        assert_eq!(mode, "1777");
        let none = bench.ok(&[&run[..], &["-v", "/not/in/the/image", image, "ls", "/not/in/the/image"]].concat());
        assert_eq!(none, "");
        let mount = "type=volume,target=/etc,volume-nocopy";
        let empty = bench.ok(&[&run[..], &["--mount", mount, image, "ls", "/etc"]].concat());
        // What the engine itself puts there stays.
        assert!(!empty.contains("passwd"), "{empty}");
    });
}

#[test]
fn a_named_volume_is_filled_once_and_kept() {
    if needs_root() {
        filled_once_and_kept();
    }
}

#[test]
fn a_named_volume_is_filled_once_and_kept_rootless() {
    if needs_user() {
        filled_once_and_kept();
    }
}

fn filled_once_and_kept() {
    // Several layers with whiteouts, links and a directory that only a lower one describes.
    let (Some(image), Some(small)) = (needs_image("tree:1"), needs_image("bb:1")) else { return };
    let store = Store::new();
    let sh = |volume: &str, image: &str, script: &str| {
        store.ok(&["run", "--rm", "--network", "none", "-v", volume, image, "sh", "-c", script])
    };
    store.ok(&["pull", "-q", &image]);
    store.ok(&["pull", "-q", &small]);
    // Filled when the container is made, not when it starts.
    store.ok(&["create", "--network", "none", "--name", "maker", "-v", "tree:/kept", &image, "true"]);
    let data = store.root().join("data/volumes/tree/data");
    assert_eq!(std::fs::read_to_string(data.join("file")).unwrap(), "one\n");
    assert_eq!(sh("tree:/v", &small, "stat -c %a /v; cat /v/file /v/added"), "700\none\nlate");
    sh("tree:/v", &small, "echo mine > /v/file; rm /v/added");
    assert_eq!(
        sh("tree:/kept", &image, "ls /kept; cat /kept/file"),
        "file\nmine",
        "a volume in use is not filled again"
    );
    let links = "stat -c %i-%h /v/original /v/b/hard | uniq | wc -l; cat /v/b/soft; stat -c %a /v/setuid";
    sh("links:/a", &image, "true");
    let linked = sh("links:/v", &small, links);
    let set_uid = if crate::support::need::is_root() { "4755" } else { linked.lines().last().unwrap_or_default() };
    assert_eq!(linked, format!("1\nlinked\n{set_uid}"));
    assert_eq!(sh("opaque:/emptied", &image, "ls /emptied"), "new", "what a layer hides is not copied");
    assert_eq!(sh("none:/etc:nocopy", &image, "ls /etc | grep -c passwd || true"), "0");
    store.ok(&["rm", "maker"]);
    for volume in ["tree", "links", "opaque", "none"] {
        let left = crate::support::residue::entries(&store.root().join("data/volumes").join(volume));
        let left: Vec<String> = left.iter().map(|path| crate::support::residue::name_of(path)).collect();
        assert!(left.iter().all(|name| name == "data" || name == "lock"), "{volume}: {left:?}");
    }
    assert_eq!(store.ok(&["system", "repair", "--dry-run", "-q"]), "");
}
