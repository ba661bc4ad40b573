//! What README.md shows is what the program prints.

use crate::program::{root, succeed, text, voltide};
use std::fs;

/// The lines of README.md's first block that begins with `first`, without that line.
fn shown(first: &str) -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut lines = readme.lines().skip_while(|line| *line != first).skip(1).peekable();
    assert!(lines.peek().is_some(), "README.md has no line `{first}`");
    lines.take_while(|line| *line != "```").map(str::to_owned).collect()
}

/// Holds a summary of the German week against the first thing that README.md shows; it was written to
/// another folder, and how long it took is not shown.
pub(crate) fn assert_shows_week(printed: &str) {
    let of_history = |line: &&str| !line.starts_with("outputs ") && !line.starts_with("time ");
    let shown = shown("$ cargo run --release -- run worlds/germany/week.ron");
    let shown: Vec<&str> = shown.iter().map(String::as_str).filter(of_history).collect();
    assert_eq!(printed.lines().filter(of_history).collect::<Vec<_>>(), shown);
}

#[test]
fn the_world_of_the_readme_is_fine_and_a_mistake_in_it_is_shown_as_there() {
    let folder = tempfile::tempdir().unwrap();
    let check = |world: &str| {
        fs::write(folder.path().join("street.ron"), world).unwrap();
        let mut command = voltide();
        command.current_dir(folder.path()).args(["check", "street.ron"]).output().unwrap()
    };
    let world = shown("```ron").join("\n");
    assert!(check(&world).status.success());
    let wrong = world.replace("site: \"street\"", "site: \"steet\"");
    // The frame has no room for all that the line says.
    let stays = wrong.lines().find(|line| line.contains("stays:")).unwrap();
    let wrong =
        wrong.replace(stays, "        stays: Overnight(arrive: \"17:30\", leave: \"07:00\"),");
    let said = text(&check(&wrong).stderr);
    assert!(said.contains(&shown("```text").join("\n")), "{said}");
}

/// Whether the words of `some` stand in `all` in this order.
fn is_part(some: &str, all: &str) -> bool {
    let mut all = all.split_whitespace();
    some.split_whitespace().all(|word| all.any(|other| other == word))
}

#[test]
fn the_comparison_of_the_readme_is_what_is_printed() {
    let command =
        "voltide compare worlds/paper/paper.ron --policies uncontrolled,smart,v2g --cases 1,2";
    let printed = succeed(voltide().args(command.split(' ').skip(1)));
    assert!(!printed.lines().any(names_equation), "{printed}");
    assert!(
        !printed.contains("missed"),
        "none was, so that there is nothing to explain: {printed}"
    );
    let mut lines = printed.lines();
    for row in shown(&format!("$ {command}")) {
        assert!(lines.any(|line| is_part(&row, line)), "{row}\n{printed}");
    }
}

#[test]
fn nothing_that_is_printed_speaks_of_numbers_of_equations() {
    for (file, line, words) in crate::sources::printed() {
        assert!(!names_equation(&words), "{file}:{line}: {words}");
    }
    for words in
        ["no stay was long enough (13)", "as in eq. 21", "by Equation (3)", "(13, 14)", "(15)-(35)"]
    {
        assert!(names_equation(words), "{words}");
    }
    for words in ["`Every(16)`", "a car (60 kWh)", "3 (of 4)", "an equation without a number"] {
        assert!(!names_equation(words), "{words}");
    }
}

/// Whether words have a number as papers give equations, such as `(13)` or `eq. 21`.
fn names_equation(words: &str) -> bool {
    let is_numbers = |inside: &str| {
        let all = inside.chars().all(|c| c.is_ascii_digit() || ", -a".contains(c));
        all && inside.starts_with(|c: char| c.is_ascii_digit()) && inside.len() <= 8
    };
    let bracketed = words.match_indices('(').any(|(at, _)| {
        let before = words[..at].chars().next_back();
        let inside = words[at + 1..].split_once(')').map_or("", |(inside, _)| inside);
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_') && is_numbers(inside)
    });
    let words = words.to_lowercase();
    let named = ["eq. ", "eqs. ", "equation ", "equations "].iter().any(|name| {
        words.match_indices(name).any(|(at, name)| {
            let after = words[at + name.len()..].trim_start_matches('(');
            after.starts_with(|c: char| c.is_ascii_digit())
        })
    });
    bracketed || named
}
