//! What do completion scripts offer beyond flags and verbs? The names of containers and images that are there.
//! Deliberately elsewhere: listing those names (the hidden verb `__complete`), freshness (`reference.rs`).

use clap_complete::{Shell as Generator, generate};
use wharf::cli::{
    command_tree,
    grammar::{self, Completes, Shell},
};

/// The whole script of a shell.
pub fn script(shell: Shell) -> String {
    let (generator, transform): (Generator, fn(String) -> String) = match shell {
        Shell::Bash => (Generator::Bash, with_bash_names),
        Shell::Zsh => (Generator::Zsh, with_zsh_names),
        Shell::Fish => (Generator::Fish, with_fish_names),
    };
    let mut script = Vec::new();
    let mut tree = command_tree();
    tree.set_bin_name("wharf");
    generate(generator, &mut tree, "wharf", &mut script);
    let script = String::from_utf8(script).unwrap();
    transform(script.lines().map(|line| format!("{}\n", line.trim_end())).collect())
}

fn verbs_that_complete(wanted: &[Completes]) -> Vec<&'static str> {
    grammar::verbs().filter(|entry| wanted.contains(&entry.completes)).map(|entry| entry.name).collect()
}

fn containers() -> Vec<&'static str> {
    verbs_that_complete(&[Completes::Containers, Completes::Either])
}

fn images() -> Vec<&'static str> {
    let single = verbs_that_complete(&[Completes::Images, Completes::Either]);
    single.into_iter().filter(|name| !name.contains(' ')).collect()
}

const BASH: &str = r#"
# Names of containers and images, asked of the program itself.
_wharf_with_names() {
    _wharf "$@"
    local cur="${COMP_WORDS[COMP_CWORD]}" verb="" host=() word i
    [[ $cur == -* ]] && return
    for ((i = 1; i < COMP_CWORD; i++)); do
        word="${COMP_WORDS[i]}"
        case "$word" in
            --host) host=(--host "${COMP_WORDS[i + 1]}"); ((i++)) ;;
            --format | --config) ((i++)) ;;
            -*) ;;
            *) verb="$word"; break ;;
        esac
    done
    case "$verb" in
        CONTAINERS) COMPREPLY=($(compgen -W "$(wharf "${host[@]}" __complete containers 2>/dev/null)" -- "$cur")) ;;
    esac
    case "$verb" in
        IMAGES) COMPREPLY+=($(compgen -W "$(wharf "${host[@]}" __complete images 2>/dev/null)" -- "$cur")) ;;
    esac
}
complete -F _wharf_with_names -o bashdefault -o default wharf
"#;

fn with_bash_names(script: String) -> String {
    let names = BASH.replace("CONTAINERS", &containers().join(" | ")).replace("IMAGES", &images().join(" | "));
    script + &names
}

const ZSH: &str = r#"
_wharf_containers() {
    local names=(${(f)"$(wharf __complete containers 2>/dev/null)"})
    compadd -a names
}

_wharf_images() {
    local names=(${(f)"$(wharf __complete images 2>/dev/null)"})
    compadd -a names
}

_wharf_either() {
    _wharf_containers
    _wharf_images
}
"#;

/// Positional words of a verb's section end in `:_default`; the section begins with the verb in parentheses.
fn with_zsh_names(script: String) -> String {
    let mut completes = Completes::Nothing;
    let mut text = String::new();
    let mut body = script.as_str();
    // The functions have to stand before the line that starts the completion.
    let head = body.split_inclusive('\n').next().unwrap_or_default();
    body = &body[head.len()..];
    text += head;
    text += ZSH;
    for line in body.lines() {
        if let Some(verb) = line.strip_prefix('(').and_then(|line| line.strip_suffix(')')) {
            completes = grammar::find_verb(verb).map_or(Completes::Nothing, |entry| entry.completes);
        }
        let function = match completes {
            Completes::Containers => "_wharf_containers",
            Completes::Images => "_wharf_images",
            Completes::Either => "_wharf_either",
            Completes::Nothing => "_default",
        };
        let is_positional = ["'*::", "':", "'::", "\"*::", "\":", "\"::"].iter().any(|start| line.starts_with(start));
        text += &if is_positional { line.replace(":_default", &format!(":{function}")) } else { line.to_owned() };
        text.push('\n');
    }
    text
}

fn with_fish_names(script: String) -> String {
    let offer = |verbs: Vec<&str>, what: &str| -> String {
        let line = |verb: &str| {
            format!(
                "complete -c wharf -n \"__fish_wharf_using_subcommand {verb}\" -f -a \"(wharf __complete {what} 2>/dev/null)\"\n"
            )
        };
        verbs.into_iter().map(line).collect()
    };
    script + &offer(containers(), "containers") + &offer(images(), "images")
}

#[test]
fn scripts_offer_names_for_the_verbs_that_take_them() {
    let bash = script(Shell::Bash);
    assert!(bash.contains("start | stop | restart"), "{bash}");
    let zsh = script(Shell::Zsh);
    let stop = zsh.split("(stop)\n").nth(1).unwrap().split(";;").next().unwrap();
    assert!(stop.contains(":_wharf_containers"), "{stop}");
    assert!(script(Shell::Fish).contains("__fish_wharf_using_subcommand rmi\" -f -a \"(wharf __complete images"));
}

#[test]
fn the_shells_themselves_accept_the_scripts() {
    for (shell, name, arguments) in
        [(Shell::Bash, "bash", ["-n"]), (Shell::Zsh, "zsh", ["-n"]), (Shell::Fish, "fish", ["--no-execute"])]
    {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("script");
        std::fs::write(&file, script(shell)).unwrap();
        // A shell that is not installed has nothing to say.
        let Ok(checked) = std::process::Command::new(name).args(arguments).arg(&file).output() else { continue };
        assert!(checked.status.success(), "{name}: {}", String::from_utf8_lossy(&checked.stderr));
    }
}
