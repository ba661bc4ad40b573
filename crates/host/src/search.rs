//! Where plugins are looked for.
//!
//! A policy named `least-laxity` is the file `libvoltide_least_laxity.so` (on Linux) in one of, in
//! order: the folders of `--plugin-dir`, those of `VOLTIDE_PLUGIN_PATH`, and, if it is not built
//! in, `deps/` beside the program and the program's own folder. Cargo leaves plugins that the
//! program depends on in `deps/`, and they are never older than the ones it may have left one floor
//! up.

use std::{
    env::consts::{DLL_PREFIX, DLL_SUFFIX},
    ffi::OsStr,
    path::{Path, PathBuf},
};

/// The environment variable with more folders, separated as in `PATH`.
pub const PLUGIN_PATH: &str = "VOLTIDE_PLUGIN_PATH";

/// The folders that the user names, in the order in which they are searched: before the policies
/// that are built in. They need not exist, so that an error can say where it was looked.
pub(crate) fn named(plugin_dirs: &[PathBuf]) -> Vec<PathBuf> {
    let listed = std::env::var_os(PLUGIN_PATH).unwrap_or_default();
    // An empty entry would be the current folder, which nobody named.
    let listed = std::env::split_paths(&listed).filter(|dir| !dir.as_os_str().is_empty());
    plugin_dirs.iter().cloned().chain(listed).collect()
}

/// The folders beside the program, in the order in which they are searched: after the policies that
/// are built in.
pub(crate) fn beside() -> Vec<PathBuf> {
    let program = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_owned()));
    program.into_iter().flat_map(|dir| [dir.join("deps"), dir]).filter(|dir| dir.is_dir()).collect()
}

/// The file in which a policy of this name is expected.
pub(crate) fn file_name(name: &str) -> String {
    format!("{DLL_PREFIX}voltide_{}{DLL_SUFFIX}", name.replace('-', "_"))
}

/// Whether a world file means a file by `choice`, not a name.
pub(crate) fn is_path(choice: &str) -> bool {
    choice.contains(['/', '\\']) || choice.ends_with(DLL_SUFFIX)
}

/// The first plugin of this name.
pub(crate) fn find(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    let file = file_name(name);
    folders.iter().map(|dir| dir.join(&file)).find(|path| path.is_file())
}

/// The files that would be found by some name, in the order of the folders, then by name.
pub(crate) fn all(folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for dir in folders {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        let mut here: Vec<_> =
            entries.map(|entry| entry.path()).filter(|path| is_plugin(path)).collect();
        // A folder lists its files in no order.
        here.sort();
        here.retain(|path| !found.iter().any(|first| first.file_name() == path.file_name()));
        found.extend(here);
    }
    found
}

fn is_plugin(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    name.starts_with(&format!("{DLL_PREFIX}voltide_"))
        && name.ends_with(DLL_SUFFIX)
        && path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_folder_wins() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folders = [first.path().to_owned(), second.path().to_owned()];
        let touch = |dir: &Path, name: &str| std::fs::write(dir.join(file_name(name)), "").unwrap();
        touch(second.path(), "least-laxity");
        assert_eq!(
            find(&folders, "least-laxity"),
            Some(second.path().join(file_name("least-laxity")))
        );
        touch(first.path(), "least-laxity");
        touch(second.path(), "asap");
        std::fs::write(first.path().join("README.md"), "").unwrap();
        assert_eq!(
            find(&folders, "least-laxity"),
            Some(first.path().join(file_name("least-laxity")))
        );
        let expected =
            [first.path().join(file_name("least-laxity")), second.path().join(file_name("asap"))];
        assert_eq!(all(&folders), expected);
    }

    #[test]
    fn names_and_paths_are_told_apart() {
        assert!(!is_path("least-laxity"));
        assert!(is_path("./plugins/mine") && is_path(&file_name("mine")));
    }
}
