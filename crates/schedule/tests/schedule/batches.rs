//! Batches give what their rows give one by one, on any number of threads.

use crate::instances::{Random, solve};
use voltide_schedule::{
    BatchError, Method, PerSlot, StorageAnswer, StorageProblem, StorageRequest, TieRule, check,
    solve_batch,
};

const HORIZON: usize = 96;

/// The slot with which the horizon begins.
const ORIGIN: u32 = 1000;

/// Slots of the horizon as those of the run.
fn absolute(slots: &[u32]) -> Vec<u32> {
    slots.iter().map(|slot| slot + ORIGIN).collect()
}

/// Columns of a batch, owned.
#[derive(Default)]
struct Fleet {
    buy: Vec<f64>,
    sell: Vec<f64>,
    load: Vec<f64>,
    tariff: Vec<u32>,
    first: Vec<u32>,
    end: Vec<u32>,
    energy: Vec<f64>,
    target: Vec<f64>,
    charge_kw: Vec<f64>,
    discharge_kw: Vec<f64>,
    wear: Vec<f64>,
    may_discharge: Vec<u8>,
    bound_offset: Vec<u32>,
    bound_slot: Vec<u32>,
    bound_min: Vec<f64>,
    bound_max: Vec<f64>,
    same: Vec<[f64; 5]>,
}

fn fleet(rows: usize, lowest: f64) -> Fleet {
    let mut random = Random(9);
    let mut fleet = Fleet { bound_offset: vec![0], ..Fleet::default() };
    for _ in 0..3 * HORIZON {
        let price = random.between(lowest, 0.5);
        fleet.buy.push(price);
        fleet.sell.push(price - 0.02);
    }
    fleet.load = (0..HORIZON).map(|_| random.between(-2.0, 4.0)).collect();
    for _ in 0..rows {
        let first = random.below(70);
        let end = first + random.below(HORIZON - first + 1);
        fleet.tariff.push(random.below(3) as u32);
        fleet.first.push(first as u32);
        fleet.end.push(end as u32);
        fleet.energy.push(random.between(15.0, 55.0));
        fleet.target.push(random.between(20.0, 58.0));
        fleet.charge_kw.push(random.pick(&[3.7, 7.0, 11.0]));
        fleet.discharge_kw.push(random.pick(&[0.0, 7.0]));
        fleet.wear.push(random.pick(&[0.0, 0.05]));
        fleet
            .may_discharge
            .extend((0..HORIZON / 8).map(|_| random.bits() as u8 | random.bits() as u8));
        for _ in 0..random.below(3) {
            fleet.bound_slot.push(random.below(HORIZON + 1) as u32);
            fleet.bound_min.push(random.between(15.0, 30.0));
            fleet.bound_max.push(random.between(40.0, 60.0));
        }
        fleet.bound_offset.push(fleet.bound_slot.len() as u32);
        fleet.same.push([12.0, 60.0, 0.95, 0.9, 0.1]);
    }
    fleet
}

impl Fleet {
    fn column(&self, index: usize) -> Vec<f64> {
        self.same.iter().map(|values| values[index]).collect()
    }

    fn solve(
        &self,
        method: Method,
        threads: usize,
    ) -> Result<(Vec<StorageAnswer>, Vec<f64>), BatchError> {
        let columns: Vec<Vec<f64>> = (0..5).map(|index| self.column(index)).collect();
        let request = StorageRequest {
            method,
            tie: TieRule::ValleyFill,
            strict: false,
            slot_hours: 0.25,
            origin_slot: ORIGIN,
            horizon: HORIZON,
            buy_price: &self.buy,
            sell_price: &self.sell,
            load_kw: &self.load,
            tariff_id: &self.tariff,
            first_slot: &absolute(&self.first),
            end_slot: &absolute(&self.end),
            energy_kwh: &self.energy,
            energy_kwh_min: &columns[0],
            energy_kwh_max: &columns[1],
            target_kwh: &self.target,
            charge_kw_max: &self.charge_kw,
            discharge_kw_max: &self.discharge_kw,
            charge_efficiency: &columns[2],
            discharge_efficiency: &columns[3],
            degradation_per_kwh: &self.wear,
            terminal_value_per_kwh: &columns[4],
            may_discharge: &self.may_discharge,
            bound_offset: &self.bound_offset,
            bound_slot: &absolute(&self.bound_slot),
            bound_kwh_min: &self.bound_min,
            bound_kwh_max: &self.bound_max,
        };
        let rows = self.energy.len();
        let mut power = vec![f64::NAN; rows * HORIZON];
        let mut answers = vec![StorageAnswer::default(); rows];
        solve_batch(&request, threads, &mut power, &mut answers)?;
        Ok((answers, power))
    }

