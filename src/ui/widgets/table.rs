//! How wide is each column of a table? Columns leave by priority when the room is short.
//!
//! Deliberately elsewhere: the rows (`screens`).

/// What a column wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub title: &'static str,
    /// Least useful width; with less room the column is left out, and so are those that leave before it.
    pub least: u16,
    /// Width it would like; the rest goes to the column that stretches.
    pub wanted: u16,
    /// 0 stays longest.
    pub priority: u8,
    pub stretch: Stretch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    No,
    /// Takes what is left, in this proportion.
    Share(u16),
}

impl Column {
    /// As its least width: the column has nothing to show, and its absence says nothing about the others.
    pub const LEFT_OUT: u16 = u16::MAX;
}

/// Blank columns between two columns.
pub const GAP: u16 = 2;

/// The width of each column, 0 for those left out; together with gaps never more than `room`.
#[must_use]
pub fn widths<const N: usize>(columns: &[Column; N], room: u16) -> [u16; N] {
    let mut kept = [false; N];
    let mut order: [usize; N] = std::array::from_fn(|index| index);
    order.sort_by_key(|index| columns.get(*index).map_or(u8::MAX, |column| column.priority));
    let mut used = 0_u16;
    for index in order {
        let Some(column) = columns.get(index) else { continue };
        if column.least == Column::LEFT_OUT {
            continue;
        }
        let gap = if used == 0 { 0 } else { GAP };
        let wanted = used.saturating_add(gap).saturating_add(column.least);
        if wanted > room {
            break;
        }
        used = wanted;
        if let Some(keep) = kept.get_mut(index) {
            *keep = true;
        }
    }
    let mut left = room.saturating_sub(used);
    let mut found = [0_u16; N];
    for ((width, column), _) in found.iter_mut().zip(columns).zip(kept).filter(|(_, kept)| *kept) {
        *width = column.least;
    }
    // One column at a time, so that scarce room is spread evenly and not taken by the first.
    loop {
        let mut given = false;
        for ((width, column), _) in found.iter_mut().zip(columns).zip(kept).filter(|(_, kept)| *kept) {
            if left > 0 && *width < column.wanted {
                *width += 1;
                left -= 1;
                given = true;
            }
        }
        if !given {
            break;
        }
    }
    let shares: u32 =
        columns.iter().zip(kept).filter(|(_, kept)| *kept).map(|(column, _)| u32::from(share(column))).sum();
    let spread = u32::from(left);
    for ((width, column), _) in found.iter_mut().zip(columns).zip(kept).filter(|(_, kept)| *kept) {
        let more = (spread * u32::from(share(column))).checked_div(shares).unwrap_or(0);
        *width += u16::try_from(more).unwrap_or(0);
    }
    found
}

fn share(column: &Column) -> u16 {
    match column.stretch {
        Stretch::No => 0,
        Stretch::Share(share) => share,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [
        Column { title: "NAME", least: 8, wanted: 16, priority: 0, stretch: Stretch::Share(1) },
        Column { title: "IMAGE", least: 10, wanted: 20, priority: 2, stretch: Stretch::Share(3) },
        Column { title: "STATUS", least: 6, wanted: 12, priority: 1, stretch: Stretch::No },
    ];

    #[test]
    fn columns_leave_by_priority_and_never_take_more_than_the_room() {
        assert_eq!(widths(&COLUMNS, 5), [0, 0, 0]);
        assert_eq!(widths(&COLUMNS, 9), [9, 0, 0]);
        assert_eq!(widths(&COLUMNS, 16), [8, 0, 6]);
        for room in 0..200 {
            let found = widths(&COLUMNS, room);
            let shown = found.iter().filter(|width| **width > 0).count();
            let gaps = u16::try_from(shown.saturating_sub(1)).unwrap() * GAP;
            assert!(found.iter().sum::<u16>() + gaps <= room, "{room}: {found:?}");
        }
    }

    #[test]
    fn a_column_never_outlives_one_that_matters_more() {
        let mut columns = COLUMNS;
        columns[2].least = 40;
        for room in 0..120 {
            let [name, image, status] = widths(&columns, room);
            assert!((name > 0 || status == 0) && (status > 0 || image == 0), "{room}: {name} {image} {status}");
        }
        columns[2].least = Column::LEFT_OUT;
        assert!(widths(&columns, 40)[1] > 0);
    }

    #[test]
    fn what_is_left_goes_to_the_columns_that_stretch() {
        let found = widths(&COLUMNS, 100);
        assert_eq!(found[2], 12);
        assert!(found[1] > found[0]);
    }
}
