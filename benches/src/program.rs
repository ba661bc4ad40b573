//! The program as it is, in the folder that the measurements were built into.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The workspace's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package lies in the workspace")
}

/// The built program.
///
/// # Errors
/// It was not built; the message says how to.
pub fn program() -> Result<PathBuf, String> {
    let here = env::current_exe().map_err(|error| error.to_string())?;
    // Measurements are built into `deps`, below the folder that the program is in.
    let folder = here.ancestors().nth(2).ok_or("the measurement lies nowhere")?;
    let program = folder.join("voltide");
    let missing = || {
        format!(
            "there is no voltide program at {}; build it: cargo build --release",
            program.display()
        )
    };
    if program.is_file() { Ok(program) } else { Err(missing()) }
}

/// The one run below a folder of runs, once it has begun.
pub fn run_in(out: &Path) -> Option<PathBuf> {
    let world = fs::read_dir(out).ok()?.flatten().next()?.path();
    let mut runs = fs::read_dir(world).ok()?.flatten().map(|entry| entry.path());
    runs.find(|run| run.join("log").is_dir())
}

/// Bytes of the files of a folder; 0 where there is none.
pub fn size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|entry| entry.metadata().ok()).map(|it| it.len()).sum()
}
