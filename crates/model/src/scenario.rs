//! Everything that one run is made of.

use crate::{
    clock::{Boundary, Clock},
    columns::UnitKind,
    device::Device,
    fleet::{Fleet, Parking, Population},
    foresight::SystemForecasts,
    id::{EvId, StayId},
    price::{ExpectedPrice, IncentiveRule, PriceFeedback, net_load},
    random::CarKey,
    rules::Rules,
    series::Series,
    site::Site,
    stay::NO_STAY,
    two_stage::Grid,
    willingness::{Draw, Participation, Willingness, clock_hour, folded_hour},
};
use std::{ops::Range, sync::Arc};

/// A world, resolved: no file is needed any more.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Name of the world.
    pub name: String,
    /// Seed of every draw.
    pub seed: u64,
    /// Which rules it goes by.
    pub rules: Rules,
    /// When and in what steps.
    pub clock: Clock,
    /// ISO 4217 code of all money.
    pub currency: String,
    /// Prices that drivers pay and are paid.
    pub tariffs: Vec<Tariff>,
    /// The fleets, in `EvId` order.
    pub fleets: Vec<Fleet>,
    // Shared, as telemetry works with it beside the engine.
    /// The cars drawn from them.
    pub population: Arc<Population>,
    /// Connections with a limit; a parent comes before its children.
    pub sites: Vec<Site>,
    /// Load, wind and sun.
    pub system: SystemSeries,
    /// Further series of power that the world gives names, for policies: kW a slot.
    pub own_series: Vec<Series>,
    /// Units that are scheduled in two stages; `None` where import or export closes the balance.
    pub grid: Option<Arc<Grid>>,
    /// How prices follow net load; `None` where drivers pay their tariff and are not asked.
    pub incentive: Option<Incentive>,
    /// Values that empirical distributions were read from; as many as the file had.
    pub samples: Vec<Series>,
    /// Which policy plans, and what it is told.
    pub policy: PolicyChoice,
    /// When stays are planned first.
    pub planning: Planning,
    /// How much is recorded of every car.
    pub ev_ticks: EvTicks,
    /// How often the journal is made durable.
    pub durability: Durability,
}

/// The prices of one tariff, one a slot, per kWh.
#[derive(Debug, Clone, PartialEq)]
pub struct Tariff {
    /// Its name in the world file.
    pub name: String,
    /// Price of a kWh taken from the grid.
    pub buy: Series,
    /// Price of a kWh given to the grid.
    pub sell: Series,
}

/// The system around the cars, kW per slot; `None` where the world has none of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SystemSeries {
    /// Load without cars.
    pub base_load: Option<Series>,
    /// Wind power available.
    pub wind: Option<Series>,
    /// Photovoltaic power available.
    pub pv: Option<Series>,
    /// What is known of them beforehand, where there is no plant.
    pub forecasts: SystemForecasts,
}

/// What gives power in a world without a plant.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// Its kind.
    pub kind: UnitKind,
    /// What comes, kW a slot; `None` for what takes up the rest.
    pub series: Option<&'a Series>,
}

impl SystemSeries {
    /// Net load in kW of each of `slots`; `day` slots are 24 hours.
    ///
    /// What the world has none of counts as 0. After the end the last 24 hours repeat.
    pub fn net_load_kw(&self, slots: Range<u32>, day: u32) -> impl Iterator<Item = f64> {
        let at = move |series: &Option<Series>, slot| {
            series.as_ref().map_or(0.0, |series| series.at(slot, day))
        };
        slots.map(move |slot| {
            net_load(at(&self.base_load, slot), at(&self.wind, slot), at(&self.pv, slot))
        })
    }
}

/// How prices follow net load, and what drivers make of that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Incentive {
    /// How net load becomes a price, (1) and (2).
    pub rule: IncentiveRule,
    /// The price that drivers compare it with, (5).
    pub expected: ExpectedPrice,
    /// Whether cars that are planned move the price for those after them.
    pub feedback: PriceFeedback,
}

/// When stays are planned first; a policy may ask for more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Planning {
    /// When the car plugs in, on what is known then.
    #[default]
    AtPlugIn,
    /// Before the local day in which the stay begins, car by car, from the energy expected on
    /// arrival.
    AtDayStart,
}

/// Which policy plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyChoice {
    /// Name or path of the plugin.
    pub name: String,
    /// Its config: the verbatim text between its parentheses in the world file.
    pub config: String,
    /// Byte offset of that text in the world file, for errors that point there.
    pub config_offset: usize,
    /// The policy that stands in for a call that failed; `None` stops the run.
    pub fallback: Option<String>,
}

/// How much is recorded of every car and tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EvTicks {
    /// Nothing.
    Off,
    /// This share of the cars (0..1), every tick.
    Sample(f64),
    /// A row when power or plug state changes.
    Changes,
    /// Every car, every tick.
    Full,
}

impl EvTicks {
    /// The level of a world with these fleets that names none: it goes by how many cars they count.
    pub fn of_fleets(fleets: &[Fleet]) -> Self {
        let cars: u64 = fleets.iter().map(|fleet| u64::from(fleet.count)).sum();
        if cars > 10_000 { Self::Changes } else { Self::Full }
    }
}

