//! The units of a grid become a plant, kind by kind.

use super::Resolver;
use crate::{
    grid_file::{
        ElectrolyserFile, ExchangeFile, GridFile, InterruptibleFile, MustTakeFile, RenewableFile,
        StoreFile, ThermalFile,
    },
    ranges::Limits,
};
use ron_places::{Key, Named, Place, Spanned, read::all};
use voltide_model::{
    battery::reckoned_efficiency,
    clock::Clock,
    cost::QuadraticCost,
    device::{
        Commitment, Device, Electrolyser, Exchange, InterruptibleLoad, MustTake, PlantError,
        Renewable, RenewableKind, Store, StoreKind, ThermalUnit,
    },
    physical::{self, Physical},
    plant::Plant,
    quantity::{Hours, KilowattHours, Kilowatts, KilowattsPerHour, Price, Share},
    scenario::SystemSeries,
    series::Series,
};

/// A number of a unit as the text gives it.
#[derive(Clone, Copy)]
struct Given {
    /// Its field, as a unit's check calls it.
    field: &'static str,
    /// What may be reckoned with; `None` where that is checked elsewhere.
    range: Option<&'static Physical>,
    /// The number and its place; `None` where the text leaves it out.
    number: Option<(f64, Place)>,
}

impl Resolver<'_> {
    /// Units are told apart by their names alone, in tables too.
    pub(super) fn check_names(&mut self, file: &GridFile) -> Option<()> {
        let keys = |keys: &mut dyn Iterator<Item = &Key>| keys.cloned().collect::<Vec<Key>>();
        let mut names = keys(&mut file.wind.0.iter().chain(&file.pv.0).map(|(key, _)| key));
        names.extend(keys(&mut file.must_take.0.iter().map(|(key, _)| key)));
        names.extend(keys(&mut file.thermal.0.iter().map(|(key, _)| key)));
        names.extend(keys(
            &mut file.pumped_hydro.0.iter().chain(&file.batteries.0).map(|(key, _)| key),
        ));
        names.extend(keys(&mut file.interruptible.0.iter().map(|(key, _)| key)));
        names.extend(keys(&mut file.exchanges.0.iter().map(|(key, _)| key)));
        names.extend(keys(&mut file.electrolysers.0.iter().map(|(key, _)| key)));
        let again =
            |(at, key): (usize, &Key)| names[..at].iter().any(|other| other.name == key.name);
        let mut fine = Some(());
        for (_, key) in names.iter().enumerate().filter(|&(at, key)| again((at, key))) {
            let message = format!("two units are called `{}`", key.name);
            self.report.add_help(key.place, message, "the second one", "rename one of the two");
            fine = None;
        }
        fine
    }

    pub(super) fn plant(
        &mut self,
        file: &GridFile,
        system: Option<&SystemSeries>,
        clock: &Clock,
    ) -> Option<Plant> {
        let wind = self.renewables(&file.wind, RenewableKind::Wind, system, clock);
        let pv = self.renewables(&file.pv, RenewableKind::Pv, system, clock);
        let must_take =
            self.each(&file.must_take, |this, key, unit| this.must_take(key, unit, clock));
        let thermal = self.each(&file.thermal, Self::thermal);
        let hydro = self.each(&file.pumped_hydro, |this, key, unit| {
            this.store(key, unit, StoreKind::PumpedHydro)
        });
        let batteries =
            self.each(&file.batteries, |this, key, unit| this.store(key, unit, StoreKind::Ess));
        let interruptible = self.each(&file.interruptible, Self::interruptible);
        let exchanges =
            self.each(&file.exchanges, |this, key, unit| this.exchange(key, unit, clock));
        let electrolysers =
            self.each(&file.electrolysers, |this, key, unit| this.electrolyser(key, unit, clock));
        // Kind by kind, and a later kind last: units are numbered so in every journal, and sums in
        // another order would round to other numbers.
        let steered = Plant::default().with([wind?, pv?].concat()).with(must_take?).with(thermal?);
        let stored = steered.with([hydro?, batteries?].concat());
        Some(stored.with(interruptible?).with(exchanges?).with(electrolysers?))
    }

    /// Every unit of a kind; goes through all of them in any case.
    fn each<F, T>(
        &mut self,
        file: &Named<F>,
        one: impl Fn(&mut Self, &Key, &F) -> Option<T>,
    ) -> Option<Vec<T>> {
        all(file.0.iter().map(|(key, unit)| one(self, key, unit)))
    }

    fn renewables(
        &mut self,
        file: &Named<RenewableFile>,
        kind: RenewableKind,
        system: Option<&SystemSeries>,
        clock: &Clock,
    ) -> Option<Vec<Renewable>> {
        let field = if kind == RenewableKind::Wind { "wind" } else { "pv" };
        let mut shared: Option<&Key> = None;
        let mut units = Vec::new();
        for (key, unit) in &file.0 {
            let available = match &unit.available {
                Some(series) => self.power_over_time(
                    &format!("grid.{field}.{}.available", key.name),
                    series,
                    true,
                    clock,
                ),
                None => self.shared(key, field, &mut shared, system),
            };
            let forecast = self.forecast(
                &format!("grid.{field}.{}.forecast", key.name),
                &unit.forecast,
                clock,
            );
            let cost = self.price_or(unit.cost.as_ref(), 0.0);
            let waste_price = self.price_or(unit.waste_price.as_ref(), 0.0);
            let unit = available.and_then(|available| {
                Some(Renewable {
                    name: key.name.clone(),
                    kind,
                    available,
                    forecast: forecast?,
                    cost: cost?,
                    waste_price: waste_price?,
                })
            });
            units.push(unit.and_then(|unit| self.sound(key, unit, Renewable::check, &[])));
        }
        units.into_iter().collect()
    }

    /// What the system has of a kind, for the one unit that gives no series of its own.
    fn shared<'k>(
        &mut self,
        key: &'k Key,
        field: &str,
        before: &mut Option<&'k Key>,
        system: Option<&SystemSeries>,
    ) -> Option<Series> {
        let help = "give it with `available: (path: ..., column: ..., unit: \"MW\")`";
        if before.replace(key).is_some() {
            let message = format!("more than one unit would have all of `system.{field}`");
            self.report.add_help(key.place, message, "the second one", help);
            return None;
        }
        let system = system?;
        let series = if field == "wind" { &system.wind } else { &system.pv };
        if series.is_none() {
            let message = format!("`{}` has no series, and `system` has no `{field}`", key.name);
            self.report.add_help(key.place, message, "nothing available", help);
        }
        series.clone()
    }

    /// The unit, if it can be and all its numbers can be reckoned with; a problem points at the
    /// field it is about, or at the unit's name.
    fn sound<T>(
        &mut self,
        key: &Key,
        unit: T,
        check: impl Fn(&T) -> Result<(), PlantError>,
        given: &[Given],
    ) -> Option<T> {
        let Err(error) = check(&unit) else { return self.all_within(given).map(|()| unit) };
        let field = match &error {
            PlantError::Value { field, .. } | PlantError::OutsideBounds { field, .. } => *field,
            PlantError::Crossed { what: "output" | "power", .. } => "power_min",
            PlantError::Crossed { .. } => "energy_min",
            PlantError::ExportDearer { .. } => "export_price",
        };
        let of_field = given.iter().find(|given| given.field == field);
        let place = of_field.and_then(|given| given.number).map(|(_, place)| place);
        let place = place.filter(|place| *place != Place::NOWHERE).unwrap_or(key.place);
        self.report.add(place, error.to_string(), "this cannot be");
        None
    }

    /// Whether all numbers can be reckoned with.
    fn all_within(&mut self, given: &[Given]) -> Option<()> {
        let mut fine = Some(());
        for Given { field, range, number } in given {
            let (Some(range), Some((value, place))) = (range, number) else { continue };
            let name = field.rsplit('.').next().unwrap_or(field);
            fine = self.report.within(range, name, *value, *place).and(fine);
        }
        fine
    }

    fn must_take(&mut self, key: &Key, file: &MustTakeFile, clock: &Clock) -> Option<MustTake> {
        let name = format!("grid.must_take.{}", key.name);
        let output = self.power_over_time(&name, &file.output, true, clock);
        let cost = self.price_or(file.cost.as_ref(), 0.0);
        let unit = MustTake { name: key.name.clone(), output: output?, cost: cost? };
        self.sound(key, unit, MustTake::check, &[priced("cost", file.cost.as_ref())])
    }

    fn thermal(&mut self, key: &Key, file: &ThermalFile) -> Option<ThermalUnit> {
        let b = self.price(&file.cost.b)?;
        let commitment = file.commitment.as_ref().map(|how| Commitment {
            start_cost: how.start_cost.value,
            up_min: how.up_min.value,
            down_min: how.down_min.value,
            initially_on: how.initially_on,
            initial_hours: how.initial_time.value,
        });
        let unit = ThermalUnit {
            name: key.name.clone(),
            power_min: file.power_min.value,
            power_max: file.power_max.value,
            ramp: file.ramp.value,
            cost: QuadraticCost { a: file.cost.a.value, b, c: file.cost.c.value },
            commitment,
            initial_power: file.initial_power.as_ref().map(|power| power.value),
            deviation_max: file.deviation_max.as_ref().map(|power| power.value),
        };
        self.sound(key, unit, ThermalUnit::check, &thermal_numbers(file))
    }

    /// An efficiency as it is reckoned with; none is refused later, where it is checked.
    fn reckoned(&self, given: Share) -> Share {
        if given > Share::ZERO { reckoned_efficiency(given, self.values.rules()) } else { given }
    }

    fn store(&mut self, key: &Key, file: &StoreFile, kind: StoreKind) -> Option<Store> {
        let throughput_cost = self.price_or(file.throughput_cost.as_ref(), 0.0)?;
        let day_end = file.day_end_energy.as_ref().unwrap_or(&file.initial_energy);
        let unit = Store {
            name: key.name.clone(),
            kind,
            charge_max: file.charge_max.value,
            discharge_max: file.discharge_max.value,
            energy_min: file.energy_min.value,
            energy_max: file.energy_max.value,
            charge_efficiency: self.reckoned(file.charge_efficiency.value),
            discharge_efficiency: self.reckoned(file.discharge_efficiency.value),
            throughput_cost,
            initial_energy: file.initial_energy.value,
            day_end_energy: Some(day_end.value),
            holds_each_day: file.day_end_energy.is_some(),
        };
        self.sound(key, unit, Store::check, &store_numbers(file))
    }

    fn interruptible(&mut self, key: &Key, file: &InterruptibleFile) -> Option<InterruptibleLoad> {
        let price = self.price(&file.price)?;
        let load =
            InterruptibleLoad { name: key.name.clone(), power_max: file.power_max.value, price };
        let power = quantity("power_max", &physical::UNIT_POWER, &file.power_max);
        let given = [power, priced("price", Some(&file.price))];
        self.sound(key, load, InterruptibleLoad::check, &given)
    }

    fn exchange(&mut self, key: &Key, file: &ExchangeFile, clock: &Clock) -> Option<Exchange> {
        let name = |side: &str| format!("grid.exchanges.{}.{side}_price", key.name);
        let import = self.prices(&name("import"), &file.import_price, clock);
        let export = match &file.export_price {
            Some(price) => self.prices(&name("export"), price, clock),
            None => import.clone(),
        };
        let unit = self.unit()?;
        let series = |side: &str, values| Series { name: name(side), unit: unit.clone(), values };
        let exchange = Exchange {
            name: key.name.clone(),
            import_max: file.import_max.value,
            export_max: file.export_max.value,
            import_price: series("import", import?),
            export_price: series("export", export?),
        };
        let powers = [("import_max", &file.import_max), ("export_max", &file.export_max)];
        let given = powers.map(|(field, power)| quantity(field, &physical::UNIT_POWER, power));
        self.sound(key, exchange, Exchange::check, &given)
    }

    fn electrolyser(
        &mut self,
        key: &Key,
        file: &ElectrolyserFile,
        clock: &Clock,
    ) -> Option<Electrolyser> {
        let name = format!("grid.electrolysers.{}.demand", key.name);
        let demand = self.power_over_time(&name, &file.demand, true, clock);
        let backup_price = self.price(&file.backup_price);
        let day_end = file.day_end_energy.as_ref().unwrap_or(&file.initial_energy);
        let unit = Electrolyser {
            name: key.name.clone(),
            power_min: file.power_min.value,
            power_max: file.power_max.value,
            efficiency: self.reckoned(file.efficiency.value),
            tank: file.tank.value,
            initial_energy: file.initial_energy.value,
            day_end_energy: day_end.value,
            holds_each_day: file.day_end_energy.is_some(),
            demand: demand?,
            backup_price: backup_price?,
        };
        self.sound(key, unit, Electrolyser::check, &electrolyser_numbers(file))
    }
}

