//! What should a person read about an operation in one row?
//!
//! Deliberately elsewhere: columns and colours (`view`).

use crate::{
    engine::domain::{ErrorKind, Operation, OperationState, Origin},
    text::{SafeText, units},
    ui::{facts::Facts, screens::containers::view_model::Tone, theme::Glyphs},
};

/// How it is going, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateText {
    pub words: SafeText<'static>,
    pub tone: Tone,
    /// Bytes done and known, where a bar makes sense.
    pub bar: Option<(u64, u64)>,
}

impl StateText {
    /// The tone as a sign.
    #[must_use]
    pub fn glyph(&self, glyphs: &'static Glyphs) -> &'static str {
        match self.tone {
            Tone::Good => glyphs.done,
            Tone::Busy => glyphs.busy,
            Tone::Bad => glyphs.failed,
            Tone::Warning => glyphs.warning,
            Tone::Quiet => glyphs.stopped,
        }
    }
}

/// Its number in this session; those of other processes and of the past have none.
#[must_use]
pub fn number(operation: &Operation) -> String {
    match operation.origin {
        Origin::Here => operation.id.to_string(),
        Origin::Process { .. } => String::new(),
    }
}

/// The command line it stands for, with the container's name where it was named by its id.
#[must_use]
pub fn command_line(operation: &Operation, facts: &Facts) -> SafeText<'static> {
    let named = operation.container.as_ref().and_then(|id| {
        let name = facts.container(id)?.name.as_ref()?;
        Some(operation.cli.replace(id.as_str(), name.as_str()).replace(id.short(), name.as_str()))
    });
    SafeText::from(named.unwrap_or_else(|| operation.cli.clone()))
}

#[must_use]
pub fn state_text(operation: &Operation, facts: &Facts) -> StateText {
    let text = |words: String, tone| StateText { words: SafeText::from(words), tone, bar: None };
    if let (true, Some(waits_for)) = (operation.is_running(), &operation.progress.overdue) {
        return text(format!("past its deadline, waits for {waits_for}"), Tone::Warning);
    }
    match &operation.state {
        OperationState::Queued => text("waiting for an earlier one".to_owned(), Tone::Quiet),
        OperationState::Running => {
            let mut words = operation.progress.step.clone();
            if let Some((moment, what)) = &operation.progress.until {
                words = format!("{words}, {what} in {}", facts.seconds_until(*moment));
            }
            if let Origin::Process { pid } = operation.origin {
                words = format!("{words} (process {pid})");
            }
            let (done, total) = operation.progress.bytes();
            StateText { words: SafeText::from(words), tone: Tone::Busy, bar: (total > 0).then_some((done, total)) }
        }
        OperationState::Finished { outcome: Ok(done), .. } if done.already => {
            text("already so".to_owned(), Tone::Quiet)
        }
        OperationState::Finished { outcome: Ok(done), .. } => match done.warnings.first() {
            Some(warning) => text(format!("done, but {warning}"), Tone::Warning),
            None => text("done".to_owned(), Tone::Good),
        },
        OperationState::Finished { outcome: Err(error), .. } if error.kind() == ErrorKind::Cancelled => {
            text("cancelled".to_owned(), Tone::Quiet)
        }
        OperationState::Finished { outcome: Err(error), .. } => text(error.reason().to_owned(), Tone::Bad),
    }
}

/// How long it takes or took.
#[must_use]
pub fn duration(operation: &Operation, facts: &Facts) -> String {
    match &operation.state {
        OperationState::Queued | OperationState::Running => facts.seconds(operation.started),
        OperationState::Finished { at, .. } => units::elapsed(at.since(operation.started)),
    }
}

/// Whether a text in lower case occurs in what a person reads of it.
#[must_use]
pub fn contains(operation: &Operation, facts: &Facts, needle: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(needle);
    has(&subject(operation, facts)) || has(&command_line(operation, facts)) || has(&state_text(operation, facts).words)
}

/// The container's name where the operation names it by id, else the asker's words.
#[must_use]
pub fn subject(operation: &Operation, facts: &Facts) -> SafeText<'static> {
    let container = operation.container.as_ref().and_then(|id| facts.container(id));
    match container {
        Some(container) => SafeText::from(container.display_name()),
        None => SafeText::from(operation.subject.clone()),
    }
}
