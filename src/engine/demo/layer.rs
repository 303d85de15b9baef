//! How do a few files become a layer, the same bytes every time?
//!
//! The archive is streamed: nothing is copied to a disk or held in memory, and its length is known before its first
//! byte (OCI image-spec, layer.md; POSIX ustar). Deliberately elsewhere: which files (`image`).

use std::{
    collections::{BTreeMap, VecDeque},
    fs::File,
    io::{self, Read},
};

/// Archives are made of blocks of this many bytes.
const BLOCK: u64 = 512;
const END: u64 = 2 * BLOCK;

/// Files by path, without a leading slash. Owned by root; parents come before what is in them.
#[derive(Debug, Default)]
pub struct Layer(BTreeMap<String, Entry>);

#[derive(Debug)]
enum Entry {
    Directory { mode: u32 },
    File { mode: u32, content: Content },
    Link { target: String },
}

/// What is in a file.
#[derive(Debug)]
pub enum Content {
    Text(String),
    /// Read when the layer is, from its start; its length is taken now.
    Opened(File),
}

impl Layer {
    pub fn directory(&mut self, path: &str, mode: u32) {
        self.parents(path);
        self.0.insert(path.to_owned(), Entry::Directory { mode });
    }

    pub fn file(&mut self, path: &str, mode: u32, content: Content) {
        self.parents(path);
        self.0.insert(path.to_owned(), Entry::File { mode, content });
    }

    /// A symbolic link.
    pub fn link(&mut self, path: &str, target: &str) {
        self.parents(path);
        self.0.insert(path.to_owned(), Entry::Link { target: target.to_owned() });
    }

    /// The archive, every entry changed at `modified` (seconds since 1970).
    ///
    /// # Errors
    /// `InvalidInput` for a path that ustar cannot hold; what the system says when a file cannot be looked at.
    pub fn archive(self, modified: u64) -> io::Result<Archive> {
        let mut archive = Archive { size: 0, parts: VecDeque::new() };
        for (path, entry) in self.0 {
            let mut header = tar::Header::new_ustar();
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(modified);
            match entry {
                Entry::Directory { mode } => {
                    header.set_entry_type(tar::EntryType::Directory);
                    header.set_mode(mode);
                    archive.push(header, &format!("{path}/"), None)?;
                }
                Entry::Link { target } => {
                    header.set_entry_type(tar::EntryType::Symlink);
                    header.set_mode(0o777);
                    header.set_link_name(target)?;
                    archive.push(header, &path, None)?;
                }
                Entry::File { mode, content } => {
                    header.set_entry_type(tar::EntryType::Regular);
                    header.set_mode(mode);
                    archive.push(header, &path, Some(content))?;
                }
            }
        }
        archive.zeros(END);
        Ok(archive)
    }

    fn parents(&mut self, path: &str) {
        for (at, _) in path.match_indices('/') {
            let parent = path.get(..at).unwrap_or_default();
            self.0.entry(parent.to_owned()).or_insert(Entry::Directory { mode: 0o755 });
        }
    }
}

/// A layer on its way, read once.
pub struct Archive {
    size: u64,
    parts: VecDeque<Part>,
}

/// The bytes still to come from one source.
struct Part {
    source: Box<dyn Read + Send>,
    left: u64,
}

impl Archive {
    /// Its whole length in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    fn push(&mut self, mut header: tar::Header, path: &str, content: Option<Content>) -> io::Result<()> {
        let (source, size): (Box<dyn Read + Send>, u64) = match content {
            None => (Box::new(io::empty()), 0),
            Some(Content::Text(text)) => {
                let size = text.len() as u64;
                (Box::new(io::Cursor::new(text)), size)
            }
            Some(Content::Opened(mut file)) => {
                io::Seek::rewind(&mut file)?;
                let size = file.metadata()?.len();
                (Box::new(file), size)
            }
        };
        header.set_path(path)?;
        header.set_size(size);
        header.set_cksum();
        self.part(Box::new(io::Cursor::new(*header.as_bytes())), BLOCK);
        self.part(source, size);
        self.zeros(size.next_multiple_of(BLOCK) - size);
        Ok(())
    }

    fn zeros(&mut self, size: u64) {
        self.part(Box::new(io::repeat(0)), size);
    }

    fn part(&mut self, source: Box<dyn Read + Send>, size: u64) {
        self.size += size;
        self.parts.push_back(Part { source, left: size });
    }
}

impl Read for Archive {
    /// A file that became shorter meanwhile is an error: its header has told its length.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.parts.front().is_some_and(|part| part.left == 0) {
            self.parts.pop_front();
        }
        let Some(part) = self.parts.front_mut() else { return Ok(0) };
        let most = usize::try_from(part.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = part.source.read(buffer.get_mut(..most).unwrap_or_default())?;
        if read == 0 && most > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a file became shorter while it was read"));
        }
        part.left -= read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Layer {
        let mut layer = Layer::default();
        layer.file("etc/passwd", 0o644, Content::Text("root:x:0:0::/:/bin/sh\n".into()));
        layer.file("bin/exact", 0o755, Content::Text("x".repeat(512)));
        layer.link("bin/sh", "busybox");
        layer.directory("tmp", 0o1777);
        layer
    }

    fn bytes(layer: Layer) -> Vec<u8> {
        let mut archive = layer.archive(1_700_000_000).unwrap();
        let mut bytes = Vec::new();
        archive.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_same_files_make_the_same_bytes_of_the_length_foretold() {
        let size = sample().archive(1_700_000_000).unwrap().size();
        assert_eq!(bytes(sample()).len() as u64, size);
        assert_eq!(size % BLOCK, 0);
        assert_eq!(bytes(sample()), bytes(sample()));
    }

    #[test]
    fn what_was_put_in_comes_out_with_parents_first() {
        let bytes = bytes(sample());
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut seen = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            seen.push((path, entry.header().mode().unwrap(), content.len()));
        }
        let expected = [
            ("bin/", 0o755, 0),
            ("bin/exact", 0o755, 512),
            ("bin/sh", 0o777, 0),
            ("etc/", 0o755, 0),
            ("etc/passwd", 0o644, 22),
            ("tmp/", 0o1777, 0),
        ];
        assert_eq!(seen, expected.map(|(path, mode, size)| (path.to_owned(), mode, size)));
    }

    #[test]
    fn a_file_that_shrinks_while_it_is_read_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("shrinking");
        std::fs::write(&path, "long enough").unwrap();
        let mut layer = Layer::default();
        layer.file("a", 0o644, Content::Opened(File::open(&path).unwrap()));
        let mut archive = layer.archive(0).unwrap();
        std::fs::write(&path, "").unwrap();
        let failure = archive.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(failure.kind(), io::ErrorKind::UnexpectedEof);
    }
}
