//! How are key presses written in a test? `p,127.0.0.1:5000/bb:1,enter`: parts between commas, each the name of
//! a key or text to type.
//! Deliberately elsewhere: sending them (`screen.rs`).

/// The bytes a terminal sends for `script`, one item per key press.
///
/// Names: `enter esc tab backtab space comma up down left right pageup pagedown home end backspace delete
/// f1`..`f12 ctrl-X alt-X`. Anything else is typed letter by letter; `'enter'` types the word.
pub fn presses(script: &str) -> Vec<Vec<u8>> {
    script.split(',').filter(|part| !part.is_empty()).flat_map(part_presses).collect()
}

fn part_presses(part: &str) -> Vec<Vec<u8>> {
    if let Some(word) = part.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return typed(word);
    }
    named(part).map_or_else(|| typed(part), |bytes| vec![bytes])
}

fn typed(text: &str) -> Vec<Vec<u8>> {
    text.chars().map(|letter| letter.to_string().into_bytes()).collect()
}

fn named(name: &str) -> Option<Vec<u8>> {
    let sequence = match name {
        "enter" => "\r",
        "esc" => "\x1b",
        "tab" => "\t",
        "backtab" => "\x1b[Z",
        "space" => " ",
        "comma" => ",",
        "up" => "\x1b[A",
        "down" => "\x1b[B",
        "right" => "\x1b[C",
        "left" => "\x1b[D",
        "pageup" => "\x1b[5~",
        "pagedown" => "\x1b[6~",
        "home" => "\x1b[H",
        "end" => "\x1b[F",
        "backspace" => "\x7f",
        "delete" => "\x1b[3~",
        _ => return function_key(name).or_else(|| with_modifier(name)),
    };
    Some(sequence.as_bytes().to_vec())
}

/// xterm's sequences, which have gaps for historical reasons.
fn function_key(name: &str) -> Option<Vec<u8>> {
    const SEQUENCES: [&str; 12] = [
        "\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~", "\x1b[17~", "\x1b[18~", "\x1b[19~", "\x1b[20~", "\x1b[21~",
        "\x1b[23~", "\x1b[24~",
    ];
    let number: usize = name.strip_prefix('f')?.parse().ok()?;
    SEQUENCES.get(number.checked_sub(1)?).map(|sequence| sequence.as_bytes().to_vec())
}

fn with_modifier(name: &str) -> Option<Vec<u8>> {
    let (modifier, key) = name.split_once('-')?;
    let mut letters = key.chars();
    let (letter, None) = (letters.next()?, letters.next()) else { return None };
    match modifier {
        "ctrl" if letter.is_ascii() => Some(vec![u8::try_from(letter).ok()?.to_ascii_uppercase() & 0x1f]),
        "alt" => Some(format!("\x1b{letter}").into_bytes()),
        _ => None,
    }
}
