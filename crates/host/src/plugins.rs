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
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};
use voltide_policies::About;
use voltide_policy::{
    abi::PolicyTable,
    planner::{Planner, PolicyInfo},
    world::World,
};

/// The policies that a program can use: plugins on the search path, and those it has built in.
pub struct Plugins {
    /// Folders that the user names, which come before what is built in.
    named: Vec<PathBuf>,
    /// Folders that come after it.
    beside: Vec<PathBuf>,
    embedded: Vec<&'static PolicyTable>,
    log: Log,
    threads: usize,
}

/// A policy that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Name in a world file: the policy's own, or that which its file stands for when it is
    /// refused.
    pub name: String,
    /// The file; `None` for an embedded policy.
    pub file: Option<PathBuf>,
    /// Version of the contract that it was built for, where it tells.
    pub abi: Option<String>,
    /// What it declares, or why it is refused.
    pub status: Result<PolicyInfo, HostError>,
    /// How it stands to others of its name.
    pub rank: Rank,
}

impl Found {
    /// What is said of it, where it is one that is shipped and built in.
    pub fn about(&self) -> Option<&'static About> {
        if self.file.is_none() { voltide_policies::about(&self.name) } else { None }
    }
}

/// How a policy stands to others of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rank {
    /// Its name means it.
    First,
    /// Its name means it, and not the policy that is built in.
    InPlaceOfBuiltIn,
    /// Its name means the policy that is built in.
    BehindBuiltIn,
    /// Its name means this file.
    Behind(PathBuf),
}

impl Plugins {
    /// Searches `plugin_dirs` and the folders of [`PLUGIN_PATH`](search::PLUGIN_PATH); then the
    /// shipped policies, which are built in; and then beside the program.
    pub fn new(plugin_dirs: &[PathBuf]) -> Self {
        Self { beside: search::beside(), ..Self::in_folders(search::named(plugin_dirs)) }
    }

