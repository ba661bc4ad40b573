//! World files to scenarios, with errors that point at the text.
//!
//! [`load`] reads a world file with the data files that it names, [`rebuild`] makes the same
//! [`Scenario`] from the world's text and what was read then, opening no file. Whatever is wrong
//! comes back as [`Problems`]: all of it at once, each with its place and what would be right.
//!
//! A world is RON with quantities as strings (`"7 kW"`); `worlds/README.md`, which is written by
//! [`mod@reference`] from the types here, lists every field.

mod calendar;
mod distribution;
mod document;
mod file;
mod grid_file;
mod input;
mod node;
mod problem;
mod published;
mod read;
pub mod reference;
mod resolve;
mod sampled;
mod series;
mod sessions;
mod shape;
mod splice;
mod table;

pub use input::{FleetSessions, Inputs};
pub use problem::{Problem, Problems};
pub use published::PublishedFigure;
pub use sampled::{Sampled, read_column};

use document::Document;
use resolve::Draft;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use table::Files;
use voltide_model::scenario::Scenario;

/// A world as it was read.
#[derive(Debug, Clone)]
pub struct World {
    /// The world file.
    pub path: PathBuf,
    /// Its text with the overrides worked in; [`rebuild`] wants it back.
    pub text: String,
    /// What it says.
    pub scenario: Scenario,
    /// What others have published about it.
    pub published: Vec<PublishedFigure>,
    configs: Configs,
}

/// The policies' configs by name: verbatim text, and its byte offset in the world's text.
type Configs = BTreeMap<String, (String, usize)>;

impl World {
    /// The config of a policy: the verbatim text between its parentheses, and the text's byte offset
    /// in [`text`](Self::text).
    pub fn config_of(&self, policy: &str) -> Option<(&str, usize)> {
        self.configs.get(policy).map(|(config, offset)| (config.as_str(), *offset))
    }
}

/// Reads a world, and draws its cars.
///
/// `overrides` are `path.to.field=value`: the value is RON, and may go without quotes where the
/// field is a string (`policy=smart`, `fleets.commuters.battery.capacity=77 kWh`). A field that
/// the world leaves out is added to its struct. Names with a dot go in quotes.
///
/// # Errors
///
/// Everything that is wrong with the world, its data and the overrides.
pub fn load(path: &Path, overrides: &[String]) -> Result<World, Problems> {
    let (document, mut draft) = draft(path, overrides)?;
    let configs = std::mem::take(&mut draft.configs);
    let published = std::mem::take(&mut draft.published);
    let text = document.text.to_string();
    Ok(World { path: path.to_owned(), text, scenario: draft.draw(), published, configs })
}

/// Reads a world and its data like [`load`], but draws no cars.
///
/// # Errors
///
/// As [`load`].
pub fn check(path: &Path, overrides: &[String]) -> Result<(), Problems> {
    draft(path, overrides).map(|_| ())
}

/// Makes the scenario again from a world's text and the values that it was made of, opening no
/// file.
///
/// # Errors
///
/// Everything that is wrong with the text, or missing from the inputs.
pub fn rebuild(text: &str, mut inputs: Inputs) -> Result<Scenario, Problems> {
    let document = Document::new("the journal's world", text);
    resolve::resolve(&document, &mut inputs).map(Draft::draw)
}

fn draft(path: &Path, overrides: &[String]) -> Result<(Document, Draft), Problems> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&name, &error))?;
    let mut document = Document::new(&name, &text);
    splice::splice(&mut document, overrides)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let draft = resolve::resolve(&document, &mut Files::new(folder))?;
    Ok((document, draft))
}

fn unreadable(name: &str, error: &std::io::Error) -> Problems {
    let problem = match error.kind() {
        std::io::ErrorKind::NotFound => Problem::new(format!("there is no world file `{name}`"))
            .help("give the path of a .ron file, such as worlds/one-car.ron"),
        std::io::ErrorKind::InvalidData => Problem::new(format!("the world file `{name}` is not UTF-8 text")),
        _ => Problem::new(format!("cannot read the world file `{name}`: {error}")),
    };
    Problems { world: name.to_owned(), list: vec![problem] }
}
