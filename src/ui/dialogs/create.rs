//! What should a new container be? A form over `ContainerSpec`, with the command line it stands for.
//!
//! Deliberately elsewhere: flags (`cli::grammar`), defaults of the image (the backends).

use super::{Reaction, Wish};
use crate::{
    cli::grammar::split_words,
    engine::{
        cli_line,
        domain::{Command, ContainerSpec, Digest, EnvEntry, ImageReference, Mount, NetworkMode, ParseError},
    },
    text::{SafeText, wrap},
    ui::{
        feedback::Hit,
        geometry::Area,
        input::{Key, KeyCode},
        widgets::{Canvas, TextField, canvas::put_cut, dialog_box, hints, text_field::Typed},
    },
};

#[derive(Clone, Debug, PartialEq)]
pub struct State {
    texts: [TextField; TEXTS.len()],
    network: NetworkMode,
    tty: Switch,
    remove: Switch,
    start: Switch,
    /// Texts first, then the choices.
    index: usize,
    problem: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Switch {
    On,
    #[default]
    Off,
}

/// Label and example of each text.
const TEXTS: [(&str, &str); 8] = [
    ("image", "alpine:3"),
    ("name", "one is made up"),
    ("command", "the image's own"),
    ("env", "KEY=value OTHER=value"),
    ("mounts", "/host/dir:/dir:ro volume:/data"),
    ("directory", "the image's own"),
    ("memory", "512m"),
    ("cpus", "1.5"),
];
const CHOICES: [&str; 4] = ["network", "terminal", "remove after exit", "start now"];
const FIELDS: usize = TEXTS.len() + CHOICES.len();
const LABEL_WIDTH: u16 = 18;
const WIDTH: u16 = 70;
/// Rows for the command line it stands for, or what is wrong.
const SAID: usize = 2;
/// Fields that stay on a screen too short for all of them.
const LEAST_FIELDS: u16 = 3;

impl State {
    #[must_use]
    pub fn new(image: &str) -> Self {
        let mut texts: [TextField; TEXTS.len()] = std::array::from_fn(|_| TextField::default());
        if let Some(first) = texts.first_mut() {
            first.set(image);
        }
        let index = usize::from(!image.is_empty());
        let (network, start) = (NetworkMode::Default, Switch::On);
        Self { texts, network, tty: Switch::Off, remove: Switch::Off, start, index, problem: None }
    }

    pub fn key(&mut self, key: Key) -> Reaction {
        let last = FIELDS - 1;
        // A choice has nothing to type into, but is left by the same keys.
        let mut nowhere = TextField::default();
        let is_choice = self.index >= TEXTS.len();
        match self.texts.get_mut(self.index).unwrap_or(&mut nowhere).press(key) {
            Typed::Left => return Reaction::Close,
            Typed::Submitted => return self.finish(),
            Typed::Next | Typed::Down => self.index = if self.index >= last { 0 } else { self.index + 1 },
            Typed::Previous | Typed::Up => self.index = self.index.checked_sub(1).unwrap_or(last),
            Typed::Changed | Typed::Moved if is_choice => {
                if matches!(key.code, KeyCode::Char(' ') | KeyCode::Left | KeyCode::Right) {
                    self.turn(self.index - TEXTS.len());
                }
            }
            Typed::Changed => self.problem = None,
            Typed::Moved | Typed::PageUp | Typed::PageDown => {}
        }
        Reaction::Stay
    }

    pub fn click(&mut self, item: usize) -> Reaction {
        self.index = item.min(FIELDS - 1);
        if item >= TEXTS.len() {
            self.turn(item - TEXTS.len());
        }
        Reaction::Stay
    }

    pub fn paste(&mut self, text: &str) {
        if let Some(field) = self.texts.get_mut(self.index) {
            field.insert(text);
        }
    }

    /// The line it stands for, once it makes sense.
    #[must_use]
    pub fn command_line(&self) -> Option<String> {
        self.command().ok().map(|command| cli_line(&command))
    }

    /// Says why it will not do.
    pub fn refuse(&mut self, why: String) {
        self.problem = Some(why);
    }

    fn finish(&mut self) -> Reaction {
        match self.command() {
            Ok(command) => Reaction::Want(vec![Wish::SubmitAndWatch(command)]),
            Err((index, problem)) => {
                self.index = index;
                self.problem = Some(problem);
                Reaction::Stay
            }
        }
    }

