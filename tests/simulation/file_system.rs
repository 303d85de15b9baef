//! What is on the simulated disk, and what of it survives a power cut?
//!
//! Every file knows which content was synced; every directory knows which of its changes are durable. A rename is one
//! change of two directories and survives whole or not at all. What open files forbid is told by `rules`; below `/run`,
//! where only the kernel's side writes, they are Linux's. Deliberately elsewhere: faults of single calls and the time they
//! take (`disk`).

use std::{
    collections::BTreeMap,
    io,
    path::{Component, Path},
};

use super::{
    random::Dice,
    rules::{Handles, Rules, Sharing, access_denied, sharing_violation},
};

pub type Inode = usize;
pub const ROOT: Inode = 0;

/// What a power cut does to what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerLoss {
    /// The cache reached the disk in time.
    Keep,
    /// Nothing of it did.
    Drop,
    /// Some of it did: names up to a point in time, as journals keep them; contents whole, cut, old, or zeros.
    Torn,
}

#[derive(Clone, Debug)]
pub enum Node {
    File { content: Vec<u8>, synced: Option<Vec<u8>> },
    Directory { entries: BTreeMap<String, Inode>, durable: BTreeMap<String, Inode>, pending: Vec<Change> },
}

/// A name that came to lead somewhere else, or nowhere.
#[derive(Clone, Debug)]
pub struct Change {
    /// The two changes of a rename have one number.
    number: u64,
    name: String,
    leads_to: Option<Inode>,
}

/// A tree of files in memory.
#[derive(Clone, Debug)]
pub struct FileSystem {
    nodes: Vec<Option<Node>>,
    modified: Vec<u64>,
    changes: u64,
    pub rules: Rules,
    handles: Handles,
    /// Files that go with their last handle, and where they are until then.
    doomed: Vec<(Inode, Inode, String)>,
    /// Nanoseconds since the world began; stamped on what is written.
    pub now: u64,
}

impl Default for FileSystem {
    fn default() -> Self {
        Self {
            nodes: vec![Some(directory())],
            modified: vec![0],
            changes: 0,
            rules: Rules::Linux,
            handles: Handles::default(),
            doomed: Vec::new(),
            now: 0,
        }
    }
}

