//! Pages of the repository that are written from code. The crates that have one include this file in
//! their tests, so that no crate of its own is needed for a few lines.

use std::{env, fs, path::Path};

/// Compares a page of a crate with what it is written from; with `VOLTIDE_BLESS` set it is written
/// anew before. `path` is relative to the crate's folder.
///
/// # Panics
/// The page is another.
pub(crate) fn check(crate_folder: &str, path: &str, wanted: &str) {
    let page = Path::new(crate_folder).join(path);
    if env::var_os("VOLTIDE_BLESS").is_some() {
        fs::write(&page, wanted).expect("the page can be written");
    }
    let there = fs::read_to_string(&page).unwrap_or_default();
    let stale = "VOLTIDE_BLESS=1 writes the page anew";
    // Line by line first, so that a failure shows the one that differs and not two pages.
    for (line, wanted) in there.lines().zip(wanted.lines()) {
        assert_eq!(line, wanted, "{}: {stale}", page.display());
    }
    assert!(there == wanted, "{}: {stale}", page.display());
}
