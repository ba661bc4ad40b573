//! A policy's table, from a file or embedded, verified before anything in it is called.

#![expect(unsafe_code, reason = "loads foreign code and reads what it says of itself")]

use crate::error::HostError;
use libloading::Library;
use sha2::{Digest, Sha256};
use std::path::Path;
use voltide_policy::{
    abi::{
        ABI_MAJOR, ABI_MINOR, ENTRY, Entry, FLAG_PAYS_INCENTIVE, FLAG_STATEFUL, FLAG_WHOLE_FLEET,
        FLAG_WHOLE_SITE, FLAG_WHOLE_TREE, MAGIC, PolicyTable, copy_prefix,
    },
    planner::{PolicyInfo, Replan},
};

/// A plugin that may be used.
#[derive(Debug, Clone)]
pub(crate) struct Plugin {
    pub(crate) table: PolicyTable,
    pub(crate) info: PolicyInfo,
}

impl Plugin {
    /// Loads a file. A library once loaded is never unloaded: threads, hooks and texts of it may
    /// be in use until the process ends.
    pub(crate) fn open(file: &Path) -> Result<Self, HostError> {
        let file = file.canonicalize().map_err(|error| HostError::unreadable(file, &error))?;
        // Reading from a pipe or a device may wait for ever, and need not end.
        if !file.metadata().is_ok_and(|found| found.is_file()) {
            let reason = "it is a pipe, a device or a folder, not a file".to_owned();
            return Err(HostError::Unreadable { file, reason });
        }
        let bytes = std::fs::read(&file).map_err(|error| HostError::unreadable(&file, &error))?;
        let library = load(&file).map_err(|error| not_a_library(&file, &error))?;
        // SAFETY: the symbol's name stands for this type of function.
        let entry = unsafe { library.get::<Entry>(ENTRY).map(|entry| *entry) };
        std::mem::forget(library);
        let entry = entry.map_err(|_| HostError::NotAPlugin { file: file.clone() })?;
        let plugin = file.display().to_string();
        // SAFETY: by its name the function keeps the contract.
        let table = unsafe { entry(ABI_MAJOR, ABI_MINOR) };
        if table.is_null() {
            return Err(wrong_abi(&plugin, "another major".to_owned()));
        }
        let mut plugin = Self::verify(table, &plugin)?;
        plugin.info.hash = hex::encode(Sha256::digest(&bytes));
        plugin.info.file = file.display().to_string();
        Ok(plugin)
    }

    /// Checks a table that the program has built in, just as one from a file.
    pub(crate) fn embedded(table: &'static PolicyTable) -> Result<Self, HostError> {
        Self::verify(table, "an embedded policy")
    }

    fn verify(table: *const PolicyTable, plugin: &str) -> Result<Self, HostError> {
        let malformed =
            |reason: String| Err(HostError::Malformed { plugin: plugin.to_owned(), reason });
        // SAFETY: a table begins with its size. Of one that is no table, at most the bytes of ours
        // are read.
        let table = unsafe { copy_prefix(table) };
        // First, since nothing else means anything in what is no table.
        if table.magic != MAGIC {
            return malformed(format!(
                "its table is marked {:#018x}, not {MAGIC:#018x}",
                table.magic
            ));
        }
        if table.major != ABI_MAJOR {
            return Err(wrong_abi(plugin, format!("{}.{}", table.major, table.minor)));
        }
        if (table.size as usize) < size_of::<PolicyTable>() {
            return malformed(format!(
                "its table has {} of {} bytes",
                table.size,
                size_of::<PolicyTable>()
            ));
        }
        if table.plan.is_none() {
            return malformed("it has no function `plan`".to_owned());
        }
        if table.flags & FLAG_STATEFUL != 0 && (table.save.is_none() || table.load.is_none()) {
            return malformed("it is stateful, but has no `save` and `load`".to_owned());
        }
        let info = describe(&table);
        if info.name.is_empty() {
            return malformed("it has no name".to_owned());
        }
        Ok(Self { table, info })
    }

    /// Version of the contract that it was built for.
    pub(crate) fn abi(&self) -> String {
        format!("{}.{}", self.table.major, self.table.minor)
    }
}

fn describe(table: &PolicyTable) -> PolicyInfo {
    PolicyInfo {
        // SAFETY: the texts of a table live as long as the process.
        name: unsafe { table.name.to_text() },
        // SAFETY: as above.
        version: unsafe { table.version.to_text() },
        hash: String::new(),
        file: String::new(),
        replan: match table.replan_slots {
            0 => Replan::OnPlugIn,
            1 => Replan::EveryTick,
            slots => Replan::Every(slots),
        },
        horizon_slots: table.horizon_slots,
        pays_incentive: table.flags & FLAG_PAYS_INCENTIVE != 0,
        whole_site: table.flags & FLAG_WHOLE_SITE != 0,
        whole_tree: table.flags & FLAG_WHOLE_TREE != 0,
        whole_fleet: table.flags & FLAG_WHOLE_FLEET != 0,
        stateful: table.flags & FLAG_STATEFUL != 0,
    }
}

/// Loads with all symbols resolved at once and visible to nobody else.
fn load(file: &Path) -> Result<Library, libloading::Error> {
    #[cfg(unix)]
    // SAFETY: what a plugin does when it is loaded is the user's choice, who named it.
    return unsafe {
        // A symbol that is missing is an error here and not in the middle of a run; and all plugins
        // export one name, which must not stand for another's function.
        use libloading::os::unix;
        unix::Library::open(Some(file), unix::RTLD_NOW | unix::RTLD_LOCAL).map(Into::into)
    };
    #[cfg(not(unix))]
    // SAFETY: as above.
    return unsafe { Library::new(file) };
}

fn not_a_library(file: &Path, error: &libloading::Error) -> HostError {
    let reason =
        std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    // Loaders tend to begin with the file, which the error names anyway.
    let file_first = format!("{}: ", file.display());
    let reason = reason.strip_prefix(&file_first).unwrap_or(&reason).to_owned();
    HostError::NotALibrary { file: file.to_owned(), reason }
}

fn wrong_abi(plugin: &str, found: String) -> HostError {
    HostError::Abi {
        plugin: plugin.to_owned(),
        found,
        expected: format!("{ABI_MAJOR}.{ABI_MINOR}"),
    }
}
