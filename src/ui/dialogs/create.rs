//! What should a new container be? A form over `ContainerSpec`, with the command line it stands for.
//!
//! Deliberately elsewhere: flags (`cli::grammar`), defaults of the image (the backends).

use super::{Reaction, Wish, message::wrap};
use crate::{
    cli::grammar::split_words,
    engine::{
        cli_line,
        domain::{Command, ContainerSpec, EnvEntry, Mount, NetworkMode, ParseError},
    },
    text::SafeText,
    ui::{
        feedback::Hit,
        input::{Key, KeyCode},
        widgets::{Canvas, TextField, canvas::put_cut, dialog_box, text_field::Typed},
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
const LABEL_WIDTH: u16 = 18;

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
        let last = TEXTS.len() + CHOICES.len() - 1;
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
        self.index = item.min(TEXTS.len() + CHOICES.len() - 1);
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
        let rows = u16::try_from(TEXTS.len() + CHOICES.len() + 4).unwrap_or(u16::MAX);
        let inner = dialog_box::draw(canvas, "create a container", 70, rows, theme.rule).inset(1, 0);
        // On a short screen the lines around the current one count.
        let head = u16::try_from(self.index).unwrap_or(0).saturating_sub(inner.height.saturating_sub(6));
        let line = |row: usize| u16::try_from(row).ok()?.checked_sub(head);
        for (index, ((label, example), field)) in TEXTS.iter().zip(&self.texts).enumerate() {
            let Some(row) = line(index) else { continue };
            let place = inner.row(row);
            let current = index == self.index;
            let (name, value) = place.split_left(LABEL_WIDTH);
            canvas.put(name, label, if current { theme.accent } else { theme.dim });
            canvas.hit(place, Hit::DialogItem(index));
            if current {
                field.draw(canvas, value);
            } else {
                put_cut(canvas, value, &SafeText::from_untrusted(field.text()), theme.text);
            }
            if field.is_empty() {
                // The terminal's cursor lies on its first letter.
                put_cut(canvas, value, example, theme.dim);
            }
        }
        for (index, label) in CHOICES.iter().enumerate() {
            let Some(row) = line(TEXTS.len() + index) else { continue };
            let place = inner.row(row);
            let current = TEXTS.len() + index == self.index;
            let (name, value) = place.split_left(LABEL_WIDTH);
            canvas.put(name, label, if current { theme.accent } else { theme.dim });
            let (words, style) = self.choice(index);
            let style = if current {
                theme.selected
            } else if style {
                theme.text
            } else {
                theme.dim
            };
            canvas.put(value, words, style);
            canvas.hit(place, Hit::DialogItem(TEXTS.len() + index));
        }
        let Some(below) = line(TEXTS.len() + CHOICES.len() + 1) else { return };
        match (&self.problem, self.command()) {
            (Some(problem), _) => {
                let lines = wrap(&SafeText::from_untrusted(problem), usize::from(inner.width));
                for (row, line) in (below..=below + 1).zip(&lines) {
                    put_cut(canvas, inner.row(row), line, theme.error);
                }
            }
            (None, Ok(command)) => {
                put_cut(canvas, inner.row(below), &SafeText::from(cli_line(&command)), theme.string);
            }
            (None, Err(_)) => {}
        }
        let mut pen = canvas.pen(inner.row(below + 2));
        for (key, word) in
            [("enter", "does it"), ("tab", "next field"), ("space", "changes a choice"), ("esc", "leaves")]
        {
            pen.put(key, theme.key).gap(1).put(word, theme.dim).gap(2);
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
