//! Events as people see them.

use crate::history::{run_started, tick_events};
use voltide_journal::{
    describe::{Entity, describe},
    event::{Event, SeriesLoaded, SessionStarted},
};

#[test]
fn a_batch_is_told_by_rows_and_sums() {
    let told: Vec<String> = tick_events(2).iter().map(|event| describe(event).to_string()).collect();
    insta::assert_snapshot!(told.join("\n"), @"");
}

#[test]
fn a_series_is_told_by_its_range() {
    let series = SeriesLoaded { name: "pv".into(), unit: "kW".into(), values: vec![0.0, 2.5, f64::NAN] };
    let event = Event::SeriesLoaded(series);
    insta::assert_snapshot!(describe(&event), @"");
    assert_eq!(event.entity(), Some(Entity { kind: "series", id: "pv".into() }));
}

#[test]
fn the_world_text_is_told_by_its_length() {
    insta::assert_snapshot!(describe(&run_started("abc")), @"");
}

#[test]
fn only_a_single_row_is_about_one_car() {
    let one =
        Event::SessionStarted(SessionStarted { ev: vec![7], stay: vec![9], ..SessionStarted::default() });
    assert_eq!((one.entity(), one.session()), (Some(Entity { kind: "ev", id: "7".into() }), Some(9)));
    let two = &tick_events(0)[1];
    assert_eq!((two.entity(), two.session(), two.rows()), (None, None, Some(2)));
}