    /// Row `row`, put together by hand.
    fn solve_alone(&self, row: usize) -> (StorageAnswer, Vec<f64>) {
        let slots = self.first[row] as usize..self.end[row] as usize;
        let at = self.tariff[row] as usize * HORIZON;
        let bits = &self.may_discharge[row * HORIZON / 8..];
        let discharge: Vec<f64> =
            slots
                .clone()
                .map(|slot| {
                    if bits[slot / 8] >> (slot % 8) & 1 == 1 { self.discharge_kw[row] } else { 0.0 }
                })
                .collect();
        let (mut least, mut most) = (vec![12.0_f64; slots.len()], vec![60.0_f64; slots.len()]);
        for entry in self.bound_offset[row] as usize..self.bound_offset[row + 1] as usize {
            if let Some(end_of) = (self.bound_slot[entry] as usize).checked_sub(slots.start + 1)
                && end_of < slots.len()
            {
                least[end_of] = least[end_of].max(self.bound_min[entry]);
                most[end_of] = most[end_of].min(self.bound_max[entry]);
            }
        }
        let problem = StorageProblem {
            slot_hours: 0.25,
            buy: &self.buy[at + slots.start..at + slots.end],
            sell: &self.sell[at + slots.start..at + slots.end],
            degradation: self.wear[row],
            charge_kw_max: PerSlot::Same(self.charge_kw[row]),
            discharge_kw_max: PerSlot::Each(&discharge),
            energy_kwh_min: PerSlot::Each(&least),
            energy_kwh_max: PerSlot::Each(&most),
            energy_kwh: self.energy[row],
            target_kwh: self.target[row],
            charge_efficiency: 0.95,
            discharge_efficiency: 0.9,
            terminal_value: 0.1,
            tie: TieRule::ValleyFill,
            load_kw: &self.load[slots.clone()],
        };
        let (answer, power) = solve(&problem, Method::Exact);
        check::schedule(&problem, &power, 1e-9).unwrap();
        let mut row = vec![0.0; HORIZON];
        row[slots].copy_from_slice(&power);
        (answer, row)
    }
}

#[test]
fn a_batch_gives_what_its_rows_give_one_by_one() {
    for lowest in [0.1, -0.3] {
        let fleet = fleet(200, lowest);
        let (answers, power) = fleet.solve(Method::Exact, 1).unwrap();
        for (row, (answer, power)) in answers.iter().zip(power.chunks(HORIZON)).enumerate() {
            let (alone, alone_power) = fleet.solve_alone(row);
            assert_eq!((answer, power), (&alone, &alone_power[..]), "row {row}");
        }
    }
}

#[test]
fn threads_change_nothing() {
    let fleet = fleet(150, -0.2);
    for method in [Method::Exact, Method::V1g] {
        let one = fleet.solve(method, 1).unwrap();
        for threads in [2, 7, 1000] {
            assert_eq!(one, fleet.solve(method, threads).unwrap());
        }
    }
}

#[test]
fn a_batch_through_cbc_costs_the_same() {
    let fleet = fleet(12, -0.2);
    let (exact, _) = fleet.solve(Method::Exact, 1).unwrap();
    let (milp, _) = fleet.solve(Method::Milp, 2).unwrap();
    for (exact, milp) in exact.iter().zip(&milp) {
        assert!(crate::instances::agree(exact.objective, milp.objective, 1e-6));
    }
}

#[test]
fn no_rows_are_no_problem() {
    assert_eq!(fleet(0, 0.1).solve(Method::Exact, 4).unwrap().0, []);
}

#[test]
fn a_row_that_makes_no_sense_is_named() {
    let error = |change: fn(&mut Fleet)| {
        let mut fleet = fleet(20, 0.1);
        change(&mut fleet);
        fleet.solve(Method::Exact, 3).unwrap_err().to_string()
    };
    let texts = [
        error(|fleet| (fleet.first[7], fleet.end[7]) = (8, 5)),
        error(|fleet| fleet.tariff[3] = 3),
        error(|fleet| fleet.charge_kw[11] = -7.0),
        error(|fleet| fleet.buy[100] = f64::NAN),
        error(|fleet| fleet.target.truncate(4)),
        error(|fleet| fleet.target.clear()),
        error(|fleet| fleet.same[19][2] = 1.5),
        error(|fleet| fleet.bound_offset[5] = 9999),
    ];
    let expected = [
        "row 7 points outside the batch",
        "row 3 points outside the batch",
        "row 11: charge power is -7 in slot 0; it must be finite and not negative",
        "tariff 1: buy price is NaN in slot 4; it must be a finite number",
        "column target_kwh has 4 values, not 20",
        "column target_kwh has 0 values, not 20",
        "row 19: charge efficiency is 1.5 in slot 0; it must be above 0 and at most 1",
        "row 4 points outside the batch",
    ];
    assert_eq!(texts, expected);
}

#[test]
fn columns_that_are_left_out_stand_for_what_they_say() {
    let fleet = |discharge_kw: f64| {
        let mut fleet = fleet(20, 0.1);
        fleet.sell.clone_from(&fleet.buy);
        fleet.load.fill(0.0);
        fleet.tariff.fill(0);
        fleet.first.fill(0);
        fleet.discharge_kw.fill(discharge_kw);
        fleet.wear.fill(0.0);
        fleet.may_discharge.fill(u8::MAX);
        fleet.bound_offset.fill(0);
        fleet
    };
    let mut without = fleet(7.0);
    without.sell.clear();
    without.load.clear();
    without.tariff.clear();
    without.first.clear();
    without.wear.clear();
    without.may_discharge.clear();
    without.bound_offset.clear();
    assert_eq!(without.solve(Method::Exact, 1), fleet(7.0).solve(Method::Exact, 1));
    without.discharge_kw.clear();
    assert_eq!(without.solve(Method::Exact, 1), fleet(0.0).solve(Method::Exact, 1));
}

#[test]
fn slots_are_cut_to_the_horizon() {
    let fleet = |end: u32| {
        let mut fleet = fleet(20, 0.1);
        fleet.end.fill(end);
        fleet
    };
    assert_eq!(fleet(500).solve(Method::Exact, 1), fleet(HORIZON as u32).solve(Method::Exact, 1));
}