    /// Searches these folders only, and then the shipped policies.
    pub fn in_folders(named: Vec<PathBuf>) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let embedded = voltide_policies::tables();
        Self { named, beside: Vec::new(), embedded, log: Arc::new(|_, _, _| ()), threads }
    }

    /// Lets the services that policies use take this many threads, instead of one a core. Results
    /// do not depend on it.
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
    /// `choice` is a name, or the path of a plugin (relative to the current folder). `config` is
    /// the verbatim text between the parentheses of the policy's config, and `config_offset` the
    /// byte of the world's text at which it begins; a world without a config for the policy gives
    /// no text and 0.
    pub fn load(
        &self,
        choice: &str,
        config: &str,
        config_offset: usize,
    ) -> Result<Box<dyn Planner>, HostError> {
        self.load_with(choice, None, |_| (config, config_offset))
    }

    /// [`load`](Self::load) with the config that `config_of` gives for the policy's own name, which
    /// a path does not tell: text and offset. The policy is told of the world that it will plan in.
    pub fn load_with<'a>(
        &self,
        choice: &str,
        world: Option<&World>,
        config_of: impl FnOnce(&str) -> (&'a str, usize),
    ) -> Result<Box<dyn Planner>, HostError> {
        let plugin = self.find(choice)?;
        let name = plugin.info.name.clone();
        let (config, config_offset) = config_of(&name);
        // Without a config this is `()`, from which a policy is read that was given none.
        let value = format!("({config})");
        let instance = Instance::create(plugin, &value, self.log.clone(), self.threads, world);
        Ok(Box::new(instance.map_err(|refusal| refused(name, refusal, &value, config_offset))?))
    }

    /// All policies in the order in which they are searched, also those that another one hides.
    pub fn list(&self) -> Vec<Found> {
        let files =
            |folders: &[PathBuf]| search::all(folders).into_iter().map(|file| self.check(&file));
        let built_in = self.built_in().map(|plugin| {
            let found = Found::new(plugin, None, "embedded");
            Found { rank: self.rank(&found), ..found }
        });
        files(&self.named).chain(built_in).chain(files(&self.beside)).collect()
    }

    /// Whether a policy of this name is built in.
    pub fn is_built_in(&self, name: &str) -> bool {
        self.built_in().flatten().any(|plugin| plugin.info.name == name)
    }

    /// How a policy stands to others of its name.
    fn rank(&self, found: &Found) -> Rank {
        let built_in = self.is_built_in(&found.name);
        let is_found = |file: &Path| found.file.as_deref().is_some_and(|own| same_file(own, file));
        if let Some(first) = search::find(&self.named, &found.name) {
            let in_place = if built_in { Rank::InPlaceOfBuiltIn } else { Rank::First };
            return if is_found(&first) { in_place } else { Rank::Behind(first) };
        }
        if built_in {
            return if found.file.is_none() { Rank::First } else { Rank::BehindBuiltIn };
        }
        let first = search::find(&self.beside, &found.name).filter(|first| !is_found(first));
        first.map_or(Rank::First, Rank::Behind)
    }

    /// What a file declares, and whether it would be accepted.
    pub fn check(&self, file: &Path) -> Found {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let found = Found::new(Plugin::open(file), Some(file), &stem);
        Found { rank: self.rank(&found), ..found }
    }

    /// Checks the names of configs that no policy has read, each with the byte of the world's text
    /// where the config begins. A policy that is not here may have a config; a slip of the pen may
    /// not.
    ///
    /// # Errors
    /// A name that nobody has looks like a known one.
    pub fn check_names<'a>(
        &self,
        text: &str,
        configs: impl Iterator<Item = (&'a str, usize)>,
    ) -> Result<(), HostError> {
        // Only for names that nobody has: to know all others every plugin has to be opened.
        for (name, offset) in configs.filter(|(name, _)| !self.has(name)) {
            if let Some(close) = error::closest(name, &self.names()) {
                let span = name_before(text, name, offset).map(Into::into);
                return Err(HostError::Misspelt {
                    name: name.to_owned(),
                    close: close.clone(),
                    span,
                });
            }
        }
        Ok(())
    }

    /// Whether there is a policy of this name, without opening its file.
    pub fn has(&self, name: &str) -> bool {
        search::find(&self.named, name).is_some()
            || self.is_built_in(name)
            || search::find(&self.beside, name).is_some()
    }

    fn find(&self, choice: &str) -> Result<Plugin, HostError> {
        if search::is_path(choice) {
            return Plugin::open(Path::new(choice));
        }
        if let Some(file) = search::find(&self.named, choice) {
            return Plugin::open(&file);
        }
        let of_name = |plugin: &Result<Plugin, HostError>| {
            plugin.as_ref().is_ok_and(|it| it.info.name == choice)
        };
        if let Some(built_in) = self.built_in().find(of_name) {
            return built_in;
        }
        if let Some(file) = search::find(&self.beside, choice) {
            return Plugin::open(&file);
        }
        let searched = [self.named.as_slice(), &self.beside].concat();
        Err(HostError::unknown(choice, &self.names(), &searched))
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
        f.debug_struct("Plugins")
            .field("named", &self.named)
            .field("beside", &self.beside)
            .finish_non_exhaustive()
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
        let file = file.map(Path::to_owned);
        let status = plugin.map(|plugin| plugin.info);
        Self { name, file, abi, status, rank: Rank::First }
    }
}

/// Where the name of a config is that begins at byte `offset` of a world's text.
pub fn name_before(text: &str, name: &str, offset: usize) -> Option<Range<usize>> {
    let quoted = format!("\"{name}\"");
    let start = text.get(..offset)?.rfind(&quoted)?;
    Some(start..start + quoted.len())
}

/// Whether two paths lead to one file.
fn same_file(one: &Path, other: &Path) -> bool {
    one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
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
    let word = text
        .find(|char: char| !(char.is_alphanumeric() || "_.-".contains(char)))
        .unwrap_or(text.len());
    quoted.unwrap_or_else(|| word.max(text.chars().next().map_or(0, char::len_utf8)))
}
