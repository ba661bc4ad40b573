//! The kernel that moves every battery and ledger by one slot of applied power.

use crate::{
    cars::{BLOCK, LANES, at_rest, padded},
    prices::PriceBook,
    state::{FleetConstants, Piece, ScenarioInForce},
    workers::Workers,
};
use voltide_journal::event::PricesSet;
use voltide_model::{battery::SlotBattery, columns::Ledger};

/// What one slot moved, all on the battery's side. kWh.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Moved {
    /// Energy that went into batteries.
    pub charged_kwh: f64,
    /// Energy that was taken from batteries.
    pub discharged_kwh: f64,
    /// Energy stored in all cars afterwards.
    pub stored_kwh: f64,
    /// Blocks in which any car had power.
    pub active_blocks: Vec<usize>,
}

/// What passes of the cars, by `EvId`: kW, kWh and money.
pub(crate) struct Cars<'a> {
    pub power: &'a [f64],
    pub energy: &'a mut [f64],
    pub ledger: &'a mut [Ledger],
}

/// One piece's columns.
struct Task<'a> {
    first: usize,
    fleet: &'a FleetConstants,
    bill: Bill<'a>,
    power: &'a [f64],
    energy: &'a mut [f64],
    ledger: &'a mut [Ledger],
}

/// What a slot's energy costs.
#[derive(Clone, Copy)]
struct Bill<'a> {
    prices: &'a PriceBook,
    tick: u32,
}

/// Prices per kWh of one slot.
#[derive(Clone, Copy)]
struct Rates {
    buy: f64,
    sell: f64,
}

impl Bill<'_> {
    /// The rates of a tariff, if all cars pay the same.
    fn shared(&self, tariff: usize) -> Option<Rates> {
        self.prices.shared().map(|tariffs| self.rates(&tariffs[tariff]))
    }

    /// The rates that one car was planned at.
    fn of_ev(&self, ev: usize, tariff: usize) -> Rates {
        self.rates(self.prices.of_ev(ev, tariff))
    }

    fn rates(&self, prices: &PricesSet) -> Rates {
        let at = prices.at(self.tick);
        Rates { buy: prices.buy[at], sell: prices.sell[at] }
    }
}

/// Sums of one piece: charged and discharged (battery side) and stored, kWh.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    charged: f64,
    discharged: f64,
    stored: f64,
}

/// Settles slot `tick` for all cars.
pub(crate) fn settle(
    cars: Cars<'_>,
    in_force: &ScenarioInForce,
    prices: &PriceBook,
    tick: u32,
    workers: &Workers,
) -> Moved {
    let hours = in_force.scenario.clock.slot_hours();
    let Cars { power, mut energy, mut ledger } = cars;
    // Pieces lie one after the other, so that each can be handed its own part of the columns, and
    // no two threads write to one.
    let mut tasks = Vec::with_capacity(in_force.pieces.len());
    for Piece { evs, fleet } in &in_force.pieces {
        let fleet = &in_force.fleets[*fleet];
        let (energy_here, energy_rest) = energy.split_at_mut(evs.len());
        let (ledger_here, ledger_rest) = ledger.split_at_mut(evs.len());
        (energy, ledger) = (energy_rest, ledger_rest);
        tasks.push(Task {
            first: evs.start,
            fleet,
            bill: Bill { prices, tick },
            power: &power[evs.clone()],
            energy: energy_here,
            ledger: ledger_here,
        });
    }
    let sums = workers.map(tasks, |task| (task.first / BLOCK, settle_piece(task, hours)));
    add_up(&sums)
}

fn add_up(sums: &[(usize, Sums)]) -> Moved {
    let mut moved = Moved::default();
    // In the order of the pieces, whoever reckoned them: a sum of floats depends on its order.
    for &(block, sums) in sums {
        moved.charged_kwh += sums.charged;
        moved.discharged_kwh += sums.discharged;
        moved.stored_kwh += sums.stored;
        // A block of two fleets is two pieces, which come one after the other.
        let active = sums.charged > 0.0 || sums.discharged > 0.0;
        if active && moved.active_blocks.last() != Some(&block) {
            moved.active_blocks.push(block);
        }
    }
    moved
}

fn settle_piece(task: Task<'_>, hours: f64) -> Sums {
    let sums = move_energy(task.fleet, task.power, task.energy);
    // Where no car has power there is nothing to book, and the ledgers are not even fetched.
    if sums.charged > 0.0 || sums.discharged > 0.0 {
        let first = task.first;
        let tariff = task.fleet.tariff;
        // Mostly all cars pay the same, which is looked up once and not car by car.
        match task.bill.shared(tariff) {
            Some(rates) => book(task.power, task.ledger, hours, |_| rates),
            None => {
                book(task.power, task.ledger, hours, |car| task.bill.of_ev(first + car, tariff));
            }
        }
    }
    sums
}

/// Independent running sums, so that the additions of neighbours do not wait for each other.
#[derive(Default)]
struct Lanes {
    charged: [f64; LANES],
    discharged: [f64; LANES],
    stored: [f64; LANES],
}

