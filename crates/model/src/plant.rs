//! Plant: what generates, stores and sheds, any number of each.
//!
//! | type                  | what it is                                  | equations        |
//! |-----------------------|---------------------------------------------|------------------|
//! | [`ThermalUnit`]       | burns fuel; limits, ramp, quadratic cost    | (21), (22), (37) |
//! | [`Store`]             | pumped hydro or a battery                   | (23)-(26), (38), (43) |
//! | [`Renewable`]         | a wind farm or a PV plant; can be curtailed | (28), (29), (39), (41) |
//! | [`MustTake`]          | output that nobody steers                   | -                |
//! | [`InterruptibleLoad`] | load that may be shed at a price            | (27), (40)       |
//! | [`Exchange`]          | the connection to the world outside         | -                |
//!
//! Power is measured on the grid side. A generator's output is not negative; a store has two
//! non-negative powers, and its efficiencies are one-way:
//! `W[t] = W[t-1] + η_c·charge·dt - discharge·dt/η_d`, with `W[t]` the energy at the END of slot t.
//!
//! Units are numbered kind by kind in the order of [`Plant::names`].

use crate::{
    cost::QuadraticCost,
    forecast::Forecast,
    quantity::{Hours, KilowattHours, Kilowatts, KilowattsPerHour, Share},
    series::Series,
};

/// All units of a world; each list may be empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plant {
    /// Wind farms and PV plants.
    pub renewables: Vec<Renewable>,
    /// Output that nobody steers.
    pub must_take: Vec<MustTake>,
    /// Thermal units.
    pub thermal: Vec<ThermalUnit>,
    /// Pumped hydro and batteries.
    pub stores: Vec<Store>,
    /// Loads that may be shed.
    pub interruptible: Vec<InterruptibleLoad>,
    /// Connections to the world outside.
    pub exchanges: Vec<Exchange>,
}

/// A unit that burns fuel. On throughout, unless it has a [`Commitment`].
#[derive(Debug, Clone, PartialEq)]
pub struct ThermalUnit {
    /// Its name in the world file.
    pub name: String,
    /// Least output while it is on.
    pub power_min: Kilowatts,
    /// Most output.
    pub power_max: Kilowatts,
    /// How fast output may rise or fall, R of (21).
    pub ramp: KilowattsPerHour,
    /// What generating costs, (37).
    pub cost: QuadraticCost,
    /// Whether and how it may be switched off; `None` for a unit that is always on.
    pub commitment: Option<Commitment>,
    /// Output in the slot before the first; `None` where the first slot's output is free.
    pub initial_power: Option<Kilowatts>,
    /// How far the intra-day stage may leave the day-ahead output without paying; `None` for as far as it likes.
    pub deviation_max: Option<Kilowatts>,
}

/// How a thermal unit may be switched on and off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Commitment {
    /// What a start costs.
    pub start_cost: f64,
    /// Once on, on for at least so long.
    pub up_min: Hours,
    /// Once off, off for at least so long.
    pub down_min: Hours,
    /// Whether it is on before the first slot.
    pub initially_on: bool,
    /// For how long it has been on, or off, by then.
    pub initial_hours: Hours,
}

/// What a store stores energy in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// Water in an upper basin.
    PumpedHydro,
    /// A stationary battery ("ESS" in the paper).
    Ess,
}

/// Pumped hydro or a battery.
#[derive(Debug, Clone, PartialEq)]
pub struct Store {
    /// Its name in the world file.
    pub name: String,
    /// What kind it is.
    pub kind: StoreKind,
    /// Most it charges with, `-P_h^min`.
    pub charge_max: Kilowatts,
    /// Most it discharges with, `P_h^max`.
    pub discharge_max: Kilowatts,
    /// Least it may hold.
    pub energy_min: KilowattHours,
    /// Most it may hold.
    pub energy_max: KilowattHours,
    /// Stored per energy charged.
    pub charge_efficiency: Share,
    /// Delivered per stored energy discharged.
    pub discharge_efficiency: Share,
    /// Price of a kWh that goes in or comes out, (38) and (43).
    pub throughput_cost: f64,
    /// What it holds before the first slot.
    pub initial_energy: KilowattHours,
    /// Least it holds at the end of each day; `None` leaves it to the day-ahead stage, which then empties it.
    pub day_end_energy: Option<KilowattHours>,
}

