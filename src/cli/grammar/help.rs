//! What does `wharf --help` teach, and what might a mistyped verb have meant?
//!
//! Deliberately elsewhere: the help of one verb, which clap writes from the same table.

use std::fmt::Write as _;

use clap::Command;

use super::{Group, VerbEntry, verbs};

const TAGLINE: &str = "The container manager in your terminal.";

const BASICS: &str = "\
Usage: wharf                    open the full-screen interface
       wharf [OPTIONS] VERB ...  do one thing and end
";

const OPTIONS: &str = "\
Options, before or after the verb:
      --host HOST      embedded (default), docker, podman, a URL, or a name from the config file
      --format FORMAT  table or json (one object per line)
  -q, --quiet          only ids, no progress
      --config FILE    configuration file instead of the default one
      --no-color       no colours, as with NO_COLOR
  -h, --help           this page; `wharf VERB --help` explains one verb
  -V, --version        print the version
";

const EXAMPLES: &str = "\
Examples:
  wharf demo                               something to look at, without network
  wharf run --rm -it alpine                a shell in a fresh container
  wharf run -d --name web nginx            in the background
  wharf logs -f web                        what it prints
  wharf ps -aq | xargs wharf rm -f         remove everything
  wharf --host docker ps --format json     the same on Docker, for programs
";

/// The page of `wharf --help`.
#[must_use]
pub fn overview() -> String {
    let mut page = format!("{TAGLINE}\n\n{BASICS}\n");
    for (group, title) in [(Group::Containers, "Containers"), (Group::Images, "Images"), (Group::Wharf, "Wharf")] {
        page += title;
        page.push('\n');
        for entry in verbs().filter(|entry| entry.group == group) {
            line(&mut page, entry);
        }
        page.push('\n');
    }
    page + OPTIONS + "\n" + EXAMPLES
}

/// The page of a first word that needs a second one.
#[must_use]
pub fn of_group(group: &str) -> String {
    let mut page = format!("{}\n\n", group_about(group));
    for entry in verbs().filter(|entry| entry.first_word() == Some(group)) {
        line(&mut page, entry);
    }
    page + "\n`wharf VERB --help` explains one verb.\n"
}

/// One line about a first word.
#[must_use]
pub fn group_about(group: &str) -> &'static str {
    match group {
        "index" => "Work on multi-platform indexes in registries",
        "prune" => "Remove what nobody needs",
        "system" => "Look after Wharf itself",
        _ => "More verbs",
    }
}

/// The example lines of one verb, with `wharf` before each.
pub fn examples(entry: &VerbEntry) -> String {
    let mut text = "Examples:".to_owned();
    for example in entry.examples {
        write!(text, "\n  wharf {example}").expect("writing to a String cannot fail");
    }
    text
}

/// Texts of the root command for man pages.
pub fn decorate(command: Command) -> Command {
    command.about(TAGLINE).after_help(EXAMPLES.trim_end())
}

/// Docker's longer or other spellings of what we have.
pub fn docker_spelling(word: &str) -> Option<&'static str> {
    match word {
        "container" | "image" => Some("write the verb alone: wharf ps, wharf rm, wharf images, wharf rmi"),
        "ls" | "list" => Some("use wharf ps for containers and wharf images for images"),
        "info" => Some("use wharf system info"),
        "remove" | "delete" => Some("use wharf rm for containers and wharf rmi for images"),
        "buildx" | "manifest" => Some("use wharf index create to join images into one index"),
        "build" | "compose" | "volume" | "network" | "login" | "commit" | "cp" | "save" | "load" | "stats" | "port"
        | "update" | "diff" | "export" | "import" | "search" => {
            Some("it is not available yet; wharf --help lists what is")
        }
        _ => None,
    }
}

/// Flags of Docker's `run` and `create` that are still missing here.
pub fn is_dockers_flag(flag: &str) -> bool {
    const MISSING: [&str; 36] = [
        "--add-host",
        "--attach",
        "--cap-add",
        "--cap-drop",
        "--cgroup-parent",
        "--cidfile",
        "--cpu-shares",
        "--cpuset-cpus",
        "--detach-keys",
        "--device",
        "--dns",
        "--expose",
        "--gpus",
        "--group-add",
        "--health-cmd",
        "--init",
        "--ip",
        "--ipc",
        "--label-file",
        "--link",
        "--log-driver",
        "--log-opt",
        "--mac-address",
        "--memory-swap",
        "--no-healthcheck",
        "--pid",
        "--privileged",
        "--publish-all",
        "--restart",
        "--runtime",
        "--security-opt",
        "--shm-size",
        "--sysctl",
        "--ulimit",
        "--userns",
        "--volumes-from",
    ];
    MISSING.contains(&flag.split('=').next().unwrap_or(flag))
}

/// The verb that begins like this, else the one within two slips of the pen that leave something of the word.
pub fn nearest(word: &str) -> Option<&'static str> {
    let names = || verbs().filter(|entry| entry.group != Group::Hidden).map(|entry| entry.name);
    let most = word.chars().count().saturating_sub(1).min(2);
    let slips = || names().map(|name| (distance(word, name), name)).filter(|(slips, _)| *slips <= most).min();
    let begun = names().find(|name| !word.is_empty() && name.starts_with(word));
    begun.or_else(|| slips().map(|(_, name)| name))
}

fn line(page: &mut String, entry: &VerbEntry) {
    writeln!(page, "  {:<17} {}", entry.name, entry.about).expect("writing to a String cannot fail");
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        let mut left = i + 1;
        for ((to, above_left), above) in b.iter().zip(&row).zip(row.iter().skip(1)) {
            left = (above_left + usize::from(from != *to)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
