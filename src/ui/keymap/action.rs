//! What can a key, a hint or a palette word be bound to? The one table of actions.
//!
//! Help, the context bar, the keymap files and the key reference read this table; nothing else lists actions.
//! Deliberately elsewhere: what an action does (`ui::update`), which actions apply right now (`ui::update::offer`).

/// Everything a key can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    Top,
    Bottom,
    Left,
    Right,
    Open,
    Back,
    Filter,
    Mark,
    MarkAll,
    CopyId,
    CopyCommand,
    Logs,
    Inspect,
    Exec,
    Attach,
    StartStop,
    Restart,
    Kill,
    Pause,
    Rename,
    Remove,
    Create,
    Pull,
    Push,
    Tag,
    Demo,
    SortByName,
    SortByStatus,
    SortByImage,
    SortByAge,
    SortByTrouble,
    Tab1,
    Tab2,
    Tab3,
    Tab4,
    NextTab,
    PreviousTab,
    FocusNext,
    Grow,
    Shrink,
    Arrange,
    Follow,
    Wrap,
    Timestamps,
    Since,
    SinceAll,
    Search,
    NextMatch,
    PreviousMatch,
    Fold,
    FoldAll,
    Reveal,
    Cancel,
    ShowContainers,
    ShowImages,
    ShowOperations,
    Hosts,
    Theme,
    CommandLine,
    Help,
    Refresh,
    Redraw,
    Suspend,
    Quit,
    Interrupt,
}

/// Where a binding holds. The most specific scope wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// The log viewer has the focus.
    Logs,
    /// The JSON tree has the focus.
    Tree,
    /// Anything that scrolls text has the focus.
    Viewer,
    /// A list has the focus.
    List,
    /// The list of containers has the focus.
    ContainerList,
    /// A container is what the keys act on.
    Container,
    /// The image list.
    Images,
    /// The operations list.
    Operations,
    Global,
}

impl Scope {
    pub const ALL: [Self; 9] = [
        Self::List,
        Self::ContainerList,
        Self::Container,
        Self::Logs,
        Self::Tree,
        Self::Viewer,
        Self::Images,
        Self::Operations,
        Self::Global,
    ];

    /// The section's name in keymap files and in the help.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Tree => "inspect",
            Self::Viewer => "viewer",
            Self::List => "list",
            Self::ContainerList => "container-list",
            Self::Container => "containers",
            Self::Images => "images",
            Self::Operations => "operations",
            Self::Global => "global",
        }
    }
}

/// One row of the table.
#[derive(Debug)]
pub struct ActionEntry {
    pub action: Action,
    pub scope: Scope,
    /// Its name in keymap files and on the `:` line.
    pub name: &'static str,
    /// The word beside the key in the context bar; empty keeps it out of there.
    pub hint: &'static str,
    pub help: &'static str,
    /// Default keys, the one to show first.
    pub keys: &'static [&'static str],
    /// The command line it stands for, NAME being the target.
    pub cli: Option<&'static str>,
}

const fn entry(
    action: Action,
    scope: Scope,
    name: &'static str,
    keys: &'static [&'static str],
    hint: &'static str,
    help: &'static str,
) -> ActionEntry {
    ActionEntry { action, scope, name, hint, help, keys, cli: None }
}

impl ActionEntry {
    const fn cli(mut self, cli: &'static str) -> Self {
        self.cli = Some(cli);
        self
    }
}

