//! `manifest.json`: what lies in a run folder, as a Frictionless Data Package (version 2).
//!
//! It is written last and removed first, so that a folder with a manifest is whole. `rows`,
//! `unit`, `sign` and the fields about the run are additions that the standard allows.

use crate::{
    column::Table,
    error::TelemetryError,
    file::{Hashed, Hidden, WrittenFile, hex},
    summary::RunStatus,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::{self, Write},
    path::Path,
};
use voltide_journal::event::RunStarted;

/// Name of the manifest in a run folder.
pub(crate) const FILE: &str = "manifest.json";

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
    status: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    error: Option<String>,
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
    pub(crate) fn new(started: &RunStarted, status: &RunStatus, currency: &str, ev_ticks: String) -> Self {
        Self {
            schema: "https://datapackage.org/profiles/2.0/datapackage.json".into(),
            name: package_name(&started.world),
            title: format!("{} planned by {}", started.world, started.policy),
            world: started.world.clone(),
            policy: started.policy.clone(),
            seed: started.seed,
            config_hash: started.config_hash.clone(),
            status: status.name().into(),
            error: status.error().map(Into::into),
            ev_ticks,
            currency: currency.into(),
            resources: Vec::new(),
            hash: String::new(),
        }
    }

    /// Reads the manifest of `folder`; `None` where there is none.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>, TelemetryError> {
        let path = folder.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(TelemetryError::file("read", path)(error)),
        };
        serde_json::from_slice(&text).map(Some).map_err(|source| TelemetryError::Manifest { path, source })
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
            schema: Some(table_schema(file.table)),
        });
    }

    /// Adds the world file.
    pub(crate) fn add_world(&mut self, bytes: u64, sha256: &str) {
        self.resources.push(Resource {
            name: "world".into(),
            path: "world.ron".into(),
            r#type: None,
            format: "ron".into(),
            mediatype: "text/plain".into(),
            bytes,
            hash: format!("sha256:{sha256}"),
            rows: None,
            schema: None,
        });
    }

    /// Takes out the files of single cars and chargers, and returns their names.
    pub(crate) fn remove_detail(&mut self) -> Vec<String> {
        self.resources.extract_if(.., |it| it.is_detail()).map(|resource| resource.path).collect()
    }

    /// The files of single cars and chargers that another manifest does not have.
    pub(crate) fn detail_without<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a str> {
        let is_other = |path: &str| other.resources.iter().any(|resource| resource.path == path);
        let detail = self.resources.iter().filter(|resource| resource.is_detail());
        detail.map(|resource| resource.path.as_str()).filter(move |path| !is_other(path))
    }

    /// Writes the manifest into `folder`, whole or not at all.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), TelemetryError> {
        let (hidden, _, _) = write_hidden(folder, FILE, &self.text())?;
        hidden.publish()
    }

    /// The file's content, with its own hash as the last field.
    fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("a manifest always has JSON");
        let begin = &text[..text.rfind("\"hash\"").unwrap_or(text.len())];
        let with = |hash: &str| format!("{begin}\"hash\": \"{hash}\"\n}}\n");
        with(&format!("sha256:{}", hex(&Sha256::digest(with("")))))
    }
}

/// The files of a run that are not as its manifest says, by name; `None` where there is no manifest, so
/// that nothing can be said.
///
/// # Errors
/// The manifest is none, or a file is there and cannot be read.
pub fn damaged_files(folder: &Path) -> Result<Option<Vec<String>>, TelemetryError> {
    let Some(manifest) = Manifest::read(folder)? else { return Ok(None) };
    let mut damaged = Vec::new();
    let path = folder.join(FILE);
    if fs::read_to_string(&path).map_err(TelemetryError::file("read", path))? != manifest.text() {
        damaged.push(FILE.to_owned());
    }
    for Resource { path, hash, .. } in manifest.resources {
        let found = sha256_of(&folder.join(&path))?;
        if found.is_none_or(|found| format!("sha256:{found}") != hash) {
            damaged.push(path);
        }
    }
    Ok(Some(damaged))
}

/// SHA-256 of a file in hex; `None` where there is no file.
pub(crate) fn sha256_of(path: &Path) -> Result<Option<String>, TelemetryError> {
    let mut file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(TelemetryError::file("open", path)(error)),
    };
    let mut sha256 = Sha256::new();
    io::copy(&mut file, &mut sha256).map_err(TelemetryError::file("read", path))?;
    Ok(Some(hex(&sha256.finalize())))
}

/// Writes a text file that is still hidden; also returns its size and SHA-256.
pub(crate) fn write_hidden(
    folder: &Path,
    name: &str,
    text: &str,
) -> Result<(Hidden, u64, String), TelemetryError> {
    let (hidden, file) = Hidden::create(folder, name)?;
    let mut file = Hashed::new(file);
    file.write_all(text.as_bytes()).map_err(TelemetryError::file("write", folder.join(name)))?;
    let (bytes, sha256) = file.digest();
    Ok((hidden, bytes, sha256))
}

/// Removes a file that need not be there.
pub(crate) fn remove(folder: &Path, name: &str) -> Result<(), TelemetryError> {
    let path = folder.join(name);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(TelemetryError::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Package names are lower case without blanks.
fn package_name(world: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '-' };
    world.to_lowercase().chars().map(safe).collect()
}

fn table_schema(table: &Table) -> TableSchema {
    let fields = table.columns.iter().map(|column| FieldSchema {
        name: column.name.into(),
        r#type: column.kind.frictionless().into(),
        description: column.description.into(),
        unit: column.unit.into(),
        sign: column.sign.into(),
    });
    TableSchema {
        schema: "https://datapackage.org/profiles/2.0/tableschema.json".into(),
        fields: fields.collect(),
        primary_key: table.key.iter().map(|&key| key.into()).collect(),
    }
}
