//! One battery-day of 96 slots, four ways: time for each car.
//!
//! `cargo bench -p voltide-schedule --bench ways`; add `-- exact` to leave CBC out.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use voltide_schedule::{
    Method, Options, PerSlot, Solver, StorageAnswer, StorageProblem, StorageRequest, TieRule,
    solve_batch,
};

const SLOTS: usize = 96;

/// Columns of a fleet of 60 kWh cars that share prices, efficiencies and wear.
struct Fleet {
    prices: Vec<f64>,
    energy: Vec<f64>,
    target: Vec<f64>,
    discharge_kw: f64,
}

fn fleet(cars: usize, lowest: f64, discharge_kw: f64) -> Fleet {
    let noise = |at: usize| (at.wrapping_mul(2_654_435_761) % 10_007) as f64 / 10_007.0;
    Fleet {
        prices: (0..SLOTS).map(|slot| lowest + 0.5 * noise(slot + 17)).collect(),
        energy: (0..cars).map(|car| 15.0 + 25.0 * noise(car)).collect(),
        target: (0..cars).map(|car| 40.0 + 18.0 * noise(car + 5000)).collect(),
        discharge_kw,
    }
}

impl Fleet {
    fn problem(&self, car: usize) -> StorageProblem<'_> {
        StorageProblem {
            slot_hours: 0.25,
            buy: &self.prices,
            sell: &self.prices,
            degradation: 0.05,
            charge_kw_max: PerSlot::Same(7.0),
            discharge_kw_max: PerSlot::Same(self.discharge_kw),
            energy_kwh_min: PerSlot::Same(12.0),
            energy_kwh_max: PerSlot::Same(60.0),
            energy_kwh: self.energy[car],
            target_kwh: self.target[car],
            charge_efficiency: 0.95,
            discharge_efficiency: 0.95,
            terminal_value: 0.0,
            tie: TieRule::Spread,
            load_kw: &[],
        }
    }

    /// Every car as a problem of its own.
    fn one_by_one(&self, method: Method) -> f64 {
        let (mut solver, mut power) = (Solver::default(), [0.0; SLOTS]);
        let mut solve = |car| {
            let answer = solver.solve(&self.problem(car), method, Options::default(), &mut power);
            answer.expect("the problems are valid").objective
        };
        (0..self.energy.len()).map(&mut solve).sum()
    }

    /// All cars as one batch on one thread.
    fn together(&self, power: &mut [f64], answers: &mut [StorageAnswer]) {
        let cars = self.energy.len();
        let same = |value: f64| vec![value; cars];
        let request = StorageRequest {
            slot_hours: 0.25,
            horizon: SLOTS,
            buy_price: &self.prices,
            end_slot: &vec![SLOTS as u32; cars],
            energy_kwh: &self.energy,
            energy_kwh_min: &same(12.0),
            energy_kwh_max: &same(60.0),
            target_kwh: &self.target,
            charge_kw_max: &same(7.0),
            discharge_kw_max: &same(self.discharge_kw),
            charge_efficiency: &same(0.95),
            discharge_efficiency: &same(0.95),
            degradation_per_kwh: &same(0.05),
            terminal_value_per_kwh: &same(0.0),
            ..StorageRequest::default()
        };
        solve_batch(&request, 1, power, answers).expect("the batch is valid");
    }
}

fn ways(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("v2g");
    group.sample_size(10);
    for cars in [1, 100, 1000] {
        let fleet = fleet(cars, 0.05, 7.0);
        group.throughput(Throughput::Elements(cars as u64));
        group.bench_function(BenchmarkId::new("exact", cars), |b| {
            b.iter(|| fleet.one_by_one(Method::Exact));
        });
        let (mut power, mut answers) =
            (vec![0.0; cars * SLOTS], vec![StorageAnswer::default(); cars]);
        group.bench_function(BenchmarkId::new("exact-shared", cars), |b| {
            b.iter(|| fleet.together(&mut power, &mut answers));
        });
    }
    for cars in [1, 100] {
        let fleet = fleet(cars, 0.05, 7.0);
        group.throughput(Throughput::Elements(cars as u64));
        group.bench_function(BenchmarkId::new("lp", cars), |b| {
            b.iter(|| fleet.one_by_one(Method::Lp));
        });
    }
    group.finish();
}

fn negative_prices(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("v2g-negative");
    group.sample_size(10);
    for cars in [1, 100] {
        let fleet = fleet(cars, -0.3, 7.0);
        group.throughput(Throughput::Elements(cars as u64));
        for (name, method) in [("exact", Method::Exact), ("milp", Method::Milp)] {
            group.bench_function(BenchmarkId::new(name, cars), |b| {
                b.iter(|| fleet.one_by_one(method));
            });
        }
    }
    group.finish();
}

fn smart(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("v1g");
    group.sample_size(10);
    let fleet = fleet(1000, 0.05, 0.0);
    group.throughput(Throughput::Elements(1000));
    for (name, method) in [("exact", Method::Exact), ("closed-form", Method::V1g)] {
        group.bench_function(BenchmarkId::new(name, 1000), |b| b.iter(|| fleet.one_by_one(method)));
    }
    let (mut power, mut answers) = (vec![0.0; 1000 * SLOTS], vec![StorageAnswer::default(); 1000]);
    group.bench_function(BenchmarkId::new("exact-shared", 1000), |b| {
        b.iter(|| fleet.together(&mut power, &mut answers));
    });
    group.finish();
}

criterion_group!(all, ways, negative_prices, smart);
criterion_main!(all);
