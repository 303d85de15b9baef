//! Which screens are there? Each folder: what it remembers, how it reacts, what it shows, how it is drawn.
//!
//! Deliberately elsewhere: what several screens share in reacting (`ui::update`), dialogs (`ui::dialogs`).

pub mod containers;
pub mod detail;
pub mod images;
pub mod operations;

/// What the main area shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    #[default]
    Containers,
    Images,
    Operations,
}

impl Screen {
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Containers => "containers",
            Self::Images => "images",
            Self::Operations => "operations",
        }
    }
}
