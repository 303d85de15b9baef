//! What of the outside a container sees, and where: directories of the host, volumes, memory.
//! Whether a source exists and how it is mounted is the backends' matter.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use super::name::VolumeName;
use super::parse::{ParseError, serde_as_string};
use super::size::Size;

const WHAT: &str = "mount";
const VOLUME_HINT: &str = "write -v /host/dir:/dir, -v name:/dir or -v /dir, with :ro behind it for read-only";
const MOUNT_HINT: &str =
    "write type=bind,source=/host/dir,target=/dir or type=volume,source=name,target=/dir, with ,readonly";
const TMPFS_HINT: &str = "write /run or /run:size=64m,mode=1777";

/// One `-v`, `--mount` or `--tmpfs`. Printed in the form of `--mount`, which [`str::parse`] reads back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mount {
    pub kind: MountKind,
    /// Absolute in the container, without `.`, `..` and doubled slashes; never `/` itself.
    pub target: PathBuf,
    pub read_only: ReadOnly,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MountKind {
    /// A file or directory of the host; absolute.
    Bind { source: PathBuf },
    /// A volume; one without a name is the container's own.
    Volume { name: Option<VolumeName>, initial: InitialContent },
    /// Memory; `mode` are the permission bits of its root (Docker: 1777).
    Tmpfs { size: Option<Size>, mode: Option<u32> },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReadOnly {
    Yes,
    #[default]
    No,
}

/// What an empty volume has in it when a container first gets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InitialContent {
    /// What the image has at the target, with owners and permissions. Docker's default.
    #[default]
    Image,
    /// Nothing: Docker's `nocopy`.
    Empty,
}

impl ReadOnly {
    pub fn is_yes(self) -> bool {
        match self {
            Self::Yes => true,
            Self::No => false,
        }
    }
}

impl Mount {
    /// Docker's `-v`: `/host/dir:/dir[:options]`, `name:/dir[:options]` or `/dir`.
    ///
    /// Of the options `ro` and, for volumes, `nocopy` count; `rw`, `z`, `Z`, `rprivate` and the cache hints of Docker Desktop ask for
    /// what is so anyway. Others are refused rather than ignored.
    ///
    /// # Errors
    /// When a path is relative, a name is none, or an option is unknown.
    pub fn from_volume_flag(input: &str) -> Result<Self, ParseError> {
        let error = |why: &str| ParseError::new(WHAT, input, why).with_hint(VOLUME_HINT);
        let (source, target, options) = split_volume(input).ok_or_else(|| error("it has more than three parts"))?;
        let mut kind = match source {
            None => MountKind::Volume { name: None, initial: InitialContent::Image },
            Some("") => return Err(error("the source is empty")),
            Some(source) if is_path(source) => MountKind::Bind { source: host_path(source, input)? },
            Some(name) => {
                let name = name.parse().map_err(|e: ParseError| e.within(WHAT, input).with_hint(VOLUME_HINT))?;
                MountKind::Volume { name: Some(name), initial: InitialContent::Image }
            }
        };
        let target = container_path(target, input, VOLUME_HINT)?;
        let mut read_only = ReadOnly::No;
        for option in options.into_iter().flat_map(|options| options.split(',')) {
            match option {
                "ro" | "readonly" => read_only = ReadOnly::Yes,
                "nocopy" => match &mut kind {
                    MountKind::Volume { initial, .. } => *initial = InitialContent::Empty,
                    MountKind::Bind { .. } | MountKind::Tmpfs { .. } => {
                        return Err(error("nocopy is for volumes; a directory of the host is never filled"));
                    }
                },
                "rw" | "z" | "Z" | "rprivate" | "private" | "consistent" | "cached" | "delegated" => {}
                "" => return Err(error("there is an empty option")),
                other => return Err(error(&format!("the option {other} is not supported"))),
            }
        }
        Ok(Self { kind, target, read_only })
    }

