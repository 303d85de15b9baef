//! Which files must be beside a program so that it runs in an otherwise empty directory tree?
//!
//! The loader it names, and every library that it and its libraries need. Libraries are looked for where the loader
//! looks (ld.so(8)): the run path of the asking file, `LD_LIBRARY_PATH`, the directories that this process's own
//! libraries come from (which stand for the loader's configuration), and the usual ones. No program is run for it.
//! Deliberately elsewhere: reading an executable's headers (`elf`).

use std::{
    collections::{BTreeMap, VecDeque},
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::elf::{self, Elf, Machine};

/// Beside those that the loader is configured with.
const USUAL: [&str; 5] = ["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"];

/// The directories that libraries are looked for in, in order.
#[derive(Clone, Debug, Default)]
pub struct SearchPath(Vec<PathBuf>);

impl SearchPath {
    /// Where the libraries of this very process came from, then the usual directories.
    #[must_use]
    pub fn of_this_process() -> Self {
        let mut directories: Vec<PathBuf> = Vec::new();
        if let Some(configured) = std::env::var_os("LD_LIBRARY_PATH") {
            directories.extend(std::env::split_paths(&configured).filter(|path| path.is_absolute()));
        }
        // Without the file only the usual directories are left, and a library that is missing there is an error.
        let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
        directories.extend(directories_of(&maps));
        directories.extend(USUAL.map(PathBuf::from));
        Self::of(directories)
    }

    /// These directories, each once.
    #[must_use]
    pub fn of(directories: Vec<PathBuf>) -> Self {
        let mut once: Vec<PathBuf> = Vec::new();
        for directory in directories {
            if !once.contains(&directory) {
                once.push(directory);
            }
        }
        Self(once)
    }
}

/// The loader and the libraries of `program`, each under the path where its loader finds it. Empty for a program that
/// is linked statically.
///
/// # Errors
/// `NotFound` names the library that is nowhere; `InvalidData` when `program` is no executable of this kind.
pub fn of_program(program: &mut File, directory: &Path, search: &SearchPath) -> io::Result<BTreeMap<PathBuf, File>> {
    let elf = elf::read(program)?;
    let machine = elf.machine;
    let mut found = BTreeMap::new();
    if let Some(interpreter) = &elf.interpreter {
        found.insert(interpreter.clone(), File::open(interpreter).map_err(|error| missing(interpreter, &error))?);
    }
    let mut waiting = VecDeque::from([(elf, directory.to_owned())]);
    while let Some((asking, origin)) = waiting.pop_front() {
        for name in &asking.needed {
            let is_here = |path: &&PathBuf| path.file_name().is_some_and(|own| own == name.as_str());
            if found.keys().any(|path| is_here(&path)) {
                continue;
            }
            let (path, file, elf) = find(name, &asking, &origin, machine, search)?;
            let directory = path.parent().unwrap_or(Path::new("/")).to_owned();
            found.insert(path, file);
            waiting.push_back((elf, directory));
        }
    }
    Ok(found)
}

/// The directories among `paths` that a loader does not search by itself, for `LD_LIBRARY_PATH`.
#[must_use]
pub fn unusual_directories<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Vec<PathBuf> {
    let directories = paths.filter_map(|path| path.parent().map(Path::to_owned));
    let SearchPath(once) = SearchPath::of(directories.collect());
    once.into_iter().filter(|directory| !is_usual(directory)).collect()
}

/// The usual directories and, as on Debian, one per machine within them.
fn is_usual(directory: &Path) -> bool {
    let usual = |path: &Path| USUAL.iter().any(|usual| Path::new(usual) == path);
    let per_machine = directory.file_name().is_some_and(|name| name.to_string_lossy().contains("-linux-"));
    usual(directory) || (per_machine && directory.parent().is_some_and(usual))
}

fn find(
    name: &str,
    asking: &Elf,
    origin: &Path,
    machine: Machine,
    search: &SearchPath,
) -> io::Result<(PathBuf, File, Elf)> {
    let own = asking.run_path.iter().map(|path| at_origin(path, origin));
    let candidates: Vec<PathBuf> = if name.contains('/') {
        vec![at_origin(name, origin)]
    } else {
        own.chain(search.0.iter().cloned()).map(|directory| directory.join(name)).collect()
    };
    for path in candidates.into_iter().filter(|path| path.is_absolute()) {
        let Ok(mut file) = File::open(&path) else { continue };
        // A library of another machine is passed over, as the loader does.
        if let Ok(elf) = elf::read(&mut file)
            && elf.machine == machine
        {
            return Ok((path, file, elf));
        }
    }
    Err(missing(Path::new(name), &io::Error::from(io::ErrorKind::NotFound)))
}

fn at_origin(path: &str, origin: &Path) -> PathBuf {
    let origin = origin.to_string_lossy();
    PathBuf::from(path.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin))
}

/// Directories of the shared objects in the text of a `maps` file (proc_pid_maps(5)).
fn directories_of(maps: &str) -> Vec<PathBuf> {
    let paths = maps.lines().filter_map(|line| line.find('/').and_then(|at| line.get(at..)));
    let libraries = paths.map(Path::new).filter(|path| path.file_name().is_some_and(is_library));
    libraries.filter_map(|path| path.parent().map(Path::to_owned)).collect()
}

fn is_library(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy();
    name.contains(".so.") || name.ends_with(".so")
}

fn missing(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_libraries_of_this_program_are_those_the_kernel_mapped() {
        let mut program = File::open("/proc/self/exe").unwrap();
        let own = std::env::current_exe().unwrap();
        let found = of_program(&mut program, own.parent().unwrap(), &SearchPath::of_this_process()).unwrap();
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let mapped = |name: &str| maps.lines().any(|line| line.ends_with(&format!("/{name}")));
        for path in found.keys() {
            // The kernel shows where links lead.
            let real = path.canonicalize().unwrap();
            assert!(mapped(&real.file_name().unwrap().to_string_lossy()), "{} is not in use", path.display());
        }
        let libc = |path: &PathBuf| path.to_string_lossy().contains("libc.");
        assert!(found.is_empty() || found.keys().any(libc), "{:?}", found.keys());
    }

    #[test]
    fn a_library_in_a_strange_place_is_named_for_the_loader() {
        let paths = ["/lib64/ld.so", "/usr/lib/x86_64-linux-gnu/libc.so.6", "/opt/odd/libx.so.1"].map(PathBuf::from);
        assert_eq!(unusual_directories(paths.iter()), [PathBuf::from("/opt/odd")]);
    }

    #[test]
    fn mapped_files_tell_where_libraries_are() {
        let maps = "7f0-7f1 r-xp 0 08:01 12 /usr/lib/x86_64-linux-gnu/libc.so.6\n\
                    7f1-7f2 r--p 0 08:01 13 /usr/bin/wharf\n\
                    7f2-7f3 rw-p 0 00:00 0 \n7f3-7f4 r-xp 0 00:00 0 [vdso]\n";
        assert_eq!(directories_of(maps), [PathBuf::from("/usr/lib/x86_64-linux-gnu")]);
    }

    #[test]
    fn a_run_path_beside_the_program_is_followed() {
        assert_eq!(at_origin("$ORIGIN/../lib", Path::new("/opt/bin")), PathBuf::from("/opt/bin/../lib"));
        assert_eq!(at_origin("${ORIGIN}", Path::new("/opt/bin")), PathBuf::from("/opt/bin"));
    }
}
