//! Numbers as large, small and odd as they come, in the place of every number of the shipped worlds.
//!
//! `VOLTIDE_EXTREMES` says how many are tried; all of them are some thousands.

use std::{fs, ops::Range, path::Path};
use voltide_world::{check, load};

const EXTREMES: [&str; 11] = [
    "0",
    "-0.0",
    "-1",
    "1e-320",
    "1e18",
    "1e308",
    "inf",
    "nan",
    "2147483648",
    "4294967295",
    "9223372036854775808",
];

/// The numbers of a text, also those with a unit, without those of names, paths, dates and comments.
fn numbers(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut line_start = 0;
    for line in text.split_inclusive('\n') {
        let code = line.split("//").next().unwrap_or("");
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let mut at = 0;
        while let Some(start) =
            code[at..].find(|c: char| c.is_ascii_digit()).map(|start| at + start)
        {
            let end =
                code[start..].find(|c| !is_number(c)).map_or(code.len(), |length| start + length);
            let before = code[..start].chars().next_back().unwrap_or(' ');
            let after = code[end..].chars().next().unwrap_or(' ');
            if " (:[\"-".contains(before) && " ,)]\n".contains(after) {
                found.push(line_start + start..line_start + end);
            }
            at = end;
        }
        line_start += line.len();
    }
    found
}

/// A folder for a world, with the folders that are beside it.
fn room(beside: &Path) -> tempfile::TempDir {
    let room = tempfile::tempdir().expect("a folder for the test");
    for entry in fs::read_dir(beside).expect("the folder is there").flatten() {
        if entry.path().is_dir() {
            let link = room.path().join(entry.file_name());
            std::os::unix::fs::symlink(entry.path(), link).expect("the folder is new");
        }
    }
    room
}

#[test]
fn an_extreme_number_anywhere_is_taken_or_refused_with_its_place() {
    let most =
        std::env::var("VOLTIDE_EXTREMES").map_or(400, |number| number.parse().expect("a number"));
    let worlds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds");
    let names = ["one-car.ron", "ten-units/day.ron", "v2g-street.ron", "paper/paper.ron"];
    let texts =
        names.map(|name| fs::read_to_string(worlds.join(name)).expect("the world is there"));
    let all: Vec<(usize, Range<usize>, &str)> = texts
        .iter()
        .enumerate()
        .flat_map(|(world, text)| numbers(text).into_iter().map(move |range| (world, range)))
        .flat_map(|(world, range)| EXTREMES.map(|extreme| (world, range.clone(), extreme)))
        .collect();
    assert!(all.len() > 1000, "only {} places", all.len());
    let rooms = names.map(|name| room(worlds.join(name).parent().expect("a world is in a folder")));
    let mut refused = 0;
    // A step that shares no factor with the number of extremes goes through all of them.
    let step = (all.len() / most).max(1) | 1;
    for (world, range, extreme) in all.into_iter().step_by(step) {
        let file = rooms[world].path().join("world.ron");
        let mut text = texts[world].clone();
        text.replace_range(range.clone(), extreme);
        fs::write(&file, &text).expect("writable");
        let what = format!("{} byte {}: {extreme}", names[world], range.start);
        // Drawing the cars of a world of many takes long; whether they fit is told before.
        let is_small = text.contains("count: 1,");
        let read = if is_small { load(&file, &[]).map(drop) } else { check(&file, &[]).map(drop) };
        if let Err(problems) = read {
            refused += 1;
            assert!(
                problems.list.iter().all(|problem| problem.place().is_some()),
                "{what}: {problems:?}"
            );
        }
    }
    assert!(refused > 50, "only {refused} were refused");
}
