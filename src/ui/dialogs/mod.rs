//! Which dialogs are there, and what can come out of one?
//!
//! A dialog has the keys while it is open. Each file holds one kind: its state, its keys, its drawing.
//! Deliberately elsewhere: what happens with a wish (`ui::update::wishes`).

pub mod choice;
pub mod confirm;
pub mod create;
pub mod help;
pub mod message;
pub mod prompt;
mod scroll;
pub mod transfer;

use crate::{
    engine::domain::{Command, HostSpec, OperationId},
    ui::{
        effect::SessionRequest, facts::Facts, feedback::Feedback, input::Key, screens::detail::logs::state::Since,
        widgets::Canvas,
    },
};

#[derive(Clone, Debug, PartialEq)]
pub enum Dialog {
    Choice(choice::State),
    Confirm(confirm::State),
    Create(Box<create::State>),
    Help(help::State),
    Message(message::State),
    Prompt(prompt::State),
    Transfer(transfer::State),
}

/// What a key did to a dialog.
#[derive(Clone, Debug, PartialEq)]
pub enum Reaction {
    Stay,
    Close,
    /// It closes and wants this done.
    Want(Vec<Wish>),
}

/// What a person decided in a dialog.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    Submit(Command),
    /// Submit, and watch its progress in a dialog.
    SubmitAndWatch(Command),
    CancelOperation(OperationId),
    Copy(String),
    OpenHost(HostSpec),
    ReadLogsSince(Since),
    OpenSession(SessionRequest),
    /// Quit when the running operations have ended.
    QuitWhenIdle,
    CancelAndQuit,
}

impl Dialog {
    /// `frame` counts the frames drawn when the key was read.
    pub fn key(&mut self, key: Key, frame: u64, facts: &Facts, feedback: &Feedback) -> Reaction {
        match self {
            Self::Choice(state) => state.key(key),
            Self::Confirm(state) => state.key(key, frame),
            Self::Create(state) => state.key(key),
            Self::Help(state) => state.key(key, feedback),
            Self::Message(state) => state.key(key, feedback),
            Self::Prompt(state) => state.key(key),
            Self::Transfer(state) => state.key(key, facts),
        }
    }

    /// A click on the nth item.
    pub fn click(&mut self, item: usize, frame: u64) -> Reaction {
        match self {
            Self::Choice(state) => state.choose(item),
            Self::Confirm(state) => state.click(item, frame),
            Self::Create(state) => state.click(item),
            Self::Message(_) => Reaction::Close,
            Self::Help(_) | Self::Prompt(_) | Self::Transfer(_) => Reaction::Stay,
        }
    }

    pub fn paste(&mut self, text: &str) {
        match self {
            Self::Create(state) => state.paste(text),
            Self::Prompt(state) => state.field.insert(text),
            Self::Choice(_) | Self::Confirm(_) | Self::Help(_) | Self::Message(_) | Self::Transfer(_) => {}
        }
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, facts: &Facts) {
        match self {
            Self::Choice(state) => state.draw(canvas),
            Self::Confirm(state) => state.draw(canvas),
            Self::Create(state) => state.draw(canvas),
            Self::Help(state) => state.draw(canvas),
            Self::Message(state) => state.draw(canvas),
            Self::Prompt(state) => state.draw(canvas),
            Self::Transfer(state) => state.draw(canvas, facts),
        }
    }

    /// The command line it shows, for the copy key.
    #[must_use]
    pub fn command_line(&self) -> Option<String> {
        match self {
            Self::Confirm(state) => Some(state.cli.clone()),
            Self::Create(state) => state.command_line(),
            Self::Message(state) => state.cli.clone(),
            Self::Choice(_) | Self::Help(_) | Self::Prompt(_) | Self::Transfer(_) => None,
        }
    }

    /// Whether sending it loses what a person has typed, unless it is kept.
    #[must_use]
    pub fn is_filled_in(&self) -> bool {
        match self {
            Self::Create(_) => true,
            Self::Prompt(state) => match state.purpose {
                prompt::Purpose::Tag { .. } | prompt::Purpose::Rename { .. } => true,
                // A transfer that fails has more to say than fits below a line of text.
                prompt::Purpose::Pull | prompt::Purpose::Push | prompt::Purpose::Exec { .. } => false,
            },
            Self::Choice(_) | Self::Confirm(_) | Self::Help(_) | Self::Message(_) | Self::Transfer(_) => false,
        }
    }

    /// Says in a form why it will not do.
    #[must_use]
    pub fn refused(mut self, why: String) -> Self {
        match &mut self {
            Self::Create(state) => state.refuse(why),
            Self::Prompt(state) => state.problem = Some(why),
            Self::Choice(_) | Self::Confirm(_) | Self::Help(_) | Self::Message(_) | Self::Transfer(_) => {}
        }
        self
    }

    /// Letters are text here, not keys.
    #[must_use]
    pub fn types_text(&self) -> bool {
        match self {
            Self::Create(_) | Self::Prompt(_) => true,
            Self::Choice(_) | Self::Confirm(_) | Self::Help(_) | Self::Message(_) | Self::Transfer(_) => false,
        }
    }
}