/// What a renewable unit generates from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenewableKind {
    /// Wind.
    Wind,
    /// Sun.
    Pv,
}

/// A wind farm or a PV plant.
#[derive(Debug, Clone, PartialEq)]
pub struct Renewable {
    /// Its name in the world file.
    pub name: String,
    /// Wind or sun.
    pub kind: RenewableKind,
    /// What it could give, kW a slot.
    pub available: Series,
    /// What is known of that beforehand.
    pub forecast: Forecast,
    /// Price of a kWh delivered, (39).
    pub cost: f64,
    /// Price of a kWh curtailed, (41).
    pub waste_price: f64,
}

/// Output that nobody steers: run-of-river, combined heat and power, ...
#[derive(Debug, Clone, PartialEq)]
pub struct MustTake {
    /// Its name in the world file.
    pub name: String,
    /// What it gives, kW a slot.
    pub output: Series,
    /// Price of a kWh.
    pub cost: f64,
}

/// Load that may be shed at a price.
#[derive(Debug, Clone, PartialEq)]
pub struct InterruptibleLoad {
    /// Its name in the world file.
    pub name: String,
    /// Most that may be shed, `P_cut^max`.
    pub power_max: Kilowatts,
    /// Price of a kWh shed, (40).
    pub price: f64,
}

/// A connection to the world outside. It is scheduled, and supplies no flexibility.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// Its name in the world file.
    pub name: String,
    /// Most that may be imported.
    pub import_max: Kilowatts,
    /// Most that may be exported.
    pub export_max: Kilowatts,
    /// Price of a kWh imported, one a slot.
    pub import_price: Series,
    /// What a kWh exported earns, one a slot; nowhere above the import price.
    pub export_price: Series,
}

/// A unit that cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlantError {
    /// A number is outside its range, or not a number.
    #[error("{field} of `{unit}` is {value}; it must be {wanted}")]
    Value {
        /// The unit's name.
        unit: String,
        /// Which of its numbers.
        field: &'static str,
        /// The value.
        value: f64,
        /// What it must be.
        wanted: &'static str,
    },
    /// The least is above the most.
    #[error("the least {what} of `{unit}`, {least}, is above the most, {most}")]
    Crossed {
        /// The unit's name.
        unit: String,
        /// Output or energy.
        what: &'static str,
        /// The least.
        least: f64,
        /// The most.
        most: f64,
    },
    /// A store's energy, before the first slot or at a day's end, lies outside its bounds.
    #[error("{field} of `{unit}` is {value} kWh, outside its bounds of {least} to {most} kWh")]
    OutsideBounds {
        /// The store's name.
        unit: String,
        /// `initial_energy` or `day_end_energy`.
        field: &'static str,
        /// The value.
        value: f64,
        /// Least it may hold.
        least: f64,
        /// Most it may hold.
        most: f64,
    },
    /// Exporting earns more than importing costs, so that doing both would pay without end.
    #[error(
        "`{unit}` pays {export} for exports and asks {import} for imports in slot {slot}; exports must not earn more"
    )]
    ExportDearer {
        /// The connection's name.
        unit: String,
        /// The slot.
        slot: usize,
        /// Price of imports.
        import: f64,
        /// Price of exports.
        export: f64,
    },
}