fn directory() -> Node {
    Node::Directory { entries: BTreeMap::new(), durable: BTreeMap::new(), pending: Vec::new() }
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl FileSystem {
    pub fn find(&self, path: &Path) -> io::Result<Inode> {
        let mut at = ROOT;
        // Every path here is text, and `Path::components` takes twice as long.
        for name in path.to_str().unwrap_or_default().split('/').filter(|name| !matches!(*name, "" | ".")) {
            at = *self.entries(at)?.get(name).ok_or_else(not_found)?;
        }
        if self.is_doomed(at) { Err(access_denied()) } else { Ok(at) }
    }

    fn is_doomed(&self, inode: Inode) -> bool {
        self.doomed.iter().any(|(doomed, ..)| *doomed == inode)
    }

    /// The rules below a path.
    fn rules_at(&self, path: &Path) -> Rules {
        if path.starts_with("/run") { Rules::Linux } else { self.rules }
    }

    /// Somebody has a file open from now on, until [`FileSystem::close`].
    pub fn open(&mut self, inode: Inode, sharing: Sharing) {
        self.handles.opened(inode, sharing);
    }

    pub fn close(&mut self, inode: Inode, sharing: Sharing) {
        if !self.handles.closed(inode, sharing) {
            return;
        }
        if let Some(at) = self.doomed.iter().position(|(doomed, ..)| *doomed == inode) {
            let (_, dir, name) = self.doomed.remove(at);
            let number = self.next_change();
            self.change(dir, number, &name, None);
        }
    }

    /// Whether a file below a directory is open, or the file itself.
    fn is_open_below(&self, inode: Inode) -> bool {
        match &self.nodes[inode] {
            Some(Node::Directory { entries, .. }) => entries.values().any(|inner| self.is_open_below(*inner)),
            Some(Node::File { .. }) => self.handles.is_open(inode),
            None => false,
        }
    }

    /// The directory a path lies in, and its last name.
    fn place<'a>(&self, path: &'a Path) -> io::Result<(Inode, &'a str)> {
        let dir = self.find(path.parent().unwrap_or(Path::new("/")))?;
        let name = path.file_name().and_then(|name| name.to_str()).ok_or(io::ErrorKind::InvalidInput)?;
        self.entries(dir)?;
        Ok((dir, name))
    }

    pub fn entries(&self, inode: Inode) -> io::Result<&BTreeMap<String, Inode>> {
        match &self.nodes[inode] {
            Some(Node::Directory { entries, .. }) => Ok(entries),
            Some(Node::File { .. }) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(not_found()),
        }
    }

    pub fn node(&self, inode: Inode) -> io::Result<&Node> {
        self.nodes[inode].as_ref().ok_or_else(not_found)
    }

    pub fn content(&mut self, inode: Inode) -> io::Result<&mut Vec<u8>> {
        self.modified[inode] = self.now;
        match &mut self.nodes[inode] {
            Some(Node::File { content, .. }) => Ok(content),
            Some(Node::Directory { .. }) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(not_found()),
        }
    }

    pub fn read(&self, inode: Inode) -> io::Result<&[u8]> {
        match self.node(inode)? {
            Node::File { content, .. } => Ok(content),
            Node::Directory { .. } => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    pub fn modified(&self, inode: Inode) -> u64 {
        self.modified[inode]
    }

    pub fn make_file(&mut self, path: &Path) -> io::Result<Inode> {
        self.make(path, Node::File { content: Vec::new(), synced: None })
    }

    pub fn make_directory(&mut self, path: &Path) -> io::Result<Inode> {
        self.make(path, directory())
    }

    fn make(&mut self, path: &Path, node: Node) -> io::Result<Inode> {
        let (dir, name) = self.place(path)?;
        if let Some(there) = self.entries(dir)?.get(name) {
            return Err(if self.is_doomed(*there) { access_denied() } else { io::ErrorKind::AlreadyExists.into() });
        }
        let inode = self.nodes.len();
        self.nodes.push(Some(node));
        self.modified.push(self.now);
        let number = self.next_change();
        self.change(dir, number, name, Some(inode));
        Ok(inode)
    }

    pub fn unlink(&mut self, path: &Path) -> io::Result<()> {
        let (dir, name) = self.place(path)?;
        let inode = *self.entries(dir)?.get(name).ok_or_else(not_found)?;
        match self.node(inode)? {
            Node::Directory { entries, .. } if !entries.is_empty() => Err(io::ErrorKind::DirectoryNotEmpty.into()),
            Node::File { .. } if self.rules_at(path) != Rules::Linux && self.handles.is_open(inode) => {
                self.unlink_open(dir, name, inode)
            }
            Node::Directory { .. } | Node::File { .. } => {
                let number = self.next_change();
                self.change(dir, number, name, None);
                Ok(())
            }
        }
    }

    fn unlink_open(&mut self, dir: Inode, name: &str, inode: Inode) -> io::Result<()> {
        if self.handles.is_kept(inode) {
            return Err(sharing_violation());
        }
        match self.rules {
            Rules::Linux | Rules::Windows => {
                let number = self.next_change();
                self.change(dir, number, name, None);
            }
            Rules::OldWindows if self.is_doomed(inode) => return Err(access_denied()),
            Rules::OldWindows => self.doomed.push((inode, dir, name.to_owned())),
        }
        Ok(())
    }

    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let (from_dir, from_name) = self.place(from)?;
        let (to_dir, to_name) = self.place(to)?;
        let inode = *self.entries(from_dir)?.get(from_name).ok_or_else(not_found)?;
        let rules = self.rules_at(from);
        if rules != Rules::Linux && self.handles.any() {
            let is_directory = matches!(self.node(inode)?, Node::Directory { .. });
            if self.is_doomed(inode) || is_directory && self.is_open_below(inode) {
                return Err(access_denied());
            }
        }
        if to.starts_with(from) && to != from {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if let Some(there) = self.entries(to_dir)?.get(to_name).copied() {
            if there == inode {
                return Ok(());
            }
            if from.starts_with(to) {
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
            match (self.node(inode)?, self.node(there)?) {
                (_, Node::Directory { .. }) if rules != Rules::Linux => return Err(access_denied()),
                (_, Node::File { .. }) if rules != Rules::Linux && self.handles.is_kept(there) => {
                    return Err(access_denied());
                }
                (_, Node::File { .. }) if rules == Rules::OldWindows && self.handles.is_open(there) => {
                    return Err(access_denied());
                }
                (Node::Directory { .. }, Node::Directory { entries, .. }) if !entries.is_empty() => {
                    return Err(io::ErrorKind::DirectoryNotEmpty.into());
                }
                (Node::Directory { .. }, Node::File { .. }) => return Err(io::ErrorKind::NotADirectory.into()),
                (Node::File { .. }, Node::Directory { .. }) => return Err(io::ErrorKind::IsADirectory.into()),
                (Node::Directory { .. }, Node::Directory { .. }) | (Node::File { .. }, Node::File { .. }) => {}
            }
        }
        let number = self.next_change();
        self.change(from_dir, number, from_name, None);
        self.change(to_dir, number, to_name, Some(inode));
        Ok(())
    }

    fn next_change(&mut self) -> u64 {
        self.changes += 1;
        self.changes
    }

    fn change(&mut self, dir: Inode, number: u64, name: &str, leads_to: Option<Inode>) {
        self.modified[dir] = self.now;
        if let Some(Node::Directory { entries, pending, .. }) = &mut self.nodes[dir] {
            match leads_to {
                Some(inode) => entries.insert(name.to_owned(), inode),
                None => entries.remove(name),
            };
            pending.push(Change { number, name: name.to_owned(), leads_to });
        }
    }

    /// The content reaches the disk; its name may not have.
    pub fn sync_file(&mut self, inode: Inode) {
        if let Some(Node::File { content, synced }) = &mut self.nodes[inode] {
            *synced = Some(content.clone());
        }
    }

    /// The names in a directory reach the disk, with the other ends of renames and the directory's own name.
    pub fn sync_directory(&mut self, path: &Path) -> io::Result<()> {
        let mut at = ROOT;
        for part in path.components() {
            let Component::Normal(name) = part else { continue };
            let name = name.to_str().unwrap_or_default();
            let next = *self.entries(at)?.get(name).ok_or_else(not_found)?;
            if let Some(Node::Directory { durable, .. }) = &self.nodes[at]
                && durable.get(name) != Some(&next)
            {
                self.settle(at, &|change| change.name == name);
            }
            at = next;
        }
        match self.node(at)? {
            Node::File { .. } => self.sync_file(at),
            Node::Directory { .. } => self.settle(at, &|_| true),
        }
        Ok(())
    }

    /// Makes chosen changes of one directory durable, and what belongs to them elsewhere.
    fn settle(&mut self, dir: Inode, chosen: &dyn Fn(&Change) -> bool) {
        let Some(Node::Directory { pending, .. }) = &self.nodes[dir] else { return };
        let numbers: Vec<u64> = pending.iter().filter(|change| chosen(change)).map(|change| change.number).collect();
        let mut named = Vec::new();
        for node in self.nodes.iter_mut().flatten().filter(|_| !numbers.is_empty()) {
            let Node::Directory { durable, pending, .. } = node else { continue };
            if !pending.iter().any(|change| numbers.contains(&change.number)) {
                continue;
            }
            let (now, later): (Vec<_>, Vec<_>) =
                std::mem::take(pending).into_iter().partition(|change| numbers.contains(&change.number));
            // What happened to the same name before is overtaken.
            let overtaken = |change: &Change| now.iter().any(|n| n.name == change.name && n.number > change.number);
            *pending = later.into_iter().filter(|change| !overtaken(change)).collect();
            now.iter().for_each(|change| apply(durable, change));
            named.extend(now.iter().filter_map(|change| Some((change.leads_to?, change.number))));
        }
        // A directory that comes to the disk by a name comes with what was in it then.
        for (inner, number) in named {
            self.settle(inner, &|earlier| earlier.number < number);
        }
    }

    /// The power goes and comes back.
    pub fn lose_power(&mut self, how: PowerLoss, dice: &mut Dice) {
        self.handles.forget();
        self.doomed.clear();
        let mut numbers: Vec<u64> = Vec::new();
        for node in self.nodes.iter().flatten() {
            if let Node::Directory { pending, .. } = node {
                numbers.extend(pending.iter().map(|change| change.number));
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        let survivors: Vec<u64> = match how {
            PowerLoss::Keep => numbers,
            PowerLoss::Drop => Vec::new(),
            PowerLoss::Torn => {
                let kept = dice.index(numbers.len() + 1);
                numbers.into_iter().take(kept).collect()
            }
        };
        for node in self.nodes.iter_mut().flatten() {
            match node {
                Node::Directory { entries, durable, pending } => {
                    for change in pending.drain(..).filter(|change| survivors.contains(&change.number)) {
                        apply(durable, &change);
                    }
                    entries.clone_from(durable);
                }
                Node::File { content, synced } => {
                    let torn = match (how, synced.as_ref() == Some(content)) {
                        (PowerLoss::Keep, _) | (_, true) => continue,
                        (PowerLoss::Drop, false) => synced.clone().unwrap_or_default(),
                        (PowerLoss::Torn, false) => match dice.below(4) {
                            0 => content.clone(),
                            1 => synced.clone().unwrap_or_default(),
                            2 => content[..dice.index(content.len() + 1)].to_vec(),
                            _ => vec![0; content.len()],
                        },
                    };
                    *content = torn;
                    *synced = Some(content.clone());
                }
            }
        }
        self.forget_unreachable();
    }

    fn forget_unreachable(&mut self) {
        let mut reachable = vec![false; self.nodes.len()];
        let mut open = vec![ROOT];
        while let Some(inode) = open.pop() {
            reachable[inode] = true;
            if let Some(Node::Directory { entries, .. }) = &self.nodes[inode] {
                open.extend(entries.values());
            }
        }
        for (inode, reachable) in reachable.into_iter().enumerate() {
            if !reachable {
                self.nodes[inode] = None;
            }
        }
    }
}

fn apply(durable: &mut BTreeMap<String, Inode>, change: &Change) {
    match change.leads_to {
        Some(inode) => durable.insert(change.name.clone(), inode),
        None => durable.remove(&change.name),
    };
}
