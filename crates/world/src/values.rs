//! Values that only worlds have: quantities of the model, counts, and the configs of policies.

use crate::dialect::{Report, WorldText};
use ron_places::{
    Node, Read,
    read::expected,
    shape::{Kind, with_article},
};
use std::str::FromStr;
use voltide_model::quantity::{
    Hours, KilowattHours, Kilowatts, KilowattsPerHour, Price, QuantityError, Share, TimeOfDay,
};

/// A whole number from 1 to `MOST`; its user refuses 0 and what is above.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count<const MOST: u32 = { u32::MAX }>(pub(crate) u32);

impl<const MOST: u32> Read<WorldText> for Count<MOST> {
    fn kind() -> Kind {
        Kind::Bare("whole number")
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        let value = node.parse::<u32>().ok().map(Self);
        value.or_else(|| expected(node, report, &format!("a whole number from 1 to {MOST}")))
    }
}

impl Read<WorldText> for Share {
    fn kind() -> Kind {
        Kind::Bare("share")
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        let share = match (node.parse::<f64>(), node.parse::<String>()) {
            (Ok(number), _) => Self::new(number),
            (_, Ok(text)) => text.parse(),
            _ => return expected(node, report, "a share such as 0.95 or \"95 %\""),
        };
        share.map_err(|error| quantity_problem(node, &error, report)).ok()
    }
}

macro_rules! read_quantity {
    ($($ty:ty, $what:literal, $example:literal;)*) => {$(
        impl Read<WorldText> for $ty {
            fn kind() -> Kind {
                Kind::Text($what)
            }

            fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
                let what = format!("{} such as {}", with_article($what), $example);
                read_text(node, &what, report)
            }
        }
    )*};
}
read_quantity! {
    Kilowatts, "power", "\"7 kW\"";
    KilowattHours, "energy", "\"60 kWh\"";
    KilowattsPerHour, "ramp", "\"245 kW/h\"";
    Hours, "duration", "\"15 min\"";
    TimeOfDay, "time of day", "\"17:30\"";
    Price, "price", "\"0.30 EUR/kWh\"";
}

/// Reads a quantity from a string.
fn read_text<T: FromStr<Err = QuantityError>>(
    node: &Node<'_>,
    what: &str,
    report: &mut Report,
) -> Option<T> {
    let Ok(text) = node.parse::<String>() else {
        return expected(node, report, what);
    };
    text.parse().map_err(|error| quantity_problem(node, &error, report)).ok()
}

fn quantity_problem(node: &Node<'_>, error: &QuantityError, report: &mut Report) {
    let kind = with_article(error.kind);
    let help = format!("{kind} is written like {}", error.example);
    report.add_help(
        node.place,
        format!("`{}`: {}", node.path, error.problem),
        &format!("not {kind}"),
        help,
    );
}

/// The verbatim text between the parentheses of a policy's config.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The text.
    pub(crate) text: String,
    /// Its byte offset in the document.
    pub(crate) offset: usize,
}

impl Read<WorldText> for Config {
    fn kind() -> Kind {
        Kind::Any("fields of the policy")
    }

    fn read(node: &Node<'_>, report: &mut Report) -> Option<Self> {
        match node.inside() {
            // Without a name before it: the policy is named by the key.
            Some((text, offset)) if node.text.starts_with('(') => {
                Some(Self { text: text.to_owned(), offset })
            }
            _ => expected(node, report, "the policy's own fields, `(...)`"),
        }
    }
}
