//! The exact way and the program come to the same cost, on random problems of one battery.

use crate::{Mode, Problem, exact, exact::Attempt, problem::Course, program, read};
use proptest::prelude::*;
use serde_json::{Value, json};
use voltide_schedule::Outcome;

/// Slots of a problem, of 15 minutes.
const SLOTS: usize = 12;

fn at(tick: usize) -> String {
    format!("2024-06-12T{:02}:{:02}:00+02:00", tick / 4, tick % 4 * 15)
}

fn prices(values: &[f64]) -> Value {
    let event = |(slot, value): (usize, &f64)| json!({"start": at(slot), "end": at(slot + 1), "value": format!("{value:.4} EUR/kWh")});
    values.iter().enumerate().map(event).collect()
}

fn events() -> impl Strategy<Value = Vec<(usize, f64)>> {
    prop::collection::vec((1..=SLOTS, 5.0..95.0_f64), 0..3)
}

fn wishes(events: &[(usize, f64)]) -> Value {
    events.iter().map(|(tick, kwh)| json!({"value": kwh, "datetime": at(*tick)})).collect()
}

fn any_problem() -> impl Strategy<Value = Value> {
    let price = || prop::collection::vec(-0.1..0.5_f64, SLOTS);
    let battery = (
        0.0..100.0_f64,
        0.0..60.0_f64,
        0.0..60.0_f64,
        0.7..=1.0_f64,
        0.95..=1.0_f64,
        -4.0..4.0_f64,
    );
    let flags = (any::<bool>(), any::<bool>(), prop::sample::select(vec![0.01, 0.2, 5.0, 1000.0]));
    (price(), price(), battery, (events(), events(), events()), flags).prop_map(
        |(buy, sell, (start, up, down, efficiency, kept, gain), (minima, maxima, targets), (sooner, soft, breach))| {
            let breach = format!("{breach} EUR/kWh");
            let flow = if gain > 0.0 { "soc-gain" } else { "soc-usage" };
            let mut model = json!({
                "soc-at-start": start, "soc-min": 10, "soc-max": 90, "power-capacity": "60 kW",
                "consumption-capacity": format!("{up:.3} kW"), "production-capacity": format!("{down:.3} kW"),
                "roundtrip-efficiency": efficiency, "storage-efficiency": kept, "prefer-charging-sooner": sooner,
                "soc-minima": wishes(&minima), "soc-maxima": wishes(&maxima), "soc-targets": wishes(&targets),
            });
            model[flow] = json!([format!("{:.3} kW", gain.abs())]);
            let mut context = json!({"consumption-price": prices(&buy), "production-price": prices(&sell)});
            if soft {
                context["soc-minima-breach-price"] = json!(breach);
                context["soc-maxima-breach-price"] = json!(breach);
            }
            json!({
                "start": at(0), "end": at(SLOTS), "resolution": "PT15M", "flex-model": model, "flex-context": context
            })
        },
    )
}

fn cost(problem: &Problem, course: &Course) -> f64 {
    assert!(problem.keeps(course, 1e-6), "a hard constraint is broken");
    problem.objective(course)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn both_ways_cost_the_same(text in any_problem()) {
        let problem = read(&text.to_string(), Mode::FlexMeasures).expect("a problem that makes sense");
        let (outcome, course) = program::solve(&problem);
        match exact::solve(&problem) {
            Attempt::Solved(power, _) => {
                let exact = cost(&problem, &problem.course(power));
                let program = cost(&problem, &course.expect("a schedule"));
                prop_assert!((exact - program).abs() <= 1e-6 * exact.abs().max(1.0), "{exact} and {program}");
            }
            Attempt::Infeasible => prop_assert_eq!(outcome, Outcome::Infeasible),
            // Wishes that contradict each other, or cost too little: only the program is left.
            Attempt::Coupled => prop_assert!(outcome.has_solution(), "{outcome:?}"),
        }
    }

    #[test]
    fn the_best_effort_always_has_a_schedule(text in any_problem()) {
        let problem = read(&text.to_string(), Mode::BestEffort).expect("a problem that makes sense");
        let answer = crate::solve(&problem, Mode::BestEffort);
        prop_assert_eq!(answer.status, crate::Status::Optimal);
    }
}
