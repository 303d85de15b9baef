//! Which names does an image lose, and does it go with them? Docker's rules, decided over values.
//!
//! Observed on Docker 20.10 and read in its `daemon/images/image_delete.go`; the conformance suite holds every engine to
//! them. Deliberately elsewhere: doing it (`remove`).

use std::collections::BTreeSet;

use super::catalog::FoundBy;
use crate::engine::domain::{Digest, Error, ErrorKind, Force, ImageReference, Result};

/// A container that was made of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageUser {
    pub image: Digest,
    /// The container's name, for messages.
    pub container: String,
    pub running: bool,
}

/// An image's names, and who was made of it.
pub(super) struct Named<'a> {
    pub tags: &'a [ImageReference],
    /// `repository@digest` each.
    pub digests: &'a [ImageReference],
    pub users: &'a [ImageUser],
}

/// What a removal does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub tags: Vec<ImageReference>,
    pub digests: Vec<ImageReference>,
    pub fate: Fate,
}

/// What becomes of the image itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has other names, or runs and stays without one.
    Stays,
    /// It is deleted. Stopped containers keep its layers until they are removed.
    Goes,
}

/// # Errors
/// `Refused`, with what would help.
pub(super) fn decide(named: &Named<'_>, by: &FoundBy, force: Force) -> Result<Verdict> {
    match by {
        FoundBy::Tag(tag) => {
            let last_there = !named.tags.iter().any(|other| other != tag && other.name() == tag.name());
            let digests = named.digests.iter().filter(|digest| last_there && digest.name() == tag.name());
            by_name(named, vec![tag.clone()], digests.cloned().collect(), force)
        }
        FoundBy::Digest(digest) => by_name(named, Vec::new(), vec![digest.clone()], force),
        FoundBy::Id => by_id(named, force),
    }
}

fn by_name(
    named: &Named<'_>,
    tags: Vec<ImageReference>,
    digests: Vec<ImageReference>,
    force: Force,
) -> Result<Verdict> {
    // Of several names only one goes, whoever uses the image.
    if let (Some(user), Force::No, true) = (named.users.first(), force, has_one_name(named)) {
        let remedy = format!(
            "remove it first: wharf rm {}{}; or use --force: the container keeps what it needs",
            if user.running { "-f " } else { "" },
            user.container
        );
        return Err(refused(user).remedy(remedy));
    }
    let keeps_name = tags.len() + digests.len() < named.tags.len() + named.digests.len();
    // What runs keeps its image, without a name.
    let fate = if keeps_name || named.users.iter().any(|user| user.running) { Fate::Stays } else { Fate::Goes };
    Ok(Verdict { tags, digests, fate })
}

fn by_id(named: &Named<'_>, force: Force) -> Result<Verdict> {
    if let Some(user) = named.users.iter().find(|user| user.running) {
        let remedy = format!("stop and remove it first: wharf rm -f {}", user.container);
        return Err(refused(user).remedy(remedy));
    }
    match (force, has_one_name(named), named.users.first()) {
        (Force::No, false, _) => {
            let list: Vec<String> = named.tags.iter().chain(named.digests).map(ImageReference::familiar).collect();
            Err(Error::new(ErrorKind::Refused, format!("it has several names: {}", list.join(", ")))
                .remedy("remove the names one by one, or use --force"))
        }
        (Force::No, true, Some(user)) => {
            let remedy = format!(
                "remove it first: wharf rm {}; or use --force: the container keeps what it needs",
                user.container
            );
            Err(refused(user).remedy(remedy))
        }
        (Force::No, true, None) | (Force::Yes, _, _) => {
            Ok(Verdict { tags: named.tags.to_vec(), digests: named.digests.to_vec(), fate: Fate::Goes })
        }
    }
}

fn refused(user: &ImageUser) -> Error {
    let how = if user.running { "runs it" } else { "was made of it" };
    Error::new(ErrorKind::Refused, format!("container {} {how}", user.container))
}

