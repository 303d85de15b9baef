//! How does the log viewer react to lines, keys and searches?
//!
//! Deliberately elsewhere: starting and ending streams (`screens::detail::update`).

use super::{
    layout::{Layout, Position, Wrap},
    state::{Follow, State, StreamLink, Times},
};
use crate::{
    engine::domain::{LogItem, Result},
    ui::{
        cursor::Step,
        feedback::Feedback,
        search::{Direction, Needle},
    },
};

impl State {
    /// Takes a batch of the current stream.
    pub fn append(&mut self, items: Vec<LogItem>, feedback: &Feedback) {
        self.link = StreamLink::Live;
        let before = self.buffer.range();
        self.buffer.append(items);
        let after = self.buffer.range();
        if !self.search.needle.is_empty() {
            // Lines that were joined or dropped change the count in ways not worth following one by one.
            self.search.matches = if before.start == after.start {
                let added = (before.end.saturating_sub(1)..after.end).filter(|number| self.is_match(*number)).count();
                let last = usize::from(before.end > before.start && self.is_match(before.end - 1));
                (self.search.matches + added).saturating_sub(last)
            } else {
                self.search.position = self.position();
                self.count_matches()
            };
        }
        self.keep_end(feedback);
    }

    /// Nothing has come for a moment: say that it is waited for rather than show a blank pane.
    pub fn opened(&mut self) {
        if self.link == StreamLink::Loading {
            self.link = StreamLink::Live;
        }
    }

    pub fn ended(&mut self, result: Result<()>) {
        self.link = match result {
            Ok(()) => StreamLink::Ended,
            Err(error) => StreamLink::Failed(error),
        };
    }

    /// Moves through the log; going up lets go of the end, reaching it takes hold again.
    pub fn step(&mut self, step: Step, feedback: &Feedback) {
        let screen = usize::from(feedback.viewer.rows).max(1);
        let layout = self.layout(feedback);
        let last = layout.last_top(screen);
        let from = if self.follow == Follow::End { last } else { self.top };
        self.top = match step {
            Step::Up(rows) => layout.up(from, rows),
            Step::Down(rows) => layout.down(from, rows, screen),
            Step::First => Position { line: self.buffer.range().start, row: 0 },
            Step::Last => last,
        };
        self.follow = if self.top >= last { Follow::End } else { Follow::Released };
    }

    pub fn scroll_sideways(&mut self, columns: isize) {
        if self.wrap == Wrap::Off {
            self.left = self.left.saturating_add_signed(columns);
        }
    }

    pub fn toggle_wrap(&mut self) {
        self.wrap = match self.wrap {
            Wrap::On => Wrap::Off,
            Wrap::Off => Wrap::On,
        };
        self.left = 0;
        self.top.row = 0;
    }

    pub fn toggle_times(&mut self) {
        self.times = match self.times {
            Times::Shown => Times::Hidden,
            Times::Hidden => Times::Shown,
        };
        self.top.row = 0;
    }

    pub fn toggle_follow(&mut self, feedback: &Feedback) {
        match self.follow {
            Follow::End => {
                self.step(Step::Up(0), feedback);
                self.follow = Follow::Released;
            }
            Follow::Released => self.step(Step::Last, feedback),
        }
    }

    /// Searches for what is in the field and shows the last match, the one nearest to now.
    pub fn search(&mut self, feedback: &Feedback) {
        self.search.needle = Needle::new(self.search.field.text());
        self.search.matches = self.count_matches();
        self.search.current = None;
        self.search.position = None;
        if !self.search.needle.is_empty() {
            self.next_match(Direction::Back, feedback);
        }
    }

    pub fn end_search(&mut self) {
        self.search = super::state::Search::default();
    }

    /// Goes to another match, around the ends.
    pub fn next_match(&mut self, direction: Direction, feedback: &Feedback) {
        let kept = self.buffer.range();
        if self.search.needle.is_empty() || kept.is_empty() {
            return;
        }
        let start = self.search.current.unwrap_or(match direction {
            Direction::Back => kept.end,
            Direction::Forward => kept.start.wrapping_sub(1),
        });
        let found = match direction {
            Direction::Forward => {
                let after = start.wrapping_add(1).max(kept.start);
                (after..kept.end).chain(kept.start..after).find(|number| self.is_match(*number))
            }
            Direction::Back => {
                let before = start.min(kept.end).max(kept.start);
                let above = (kept.start..before).rev();
                above.chain((before..kept.end).rev()).find(|number| self.is_match(*number))
            }
        };
        if let Some(line) = found {
            self.search.current = Some(line);
            self.search.position = self.position();
            self.show_line(line, feedback);
        }
    }

    /// The text of the line that the copy key means.
    #[must_use]
    pub fn line_to_copy(&self) -> Option<String> {
        let number = self.search.current.unwrap_or(self.top.line.max(self.buffer.range().start));
        self.buffer.get(number).map(|line| line.text.to_string())
    }

    /// How the buffer is laid out on the screen that was drawn last.
    #[must_use]
    pub fn layout(&self, feedback: &Feedback) -> Layout<'_> {
        Layout { buffer: &self.buffer, width: usize::from(feedback.viewer_width), wrap: self.wrap }
    }

    fn keep_end(&mut self, feedback: &Feedback) {
        match self.follow {
            Follow::End => self.top = self.layout(feedback).last_top(usize::from(feedback.viewer.rows).max(1)),
            // The line that was read may have been dropped.
            Follow::Released => self.top = self.top.max(Position { line: self.buffer.range().start, row: 0 }),
        }
    }

    fn show_line(&mut self, line: u64, feedback: &Feedback) {
        let screen = usize::from(feedback.viewer.rows).max(1);
        let layout = self.layout(feedback);
        let last = layout.last_top(screen);
        let target = Position { line, row: 0 };
        let top = if self.follow == Follow::End { last } else { self.top };
        let rows = layout.rows_from(top, screen);
        if !rows.iter().any(|row| row.position == target) {
            self.top = layout.up(target, screen / 2).min(last);
            self.follow = if self.top >= last { Follow::End } else { Follow::Released };
        } else {
            self.top = top;
            self.follow = Follow::Released;
        }
    }

    fn is_match(&self, number: u64) -> bool {
        self.buffer.get(number).is_some_and(|line| self.search.needle.is_in(&line.text))
    }

    /// Which of the kept matches the current one is; none when it has been dropped.
    fn position(&self) -> Option<usize> {
        let (kept, current) = (self.buffer.range(), self.search.current?);
        let above = kept.start..current.saturating_add(1).min(kept.end);
        kept.contains(&current).then(|| above.filter(|number| self.is_match(*number)).count())
    }

    fn count_matches(&self) -> usize {
        if self.search.needle.is_empty() {
            return 0;
        }
        self.buffer.range().filter(|number| self.is_match(*number)).count()
    }
}

#[cfg(test)]
mod tests;
