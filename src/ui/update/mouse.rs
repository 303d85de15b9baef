//! What does the mouse do? Clicks choose what lies there, the wheel scrolls what it is over.
//!
//! Deliberately elsewhere: where things lie (`feedback`).

use super::{actions, visit_selection, wishes};
use crate::ui::{
    cursor::Step,
    effect::Effect,
    feedback::Hit,
    input::{Mouse, MouseKind},
    keymap::Action,
    screens::{Screen, detail::state::Tab},
    state::{Part, State},
};

/// Rows per turn of the wheel.
const WHEEL: usize = 3;

pub fn mouse(state: &mut State, mouse: Mouse, frame: u64) -> Vec<Effect> {
    let Some((area, hit)) = state.feedback.at(mouse.x, mouse.y) else { return Vec::new() };
    match mouse.kind {
        MouseKind::Press => {
            state.notice = None;
            click(state, mouse, area.y, hit, frame)
        }
        MouseKind::ScrollUp => wheel(state, hit, Step::Up(WHEEL)),
        MouseKind::ScrollDown => wheel(state, hit, Step::Down(WHEEL)),
    }
}

fn click(state: &mut State, mouse: Mouse, top: u16, hit: Hit, frame: u64) -> Vec<Effect> {
    if let Some(dialog) = state.dialogs.last_mut() {
        if let Hit::DialogItem(item) = hit {
            let reaction = dialog.click(item, frame);
            return wishes::react(state, reaction);
        }
        return Vec::new();
    }
    match hit {
        Hit::Action(action) => actions::perform(state, action),
        Hit::List => {
            let row = state.feedback.list.first + usize::from(mouse.y.saturating_sub(top));
            click_row(state, row)
        }
        Hit::Viewer => {
            state.part = Part::Detail;
            if state.screen == Screen::Containers && state.detail.tab == Tab::Inspect {
                let rows = state.viewer_rows();
                let tree = &mut state.detail.inspect;
                let index = state.feedback.viewer.first + usize::from(mouse.y.saturating_sub(top));
                if index < tree.rows.len() {
                    let again = tree.cursor.index == index;
                    tree.cursor.place(index, tree.rows.len(), rows);
                    if again {
                        tree.toggle(rows);
                    }
                }
            }
            Vec::new()
        }
        Hit::Dialog | Hit::DialogItem(_) => Vec::new(),
    }
}

/// A click selects; on the selected row it opens.
fn click_row(state: &mut State, row: usize) -> Vec<Effect> {
    if row >= state.feedback.list.total {
        return Vec::new();
    }
    let shown = state.list_rows();
    let was_here = state.part == Part::List;
    state.part = Part::List;
    let (cursor, total) = match state.screen {
        Screen::Containers => (&mut state.containers.cursor, state.containers.rows.len()),
        Screen::Images => (&mut state.images.cursor, state.images.rows.len()),
        Screen::Operations => (&mut state.operations.cursor, state.operations.rows.len()),
    };
    if cursor.index == row && was_here {
        return actions::perform(state, Action::Open);
    }
    cursor.place(row, total, shown);
    match state.screen {
        Screen::Containers => {
            state.containers.step(Step::Up(0), &state.facts, shown);
            visit_selection(state)
        }
        Screen::Images => {
            state.images.step(Step::Up(0), &state.facts, shown);
            Vec::new()
        }
        Screen::Operations => {
            state.operations.step(Step::Up(0), &state.facts, shown);
            Vec::new()
        }
    }
}

fn wheel(state: &mut State, hit: Hit, step: Step) -> Vec<Effect> {
    let (list, viewer) = (state.list_rows(), state.viewer_rows());
    if !state.dialogs.is_empty() {
        return Vec::new();
    }
    match (hit, state.screen) {
        (Hit::List, Screen::Containers) => {
            state.containers.scroll(step, &state.facts, list);
            return visit_selection(state);
        }
        (Hit::List, Screen::Images) => state.images.scroll(step, &state.facts, list),
        (Hit::List, Screen::Operations) => state.operations.scroll(step, &state.facts, list),
        (Hit::Viewer, Screen::Containers) => match state.detail.tab {
            Tab::Logs => state.detail.logs.step(step, &state.feedback),
            Tab::Inspect => state.detail.inspect.scroll(step, viewer),
            Tab::Processes => {
                let total = state.feedback.viewer.total;
                state.detail.processes_first = actions::scrolled(state.detail.processes_first, step, total, viewer);
            }
            Tab::Environment => {
                let total = state.detail.overview.lines.len();
                state.detail.overview.first = actions::scrolled(state.detail.overview.first, step, total, viewer);
            }
        },
        (Hit::Viewer, Screen::Images | Screen::Operations) | (Hit::Action(_) | Hit::Dialog | Hit::DialogItem(_), _) => {
        }
    }
    Vec::new()
}
