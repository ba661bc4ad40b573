//! Events as people see them.

use crate::history::{run_started, tick_events};
use voltide_journal::{
    describe::describe,
    event::{Entity, Event, SeriesLoaded, SessionStarted},
};
use voltide_model::id::{EvId, StayId};

#[test]
fn a_batch_is_told_by_rows_and_sums() {
    let told: Vec<String> =
        tick_events(2).iter().map(|event| describe(event).to_string()).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    {"at_us":1538958600000000}
    {"departure_kwh":96.0,"driven_kwh":7.55,"energy_kwh":14.5,"rows":2}
    {"rows":2,"segments":3}
    {"applied_kw":806.6666666666665,"asked_kw":2420.0,"reason":{"site":40},"rows":40}
    {}
    "#);
}

#[test]
fn a_series_is_told_by_its_range() {
    let series =
        SeriesLoaded { name: "pv".into(), unit: "kW".into(), values: vec![0.0, 2.5, f64::NAN] };
    let event = Event::SeriesLoaded(series);
    insta::assert_snapshot!(describe(&event), @r#"{"name":"pv","unit":"kW","values":{"count":3,"max":2.5,"min":0.0}}"#);
    assert_eq!(event.entity(), Some(Entity { kind: "series", id: "pv".into() }));
}

#[test]
fn the_world_text_is_told_by_its_length() {
    insta::assert_snapshot!(describe(&run_started("abc")), @r#"{"build":{"engine_version":"0.1.0","git":"abc","plugin_file":"","plugin_hash":"","policy_version":"","time_zone_data":""},"config_hash":"abababababababababababababababababababababababababababababababab","ev_count":40,"overrides":["seed=7"],"policy":"uncontrolled","policy_config":"","rules":2,"seed":7,"slot_seconds":900,"slots":60,"start_us":1538956800000000,"time_zone":"Europe/Berlin","world":"one-car","world_text":{"bytes":22}}"#);
}

#[test]
fn only_a_single_row_is_about_one_car() {
    let one = Event::SessionStarted(SessionStarted {
        ev: [7].map(EvId).to_vec().into(),
        stay: [9].map(StayId).to_vec().into(),
        ..SessionStarted::default()
    });
    assert_eq!(
        (one.entity(), one.session()),
        (Some(Entity { kind: "ev", id: "7".into() }), Some(9))
    );
    let two = &tick_events(0)[1];
    assert_eq!((two.entity(), two.session(), two.rows()), (None, None, Some(2)));
}
