//! What did drawing learn? Where things ended up, for the mouse and for scrolling.
//!
//! Deliberately elsewhere: drawing (the views), using it (`ui::update`).

use super::{geometry::Area, keymap::Action};

/// The answer of one frame. `update` keeps the last one; views never write state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Feedback {
    /// Later areas lie above earlier ones.
    pub hits: Vec<(Area, Hit)>,
    /// Rows of the list, first row shown.
    pub list: Extent,
    /// Rows of the viewer, first row shown.
    pub viewer: Extent,
    /// Columns of the viewer's text.
    pub viewer_width: u16,
    /// Where a dialog was drawn, if one was.
    pub dialog: Extent,
    /// An age on the screen will read differently after the next minute.
    pub shows_ages: bool,
    /// Something on the screen counts seconds.
    pub shows_seconds: bool,
    pub cursor: Option<(u16, u16)>,
}

/// The rows a scrolled part has on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    pub rows: u16,
    pub first: usize,
    /// All rows there are, where they were counted.
    pub total: usize,
}

/// What lies under a place on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// The rows of the list, from its top.
    List,
    /// The text of the viewer.
    Viewer,
    /// Does an action: a column heading, a tab, a hint.
    Action(Action),
    /// The nth button or field of the dialog.
    DialogItem(usize),
    /// The dialog itself: nothing below it is meant.
    Dialog,
}

impl Feedback {
    /// What is under a cell.
    #[must_use]
    pub fn at(&self, x: u16, y: u16) -> Option<(Area, Hit)> {
        self.hits.iter().rev().find(|(area, _)| area.contains(x, y)).copied()
    }
}
