//! Why a policy could not be had.

use miette::{Diagnostic, SourceSpan};
use std::{
    ops::Range,
    path::{Path, PathBuf},
};
use thiserror::Error;

/// Why a policy could not be loaded.
///
/// All but [`Config`](Self::Config) are about the plugin; that one is about the world file, and its
/// span points into the world's text once the caller adds it with `Report::with_source_code`.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum HostError {
    /// No plugin and no embedded policy has the name.
    #[error("no policy is named `{name}`")]
    Unknown {
        /// The name asked for.
        name: String,
        /// What would be right, and where it was looked for.
        #[help]
        help: String,
    },

    /// There is no such file.
    #[error("there is no plugin {}", .file.display())]
    #[diagnostic(help(
        "a path in a world file starts at its folder, one after --policy at the current folder; \
         `voltide plugins list` shows the policies that have a name"
    ))]
    Missing {
        /// The file.
        file: PathBuf,
    },

    /// The file cannot be read.
    #[error("plugin {} cannot be read: {reason}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        reason: String,
    },

    /// The file is no library that this machine can load.
    #[error("{} is not a library that can be loaded here: {reason}", .file.display())]
    #[diagnostic(help(
        "a plugin is a shared library for this machine: `crate-type = [\"cdylib\"]`, or `cc \
         -shared -fPIC`"
    ))]
    NotALibrary {
        /// The file.
        file: PathBuf,
        /// What the loader says.
        reason: String,
    },

    /// The library does not export the entry symbol.
    #[error("{} is not a voltide policy: it has no symbol `voltide_policy_v1`", .file.display())]
    #[diagnostic(help(
        "write `voltide_policy::export_policy!(YourPolicy);` in the plugin's lib.rs"
    ))]
    NotAPlugin {
        /// The file.
        file: PathBuf,
    },

    /// Plugin and program speak different versions of the contract.
    #[error("{plugin} was built for policy ABI {found}, this program speaks {expected}")]
    #[diagnostic(help("build the plugin against voltide-policy of this program's version"))]
    Abi {
        /// The plugin's file or name.
        plugin: String,
        /// Its version, or `another major` when it refused to tell.
        found: String,
        /// The program's version.
        expected: String,
    },

    /// What the plugin says of itself is not right.
    #[error("{plugin} is broken: {reason}")]
    Malformed {
        /// The plugin's file or name.
        plugin: String,
        /// What is wrong.
        reason: String,
    },

    /// The policy does not understand its config.
    #[error("policy `{policy}` does not accept its config: {message}")]
    #[diagnostic(help("its config is the value under `{policy}` in the world's `policies`"))]
    Config {
        /// The policy.
        policy: String,
        /// What it says.
        message: String,
        /// Where in the world's text; `None` when the world has no config for it.
        #[label("here")]
        span: Option<SourceSpan>,
    },

    /// A config under a name that is probably meant to be another.
    #[error("no policy is named `{name}`, so that its config goes unread")]
    #[diagnostic(help("did you mean `{close}`?"))]
    Misspelt {
        /// The name.
        name: String,
        /// The policy that it looks like.
        close: String,
        /// Where in the world's text; `None` when it was not found there.
        #[label("here")]
        span: Option<SourceSpan>,
    },

    /// The policy could not be created for another reason.
    #[error("policy `{policy}` could not be created: {message}")]
    Create {
        /// The policy.
        policy: String,
        /// What it says.
        message: String,
    },
}

impl HostError {
    /// Whether the world file is to be changed, not the plugin.
    pub fn is_in_world(&self) -> bool {
        matches!(self, Self::Config { .. } | Self::Misspelt { .. })
    }

    /// Where in the world's text the cause is, in bytes.
    pub fn span(&self) -> Option<Range<usize>> {
        match self {
            Self::Config { span, .. } | Self::Misspelt { span, .. } => {
                span.map(|span| span.offset()..span.offset() + span.len())
            }
            Self::Unknown { .. }
            | Self::Missing { .. }
            | Self::Unreadable { .. }
            | Self::NotALibrary { .. }
            | Self::NotAPlugin { .. }
            | Self::Abi { .. }
            | Self::Malformed { .. }
            | Self::Create { .. } => None,
        }
    }

    /// For a name that nobody has.
    pub(crate) fn unknown(name: &str, known: &[String], searched: &[PathBuf]) -> Self {
        let guess = closest(name, known)
            .map_or_else(String::new, |other| format!("did you mean `{other}`? "));
        let folders: Vec<_> = searched.iter().map(|dir| format!("\n  {}", dir.display())).collect();
        let searched =
            if folders.is_empty() { "\n  no folder".to_owned() } else { folders.concat() };
        let file = crate::search::file_name(name);
        let help =
            format!("{guess}known policies: {}\nlooked for {file} in{searched}", known.join(", "));
        Self::Unknown { name: name.to_owned(), help }
    }

    pub(crate) fn unreadable(file: &Path, error: &std::io::Error) -> Self {
        let file = file.to_owned();
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Missing { file },
            _ => Self::Unreadable { file, reason: error.to_string() },
        }
    }
}

/// The known name that `name` is a slip of the pen for: by the measure of names in world files, one
/// edit, and one more for every four letters.
pub(crate) fn closest<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    let edits =
        |other: &String| strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase());
    let nearest = known.iter().min_by_key(|other| edits(other))?;
    (edits(nearest) <= 1 + nearest.chars().count() / 4).then_some(nearest)
}
