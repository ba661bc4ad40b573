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
    let folders =
        std::iter::once(program.parent().unwrap().to_owned()).chain(std::env::split_paths(&path));
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
                    let output =
                        shell(&line.replace(".so", std::env::consts::DLL_SUFFIX)).output().unwrap();
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
    // The page's runs lie among those of the repository, where the next build would not repeat them.
    for world in ["one-car", "v2g-street"] {
        remove_runs(&root().join("outputs").join(world), &["-two-prices-", "-plain-"]);
    }
}

/// Removes the runs below a folder whose names hold one of these.
fn remove_runs(folder: &Path, names: &[&str]) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let run = entry.file_name().to_string_lossy().into_owned();
        if names.iter().any(|name| run.contains(name)) {
            fs::remove_dir_all(entry.path()).unwrap();
        }
    }
}

/// Where the page on policies has the table of those that are built in.
const BUILT_IN: [&str; 2] = ["| policy | what its cars do | config | fields |\n", "\n\n"];

#[test]
fn the_page_on_policies_has_all_that_are_built_in_and_their_configs() {
    let listed = succeed(voltide().args(["--json", "plugins", "list"]));
    let lines = listed.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let mut table = BUILT_IN[0].to_owned() + "|---|---|---|---|";
    let mut rows = 0;
    for line in lines.filter(|line| line["file"].is_null()) {
        let [name, does, config, fields] = ["name", "what_it_does", "config", "config_fields"]
            .map(|field| line[field].as_str().unwrap());
        let config = if fields.is_empty() { String::new() } else { format!("`{config}`") };
        table += "\n";
        table +=
            &[format!("| `{name}`"), does.to_owned(), config, format!("{fields} |")].join(" | ");
        rows += 1;
    }
    assert_eq!(rows, 10, "{listed}");
    let page = root().join("docs/policies.md");
    let text = fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once(BUILT_IN[0]).unwrap();
    let (there, after) = rest.split_once(BUILT_IN[1]).unwrap();
    if std::env::var_os("VOLTIDE_BLESS").is_some() {
        fs::write(&page, format!("{before}{table}{}{after}", BUILT_IN[1])).unwrap();
    } else {
        assert_eq!(
            format!("{}{there}", BUILT_IN[0]),
            table,
            "VOLTIDE_BLESS=1 writes the table anew"
        );
    }
}

#[test]
fn a_crate_builds_passes_its_test_and_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("late-riser");
    succeed(voltide().args(["new-plugin", "late-riser", "--dir"]).arg(&plugin));
    share_target(&plugin);
    assert_names_no_folder_of(&plugin, &root());
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
    command.args([
        "--json",
        "compare",
        "worlds/one-car.ron",
        "--policies",
        "uncontrolled,late-riser",
    ]);
    let printed = succeed(command.arg("--plugin-dir").arg(&libraries));
    let row: serde_json::Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&row["policy"], &row["saving_percent"]["mean"]),
        (&"late-riser".into(), &0.0.into())
    );
}

/// Holds that no file below a folder names another one: it builds wherever it is taken.
fn assert_names_no_folder_of(folder: &Path, other: &Path) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            assert_names_no_folder_of(&path, other);
        } else if path.is_file() {
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains(other.to_str().unwrap()), "{}", path.display());
        }
    }
}

#[test]
fn what_is_there_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let (code, message) = fail(voltide().args(["new-plugin", "mine", "--dir"]).arg(folder.path()));
    assert!(code == 3 && message.contains("exists already"), "{code} {message}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_bad_name_is_explained() {
    for name in ["Mine", "1st", "a--b", "a_b", ""] {
        assert_eq!(fail(voltide().args(["new-plugin", name])).0, 2, "{name:?}");
    }
}
