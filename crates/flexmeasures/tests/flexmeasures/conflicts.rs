//! Where there is no schedule: which constraint cannot hold, whose it is, and when.

use crate::refusals::battery;
use serde_json::{Value, json};
use voltide_flexmeasures::{Conflict, Mode, Status, read, solve};

/// The conflict of a battery with `change`, in the mode of FlexMeasures.
fn conflict(change: Value) -> Conflict {
    let problem = read(&battery(change), Mode::FlexMeasures)
        .unwrap_or_else(|rejection| panic!("{rejection}"));
    let answer = solve(&problem, Mode::FlexMeasures);
    assert_eq!(answer.status, Status::Infeasible);
    answer.conflict.expect("a conflict")
}

#[test]
fn a_start_outside_the_range_names_the_bound_and_what_can_be_reached() {
    let below = conflict(json!({"flex-model": {"soc-at-start": "0 kWh", "soc-min": "40 kWh"}}));
    assert_eq!((below.owner.as_str(), below.field, below.tick), ("battery", "soc-min", 1));
    assert!(below.reason.contains("at most 11.859 kWh"), "{}", below.reason);
    let above = conflict(json!({"flex-model": {"soc-at-start": "120 kWh"}}));
    assert_eq!((above.field, above.tick), ("soc-max", 1));
}

#[test]
fn hard_wishes_are_named_by_their_field_and_tick() {
    let at = json!([{"value": "95 kWh", "datetime": "2024-06-12T00:30:00+02:00"}]);
    for field in ["soc-minima", "soc-targets"] {
        let found = conflict(
            json!({"flex-model": {field: at}, "flex-context": {"relax-constraints": false}}),
        );
        assert_eq!((found.field, found.tick), (field, 2), "{found:?}");
    }
}

#[test]
fn a_limit_that_the_load_exceeds_is_named_with_its_slot() {
    let load = json!({"unit": "kW", "resolution": "PT1H", "start": "2024-06-12T00:00:00+02:00", "values": [0, 80, 0, 0]});
    let found = conflict(json!({
        "flex-context": {"site-power-capacity": "20 kW", "inflexible-consumption": [{"sensor": "load"}]},
        "sensors": {"load": load}
    }));
    assert_eq!((found.owner.as_str(), found.tick), ("site-power-capacity", 4));
    assert!(found.reason.contains("10.000 kW"), "{}", found.reason);
}

#[test]
fn modes_that_leave_no_power_are_named() {
    let modes = json!([{"consumption-range": ["60 kW", "70 kW"]}]);
    let found = conflict(json!({"flex-model": {"operation-modes": modes}}));
    assert_eq!((found.field, found.tick), ("operation-modes", 0));
}
