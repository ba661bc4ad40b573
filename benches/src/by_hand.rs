//! The loop that one would write by hand: plain columns, one pass a tick.
//!
//! It does what the phases limit, dispatch and settle do for cars without sites, with the same
//! arithmetic, and knows no events, no ECS and no blocks. Eight cars go side by side, so that the
//! compiler can use vector instructions and sums do not wait for each other; what most cars do
//! not need, because they have no power, is left out for all eight.

use crate::{
    machine::Stopwatch,
    script::{Script, Tick},
};
use voltide_model::scenario::Scenario;

const LANES: usize = 8;

/// Eight cars' values.
type Eight = [f64; LANES];

/// The cars' columns, filled up with idle cars to a multiple of eight. kWh, kW, money.
struct Columns {
    capacity: Vec<f64>,
    energy: Vec<f64>,
    set_point: Vec<f64>,
    power: Vec<f64>,
    charged: Vec<f64>,
    discharged: Vec<f64>,
    cost: Vec<f64>,
    revenue: Vec<f64>,
}

/// What all cars share, and what the slot costs.
#[derive(Debug, Clone, Copy)]
struct Slot {
    soc_min: f64,
    soc_max: f64,
    stored_per_kw: f64,
    drawn_per_kw: f64,
    kw_per_stored: f64,
    kw_per_drawn: f64,
    hours: f64,
    buy: f64,
    sell: f64,
}

impl Slot {
    fn of(scenario: &Scenario, tick: usize) -> Self {
        let (fleet, tariff) = (&scenario.fleets[0], &scenario.tariffs[0]);
        let hours = scenario.clock.slot_hours();
        let stored_per_kw = fleet.battery.charge_efficiency.get() * hours;
        let drawn_per_kw = hours / fleet.battery.discharge_efficiency.get();
        Self {
            soc_min: fleet.battery.soc_min.get(),
            soc_max: fleet.battery.soc_max.get(),
            stored_per_kw,
            drawn_per_kw,
            kw_per_stored: 1.0 / stored_per_kw,
            kw_per_drawn: 1.0 / drawn_per_kw,
            hours,
            buy: tariff.buy.values[tick],
            sell: tariff.sell.values[tick],
        }
    }
}

/// Sums of one tick: power, kW, and what batteries gained, lost and hold, kWh.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    charge: Eight,
    discharge: Eight,
    gained: Eight,
    lost: Eight,
    stored: Eight,
}

/// What the loop took.
#[derive(Debug, Clone, Copy)]
pub struct Timed {
    /// Wall seconds of the passes, set-points taken up included.
    pub seconds: f64,
}

/// Does all ticks of `script` by hand, and checks that they come to the same as the run.
///
/// # Panics
///
/// If they do not.
pub fn run(scenario: &Scenario, script: &Script) -> Timed {
    let mut cars = Columns::new(scenario);
    let mut watch = Stopwatch::default();
    for (number, tick) in script.ticks.iter().enumerate() {
        cars.come_and_go(tick);
        let slot = Slot::of(scenario, number);
        let sums = watch.time(|| {
            cars.take_up(&tick.set_points);
            cars.pass(slot)
        });
        let total: f64 = sums.charge.iter().sum::<f64>() - sums.discharge.iter().sum::<f64>();
        // Both are sums of the same powers in another order.
        assert!(
            (total - tick.total_kw).abs() <= 1e-9 * total.abs() + 1e-6,
            "power of tick {number}"
        );
        // Sums that nobody looks at would not be reckoned at all, and the loop would seem quicker.
        assert!(
            sums.stored.iter().chain(&sums.gained).chain(&sums.lost).all(|sum| sum.is_finite())
        );
    }
    cars.compare(script);
    Timed { seconds: watch.seconds }
}

impl Columns {
    fn new(scenario: &Scenario) -> Self {
        let population = &scenario.population;
        // A rest of fewer than eight would need a loop of its own.
        let rows = population.len().next_multiple_of(LANES);
        let zeros = || vec![0.0; rows];
        let padded = |values: &[f64]| [values, &vec![0.0; rows - values.len()]].concat();
        Self {
            capacity: padded(&population.capacity_kwh),
            energy: padded(&population.arrival_energy_kwh),
            set_point: zeros(),
            power: zeros(),
            charged: zeros(),
            discharged: zeros(),
            cost: zeros(),
            revenue: zeros(),
        }
    }

