//! Which rules a run goes by.
//!
//! A journal is replayed, resumed and forked under the rules it was written with. Where a fix
//! changes what a new run decides or records, the rule asks [`Rules`] which of both holds; what
//! only reads a run, such as a table or a figure, has no rules to ask for.

use serde::{Deserialize, Serialize};

/// The rules of a run, by the version that brought them; a later one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub enum Rules {
    /// Those of 0.1.0.
    V1 = 1,
    /// Those that came after.
    V2 = 2,
}

impl Rules {
    /// What a run goes by that begins now.
    pub const TODAY: Self = Self::V2;
}

impl Default for Rules {
    fn default() -> Self {
        Self::TODAY
    }
}

impl From<Rules> for u32 {
    fn from(rules: Rules) -> Self {
        rules as Self
    }
}

impl TryFrom<u32> for Rules {
    type Error = UnknownRules;

    fn try_from(number: u32) -> Result<Self, UnknownRules> {
        match number {
            1 => Ok(Self::V1),
            2 => Ok(Self::V2),
            _ => Err(UnknownRules(number)),
        }
    }
}

/// Rules that a later version wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownRules(u32);

impl std::fmt::Display for UnknownRules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let today = u32::from(Rules::TODAY);
        write!(
            f,
            "the run goes by rules {}, and this version of voltide knows 1 to {today}",
            self.0
        )
    }
}

impl std::error::Error for UnknownRules {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_numbers_and_later_ones_are_refused() {
        for rules in [Rules::V1, Rules::V2] {
            assert_eq!(Rules::try_from(u32::from(rules)), Ok(rules));
        }
        let later = Rules::try_from(u32::from(Rules::TODAY) + 1).unwrap_err();
        assert!(later.to_string().contains("goes by rules 3"), "{later}");
        assert!(Rules::V1 < Rules::V2, "a rule may ask from which version on it holds");
    }
}
