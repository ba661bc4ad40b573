//! What every unit does in one slot, what it costs, and what of that the next slot must know.

use crate::{
    columns::UnitTick,
    cost::SystemCost,
    device::Device,
    flexibility::{Readings, UpDown},
    plant::Plant,
    unit::{UnitSlot, UnitState, tidied},
};

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

    /// Supply less demand, kW; zero when the balance is closed.
    pub fn residual_kw(&self) -> f64 {
        // Kind by kind, as rounding has always been: a sum in another order is another number.
        let kinds = self.units.chunk_by(|one, next| one.kind.same_device(next.kind));
        let given: f64 = kinds.map(|units| units.iter().map(|did| did.given_kw).sum::<f64>()).sum();
        let charged: f64 = self.units.iter().map(|did| did.charge_kw).sum();
        given + self.unserved_kw - self.load_kw - charged - self.spilled_kw
    }

    /// What must be covered by units that are steered (20): load less available wind and sun, and
    /// less what nobody steers.
    pub fn net_load_kw(&self, plant: &Plant) -> f64 {
        plant.net_of_unsteered(self.load_kw, |at, unit| unit.unsteered_kw(&self.units[at]))
    }
}

/// Where each unit stands before a slot, in the plant's order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GridState {
    /// The units.
    pub units: Vec<UnitState>,
}

impl GridState {
    /// Before the first slot.
    pub fn initial(plant: &Plant) -> Self {
        Self { units: plant.devices().map(Device::initial).collect() }
    }

    /// After one more slot of `hours`.
    ///
    /// # Panics
    /// If `slot` was made for another plant.
    pub fn advance(&mut self, plant: &Plant, slot: &SlotDispatch, hours: f64) {
        for (at, unit) in plant.devices().enumerate() {
            self.units[at] = unit.after(&self.units[at], &slot.units[at], hours);
        }
    }

    /// What each unit holds, kWh; 0 for one that holds nothing.
    pub fn energy_kwh(&self) -> Vec<f64> {
        self.units.iter().map(|unit| unit.energy_kwh).collect()
    }
}

/// What tables show of each unit in one slot of `hours`, but for its flexibility, in the plant's
/// order.
pub fn unit_rows(plant: &Plant, slot: &SlotDispatch, hours: f64) -> Vec<UnitTick> {
    let row = |(number, (unit, did)): (u32, (&dyn Device, &UnitSlot))| UnitTick {
        unit: number,
        cost: Some(unit.cost(did, hours)),
        ..unit.row(did)
    };
    (0..).zip(plant.devices().zip(&slot.units)).map(row).collect()
}

/// What the units of one slot of `hours` cost, by rows: the bill, with (37) as it is printed.
/// Energy not served is no unit's.
pub fn bill(plant: &Plant, slot: &SlotDispatch, hours: f64) -> SystemCost {
    let mut rows = SystemCost::default();
    for (unit, did) in plant.devices().zip(&slot.units) {
        rows.add(unit.components(), unit.cost(did, hours));
    }
    rows
}

/// `F_S` of each unit in one slot of `hours`, in the plant's order; cars are not among them.
pub fn supply(plant: &Plant, slot: &SlotDispatch, hours: f64, readings: Readings) -> Vec<UpDown> {
    let units = plant.devices().zip(&slot.units);
    units.map(|(unit, did)| unit.flexibility(did, hours, readings)).collect()
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers are exact")]
mod tests {
    use super::*;
    use crate::{
        columns::UnitKind,
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
        let wind = UnitSlot { available_kw: 50.0, ..gives(UnitKind::WIND, wind_kw) };
        let river = gives(UnitKind::MUST_TAKE, river_kw);
        let abroad = gives(UnitKind::IMPORT_EXPORT, import_kw);
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
        let did = UnitSlot { charge_kw: 3e-11, given_kw: 4.0, ..UnitSlot::idle(UnitKind::ESS) };
        assert_eq!((did.without_rounding().charge_kw, did.without_rounding().given_kw), (0.0, 4.0));
    }

    #[test]
    fn the_balance_counts_what_units_give_and_what_is_steered_is_no_net_load() {
        let slot = SlotDispatch { unserved_kw: 6.0, spilled_kw: 1.0, ..slot(40.0, 10.0, 25.0) };
        assert_eq!((slot.residual_kw(), slot.net_load_kw(&plant())), (0.0, 20.0));
        let mut charging = slot;
        charging.units.push(UnitSlot { charge_kw: 3.0, ..UnitSlot::idle(UnitKind::ESS) });
        assert_eq!(charging.residual_kw(), -3.0);
    }

    #[test]
    fn a_plant_gives_the_devices_of_one_kind_alone() {
        let rivers: Vec<_> = plant().each::<MustTake>().map(|river| river.name.clone()).collect();
        assert_eq!(rivers, ["river"]);
    }
}
