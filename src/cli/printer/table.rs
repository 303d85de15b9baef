//! How do rows become a table that fits?
//!
//! Deliberately elsewhere: which columns a verb has (`cli::verbs`).

use crate::text::SafeText;

/// Blanks between two columns, as Docker prints them.
const GAP: usize = 3;
/// A column is not made narrower than this to fit the terminal.
const NARROWEST: usize = 8;

/// Rows under headings.
#[derive(Debug)]
pub struct Table {
    headings: Vec<Heading>,
    rows: Vec<Vec<SafeText<'static>>>,
}

/// A column's title and whether it may lose its end when the terminal is narrow.
#[derive(Clone, Copy, Debug)]
pub enum Heading {
    Whole(&'static str),
    Shrinks(&'static str),
}

impl Heading {
    fn title(self) -> &'static str {
        match self {
            Self::Whole(title) | Self::Shrinks(title) => title,
        }
    }
}

impl Table {
    #[must_use]
    pub fn new(headings: &[Heading]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// One row; outside text is made safe here.
    pub fn row<C: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(|cell| SafeText::from_untrusted(cell.as_ref()).into_owned()).collect());
    }

    /// The whole table; `columns` is the width of the terminal, if it goes to one.
    #[must_use]
    pub fn render(&self, columns: Option<usize>) -> String {
        let widths = self.widths(columns);
        let mut text = String::new();
        let titles: Vec<SafeText<'static>> =
            self.headings.iter().map(|heading| SafeText::from_untrusted(heading.title())).collect();
        for row in std::iter::once(&titles).chain(&self.rows) {
            let mut blanks = 0;
            for (cell, width) in row.iter().zip(&widths) {
                let cell = cell.truncate_end(*width);
                if !cell.is_empty() {
                    text.extend(std::iter::repeat_n(' ', blanks));
                    blanks = 0;
                    text.push_str(&cell);
                }
                blanks += width - cell.width() + GAP;
            }
            text.push('\n');
        }
        text
    }

    fn widths(&self, columns: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.headings.iter().map(|heading| heading.title().len()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        if let Some(columns) = columns {
            self.shrink(&mut widths, columns);
        }
        widths
    }

    /// Takes from the widest column that may shrink until all fit, or none is left that may.
    fn shrink(&self, widths: &mut [usize], columns: usize) {
        let gaps = GAP * self.headings.len().saturating_sub(1);
        loop {
            let total: usize = widths.iter().sum::<usize>() + gaps;
            if total <= columns {
                return;
            }
            let shrinkable = widths.iter_mut().zip(&self.headings).filter_map(|(width, heading)| match heading {
                Heading::Shrinks(title) if *width > NARROWEST.max(title.len()) => Some(width),
                Heading::Shrinks(_) | Heading::Whole(_) => None,
            });
            let Some(widest) = shrinkable.max() else { return };
            *widest -= 1;
        }
    }
}

/// Columns of the terminal on standard output, when there is one.
#[must_use]
pub fn terminal_columns() -> Option<usize> {
    #[cfg(unix)]
    {
        let stdout = std::io::stdout();
        // Not a terminal: no width to fit into.
        let size = rustix::termios::tcgetwinsize(&stdout).ok()?;
        (size.ws_col > 0).then(|| usize::from(size.ws_col))
    }
    #[cfg(not(unix))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&[Heading::Whole("ID"), Heading::Shrinks("COMMAND"), Heading::Whole("NAMES")]);
        table.row(["ab", "sleep 1000000000000", "web"]);
        table.row(["cd", "", "a-longer-name"]);
        table
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_lines_end_without_blanks() {
        assert_eq!(
            table().render(None),
            "ID   COMMAND               NAMES\n\
             ab   sleep 1000000000000   web\n\
             cd                         a-longer-name\n"
        );
    }

    #[test]
    fn a_narrow_terminal_cuts_only_columns_that_may_shrink() {
        let text = table().render(Some(34));
        assert_eq!(text.lines().nth(1), Some("ab   sleep 100000…   web"));
        assert!(text.contains("a-longer-name"), "{text}");
    }

    #[test]
    fn escape_sequences_of_strangers_arrive_visible() {
        let mut table = Table::new(&[Heading::Whole("NAME")]);
        table.row(["\x1b[2Jevil"]);
        assert_eq!(table.render(None), "NAME\n␛[2Jevil\n");
    }
}
