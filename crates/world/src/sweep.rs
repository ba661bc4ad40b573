//! Sweep files: a world, and what its runs differ in.

use crate::{source, unreadable};
use ron_places::{
    Dialect, Document, Node, Problems, Read, Report,
    read::{all, expected, read},
    shape,
    shape::Kind,
};
use std::path::{Path, PathBuf};

/// Runs of one world over values, seeds and policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// The world file.
    pub world: PathBuf,
    /// Paths into the world, each with the values that are put there, as RON.
    pub grid: Vec<(String, Vec<String>)>,
    /// Seeds as `--seeds` has them; `None` leaves that of the world.
    pub seeds: Option<String>,
    /// Policies by name or path; none leaves that of the world.
    pub policies: Vec<String>,
}

/// What sweep files are written in.
#[derive(Debug, Clone, Copy, Default)]
struct SweepText;

impl Dialect for SweepText {
    const WHOLE: &'static str = "the sweep";
    const FORM: &'static str = "a sweep is written as `(world: \"street.ron\", grid: \
                                {\"fleets.cars.count\": [50, 100]}, seeds: \"1..20\", policies: \
                                [\"smart\", \"v2g\"])`";
}

shape! {
    /// Runs of one world.
    struct SweepFile "sweep" for SweepText {
        /// The world file; its path starts at the sweep's folder.
        world: String => "\"street.ron\"",
        /// Paths into the world, each with the values to try.
        grid: Grid = Grid::default() => "none",
        /// First and last seed.
        seeds: Option<String> = None => "the world's own",
        /// Who plans.
        policies: Vec<String> = Vec::new() => "the world's own",
    }
}

/// Paths, each with the text of its values.
#[derive(Debug, Clone, Default)]
struct Grid(Vec<(String, Vec<String>)>);

impl Read<SweepText> for Grid {
    fn kind() -> Kind {
        Kind::Map(|| Kind::List(|| Kind::Any("value of the world")))
    }

    fn read(node: &Node<'_>, report: &mut Report<SweepText>) -> Option<Self> {
        let Some(Ok(entries)) = node.entries() else {
            return expected(node, report, "a map from paths to values, `{\"path\": [...]}`");
        };
        let axes = entries.iter().map(|(path, values)| {
            let Some(values) = values.items() else {
                return expected(values, report, "a list of values in `[ ]`");
            };
            Some((path.name.clone(), values.iter().map(|it| it.text.to_owned()).collect()))
        });
        all(axes).map(Self)
    }
}

/// Reads a sweep file; `None` where the file is a world itself, or no RON at all, which reading it
/// as a world tells.
///
/// # Errors
///
/// It cannot be read, or something is wrong with it.
pub fn sweep(path: &Path) -> Result<Option<Sweep>, Problems> {
    let name = path.display().to_string();
    let text = source::text(path, source::TEXT_MAX).map_err(|why| unreadable(&name, why))?;
    let document = Document::new(&name, &text);
    if !names_a_world(&document) {
        return Ok(None);
    }
    let (SweepFile { world, grid, seeds, policies }, _) = read(&document, SweepText)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    Ok(Some(Sweep { world: folder.join(world), grid: grid.0, seeds, policies }))
}

/// Whether there is a field `world`, which no world has.
fn names_a_world(document: &Document) -> bool {
    let fields = Node::root::<SweepText>(document).ok().and_then(|root| root.fields());
    fields.is_some_and(|fields| fields.iter().any(|(key, _)| key.name == "world"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Option<Sweep>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sweep.ron");
        std::fs::write(&path, text).unwrap();
        let read = sweep(&path).map_err(|problems| problems.list[0].message.clone())?;
        let within = |world: &Path| world.strip_prefix(folder.path()).map(Path::to_owned).unwrap();
        Ok(read.map(|read| Sweep { world: within(&read.world), ..read }))
    }

    #[test]
    fn a_sweep_names_its_world_and_values_are_text() {
        let text = "(world: \"a/w.ron\", grid: {\"fleets.cars.count\": [1, 20], \
                    \"sites.depot\": [(import_limit: \"5 kW\")]}, seeds: \"1..3\")";
        let axis = |path: &str, values: &[&str]| {
            (path.to_owned(), values.iter().map(|&it| it.to_owned()).collect())
        };
        let expected = Sweep {
            world: "a/w.ron".into(),
            grid: vec![
                axis("fleets.cars.count", &["1", "20"]),
                axis("sites.depot", &["(import_limit: \"5 kW\")"]),
            ],
            seeds: Some("1..3".to_owned()),
            policies: Vec::new(),
        };
        assert_eq!(of(text), Ok(Some(expected)));
    }

    #[test]
    fn a_world_is_no_sweep_and_a_wrong_sweep_is_refused() {
        assert_eq!(of("(name: \"w\", seed: 1)"), Ok(None));
        assert_eq!(of("no ron at all"), Ok(None));
        let wrong = |text: &str| of(text).unwrap_err();
        assert!(wrong("(world: \"w.ron\", grids: {})").contains("grids"));
        assert!(wrong("(world: \"w.ron\", grid: {\"a\": 1})").contains("a list of values"));
        assert!(wrong("(world: \"w.ron\", grid: [1])").contains("a map from paths"));
    }
}
