//! `manifest.json`: what lies in a run folder, as a Frictionless Data Package (version 2).
//!
//! It is written last and removed first, so that a folder with a manifest is whole. `rows`,
//! `unit`, `sign` and the fields about the run are additions that the standard allows.

use crate::{
    column::Table,
    error::TelemetryError,
    file::{Place, sha256_of, write_hidden},
    named::NamedColumn,
    selection::Options,
    summary::RunStatus,
    table::TABLES,
    table_file::{VERSION, WrittenFile},
};
use serde::{Deserialize, Serialize, de::Error};
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    path::{Component, Path},
};
use voltide_journal::{event::RunStarted, plain};

/// Name of the manifest in a run folder.
pub(crate) const FILE: &str = "manifest.json";
/// Name of the world file in a run folder.
pub(crate) const WORLD: &str = "world.ron";

/// What lies in a run folder.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    #[serde(rename = "$schema")]
    schema: String,
    name: String,
    title: String,
    world: String,
    policy: String,
    seed: u64,
    config_hash: String,
    /// The chain hash that the log has after the last tick in the tables; 0.1.0 did not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    chain_hash: Option<String>,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    error: Option<String>,
    /// Version of voltide that made the tables; 0.1.0 did not say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    voltide: Option<String>,
    pub(crate) ev_ticks: String,
    currency: String,
    resources: Vec<Resource>,
    /// SHA-256 of this file as it is with an empty text here.
    #[serde(default)]
    hash: String,
}

/// One file.
#[derive(Debug, Serialize, Deserialize)]
struct Resource {
    name: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    r#type: Option<String>,
    format: String,
    mediatype: String,
    bytes: u64,
    hash: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    schema: Option<TableSchema>,
}

impl Resource {
    /// Whether it is of single cars or chargers.
    fn is_detail(&self) -> bool {
        self.path.starts_with("ev_ticks-") || self.path == "charger_ticks.parquet"
    }
}

/// The columns of a table.
#[derive(Debug, Serialize, Deserialize)]
struct TableSchema {
    #[serde(rename = "$schema")]
    schema: String,
    fields: Vec<FieldSchema>,
    #[serde(rename = "primaryKey", skip_serializing_if = "Vec::is_empty", default)]
    primary_key: Vec<String>,
}

/// One column.
#[derive(Debug, Serialize, Deserialize)]
struct FieldSchema {
    name: String,
    r#type: String,
    description: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    unit: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    sign: String,
}

impl Manifest {
    /// The manifest of a run without its files.
    pub(crate) fn new(
        (started, chain_hash): (&RunStarted, &str),
        status: &RunStatus,
        currency: &str,
        ev_ticks: String,
    ) -> Self {
        Self {
            schema: "https://datapackage.org/profiles/2.0/datapackage.json".into(),
            name: package_name(&started.world),
            title: format!("{} planned by {}", started.world, started.policy),
            world: started.world.clone(),
            policy: started.policy.clone(),
            seed: started.seed,
            config_hash: started.config_hash.clone(),
            chain_hash: Some(chain_hash.into()),
            status: status.name().into(),
            error: status.error().map(Into::into),
            voltide: Some(VERSION.into()),
            ev_ticks,
            currency: currency.into(),
            resources: Vec::new(),
            hash: String::new(),
        }
    }

