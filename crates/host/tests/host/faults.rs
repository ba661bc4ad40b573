//! A policy that fails is a fault of one call, never of the program.

use crate::{ask, bare, embedded, policies, try_embedded};
use std::sync::{Arc, Mutex};
use voltide_policy::{
    LogLevel, Schedules,
    planner::{Planner, Replan},
    testing::{Car, ObservationBuilder},
};

fn shown() -> ObservationBuilder {
    ObservationBuilder::new(4).car(Car::default())
}

fn faulty(way: &str) -> Box<dyn Planner> {
    try_embedded(policies::faulty(), &format!("way: {way}")).unwrap()
}

#[test]
fn an_error_is_a_fault_and_the_next_call_is_made() {
    let mut policy = faulty("Error");
    for _ in 0..2 {
        let fault = ask(&mut *policy, &shown()).unwrap_err();
        assert_eq!(fault.to_string(), "policy `faulty`: the solver is not at home");
    }
}

#[test]
fn a_panic_is_a_fault_and_poisons_the_instance() {
    let mut policy = faulty("Panic");
    let fault = ask(&mut *policy, &shown()).unwrap_err().to_string();
    assert!(
        fault.starts_with("policy `faulty`: panicked at ") && fault.ends_with(": ran out of ideas"),
        "{fault}"
    );
    let fault = ask(&mut *policy, &shown()).unwrap_err();
    assert_eq!(fault.message, "is not asked again after it panicked");
    assert!(
        ask(&mut *faulty("Panic"), &shown()).is_err_and(|fault| fault.message.contains("ideas"))
    );
}

#[test]
fn a_failed_call_leaves_no_half_answer() {
    let mut power_kw = [1.0; 4];
    let shown = shown();
    let mut schedules = Schedules { power_kw: &mut power_kw, horizon: 4 };
    assert!(faulty("Panic").plan(&shown.build(), &mut schedules).is_err());
    assert!(power_kw.iter().all(|&power| power == 0.0));
}

#[test]
fn an_exchanged_matrix_is_a_fault() {
    let fault = ask(&mut *faulty("Exchange"), &shown()).unwrap_err();
    assert_eq!(fault.message, "put another matrix in the place of its answer");
}

#[test]
fn log_lines_and_panics_reach_the_programs_log() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let taken = lines.clone();
    let log = move |level: LogLevel, policy: &str, message: &str| {
        taken.lock().unwrap().push(format!("{level:?} {policy}: {message}"));
    };
    let plugins = bare().with_embedded(policies::counter()).with_embedded(policies::faulty());
    let plugins = plugins.with_log(Arc::new(log));
    ask(&mut *plugins.load("counter", "", 0).unwrap(), &shown()).unwrap();
    ask(&mut *plugins.load("faulty", "way: Panic", 0).unwrap(), &shown()).unwrap_err();
    let lines = lines.lock().unwrap();
    assert_eq!(lines[0], "Info counter: call 1");
    assert!(lines[1].starts_with("Error faulty: panicked at "), "{lines:?}");
}

#[test]
fn a_stateful_policy_goes_on_where_it_was_saved() {
    let mut policy = embedded(policies::counter());
    ask(&mut *policy, &shown()).unwrap();
    ask(&mut *policy, &shown()).unwrap();
    let state = policy.save().unwrap();
    let mut resumed = embedded(policies::counter());
    resumed.load(&state).unwrap();
    assert_eq!(ask(&mut *resumed, &shown()), ask(&mut *policy, &shown()));
    let fault = resumed.load(&[1, 2]).unwrap_err();
    assert_eq!(fault.message, "a state has 1 byte, not 2");
}

#[test]
fn a_policy_without_memory_has_an_empty_state() {
    let mut policy = bare().load("uncontrolled", "", 0).unwrap();
    assert_eq!(policy.save(), Ok(Vec::new()));
    assert_eq!(policy.load(&[]), Ok(()));
    assert!(policy.load(&[1]).is_err());
}

#[test]
fn declarations_are_passed_on() {
    let policy = embedded(policies::counter());
    let info = policy.info();
    assert_eq!((info.name.as_str(), info.version.as_str()), ("counter", env!("CARGO_PKG_VERSION")));
    assert_eq!((info.replan, info.horizon_slots), (Replan::Every(4), 96));
    assert!(info.whole_site && info.stateful && info.hash.is_empty() && info.file.is_empty());
}
