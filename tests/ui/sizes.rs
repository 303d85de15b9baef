//! Does any size of the terminal break the interface? From nothing to huge, and storms of changes.
//! Deliberately elsewhere: what it looks like at sensible sizes (`pictures`).

use super::{busy_host, stage};

#[tokio::test]
async fn every_size_draws_every_screen() {
    for (columns, rows) in
        [(0, 0), (1, 1), (2, 1), (1, 5), (3, 3), (7, 4), (20, 6), (39, 9), (59, 13), (200, 2), (300, 80)]
    {
        let mut stage = stage(columns, rows);
        stage.show(busy_host());
        for script in [
            "tab", "2", "3", "4", "enter", "esc", "f3", "f4", "f2", "?", "esc", "c", "esc", "p", "esc", ":", "esc",
            "ctrl-d", "esc", "/", "esc", "H", "esc",
        ] {
            stage.press(script);
        }
    }
}

#[tokio::test]
async fn a_storm_of_sizes_ends_with_the_right_picture() {
    let mut stage = stage(80, 24);
    stage.show(busy_host());
    let before = stage.styled();
    for turn in 0..200_u16 {
        stage.resize(turn * 7 % 161, turn * 13 % 51);
    }
    stage.resize(80, 24);
    assert_eq!(stage.styled(), before);
}

#[tokio::test]
async fn nothing_is_drawn_when_nothing_changed() {
    let mut stage = stage(120, 40);
    stage.show(busy_host());
    stage.show(busy_host());
    assert_eq!(stage.changed_cells(), 0);
    stage.minute_passes();
    assert_eq!(stage.changed_cells(), 0, "the clock stands still, so no age may change");
}

#[tokio::test]
async fn outside_text_never_reaches_the_screen_raw() {
    let mut stage = stage(160, 50);
    stage.show(busy_host());
    let text = stage.text();
    assert!(text.contains("\\u{20") && text.contains('␛'), "{text}");
    assert!(!text.contains('\u{202e}') && !text.contains('\u{1b}'));
}