    fn turn(&mut self, choice: usize) {
        let flip = |switch: &mut Switch| {
            *switch = match switch {
                Switch::On => Switch::Off,
                Switch::Off => Switch::On,
            }
        };
        match choice {
            0 => {
                self.network = match self.network {
                    NetworkMode::Default => NetworkMode::None,
                    NetworkMode::None => NetworkMode::Host,
                    NetworkMode::Host => NetworkMode::Default,
                }
            }
            1 => flip(&mut self.tty),
            2 => flip(&mut self.remove),
            _ => flip(&mut self.start),
        }
    }

    fn text(&self, index: usize) -> &str {
        self.texts.get(index).map_or("", |field| field.text().trim())
    }

    /// The command, or the field that is wrong and why.
    fn command(&self) -> Result<Command, (usize, String)> {
        let at = |index: usize| move |error: ParseError| (index, problem_of(error));
        let words = |index: usize| split_words(self.text(index)).map_err(|error| (index, error.message));
        if self.text(0).is_empty() {
            return Err((0, "an image is needed".to_owned()));
        }
        let is_id = format!("sha256:{}", self.text(0)).parse::<Digest>().is_ok();
        if !is_id {
            self.text(0).parse::<ImageReference>().map_err(at(0))?;
        }
        let optional = |index: usize| Some(self.text(index)).filter(|text| !text.is_empty());
        let mut spec = ContainerSpec {
            image: self.text(0).to_owned(),
            name: optional(1).map(str::parse).transpose().map_err(at(1))?,
            command: words(2)?,
            workdir: optional(5).map(Into::into),
            memory: optional(6).map(str::parse).transpose().map_err(at(6))?,
            cpus: optional(7).map(str::parse).transpose().map_err(at(7))?,
            network: self.network,
            tty: self.tty == Switch::On,
            interactive: self.tty == Switch::On,
            auto_remove: self.remove == Switch::On,
            ..ContainerSpec::default()
        };
        for word in words(3)? {
            let entry: EnvEntry = word.parse().map_err(at(3))?;
            let name = entry.key().to_owned();
            let value = entry.resolve(|_| None).ok_or_else(|| (3, format!("{name} needs a value: {name}=value")))?;
            spec.env.push(value);
        }
        for word in words(4)? {
            spec.mounts.push(Mount::from_volume_flag(&word).map_err(at(4))?);
        }
        Ok(match self.start {
            Switch::On => Command::Run(Box::new(spec)),
            Switch::Off => Command::Create(Box::new(spec)),
        })
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>) {
        let theme = canvas.theme;
        let width = WIDTH.min(canvas.area().width.saturating_sub(4));
        let (said, style) = match (&self.problem, self.command()) {
            (Some(problem), _) => (problem.clone(), theme.error),
            (None, Ok(command)) => (cli_line(&command), theme.string),
            (None, Err(_)) => (String::new(), theme.dim),
        };
        let said = wrap(&SafeText::from(said), usize::from(width.saturating_sub(2)));
        // What is said keeps two rows, so that the form does not jump while it is filled in.
        let wanted = if self.problem.is_some() { said.len().max(SAID) } else { SAID };
        let rows = u16::try_from(FIELDS + wanted + 2).unwrap_or(u16::MAX);
        let inner = dialog_box::draw(canvas, "create a container", WIDTH, rows, theme.rule).inset(1, 0);
        let (rest, foot) = inner.split_bottom(1);
        let is_whole = inner.height >= rows;
        // On a short screen the lines around the current one count, and all of what is wrong.
        let (fields, below) = if is_whole {
            let (fields, below) = rest.split_top(u16::try_from(FIELDS).unwrap_or(u16::MAX));
            (fields, below.split_top(1).1)
        } else {
            let most = rest.height.saturating_sub(LEAST_FIELDS);
            rest.split_bottom(u16::try_from(said.len()).unwrap_or(u16::MAX).min(most))
        };
        self.draw_fields(canvas, fields);
        for (row, line) in (0..below.height).zip(&said) {
            let more = row + 1 == below.height && said.len() > usize::from(below.height);
            let line = if more { format!("{line} …") } else { line.clone() };
            put_cut(canvas, below.row(row), &line, style);
        }
        let place = (!is_whole).then(|| format!("{} of {FIELDS}", self.index + 1));
        let used = place.map_or(0, |place| canvas.put_right(foot, &place, theme.dim) + 1);
        let keys = [("enter", "does it"), ("tab", "next field"), ("space", "changes a choice"), ("esc", "leaves")];
        hints::draw_pairs(canvas, foot.split_right(used).0, &keys);
    }

