//! What is wrong with a problem, and where in the JSON.

/// When a problem was turned down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// While it was read: its shape, a field, a unit.
    Schema,
    /// Before solving: its hard constraints contradict each other.
    Prepare,
}

impl Stage {
    /// The name that FlexMeasures gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Prepare => "prepare",
        }
    }
}

/// A problem that was turned down.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct Rejection {
    /// When.
    pub stage: Stage,
    /// Where in the JSON, as in `flex-model.soc-minima[0].datetime`; empty for the problem as a
    /// whole.
    pub path: String,
    /// What is wrong and what would be right, in lower case.
    pub problem: String,
}

impl Rejection {
    /// A part of the JSON that is not what it should be.
    pub(crate) fn schema(path: impl Into<String>, problem: impl ToString) -> Self {
        Self { stage: Stage::Schema, path: path.into(), problem: problem.to_string() }
    }

    /// Constraints that cannot hold together.
    pub(crate) fn prepare(path: impl Into<String>, problem: impl ToString) -> Self {
        Self { stage: Stage::Prepare, path: path.into(), problem: problem.to_string() }
    }
}

/// What reading gives.
pub(crate) type Read<T> = Result<T, Rejection>;
