//! What the author of a policy implements.

use crate::{
    abi::Host,
    observation::{Observation, Schedules},
    planner::Replan,
    world::World,
};
use ron::{Options, error::Position, extensions::Extensions};
use serde::de::DeserializeOwned;

/// What a policy's functions return; any error converts with `?`.
pub type Result<T = (), E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// A dispatch policy. Its type is its config: the value under its name in the world file's
/// `policies` is read into it. Without one it is read from `()`.
///
/// A policy that remembers something between calls keeps it in fields with `#[serde(skip)]` and
/// declares itself [`STATEFUL`](Self::STATEFUL), or resuming a run will not lead to the same
/// results.
pub trait Policy: DeserializeOwned + Send + 'static {
    /// The name by which a world file chooses it.
    const NAME: &'static str;
    /// When a stay is shown again after its first schedule.
    const REPLAN: Replan = Replan::OnPlugIn;
    /// Longest horizon that the policy makes use of, in slots; 0 for no limit.
    const HORIZON_SLOTS: u32 = 0;
    /// Whether all plugged cars of a site are to be shown when any of them is due.
    const WHOLE_SITE: bool = false;
    /// Whether its cars pay and are paid the incentive price, instead of their tariff: the prices
    /// that it is shown as `buy_price` and `sell_price`, and that its cars are billed.
    const PAYS_INCENTIVE: bool = false;
    /// Whether all plugged cars of a tree of sites are to be shown, as
    /// [`Shown::Tree`](crate::observation::Shown::Tree), where the plans that it made of cars alone
    /// do not keep the limits of that tree together.
    const WHOLE_TREE: bool = false;
    /// Whether its cars act as one fleet: those that are due in a slot are shown at once, and where
    /// it plans again ([`REPLAN`](Self::REPLAN)), all plugged cars together, in every slot whose
    /// number that divides.
    const WHOLE_FLEET: bool = false;
    /// Whether [`save`](Self::save) and [`load`](Self::load) carry a memory.
    const STATEFUL: bool = false;

    /// Meets the world that it will plan in, before anything is planned. `config` is the text that
    /// it was read from, for errors that have a place there.
    ///
    /// # Errors
    ///
    /// Where the world lacks what the config asks for.
    fn enter(&mut self, _world: &World, _config: &str) -> Result<(), ConfigError> {
        Ok(())
    }

    /// Fills in the schedules of the stays shown, which are 0 before.
    ///
    /// # Errors
    ///
    /// Whatever keeps the policy from answering; the world's fallback policy answers in its place.
    fn plan(
        &mut self,
        host: &Host,
        seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result;

    /// The memory, in a form of the policy's own.
    fn save(&self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    /// Takes up a memory that [`save`](Self::save) gave, perhaps that of an earlier version.
    ///
    /// # Errors
    ///
    /// When the memory cannot be read.
    fn load(&mut self, _state: &[u8]) -> Result {
        Ok(())
    }
}

/// How much a line in the log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum LogLevel {
    /// Something failed.
    Error = crate::abi::LOG_ERROR,
    /// Something that the user should look at.
    Warn = crate::abi::LOG_WARN,
    /// Worth knowing.
    Info = crate::abi::LOG_INFO,
    /// For the policy's author.
    Debug = crate::abi::LOG_DEBUG,
}

/// A config that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    /// What is wrong.
    pub message: String,
    /// Where in the config, in bytes from its start, if it is one place.
    pub offset: Option<usize>,
}

/// Reads a policy from its config, a RON value; from `()` when there is none.
pub fn from_config<P: DeserializeOwned>(config: &str) -> Result<P, ConfigError> {
    let text = if config.trim().is_empty() { "()" } else { config };
    // So that `charge_below: 0.2` may stand for `Some(0.2)`.
    let options = Options::default().with_default_extension(Extensions::IMPLICIT_SOME);
    options.from_str(text).map_err(|error| ConfigError {
        message: in_words(&error.code),
        offset: byte_offset(text, error.span.start),
    })
}