impl Plant {
    /// Names of all units, in the order of their numbers: renewables, must-take, thermal, stores,
    /// interruptible loads, connections.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let renewables = self.renewables.iter().map(|unit| unit.name.as_str());
        let must_take = self.must_take.iter().map(|unit| unit.name.as_str());
        let thermal = self.thermal.iter().map(|unit| unit.name.as_str());
        let stores = self.stores.iter().map(|unit| unit.name.as_str());
        let loads = self.interruptible.iter().map(|unit| unit.name.as_str());
        let exchanges = self.exchanges.iter().map(|unit| unit.name.as_str());
        renewables.chain(must_take).chain(thermal).chain(stores).chain(loads).chain(exchanges)
    }

    /// All series with their values, in a fixed order: what a run needs besides the world's text.
    pub fn series(&self) -> impl Iterator<Item = &Series> {
        let renewables = self.renewables.iter().flat_map(|unit| {
            let forecast = if let Forecast::Series(series) = &unit.forecast { Some(series) } else { None };
            std::iter::once(&unit.available).chain(forecast)
        });
        let must_take = self.must_take.iter().map(|unit| &unit.output);
        let exchanges = self.exchanges.iter().flat_map(|unit| [&unit.import_price, &unit.export_price]);
        renewables.chain(must_take).chain(exchanges)
    }

    /// Checks every unit; what passes can be scheduled.
    ///
    /// # Errors
    /// The first unit that cannot be.
    pub fn check(&self) -> Result<(), PlantError> {
        self.thermal.iter().try_for_each(ThermalUnit::check)?;
        self.stores.iter().try_for_each(Store::check)?;
        self.renewables.iter().try_for_each(Renewable::check)?;
        self.must_take.iter().try_for_each(MustTake::check)?;
        self.interruptible.iter().try_for_each(InterruptibleLoad::check)?;
        self.exchanges.iter().try_for_each(Exchange::check)
    }
}

/// Says which number of which unit is wrong.
struct Checked<'a>(&'a str);

const NOT_NEGATIVE: &str = "finite and not negative";

impl Checked<'_> {
    fn holds(
        &self,
        field: &'static str,
        value: f64,
        right: bool,
        wanted: &'static str,
    ) -> Result<(), PlantError> {
        if right { Ok(()) } else { Err(PlantError::Value { unit: self.0.to_owned(), field, value, wanted }) }
    }

    fn not_negative(&self, field: &'static str, value: f64) -> Result<(), PlantError> {
        self.holds(field, value, value.is_finite() && value >= 0.0, NOT_NEGATIVE)
    }

    fn ordered(&self, what: &'static str, least: f64, most: f64) -> Result<(), PlantError> {
        if least <= most {
            Ok(())
        } else {
            Err(PlantError::Crossed { unit: self.0.to_owned(), what, least, most })
        }
    }

    fn series(&self, field: &'static str, series: &Series) -> Result<(), PlantError> {
        series.values.iter().try_for_each(|&value| self.not_negative(field, value))
    }
}

impl ThermalUnit {
    /// Checks limits, ramp, costs and commitment.
    pub fn check(&self) -> Result<(), PlantError> {
        let unit = Checked(&self.name);
        unit.not_negative("power_min", self.power_min.0)?;
        unit.not_negative("power_max", self.power_max.0)?;
        unit.ordered("output", self.power_min.0, self.power_max.0)?;
        unit.not_negative("ramp", self.ramp.0)?;
        for (field, value) in [("cost.a", self.cost.a), ("cost.b", self.cost.b), ("cost.c", self.cost.c)] {
            unit.not_negative(field, value)?;
        }
        self.initial_power.map_or(Ok(()), |power| unit.not_negative("initial_power", power.0))?;
        self.deviation_max.map_or(Ok(()), |power| unit.not_negative("deviation_max", power.0))?;
        let Some(commitment) = &self.commitment else { return Ok(()) };
        unit.not_negative("start_cost", commitment.start_cost)?;
        unit.not_negative("up_min", commitment.up_min.0)?;
        unit.not_negative("down_min", commitment.down_min.0)?;
        unit.not_negative("initial_hours", commitment.initial_hours.0)
    }
}

impl Store {
    /// Checks powers, bounds, efficiencies and energies.
    pub fn check(&self) -> Result<(), PlantError> {
        self.check_shape()?;
        let wishes = [("initial_energy", Some(self.initial_energy)), ("day_end_energy", self.day_end_energy)];
        for (field, energy) in wishes {
            energy.map_or(Ok(()), |energy| self.check_energy(field, energy.0))?;
        }
        Ok(())
    }

