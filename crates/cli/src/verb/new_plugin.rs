//! `voltide new-plugin`: a policy that builds and passes its own test, to start from.

use crate::{
    args::Args,
    failure::{Code, Failure},
    output,
};
use clap::{Args as ClapArgs, ValueEnum};
use serde_json::json;
use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Debug, ClapArgs)]
pub(crate) struct Flags {
    /// Name of the policy: lower-case letters, digits and hyphens
    #[arg(value_parser = plugin_name)]
    pub name: String,

    /// Language to write it in
    #[arg(long, value_enum, default_value_t = Lang::Rust)]
    pub lang: Lang,

    /// Folder to write it to, which must not exist yet [default: NAME]
    #[arg(long)]
    pub dir: Option<PathBuf>,
}

/// A language that policies are written out in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    /// A crate.
    Rust,
    /// A file with a Makefile and the header.
    C,
}

/// A name that a crate, a file and a world can all spell.
fn plugin_name(name: &str) -> Result<String, &'static str> {
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if begins && is_plain && !name.ends_with('-') && !name.contains("--") {
        return Ok(name.to_owned());
    }
    Err("write lower-case letters, digits and single hyphens, a letter first, as in two-prices")
}

/// The template as Rust and as C: what `plugins/template` is, and what is written out.
const MANIFEST: &str = include_str!("../../../../plugins/template/Cargo.toml");
const LIBRARY: &str = include_str!("../../../../plugins/template/src/lib.rs");
const C_POLICY: &str = include_str!("../../../../plugins/template/c/policy.c");
const C_TEST: &str = include_str!("../../../../plugins/template/c/test.c");
const C_MAKEFILE: &str = include_str!("../../../../plugins/template/c/Makefile");
const C_HEADER: &str = include_str!("../../../policy/include/voltide_policy.h");

/// What the template's manifest says of the repository that it is part of, and what is said
/// instead.
const LINTS: &str = "[lints]\nworkspace = true\n\n";
const POLICY_PATH: &str = "\"../../crates/policy\"";
const POLICY_BESIDE: &str = "\"voltide-policy\"";
const ALONE: &str = "\n# A workspace of its own, wherever it lies.\n[workspace]\n";

/// Files of the crate that a policy is written against: name beside the policy, and text.
macro_rules! policy_crate {
    ($($file:literal),+ $(,)?) => {
        &[$((
            concat!("voltide-policy/src/", $file),
            include_str!(concat!("../../../policy/src/", $file)),
        )),+]
    };
}

/// The crate that a policy is written against: it is on no registry, so each policy has a copy
/// beside it and builds wherever it is taken.
const POLICY_CRATE: &[(&str, &str)] = policy_crate![
    "lib.rs",
    "abi.rs",
    "abi/shim.rs",
    "abi/site_costs.rs",
    "abi/storage.rs",
    "abi/storage_service.rs",
    "abi/storage_service/tests.rs",
    "abi/view.rs",
    "abi/world_service.rs",
    "guard.rs",
    "observation.rs",
    "planner.rs",
    "policy.rs",
    "storage.rs",
    "testing.rs",
    "world.rs",
];
const LICENSES: [(&str, &str); 2] = [
    ("voltide-policy/LICENSE-APACHE", include_str!("../../../../LICENSE-APACHE")),
    ("voltide-policy/LICENSE-MIT", include_str!("../../../../LICENSE-MIT")),
];
/// Its manifest, on its own.
const POLICY_MANIFEST: &str = concat!(
    "[package]\nname = \"voltide-policy\"\n",
    "description = \"The contract between voltide and its dispatch policies\"\n",
    "version = \"",
    env!("CARGO_PKG_VERSION"),
    "\"\nedition = \"2024\"\nrust-version = \"",
    env!("CARGO_PKG_RUST_VERSION"),
    "\"\nlicense = \"",
    env!("CARGO_PKG_LICENSE"),
    "\"\npublish = false\n\n[dependencies]\nron = \"0.12\"\n",
    "serde = { version = \"1\", features = [\"derive\", \"rc\"] }\nthiserror = \"2\"\n"
);

