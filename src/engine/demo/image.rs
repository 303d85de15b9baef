//! What is in the demo's image? This program, what it needs to run, and a shell if the machine has a small one.
//!
//! Deliberately elsewhere: finding libraries (`libraries`), the archive (`layer`), storing it (each backend).

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use super::{
    layer::{Content, Layer},
    libraries::{SearchPath, of_program, unusual_directories},
    plan::{IMAGE_LABEL, PROGRAM, command, image_reference},
};
use crate::engine::domain::{Error, ErrorKind, ImageImport, Result, Timestamp};

/// Directories where a shell may be on this machine.
const TOOL_DIRECTORIES: [&str; 2] = ["/bin", "/usr/bin"];
/// Looked for where there is no busybox.
const TOOLS: [&str; 5] = ["sh", "ls", "cat", "ps", "sleep"];
/// Names of busybox's programs, those a person tries first.
const APPLETS: [&str; 16] =
    ["sh", "ls", "cat", "ps", "sleep", "echo", "env", "id", "top", "vi", "grep", "head", "tail", "kill", "mount", "df"];
/// A tool larger than this is not worth its place.
const TOOL_MAX: u64 = 4 << 20;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nvisitor:x:1000:1000:a visitor:/tmp:/bin/sh\n";
const GROUP: &str = "root:x:0:\nvisitor:x:1000:\n";
const OS_RELEASE: &str = "ID=wharf-demo\nNAME=\"Wharf demo\"\nPRETTY_NAME=\"Wharf demo\"\n";

/// The demo's image, ready to be read by a backend. The same program on the same machine makes the same image.
///
/// # Errors
/// `Unsupported` outside Linux: the program inside must be one for Linux. `Io` when a file of this machine cannot be
/// read, or a library is missing.
pub fn image_import() -> Result<ImageImport> {
    if !cfg!(target_os = "linux") {
        return Err(Error::new(ErrorKind::Unsupported, "the demo is made of this program, which is not one for Linux")
            .remedy("run wharf demo on a Linux machine, or pull an image instead"));
    }
    // Not by its path: that may be another build by now.
    let program = File::open("/proc/self/exe").map_err(|error| Error::io("opening this program", error))?;
    let directory = std::env::current_exe().ok().and_then(|path| path.parent().map(Path::to_owned));
    build(program, &directory.unwrap_or_else(|| PathBuf::from("/")), &SearchPath::of_this_process())
        .map_err(|error| Error::io("collecting the demo's files", error))
}

fn build(mut program: File, directory: &Path, search: &SearchPath) -> io::Result<ImageImport> {
    let changed = program.metadata()?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut layer = skeleton();
    let mut libraries = of_program(&mut program, directory, search)?;
    layer.file(inside(PROGRAM), 0o755, Content::Opened(program));
    add_tools(&mut layer, &mut libraries, search);
    let unusual = unusual_directories(libraries.keys());
    for (path, file) in libraries {
        let path = path.to_str().ok_or_else(|| io::Error::other("a library's path is not UTF-8"))?;
        layer.file(inside(path), 0o755, Content::Opened(file));
    }
    let mut env = vec!["PATH=/bin:/usr/bin".to_owned()];
    if !unusual.is_empty() {
        let list: Vec<_> = unusual.iter().map(|directory| directory.display().to_string()).collect();
        env.push(format!("LD_LIBRARY_PATH={}", list.join(":")));
    }
    let archive = layer.archive(changed)?;
    let (key, value) = IMAGE_LABEL;
    Ok(ImageImport {
        reference: image_reference(),
        layer_size: archive.size(),
        layer: Box::new(archive),
        created: Timestamp::from_unix_nanos(i128::from(changed) * 1_000_000_000),
        entrypoint: Vec::new(),
        command: command("logger"),
        env,
        labels: BTreeMap::from([(key.to_owned(), value.to_owned())]),
        created_by: "wharf demo".to_owned(),
    })
}

/// What every program expects of a root file system.
fn skeleton() -> Layer {
    let mut layer = Layer::default();
    for directory in ["dev", "proc", "sys", "root", "run", "var"] {
        layer.directory(directory, 0o755);
    }
    layer.directory("tmp", 0o1777);
    layer.file("etc/passwd", 0o644, Content::Text(PASSWD.to_owned()));
    layer.file("etc/group", 0o644, Content::Text(GROUP.to_owned()));
    layer.file("etc/os-release", 0o644, Content::Text(OS_RELEASE.to_owned()));
    layer
}

/// Adds busybox under its programs' names, else a few programs of this machine. A tool that cannot be had is left
/// out: the demo runs without.
fn add_tools(layer: &mut Layer, libraries: &mut BTreeMap<PathBuf, File>, search: &SearchPath) {
    if add_tool(layer, libraries, search, "busybox") {
        for name in APPLETS {
            layer.link(&format!("bin/{name}"), "busybox");
        }
    } else {
        for name in TOOLS {
            add_tool(layer, libraries, search, name);
        }
    }
}

fn add_tool(layer: &mut Layer, libraries: &mut BTreeMap<PathBuf, File>, search: &SearchPath, name: &str) -> bool {
    // Not there is the usual case; one that cannot be read is as good as not there.
    let open = |directory: &&str| File::open(Path::new(directory).join(name)).ok();
    let Some(mut tool) = TOOL_DIRECTORIES.iter().find_map(open) else { return false };
    let small = tool.metadata().is_ok_and(|facts| facts.is_file() && facts.len() <= TOOL_MAX);
    if !small {
        return false;
    }
    let Ok(needed) = of_program(&mut tool, Path::new("/bin"), search) else { return false };
    for (path, file) in needed {
        libraries.entry(path).or_insert(file);
    }
    layer.file(&format!("bin/{name}"), 0o755, Content::Opened(tool));
    true
}

/// As archives name it.
fn inside(path: &str) -> &str {
    path.trim_start_matches('/')
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::{io::Read as _, process::Command};

    use super::*;

    fn bytes() -> Vec<u8> {
        let mut import = image_import().unwrap();
        let mut bytes = Vec::new();
        import.layer.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, import.layer_size);
        bytes
    }

    #[test]
    fn the_same_machine_makes_the_same_image() {
        assert!(bytes() == bytes());
    }

    #[test]
    fn the_program_starts_with_nothing_but_the_layer_around_it() {
        let directory = tempfile::tempdir().unwrap();
        tar::Archive::new(bytes().as_slice()).unpack(directory.path()).unwrap();
        let program = directory.path().join(inside(PROGRAM));
        let elf = super::super::elf::read(&mut File::open(&program).unwrap()).unwrap();
        // The loader from the layer, allowed to look into the layer only.
        let output = match elf.interpreter {
            None => Command::new(&program).arg("--list").output().unwrap(),
            Some(loader) => {
                let mut libraries = Vec::new();
                for entry in tar::Archive::new(bytes().as_slice()).entries().unwrap() {
                    let path = directory.path().join(entry.unwrap().path().unwrap());
                    libraries.extend(path.parent().map(Path::to_owned).filter(|parent| !libraries.contains(parent)));
                }
                let libraries = std::env::join_paths(&libraries).unwrap();
                let loader = directory.path().join(loader.strip_prefix("/").unwrap());
                let mut command = Command::new(loader);
                command.arg("--library-path").arg(libraries).arg(&program).arg("--list").output().unwrap()
            }
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