/// What is wrong, as a fragment that can follow a colon, in words of who writes configs.
fn in_words(error: &ron::Error) -> String {
    // RON's own words name types of Rust, of which authors of worlds know nothing.
    match error {
        ron::Error::MissingStructField { field, .. } => format!("the field `{field}` is missing"),
        ron::Error::DuplicateStructField { field, .. } => {
            format!("the field `{field}` is given twice")
        }
        ron::Error::NoSuchStructField { expected: [], found, .. } => {
            format!("there is no field `{found}`: it has no fields")
        }
        ron::Error::NoSuchStructField { expected, found, .. } => {
            format!("there is no field `{found}`; there is: {}", expected.join(", "))
        }
        ron::Error::NoSuchEnumVariant { expected, found, .. } => {
            format!("`{found}` is not one of: {}", expected.join(", "))
        }
        other => uncapitalised(&other.to_string()),
    }
}

/// A message as a fragment that can follow a colon.
fn uncapitalised(message: &str) -> String {
    let mut chars = message.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// The byte at which the first word from a line and column (of characters) on begins, both counted
/// from 1.
fn byte_offset(text: &str, position: Position) -> Option<usize> {
    let before =
        text.split_inclusive('\n').take(position.line.checked_sub(1)?).map(str::len).sum::<usize>();
    let line = text.get(before..)?;
    let column = line.char_indices().nth(position.col.checked_sub(1)?);
    let start = before + column.map_or(line.len(), |(byte, _)| byte);
    Some(start + text[start..].find(|char: char| !char.is_whitespace()).unwrap_or(0))
}

/// The table of a policy, for a program that has the policy built in.
///
/// Takes the policy's type and yields a `&'static PolicyTable`; its version is that of the crate in
/// which this is written.
#[macro_export]
macro_rules! policy_table {
    ($policy:ty) => {{
        static TABLE: $crate::abi::PolicyTable =
            $crate::abi::table::<$policy>(env!("CARGO_PKG_VERSION"));
        &TABLE
    }};
}

/// Makes a plugin of the crate: exports the one symbol that the program looks for.
///
/// Takes the policy's type. The crate needs `crate-type = ["cdylib"]`.
#[macro_export]
macro_rules! export_policy {
    ($policy:ty) => {
        /// The policy's table, or null for a program that speaks another major version.
        #[unsafe(no_mangle)]
        pub extern "C" fn voltide_policy_v1(
            host_major: u16,
            _host_minor: u16,
        ) -> *const $crate::abi::PolicyTable {
            if host_major == $crate::abi::ABI_MAJOR {
                $crate::policy_table!($policy)
            } else {
                ::core::ptr::null()
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Knobs {
        gain: Option<f64>,
        mode: Mode,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Prices {
        #[expect(dead_code, reason = "only whether it is there matters")]
        charge_below: f64,
    }

    #[test]
    fn config_errors_are_words_of_who_writes_configs() {
        let said = |config: &str| from_config::<Prices>(config).unwrap_err().message;
        assert_eq!(said("()"), "the field `charge_below` is missing");
        assert_eq!(
            said("(charge_below: 1, charge_below: 2)"),
            "the field `charge_below` is given twice"
        );
        assert_eq!(said("(charge: 1)"), "there is no field `charge`; there is: charge_below");
    }

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    enum Mode {
        #[default]
        Slow,
        Fast,
    }

    #[test]
    fn config_is_read_into_the_policys_own_type() {
        assert_eq!(
            from_config(" (gain: 2.0, mode: Fast) "),
            Ok(Knobs { gain: Some(2.0), mode: Mode::Fast })
        );
        assert_eq!(from_config(""), Ok(Knobs::default()));
    }

    #[test]
    fn config_errors_point_at_a_byte() {
        let at = |config: &str| {
            let error = from_config::<Knobs>(config).unwrap_err();
            let offset = error.offset.unwrap();
            format!("{} at `{}`", error.message, &config[offset..])
        };
        insta::assert_snapshot!(at("(\n  gian: 2.0,\n)"), @r"
        there is no field `gian`; there is: gain, mode at `gian: 2.0,
        )`
        ");
        insta::assert_snapshot!(at("(/* Öl */ gain: \"x\")"), @r#"expected float at `"x")`"#);
        insta::assert_snapshot!(at("(mode: Medium)"), @"`Medium` is not one of: Slow, Fast at `Medium)`");
        insta::assert_snapshot!(at("(gain: 1.0"), @"expected comma at `1.0`");
    }
}
