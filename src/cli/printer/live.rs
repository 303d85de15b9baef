//! How is the advance of running operations shown on standard error? Bars redrawn in place on a terminal, a few
//! plain lines elsewhere.
//!
//! Deliberately elsewhere: measuring it (`engine`), writing the bytes (`printer`).

use std::{
    collections::HashMap,
    fmt::Write as _,
    time::{Duration, Instant},
};

use crate::{
    engine::domain::{OperationId, Progress, Transfer, TransferPhase, Verb},
    text::{SafeText, units},
};

/// Redraws per second are bounded: more is not seen and costs the terminal.
pub const REDRAW: Duration = Duration::from_millis(100);
/// What ends sooner leaves no trace of progress.
const PATIENCE: Duration = Duration::from_millis(250);
/// Between two plain lines about the same operation: after this when its step has changed, else after the next.
const SPARSE: Duration = Duration::from_secs(2);
const SPARSER: Duration = Duration::from_secs(10);
const BAR: usize = 24;
/// Finished layers beyond this many rows are counted instead of shown.
const ROWS: usize = 12;

/// One operation in flight.
#[derive(Debug)]
pub struct Running<'a> {
    pub operation: OperationId,
    pub verb: Verb,
    pub target: &'a str,
    pub started: Instant,
    pub progress: &'a Progress,
}

/// What is on the screen now, or was said last.
#[derive(Debug)]
pub struct LiveArea {
    redraws: bool,
    rows: usize,
    said: HashMap<OperationId, (Instant, String)>,
}

impl LiveArea {
    #[must_use]
    pub fn new(redraws: bool) -> Self {
        Self { redraws, rows: 0, said: HashMap::new() }
    }

