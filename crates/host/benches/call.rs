//! What a call of a policy costs beyond the policy itself.
//!
//! `cargo bench -p voltide-host --bench call`
//!
//! `uncontrolled` over an observation without stays, with one, and with a full batch: called in Rust,
//! through the table that is built in, and through the library. The last two cross the C ABI, and their
//! answers are checked.
#![expect(clippy::unwrap_used, reason = "a measurement may fail")]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use voltide_host::Plugins;
use voltide_policies::Uncontrolled;
use voltide_policy::{
    Host, Policy, Schedules,
    planner::Planner,
    testing::{Car, ObservationBuilder},
};

const HORIZON: usize = 96;

/// The folder in which cargo leaves the plugins, beside this program.
fn beside() -> std::path::PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_owned()
}

fn calls(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("call");
    for stays in [0, 1, 2048] {
        let cars = std::iter::repeat_n(Car::default(), stays);
        let shown = cars.fold(ObservationBuilder::new(HORIZON), ObservationBuilder::car);
        let seen = shown.build();
        let mut power_kw = vec![0.0; stays * HORIZON];
        group.bench_function(BenchmarkId::new("in-rust", stays), |b| {
            let (host, mut policy) = (Host::detached(), Uncontrolled {});
            b.iter(|| {
                power_kw.fill(0.0);
                let mut schedules = Schedules { power_kw: &mut power_kw, horizon: HORIZON };
                policy.plan(&host, black_box(&seen), &mut schedules).unwrap();
            });
        });
        let plugins =
            [("built-in", Plugins::in_folders(vec![])), ("library", Plugins::new(&[beside()]))];
        for (name, plugins) in plugins {
            let mut planner: Box<dyn Planner> = plugins.load("uncontrolled", "", 0).unwrap();
            group.bench_function(BenchmarkId::new(name, stays), |b| {
                b.iter(|| {
                    let mut schedules = Schedules { power_kw: &mut power_kw, horizon: HORIZON };
                    planner.plan(black_box(&seen), &mut schedules).unwrap()
                });
            });
        }
    }
    group.finish();
}

criterion_group!(all, calls);
criterion_main!(all);
