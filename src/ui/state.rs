//! What does the whole interface remember? One value with one writer, `update`.
//!
//! Deliberately elsewhere: the state of each screen (`screens`) and dialog (`dialogs`).

use super::{
    command_line,
    dialogs::{Dialog, transfer},
    effect::{Effect, SubmitId},
    ends::Ends,
    facts::Facts,
    feedback::Feedback,
    geometry::Size,
    keymap::{Keymap, Scope},
    layout::{Parts, Split},
    screens::{Screen, containers, detail, detail::state::Tab, images, operations},
    settings::Settings,
    theme::{BUILT_IN, Theme},
    widgets::TextField,
};
use crate::{
    engine::domain::{Command, HostSpec, Timestamp},
    text::SafeText,
};

#[derive(Debug)]
pub struct State {
    pub size: Size,
    pub facts: Facts,
    pub settings: Settings,
    pub theme: Theme,
    /// Themes from the configuration directory.
    pub own_themes: Vec<Theme>,
    pub keymap: Keymap,
    pub screen: Screen,
    pub part: Part,
    pub split: Split,
    pub containers: containers::state::State,
    pub detail: detail::state::State,
    pub images: images::state::State,
    pub operations: operations::state::State,
    /// The last one has the keys.
    pub dialogs: Vec<Dialog>,
    pub command_line: Option<command_line::State>,
    pub history: Vec<String>,
    /// Which ends of containers were told of.
    pub ends: Ends,
    pub notice: Option<Notice>,
    /// Notices so far: the number of the one on the screen.
    pub notices: u64,
    /// What the last frame learnt.
    pub feedback: Feedback,
    /// Frames drawn so far.
    pub frame: u64,
    pub submits: SubmitId,
    /// Commands whose progress gets a dialog when they take a moment.
    pub watched: Vec<transfer::State>,
    /// What somebody filled in and sent last, until the engine has done it: refused, it comes back.
    pub sent: Option<(SubmitId, Dialog)>,
    pub quitting: Quitting,
    /// The panic that ended a part which the screen cannot do without.
    pub defect: Option<String>,
}

/// Which half of a split screen has the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    #[default]
    List,
    Detail,
}