    /// Reads the manifest of `folder`; `None` where there is none.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, TelemetryError> {
        let path = folder.join(FILE);
        let text = match plain::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(TelemetryError::file("read", path)(error)),
        };
        let manifest = serde_json::from_slice(&text).and_then(Self::of_its_folder);
        manifest.map(Some).map_err(|source| TelemetryError::Manifest { path, source })
    }

    /// Refuses names that lead out of the manifest's folder.
    fn of_its_folder(self) -> Result<Self, serde_json::Error> {
        let is_inside =
            |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
        // A folder may come from anywhere, and files that its manifest names are read and removed.
        match self.resources.iter().find(|resource| !is_inside(Path::new(&resource.path))) {
            Some(resource) => {
                Err(Error::custom(format!("`{}` is no file beside it", resource.path)))
            }
            None => Ok(self),
        }
    }

    /// Adds a table's file.
    pub(crate) fn add_table(&mut self, file: &WrittenFile) {
        self.resources.push(Resource {
            name: file.name().trim_end_matches(".parquet").into(),
            path: file.name().into(),
            r#type: Some("table".into()),
            format: "parquet".into(),
            mediatype: "application/vnd.apache.parquet".into(),
            bytes: file.bytes,
            hash: format!("sha256:{}", file.sha256),
            rows: Some(file.rows),
            schema: Some(table_schema(file.table, &file.more)),
        });
    }

    /// Adds the world file and all tables.
    pub(crate) fn add_all(&mut self, files: &[WrittenFile], world_text: &str) {
        self.resources.push(Resource {
            name: "world".into(),
            path: WORLD.into(),
            r#type: None,
            format: "ron".into(),
            mediatype: "text/plain".into(),
            bytes: world_text.len() as u64,
            hash: format!("sha256:{}", hex::encode(Sha256::digest(world_text))),
            rows: None,
            schema: None,
        });
        for file in files {
            self.add_table(file);
        }
    }

    /// Whether there is a file of this name.
    pub(crate) fn names(&self, file: &str) -> bool {
        self.resources.iter().any(|resource| resource.path == file)
    }

    /// Takes out the files of single cars and chargers, and returns their names.
    pub(crate) fn remove_detail(&mut self) -> Vec<String> {
        self.resources.extract_if(.., |it| it.is_detail()).map(|resource| resource.path).collect()
    }

    /// Writes the manifest into `folder`, whole or not at all.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), TelemetryError> {
        write_hidden(&Place::folder(folder), FILE, &self.text())?.publish()
    }

    /// The file's content, with its own hash as the last field.
    fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("a manifest always has JSON");
        // The last field: files have hashes, too. It is that of the text in which it is empty,
        // since no text holds its own.
        let begin = &text[..text.rfind("\"hash\"").unwrap_or(text.len())];
        let with = |hash: &str| format!("{begin}\"hash\": \"{hash}\"\n}}\n");
        with(&format!("sha256:{}", hex::encode(Sha256::digest(with("")))))
    }
}

/// What came of setting tables that were made again beside those of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Beside {
    /// Files that were read and compared, the manifest among them.
    pub files: usize,
    /// Names of those that differ, or that one of the two does not have.
    pub differing: Vec<String>,
}

impl Manifest {
    /// Reads the files of `run` and compares them with those that this manifest names, and itself.
    pub(crate) fn beside(&self, run: &Path) -> Result<Beside, TelemetryError> {
        let mut beside =
            Beside { files: self.resources.len() + 1, differing: self.differing(run)? };
        let own = hex::encode(Sha256::digest(self.text()));
        if sha256_of(&run.join(FILE))? != Some(own) {
            beside.differing.push(FILE.to_owned());
        }
        beside.differing.extend(table_files(run).into_iter().filter(|file| !self.names(file)));
        Ok(beside)
    }

    /// The files that are not in `folder` with the content that they have here.
    fn differing(&self, folder: &Path) -> Result<Vec<String>, TelemetryError> {
        let mut differing = Vec::new();
        for Resource { path, hash, .. } in &self.resources {
            let found = sha256_of(&folder.join(path))?;
            if found.is_none_or(|found| format!("sha256:{found}") != *hash) {
                differing.push(path.clone());
            }
        }
        Ok(differing)
    }
}

/// What a manifest says of the tables beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Version of voltide that made them; `None` for 0.1.0.
    pub version: Option<String>,
    /// Files that it names.
    pub files: usize,
    /// Hash of the run's configuration.
    pub config_hash: String,
    /// The chain hash that the log has after the last tick in the tables; `None` for 0.1.0.
    pub chain_hash: Option<String>,
    /// How the run ended: "finished", "interrupted" or "failed".
    pub status: String,
    ev_ticks: String,
}