/// Writes a policy to a folder of its own.
pub(crate) fn new_plugin(new: &Flags, args: &Args) -> Result<ExitCode, Failure> {
    let folder = new.dir.clone().unwrap_or_else(|| PathBuf::from(&new.name));
    let files = match new.lang {
        Lang::Rust => rust_files(&new.name),
        Lang::C => c_files(&new.name),
    };
    create(&folder)?;
    for (name, text) in &files {
        write(&folder.join(name), text)?;
    }
    if args.json {
        let files: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        output::say_json(
            "new_plugin",
            &json!({ "name": new.name, "folder": folder, "files": files }),
        );
    } else {
        output::say(&next_steps(new, &folder));
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn rust_files(name: &str) -> Vec<(&'static str, String)> {
    let manifest = MANIFEST.replace(LINTS, "") + ALONE;
    let own = [
        ("Cargo.toml", named(&manifest, name).replace(POLICY_PATH, POLICY_BESIDE)),
        ("src/lib.rs", named(LIBRARY, name)),
        (".gitignore", "/target\n".to_owned()),
        ("voltide-policy/Cargo.toml", POLICY_MANIFEST.to_owned()),
    ];
    let copied = POLICY_CRATE.iter().chain(&LICENSES);
    own.into_iter().chain(copied.map(|&(file, text)| (file, text.to_owned()))).collect()
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
    // The longest first: the last of these words is part of it.
    text.replace("voltide_template", &file)
        .replace("Template", &type_name(name))
        .replace("template", name)
}

/// `two-prices` as `TwoPrices`.
fn type_name(name: &str) -> String {
    name.split('-').map(capitalised).collect()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

pub(crate) fn create(folder: &Path) -> Result<(), Failure> {
    let parent = folder.parent().map_or(Ok(()), fs::create_dir_all);
    // Not `create_dir_all`, which takes a folder that is there: nobody's files are written over.
    parent.and_then(|()| fs::create_dir(folder)).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            let what = format!("{} exists already", folder.display());
            Failure::new(Code::Input, what, Some("give a folder that is not there yet"))
        }
        _ => Failure::new(Code::Run, format!("cannot create {}: {error}", folder.display()), None),
    })
}

pub(crate) fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
    folder.and_then(|()| fs::write(file, text)).map_err(|error| {
        Failure::new(Code::Run, format!("cannot write {}: {error}", file.display()), None)
    })
}

fn next_steps(new: &Flags, folder: &Path) -> String {
    let name = &new.name;
    let folder = folder.display();
    let (test, build, libraries) = match new.lang {
        Lang::Rust => (
            format!("cargo test --release --manifest-path {folder}/Cargo.toml"),
            format!("cargo build --release --manifest-path {folder}/Cargo.toml"),
            format!("{folder}/target/release"),
        ),
        Lang::C => {
            (format!("make -C {folder} test"), format!("make -C {folder}"), folder.to_string())
        }
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
        let rust = rust_files("two-prices");
        let own = rust.iter().filter(|(file, _)| !file.starts_with("voltide-policy/"));
        for (file, text) in own.chain(&c_files("two-prices")) {
            let text = text.to_lowercase();
            assert!(!text.contains("template") && !text.contains("../.."), "{file}: {text}");
        }
        let manifest = &rust[0].1;
        assert!(manifest.contains("name = \"voltide-two-prices\""), "{manifest}");
        assert!(manifest.contains("{ path = \"voltide-policy\" }"), "{manifest}");
        assert!(!manifest.contains("[lints]") && manifest.contains("[workspace]"), "{manifest}");
        assert!(rust[1].1.contains("export_policy!(TwoPrices);"));
    }

    /// Rust files below a folder, by their names in it.
    fn sources(folder: &Path, within: &str) -> Vec<String> {
        let mut all = Vec::new();
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = format!("{within}{}", entry.file_name().into_string().unwrap());
            if entry.path().is_dir() {
                all.extend(sources(&entry.path(), &format!("{name}/")));
            } else {
                all.push(name);
            }
        }
        all
    }

    #[test]
    fn the_copied_crate_is_whole_and_depends_on_what_the_workspace_says() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let mut there = sources(&root.join("crates/policy/src"), "voltide-policy/src/");
        let mut copied: Vec<&str> = POLICY_CRATE.iter().map(|(file, _)| *file).collect();
        there.sort();
        copied.sort_unstable();
        assert_eq!(copied, there);
        let workspace = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        let (_, dependencies) = POLICY_MANIFEST.split_once("[dependencies]\n").unwrap();
        let crate_manifest = fs::read_to_string(root.join("crates/policy/Cargo.toml")).unwrap();
        for line in dependencies.lines() {
            assert!(workspace.contains(&format!("\n{line}\n")), "{line}");
        }
        let (_, own) = crate_manifest.split_once("[dependencies]\n").unwrap();
        let own = own.lines().take_while(|line| line.ends_with(".workspace = true")).count();
        assert_eq!(own, dependencies.lines().count());
    }
}
