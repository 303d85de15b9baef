//! Which rows does a document have, given what is unfolded?
//!
//! Deliberately elsewhere: moving among them (`state`), drawing them (`view`).

use std::collections::HashSet;

use serde_json::Value;

use crate::{
    text::SafeText,
    ui::screens::detail::secrets::{Secrets, is_secret},
};

/// The way to a node, from the root: positions in objects and arrays.
pub type Path = Vec<usize>;

/// One line of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub path: Path,
    /// The key, or the index in an array.
    pub key: String,
    pub value: Shown,
}

/// What stands behind the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    Folded(String),
    Unfolded,
    Text(String),
    /// A variable whose value looks like a secret.
    Secret {
        variable: String,
        value: String,
    },
    Number(String),
    /// true, false, null and empty containers.
    Word(String),
}

impl Row {
    /// What a notice may say of the value: a text as it is, unless it is hidden or has parts.
    #[must_use]
    pub fn named(&self, secrets: Secrets) -> String {
        match &self.value {
            Shown::Text(text) | Shown::Number(text) | Shown::Word(text) => text.clone(),
            Shown::Secret { variable, .. } if secrets == Secrets::Hidden => format!("{variable}=…"),
            Shown::Secret { variable, value } => format!("{variable}={value}"),
            Shown::Folded(_) | Shown::Unfolded => self.key.clone(),
        }
    }
}

/// Rows of every unfolded part of `document`, in order.
#[must_use]
pub fn rows(document: &Value, unfolded: &HashSet<Path>) -> Vec<Row> {
    let mut rows = Vec::new();
    visit("", document, &mut Vec::new(), unfolded, &mut rows);
    rows
}

/// Every node that has children.
#[must_use]
pub fn branches(document: &Value) -> HashSet<Path> {
    let mut found = HashSet::new();
    collect(document, &mut Vec::new(), &mut found);
    found
}

/// Paths of the nodes whose key or value satisfies `wanted`, in document order.
#[must_use]
pub fn find(document: &Value, wanted: &dyn Fn(&str) -> bool) -> Vec<Path> {
    let mut found = Vec::new();
    search(document, &mut Vec::new(), wanted, &mut found);
    found
}

/// The node at the end of a path.
#[must_use]
pub fn node<'a>(document: &'a Value, path: &[usize]) -> Option<&'a Value> {
    path.iter().try_fold(document, |value, index| children(value).nth(*index).map(|(_, child)| child))
}

/// `name` is the key of `value`.
fn visit(name: &str, value: &Value, path: &mut Path, unfolded: &HashSet<Path>, rows: &mut Vec<Row>) {
    for (index, (key, child)) in children(value).enumerate() {
        path.push(index);
        let open = unfolded.contains(path);
        let value = secret(name, child).unwrap_or_else(|| shown(child, open));
        rows.push(Row { path: path.clone(), key: SafeText::from_untrusted(&key).into_owned().into(), value });
        if open {
            visit(&key, child, path, unfolded, rows);
        }
        path.pop();
    }
}

fn collect(value: &Value, path: &mut Path, found: &mut HashSet<Path>) {
    for (index, (_, child)) in children(value).enumerate() {
        path.push(index);
        if children(child).next().is_some() {
            found.insert(path.clone());
            collect(child, path, found);
        }
        path.pop();
    }
}

fn search(value: &Value, path: &mut Path, wanted: &dyn Fn(&str) -> bool, found: &mut Vec<Path>) {
    for (index, (key, child)) in children(value).enumerate() {
        path.push(index);
        let leaf = match child {
            Value::String(text) => wanted(text),
            Value::Number(number) => wanted(&number.to_string()),
            Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => false,
        };
        if leaf || wanted(&key) {
            found.push(path.clone());
        }
        search(child, path, wanted, found);
        path.pop();
    }
}

fn children(value: &Value) -> Box<dyn Iterator<Item = (String, &Value)> + '_> {
    match value {
        Value::Object(map) => Box::new(map.iter().map(|(key, child)| (key.clone(), child))),
        Value::Array(items) => Box::new(items.iter().enumerate().map(|(index, child)| (index.to_string(), child))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Box::new(std::iter::empty()),
    }
}

/// An item of a list of variables whose value is not for everybody's eyes.
fn secret(list: &str, item: &Value) -> Option<Shown> {
    let (variable, value) = item.as_str().filter(|_| list == "Env")?.split_once('=')?;
    let safe = |text: &str| SafeText::from_untrusted(text).into_owned().into();
    is_secret(variable).then(|| Shown::Secret { variable: safe(variable), value: safe(value) })
}

fn shown(value: &Value, open: bool) -> Shown {
    match value {
        Value::Object(map) if map.is_empty() => Shown::Word("{}".to_owned()),
        Value::Array(items) if items.is_empty() => Shown::Word("[]".to_owned()),
        Value::Object(_) | Value::Array(_) if open => Shown::Unfolded,
        Value::Object(map) => Shown::Folded(count(map.len(), "key")),
        Value::Array(items) => Shown::Folded(count(items.len(), "item")),
        Value::String(text) => Shown::Text(SafeText::from_untrusted(text).into_owned().into()),
        Value::Number(number) => Shown::Number(number.to_string()),
        Value::Bool(_) | Value::Null => Shown::Word(value.to_string()),
    }
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_unfolded_parts_have_rows() {
        let document = json!({"a": {"b": 1, "c": []}, "d": "x\u{1b}[2J"});
        let folded = rows(&document, &HashSet::new());
        assert_eq!(folded.len(), 2);
        assert_eq!(folded[0].value, Shown::Folded("2 keys".to_owned()));
        assert_eq!(folded[1].value, Shown::Text("x␛[2J".to_owned()));
        assert_eq!(rows(&document, &branches(&document)).len(), 4);
    }

    #[test]
    fn values_of_variables_that_look_like_secrets_are_told_apart() {
        let document = json!({"Config": {"Env": ["PATH=/bin", "DB_PASSWORD=hunter2"], "Token": "A=b"}});
        let rows = rows(&document, &branches(&document));
        let secret = Shown::Secret { variable: "DB_PASSWORD".to_owned(), value: "hunter2".to_owned() };
        assert_eq!(rows[3].value, secret);
        assert!(rows.iter().filter(|row| matches!(row.value, Shown::Secret { .. })).count() == 1);
    }

    #[test]
    fn a_search_sees_folded_parts_too() {
        let document = json!({"Config": {"Env": ["A=1", "TOKEN=2"]}, "Name": "token"});
        let found = find(&document, &|text| text.to_lowercase().contains("token"));
        assert_eq!(found, [vec![0, 0, 1], vec![1]]);
        assert_eq!(node(&document, &found[0]), Some(&json!("TOKEN=2")));
        assert_eq!(node(&document, &[7]), None);
    }
}