/// At most one tag, and every digest in that one's repository: to Docker that is one name.
fn has_one_name(named: &Named<'_>) -> bool {
    let repositories: BTreeSet<String> = named.tags.iter().chain(named.digests).map(ImageReference::name).collect();
    named.tags.len() <= 1 && repositories.len() <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<ImageReference> {
        let digest = Digest::sha256_of(b"image");
        list.iter().map(|name| name.replace("DIGEST", &digest.to_string()).parse().unwrap()).collect()
    }

    fn user(running: bool) -> Vec<ImageUser> {
        vec![ImageUser { image: Digest::sha256_of(b"image"), container: "web".into(), running }]
    }

    fn ask(tags: &[&str], digests: &[&str], users: &[ImageUser], by: &str, force: Force) -> Option<(usize, Fate)> {
        let (tags, digests) = (names(tags), names(digests));
        let by = match names(&[by]).pop() {
            Some(name) if name.repository() == "library/id" => FoundBy::Id,
            Some(name) if name.digest().is_some() => FoundBy::Digest(name),
            Some(name) => FoundBy::Tag(name),
            None => unreachable!("one name was given"),
        };
        let verdict = decide(&Named { tags: &tags, digests: &digests, users }, &by, force).ok()?;
        Some((verdict.tags.len() + verdict.digests.len(), verdict.fate))
    }

    #[test]
    fn a_name_among_several_only_goes_itself_whoever_uses_the_image() {
        for users in [Vec::new(), user(false), user(true)] {
            for force in [Force::No, Force::Yes] {
                assert_eq!(ask(&["a:1", "a:2"], &["a@DIGEST"], &users, "a:1", force), Some((1, Fate::Stays)));
                assert_eq!(ask(&["a:1", "b:1"], &["a@DIGEST"], &users, "a:1", force), Some((2, Fate::Stays)));
                assert_eq!(ask(&["a:1"], &["a@DIGEST", "b@DIGEST"], &users, "a:1", force), Some((2, Fate::Stays)));
            }
        }
    }

    #[test]
    fn the_last_name_takes_the_image_with_it_unless_somebody_uses_it() {
        let ask = |users: &[ImageUser], force| ask(&["a:1"], &["a@DIGEST"], users, "a:1", force);
        assert_eq!(ask(&[], Force::No), Some((2, Fate::Goes)));
        assert_eq!(ask(&user(false), Force::No), None);
        assert_eq!(ask(&user(false), Force::Yes), Some((2, Fate::Goes)));
        assert_eq!(ask(&user(true), Force::No), None);
        assert_eq!(ask(&user(true), Force::Yes), Some((2, Fate::Stays)));
    }

    #[test]
    fn an_id_takes_all_names_but_never_what_runs() {
        for force in [Force::No, Force::Yes] {
            assert_eq!(ask(&["a:1"], &[], &user(true), "id", force), None);
            assert_eq!(ask(&[], &[], &user(true), "id", force), None);
            assert_eq!(ask(&[], &[], &[], "id", force), Some((0, Fate::Goes)));
        }
        assert_eq!(ask(&["a:1"], &["a@DIGEST"], &[], "id", Force::No), Some((2, Fate::Goes)));
        assert_eq!(ask(&["a:1", "a:2"], &[], &[], "id", Force::No), None);
        assert_eq!(ask(&["a:1", "b:1"], &[], &user(false), "id", Force::Yes), Some((2, Fate::Goes)));
        assert_eq!(ask(&[], &[], &user(false), "id", Force::No), None);
    }

    #[test]
    fn a_digest_is_a_name_too() {
        assert_eq!(ask(&[], &["a@DIGEST"], &[], "a@DIGEST", Force::No), Some((1, Fate::Goes)));
        assert_eq!(ask(&["a:1"], &["a@DIGEST"], &[], "a@DIGEST", Force::No), Some((1, Fate::Stays)));
    }
}
