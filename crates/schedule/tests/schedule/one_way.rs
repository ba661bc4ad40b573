//! Stores that would gain by charging and discharging at once, and may not.

use crate::{
    grid_systems::{NODES, System, assert_lawful, store},
    instances::{Random, agree},
};
use voltide_model::{
    device::{Exchange, Renewable, RenewableKind, Unit},
    flexibility::{LastStep, Readings},
    forecast::Forecast,
    plant::Plant,
    quantity::{Kilowatts, Share},
    series::Series,
    two_stage::SearchLimits,
    unit::UnitState,
};
use voltide_schedule::{
    Outcome,
    grid::{DispatchProblem, DispatchProgram, EnergyEnd, Exogenous, UnitTask},
    linear::Budget,
};

fn nothing() -> Series {
    Series { name: "none".into(), unit: "kW".into(), values: [].into() }
}

/// Sun that is dear to waste, a connection that pays who takes, and one to three stores: those of
/// few slots, and those of whom many do the same.
fn at_negative_prices(seed: u64) -> System {
    let random = &mut Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let slots = 4 + random.below(4);
    let sun = Renewable {
        name: "sun".into(),
        kind: RenewableKind::Pv,
        available: nothing(),
        forecast: Forecast::Perfect,
        cost: 0.0,
        waste_price: random.pick(&[0.0, 0.1, 0.5]),
    };
    let abroad = Exchange {
        name: "abroad".into(),
        import_max: Kilowatts(500.0),
        export_max: Kilowatts(random.pick(&[0.0, 20.0, 200.0])),
        import_price: nothing(),
        export_price: nothing(),
    };
    let stores = (0..=random.below(3)).map(|at| {
        let mut store = store(random, &format!("store-{at}"));
        store.throughput_cost = random.pick(&[0.0, 0.001]);
        store.energy_min.0 = 0.0;
        store.charge_efficiency = Share::new(random.pick(&[0.7, 0.8, 1.0])).unwrap();
        store
    });
    let stores: Vec<_> = stores.collect();
    let mut price = -0.1;
    let mut prices = || {
        if random.below(3) == 0 {
            price = random.pick(&[-0.3, -0.1, 0.2]);
        }
        price
    };
    let prices: Vec<f64> = (0..slots).map(|_| prices()).collect();
    let available = (0..slots).map(|_| random.pick(&[0.0, 150.0, 300.0])).collect();
    let mut units = vec![
        UnitTask { series: vec![available], ..UnitTask::default() },
        UnitTask { series: vec![prices.clone(), prices], ..UnitTask::default() },
    ];
    units.extend(stores.iter().map(|store| {
        let share = random.pick(&[0.0, 0.5, 1.0]);
        let energy_kwh = store.energy_max.0 * share;
        UnitTask {
            state: UnitState { energy_kwh, ..UnitState::default() },
            end: if random.below(2) == 0 {
                EnergyEnd::Free
            } else {
                EnergyEnd::Softened(store.energy_max.0 * random.pick(&[0.5, 1.0]))
            },
            ..UnitTask::default()
        }
    }));
    let mut plant = Plant::default().with([sun]);
    plant.units.push(Unit::Exchange(abroad));
    plant.units.extend(stores.into_iter().map(Unit::Store));
    let readings =
        Readings { last_step: LastStep::NextDay, ..System::random(seed, false).readings };
    System {
        plant,
        slot_hours: 0.25,
        exogenous: Exogenous { load_kw: vec![50.0; slots], ..Exogenous::default() },
        units,
        readings,
    }
}

/// The least cost by CBC, with a binary for every store and slot.
fn with_all_binaries(problem: &DispatchProblem<'_>) -> Option<f64> {
    let all = DispatchProgram::new(problem, &problem.both_ways());
    let found = all.program.solve(Budget { nodes: Some(NODES), ..Budget::default() });
    (found.outcome == Outcome::Optimal).then_some(found.objective)
}

#[test]
fn directions_that_are_searched_for_cost_what_binaries_everywhere_cost() {
    let (mut compared, mut searched) = (0, 0);
    for seed in 0..200 {
        let system = at_negative_prices(seed);
        let search = SearchLimits { nodes: 40 * NODES, gap: 0.0 };
        let problem = DispatchProblem { search, ..system.problem(seed % 4 == 0) };
        let found = problem.solve().unwrap();
        assert_lawful(&system, &found);
        let Some(least) = with_all_binaries(&problem) else { continue };
        assert_eq!(found.outcome, Outcome::Optimal, "{seed}: {}", found.bound);
        assert!(agree(found.objective, least, 1e-6), "{seed}: {} {least}", found.objective);
        compared += 1;
        searched += usize::from(found.size.solves > 1);
    }
    assert!(compared >= 190 && searched >= 50, "{compared} compared, {searched} searched");
}

/// The search is not given the time it needs, and says how far it may be from the best.
#[test]
fn a_search_for_directions_that_ends_early_says_its_gap_and_the_gap_is_true() {
    let mut early = 0;
    for seed in 0..60 {
        let system = at_negative_prices(seed);
        let stopped = SearchLimits { nodes: 1, gap: 0.0 };
        let problem = DispatchProblem { search: stopped, ..system.problem(false) };
        let found = problem.solve().unwrap();
        assert_lawful(&system, &found);
        let Some(least) = with_all_binaries(&problem) else { continue };
        let rounding = 1e-6 * least.abs().max(1.0);
        assert!(found.bound <= least + rounding && least <= found.objective + rounding, "{seed}");
        early += usize::from(matches!(found.outcome, Outcome::Feasible { .. }));
    }
    assert!(early >= 5, "{early} ended early");
}
