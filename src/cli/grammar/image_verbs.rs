//! Which verbs are about images, and which flags do they take?
//!
//! Deliberately elsewhere: containers (`container_verbs`), references themselves (`engine::domain`).

use clap::ArgMatches;

use super::{
    flags::{Surroundings, is_set, names, required, switch, text, texts, typed, value, values, word},
    invocation::{Ask, Change, ImagesRequest, Request},
    usage::UsageError,
    verb_entry::{Completes, Group, VerbEntry},
};
use crate::engine::domain::{Command, Force, ImageReference, PullOptions};

type Read = Result<Request, UsageError>;

pub static ENTRIES: &[VerbEntry] = &[
    VerbEntry {
        examples: &["pull alpine debian:bookworm   # several at once", "pull --platform linux/arm64 alpine"],
        ..of_images("pull", "Fetch images from their registries", pull_arguments, read_pull)
    },
    VerbEntry {
        examples: &["push registry.example.com/team/app:1"],
        ..of_images("push", "Send images to their registries", image_names, |matches, _| {
            on_references(matches, |reference| Command::Push { reference })
        })
    },
    VerbEntry {
        examples: &["images", "images --format json"],
        ..of_images("images", "List images", images_arguments, read_images)
    },
    VerbEntry {
        examples: &["rmi alpine:3.20", "rmi -f $(wharf images -q)"],
        ..of_images(
            "rmi",
            "Remove images",
            |command| {
                let force = switch("force", Some('f'), "Also when stopped containers use them");
                command.arg(force).arg(names("IMAGE", "References, ids or prefixes of ids"))
            },
            |matches, _| {
                let force = if is_set(matches, "force") { Force::Yes } else { Force::No };
                let change =
                    |image: String| Change { target: image.clone(), command: Command::RemoveImage { image, force } };
                Ok(Request::Change(texts(matches, "names").into_iter().map(change).collect()))
            },
        )
    },
    of_images(
        "tag",
        "Give an image another reference",
        |command| {
            command.arg(word("source", "IMAGE", "Reference or id")).arg(word(
                "target",
                "REFERENCE",
                "The new reference",
            ))
        },
        |matches, _| {
            let source = required(matches, "source");
            let target: ImageReference = required(matches, "target").parse()?;
            let shown = target.familiar();
            Ok(Request::Change(vec![Change { target: shown, command: Command::Tag { source, target } }]))
        },
    ),
    of_images(
        "history",
        "Show how an image was made",
        |command| {
            command.arg(switch("no-trunc", None, "Whole commands and ids")).arg(word(
                "image",
                "IMAGE",
                "Reference or id",
            ))
        },
        |matches, _| Ok(Request::History { image: required(matches, "image"), no_trunc: is_set(matches, "no-trunc") }),
    ),
    VerbEntry {
        examples: &["index create -t r.example.com/app:1 r.example.com/app:1-amd64 r.example.com/app:1-arm64"],
        ..of_images(
            "index create",
            "Join images into one multi-platform index in a registry",
            index_arguments,
            read_index,
        )
    },
    VerbEntry::new(
        "prune containers",
        Group::Containers,
        "Remove all stopped containers, after showing which",
        |command| command.arg(force()),
        |matches, _| Ok(Request::PruneContainers { ask: ask(matches) }),
    ),
    VerbEntry::new(
        "prune images",
        Group::Images,
        "Remove images without a reference, or all unused ones, after showing which",
        |command| command.arg(switch("all", Some('a'), "Also tagged ones that no container uses")).arg(force()),
        |matches, _| Ok(Request::PruneImages { unused: is_set(matches, "all"), ask: ask(matches) }),
    ),
];

const fn of_images(
    name: &'static str,
    about: &'static str,
    arguments: fn(clap::Command) -> clap::Command,
    read: fn(&ArgMatches, &Surroundings<'_>) -> Read,
) -> VerbEntry {
    VerbEntry { completes: Completes::Images, ..VerbEntry::new(name, Group::Images, about, arguments, read) }
}

fn image_names(command: clap::Command) -> clap::Command {
    command.arg(names("IMAGE", "References such as alpine, debian:bookworm or host:5000/app:1"))
}

fn on_references(matches: &ArgMatches, command: impl Fn(ImageReference) -> Command) -> Read {
    let change = |target: String| {
        let reference = target.parse::<ImageReference>()?.with_default_tag();
        Ok(Change { target, command: command(reference) })
    };
    texts(matches, "names").into_iter().map(change).collect::<Result<_, UsageError>>().map(Request::Change)
}

fn pull_arguments(command: clap::Command) -> clap::Command {
    image_names(command.arg(value("platform", None, "OS/ARCH", "Another platform than this host's")))
}

fn read_pull(matches: &ArgMatches, _: &Surroundings<'_>) -> Read {
    let options = PullOptions { platform: typed(matches, "platform")? };
    on_references(matches, |reference| Command::Pull { reference, options: options.clone() })
}

fn images_arguments(command: clap::Command) -> clap::Command {
    command
        .arg(switch("all", Some('a'), "Accepted for Docker's sake; there are no hidden images"))
        .arg(switch("digests", None, "Also the digests they were pulled by"))
        .arg(switch("no-trunc", None, "Whole ids"))
        .arg(values("filter", Some('f'), "KEY=VALUE", "Only matching ones: reference, dangling"))
        .arg(clap::Arg::new("only").value_name("REPOSITORY[:TAG]").help("Only these"))
}

fn read_images(matches: &ArgMatches, _: &Surroundings<'_>) -> Read {
    let mut request = ImagesRequest {
        only: text(matches, "only"),
        digests: is_set(matches, "digests"),
        no_trunc: is_set(matches, "no-trunc"),
        dangling: None,
    };
    for filter in texts(matches, "filter") {
        match filter.split_once('=') {
            Some(("dangling", "true")) => request.dangling = Some(true),
            Some(("dangling", "false")) => request.dangling = Some(false),
            Some(("reference", value)) => request.only = Some(value.to_owned()),
            Some(_) | None => {
                let message = format!("--filter: {} is not a filter of images", UsageError::quote(&filter));
                return Err(UsageError::new(message).hint("use reference=NAME, dangling=true or dangling=false"));
            }
        }
    }
    Ok(Request::Images(request))
}

fn index_arguments(command: clap::Command) -> clap::Command {
    command
        .arg(values("tag", Some('t'), "REFERENCE", "Where to put it; several are fine").required(true))
        .arg(names("SOURCE", "Images or indexes to join"))
}

fn read_index(matches: &ArgMatches, _: &Surroundings<'_>) -> Read {
    let parse = |text: String| text.parse().map(ImageReference::with_default_tag);
    let targets: Vec<ImageReference> = texts(matches, "tag").into_iter().map(parse).collect::<Result<_, _>>()?;
    let sources = texts(matches, "names").into_iter().map(parse).collect::<Result<_, _>>()?;
    let target = targets.iter().map(ImageReference::familiar).collect::<Vec<_>>().join(" ");
    Ok(Request::Change(vec![Change { target, command: Command::CreateIndex { targets, sources } }]))
}

fn force() -> clap::Arg {
    switch("force", Some('f'), "Do not ask")
}

fn ask(matches: &ArgMatches) -> Ask {
    if is_set(matches, "force") { Ask::No } else { Ask::Yes }
}
