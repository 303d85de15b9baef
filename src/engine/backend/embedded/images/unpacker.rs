//! How does a layer's tar stream become a directory? The seam between the store and the system that has the files.
//!
//! Deliberately elsewhere: the real extractor (`linux::unpack`), what is kept about a layer (`layers`).

use std::{
    fmt,
    io::{self, BufRead},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Makes, completes and removes the directory of one layer. Two live implementations: in this process, and in a
/// helper process inside the user namespace of an ordinary user.
///
/// Errors are `InvalidData` and `UnexpectedEof` for a bad archive, anything else for this machine.
pub trait Unpacker: Send + Sync {
    /// Applies the whole `stream` to `target`, an existing empty directory, and reads the stream to its end. A failure
    /// leaves a partial tree for the caller to remove. `files` is told how many members are done.
    fn unpack(
        &self,
        stream: &mut dyn BufRead,
        target: &Path,
        limits: &UnpackLimits,
        files: &(dyn Fn(u64) + Sync),
    ) -> io::Result<UnpackReport>;

    /// Fills in what the archive left to the layers below, given topmost first: attributes of implied directories
    /// and hard links to their files. Idempotent.
    fn complete(&self, layer: &Path, lowers: &[PathBuf], report: &UnpackReport) -> io::Result<()>;

    /// Tells the file system that the directories made in `parent` have nothing to do with one another, so that it may
    /// spread them. A hint: nothing depends on it.
    fn scatter(&self, parent: &Path);

    /// Writes everything of the file system that holds `path` to its disk.
    fn settle(&self, path: &Path) -> io::Result<()>;

    /// Removes a tree, whoever in the user's range owns its files. Nothing there is fine.
    fn remove(&self, tree: &Path) -> io::Result<()>;
}

/// What a layer may cost at most; a bomb fails early and by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnpackLimits {
    pub members: u64,
    /// Bytes of file data.
    pub bytes: u64,
}

impl UnpackLimits {
    /// More members than the largest known image has, tenfold.
    const MEMBERS: u64 = 10_000_000;
    /// gzip cannot reach 1,100 : 1; zstd can, but no honest layer does.
    const RATIO: u64 = 1_100;
    const FLOOR: u64 = 64 << 20;

    /// The limits of a layer whose blob has `compressed` bytes.
    #[must_use]
    pub fn for_blob(compressed: u64) -> Self {
        Self { members: Self::MEMBERS, bytes: compressed.saturating_mul(Self::RATIO).saturating_add(Self::FLOOR) }
    }
}

/// What was unpacked, and what the archive left open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnpackReport {
    /// Members applied.
    pub members: u64,
    /// Bytes of file data.
    pub bytes: u64,
    /// Attributes the archive gives the root directory, if it names it.
    pub root: Option<RootAttributes>,
    /// The layer hides everything below it.
    #[serde(default)]
    pub opaque_root: bool,
    /// Directories made only because something lies in them, parents first: the layers below say what they are like.
    #[serde(default)]
    pub implied: Vec<LayerPath>,
    /// Hard links to files that this layer does not have.
    #[serde(default)]
    pub links: Vec<LowerLink>,
    /// Members left out because this machine cannot make them (devices without root), the first few by name.
    #[serde(default)]
    pub skipped: Vec<String>,
}

impl UnpackReport {
    /// Whether the directory's content depends on the layers below.
    #[must_use]
    pub fn is_contextual(&self) -> bool {
        !self.implied.is_empty() || !self.links.is_empty()
    }
}

/// Permission bits and owner of an image's root directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootAttributes {
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

impl Default for RootAttributes {
    fn default() -> Self {
        Self { mode: 0o755, uid: 0, gid: 0 }
    }
}

/// A file whose content is in a layer below.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LowerLink {
    pub at: LayerPath,
    pub target: LayerPath,
}

/// A path below a layer's root, any bytes. In JSON `%` and what is not UTF-8 stand as `%XX`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayerPath(pub Vec<u8>);

impl fmt::Display for LayerPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            let mut parts = chunk.valid().split('%');
            f.write_str(parts.next().unwrap_or_default())?;
            parts.try_for_each(|part| write!(f, "%25{part}"))?;
            chunk.invalid().iter().try_for_each(|byte| write!(f, "%{byte:02X}"))?;
        }
        Ok(())
    }
}

impl Serialize for LayerPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LayerPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut parts = text.split('%');
        let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
        for part in parts {
            let (hex, rest) = part.split_at_checked(2).ok_or_else(|| serde::de::Error::custom("a lone %"))?;
            bytes.push(u8::from_str_radix(hex, 16).map_err(serde::de::Error::custom)?);
            bytes.extend_from_slice(rest.as_bytes());
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_path_survives_its_way_through_json(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let path = LayerPath(bytes);
            let json = serde_json::to_string(&path).unwrap();
            prop_assert_eq!(serde_json::from_str::<LayerPath>(&json).unwrap(), path);
        }
    }

    #[test]
    fn a_blob_may_grow_as_far_as_gzip_can() {
        assert_eq!(UnpackLimits::for_blob(1 << 20).bytes, (1_100 << 20) + (64 << 20));
        assert_eq!(UnpackLimits::for_blob(u64::MAX).bytes, u64::MAX);
    }
}
