//! What of a world's text names its runs: all of it, with the policies' configs as they are read.
//!
//! `(a: 0.5)` and `(a:0.50)` say the same to a policy, and so do a name and a path to the policy
//! itself: the values of `policy` and `fallback` are left out, for whoever loads them knows what
//! they are.

use crate::dialect::WorldText;
use ron_places::{Document, Key, Node};

/// The text of a world without its choice of policies, and then the configs of all policies in one
/// spelling, by name.
pub(crate) fn identity(document: &Document) -> String {
    let Some(root) = Node::root::<WorldText>(document).ok().and_then(|root| root.fields()) else {
        // A text that is no struct has no policies to leave out.
        return document.text.to_string();
    };
    let mut text = document.text.to_string();
    // From the last one on, so that places before it stay where they are.
    for (_, node) in root.iter().rev().filter(|(key, _)| is_of_policies(key)) {
        text.replace_range(node.place.start..node.place.end, "");
    }
    let configs = root.iter().filter(|(key, _)| key.name == "policies");
    let spelt: Vec<String> = configs.map(|(_, configs)| spelling(configs)).collect();
    format!("{text}\n{}", spelt.join("\n"))
}

fn is_of_policies(key: &Key) -> bool {
    ["policy", "policies", "fallback"].contains(&key.name.as_str())
}

/// One spelling for all that are read alike: without white space, comments and commas at the end,
/// with fields and names in order, and with one form for a number. What is none of these stays as
/// it is.
fn spelling(node: &Node<'_>) -> String {
    if let Some(items) = node.items() {
        let items: Vec<String> = items.iter().map(spelling).collect();
        return format!("[{}]", items.join(","));
    }
    if let Some(Ok(entries)) = node.entries() {
        return format!("{{{}}}", in_order(&entries));
    }
    let (variant, _) = node.variant();
    if let Some(fields) = node.fields() {
        return format!("{variant}({})", in_order(&fields));
    }
    if let Some(inner) = node.newtype() {
        return format!("{variant}({})", spelling(&inner));
    }
    scalar(node)
}

fn in_order(named: &[(Key, Node<'_>)]) -> String {
    let mut spelt: Vec<String> =
        named.iter().map(|(key, node)| format!("{:?}:{}", key.name, spelling(node))).collect();
    spelt.sort();
    spelt.join(",")
}

fn scalar(node: &Node<'_>) -> String {
    if let Ok(text) = node.parse::<String>() {
        return format!("{text:?}");
    }
    // Beyond 2^53 whole numbers are not all floats.
    if let Ok(whole) = node.parse::<i64>() {
        return whole.to_string();
    }
    match node.parse::<f64>() {
        Ok(number) if is_whole(number) => (number as i64).to_string(),
        Ok(number) => format!("{number:?}"),
        Err(_) => node.text.to_owned(),
    }
}

/// Whether a number is that of a whole one, which negative zero is not.
fn is_whole(number: f64) -> bool {
    // 2^53 is a little more.
    number.abs() < 9e15 && number.to_bits() == (number as i64 as f64).to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        identity(&Document::new("w", text))
    }

    fn configured(config: &str) -> String {
        of(&format!("(name: \"w\", policy: \"p\", policies: {{\"p\": {config}}}, seed: 1)"))
    }

    #[test]
    fn configs_that_are_read_alike_are_one() {
        let alike = |one: &str, other: &str| assert_eq!(configured(one), configured(other));
        alike("(a: 0.5)", "(a:0.50)");
        alike("(a: 1, b: [\"x\", Off],)", "( /* b first */ b: [ \"x\",Off ], a: 1.0 )");
        alike(
            "(a: Some(5e-1), m: {\"k\": (), \"j\": 1_000})",
            "(m: {\"j\": 1000, \"k\": ()}, a: Some(0.5))",
        );
        let differ = |one: &str, other: &str| assert_ne!(configured(one), configured(other));
        differ("(a: 0.5)", "(a: 0.25)");
        differ("(a: 0.5)", "(b: 0.5)");
        differ("(a: 0.0)", "(a: -0.0)");
        differ("(a: \"1\")", "(a: 1)");
        differ("(a: [1, 2])", "(a: [2, 1])");
        differ("(a: 9007199254740993)", "(a: 9007199254740992)");
        differ("(a: Off)", "(a: Off(1))");
        differ("()", "(a: 1)");
    }

    #[test]
    fn the_order_of_policies_does_not_matter_and_their_names_do() {
        let with = |policies: &str| of(&format!("(policies: {policies}, seed: 1)"));
        assert_eq!(with("{\"p\": (), \"q\": (a: 1)}"), with("{\"q\":(a:1),\"p\":()}"));
        assert_ne!(with("{\"p\": (a: 1)}"), with("{\"q\": (a: 1)}"));
    }

    #[test]
    fn how_policies_are_named_does_not_matter_and_all_else_does() {
        let world = |policy: &str, seed: u32| {
            of(&format!("(policy: \"{policy}\", fallback: \"{policy}\", seed: {seed})"))
        };
        assert_eq!(world("p", 1), world("./p.so", 1));
        assert_ne!(world("p", 1), world("p", 2));
    }
}