/// One line at the bottom, until the next key; good news gives the hints their place back by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Safe to show.
    pub text: String,
    pub tone: NoticeTone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeTone {
    Good,
    Plain,
    Bad,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quitting {
    #[default]
    No,
    /// Ctrl-C was pressed; again within two seconds ends at once.
    Interrupted,
    WhenIdle,
    Now,
    /// Without the terminal, or without a part that cannot be done without.
    Lost,
}

impl State {
    #[must_use]
    pub fn new(host: HostSpec, size: Size, mut settings: Settings, now: Timestamp) -> Self {
        let address = matches!(host, HostSpec::Url(_));
        if address && !settings.hosts.iter().any(|(_, named)| *named == host) {
            // It has no name to choose it by, and it must be possible to come back to it.
            settings.hosts.push((host.to_string(), host.clone()));
        }
        let theme = Theme::built_in(&settings.theme, settings.colour, settings.glyphs)
            .or_else(|_| Theme::built_in("default", settings.colour, settings.glyphs))
            .unwrap_or_else(|_| Theme::plain("plain", settings.glyphs));
        Self {
            size,
            facts: Facts::new(host, now),
            settings,
            theme,
            own_themes: Vec::new(),
            keymap: Keymap::default(),
            screen: Screen::default(),
            part: Part::default(),
            split: Split::default(),
            containers: containers::state::State::default(),
            detail: detail::state::State::default(),
            images: images::state::State::default(),
            operations: operations::state::State::default(),
            dialogs: Vec::new(),
            command_line: None,
            history: Vec::new(),
            ends: Ends::default(),
            notice: None,
            notices: 0,
            feedback: Feedback::default(),
            frame: 0,
            submits: SubmitId::default(),
            watched: Vec::new(),
            sent: None,
            quitting: Quitting::default(),
            defect: None,
        }
    }

    /// Takes what a frame learnt.
    pub fn drawn(&mut self, feedback: Feedback) {
        self.containers.cursor.first = match self.screen {
            Screen::Containers if feedback.list.rows > 0 => feedback.list.first,
            Screen::Containers | Screen::Images | Screen::Operations => self.containers.cursor.first,
        };
        self.feedback = feedback;
        self.frame += 1;
    }

    pub fn open(&mut self, dialog: Dialog) {
        self.dialogs.push(dialog);
    }

    pub fn note(&mut self, tone: NoticeTone, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), tone });
        self.notices += 1;
    }

    /// The effect that hands a command to the engine.
    pub fn submit(&mut self, command: Command) -> Effect {
        self.submits.0 += 1;
        Effect::Submit { submit: self.submits, command }
    }

    /// Rows of the list on the screen.
    #[must_use]
    pub fn list_rows(&self) -> usize {
        usize::from(self.feedback.list.rows)
    }

    /// Rows of the viewer on the screen.
    #[must_use]
    pub fn viewer_rows(&self) -> usize {
        usize::from(self.feedback.viewer.rows)
    }

    /// How the main area is divided now.
    #[must_use]
    pub fn parts(&self) -> Parts {
        Parts::of(self.size, &self.split, self.screen, self.part == Part::Detail, self.has_rows())
    }

    /// Something can be listed, so a detail makes sense.
    #[must_use]
    pub fn has_rows(&self) -> bool {
        match self.screen {
            Screen::Containers => !self.containers.rows.is_empty(),
            Screen::Images => !self.images.rows.is_empty(),
            Screen::Operations => false,
        }
    }

    /// The filter or search that is being typed: the keys go to it.
    #[must_use]
    pub fn typed(&self) -> Option<&TextField> {
        let filter = match self.screen {
            Screen::Containers => &self.containers.filter,
            Screen::Images => &self.images.filter,
            Screen::Operations => &self.operations.filter,
        };
        let detail = &self.detail;
        let (field, typing) = match (self.screen, self.part, detail.tab) {
            _ if filter.typing => (&filter.field, true),
            (Screen::Containers, Part::Detail, Tab::Logs) => (&detail.logs.search.field, detail.logs.search.typing),
            (Screen::Containers, Part::Detail, Tab::Inspect) => (&detail.inspect.field, detail.inspect.typing),
            (Screen::Containers | Screen::Images | Screen::Operations, Part::List | Part::Detail, _) => return None,
        };
        typing.then_some(field)
    }

    /// Where keys are looked up, the most specific first.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        let mut scopes = Vec::with_capacity(4);
        match (self.part, self.screen) {
            (Part::Detail, Screen::Containers) => {
                match self.detail.tab {
                    Tab::Logs => scopes.push(Scope::Logs),
                    Tab::Inspect => scopes.push(Scope::Tree),
                    Tab::Processes | Tab::Environment => {}
                }
                scopes.extend([Scope::Viewer, Scope::Container]);
            }
            (Part::List, Screen::Containers) => scopes.extend([Scope::ContainerList, Scope::List, Scope::Container]),
            (Part::Detail, Screen::Images) => scopes.extend([Scope::Viewer, Scope::Images]),
            (Part::List, Screen::Images) => scopes.extend([Scope::Images, Scope::List]),
            (Part::List | Part::Detail, Screen::Operations) => scopes.extend([Scope::Operations, Scope::List]),
        }
        scopes.push(Scope::Global);
        scopes
    }

    /// The next theme: the built-in ones, then the person's own.
    pub fn next_theme(&mut self) {
        let (colour, glyphs) = (self.settings.colour, self.settings.glyphs);
        let built_in = BUILT_IN.iter().filter_map(|(name, text)| Theme::parse(name, text, colour, glyphs).ok()); // Tested.
        let all: Vec<Theme> = built_in.chain(self.own_themes.iter().cloned()).collect();
        let here = all.iter().position(|theme| theme.name == self.theme.name).unwrap_or(0);
        if let Some(next) = all.into_iter().cycle().nth(here + 1) {
            self.note(NoticeTone::Plain, format!("theme {}", SafeText::from_untrusted(&next.name)));
            self.theme = next;
        }
    }
}