    /// Docker's `--mount`: `key=value` pairs in one line of CSV. `type` is bind, volume (when left out) or tmpfs.
    ///
    /// # Errors
    /// When a key is unknown, stands with the wrong type or lacks its value, or a path is relative.
    pub fn from_mount_flag(input: &str) -> Result<Self, ParseError> {
        let error = |why: &str| ParseError::new(WHAT, input, why).with_hint(MOUNT_HINT);
        let mut fields = Fields::default();
        for field in csv_fields(input).ok_or_else(|| error("a quotation mark is not closed"))? {
            let (key, value) = field.split_once('=').map_or((field.as_str(), None), |(key, value)| (key, Some(value)));
            fields.set(&key.to_ascii_lowercase(), value).map_err(|why| error(&why))?;
        }
        let Fields { kind, source, target, read_only, initial, size, mode } = fields;
        let target = target.ok_or_else(|| error("the target is missing"))?;
        let target = container_path(&target, input, MOUNT_HINT)?;
        let kind = match kind.as_deref().unwrap_or("volume") {
            "bind" | "volume" if size.is_some() || mode.is_some() => {
                return Err(error("tmpfs-size and tmpfs-mode belong to type=tmpfs"));
            }
            "bind" | "tmpfs" if initial == InitialContent::Empty => {
                return Err(error("volume-nocopy belongs to type=volume"));
            }
            "bind" => {
                let source = source.ok_or_else(|| error("the source is missing"))?;
                MountKind::Bind { source: host_path(&source, input)? }
            }
            "volume" => {
                let name = source.filter(|name| !name.is_empty()).map(|name| name.parse());
                MountKind::Volume { name: name.transpose().map_err(|e: ParseError| e.within(WHAT, input))?, initial }
            }
            "tmpfs" if source.is_some() => return Err(error("a tmpfs has no source")),
            "tmpfs" => MountKind::Tmpfs { size, mode },
            other => return Err(error(&format!("the type {other} is not bind, volume or tmpfs"))),
        };
        Ok(Self { kind, target, read_only })
    }

    /// Docker's `--tmpfs`: `/dir[:options]` with `size=`, `mode=`, `ro`, `rw`; `noexec`, `nosuid` and `nodev`
    /// hold anyway.
    ///
    /// # Errors
    /// When the path is relative or an option is unknown.
    pub fn from_tmpfs_flag(input: &str) -> Result<Self, ParseError> {
        let error = |why: &str| ParseError::new(WHAT, input, why).with_hint(TMPFS_HINT);
        let (target, options) = input.split_once(':').map_or((input, None), |(target, rest)| (target, Some(rest)));
        let target = container_path(target, input, TMPFS_HINT)?;
        let (mut size, mut mode, mut read_only) = (None, None, ReadOnly::No);
        for option in options.into_iter().flat_map(|options| options.split(',')) {
            match option.split_once('=') {
                Some(("size", value)) => size = Some(parse_size(value).map_err(|why| error(&why))?),
                Some(("mode", value)) => mode = Some(parse_mode(value).map_err(|why| error(&why))?),
                None if option == "ro" => read_only = ReadOnly::Yes,
                None if matches!(option, "rw" | "noexec" | "nosuid" | "nodev") => {}
                Some(_) | None => return Err(error(&format!("the option {option:?} is not supported"))),
            }
        }
        Ok(Self { kind: MountKind::Tmpfs { size, mode }, target, read_only })
    }
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            MountKind::Bind { source } => {
                write!(f, "type=bind,{}", csv_quoted(&format!("source={}", source.display())))?
            }
            MountKind::Volume { name: Some(name), .. } => write!(f, "type=volume,source={name}")?,
            MountKind::Volume { name: None, .. } => write!(f, "type=volume")?,
            MountKind::Tmpfs { .. } => write!(f, "type=tmpfs")?,
        }
        write!(f, ",{}", csv_quoted(&format!("target={}", self.target.display())))?;
        if let MountKind::Tmpfs { size, mode } = &self.kind {
            size.iter().try_for_each(|size| write!(f, ",tmpfs-size={size}"))?;
            mode.iter().try_for_each(|mode| write!(f, ",tmpfs-mode={mode:o}"))?;
        }
        if let MountKind::Volume { initial: InitialContent::Empty, .. } = &self.kind {
            write!(f, ",volume-nocopy")?;
        }
        match self.read_only {
            ReadOnly::Yes => write!(f, ",readonly"),
            ReadOnly::No => Ok(()),
        }
    }
}

impl FromStr for Mount {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        Self::from_mount_flag(input)
    }
}

serde_as_string!(Mount);

/// What `--mount` said so far.
#[derive(Default)]
struct Fields {
    kind: Option<String>,
    source: Option<String>,
    target: Option<String>,
    read_only: ReadOnly,
    initial: InitialContent,
    size: Option<Size>,
    mode: Option<u32>,
}

impl Fields {
    fn set(&mut self, key: &str, value: Option<&str>) -> Result<(), String> {
        let needed = || value.map(str::to_owned).ok_or_else(|| format!("{key} needs a value"));
        let twice = |known: bool| if known { Err(format!("{key} is given twice")) } else { Ok(()) };
        match key {
            "type" => twice(self.kind.replace(needed()?.to_ascii_lowercase()).is_some()),
            "source" | "src" => twice(self.source.replace(needed()?).is_some()),
            "target" | "dst" | "destination" => twice(self.target.replace(needed()?).is_some()),
            "readonly" | "ro" => {
                self.read_only = if is_set(key, value)? { ReadOnly::Yes } else { ReadOnly::No };
                Ok(())
            }
            "volume-nocopy" => {
                self.initial = if is_set(key, value)? { InitialContent::Empty } else { InitialContent::Image };
                Ok(())
            }
            "tmpfs-size" => twice(self.size.replace(parse_size(&needed()?)?).is_some()),
            "tmpfs-mode" => twice(self.mode.replace(parse_mode(&needed()?)?).is_some()),
            "consistency" => Ok(()), // A cache hint for Docker Desktop.
            "bind-propagation" if matches!(value, Some("rprivate" | "private")) => Ok(()), // So it is anyway.
            "" => Err("there is an empty field".to_owned()),
            other => Err(format!("the key {other} is not supported")),
        }
    }
}