    /// Closes the ledgers of cars that left and takes in those that came; not part of the comparison.
    fn come_and_go(&mut self, tick: &Tick) {
        for &ev in &tick.unplugged {
            let car = ev.row();
            for column in
                [&mut self.charged, &mut self.discharged, &mut self.cost, &mut self.revenue]
            {
                column[car] = 0.0;
            }
        }
        for &(ev, energy) in &tick.plugged {
            self.energy[ev.row()] = energy;
        }
    }

    fn take_up(&mut self, set_points: &[(u32, f64)]) {
        for &(ev, power) in set_points {
            self.set_point[ev as usize] = power;
        }
    }

    /// The pass over all cars.
    fn pass(&mut self, slot: Slot) -> Sums {
        let mut sums = Sums::default();
        let capacity = eights(&self.capacity);
        let set_point = eights(&self.set_point);
        let (energy, power) = (eights_mut(&mut self.energy), eights_mut(&mut self.power));
        let (charged, discharged) =
            (eights_mut(&mut self.charged), eights_mut(&mut self.discharged));
        let (cost, revenue) = (eights_mut(&mut self.cost), eights_mut(&mut self.revenue));
        for row in 0..capacity.len() {
            let asked = &set_point[row];
            power[row] = fit(asked, &energy[row], &capacity[row], slot);
            move_energy(&power[row], &mut energy[row], slot, &mut sums);
            if power[row].iter().any(|&power| power > 0.0) {
                book(&power[row], &mut charged[row], &mut cost[row], slot.hours, slot.buy, 1.0);
            }
            if power[row].iter().any(|&power| power < 0.0) {
                book(
                    &power[row],
                    &mut discharged[row],
                    &mut revenue[row],
                    slot.hours,
                    slot.sell,
                    -1.0,
                );
            }
        }
        sums
    }

    fn compare(&self, script: &Script) {
        let same = |ours: &[f64], theirs: &mut dyn Iterator<Item = f64>| {
            ours.iter().zip(theirs).all(|(ours, theirs)| (ours - theirs).abs() < 1e-9)
        };
        assert!(
            same(&self.energy, &mut script.energy_kwh.iter().copied()),
            "the same energy is stored"
        );
        let mut ledgers = script.ledger.iter().map(|ledger| ledger.charged_kwh);
        assert!(same(&self.charged, &mut ledgers), "the same energy is booked");
        let mut ledgers = script.ledger.iter().map(|ledger| ledger.energy_cost);
        assert!(same(&self.cost, &mut ledgers), "the same money is booked");
    }
}

fn eights(column: &[f64]) -> &[Eight] {
    column.as_chunks().0
}

fn eights_mut(column: &mut [f64]) -> &mut [Eight] {
    column.as_chunks_mut().0
}

/// Powers that keep the batteries within their bounds.
#[inline]
fn fit(asked: &Eight, energy: &Eight, capacity: &Eight, slot: Slot) -> Eight {
    std::array::from_fn(|car| {
        let room = ((capacity[car] * slot.soc_max - energy[car]) * slot.kw_per_stored).max(0.0);
        let reserve = ((energy[car] - capacity[car] * slot.soc_min) * slot.kw_per_drawn).max(0.0);
        // Adding 0 makes a plain zero of the negative one that a battery without reserve gives.
        asked[car].min(room).max(-reserve) + 0.0
    })
}

#[inline]
fn move_energy(power: &Eight, energy: &mut Eight, slot: Slot, sums: &mut Sums) {
    for car in 0..LANES {
        let (charge, discharge) = (power[car].max(0.0), (-power[car]).max(0.0));
        let (gained, lost) = (charge * slot.stored_per_kw, discharge * slot.drawn_per_kw);
        energy[car] += gained - lost;
        sums.charge[car] += charge;
        sums.discharge[car] += discharge;
        sums.gained[car] += gained;
        sums.lost[car] += lost;
        sums.stored[car] += energy[car];
    }
}

/// Books one direction of power, `sign` times positive.
#[inline]
fn book(power: &Eight, energy: &mut Eight, money: &mut Eight, hours: f64, price: f64, sign: f64) {
    for car in 0..LANES {
        let moved = (sign * power[car]).max(0.0) * hours;
        energy[car] += moved;
        money[car] += moved * price;
    }
}