    /// The bytes that bring the screen up to date.
    #[must_use]
    pub fn show(&mut self, operations: &[Running<'_>]) -> String {
        let shown = operations.iter().filter(|running| running.started.elapsed() >= PATIENCE);
        if !self.redraws {
            return shown.filter_map(|running| self.plain_line(running)).collect();
        }
        let columns = width_of_stderr();
        let mut lines: Vec<String> = shown.flat_map(|running| block(running)).collect();
        lines.truncate(ROWS * 2);
        let mut text = self.erase();
        for line in &lines {
            text.push_str(&SafeText::from_untrusted(line).truncate_end(columns));
            text.push('\n');
        }
        self.rows = lines.len();
        text
    }

    /// The bytes that take the drawn rows away again.
    #[must_use]
    pub fn erase(&mut self) -> String {
        let rows = std::mem::take(&mut self.rows);
        if rows == 0 { String::new() } else { format!("\x1b[{rows}A\x1b[J") }
    }

    /// A line where nothing can be redrawn: transfers only, when their step changes or now and then.
    fn plain_line(&mut self, running: &Running<'_>) -> Option<String> {
        let progress = running.progress;
        if progress.transfers.is_empty() {
            return None;
        }
        let now = Instant::now();
        let (done, total) = progress.bytes();
        if let Some((at, step)) = self.said.get(&running.operation) {
            let pause = if *step == progress.step { SPARSER } else { SPARSE };
            if now.duration_since(*at) < pause {
                return None;
            }
        }
        self.said.insert(running.operation, (now, progress.step.clone()));
        let mut line = format!("{}: {}", running.target, progress.step);
        if total > 0 {
            let amount = format!(" {} / {}", units::bytes_decimal(done), units::bytes_decimal(total));
            line.push_str(&amount);
        }
        Some(format!("{}\n", SafeText::from_untrusted(&line)))
    }
}

/// The rows of one operation: a headline, then one row per layer that still moves.
fn block(running: &Running<'_>) -> Vec<String> {
    let progress = running.progress;
    let age = units::elapsed(running.started.elapsed());
    let mut headline = format!("{} {}", running.verb.as_str(), running.target);
    if !progress.step.is_empty() {
        write!(headline, "  {}", progress.step).expect("writing to a String cannot fail");
    }
    let (done, total) = progress.bytes();
    if total > 0 {
        let amount = format!("  {} / {}", units::bytes_decimal(done), units::bytes_decimal(total));
        headline.push_str(&amount);
    }
    write!(headline, "  {age}").expect("writing to a String cannot fail");
    let (settled, moving): (Vec<_>, Vec<_>) = progress.transfers.iter().partition(|transfer| is_settled(transfer));
    let mut lines = vec![headline];
    lines.extend(moving.iter().take(ROWS).map(|transfer| row(transfer)));
    let hidden = moving.len().saturating_sub(ROWS);
    if !settled.is_empty() || hidden > 0 {
        let waiting = if hidden > 0 { format!(", {hidden} more on their way") } else { String::new() };
        lines.push(format!("  {} of {} done{waiting}", settled.len(), progress.transfers.len()));
    }
    lines
}

fn is_settled(transfer: &Transfer) -> bool {
    match transfer.phase {
        TransferPhase::Exists | TransferPhase::Mounted | TransferPhase::Done => true,
        TransferPhase::Waiting
        | TransferPhase::Joined
        | TransferPhase::Fetching
        | TransferPhase::Unpacking
        | TransferPhase::Uploading
        | TransferPhase::Failed => false,
    }
}

fn row(transfer: &Transfer) -> String {
    let total = transfer.total.max(transfer.done);
    let filled = (u128::from(transfer.done) * BAR as u128).checked_div(u128::from(total)).unwrap_or(0) as usize;
    let bar: String = "=".repeat(filled) + &" ".repeat(BAR - filled.min(BAR));
    let amount = format!("{} / {}", units::bytes_decimal(transfer.done), units::bytes_decimal(total));
    let files = if transfer.files > 0 { format!("  {} files", transfer.files) } else { String::new() };
    format!("  {:<14} {:<8} [{bar}] {amount}{files}", transfer.name, transfer.phase.word())
}

fn width_of_stderr() -> usize {
    const USUAL: usize = 80;
    #[cfg(unix)]
    return rustix::termios::tcgetwinsize(std::io::stderr())
        .map_or(USUAL, |size| if size.ws_col == 0 { USUAL } else { usize::from(size.ws_col) });
    #[cfg(not(unix))]
    USUAL
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transfer(name: &str, phase: TransferPhase, done: u64) -> Transfer {
        Transfer { name: name.to_owned(), phase, done, total: 100, files: 0 }
    }

    fn progress() -> Progress {
        Progress {
            step: "fetching".to_owned(),
            until: None,
            overdue: None,
            transfers: vec![transfer("aaa", TransferPhase::Exists, 100), transfer("bbb", TransferPhase::Fetching, 50)],
        }
    }

    fn running(progress: &Progress) -> Running<'_> {
        let started = Instant::now().checked_sub(Duration::from_secs(3)).unwrap();
        Running { operation: OperationId(1), verb: Verb::Pull, target: "alpine", started, progress }
    }

    #[test]
    fn a_terminal_sees_one_row_per_moving_layer_and_the_rest_counted() {
        let progress = progress();
        let mut area = LiveArea::new(true);
        let first = area.show(&[running(&progress)]);
        assert!(first.starts_with("pull alpine  fetching  150B / 200B  3"), "{first:?}");
        assert!(first.contains("bbb            fetch    [============            ] 50B / 100B"), "{first:?}");
        assert!(first.ends_with("  1 of 2 done\n"), "{first:?}");
        assert!(area.show(&[running(&progress)]).starts_with("\x1b[3A\x1b[J"));
        assert_eq!(area.erase(), "\x1b[3A\x1b[J");
        assert_eq!(area.erase(), "");
    }

    #[test]
    fn a_pipe_sees_a_line_now_and_then() {
        let mut progress = progress();
        let mut area = LiveArea::new(false);
        assert_eq!(area.show(&[running(&progress)]), "alpine: fetching 150B / 200B\n");
        assert_eq!(area.show(&[running(&progress)]), "");
        progress.step = "unpacking".to_owned();
        assert_eq!(area.show(&[running(&progress)]), "");
        for (at, _) in area.said.values_mut() {
            *at = at.checked_sub(SPARSE).unwrap();
        }
        assert_eq!(area.show(&[running(&progress)]), "alpine: unpacking 150B / 200B\n");
    }
}
