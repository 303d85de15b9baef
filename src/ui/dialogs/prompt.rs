//! Which reference, name or command? One line of text with a purpose.
//!
//! Deliberately elsewhere: forms of several fields (`create`).

use super::{Reaction, Wish};
use crate::{
    cli::grammar::split_words,
    engine::{
        cli_line,
        domain::{Command, ContainerId, ContainerSelector, ExecSpec, ImageReference, PullOptions},
    },
    text::{SafeText, wrap},
    ui::{
        effect::{SessionKind, SessionRequest},
        input::Key,
        widgets::{Canvas, TextField, canvas::put_cut, dialog_box, hints, text_field::Typed},
    },
};

const WIDTH: u16 = 64;

#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub purpose: Purpose,
    pub field: TextField,
    /// Why the text will not do, once somebody tried.
    pub problem: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    Pull,
    Push,
    Tag { source: String },
    Rename { id: ContainerId, name: String },
    Exec { id: ContainerId, name: String },
}

impl State {
    #[must_use]
    pub fn new(purpose: Purpose, text: &str) -> Self {
        Self { purpose, field: TextField::with(text), problem: None }
    }

    pub fn key(&mut self, key: Key) -> Reaction {
        match self.field.press(key) {
            Typed::Left => Reaction::Close,
            Typed::Submitted => match self.wish() {
                Ok(wish) => Reaction::Want(vec![wish]),
                Err(problem) => {
                    self.problem = Some(problem);
                    Reaction::Stay
                }
            },
            Typed::Changed => {
                self.problem = None;
                Reaction::Stay
            }
            Typed::Moved
            | Typed::Next
            | Typed::Previous
            | Typed::Up
            | Typed::Down
            | Typed::PageUp
            | Typed::PageDown => Reaction::Stay,
        }
    }

    fn wish(&self) -> Result<Wish, String> {
        let text = self.field.text().trim();
        let reference = || text.parse::<ImageReference>().map_err(|error| with_hint(&error.to_string(), error.hint));
        Ok(match &self.purpose {
            Purpose::Pull => {
                Wish::SubmitAndWatch(Command::Pull { reference: reference()?, options: PullOptions::default() })
            }
            Purpose::Push => Wish::SubmitAndWatch(Command::Push { reference: reference()? }),
            Purpose::Tag { source } => Wish::Submit(Command::Tag { source: source.clone(), target: reference()? }),
            Purpose::Rename { id, .. } => {
                let name = text
                    .parse()
                    .map_err(|error: crate::engine::domain::ParseError| with_hint(&error.to_string(), error.hint))?;
                Wish::Submit(Command::Rename { container: ContainerSelector::Id(id.clone()), name })
            }
            Purpose::Exec { id, name } => {
                let command = split_words(text).map_err(|error| error.message)?;
                let kind = match command.is_empty() {
                    true => SessionKind::Shell,
                    false => SessionKind::Exec(Box::new(ExecSpec { command, ..ExecSpec::default() })),
                };
                Wish::OpenSession(SessionRequest { container: id.clone(), name: name.clone(), kind })
            }
        })
    }

    /// The command line it stands for; nothing for a text that would be refused.
    fn preview(&self) -> String {
        let text = self.field.text().trim();
        if text.is_empty() {
            return match &self.purpose {
                Purpose::Pull => "wharf pull IMAGE".to_owned(),
                Purpose::Push => "wharf push IMAGE".to_owned(),
                Purpose::Tag { source } => format!("wharf tag {source} NEW"),
                Purpose::Rename { name, .. } => format!("wharf rename {name} NEW"),
                Purpose::Exec { name, .. } => format!("wharf exec -it {name} sh"),
            };
        }
        match (&self.purpose, self.wish()) {
            // By its name, which a person reads more easily than the id that is sent.
            (Purpose::Rename { name, .. }, Ok(Wish::Submit(Command::Rename { name: new, .. }))) => {
                cli_line(&Command::Rename { container: ContainerSelector::Query(name.clone()), name: new })
            }
            (Purpose::Exec { name, .. }, Ok(_)) => format!("wharf exec -it {name} {text}"),
            (_, Ok(Wish::Submit(command) | Wish::SubmitAndWatch(command))) => cli_line(&command),
            (_, Ok(_) | Err(_)) => String::new(),
        }
    }

    fn words(&self) -> (String, &'static str) {
        match &self.purpose {
            Purpose::Pull => ("pull".to_owned(), "image, such as alpine:3 or registry.example/team/app"),
            Purpose::Push => ("push".to_owned(), "image to push, with its registry"),
            Purpose::Tag { source } => (format!("tag {source}"), "new name, such as registry.example/team/app:1"),
            Purpose::Rename { name, .. } => (format!("rename {name}"), "new name"),
            Purpose::Exec { name, .. } => (format!("run in {name}"), "command; empty is the shell the image has"),
        }
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>) {
        let theme = canvas.theme;
        let (title, label) = self.words();
        let width = usize::from(WIDTH.min(canvas.area().width.saturating_sub(4))).saturating_sub(2);
        let problem = self.problem.as_ref().map(|text| wrap(&SafeText::from_untrusted(text), width));
        let problem = problem.unwrap_or_else(|| vec![String::new()]);
        let preview = self.preview();
        let said = u16::try_from(problem.len()).unwrap_or(1);
        let inner = dialog_box::draw(canvas, &SafeText::from(title), WIDTH, 4 + said, theme.rule).inset(1, 0);
        let (body, foot) = inner.split_bottom(1);
        // Where there is no room for all of it, what is wrong comes before what is known.
        let tight = body.height < 3 + said;
        let (top, body) = body.split_top(if tight { 0 } else { 1 });
        put_cut(canvas, top, label, theme.dim);
        let (row, body) = body.split_top(1);
        let used = canvas.put(row, "› ", theme.accent);
        self.field.draw(canvas, row.split_left(used).1);
        for (row, line) in (0..).zip(&problem) {
            put_cut(canvas, body.row(row), line, theme.error);
        }
        put_cut(canvas, body.row(said), &SafeText::from(preview), theme.dim);
        hints::draw_pairs(canvas, foot, &[("enter", "does it"), ("esc", "leaves")]);
    }
}

fn with_hint(problem: &str, hint: Option<String>) -> String {
    match hint {
        Some(hint) => format!("{problem}; {hint}"),
        None => problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::input::KeyCode;

    fn typed(purpose: Purpose, keys: &str) -> (State, Reaction) {
        let mut state = State::new(purpose, "");
        for letter in keys.chars() {
            state.key(Key::char(letter));
        }
        let reaction = state.key(Key::plain(KeyCode::Enter));
        (state, reaction)
    }

    #[test]
    fn a_reference_becomes_a_pull_that_is_watched() {
        let (_, reaction) = typed(Purpose::Pull, "localhost:5000/app:1");
        assert!(
            matches!(reaction, Reaction::Want(wishes) if matches!(wishes.as_slice(), [Wish::SubmitAndWatch(Command::Pull { .. })]))
        );
    }

    #[test]
    fn a_wrong_reference_stays_and_says_why_and_stands_for_no_command() {
        let (mut state, reaction) = typed(Purpose::Pull, "UPPER");
        assert_eq!(reaction, Reaction::Stay);
        assert!(state.problem.is_some());
        assert_eq!(state.preview(), "");
        state.key(Key::char('x'));
        assert!(state.problem.is_none());
    }
}