/// When the journal reaches the disk for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// As often as it can be without taking more than a small share of the run's time: after 16
    /// ticks or a second, whichever comes first, or later where the disk is slow.
    Paced,
    /// After every tick.
    Tick,
    /// After every so many ticks, at least 1.
    Every(u32),
    /// When the run ends.
    Close,
}

impl Scenario {
    /// The cars of its fleets as they are drawn.
    pub fn draw(&self) -> Population {
        Population::draw(self.seed, self.rules, &self.clock, &self.fleets)
    }

    /// Whether its cars are those that [`draw`](Self::draw) gives: none were added or taken out on
    /// the way.
    pub fn has_cars_as_drawn(&self) -> bool {
        let ranges = &self.population.fleets;
        ranges.len() == self.fleets.len() && ranges.iter().all(|range| !range.removed)
    }

    /// The end of the horizon that plans may reach to: two days beyond the simulation.
    pub fn horizon_end(&self) -> u32 {
        self.clock.slots.saturating_add(2 * self.clock.slots_per_24_hours())
    }

    /// The kinds of all units, by their ids: those of the plant, or what closes the balance without
    /// one.
    pub fn unit_kinds(&self) -> Vec<UnitKind> {
        match &self.grid {
            Some(grid) => grid.plant.devices().map(Device::kind).collect(),
            None => self.given_units().map(|unit| unit.kind).collect(),
        }
    }

    /// What closes the balance without a plant, by id: wind and sun as they come, and the
    /// connection to the outside.
    pub fn given_units(&self) -> impl Iterator<Item = Given<'_>> {
        let SystemSeries { wind, pv, .. } = &self.system;
        let comes = [(UnitKind::WIND, wind), (UnitKind::PV, pv)].into_iter();
        let comes =
            comes.filter_map(|(kind, series)| Some(Given { kind, series: Some(series.as_ref()?) }));
        comes.chain([Given { kind: UnitKind::IMPORT_EXPORT, series: None }])
    }

    /// The names of all units, by their ids.
    pub fn unit_names(&self) -> Vec<String> {
        match &self.grid {
            Some(grid) => grid.plant.names().map(str::to_owned).collect(),
            None => self.unit_kinds().into_iter().map(|kind| kind.name().to_owned()).collect(),
        }
    }

    /// Whether the drivers of a fleet are asked if they discharge, and how: only where there is an
    /// incentive to do so and the fleet says what they make of it.
    pub fn asks_drivers(&self, fleet: usize) -> Option<(Willingness, Participation)> {
        self.incentive.and(self.fleets[fleet].v2g.willingness)
    }

    /// Whether the drivers of any fleet are asked.
    pub fn asks_anyone(&self) -> bool {
        (0..self.fleets.len()).any(|fleet| self.asks_drivers(fleet).is_some())
    }

    /// Number of cars that are plugged in and whose drivers are asked; `stay` has one value a car,
    /// [`NO_STAY`] where it is away.
    pub fn asked_cars(&self, stay: &[StayId]) -> usize {
        let ranges = self.population.fleets.iter();
        let asked = ranges.filter(|range| self.asks_drivers(range.fleet).is_some());
        let stays = asked.flat_map(|range| &stay[range.evs.start as usize..range.evs.end as usize]);
        stays.filter(|stay| **stay != NO_STAY).count()
    }

    /// The hour of drivers' draws in which `slot` begins. Looks up the zone: ask once a slot, not
    /// once a car.
    pub fn willingness_hour(&self, slot: u32) -> u32 {
        match self.clock.boundary {
            Boundary::Open => clock_hour(&self.clock, slot),
            Boundary::Fold => folded_hour(&self.clock, slot),
        }
    }

    /// What a driver drew for an hour that [`willingness_hour`](Self::willingness_hour) counts.
    pub fn willingness_draw(&self, ev: EvId, hour: u32) -> Draw {
        let range = self.population.range_of(ev);
        let fleet = &self.fleets[range.fleet];
        let place = range.index_of(ev);
        // The list has normal draws only; what `Bernoulli` asks for is drawn as for any car.
        let draw = Draw::new(self.seed, CarKey::new(&fleet.name, place), hour);
        match &fleet.parking {
            Parking::Listed { cars, .. } => {
                let normals = &cars[place as usize].normals;
                Draw { normal: normals[hour as usize % normals.len()], ..draw }
            }
            _ => draw,
        }
    }

    /// All series with their values, in a fixed order: what a run needs besides the world's text.
    pub fn series(&self) -> impl Iterator<Item = &Series> {
        let system = [&self.system.base_load, &self.system.wind, &self.system.pv];
        let prices = self.tariffs.iter().flat_map(|tariff| [&tariff.buy, &tariff.sell]);
        let grid = self.grid.iter().flat_map(|grid| grid.series());
        let known = self.system.forecasts.series();
        let all = system.into_iter().flatten().chain(prices).chain(grid).chain(known);
        all.chain(&self.samples).chain(&self.own_series)
    }

    /// The names of a fleet's stations, where its sessions are recorded ones.
    pub fn stations(&self, fleet: usize) -> &[String] {
        match &self.fleets[fleet].parking {
            Parking::Sessions { stations, .. } => stations,
            _ => &[],
        }
    }
}
