//! Load of a slot: what cars draw and give, and what is planned that they will.

use super::UnitSchedule;
use crate::{
    cars::{AppliedPower, LANES, PluggedStay, Session, StoredEnergy, padded},
    drivers::Drivers,
    plan_book::PlanBook,
    prices::PriceBook,
    state::{Now, ScenarioInForce},
};
use bevy_ecs::{prelude::*, system::SystemParam};
use voltide_model::series::Series;

/// The value of a series in a slot; 0 where there is no series.
pub(crate) fn value(series: Option<&Series>, tick: u32) -> f64 {
    series.map_or(0.0, |series| series.values[tick as usize])
}

/// What cars do in this slot, and what they were planned to do in the next.
#[derive(SystemParam)]
pub(crate) struct CarLoad<'w, 's> {
    pub in_force: Res<'w, ScenarioInForce>,
    pub now: Res<'w, Now>,
    pub power: Res<'w, AppliedPower>,
    pub drivers: Drivers<'w, 's>,
    pub plans: Res<'w, PlanBook>,
    pub prices: Res<'w, PriceBook>,
    pub cars: Query<'w, 's, (&'static StoredEnergy, &'static PluggedStay, &'static Session)>,
}

impl CarLoad<'_, '_> {
    /// Charging and discharging power of all cars, kW; summed piece by piece, so always in one
    /// order.
    pub(crate) fn power(&self) -> (f64, f64) {
        let mut sum = (0.0, 0.0);
        for piece in &self.in_force.pieces {
            let (charge, discharge) = piece_power(&self.power.0[piece.evs.clone()]);
            sum = (sum.0 + charge, sum.1 + discharge);
        }
        sum
    }

    /// What cars will draw in a coming slot, net, kW: their schedules, and where cars are planned
    /// when they plug in, what is expected of those that have not arrived.
    pub(crate) fn planned_kw(&self, schedule: &UnitSchedule, slot: u32) -> f64 {
        self.plans.committed_kw(slot) + schedule.expected_of_later_kw(slot, self.now.tick)
    }
}

fn piece_power(power: &[f64]) -> (f64, f64) {
    let (mut charge, mut discharge) = ([0.0; LANES], [0.0; LANES]);
    let mut add = |power: &[f64; LANES]| {
        for lane in 0..LANES {
            charge[lane] += power[lane].max(0.0);
            discharge[lane] += (-power[lane]).max(0.0);
        }
    };
    // In the order of cars, lane by lane: the sum is the same for any number of threads.
    let (eights, last) = power.as_chunks();
    eights.iter().for_each(&mut add);
    add(&padded(last));
    (charge.iter().sum(), discharge.iter().sum())
}
