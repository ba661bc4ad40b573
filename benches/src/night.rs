//! A world of cars that charge overnight at home, without control, and a run of it.
//!
//! One fleet, one local day from midnight in quarter hours: every car is at home when the day
//! begins, leaves for the day, comes back in the evening and charges. The cars are those of
//! `worlds/germany/week.ron`.

use std::{path::Path, sync::Arc};
use voltide_engine::{Ended, EngineError, Simulation, Start};
use voltide_host::Plugins;
use voltide_journal::{
    error::LogError,
    event::{Build, Event, Recorded, TickSealed},
    log::{EventLog, Seal},
    mcap_log::McapLog,
    sink::Sink,
};
use voltide_model::{
    battery::Battery,
    clock::Clock,
    columns::TickColumns,
    distribution::Distribution,
    fleet::{Fleet, Parking, Place, Population, V2gTerms},
    price::{ExpectedPrice, IncentiveRule, PriceFeedback},
    quantity::{Kilowatts, Share},
    rules::Rules,
    scenario::{
        Durability, EvTicks, Incentive, Planning, PolicyChoice, Scenario, SystemSeries, Tariff,
    },
    series::Series,
    site::Charger,
    willingness::{Logistic, Participation, Willingness},
    wishes::SocWishes,
};

/// Slots of the day.
pub const SLOTS: u32 = 96;

/// The journal's durability where a world does not say otherwise.
pub const DURABILITY: Durability = Durability::Paced;

/// The world, with `cars` cars drawn.
pub fn scenario(cars: u32) -> Arc<Scenario> {
    let start = "2018-10-08T00:00:00".parse().expect("it is a time");
    let clock = Clock::new(start, chrono_tz::Europe::Berlin, 900, 1).expect("it is a day");
    let fleets = vec![fleet(cars)];
    let price = |name: &str| Series {
        name: name.into(),
        unit: "EUR/kWh".into(),
        values: vec![0.3; SLOTS as usize].into(),
    };
    Arc::new(Scenario {
        name: "night".into(),
        seed: 1,
        rules: Rules::TODAY,
        clock,
        currency: "EUR".into(),
        tariffs: vec![Tariff {
            name: "fixed".into(),
            buy: price("tariff.buy"),
            sell: price("tariff.sell"),
        }],
        population: Arc::new(Population::draw(1, Rules::TODAY, &clock, &fleets)),
        fleets,
        sites: vec![],
        own_series: Vec::new(),
        system: SystemSeries::default(),
        samples: vec![],
        grid: None,
        incentive: None,
        policy: PolicyChoice {
            name: "uncontrolled".into(),
            config: String::new(),
            config_offset: 0,
            fallback: None,
        },
        planning: Planning::AtPlugIn,
        ev_ticks: EvTicks::Off,
        durability: DURABILITY,
    })
}

fn fleet(count: u32) -> Fleet {
    let share = |value| Share::new(value).expect("it is a share");
    let home = Place {
        arrive: normal(17.5, 2.0),
        leave: normal(7.0, 0.5),
        trip_time_min: 0.0,
        charger: Charger { charge_max: Kilowatts(7.0), discharge_max: Kilowatts(7.0), site: None },
    };
    Fleet {
        name: "commuters".into(),
        count,
        battery: Battery {
            soc_min: share(0.2),
            soc_max: share(1.0),
            charge_efficiency: share(0.95),
            discharge_efficiency: share(0.95),
            degradation_per_kwh: 0.0,
        },
        capacity: Distribution::Fixed(60.0),
        parking: Parking::Overnight(home),
        trip_energy: Distribution::Normal { mean: 7.3, sd: 3.0, min: 0.5, max: 30.0 },
        soc_on_arrival: Distribution::Fixed(0.8),
        departure_soc: Distribution::Fixed(0.8),
        tariff: 0,
        v2g: V2gTerms { soc_min: share(0.2), willingness: None },
        wishes: SocWishes::default(),
    }
}

fn normal(mean: f64, sd: f64) -> Distribution {
    Distribution::Normal { mean, sd, min: f64::NEG_INFINITY, max: f64::INFINITY }
}

