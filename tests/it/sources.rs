//! The words in the sources that users are shown: strings, and the comments that become help texts.

use crate::program::root;
use std::{fs, path::Path};

/// Every string of the sources but those of tests, and of the program's arguments the comments, too, which
/// are its help; each with its file and line.
pub(crate) fn printed() -> Vec<(String, usize, String)> {
    let mut found = Vec::new();
    for folder in ["crates", "plugins"] {
        let mut crates: Vec<_> =
            fs::read_dir(root().join(folder)).unwrap().map(|it| it.unwrap().path()).collect();
        crates.sort();
        for one in &crates {
            in_folder(&one.join("src"), &mut found);
        }
    }
    assert!(found.len() > 3_000, "only {} strings", found.len());
    found
}

fn in_folder(folder: &Path, found: &mut Vec<(String, usize, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            in_folder(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            in_file(&path, found);
        }
    }
}

fn in_file(path: &Path, found: &mut Vec<(String, usize, String)>) {
    let name = path.strip_prefix(root()).unwrap().display().to_string();
    let source = fs::read_to_string(path).unwrap();
    let shipped = source.split("\n#[cfg(test)]").next().unwrap();
    let is_help = name == "crates/cli/src/args.rs";
    let help =
        (1..).zip(shipped.lines()).filter(|(_, line)| is_help && line.trim().starts_with("///"));
    found.extend(help.map(|(number, line)| (name.clone(), number, line.trim().to_owned())));
    for (at, words) in strings(shipped) {
        let number = 1 + shipped[..at].matches('\n').count();
        found.push((name.clone(), number, words.to_owned()));
    }
}

/// The strings of a source, each with the byte that it begins at.
fn strings(source: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = source[at..].chars().next() {
        let rest = &source[at..];
        let raw = rest.trim_start_matches('#');
        let hashes = rest.len() - raw.len();
        at += if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if ["'\"'", "'\\\"'"].iter().any(|quote| rest.starts_with(quote)) {
            rest[1..].find('\'').unwrap() + 2
        } else if raw.starts_with('"') && (hashes > 0 || first == '"') {
            let inside = &raw[1..];
            let end = if source[..at].ends_with('r') {
                inside.find(&format!("\"{}", "#".repeat(hashes))).unwrap()
            } else {
                end_of_string(inside)
            };
            found.push((at, &inside[..end]));
            hashes + 1 + end + 1
        } else {
            first.len_utf8()
        };
    }
    found
}

/// Where a string ends that is not raw.
fn end_of_string(inside: &str) -> usize {
    let mut escaped = false;
    let end = inside.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.unwrap()
}

#[test]
fn strings_of_a_source_are_found_and_nothing_else() {
    let source = "a(\"one \\\" two\"); // \"no\"\nlet c = '\"'; r#\"three \"quoted\"\"#; r\"four\\\"; #[doc = \"five\"]";
    let found: Vec<&str> = strings(source).into_iter().map(|(_, words)| words).collect();
    assert_eq!(found, ["one \\\" two", "three \"quoted\"", "four\\", "five"]);
}