/// The table, in the order of the help page and, within a scope, of the context bar.
pub static ACTIONS: &[ActionEntry] = &[
    // -- lists ---------------------------------------------------------------------------------------
    entry(Action::Open, Scope::List, "open", &["enter"], "open", "Open what is selected"),
    entry(Action::Up, Scope::List, "up", &["k", "up"], "", "One row up"),
    entry(Action::Down, Scope::List, "down", &["j", "down"], "", "One row down"),
    entry(Action::PageUp, Scope::List, "page-up", &["pageup", "ctrl-b"], "", "One page up"),
    entry(Action::PageDown, Scope::List, "page-down", &["pagedown", "ctrl-f"], "", "One page down"),
    entry(Action::Top, Scope::List, "top", &["g", "home"], "", "First row"),
    entry(Action::Bottom, Scope::List, "bottom", &["G", "end"], "", "Last row"),
    entry(Action::Filter, Scope::List, "filter", &["/"], "filter", "Show only rows that contain a text"),
    entry(Action::CopyId, Scope::List, "copy-id", &["y"], "", "Copy the id to the clipboard"),
    // -- the list of containers ----------------------------------------------------------------------
    entry(Action::Mark, Scope::ContainerList, "mark", &["space"], "", "Mark the row for a common action"),
    entry(Action::MarkAll, Scope::ContainerList, "mark-all", &["*"], "", "Mark every row shown, or none"),
    entry(Action::SortByTrouble, Scope::ContainerList, "sort-trouble", &["T"], "", "Trouble first, then the newest"),
    entry(Action::SortByName, Scope::ContainerList, "sort-name", &["N"], "", "Sort by name; again reverses"),
    entry(Action::SortByStatus, Scope::ContainerList, "sort-status", &["S"], "", "Sort by status; again reverses"),
    entry(Action::SortByImage, Scope::ContainerList, "sort-image", &["I"], "", "Sort by image; again reverses"),
    entry(Action::SortByAge, Scope::ContainerList, "sort-age", &["A"], "", "Sort by age; again reverses"),
    // -- containers ----------------------------------------------------------------------------------
    entry(Action::Logs, Scope::Container, "logs", &["l"], "logs", "Follow what it prints").cli("wharf logs -f NAME"),
    entry(Action::Exec, Scope::Container, "exec", &["e"], "exec", "Open a shell in it").cli("wharf exec -it NAME sh"),
    entry(Action::StartStop, Scope::Container, "start-stop", &["s"], "stop", "Stop it if it runs, start it if not")
        .cli("wharf stop NAME"),
    entry(Action::Restart, Scope::Container, "restart", &["r"], "restart", "Stop and start it")
        .cli("wharf restart NAME"),
    entry(Action::Remove, Scope::Container, "remove", &["ctrl-d", "delete"], "remove", "Remove it, after a question")
        .cli("wharf rm NAME"),
    entry(Action::Create, Scope::Container, "create", &["c"], "create", "Create a container with a form")
        .cli("wharf run IMAGE"),
    entry(Action::Pull, Scope::Container, "pull-image", &["p"], "pull", "Pull an image").cli("wharf pull IMAGE"),
    entry(Action::Inspect, Scope::Container, "inspect", &["i"], "", "Everything known about it, as a tree")
        .cli("wharf inspect NAME"),
    entry(Action::Attach, Scope::Container, "attach", &["a"], "", "Attach to its process; ctrl-p ctrl-q detaches")
        .cli("wharf attach NAME"),
    entry(Action::Kill, Scope::Container, "kill", &["ctrl-k"], "", "Kill it at once, after a question")
        .cli("wharf kill NAME"),
    entry(Action::Pause, Scope::Container, "pause", &["ctrl-p"], "", "Freeze it, or let it go on")
        .cli("wharf pause NAME"),
    entry(Action::Rename, Scope::Container, "rename", &["R"], "", "Give it another name").cli("wharf rename NAME NEW"),
    entry(Action::Demo, Scope::Container, "demo", &["D"], "", "Start a few harmless containers to try things on")
        .cli("wharf demo"),
    entry(Action::Tab1, Scope::Container, "tab-logs", &["1"], "", "Tab 1: logs"),
    entry(Action::Tab2, Scope::Container, "tab-inspect", &["2"], "", "Tab 2: inspect"),
    entry(Action::Tab3, Scope::Container, "tab-processes", &["3"], "", "Tab 3: processes").cli("wharf top NAME"),
    entry(Action::Tab4, Scope::Container, "tab-env", &["4"], "", "Tab 4: environment, mounts, limits"),
    entry(Action::NextTab, Scope::Container, "next-tab", &["]"], "", "Next tab"),
    entry(Action::PreviousTab, Scope::Container, "previous-tab", &["["], "", "Previous tab"),
    entry(Action::Grow, Scope::Container, "grow", &["+", "="], "", "More room for the detail"),
    entry(Action::Shrink, Scope::Container, "shrink", &["_", "-"], "", "Less room for the detail"),
    entry(Action::Arrange, Scope::Container, "arrange", &["|"], "", "List and detail side by side or stacked"),
    // -- logs ----------------------------------------------------------------------------------------
    entry(Action::Search, Scope::Logs, "search-logs", &["/"], "search", "Find a text; capitals count if you type any"),
    entry(Action::Follow, Scope::Logs, "follow", &["F", "end", "G"], "follow", "Stay at the end; scrolling up lets go"),
    entry(Action::Wrap, Scope::Logs, "wrap", &["w"], "wrap", "Wrap long lines"),
    entry(Action::Timestamps, Scope::Logs, "timestamps", &["t"], "times", "Show when each line was printed"),
    entry(Action::Since, Scope::Logs, "since", &["T"], "since", "Choose how far back the log goes"),
    entry(Action::SinceAll, Scope::Logs, "since-all", &["0"], "", "The whole log"),
    entry(Action::CopyId, Scope::Logs, "copy-line", &["y"], "", "Copy the top line, or the one that matched"),
    // -- tree ----------------------------------------------------------------------------------------
    entry(Action::Fold, Scope::Tree, "fold", &["enter", "space"], "fold", "Fold or unfold"),
    entry(Action::FoldAll, Scope::Tree, "fold-all", &["*"], "fold all", "Fold or unfold everything"),
    entry(Action::Search, Scope::Tree, "search-tree", &["/"], "search", "Find a key or a value"),
    entry(Action::CopyId, Scope::Tree, "copy-value", &["y"], "copy", "Copy the value"),
    // -- viewers -------------------------------------------------------------------------------------
    entry(Action::NextMatch, Scope::Viewer, "next-match", &["n"], "", "Next match"),
    entry(Action::PreviousMatch, Scope::Viewer, "previous-match", &["N"], "", "Previous match"),
    entry(Action::Up, Scope::Viewer, "scroll-up", &["k", "up"], "", "One line up"),
    entry(Action::Down, Scope::Viewer, "scroll-down", &["j", "down"], "", "One line down"),
    entry(Action::HalfUp, Scope::Viewer, "half-up", &["ctrl-u"], "", "Half a page up"),
    entry(Action::HalfDown, Scope::Viewer, "half-down", &["ctrl-d"], "", "Half a page down"),
    entry(Action::PageUp, Scope::Viewer, "viewer-page-up", &["pageup", "ctrl-b"], "", "One page up"),
    entry(Action::PageDown, Scope::Viewer, "viewer-page-down", &["pagedown", "ctrl-f"], "", "One page down"),
    entry(Action::Top, Scope::Viewer, "viewer-top", &["g", "home"], "", "The beginning"),
    entry(Action::Bottom, Scope::Viewer, "viewer-bottom", &["G", "end"], "", "The end"),
    entry(Action::Left, Scope::Viewer, "left", &["h", "left"], "", "To the left; fold"),
    entry(Action::Right, Scope::Viewer, "right", &["right"], "", "To the right; unfold"),
    entry(Action::Reveal, Scope::Viewer, "reveal", &["v"], "", "Show values that look like secrets"),
    // -- images --------------------------------------------------------------------------------------
    entry(Action::Pull, Scope::Images, "pull", &["p"], "pull", "Pull an image").cli("wharf pull IMAGE"),
    entry(Action::Push, Scope::Images, "push", &["u"], "push", "Push it to its registry").cli("wharf push IMAGE"),
    entry(Action::Create, Scope::Images, "run", &["c", "r"], "run", "Create a container from it")
        .cli("wharf run IMAGE"),
    entry(Action::Tag, Scope::Images, "tag", &["t"], "tag", "Give it another name").cli("wharf tag IMAGE NEW"),
    entry(
        Action::Remove,
        Scope::Images,
        "remove-image",
        &["ctrl-d", "delete"],
        "remove",
        "Remove it, after a question",
    )
    .cli("wharf rmi IMAGE"),
    entry(Action::SortByName, Scope::Images, "sort-images-by-name", &["N"], "", "Sort by name"),
    entry(Action::SortByAge, Scope::Images, "sort-images-by-age", &["A"], "", "The newest first"),
    // -- operations ----------------------------------------------------------------------------------
    entry(Action::Cancel, Scope::Operations, "cancel", &["x"], "cancel", "Ask a running operation to end"),
    entry(
        Action::CopyCommand,
        Scope::Operations,
        "copy-command",
        &["Y"],
        "copy command",
        "Copy the command line it stands for",
    ),
    // -- everywhere ----------------------------------------------------------------------------------
    entry(Action::Back, Scope::Global, "back", &["esc"], "back", "One level back; never quits"),
    entry(Action::CommandLine, Scope::Global, "command-line", &[":"], "command", "Type any verb, as in the shell"),
    entry(Action::Quit, Scope::Global, "quit", &["q"], "quit", "Quit, at the top level; elsewhere one level back"),
    entry(Action::Help, Scope::Global, "help", &["?", "f1"], "help", "This page"),
    entry(Action::FocusNext, Scope::Global, "focus", &["tab", "shift-tab"], "", "Move between list and detail"),
    entry(Action::ShowContainers, Scope::Global, "containers", &["f2"], "", "The containers"),
    entry(Action::ShowImages, Scope::Global, "images", &["f3", "m"], "", "The images"),
    entry(
        Action::ShowOperations,
        Scope::Global,
        "operations",
        &["f4", "o"],
        "",
        "What is going on and what went wrong",
    ),
    entry(Action::Hosts, Scope::Global, "hosts", &["H"], "", "Another host: embedded, Docker, Podman"),
    entry(Action::Theme, Scope::Global, "next-theme", &["f9"], "", "Another theme"),
    entry(Action::CopyCommand, Scope::Global, "copy-shown-command", &["Y"], "", "Copy the command line shown"),
    entry(Action::Refresh, Scope::Global, "refresh", &["ctrl-r", "f5"], "", "Ask the host again"),
    entry(Action::Redraw, Scope::Global, "redraw", &["ctrl-l"], "", "Draw the whole screen again"),
    entry(Action::Suspend, Scope::Global, "suspend", &["ctrl-z"], "", "Back to the shell; fg returns"),
    entry(Action::Interrupt, Scope::Global, "interrupt", &["ctrl-c"], "", "Quit; twice within two seconds at once"),
];
