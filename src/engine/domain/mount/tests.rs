//! Is every form of mount read, and every refusal explained?

use proptest::prelude::*;

use super::*;

type Parser = fn(&str) -> Result<Mount, ParseError>;

fn check(parser: Parser, cases: &[(&str, &str)]) {
    for (input, shown) in cases {
        let mount = parser(input).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(mount.to_string(), *shown, "{input}");
        assert_eq!(shown.parse(), Ok(mount), "{shown}");
    }
}

fn refused(parser: Parser, cases: &[(&str, &str)]) {
    for (input, why) in cases {
        let error = parser(input).expect_err(input);
        assert!(error.to_string().contains(why), "{input}: {error}");
    }
}

#[test]
fn the_volume_flag_takes_directories_names_and_targets_alone() {
    check(
        Mount::from_volume_flag,
        &[
            ("data:/var/lib/db", "type=volume,source=data,target=/var/lib/db"),
            ("data:/db:ro", "type=volume,source=data,target=/db,readonly"),
            ("/anon", "type=volume,target=/anon"),
            ("data:/db:nocopy", "type=volume,source=data,target=/db,volume-nocopy"),
            ("data:/db:nocopy,ro", "type=volume,source=data,target=/db,volume-nocopy,readonly"),
        ],
    );
    #[cfg(unix)]
    check(
        Mount::from_volume_flag,
        &[
            ("/srv/www:/www", "type=bind,source=/srv/www,target=/www"),
            ("/srv/www:/www:ro,Z", "type=bind,source=/srv/www,target=/www,readonly"),
            ("/srv:/a//b/./../c/:rw", "type=bind,source=/srv,target=/a/c"),
            ("/with,comma:/\"q\"", "type=bind,\"source=/with,comma\",\"target=/\"\"q\"\"\""),
        ],
    );
}

// On Windows `x:/www` begins with a drive.
#[cfg(not(windows))]
#[test]
fn the_volume_flag_explains_what_it_refuses() {
    refused(
        Mount::from_volume_flag,
        &[
            ("", "target is empty"),
            ("./www:/www", "not an absolute path"),
            ("~/www:/www", "not an absolute path"),
            ("a/b:/www", "not an absolute path"),
            ("data:www", "target www is not"),
            ("data", "target data is not"),
            (":/www", "source is empty"),
            ("data:", "target is empty"),
            ("x:/www", "two characters"),
            ("da ta:/www", "letters, digits"),
            ("data:/", "root itself"),
            ("data:/../..", "root itself"),
            ("data:/x:rx", "option rx"),
            ("data:/x:", "empty option"),
            ("/srv:/x:nocopy", "nocopy is for volumes"),
            ("data:/x:ro:z", "more than three"),
        ],
    );
    let hint = |input| Mount::from_volume_flag(input).unwrap_err().hint.unwrap();
    assert_eq!(hint("./www:/www"), "write \"$PWD/www\"");
    assert_eq!(hint(".:/www"), "write \"$PWD\"");
    assert!(hint("~/www:/www").contains("$HOME"));
}

#[test]
fn the_mount_flag_takes_every_type() {
    check(
        Mount::from_mount_flag,
        &[
            ("type=volume,src=data,dst=/db", "type=volume,source=data,target=/db"),
            ("target=/db", "type=volume,target=/db"),
            (
                "Type=Tmpfs,Destination=/run,tmpfs-size=64m,tmpfs-mode=1777,ro",
                "type=tmpfs,target=/run,tmpfs-size=64m,tmpfs-mode=1777,readonly",
            ),
            ("type=volume,target=/x,readonly=false", "type=volume,target=/x"),
        ],
    );
    #[cfg(unix)]
    check(
        Mount::from_mount_flag,
        &[
            ("type=bind,src=/srv,dst=/www,readonly", "type=bind,source=/srv,target=/www,readonly"),
            ("type=bind,\"src=/a,b\",dst=/c,bind-propagation=rprivate", "type=bind,\"source=/a,b\",target=/c"),
        ],
    );
}

#[test]
fn the_mount_flag_explains_what_it_refuses() {
    refused(
        Mount::from_mount_flag,
        &[
            ("", "empty field"),
            ("type=bind,target=/x", "source is missing"),
            ("type=bind,source=rel,target=/x", "not an absolute path"),
            ("type=volume,source=data", "target is missing"),
            ("type=npipe,target=/x", "type npipe"),
            ("type=tmpfs,source=a,target=/x", "no source"),
            ("type=volume,target=/x,tmpfs-size=1m", "belong to type=tmpfs"),
            ("type=tmpfs,target=/x,tmpfs-size=huge", "invalid size"),
            ("type=tmpfs,target=/x,tmpfs-mode=999", "octal"),
            ("target=/x,target=/y", "twice"),
            ("target", "needs a value"),
            ("target=/x,readonly=maybe", "neither true nor false"),
            ("type=bind,source=/s,target=/x,volume-nocopy=true", "belongs to type=volume"),
            ("target=/x,volume-nocopy=maybe", "neither true nor false"),
            ("\"target=/x", "not closed"),
        ],
    );
}

#[test]
fn the_tmpfs_flag_takes_size_and_mode() {
    check(
        Mount::from_tmpfs_flag,
        &[
            ("/run", "type=tmpfs,target=/run"),
            ("/run:size=64m,mode=1777", "type=tmpfs,target=/run,tmpfs-size=64m,tmpfs-mode=1777"),
            ("/run:rw,noexec,nosuid,size=65536k", "type=tmpfs,target=/run,tmpfs-size=64m"),
            ("/run:ro", "type=tmpfs,target=/run,readonly"),
        ],
    );
    refused(
        Mount::from_tmpfs_flag,
        &[("run", "not an absolute"), ("/run:size=x", "invalid size"), ("/run:exec", "exec"), ("/run:", "\"\"")],
    );
}

#[test]
fn mounts_travel_as_strings() {
    let mount = Mount::from_volume_flag("data:/db:ro").unwrap();
    let json = serde_json::to_string(&mount).unwrap();
    assert_eq!(json, "\"type=volume,source=data,target=/db,readonly\"");
    assert_eq!(serde_json::from_str::<Mount>(&json).unwrap(), mount);
}

proptest! {
    #[cfg(unix)]
    #[test]
    fn every_bind_mount_prints_a_form_that_parses_back(source in "/[^\\x00:]{0,12}", target in "/[^\\x00:]{1,12}") {
        if let Ok(mount) = Mount::from_volume_flag(&format!("{source}:{target}")) {
            prop_assert_eq!(mount.to_string().parse::<Mount>(), Ok(mount));
        }
    }

    #[test]
    fn no_input_panics(input in any::<String>()) {
        let _either = (Mount::from_volume_flag(&input), Mount::from_mount_flag(&input), Mount::from_tmpfs_flag(&input));
    }
}