impl Described {
    /// Whether this version made the tables.
    pub fn is_of_this_version(&self) -> bool {
        self.version.as_deref() == Some(VERSION)
    }

    /// What makes tables of the same detail again; `None` where the manifest's words for it are not
    /// known.
    pub fn options(&self) -> Option<Options> {
        Options::of_level_name(&self.ev_ticks)
    }
}

/// What the manifest of a run says of its tables; `None` where there is none.
///
/// # Errors
/// It is there, and is no manifest.
pub fn described(run: &Path) -> Result<Option<Described>, TelemetryError> {
    let described = |manifest: Manifest| Described {
        version: manifest.voltide,
        files: manifest.resources.len() + 1,
        config_hash: manifest.config_hash,
        chain_hash: manifest.chain_hash,
        status: manifest.status,
        ev_ticks: manifest.ev_ticks,
    };
    Ok(Manifest::read(run)?.map(described))
}

/// The files of a run's own that lie in `folder` under their names: its tables and its world.
pub(crate) fn table_files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let is_table = |name: &str| TABLES.iter().any(|table| matches(name, &table.glob()));
    let mut names: Vec<String> = names.filter(|name| name == WORLD || is_table(name)).collect();
    // A folder lists its files in no order.
    names.sort();
    names
}

/// Whether tables of a run lie in `folder` without a manifest.
pub fn lacks_manifest(folder: &Path) -> bool {
    // A link counts as there: whoever reads it is refused.
    let has_manifest = fs::symlink_metadata(folder.join(FILE)).is_ok();
    !has_manifest && table_files(folder).iter().any(|name| name != WORLD)
}

/// Whether a name fits a glob with at most one star.
fn matches(name: &str, glob: &str) -> bool {
    match glob.split_once('*') {
        None => name == glob,
        Some((begin, end)) => name.strip_prefix(begin).is_some_and(|rest| rest.ends_with(end)),
    }
}

/// The files of a run that are not as its manifest says, by name; `None` where there is no
/// manifest, so that nothing can be said.
///
/// # Errors
/// The manifest is none, or a file is there and cannot be read.
pub fn damaged_files(folder: &Path) -> Result<Option<Vec<String>>, TelemetryError> {
    let Some(manifest) = Manifest::read(folder)? else { return Ok(None) };
    let mut damaged = Vec::new();
    let path = folder.join(FILE);
    // As it would be written: that holds its own hash, too, against all else in it.
    if plain::read_text(&path).map_err(TelemetryError::file("read", path))? != manifest.text() {
        damaged.push(FILE.to_owned());
    }
    damaged.extend(manifest.differing(folder)?);
    Ok(Some(damaged))
}

/// Package names are lower case without blanks.
fn package_name(world: &str) -> String {
    world.to_lowercase().chars().map(|c| if is_safe(c) { c } else { '-' }).collect()
}

/// Whether a package's name may have this letter.
fn is_safe(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._".contains(c)
}

fn table_schema(table: &Table, more: &[NamedColumn]) -> TableSchema {
    let fields = table.columns.iter().map(|column| FieldSchema {
        name: column.name.into(),
        r#type: column.kind.frictionless().into(),
        description: column.description.into(),
        unit: column.unit.into(),
        sign: column.sign.into(),
    });
    let more = more.iter().map(|column| FieldSchema {
        name: column.name.clone(),
        r#type: column.values.frictionless().into(),
        description: column.description.clone(),
        unit: column.unit.clone(),
        sign: String::new(),
    });
    TableSchema {
        schema: "https://datapackage.org/profiles/2.0/tableschema.json".into(),
        fields: fields.chain(more).collect(),
        primary_key: table.key.iter().map(|&key| key.into()).collect(),
    }
}
