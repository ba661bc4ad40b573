//! The units of a grid become a plant, kind by kind.

use super::Resolver;
use crate::{
    grid_file::{
        CommitmentFile, ElectrolyserFile, ExchangeFile, GridFile, InterruptibleFile, MustTakeFile,
        RenewableFile, StoreFile, ThermalFile,
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
    quantity::{Hours, KilowattHours, Kilowatts, Share},
    scenario::SystemSeries,
    series::Series,
};

/// A value with its quantity, its field's name, and where it is given, if it is.
type Given<'a> = (&'a Physical, &'a str, Option<(f64, Place)>);

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
            units.push(unit.and_then(|unit| self.sound(key, unit, Renewable::check, |_| None)));
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

    /// The unit, if it can be; a problem points at the field it is about, or at the unit's name.
    fn sound<T>(
        &mut self,
        key: &Key,
        unit: T,
        check: impl Fn(&T) -> Result<(), PlantError>,
        place: impl Fn(&str) -> Option<Place>,
    ) -> Option<T> {
        let Err(error) = check(&unit) else { return Some(unit) };
        let field = match &error {
            PlantError::Value { field, .. } | PlantError::OutsideBounds { field, .. } => *field,
            PlantError::Crossed { what: "output" | "power", .. } => "power_min",
            PlantError::Crossed { .. } => "energy_min",
            PlantError::ExportDearer { .. } => "export_price",
        };
        let place = place(field).filter(|place| *place != Place::NOWHERE).unwrap_or(key.place);
        self.report.add(place, error.to_string(), "this cannot be");
        None
    }

    fn must_take(&mut self, key: &Key, file: &MustTakeFile, clock: &Clock) -> Option<MustTake> {
        let name = format!("grid.must_take.{}", key.name);
        let output = self.power_over_time(&name, &file.output, true, clock);
        let cost = self.price_or(file.cost.as_ref(), 0.0);
        let unit = MustTake { name: key.name.clone(), output: output?, cost: cost? };
        self.sound(key, unit, MustTake::check, |_| file.cost.as_ref().map(|cost| cost.place))
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
        let how = file.commitment.as_ref();
        let unit = self.sound(key, unit, ThermalUnit::check, |field| match field {
            "power_min" => Some(file.power_min.place),
            "power_max" => Some(file.power_max.place),
            "ramp" => Some(file.ramp.place),
            "cost.a" => Some(file.cost.a.place),
            "cost.b" => Some(file.cost.b.place),
            "cost.c" => Some(file.cost.c.place),
            "initial_power" => file.initial_power.as_ref().map(|power| power.place),
            "deviation_max" => file.deviation_max.as_ref().map(|power| power.place),
            "start_cost" => how.map(|how| how.start_cost.place),
            "up_min" => how.map(|how| how.up_min.place),
            "down_min" => how.map(|how| how.down_min.place),
            _ => how.map(|how| how.initial_time.place),
        })?;
        self.all_within(&thermal_values(file)).map(|()| unit)
    }

    /// Whether all values can be reckoned with; each has its field's name.
    fn all_within(&mut self, values: &[Given<'_>]) -> Option<()> {
        let mut fine = Some(());
        for (what, field, value) in values {
            let Some((value, place)) = value else { continue };
            fine = self.report.within(what, field, *value, *place).and(fine);
        }
        fine
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
        };
        let unit = self.sound(key, unit, Store::check, |field| match field {
            "charge_max" => Some(file.charge_max.place),
            "discharge_max" => Some(file.discharge_max.place),
            "energy_min" => Some(file.energy_min.place),
            "energy_max" => Some(file.energy_max.place),
            "charge_efficiency" => Some(file.charge_efficiency.place),
            "discharge_efficiency" => Some(file.discharge_efficiency.place),
            "throughput_cost" => file.throughput_cost.as_ref().map(|cost| cost.place),
            "initial_energy" => Some(file.initial_energy.place),
            _ => Some(day_end.place),
        })?;
        self.all_within(&store_values(file)).map(|()| unit)
    }

    fn interruptible(&mut self, key: &Key, file: &InterruptibleFile) -> Option<InterruptibleLoad> {
        let price = self.price(&file.price)?;
        let load =
            InterruptibleLoad { name: key.name.clone(), power_max: file.power_max.value, price };
        let place = |field: &str| {
            Some(if field == "price" { file.price.place } else { file.power_max.place })
        };
        let load = self.sound(key, load, InterruptibleLoad::check, place)?;
        let power = (file.power_max.0, file.power_max.place);
        self.all_within(&[(&physical::UNIT_POWER, "power_max", Some(power))]).map(|()| load)
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
        let exchange = self.sound(key, exchange, Exchange::check, |field| match field {
            "import_max" => Some(file.import_max.place),
            "export_max" => Some(file.export_max.place),
            _ => None,
        })?;
        let values = [("import_max", &file.import_max), ("export_max", &file.export_max)];
        let values =
            values.map(|(name, power)| (&physical::UNIT_POWER, name, Some((power.0, power.place))));
        self.all_within(&values).map(|()| exchange)
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
            demand: demand?,
            backup_price: backup_price?,
        };
        let unit = self.sound(key, unit, Electrolyser::check, |field| match field {
            "power_min" => Some(file.power_min.place),
            "power_max" | "demand" => Some(file.power_max.place),
            "efficiency" => Some(file.efficiency.place),
            "tank" => Some(file.tank.place),
            "backup_price" => Some(file.backup_price.place),
            "initial_energy" => Some(file.initial_energy.place),
            _ => Some(day_end.place),
        })?;
        self.all_within(&electrolyser_values(file)).map(|()| unit)
    }
}

