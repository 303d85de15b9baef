//! Where does a member of a layer go, and is it a whiteout? OCI image-spec layer.md, "Whiteouts".
//!
//! Deliberately elsewhere: symbolic links on the way there, which only the kernel can judge (`tree`).

use std::io;

use super::field::malformed;

/// A path below the layer's root: cleaned, without leading slash, never empty components, `.` or `..`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Place {
    /// `a/b` of `a/b/c`; empty at the top.
    pub parent: Vec<u8>,
    /// `c`.
    pub name: Vec<u8>,
}

/// What a member's path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The layer's root directory itself.
    Root,
    /// Something is made here.
    Make(Place),
    /// What lower layers have here is hidden.
    Whiteout(Place),
    /// What lower layers have in this directory is hidden.
    Opaque(Vec<u8>),
}

/// Longest path and deepest nesting taken; the kernel's PATH_MAX, and more than any real image has.
const PATH_MAX: usize = 4096;
const DEPTH_MAX: usize = 512;
/// `.wh.NAME` hides NAME; `.wh..wh..opq` makes its directory opaque; other `.wh..wh.` names belonged to AUFS.
const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
const RESERVED: &[u8] = b".wh..wh.";

impl Target {
    /// Where `path` leads.
    ///
    /// # Errors
    /// `InvalidData` for paths that climb out of the root, are too long or too deep, or misuse a whiteout's name.
    pub(super) fn of(path: &[u8]) -> io::Result<Self> {
        let Some(place) = Place::of(path)? else { return Ok(Self::Root) };
        if place.parent.split(|byte| *byte == b'/').any(|part| part.starts_with(WHITEOUT)) {
            return Err(bad(path, "it lies inside a whiteout"));
        }
        if place.name == OPAQUE {
            return Ok(Self::Opaque(place.parent));
        }
        if place.name.starts_with(RESERVED) {
            return Err(bad(path, "it is reserved for AUFS"));
        }
        match place.name.strip_prefix(WHITEOUT) {
            Some(b"" | b"." | b"..") => Err(bad(path, "it is a whiteout of nothing")),
            Some(name) => Ok(Self::Whiteout(Place { parent: place.parent, name: name.to_vec() })),
            None => Ok(Self::Make(place)),
        }
    }
}

impl Place {
    /// Cleans `path` as Docker does: slashes collapse, a leading one is dropped, `..` takes the component before it
    /// away. `None` is the root.
    pub(super) fn of(path: &[u8]) -> io::Result<Option<Self>> {
        if path.contains(&0) {
            return Err(bad(path, "it holds a NUL byte"));
        }
        if path.len() > PATH_MAX {
            return Err(bad(path, "it is longer than 4096 bytes"));
        }
        let mut parts: Vec<&[u8]> = Vec::new();
        for part in path.split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => {
                    parts.pop().ok_or_else(|| bad(path, "it leads out of the image"))?;
                }
                part => parts.push(part),
            }
        }
        if parts.len() > DEPTH_MAX {
            return Err(bad(path, "it is nested deeper than 512 directories"));
        }
        Ok(parts.pop().map(|name| Self { parent: parts.join(&b'/'), name: name.to_vec() }))
    }

    pub(super) fn path(&self) -> Vec<u8> {
        match self.parent.as_slice() {
            [] => self.name.clone(),
            parent => [parent, &self.name].join(&b'/'),
        }
    }
}

fn bad(path: &[u8], why: &str) -> io::Error {
    let start = path.get(..path.len().min(200)).unwrap_or(path);
    malformed(format!("the path {:?} is refused: {why}", String::from_utf8_lossy(start)))
}
