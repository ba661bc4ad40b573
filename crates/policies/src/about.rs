//! What each shipped policy does and can be told, said once for the program and the docs.

/// What a shipped policy does, in words for those who choose one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// Its name.
    pub name: &'static str,
    /// What its cars do.
    pub does: &'static str,
    /// Whether it ever plans to discharge. One that does not plans no discharging in any world.
    pub discharges: bool,
    /// Its config as it is where a world gives none, in RON.
    pub config: &'static str,
    /// What the fields of the config mean; empty where there are none.
    pub fields: &'static str,
}

const TIE: &str = "`tie`: which of the cheapest schedules: `Spread` over all slots of one price, \
                   `Earliest`, or `ValleyFill`, which evens out the net load";

/// All shipped policies, in the order of [`tables`](crate::tables).
pub const ABOUT: [About; 10] = [
    About {
        name: "uncontrolled",
        does: "charges at once, as fast as possible, until the target is reached; knows no price",
        discharges: false,
        config: "()",
        fields: "",
    },
    About {
        name: "smart",
        does: "charges each car in the cheapest slots of its stay, at its tariff",
        discharges: false,
        config: "(tie: Spread)",
        fields: TIE,
    },
    About {
        name: "smart-incentive",
        does: "the same at the incentive price: what `v2g` does without discharging",
        discharges: false,
        config: "(tie: Spread)",
        fields: TIE,
    },
    About {
        name: "v2g",
        does: "charges and discharges each car at least cost, wear included, at the incentive \
               price; discharges only where the stay is long enough and the driver agrees",
        discharges: true,
        config: "(solver: Exact, tie: Spread)",
        fields: "`solver`: `Exact`, or `Lp` or `Milp` through CBC; `tie`: as for `smart`, with \
                 `Exact` only",
    },
    About {
        name: "coordinated",
        does: "plans all cars together, as one fleet, by the forecast of net load that the world \
               declares, at the incentive price; keeps the limits of sites",
        discharges: true,
        config: "(objective: Cost, discharge: false, share: Cost)",
        fields: "`objective`: `Cost`, what cars pay; `Valley`, net load as even as can be; \
                 `Peak(price: \"120 EUR/kW\")`, what cars pay and so much for the highest net load \
                 above what it has been; `Follow(\"name\")`, one of the world's `series` as the \
                 fleet's power; `System`, what the plant's supply costs by its schedule of the \
                 day; `discharge`: whether cars may, where their stay is long enough and \
                 the driver agrees; `share`: who goes short where limits leave too little, `Cost`, \
                 whoever that is cheapest for, or `Even`, all in proportion",
    },
    About {
        name: "alap",
        does: "charges as late as possible, at full power; knows no price",
        discharges: false,
        config: "()",
        fields: "",
    },
    About {
        name: "edf",
        does: "behind a site limit: who leaves first charges first; knows no price",
        discharges: false,
        config: "()",
        fields: "",
    },
    About {
        name: "llf",
        does: "behind a site limit: who has least time to spare charges first; knows no price",
        discharges: false,
        config: "()",
        fields: "",
    },
    About {
        name: "round-robin",
        does: "behind a site limit: everyone in turn gets an increment of power; knows no price",
        discharges: false,
        config: "(increment_kw: 1.0)",
        fields: "`increment_kw`: power that a turn adds, at least 0.001",
    },
    About {
        name: "threshold",
        does: "charges when energy is cheap and sells when it is dear, at the incentive price; \
               looks at no wear",
        discharges: true,
        config: "(charge_below: None, discharge_above: None)",
        fields: "`charge_below`, `discharge_above`: prices per kWh, `Some(0.20)`; without one it \
                 is the mean price of the stay",
    },
];

/// What is said of the shipped policy of a name.
pub fn about(name: &str) -> Option<&'static About> {
    ABOUT.iter().find(|about| about.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Coordinated, RoundRobin, Smart, SmartIncentive, Threshold, Uncontrolled, V2g};
    use serde::Deserialize;
    use std::fmt::Debug;

    /// Holds that a config is the default, field by field, and that each field is explained.
    fn assert_default<'a, P: Deserialize<'a> + Default + Debug>(name: &str) {
        let about = about(name).unwrap();
        let read: P = ron::from_str(about.config).unwrap();
        assert_eq!(format!("{read:?}"), format!("{:?}", P::default()), "{name}");
        let fields = about.config.split([',', '(', ')']).filter_map(|field| field.split_once(':'));
        let mut count = 0;
        for (field, _) in fields {
            assert!(about.fields.contains(&format!("`{}`", field.trim())), "{name}: {field}");
            count += 1;
        }
        assert_eq!(
            count,
            format!("{:?}", P::default()).matches(": ").count(),
            "{name} has other fields"
        );
    }

    #[test]
    fn every_config_is_the_one_without_any_and_every_field_is_explained() {
        assert_default::<Uncontrolled>("uncontrolled");
        assert_default::<Smart>("smart");
        assert_default::<SmartIncentive>("smart-incentive");
        assert_default::<V2g>("v2g");
        assert_default::<Coordinated>("coordinated");
        assert_default::<RoundRobin>("round-robin");
        assert_default::<Threshold>("threshold");
    }
}
