//! `voltide new-plugin`, and the page that goes on from there: every block of it is run.

use crate::program::{fail, root, succeed, text, voltide};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Where policies that were written out are built: kept, so that their dependencies are built once.
fn shared_target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().join("new-plugin")
}

/// Lets cargo build a crate in the shared folder, and find it where it would be otherwise.
fn share_target(crate_folder: &Path) {
    fs::create_dir_all(shared_target()).unwrap();
    std::os::unix::fs::symlink(shared_target(), crate_folder.join("target")).unwrap();
}

/// A command line run by a shell in the root of the repository, without a network.
fn shell(line: &str) -> Command {
    let program = PathBuf::from(voltide().get_program());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(program.parent().unwrap().to_owned()).chain(std::env::split_paths(&path));
    let mut command = Command::new("sh");
    command
        .args(["-c", line])
        .current_dir(root())
        .env("PATH", std::env::join_paths(folders).unwrap())
        .env("CARGO_NET_OFFLINE", "true")
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("VOLTIDE_PLUGIN_PATH");
    command
}

/// The page's blocks of code in order: language and text.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let fenced = page.split("```").skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').unwrap()).collect()
}

#[test]
fn the_page_on_policies_can_be_followed_to_the_letter() {
    let folder = tempfile::tempdir().unwrap();
    let beside = format!("{}/", folder.path().display());
    let page = fs::read_to_string(root().join("docs/policies.md")).unwrap();
    let mut runs = 0;
    for (language, block) in blocks(&page) {
        match language {
            "rust" => fs::write(folder.path().join("two-prices/src/lib.rs"), block).unwrap(),
            "console" => {
                for line in block.lines() {
                    let line = line.strip_prefix("$ ").unwrap().replace("../", &beside);
                    let output = shell(&line.replace(".so", std::env::consts::DLL_SUFFIX)).output().unwrap();
                    let said = text(&output.stdout) + &text(&output.stderr);
                    assert!(output.status.success() && !said.contains("warning"), "{line}\n{said}");
                    runs += 1;
                    if line.starts_with("voltide new-plugin two-prices") {
                        share_target(&folder.path().join("two-prices"));
                    }
                }
            }
            other => panic!("a block in `{other}` is not tested"),
        }
    }
    assert!(runs >= 12, "{runs} commands");
}

#[test]
fn a_crate_builds_passes_its_test_and_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("late-riser");
    succeed(voltide().args(["new-plugin", "late-riser", "--dir"]).arg(&plugin));
    share_target(&plugin);
    let cargo = |verb: &str| {
        format!("cargo {verb} --release --offline --manifest-path {}/Cargo.toml", plugin.display())
    };
    let tested = succeed(&mut shell(&cargo("test")));
    assert!(tested.contains("1 passed"), "{tested}");
    succeed(&mut shell(&cargo("build")));
    let libraries = plugin.join("target/release");
    let library = format!("libvoltide_late_riser{}", std::env::consts::DLL_SUFFIX);
    let checked = succeed(voltide().args(["plugins", "check"]).arg(libraries.join(library)));
    assert!(checked.contains("late-riser") && checked.contains("ok"), "{checked}");
    let mut command = voltide();
    command.args(["--json", "compare", "worlds/one-car.ron", "--policies", "uncontrolled,late-riser"]);
    let printed = succeed(command.arg("--plugin-dir").arg(&libraries));
    let row: serde_json::Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
    assert_eq!((&row["policy"], &row["saving_percent"]["mean"]), (&"late-riser".into(), &0.0.into()));
}

#[test]
fn what_is_there_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let (code, message) = fail(voltide().args(["new-plugin", "mine", "--dir"]).arg(folder.path()));
    assert!(code == 3 && message.contains("exists already"), "{code} {message}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_missing_source_and_a_bad_name_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("mine");
    let mut command = voltide();
    command.args(["new-plugin", "mine", "--voltide", "worlds", "--dir"]).arg(&dir);
    let (code, message) = fail(&mut command);
    assert!(code == 3 && message.contains("voltide's source is not in "), "{code} {message}");
    assert!(message.contains("--voltide") && !dir.exists(), "{message}");
    for name in ["Mine", "1st", "a--b", "a_b", ""] {
        assert_eq!(fail(voltide().args(["new-plugin", name])).0, 2, "{name:?}");
    }
}