/// A value of a unit with its quantity, and the name and place of its field.
type UnitValue = (&'static Physical, &'static str, Option<(f64, Place)>);

fn thermal_values(file: &ThermalFile) -> [UnitValue; 11] {
    let power = |power: &Spanned<Kilowatts>| (power.0, power.place);
    let number = |number: &Spanned<f64>| Some((number.value, number.place));
    let how = file.commitment.as_ref();
    let time =
        |of: fn(&CommitmentFile) -> &Spanned<Hours>| how.map(|how| (of(how).0, of(how).place));
    [
        (&physical::UNIT_POWER, "power_min", Some(power(&file.power_min))),
        (&physical::UNIT_POWER, "power_max", Some(power(&file.power_max))),
        (&physical::UNIT_POWER, "initial_power", file.initial_power.as_ref().map(power)),
        (&physical::UNIT_POWER, "deviation_max", file.deviation_max.as_ref().map(power)),
        (&physical::RAMP, "ramp", Some((file.ramp.0, file.ramp.place))),
        (&physical::QUADRATIC_COST, "a", number(&file.cost.a)),
        (&physical::HOURLY_COST, "c", number(&file.cost.c)),
        (&physical::START_COST, "start_cost", how.and_then(|how| number(&how.start_cost))),
        (&physical::COMMITMENT_TIME, "up_min", time(|how| &how.up_min)),
        (&physical::COMMITMENT_TIME, "down_min", time(|how| &how.down_min)),
        (&physical::COMMITMENT_TIME, "initial_time", time(|how| &how.initial_time)),
    ]
}

fn store_values(file: &StoreFile) -> [UnitValue; 8] {
    let power = |power: &Spanned<Kilowatts>| Some((power.0, power.place));
    let energy = |energy: &Spanned<KilowattHours>| (energy.0, energy.place);
    let share = |share: &Spanned<Share>| Some((share.get(), share.place));
    [
        (&physical::UNIT_POWER, "charge_max", power(&file.charge_max)),
        (&physical::UNIT_POWER, "discharge_max", power(&file.discharge_max)),
        (&physical::STORE_ENERGY, "energy_min", Some(energy(&file.energy_min))),
        (&physical::STORE_ENERGY, "energy_max", Some(energy(&file.energy_max))),
        (&physical::STORE_ENERGY, "initial_energy", Some(energy(&file.initial_energy))),
        (&physical::STORE_ENERGY, "day_end_energy", file.day_end_energy.as_ref().map(energy)),
        (&physical::EFFICIENCY, "charge_efficiency", share(&file.charge_efficiency)),
        (&physical::EFFICIENCY, "discharge_efficiency", share(&file.discharge_efficiency)),
    ]
}

fn electrolyser_values(file: &ElectrolyserFile) -> [UnitValue; 6] {
    let power = |power: &Spanned<Kilowatts>| Some((power.0, power.place));
    let energy = |energy: &Spanned<KilowattHours>| (energy.0, energy.place);
    let efficiency = (file.efficiency.get(), file.efficiency.place);
    [
        (&physical::UNIT_POWER, "power_min", power(&file.power_min)),
        (&physical::UNIT_POWER, "power_max", power(&file.power_max)),
        (&physical::EFFICIENCY, "efficiency", Some(efficiency)),
        (&physical::STORE_ENERGY, "tank", Some(energy(&file.tank))),
        (&physical::STORE_ENERGY, "initial_energy", Some(energy(&file.initial_energy))),
        (&physical::STORE_ENERGY, "day_end_energy", file.day_end_energy.as_ref().map(energy)),
    ]
}
