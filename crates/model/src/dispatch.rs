//! What every unit does in one slot, and what of that the next slot must know.

use crate::{
    columns::{UnitKind, UnitTick},
    cost::UnitCost,
    device::{Store, ThermalUnit},
    flexibility::UpDown,
    plant::Plant,
};

/// What one unit does in one slot; what its kind does not have is 0 or false.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnitSlot {
    /// Its kind.
    pub kind: UnitKind,
    /// Power into the system, kW: delivered, discharged, shed or imported; negative exports. What a
    /// store charges with is not taken off.
    pub given_kw: f64,
    /// What a renewable unit could have delivered, kW.
    pub available_kw: f64,
    /// What a store charges with, kW.
    pub charge_kw: f64,
    /// What a store holds at the slot's end, kWh.
    pub energy_kwh: f64,
    /// Price of a kWh in the direction that a connection is used in.
    pub price_per_kwh: f64,
    /// Whether a thermal unit is on.
    pub on: bool,
    /// Whether it was off in the slot before.
    pub started: bool,
}

impl UnitSlot {
    /// A unit that does nothing.
    pub fn idle(kind: UnitKind) -> Self {
        Self {
            kind,
            given_kw: 0.0,
            available_kw: 0.0,
            charge_kw: 0.0,
            energy_kwh: 0.0,
            price_per_kwh: 0.0,
            on: false,
            started: false,
        }
    }

    /// What it gives less what it charges with, kW.
    pub fn power_kw(&self) -> f64 {
        self.given_kw - self.charge_kw
    }

    /// What a renewable unit could have delivered and did not, kW.
    pub fn curtailed_kw(&self) -> f64 {
        self.available_kw - self.given_kw
    }

    /// The same without power that rounding left where none is meant.
    #[must_use]
    pub fn without_rounding(self) -> Self {
        Self { given_kw: tidied(self.given_kw), charge_kw: tidied(self.charge_kw), ..self }
    }

    /// As tables and other crates see it.
    pub fn tick(&self, unit: u32, cost: Option<UnitCost>, flexibility: Option<UpDown>) -> UnitTick {
        UnitTick {
            available_kw: self.kind.is_renewable().then_some(self.available_kw),
            charge_kw: self.kind.is_store().then_some(self.charge_kw),
            energy_kwh: self.kind.is_store().then_some(self.energy_kwh),
            flexibility,
            cost,
            ..UnitTick::new(unit, self.kind, self.power_kw())
        }
    }
}

/// What each unit of a [`Plant`] does in one slot, power in kW.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SlotDispatch {
    /// Load to be served, cars included: base load + charging - discharging.
    pub load_kw: f64,
    /// What each unit does, in the plant's order.
    pub units: Vec<UnitSlot>,
    /// Load that is not served though nobody agreed to that.
    pub unserved_kw: f64,
    /// Power that nobody takes and that cannot be curtailed.
    pub spilled_kw: f64,
}

/// Power below this is what rounding leaves where none is meant, kW.
pub const NOTHING_KW: f64 = 1e-7;

impl SlotDispatch {
    /// The slot without what rounding left in it, as it is shown and billed: nothing is nearly
    /// curtailed, and no store or connection nearly at rest.
    #[must_use]
    pub fn tidied(&self, plant: &Plant) -> Self {
        let units = plant.devices().zip(&self.units);
        Self {
            load_kw: self.load_kw,
            units: units.map(|(unit, &did)| unit.tidied(did)).collect(),
            unserved_kw: tidied(self.unserved_kw),
            spilled_kw: tidied(self.spilled_kw),
        }
    }

    /// What units of some kinds do, in the plant's order.
    pub fn of_kind(&self, kind: impl Fn(UnitKind) -> bool) -> impl Iterator<Item = &UnitSlot> {
        self.units.iter().filter(move |did| kind(did.kind))
    }

    /// Supply less demand, kW; zero when the balance is closed.
    pub fn residual_kw(&self) -> f64 {
        // Kind by kind, as rounding has always been: a sum in another order is another number.
        let kinds = self.units.chunk_by(|one, next| one.kind.same_device(next.kind));
        let given: f64 = kinds.map(|units| units.iter().map(|did| did.given_kw).sum::<f64>()).sum();
        let charged: f64 = self.units.iter().map(|did| did.charge_kw).sum();
        given + self.unserved_kw - self.load_kw - charged - self.spilled_kw
    }

