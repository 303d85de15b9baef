//! How far is a pull, a push or a create? A bar for all of it and a line for each blob.
//!
//! Closing the dialog lets the operation go on. Deliberately elsewhere: all operations (`screens::operations`).

use super::{Reaction, Wish};
use crate::{
    engine::domain::{Operation, OperationId, OperationState, Transfer, TransferPhase},
    text::{SafeText, units},
    ui::{
        effect::SubmitId,
        facts::Facts,
        geometry::Area,
        input::{Key, KeyCode},
        widgets::{
            Canvas, bar,
            canvas::{put_cut, width_of},
            dialog_box,
        },
    },
};

const BAR: u16 = 24;
/// A shorter one says nothing.
const LEAST_BAR: u16 = 4;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub title: String,
    pub submit: SubmitId,
    /// Known once the engine has accepted it.
    pub operation: Option<OperationId>,
}

impl State {
    pub fn key(&mut self, key: Key, facts: &Facts) -> Reaction {
        if matches!(key.code, KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q')) {
            return Reaction::Close;
        }
        if key.code != KeyCode::Char('x') {
            return Reaction::Stay;
        }
        let running = self.find(facts).filter(|operation| operation.is_running());
        running.map_or(Reaction::Close, |operation| Reaction::Want(vec![Wish::CancelOperation(operation.id)]))
    }

    fn find<'a>(&self, facts: &'a Facts) -> Option<&'a Operation> {
        facts.inventory.operation(self.operation?).map(|operation| &**operation)
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>, facts: &Facts) {
        let theme = canvas.theme;
        let operation = self.find(facts);
        let transfers = operation.map(|operation| operation.progress.transfers.as_slice()).unwrap_or_default();
        let screen = canvas.area();
        let most = usize::from(screen.height.saturating_sub(8)).max(1);
        let listed = u16::try_from(transfers.len().min(most)).unwrap_or(0);
        let title = SafeText::from_untrusted(&self.title);
        let inner = dialog_box::draw(canvas, &title, 68, listed.saturating_add(4), theme.rule).inset(1, 0);
        canvas.feedback.shows_seconds = true;
        let Some(operation) = operation else {
            canvas.put(inner.row(0), "asking the engine", theme.dim);
            return;
        };
        draw_total(canvas, inner.row(0), operation, facts);
        put_cut(canvas, inner.row(1), &SafeText::from_untrusted(&self.step(operation, facts)), theme.dim);
        // What moves now is what a person looks for; what is done can scroll away.
        let first_open = transfers.iter().position(|transfer| !is_settled(transfer.phase)).unwrap_or(0);
        let first = first_open.min(transfers.len().saturating_sub(usize::from(listed)));
        for (row, transfer) in (2..).zip(transfers.iter().skip(first).take(usize::from(listed))) {
            draw_blob(canvas, inner.row(row), transfer);
        }
        let mut pen = canvas.pen(inner.row(listed + 3));
        if operation.is_running() {
            pen.put("esc", theme.key)
                .put(" keeps it running   ", theme.dim)
                .put("x", theme.key)
                .put(" cancels", theme.dim);
        } else {
            pen.put("esc", theme.key).put(" closes", theme.dim);
        }
    }

    fn step(&self, operation: &Operation, facts: &Facts) -> String {
        match &operation.state {
            OperationState::Queued => "waiting for an earlier operation".to_owned(),
            OperationState::Running => {
                format!("{} · {}", operation.progress.step, facts.seconds(operation.started))
            }
            OperationState::Finished { outcome: Ok(_), at } => {
                format!("done in {}", units::elapsed(at.since(operation.started)))
            }
            OperationState::Finished { outcome: Err(error), .. } => error.to_string(),
        }
    }
}

fn draw_total(canvas: &mut Canvas<'_>, area: Area, operation: &Operation, facts: &Facts) {
    let theme = canvas.theme;
    let (done, total) = operation.progress.bytes();
    let mut words = String::new();
    if total > 0 {
        let took = facts.now.since(operation.started).as_secs_f64().max(0.1);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate for reading, never negative"
        )]
        let rate = (done as f64 / took) as u64;
        let [done, total, rate] = [done, total, rate].map(units::bytes_short);
        words = format!("{done} of {total} · {rate}/s");
    }
    let mut pen = canvas.pen(area);
    pen.column(4, &bar::percent(done, total), theme.strong).gap(1);
    // The bar gives way to the numbers.
    let needed = u16::try_from(width_of(&words)).unwrap_or(u16::MAX).saturating_add(2);
    let place = Area { width: BAR.min(pen.rest().width.saturating_sub(needed)), ..pen.rest() };
    let gap = if place.width < LEAST_BAR { 0 } else { place.width + 2 };
    pen.gap(gap).put(&words, theme.text);
    if gap > 0 {
        bar::draw(canvas, place, done, total);
    }
}

fn draw_blob(canvas: &mut Canvas<'_>, area: Area, transfer: &Transfer) {
    let theme = canvas.theme;
    let style = match transfer.phase {
        TransferPhase::Done | TransferPhase::Exists | TransferPhase::Mounted => theme.good,
        TransferPhase::Failed => theme.bad,
        TransferPhase::Waiting | TransferPhase::Joined => theme.dim,
        TransferPhase::Fetching | TransferPhase::Unpacking | TransferPhase::Uploading => theme.busy,
    };
    let mut pen = canvas.pen(area);
    pen.column(8, transfer.phase.word(), style).gap(1);
    pen.column(14, &SafeText::from_untrusted(&transfer.name), theme.text).gap(1);
    pen.column_right(7, &units::bytes_short(transfer.total.max(transfer.done)), theme.dim).gap(2);
    let place = Area { width: 18.min(pen.rest().width), ..pen.rest() };
    pen.gap(20);
    let files = format!("{} files", transfer.files);
    if transfer.files > 0 && usize::from(pen.rest().width) >= files.len() {
        pen.put(&files, theme.dim);
    }
    if !is_settled(transfer.phase) && transfer.total > 0 && place.width >= LEAST_BAR {
        bar::draw(canvas, place, transfer.done, transfer.total);
    }
}

fn is_settled(phase: TransferPhase) -> bool {
    matches!(phase, TransferPhase::Done | TransferPhase::Exists | TransferPhase::Mounted)
}