/// A value that is a number in some unit.
trait Number {
    fn number(&self) -> f64;
}

impl Number for f64 {
    fn number(&self) -> f64 {
        *self
    }
}

impl Number for Share {
    fn number(&self) -> f64 {
        self.get()
    }
}

macro_rules! numbers {
    ($($quantity:ty),*) => {$(
        impl Number for $quantity {
            fn number(&self) -> f64 {
                self.0
            }
        }
    )*};
}
numbers!(Kilowatts, KilowattsPerHour, KilowattHours, Hours);

/// A field whose numbers have a range.
fn quantity<T: Number>(field: &'static str, range: &'static Physical, value: &Spanned<T>) -> Given {
    optional(field, range, Some(value))
}

/// A field with a range that a text may leave out.
fn optional<T: Number>(
    field: &'static str,
    range: &'static Physical,
    value: Option<&Spanned<T>>,
) -> Given {
    let number = value.map(|value| (value.number(), value.place));
    Given { field, range: Some(range), number }
}

/// A price, which is held against its range where it is read.
fn priced(field: &'static str, price: Option<&Spanned<Price>>) -> Given {
    let number = price.map(|price| (price.per_kwh, price.place));
    Given { field, range: None, number }
}

fn thermal_numbers(file: &ThermalFile) -> [Given; 12] {
    use physical::{COMMITMENT_TIME, HOURLY_COST, QUADRATIC_COST, RAMP, START_COST, UNIT_POWER};
    let how = file.commitment.as_ref();
    [
        quantity("power_min", &UNIT_POWER, &file.power_min),
        quantity("power_max", &UNIT_POWER, &file.power_max),
        optional("initial_power", &UNIT_POWER, file.initial_power.as_ref()),
        optional("deviation_max", &UNIT_POWER, file.deviation_max.as_ref()),
        quantity("ramp", &RAMP, &file.ramp),
        quantity("cost.a", &QUADRATIC_COST, &file.cost.a),
        priced("cost.b", Some(&file.cost.b)),
        quantity("cost.c", &HOURLY_COST, &file.cost.c),
        optional("start_cost", &START_COST, how.map(|how| &how.start_cost)),
        optional("up_min", &COMMITMENT_TIME, how.map(|how| &how.up_min)),
        optional("down_min", &COMMITMENT_TIME, how.map(|how| &how.down_min)),
        optional("initial_time", &COMMITMENT_TIME, how.map(|how| &how.initial_time)),
    ]
}

