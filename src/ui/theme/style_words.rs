//! Which style do words like `black on cyan bold` stand for?
//!
//! Deliberately elsewhere: which meanings there are (`theme`).

use ratatui::style::{Color, Modifier, Style};

use super::Colour;

/// Reads a style. Without colour a background becomes reverse, so that focus stays visible.
pub(super) fn parse(text: &str, colour: Colour) -> Result<Style, String> {
    let mut style = Style::new();
    let mut words = text.split_whitespace();
    let mut has_ground = false;
    while let Some(word) = words.next() {
        if let Some(modifier) = modifier(word) {
            style = style.add_modifier(modifier);
        } else if word == "on" {
            let ground = words.next().ok_or("a colour must follow 'on'")?;
            style = style.bg(parse_colour(ground)?);
            has_ground = true;
        } else {
            let found = parse_colour(word)?;
            // The terminal's default needs no sequence of its own.
            style.fg = (found != Color::Reset).then_some(found);
        }
    }
    match colour {
        Colour::Yes => Ok(style),
        Colour::No if has_ground => Ok(Style::new().add_modifier(style.add_modifier | Modifier::REVERSED)),
        Colour::No => Ok(Style::new().add_modifier(style.add_modifier)),
    }
}

pub(super) fn reversed() -> Style {
    Style::new().add_modifier(Modifier::REVERSED)
}

fn modifier(word: &str) -> Option<Modifier> {
    Some(match word {
        "bold" => Modifier::BOLD,
        "dim" => Modifier::DIM,
        "italic" => Modifier::ITALIC,
        "underline" => Modifier::UNDERLINED,
        "reverse" => Modifier::REVERSED,
        _ => return None,
    })
}

fn parse_colour(word: &str) -> Result<Color, String> {
    if word == "default" {
        return Ok(Color::Reset);
    }
    let hex = word.strip_prefix('#').filter(|hex| hex.len() == 6);
    if let Some(value) = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()) {
        return Ok(Color::from_u32(value));
    }
    if let Ok(index) = word.parse() {
        return Ok(Color::Indexed(index));
    }
    const NAMES: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
    let (name, bright) = word.strip_prefix("bright-").map_or((word, 0), |name| (name, 8));
    let index = NAMES.iter().position(|known| *known == name).and_then(|index| u8::try_from(index).ok());
    index
        .map(|index| Color::Indexed(index + bright))
        .ok_or_else(|| format!("{word} is neither a colour nor a modifier"))
}