    /// The fields around the current one, as many as there is room for.
    fn draw_fields(&self, canvas: &mut Canvas<'_>, area: Area) {
        let theme = canvas.theme;
        let shown = usize::from(area.height);
        let first = self.index.saturating_sub(shown / 2).min(FIELDS.saturating_sub(shown));
        for (row, index) in (0..area.height).zip(first..FIELDS) {
            let place = area.row(row);
            let current = index == self.index;
            let (name, value) = place.split_left(LABEL_WIDTH);
            let name_style = if current { theme.accent } else { theme.dim };
            canvas.hit(place, Hit::DialogItem(index));
            if let (Some((label, example)), Some(field)) = (TEXTS.get(index), self.texts.get(index)) {
                canvas.put(name, label, name_style);
                if current {
                    field.draw(canvas, value);
                } else {
                    put_cut(canvas, value, &SafeText::from_untrusted(field.text()), theme.text);
                }
                if field.is_empty() {
                    // The terminal's cursor lies on its first letter.
                    put_cut(canvas, value, example, theme.dim);
                }
            } else if let Some(label) = CHOICES.get(index - TEXTS.len()) {
                canvas.put(name, label, name_style);
                let (words, chosen) = self.choice(index - TEXTS.len());
                let style = match (current, chosen) {
                    (true, _) => theme.selected,
                    (false, true) => theme.text,
                    (false, false) => theme.dim,
                };
                put_cut(canvas, value, words, style);
            }
        }
    }

    fn choice(&self, index: usize) -> (&'static str, bool) {
        let switch = |switch: Switch| match switch {
            Switch::On => ("yes", true),
            Switch::Off => ("no", false),
        };
        match index {
            0 => match self.network {
                NetworkMode::Default => ("the host's default", false),
                NetworkMode::None => ("none: loopback only", true),
                NetworkMode::Host => ("host: the machine's own, unprotected", true),
            },
            1 => switch(self.tty),
            2 => switch(self.remove),
            _ => switch(self.start),
        }
    }
}

fn problem_of(error: ParseError) -> String {
    match &error.hint {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(fields: &[(usize, &str)]) -> State {
        let mut state = State::new("alpine:3");
        for (index, text) in fields {
            state.texts[*index].set(text);
        }
        state
    }

    #[test]
    fn the_form_says_which_command_line_it_stands_for() {
        let state = fill(&[(1, "web"), (2, "sleep '1 2'"), (3, "A=1 B=2"), (4, "/srv:/data:ro"), (6, "64m")]);
        let line = state.command_line().unwrap();
        for part in [
            "run",
            "-d",
            "--name web",
            "A=1",
            "B=2",
            "source=/srv,target=/data,readonly",
            "64m",
            "alpine:3",
            "sleep '1 2'",
        ] {
            assert!(line.contains(part), "{part} is not in {line}");
        }
    }

    #[test]
    fn the_wrong_field_gets_the_cursor_and_a_sentence() {
        let mut state = fill(&[(6, "lots")]);
        assert_eq!(state.key(Key::plain(KeyCode::Enter)), Reaction::Stay);
        assert_eq!(state.index, 6);
        assert!(state.problem.as_deref().unwrap().contains("lots"));
    }

    #[test]
    fn an_image_that_no_engine_would_take_is_refused_here() {
        for (image, taken) in [("UPPER", false), ("bad ref", false), ("app:1", true), (&"3f".repeat(32), true)] {
            let mut state = State::new(image);
            let reaction = state.key(Key::plain(KeyCode::Enter));
            assert_eq!(matches!(reaction, Reaction::Want(_)), taken, "{image}");
            assert_eq!((state.index, state.command_line().is_some()), (usize::from(taken), taken), "{image}");
        }
    }

    #[test]
    fn choices_turn_with_space_and_create_does_not_start() {
        let mut state = fill(&[]);
        for _ in 0..TEXTS.len() + 2 {
            state.key(Key::plain(KeyCode::Tab));
        }
        assert_eq!(state.index, TEXTS.len() + 3);
        state.key(Key::char(' '));
        assert!(matches!(state.command(), Ok(Command::Create(_))));
    }
}
