//! How is the detail drawn? A rule with the name and the tabs, and the tab below it.
//!
//! Deliberately elsewhere: each tab's body.

use super::{
    logs::{
        self,
        layout::Wrap,
        state::{Follow, Since, StreamLink, Times},
    },
    overview, processes,
    state::{State, Tab},
    tree,
};
use crate::{
    text::SafeText,
    ui::{
        facts::Facts,
        feedback::Hit,
        focus::Focus,
        geometry::Area,
        keymap::Action,
        widgets::{Canvas, canvas::width_of},
    },
};

pub fn draw(canvas: &mut Canvas<'_>, area: Area, state: &State, facts: &Facts, focus: Focus) {
    let (heading, body) = area.split_top(1);
    let container = state.target.as_ref().and_then(|id| facts.container(id));
    let Some(container) = container else {
        canvas.rule(heading);
        return;
    };
    let name = container.display_name();
    draw_heading(canvas, heading, state, &name, focus);
    match state.tab {
        Tab::Logs => logs::view::draw(canvas, body, &state.logs, container),
        Tab::Inspect => tree::view::draw(canvas, body, &state.inspect, state.secrets, focus),
        Tab::Processes if !container.status().has_process() => {
            let dim = canvas.theme.dim;
            canvas.put_centred(body.row(body.height / 3), "It is not running.", dim);
        }
        Tab::Processes => processes::draw(canvas, body, &state.processes, state.processes_first),
        Tab::Environment => overview::draw(canvas, body, &state.overview, state.secrets),
    }
}

fn draw_heading(canvas: &mut Canvas<'_>, area: Area, state: &State, name: &str, focus: Focus) {
    let theme = canvas.theme;
    canvas.rule(area);
    let words = status_words(state, theme.glyphs);
    let whole = |tab: &Tab| tab.title();
    // Where there is no room for every name, the others keep their digit.
    let short = |tab: &Tab| if *tab == state.tab { tab.title() } else { tab.title().get(..1).unwrap_or_default() };
    let width = |title: &dyn Fn(&Tab) -> &'static str| -> u16 {
        Tab::ALL.iter().map(|tab| u16::try_from(title(tab).len() + 2).unwrap_or(0)).sum()
    };
    let wanted = u16::try_from(width_of(name).min(16)).unwrap_or(16);
    let is_wide = width(&whole) + wanted + 6 <= area.width;
    let title = |tab: &Tab| if is_wide { whole(tab) } else { short(tab) };
    let tabs = width(&title);
    let room = area.width.saturating_sub(tabs + 8).max(6).min(area.width / 2);
    let name = SafeText::from_untrusted(name);
    let name = name.truncate_end(usize::from(room));
    let name_style = match focus {
        Focus::Here => theme.selected,
        Focus::Elsewhere => theme.strong,
    };
    let mut pen = canvas.pen(area);
    pen.gap(2).put(" ", name_style).put(&name, name_style).put(" ", name_style).put(" ", theme.text);
    for tab in Tab::ALL {
        let style = if tab == state.tab { theme.accent } else { theme.dim };
        let action = match tab {
            Tab::Logs => Action::Tab1,
            Tab::Inspect => Action::Tab2,
            Tab::Processes => Action::Tab3,
            Tab::Environment => Action::Tab4,
        };
        pen.put(" ", theme.text).button(title(&tab), style, Hit::Action(action)).put(" ", theme.text);
    }
    let rest = pen.rest();
    // As much as there is room for, the first words first.
    for count in (1..=words.len()).rev() {
        let text = words.get(..count).unwrap_or_default().join(" · ");
        let width = u16::try_from(width_of(&text)).unwrap_or(u16::MAX).saturating_add(2);
        if rest.width > width.saturating_add(2) {
            let place = Area { x: rest.right() - width - 2, width, ..rest };
            canvas.put(place, &format!(" {text} "), theme.dim);
            break;
        }
    }
}

/// What the tab is doing, at the right of the heading.
fn status_words(state: &State, glyphs: &crate::ui::theme::Glyphs) -> Vec<String> {
    match state.tab {
        Tab::Logs => {
            let logs = &state.logs;
            let kept = logs.buffer.range();
            let lines = kept.end - kept.start;
            let mut words = Vec::new();
            if !logs.search.needle.is_empty() {
                words.push(matches(logs.search.position, logs.search.matches));
            }
            words.push(match (&logs.link, logs.follow) {
                (StreamLink::Loading | StreamLink::Live, Follow::End) => format!("follow {}", glyphs.on),
                (StreamLink::Ended, _) => "ended".to_owned(),
                (StreamLink::Loading | StreamLink::Live | StreamLink::Idle | StreamLink::Failed(_), _) => {
                    format!("follow {}", glyphs.off)
                }
            });
            match lines {
                0 => {}
                1 => words.push("1 line".to_owned()),
                lines => words.push(format!("{} lines", grouped(lines))),
            }
            if logs.buffer.dropped() > 0 {
                words.push(format!("{} older dropped", grouped(logs.buffer.dropped())));
            }
            if logs.since != Since::Tail {
                words.push(logs.since.words());
            }
            words.push(match logs.wrap {
                Wrap::On => format!("wrap {}", glyphs.on),
                Wrap::Off => format!("wrap {}", glyphs.off),
            });
            if logs.times == Times::Shown {
                words.push("times".to_owned());
            }
            words
        }
        Tab::Inspect if !state.inspect.needle.is_empty() => {
            vec![matches(state.inspect.match_number(), state.inspect.matches.len())]
        }
        Tab::Inspect | Tab::Processes | Tab::Environment => Vec::new(),
    }
}

/// How many there are, and which of them is the current one.
fn matches(current: Option<usize>, count: usize) -> String {
    let number = |count: usize| grouped(u64::try_from(count).unwrap_or(u64::MAX));
    match (current, count) {
        (_, 1) => "1 match".to_owned(),
        (Some(current), count) => format!("{}/{} matches", number(current), number(count)),
        (None, count) => format!("{} matches", number(count)),
    }
}

/// `1,204`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