    /// What must be covered by units that are steered (20): load less available wind and sun, and less
    /// what nobody steers.
    pub fn net_load_kw(&self) -> f64 {
        let available: f64 = self.units.iter().map(|did| did.available_kw).sum();
        let must_take = self.of_kind(|kind| kind == UnitKind::MustTake);
        self.load_kw - available - must_take.map(|did| did.given_kw).sum::<f64>()
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
        let thermal = plant.each::<ThermalUnit>().map(|unit| ThermalState {
            power_kw: unit.initial_power.map(|power| power.0),
            on: unit.commitment.is_none_or(|how| how.initially_on),
            hours: unit.commitment.map_or(f64::INFINITY, |how| how.initial_hours.0),
        });
        let energy = plant.each::<Store>().map(|store| store.initial_energy.0);
        Self { thermal: thermal.collect(), energy_kwh: energy.collect() }
    }

    /// After one more slot of `hours`.
    ///
    /// # Panics
    /// If `slot` was made for another plant.
    pub fn advance(&mut self, slot: &SlotDispatch, hours: f64) {
        let thermal = slot.of_kind(|kind| kind == UnitKind::Thermal);
        for (unit, did) in self.thermal.iter_mut().zip(thermal) {
            let so_far = if unit.on == did.on { unit.hours } else { 0.0 };
            *unit =
                ThermalState { power_kw: Some(did.given_kw), on: did.on, hours: so_far + hours };
        }
        for (energy, did) in self.energy_kwh.iter_mut().zip(slot.of_kind(UnitKind::is_store)) {
            *energy = did.energy_kwh;
        }
    }
}

/// The power, or none where rounding left it, kW.
pub fn tidied(power_kw: f64) -> f64 {
    if power_kw.abs() < NOTHING_KW { 0.0 } else { power_kw }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;
    use crate::{
        device::{Exchange, MustTake, Renewable, RenewableKind},
        forecast::Forecast,
        quantity::Kilowatts,
        series::Series,
    };

    fn series() -> Series {
        Series { name: "none".into(), unit: "kW".into(), values: [].into() }
    }

    /// A wind farm, output that nobody steers, and a connection.
    fn plant() -> Plant {
        let wind = Renewable {
            name: "wind".into(),
            kind: RenewableKind::Wind,
            available: series(),
            forecast: Forecast::Perfect,
            cost: 0.0,
            waste_price: 0.0,
        };
        let river = MustTake { name: "river".into(), output: series(), cost: 0.0 };
        let abroad = Exchange {
            name: "abroad".into(),
            import_max: Kilowatts(9.0),
            export_max: Kilowatts(9.0),
            import_price: series(),
            export_price: series(),
        };
        Plant::default().with([wind]).with([river]).with([abroad])
    }

    fn slot(wind_kw: f64, river_kw: f64, import_kw: f64) -> SlotDispatch {
        let gives = |kind, given_kw| UnitSlot { given_kw, ..UnitSlot::idle(kind) };
        let wind = UnitSlot { available_kw: 50.0, ..gives(UnitKind::Wind, wind_kw) };
        let river = gives(UnitKind::MustTake, river_kw);
        let abroad = gives(UnitKind::ImportExport, import_kw);
        SlotDispatch {
            load_kw: 80.0,
            units: vec![wind, river, abroad],
            unserved_kw: 2e-7,
            spilled_kw: 1e-9,
        }
    }

    #[test]
    fn what_rounding_leaves_is_neither_curtailed_nor_imported() {
        let tidied = slot(50.0 - 1e-12, 1e-9, -1e-9).tidied(&plant());
        assert_eq!(tidied, SlotDispatch { spilled_kw: 0.0, ..slot(50.0, 1e-9, 0.0) });
        assert_eq!(tidied.tidied(&plant()), tidied);
        assert_eq!(slot(49.0, 1.0, -5.0).tidied(&plant()).units, slot(49.0, 1.0, -5.0).units);
        assert_eq!(slot(1e-13, 1.0, 5.0).tidied(&plant()).units[0].curtailed_kw(), 50.0);
    }

    #[test]
    fn a_store_charging_nearly_nothing_rests() {
        let did = UnitSlot { charge_kw: 3e-11, given_kw: 4.0, ..UnitSlot::idle(UnitKind::Ess) };
        assert_eq!((did.without_rounding().charge_kw, did.without_rounding().given_kw), (0.0, 4.0));
    }

    #[test]
    fn the_balance_counts_what_units_give_and_what_is_steered_is_no_net_load() {
        let slot = SlotDispatch { unserved_kw: 6.0, spilled_kw: 1.0, ..slot(40.0, 10.0, 25.0) };
        assert_eq!((slot.residual_kw(), slot.net_load_kw()), (0.0, 20.0));
        let mut charging = slot;
        charging.units.push(UnitSlot { charge_kw: 3.0, ..UnitSlot::idle(UnitKind::Ess) });
        assert_eq!(charging.residual_kw(), -3.0);
    }
}
