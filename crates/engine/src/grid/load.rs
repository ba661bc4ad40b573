//! Load of a slot: what cars draw and give, and what is planned that they will.

use crate::{
    apply::State,
    cars::{LANES, padded},
};
use voltide_model::series::Series;

/// The value of a series in a slot; 0 where there is no series.
pub(crate) fn value(series: Option<&Series>, tick: u32) -> f64 {
    series.map_or(0.0, |series| series.values[tick as usize])
}

/// Charging and discharging power of all cars, kW; summed piece by piece, so always in one order.
pub(crate) fn ev_power(state: &mut State) -> (f64, f64) {
    let mut table = state.cars.table();
    let power = &*table.columns().power;
    let mut sum = (0.0, 0.0);
    for piece in &state.fixed.pieces {
        let (charge, discharge) = piece_power(&power[piece.evs.clone()]);
        sum = (sum.0 + charge, sum.1 + discharge);
    }
    sum
}

fn piece_power(power: &[f64]) -> (f64, f64) {
    let (mut charge, mut discharge) = ([0.0; LANES], [0.0; LANES]);
    let mut add = |power: &[f64; LANES]| {
        for lane in 0..LANES {
            charge[lane] += power[lane].max(0.0);
            discharge[lane] += (-power[lane]).max(0.0);
        }
    };
    let (eights, last) = power.as_chunks();
    eights.iter().for_each(&mut add);
    add(&padded(last));
    (charge.iter().sum(), discharge.iter().sum())
}

/// What cars will draw in a coming slot, net, kW: their schedules, and where cars are planned when they
/// plug in, what is expected of those that have not arrived.
pub(crate) fn planned_kw(state: &State, slot: u32, now: u32) -> f64 {
    state.book.committed_kw(slot) + state.grid.expected_of_later_kw(slot, now)
}