    /// Checks everything but what the store holds, which may have come from elsewhere.
    pub fn check_shape(&self) -> Result<(), PlantError> {
        let unit = Checked(&self.name);
        unit.not_negative("charge_max", self.charge_max.0)?;
        unit.not_negative("discharge_max", self.discharge_max.0)?;
        unit.not_negative("energy_min", self.energy_min.0)?;
        unit.not_negative("energy_max", self.energy_max.0)?;
        unit.ordered("energy", self.energy_min.0, self.energy_max.0)?;
        for (field, share) in [
            ("charge_efficiency", self.charge_efficiency),
            ("discharge_efficiency", self.discharge_efficiency),
        ] {
            unit.holds(field, share.get(), share.get() > 0.0, "above 0 and at most 1")?;
        }
        unit.not_negative("throughput_cost", self.throughput_cost)
    }

    fn check_energy(&self, field: &'static str, value: f64) -> Result<(), PlantError> {
        let (least, most) = (self.energy_min.0, self.energy_max.0);
        if (least..=most).contains(&value) {
            return Ok(());
        }
        Err(PlantError::OutsideBounds { unit: self.name.clone(), field, value, least, most })
    }

    /// What the store holds after a slot of so many hours that began with `energy_kwh`.
    pub fn energy_after(&self, energy_kwh: f64, charge_kw: f64, discharge_kw: f64, hours: f64) -> f64 {
        let (charged, discharged) = (charge_kw * hours, discharge_kw * hours);
        energy_kwh + self.charge_efficiency.get() * charged - discharged / self.discharge_efficiency.get()
    }
}

impl Renewable {
    /// Checks series, forecast and prices.
    pub fn check(&self) -> Result<(), PlantError> {
        let unit = Checked(&self.name);
        unit.series("available", &self.available)?;
        match &self.forecast {
            Forecast::Perfect => {}
            Forecast::Series(series) => unit.series("forecast", series)?,
            Forecast::Ar1 { phi, sd } => {
                unit.holds("forecast.phi", *phi, (0.0..1.0).contains(phi), "at least 0 and below 1")?;
                unit.not_negative("forecast.sd", *sd)?;
            }
        }
        self.check_prices()
    }

    /// Checks the prices alone.
    pub fn check_prices(&self) -> Result<(), PlantError> {
        let unit = Checked(&self.name);
        unit.not_negative("cost", self.cost)?;
        unit.not_negative("waste_price", self.waste_price)
    }
}

impl MustTake {
    /// Checks series and price.
    pub fn check(&self) -> Result<(), PlantError> {
        Checked(&self.name).series("output", &self.output)?;
        Checked(&self.name).not_negative("cost", self.cost)
    }
}

impl InterruptibleLoad {
    /// Checks limit and price.
    pub fn check(&self) -> Result<(), PlantError> {
        Checked(&self.name).not_negative("power_max", self.power_max.0)?;
        Checked(&self.name).not_negative("price", self.price)
    }
}

impl Exchange {
    /// Checks limits and prices.
    pub fn check(&self) -> Result<(), PlantError> {
        self.check_prices(&self.import_price.values, &self.export_price.values)
    }

    /// Checks limits, and prices that may be other ones than its own.
    pub fn check_prices(&self, imports: &[f64], exports: &[f64]) -> Result<(), PlantError> {
        let unit = Checked(&self.name);
        unit.not_negative("import_max", self.import_max.0)?;
        unit.not_negative("export_max", self.export_max.0)?;
        for (slot, (&import, &export)) in imports.iter().zip(exports).enumerate() {
            unit.holds("import_price", import, import.is_finite(), "finite")?;
            unit.holds("export_price", export, export.is_finite(), "finite")?;
            if export > import {
                return Err(PlantError::ExportDearer { unit: self.name.clone(), slot, import, export });
            }
        }
        Ok(())
    }
}
