//! Finding policies: by name, by path, or all of them.

use crate::{
    error::{self, HostError},
    instance::Instance,
    plugin::Plugin,
    search,
    services::{Log, Refusal},
};
use std::{
    fmt,
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
};
use voltide_policy::{
    abi::PolicyTable,
    planner::{Planner, PolicyInfo},
};

/// The policies that a program can use: plugins on the search path, and those it has built in.
pub struct Plugins {
    folders: Vec<PathBuf>,
    embedded: Vec<&'static PolicyTable>,
    log: Log,
    threads: usize,
}

/// A policy that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Name in a world file: the policy's own, or that which its file stands for when it is refused.
    pub name: String,
    /// The file; `None` for an embedded policy.
    pub file: Option<PathBuf>,
    /// Version of the contract that it was built for, where it tells.
    pub abi: Option<String>,
    /// What it declares, or why it is refused.
    pub status: Result<PolicyInfo, HostError>,
}

impl Plugins {
    /// Searches `plugin_dirs`, then the folders of [`PLUGIN_PATH`](search::PLUGIN_PATH), then beside the
    /// program; what is not found there may be one of the shipped policies, which are built in.
    pub fn new(plugin_dirs: &[PathBuf]) -> Self {
        Self::in_folders(search::folders(plugin_dirs))
    }

    /// Searches these folders only, and the shipped policies.
    pub fn in_folders(folders: Vec<PathBuf>) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { folders, embedded: voltide_policies::tables(), log: Arc::new(|_, _, _| ()), threads }
    }

    /// Lets the services that policies use take this many threads, instead of one a core. Results do
    /// not depend on it.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Hands the lines that policies log to `log`; without this they are dropped.
    #[must_use]
    pub fn with_log(mut self, log: Log) -> Self {
        self.log = log;
        self
    }

    /// Adds a policy that the program has built in; it hides an earlier one of the same name.
    #[must_use]
    pub fn with_embedded(mut self, table: &'static PolicyTable) -> Self {
        self.embedded.insert(0, table);
        self
    }

    /// Creates the policy that a world file chooses.
    ///
    /// `choice` is a name, or the path of a plugin (relative to the current folder). `config` is the verbatim
    /// text between the parentheses of the policy's config, and `config_offset` the byte of the world's
    /// text at which it begins; a world without a config for the policy gives no text and 0.
    pub fn load(
        &self,
        choice: &str,
        config: &str,
        config_offset: usize,
    ) -> Result<Box<dyn Planner>, HostError> {
        self.load_with(choice, |_| (config, config_offset))
    }

    /// [`load`](Self::load) with the config that `config_of` gives for the policy's own name, which
    /// a path does not tell: text and offset.
    pub fn load_with<'a>(
        &self,
        choice: &str,
        config_of: impl FnOnce(&str) -> (&'a str, usize),
    ) -> Result<Box<dyn Planner>, HostError> {
        let plugin = self.find(choice)?;
        let name = plugin.info.name.clone();
        let (config, config_offset) = config_of(&name);
        let value = format!("({config})");
        let instance = Instance::create(plugin, &value, self.log.clone(), self.threads);
        Ok(Box::new(instance.map_err(|refusal| refused(name, refusal, &value, config_offset))?))
    }

    /// All policies: files in the order in which they are searched, then the embedded ones, also those
    /// that a file hides.
    pub fn list(&self) -> Vec<Found> {
        let files = search::all(&self.folders).into_iter().map(|file| self.check(&file));
        files.chain(self.built_in().map(|plugin| Found::new(plugin, None, "embedded"))).collect()
    }

    /// What a file declares, and whether it would be accepted.
    pub fn check(&self, file: &Path) -> Found {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        Found::new(Plugin::open(file), Some(file), &stem)
    }

    /// Checks the names of configs that no policy has read, each with the byte of the world's text where
    /// the config begins. A policy that is not here may have a config; a slip of the pen may not.
    ///
    /// # Errors
    /// A name that nobody has looks like a known one.
    pub fn check_names<'a>(
        &self,
        text: &str,
        configs: impl Iterator<Item = (&'a str, usize)>,
    ) -> Result<(), HostError> {
        for (name, offset) in configs.filter(|(name, _)| !self.has(name)) {
            if let Some(close) = error::closest(name, &self.names()) {
                let quoted = format!("\"{name}\"");
                let start = text.get(..offset).and_then(|before| before.rfind(&quoted));
                let span = start.map(|start| (start, quoted.len()).into());
                return Err(HostError::Misspelt { name: name.to_owned(), close: close.clone(), span });
            }
        }
        Ok(())
    }

    /// Whether there is a policy of this name, without opening its file.
    fn has(&self, name: &str) -> bool {
        search::find(&self.folders, name).is_some()
            || self.built_in().flatten().any(|plugin| plugin.info.name == name)
    }

    fn find(&self, choice: &str) -> Result<Plugin, HostError> {
        if search::is_path(choice) {
            return Plugin::open(Path::new(choice));
        }
        if let Some(file) = search::find(&self.folders, choice) {
            return Plugin::open(&file);
        }
        let named =
            |plugin: &Result<Plugin, HostError>| plugin.as_ref().is_ok_and(|it| it.info.name == choice);
        let unknown = || Err(HostError::unknown(choice, &self.names(), &self.folders));
        self.built_in().find(named).unwrap_or_else(unknown)
    }

    fn built_in(&self) -> impl Iterator<Item = Result<Plugin, HostError>> {
        self.embedded.iter().map(|table| Plugin::embedded(table))
    }

    fn names(&self) -> Vec<String> {
        let accepted = self.list().into_iter().filter(|found| found.status.is_ok());
        let mut names: Vec<_> = accepted.map(|found| found.name).collect();
        names.sort();
        names.dedup();
        names
    }
}

impl fmt::Debug for Plugins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugins").field("folders", &self.folders).finish_non_exhaustive()
    }
}

impl Found {
    fn new(plugin: Result<Plugin, HostError>, file: Option<&Path>, fallback_name: &str) -> Self {
        let name = plugin.as_ref().map_or(fallback_name, |plugin| &plugin.info.name).to_owned();
        let abi = match &plugin {
            Ok(plugin) => Some(plugin.abi()),
            Err(HostError::Abi { found, .. }) => Some(found.clone()),
            Err(_) => None,
        };
        Self { name, file: file.map(Path::to_owned), abi, status: plugin.map(|plugin| plugin.info) }
    }
}

/// A refused config points into the world's text; any other refusal is the policy's own affair.
fn refused(policy: String, refusal: Refusal, value: &str, config_offset: usize) -> HostError {
    let Refusal { message, offset } = refusal;
    let Some(offset) = offset else {
        return HostError::Create { policy, message };
    };
    let offset = value.floor_char_boundary(offset);
    // The value begins with the parenthesis before the config, if the world has one.
    let start = config_offset.checked_sub(1);
    let span = start.map(|start| (start + offset, word_length(&value[offset..])).into());
    HostError::Config { policy, message, span }
}

/// Bytes of the word or the quoted text that `text` begins with, or of its first character.
fn word_length(text: &str) -> usize {
    let quoted = text.strip_prefix('"').and_then(|rest| Some(rest.find('"')? + 2));
    let word =
        text.find(|char: char| !(char.is_alphanumeric() || "_.-".contains(char))).unwrap_or(text.len());
    quoted.unwrap_or_else(|| word.max(text.chars().next().map_or(0, char::len_utf8)))
}