/// Moves stored energy and adds up what was moved, lane by lane: the order is fixed.
fn move_energy(fleet: &FleetConstants, power: &[f64], energy: &mut [f64]) -> Sums {
    let mut lanes = Lanes::default();
    let (power, last_power) = power.as_chunks::<LANES>();
    let (energy, last_energy) = energy.as_chunks_mut::<LANES>();
    for (power, energy) in power.iter().zip(energy) {
        move_cars(fleet.battery, power, energy, &mut lanes);
    }
    // The idle cars that fill it up add 0 to every sum.
    let mut filled_up = padded(last_energy);
    move_cars(fleet.battery, &padded(last_power), &mut filled_up, &mut lanes);
    last_energy.copy_from_slice(&filled_up[..last_energy.len()]);
    // Lane after lane: written out, the order is the same on every machine.
    let sum = |lanes: [f64; LANES]| lanes.iter().fold(0.0, |sum, lane| sum + lane);
    Sums {
        charged: sum(lanes.charged),
        discharged: sum(lanes.discharged),
        stored: sum(lanes.stored),
    }
}

/// Moves the energy of one car a lane.
#[inline]
fn move_cars(
    battery: SlotBattery,
    power: &[f64; LANES],
    energy: &mut [f64; LANES],
    lanes: &mut Lanes,
) {
    for lane in 0..LANES {
        let charged = power[lane].max(0.0) * battery.stored_per_kw;
        let discharged = (-power[lane]).max(0.0) * battery.drawn_per_kw;
        energy[lane] += charged - discharged;
        lanes.charged[lane] += charged;
        lanes.discharged[lane] += discharged;
        lanes.stored[lane] += energy[lane];
    }
}

/// Books energy and money of the cars that have power, on the grid side.
///
/// Most have none. Those that have are looked up first, so that the processor can fetch the ledgers
/// of several at a time instead of guessing which car comes next.
fn book(power: &[f64], ledger: &mut [Ledger], hours: f64, rates: impl Fn(usize) -> Rates) {
    let mut places = [0; BLOCK];
    for car in cars_with_power(power, &mut places).iter().copied().map(usize::from) {
        let power = power[car];
        let ledger = &mut ledger[car];
        if power > 0.0 {
            ledger.charged_kwh += power * hours;
            ledger.energy_cost += power * hours * rates(car).buy;
        } else if power < 0.0 {
            ledger.discharged_kwh -= power * hours;
            ledger.v2g_revenue -= power * hours * rates(car).sell;
        }
    }
}

/// The places of the cars of a piece that have power, ascending; eight at rest are passed over at
/// once.
fn cars_with_power<'a>(power: &[f64], places: &'a mut [u16; BLOCK]) -> &'a [u16] {
    let mut count = 0;
    for (eight, power) in power.chunks(LANES).enumerate() {
        if at_rest(power) {
            continue;
        }
        for (lane, &power) in power.iter().enumerate() {
            places[count] = (eight * LANES + lane) as u16;
            count += usize::from(power != 0.0);
        }
    }
    &places[..count]
}

#[cfg(test)]
mod tests {
    use super::*;
    use voltide_model::{battery::Battery, quantity::Share};

    fn fleet() -> FleetConstants {
        let efficiency = Share::new(0.9).unwrap();
        let battery = Battery {
            soc_min: Share::ZERO,
            soc_max: Share::ONE,
            charge_efficiency: efficiency,
            discharge_efficiency: efficiency,
            degradation_per_kwh: 0.0,
        };
        FleetConstants {
            battery: battery.slot(0.5),
            soc_min: 0.0,
            soc_max: 1.0,
            charge_efficiency: 0.9,
            discharge_efficiency: 0.9,
            degradation_per_kwh: 0.0,
            tariff: 0,
            v2g_soc_min: 0.0,
        }
    }

    #[test]
    fn energy_and_money_follow_power() {
        let (mut energy, mut ledger) = ([10.0, 20.0, 30.0], [Ledger::default(); 3]);
        let mut prices = PriceBook::default();
        prices.set(1, 3, &PricesSet { buy: vec![0.3], sell: vec![0.1], ..PricesSet::default() });
        let task = Task {
            first: 0,
            fleet: &fleet(),
            bill: Bill { prices: &prices, tick: 0 },
            power: &[4.0, -2.0, 0.0],
            energy: &mut energy,
            ledger: &mut ledger,
        };
        let sums = settle_piece(task, 0.5);
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        close(energy[0], 11.8);
        close(energy[1], 20.0 - 1.0 / 0.9);
        close(energy[2], 30.0);
        close(sums.stored, energy.iter().sum());
        close(ledger[0].energy_cost, 0.6);
        close(ledger[1].v2g_revenue, 0.1);
        close(ledger[1].discharged_kwh, 1.0);
        assert_eq!(ledger[2], Ledger::default());
    }
}