/// A key that stands alone or with a truth value.
fn is_set(key: &str, value: Option<&str>) -> Result<bool, String> {
    match value {
        None | Some("true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        Some(other) => Err(format!("{key}={other} is neither true nor false")),
    }
}

/// `[source:]target[:options]`; on Windows the colon of a drive letter does not separate.
fn split_volume(input: &str) -> Option<(Option<&str>, &str, Option<&str>)> {
    let drive = if cfg!(windows) && input.get(1..2) == Some(":") && !input.starts_with('/') { 2 } else { 0 };
    let first = input.get(drive..)?.find(':').map(|at| at + drive);
    let Some((source, rest)) = first.and_then(|at| Some((input.get(..at)?, input.get(at + 1..)?))) else {
        return Some((None, input, None));
    };
    match rest.split_once(':') {
        None => Some((Some(source), rest, None)),
        Some((_, options)) if options.contains(':') => None,
        Some((target, options)) => Some((Some(source), target, Some(options))),
    }
}

/// Docker's rule: a source with a separator, or beginning with `.` or `~`, is meant as a path.
fn is_path(source: &str) -> bool {
    source.contains(['/', '\\']) || source.starts_with(['.', '~'])
}

fn host_path(source: &str, input: &str) -> Result<PathBuf, ParseError> {
    let path = Path::new(source);
    if source.contains('\0') {
        return Err(ParseError::new(WHAT, input, "the source contains a NUL character"));
    }
    if path.is_absolute() || (path.has_root() && cfg!(windows)) {
        return Ok(path.to_owned());
    }
    let error = ParseError::new(WHAT, input, format!("the source {source} is not an absolute path"));
    Err(match source.strip_prefix("./").or_else(|| (source == ".").then_some("")) {
        Some(rest) => error.with_hint(format!("write \"$PWD/{rest}\"").replace("/\"", "\"")),
        None if source.starts_with('~') => error.with_hint("write $HOME instead of ~ so that the shell fills it in"),
        None => error.with_hint("write the whole path, beginning with /"),
    })
}

/// The absolute path of Linux, resolved without looking: the image is not there yet.
fn container_path(target: &str, input: &str, hint: &str) -> Result<PathBuf, ParseError> {
    let error = |why: String| ParseError::new(WHAT, input, why).with_hint(hint);
    if target.is_empty() {
        return Err(error("the target is empty".into()));
    }
    if target.contains('\0') {
        return Err(error("the target contains a NUL character".into()));
    }
    if !target.starts_with('/') {
        return Err(error(format!("the target {target} is not an absolute path")));
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    if parts.is_empty() {
        return Err(error("the target is the container's root itself".into()));
    }
    let path = PathBuf::from(format!("/{}", parts.join("/")));
    debug_assert!(!path.components().any(|part| part == Component::ParentDir));
    Ok(path)
}

fn parse_size(value: &str) -> Result<Size, String> {
    value.parse::<Size>().map_err(|error| error.to_string())
}

fn parse_mode(value: &str) -> Result<u32, String> {
    let octal = value.bytes().all(|b| matches!(b, b'0'..=b'7')) && (1..=5).contains(&value.len());
    let mode = u32::from_str_radix(value, 8).ok().filter(|mode| octal && *mode <= 0o7777); // Not octal: said below.
    mode.ok_or_else(|| format!("the mode {value} is not octal digits such as 1777"))
}

/// The fields of one CSV record (RFC 4180); `None` when a quote stays open or something follows a closed one.
fn csv_fields(line: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let Some(quoted) = rest.strip_prefix('"') else {
            let (field, after) = rest.split_once(',').map_or((rest, None), |(field, after)| (field, Some(after)));
            fields.push(field.to_owned());
            match after {
                Some(after) => rest = after,
                None => return Some(fields),
            }
            continue;
        };
        let mut field = String::new();
        let mut pieces = quoted;
        rest = loop {
            let (piece, after) = pieces.split_once('"')?;
            field.push_str(piece);
            match after.strip_prefix('"') {
                Some(more) => {
                    field.push('"');
                    pieces = more;
                }
                None => break after,
            }
        };
        fields.push(field);
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None => return rest.is_empty().then_some(fields),
        }
    }
}

fn csv_quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests;