fn store_numbers(file: &StoreFile) -> [Given; 9] {
    use physical::{EFFICIENCY, STORE_ENERGY, UNIT_POWER};
    [
        quantity("charge_max", &UNIT_POWER, &file.charge_max),
        quantity("discharge_max", &UNIT_POWER, &file.discharge_max),
        quantity("energy_min", &STORE_ENERGY, &file.energy_min),
        quantity("energy_max", &STORE_ENERGY, &file.energy_max),
        quantity("initial_energy", &STORE_ENERGY, &file.initial_energy),
        optional("day_end_energy", &STORE_ENERGY, file.day_end_energy.as_ref()),
        quantity("charge_efficiency", &EFFICIENCY, &file.charge_efficiency),
        quantity("discharge_efficiency", &EFFICIENCY, &file.discharge_efficiency),
        priced("throughput_cost", file.throughput_cost.as_ref()),
    ]
}

fn electrolyser_numbers(file: &ElectrolyserFile) -> [Given; 8] {
    use physical::{EFFICIENCY, STORE_ENERGY, UNIT_POWER};
    // A demand that cannot be met is one for which the unit is too small.
    let demand = Given { field: "demand", range: None, number: Some((0.0, file.power_max.place)) };
    [
        quantity("power_min", &UNIT_POWER, &file.power_min),
        quantity("power_max", &UNIT_POWER, &file.power_max),
        quantity("efficiency", &EFFICIENCY, &file.efficiency),
        quantity("tank", &STORE_ENERGY, &file.tank),
        quantity("initial_energy", &STORE_ENERGY, &file.initial_energy),
        optional("day_end_energy", &STORE_ENERGY, file.day_end_energy.as_ref()),
        priced("backup_price", Some(&file.backup_price)),
        demand,
    ]
}