/// The same world with prices that follow a net load of one peak a day, and drivers who are asked.
pub fn priced_scenario(cars: u32) -> Arc<Scenario> {
    let mut scenario = Arc::unwrap_or_clone(scenario(cars));
    // The peak is at 19:00.
    let wave = |slot: u32| f64::from(slot.abs_diff(76)) / 76.0;
    let series = |name: &str, unit: &str, value: &dyn Fn(u32) -> f64| Series {
        name: name.into(),
        unit: unit.into(),
        values: (0..SLOTS).map(value).collect(),
    };
    let price = |slot| 0.45 - 0.3 * wave(slot);
    let (buy, sell) =
        (series("tariff.buy", "EUR/kWh", &price), series("tariff.sell", "EUR/kWh", &price));
    scenario.tariffs = vec![Tariff { name: "wave".into(), buy, sell }];
    scenario.system.base_load =
        Some(series("base_load", "kW", &|slot| 2000.0 - 1000.0 * wave(slot)));
    scenario.incentive = Some(Incentive {
        rule: IncentiveRule { rho: 0.6, floor: Some(0.0) },
        expected: ExpectedPrice::Proportional(1.0),
        feedback: PriceFeedback::None,
    });
    let curve = |a, b, c| Logistic { a, b, c };
    let curves =
        Willingness::new(curve(1.0, 8.0, 0.65), curve(3.0, 6.0, 0.145)).expect("they do not cross");
    let gamma = Share::new(0.3).expect("it is a share");
    scenario.fleets[0].battery.degradation_per_kwh = 0.03;
    scenario.fleets[0].v2g.willingness = Some((curves, Participation::Threshold(gamma)));
    Arc::new(scenario)
}

/// A run of the world that is about to begin, without control.
pub fn begin<L: EventLog, S: Sink>(
    scenario: &Arc<Scenario>,
    threads: usize,
    log: L,
    sink: S,
) -> Result<Simulation<L, S>, EngineError> {
    begin_with(("uncontrolled", ""), scenario, threads, log, sink)
}

/// A run of the world that is about to begin, planned by a policy that is built in, with its config.
pub fn begin_with<L: EventLog, S: Sink>(
    (policy, config): (&str, &str),
    scenario: &Arc<Scenario>,
    threads: usize,
    log: L,
    sink: S,
) -> Result<Simulation<L, S>, EngineError> {
    let plugins = Plugins::in_folders(vec![]).with_threads(threads);
    let planner = plugins.load(policy, config, 0).expect("it is built in");
    let start = Start {
        scenario: Arc::clone(scenario),
        world_text: "// made by benches/million.rs".into(),
        overrides: vec![],
        build: Build::default(),
        planner,
        fallback: None,
        forecaster: None,
        threads,
    };
    Simulation::new(start, log, sink)
}

/// Steps through all slots.
pub fn step_through<L: EventLog, S: Sink>(run: &mut Simulation<L, S>) -> Result<(), EngineError> {
    while !run.is_done() {
        run.step()?;
    }
    Ok(())
}

/// Steps through all slots and closes the journal.
pub fn finish<L: EventLog, S: Sink>(mut run: Simulation<L, S>) -> Result<Ended<S>, EngineError> {
    step_through(&mut run)?;
    run.end(Some("finished".into()))
}

/// A journal in `folder`, as durable as one is by default.
pub fn journal(folder: &Path) -> McapLog {
    McapLog::create(folder, DURABILITY).expect("the temporary folder can be written to")
}

/// A sink that looks at nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoTables;

impl Sink for NoTables {
    type Error = std::convert::Infallible;

    fn event(&mut self, _: &Arc<Scenario>, _: &Recorded) -> Result<(), Self::Error> {
        Ok(())
    }

    fn tick(&mut self, _: &Arc<Scenario>, _: &TickColumns<'_>) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// A log that keeps and writes nothing: to tell the journal's memory from the simulation's.
#[derive(Debug, Clone, Copy)]
pub struct NoJournal;

impl EventLog for NoJournal {
    fn append(&mut self, _: &Recorded) -> Result<(), LogError> {
        Ok(())
    }

    fn open_run(&mut self) -> Result<(), LogError> {
        Ok(())
    }

    fn seal(&mut self, seal: Seal) -> Result<Recorded, LogError> {
        let Seal { seq, cause_seq, tick, .. } = seal;
        Ok(Recorded { seq, cause_seq, tick, event: Event::TickSealed(TickSealed::default()) })
    }

    fn close(&mut self) -> Result<(), LogError> {
        Ok(())
    }
}
