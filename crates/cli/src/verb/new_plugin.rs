//! `voltide new-plugin`: a policy that builds and passes its own test, to start from.

use crate::{
    args::{Args, Lang, NewPlugin},
    failure::{Code, Failure},
    output,
};
use serde_json::json;
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// The template as Rust and as C: what `plugins/template` is, and what is written out.
const MANIFEST: &str = include_str!("../../../../plugins/template/Cargo.toml");
const LIBRARY: &str = include_str!("../../../../plugins/template/src/lib.rs");
const C_POLICY: &str = include_str!("../../../../plugins/template/c/policy.c");
const C_TEST: &str = include_str!("../../../../plugins/template/c/test.c");
const C_MAKEFILE: &str = include_str!("../../../../plugins/template/c/Makefile");
const C_HEADER: &str = include_str!("../../../policy/include/voltide_policy.h");

/// What the template's manifest says of the repository that it is part of, and what is said instead.
const LINTS: &str = "[lints]\nworkspace = true\n\n";
const POLICY_PATH: &str = "\"../../crates/policy\"";
const ALONE: &str = "\n# A workspace of its own, wherever it lies.\n[workspace]\n";

/// Writes a policy to a folder of its own.
pub(crate) fn new_plugin(new: &NewPlugin, args: &Args) -> Result<ExitCode, Failure> {
    let folder = new.dir.clone().unwrap_or_else(|| PathBuf::from(&new.name));
    let files = match new.lang {
        Lang::Rust => rust_files(&new.name, &policy_crate(new.voltide.as_deref())?),
        Lang::C => c_files(&new.name),
    };
    create(&folder)?;
    for (name, text) in &files {
        write(&folder.join(name), text)?;
    }
    if args.json {
        let files: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        output::say_json("new_plugin", &json!({ "name": new.name, "folder": folder, "files": files }));
    } else {
        output::say(&next_steps(new, &folder));
    }
    Ok(ExitCode::SUCCESS)
}

fn rust_files(name: &str, policy_crate: &Path) -> Vec<(&'static str, String)> {
    // A JSON string is a TOML string, too.
    let path = json!(policy_crate.to_string_lossy()).to_string();
    let manifest = MANIFEST.replace(LINTS, "") + ALONE;
    vec![
        ("Cargo.toml", named(&manifest, name).replace(POLICY_PATH, &path)),
        ("src/lib.rs", named(LIBRARY, name)),
        (".gitignore", "/target\n".to_owned()),
    ]
}

fn c_files(name: &str) -> Vec<(&'static str, String)> {
    vec![
        ("policy.c", named(C_POLICY, name)),
        ("test.c", C_TEST.to_owned()),
        ("Makefile", named(C_MAKEFILE, name)),
        ("voltide_policy.h", C_HEADER.to_owned()),
    ]
}

/// A text of the template, under another name.
fn named(text: &str, name: &str) -> String {
    let file = format!("voltide_{}", name.replace('-', "_"));
    text.replace("voltide_template", &file).replace("Template", &type_name(name)).replace("template", name)
}

/// `two-prices` as `TwoPrices`.
fn type_name(name: &str) -> String {
    let word = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    };
    name.split('-').map(word).collect()
}

/// The crate that a policy in Rust is written against.
fn policy_crate(voltide: Option<&Path>) -> Result<PathBuf, Failure> {
    let built_from = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let source = voltide.unwrap_or(built_from);
    let policy = source.join("crates/policy");
    if policy.join("Cargo.toml").is_file()
        && let Ok(policy) = policy.canonicalize()
    {
        return Ok(policy);
    }
    let shown = source.canonicalize().unwrap_or_else(|_| source.to_owned());
    let what = format!("voltide's source is not in {}: there is no crates/policy", shown.display());
    Err(Failure::new(Code::Input, what, Some("give the folder of voltide's source with --voltide")))
}

fn create(folder: &Path) -> Result<(), Failure> {
    let parent = folder.parent().map_or(Ok(()), fs::create_dir_all);
    parent.and_then(|()| fs::create_dir(folder)).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            let what = format!("{} exists already", folder.display());
            Failure::new(Code::Input, what, Some("give a folder that is not there yet with --dir"))
        }
        _ => Failure::new(Code::Run, format!("cannot create {}: {error}", folder.display()), None),
    })
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
    folder
        .and_then(|()| fs::write(file, text))
        .map_err(|error| Failure::new(Code::Run, format!("cannot write {}: {error}", file.display()), None))
}

fn next_steps(new: &NewPlugin, folder: &Path) -> String {
    let (name, folder) = (&new.name, folder.display());
    let (test, build, libraries) = match new.lang {
        Lang::Rust => (
            format!("cargo test --release --manifest-path {folder}/Cargo.toml"),
            format!("cargo build --release --manifest-path {folder}/Cargo.toml"),
            format!("{folder}/target/release"),
        ),
        Lang::C => (format!("make -C {folder} test"), format!("make -C {folder}"), folder.to_string()),
    };
    format!(
        "the policy `{name}` is in {folder}\n\n  {test}\n  {build}\n  \
         voltide run WORLD.ron --policy {name} --plugin-dir {libraries}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_says_nothing_of_the_template() {
        let rust = rust_files("two-prices", Path::new("/voltide/crates/policy"));
        for (file, text) in rust.iter().chain(&c_files("two-prices")) {
            let text = text.to_lowercase();
            assert!(!text.contains("template") && !text.contains("../.."), "{file}: {text}");
        }
        let manifest = &rust[0].1;
        assert!(manifest.contains("name = \"voltide-two-prices\""), "{manifest}");
        assert!(manifest.contains("{ path = \"/voltide/crates/policy\" }"), "{manifest}");
        assert!(!manifest.contains("[lints]") && manifest.contains("[workspace]"), "{manifest}");
        assert!(rust[1].1.contains("export_policy!(TwoPrices);"));
    }
}
