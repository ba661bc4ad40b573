//! What every unit does in one slot, and what of that the next slot must know.

use crate::plant::Plant;

/// What each unit of a [`Plant`] does in one slot; columns are in the plant's order, power in kW.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SlotDispatch {
    /// Load to be served, cars included: base load + charging - discharging.
    pub load_kw: f64,
    /// Delivered by each renewable unit.
    pub renewable_kw: Vec<f64>,
    /// What each renewable unit could have delivered.
    pub available_kw: Vec<f64>,
    /// Output that nobody steers.
    pub must_take_kw: Vec<f64>,
    /// Output of each thermal unit.
    pub thermal_kw: Vec<f64>,
    /// Whether each thermal unit is on.
    pub on: Vec<bool>,
    /// Whether each thermal unit was off in the slot before.
    pub started: Vec<bool>,
    /// What each store charges with.
    pub charge_kw: Vec<f64>,
    /// What each store discharges with.
    pub discharge_kw: Vec<f64>,
    /// What each store holds at the slot's end, kWh.
    pub energy_kwh: Vec<f64>,
    /// Shed by each interruptible load.
    pub interrupted_kw: Vec<f64>,
    /// What each connection imports; negative exports.
    pub exchange_kw: Vec<f64>,
    /// Price of a kWh in the direction that each connection is used in.
    pub exchange_price: Vec<f64>,
    /// Load that is not served though nobody agreed to that.
    pub unserved_kw: f64,
    /// Power that nobody takes and that cannot be curtailed.
    pub spilled_kw: f64,
}

/// Power below this is what rounding leaves where none is meant, kW.
pub const NOTHING_KW: f64 = 1e-7;

impl SlotDispatch {
    /// The slot without what rounding left in it, as it is shown and billed: nothing is nearly curtailed,
    /// and no store or connection nearly at rest.
    #[must_use]
    pub fn tidied(&self) -> Self {
        let tidy = |column: &[f64]| column.iter().map(|&power| tidied(power)).collect::<Vec<f64>>();
        let renewables = self.available_kw.iter().zip(&self.renewable_kw);
        let delivered = |(&most, &power): (&f64, &f64)| {
            if most - power < NOTHING_KW { most } else { tidied(power) }
        };
        Self {
            renewable_kw: renewables.map(delivered).collect(),
            thermal_kw: tidy(&self.thermal_kw),
            charge_kw: tidy(&self.charge_kw),
            discharge_kw: tidy(&self.discharge_kw),
            interrupted_kw: tidy(&self.interrupted_kw),
            exchange_kw: tidy(&self.exchange_kw),
            unserved_kw: tidied(self.unserved_kw),
            spilled_kw: tidied(self.spilled_kw),
            ..self.clone()
        }
    }

    /// What one renewable unit could have delivered and did not, kW.
    pub fn curtailed_kw(&self, renewable: usize) -> f64 {
        self.available_kw[renewable] - self.renewable_kw[renewable]
    }

    /// What one store gives, kW; negative while it charges.
    pub fn store_kw(&self, store: usize) -> f64 {
        self.discharge_kw[store] - self.charge_kw[store]
    }

    /// Supply less demand, kW; zero when the balance is closed.
    pub fn residual_kw(&self) -> f64 {
        let sum = |column: &[f64]| column.iter().sum::<f64>();
        let given = sum(&self.renewable_kw)
            + sum(&self.must_take_kw)
            + sum(&self.thermal_kw)
            + sum(&self.discharge_kw)
            + sum(&self.interrupted_kw)
            + sum(&self.exchange_kw);
        given + self.unserved_kw - self.load_kw - sum(&self.charge_kw) - self.spilled_kw
    }

    /// What must be covered by units that are steered (20): load less available wind and sun, and less
    /// what nobody steers.
    pub fn net_load_kw(&self) -> f64 {
        self.load_kw - self.available_kw.iter().sum::<f64>() - self.must_take_kw.iter().sum::<f64>()
    }
}

/// What the past leaves to the next slot: outputs to ramp from, commitment, stored energy.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GridState {
    /// Thermal units.
    pub thermal: Vec<ThermalState>,
    /// What each store holds, kWh.
    pub energy_kwh: Vec<f64>,
}

/// Where a thermal unit stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThermalState {
    /// Output in the slot before, kW; `None` where the next output is free.
    pub power_kw: Option<f64>,
    /// Whether it is on.
    pub on: bool,
    /// For how long it has been on, or off, h.
    pub hours: f64,
}

impl GridState {
    /// Before the first slot.
    pub fn initial(plant: &Plant) -> Self {
        let thermal = plant.thermal.iter().map(|unit| ThermalState {
            power_kw: unit.initial_power.map(|power| power.0),
            on: unit.commitment.is_none_or(|how| how.initially_on),
            hours: unit.commitment.map_or(f64::INFINITY, |how| how.initial_hours.0),
        });
        let energy = plant.stores.iter().map(|store| store.initial_energy.0);
        Self { thermal: thermal.collect(), energy_kwh: energy.collect() }
    }

    /// After one more slot of `hours`.
    ///
    /// # Panics
    /// If `slot` was made for another plant.
    pub fn advance(&mut self, slot: &SlotDispatch, hours: f64) {
        for (at, unit) in self.thermal.iter_mut().enumerate() {
            let same = unit.on == slot.on[at];
            *unit = ThermalState {
                power_kw: Some(slot.thermal_kw[at]),
                on: slot.on[at],
                hours: if same { unit.hours + hours } else { hours },
            };
        }
        self.energy_kwh.copy_from_slice(&slot.energy_kwh);
    }
}

/// The power, or none where rounding left it.
fn tidied(power_kw: f64) -> f64 {
    if power_kw.abs() < NOTHING_KW { 0.0 } else { power_kw }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;

    #[test]
    fn what_rounding_leaves_is_neither_curtailed_nor_stored() {
        let slot = SlotDispatch {
            renewable_kw: vec![50.0 - 1e-12, 49.0, 1e-13],
            available_kw: vec![50.0, 50.0, 1.0],
            thermal_kw: vec![1e-14, 20.0],
            charge_kw: vec![3e-11, 4.0],
            exchange_kw: vec![-1e-9, -5.0],
            unserved_kw: 2e-7,
            ..SlotDispatch::default()
        };
        let tidied = slot.tidied();
        assert_eq!([0, 1, 2].map(|unit| tidied.curtailed_kw(unit)), [0.0, 1.0, 1.0]);
        assert_eq!((&tidied.thermal_kw, &tidied.charge_kw), (&vec![0.0, 20.0], &vec![0.0, 4.0]));
        assert_eq!((&tidied.exchange_kw, tidied.unserved_kw), (&vec![0.0, -5.0], 2e-7));
        assert_eq!(tidied.tidied(), tidied);
    }
}
