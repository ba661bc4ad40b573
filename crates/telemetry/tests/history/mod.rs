//! A hand-made history: cars that charge at full power on arrival, and some that discharge first.

#![expect(clippy::unwrap_used, reason = "the parameters are known to be right")]

use chrono_tz::Europe::Berlin;
use std::sync::Arc;
use voltide_journal::{
    event::{
        Build, ClipReason, EndReason, Event, Hash, LimitViolated, MissedReason, Recorded, RunEnded,
        RunStarted, SessionEnded, SessionStarted, SetPointClipped, SlotElapsed, TargetMissed,
        TickSealed, TickStarted,
    },
    sink::Sink,
};
use voltide_model::{
    battery::Battery,
    clock::Clock,
    columns::{
        IncentiveTick, Ledger, NothingAhead, SiteTick, SystemTick, TickColumns, UnitKind, UnitTick,
        slot_micros,
    },
    distribution::Distribution,
    fleet::{Fleet, Parking, Place, Population, V2gTerms, WorkDays},
    id::{EvId, SiteId, StayId},
    price::{ExpectedPrice, IncentiveRule, PriceFeedback},
    quantity::{Kilowatts, Share},
    rules::Rules,
    scenario::{
        Durability, EvTicks, Incentive, Planning, PolicyChoice, Scenario, SystemSeries, Tariff,
    },
    series::Series,
    site::{Charger, Site},
    stay::{Calendar, NO_STAY},
    willingness::{Logistic, Participation, Willingness},
    wishes::SocWishes,
};

/// Load without cars, wind power available and delivered, and photovoltaic power, kW.
const BASE_LOAD_KW: f64 = 900.0;
const WIND_KW: f64 = 300.0;
const WIND_DELIVERED_KW: f64 = 250.0;
const PV_KW: f64 = 100.0;

/// What incentive prices come from, where the world has one.
const INCENTIVE: IncentiveTick = IncentiveTick {
    net_load_kw: 500.0,
    net_load_mean_kw: 400.0,
    price_per_kwh: 0.375,
    ratio: 1.25,
};

/// A world of commuters, one in four of the cars only ever at home, from the day before the clocks change.
pub(crate) fn scenario(cars: u32, days: u32, ev_ticks: EvTicks) -> Arc<Scenario> {
    let clock = Clock::new("2024-03-30T00:00:00".parse().unwrap(), Berlin, 900, days).unwrap();
    let charger = |site: Option<SiteId>| Charger {
        charge_max: Kilowatts(7.0),
        discharge_max: Kilowatts(if site.is_none() { 7.0 } else { 0.0 }),
        site,
    };
    let place = |arrive, leave, site| Place {
        arrive: normal(arrive, 0.5),
        leave: normal(leave, 0.5),
        trip_time_min: 0.25,
        charger: charger(site),
    };
    let home = place(17.5, 7.0, None);
    let commute = Parking::Commute {
        home: home.clone(),
        work: place(8.5, 16.5, Some(SiteId(0))),
        days: WorkDays::Daily,
    };
    let at_home = cars / 4;
    let fleets = vec![
        fleet("commuters", cars - at_home, commute),
        fleet("night", at_home, Parking::Overnight(home)),
    ];
    let slots = clock.slots as usize;
    let price = |name: &str, value| Series {
        name: name.into(),
        unit: "EUR/kWh".into(),
        values: vec![value; slots].into(),
    };
    let power = |name: &str| Series {
        name: name.into(),
        unit: "kW".into(),
        values: vec![0.0; slots].into(),
    };
    Arc::new(Scenario {
        name: "hand made".into(),
        seed: 7,
        rules: Rules::TODAY,
        population: Arc::new(Population::draw(7, Rules::TODAY, &clock, &fleets)),
        clock,
        currency: "EUR".into(),
        tariffs: vec![Tariff {
            name: "flat".into(),
            buy: price("buy", 0.3),
            sell: price("sell", 0.1),
        }],
        fleets,
        sites: vec![Site {
            name: "depot".into(),
            import_limit: Kilowatts(8.0),
            export_limit: Kilowatts(0.0),
            parent: None,
        }],
        own_series: Vec::new(),
        system: SystemSeries {
            wind: Some(power("wind")),
            pv: Some(power("pv")),
            ..SystemSeries::default()
        },
        grid: None,
        incentive: None,
        samples: Vec::new(),
        policy: PolicyChoice {
            name: "uncontrolled".into(),
            config: String::new(),
            config_offset: 0,
            fallback: None,
        },
        planning: Planning::AtPlugIn,
        ev_ticks,
        durability: Durability::Close,
    })
}

/// The same world with an incentive price, where the drivers of the commuters are asked.
pub(crate) fn asking_scenario(cars: u32, days: u32, ev_ticks: EvTicks) -> Arc<Scenario> {
    let mut scenario = Arc::unwrap_or_clone(scenario(cars, days, ev_ticks));
    let curve = |a| Logistic { a, b: 5.0, c: 0.9 };
    let willingness = Willingness::new(curve(1.0), curve(2.0)).unwrap();
    let participation = Participation::Threshold(Share::new(0.3).unwrap());
    scenario.fleets[0].v2g.willingness = Some((willingness, participation));
    scenario.incentive = Some(Incentive {
        rule: IncentiveRule { rho: 1.0, floor: Some(0.0) },
        expected: ExpectedPrice::Proportional(1.0),
        feedback: PriceFeedback::None,
    });
    Arc::new(scenario)
}

fn normal(mean: f64, sd: f64) -> Distribution {
    Distribution::Normal { mean, sd, min: f64::NEG_INFINITY, max: f64::INFINITY }
}

fn fleet(name: &str, count: u32, parking: Parking) -> Fleet {
    Fleet {
        name: name.into(),
        count,
        battery: Battery {
            soc_min: Share::new(0.2).unwrap(),
            soc_max: Share::ONE,
            charge_efficiency: Share::new(0.95).unwrap(),
            discharge_efficiency: Share::new(0.95).unwrap(),
            degradation_per_kwh: 0.02,
        },
        capacity: Distribution::Uniform { min: 40.0, max: 80.0 },
        parking,
        trip_energy: Distribution::Uniform { min: 3.0, max: 12.0 },
        soc_on_arrival: Distribution::Uniform { min: 0.3, max: 0.7 },
        departure_soc: Distribution::Uniform { min: 0.7, max: 1.0 },
        tariff: 0,
        v2g: V2gTerms { soc_min: Share::new(0.3).unwrap(), willingness: None },
        wishes: SocWishes::default(),
    }
}

/// What a car pays where the world has an incentive price.
pub(crate) fn price_of(ev: EvId) -> f64 {
    0.25 + f64::from(ev.0) / 128.0
}

/// The willingness of a plugged car's driver who is asked.
pub(crate) fn willingness_of(ev: EvId, tick: u32) -> f64 {
    f64::from((ev.0 + tick) % 8) / 8.0
}

/// Price, willingness and agreement per car; empty where the world has no incentive price.
#[derive(Default)]
struct Opinions {
    price_per_kwh: Vec<f64>,
    willingness: Vec<f64>,
    agreed: Vec<u8>,
}

impl Opinions {
    fn form(scenario: &Scenario, stay: &[StayId], tick: u32) -> Self {
        if scenario.incentive.is_none() {
            return Self::default();
        }
        let willingness = |ev: EvId| {
            let terms = &scenario.fleets[scenario.population.fleet_of(ev)].v2g;
            let asked = stay[ev.row()] != NO_STAY && terms.willingness.is_some();
            if asked { willingness_of(ev, tick) } else { 0.0 }
        };
        let evs = (0..stay.len() as u32).map(EvId);
        let willingness: Vec<f64> = evs.clone().map(willingness).collect();
        Self {
            price_per_kwh: evs.map(price_of).collect(),
            agreed: willingness.iter().map(|&willingness| u8::from(willingness > 0.3)).collect(),
            willingness,
        }
    }
}

/// The cars while the history is played.
struct History<'a, S: Sink> {
    scenario: &'a Arc<Scenario>,
    sink: &'a mut S,
    calendar: Calendar,
    seq: u64,
    tick: u32,
    stay: Vec<StayId>,
    energy_kwh: Vec<f64>,
    power_kw: Vec<f64>,
    ledger: Vec<Ledger>,
}

/// Plays the slots before `until` into `sink`; the run ends only if they are all.
pub(crate) fn play<S: Sink>(
    scenario: &Arc<Scenario>,
    sink: &mut S,
    until: u32,
) -> Result<(), S::Error> {
    let cars = scenario.population.len();
    let mut history = History {
        scenario,
        sink,
        calendar: Calendar::new(&scenario.population.stays, &scenario.clock),
        seq: 0,
        tick: 0,
        stay: vec![NO_STAY; cars],
        energy_kwh: scenario.population.arrival_energy_kwh.clone(),
        power_kw: vec![0.0; cars],
        ledger: vec![Ledger::default(); cars],
    };
    history.start()?;
    for tick in 0..until {
        history.tick = tick;
        history.play_tick()?;
    }
    if until == scenario.clock.slots {
        history.emit(Event::RunEnded(RunEnded { outcome: "finished".into() }))?;
    }
    Ok(())
}

impl<S: Sink> History<'_, S> {
    fn emit(&mut self, event: Event) -> Result<(), S::Error> {
        let recorded =
            Recorded { seq: self.seq, cause_seq: self.seq.checked_sub(1), tick: self.tick, event };
        self.seq += 1;
        self.sink.event(self.scenario, &recorded)
    }

    fn start(&mut self) -> Result<(), S::Error> {
        let (scenario, clock) = (self.scenario, &self.scenario.clock);
        self.emit(Event::RunStarted(RunStarted {
            build: Build {
                engine_version: "0.1.0".into(),
                policy_version: "1.0".into(),
                ..Build::default()
            },
            world: scenario.name.clone(),
            world_text: "( name: \"hand made\" )\n".into(),
            overrides: vec!["seed=7".into()],
            config_hash: "c0ffee".into(),
            seed: scenario.seed,
            rules: scenario.rules,
            policy: scenario.policy.name.clone(),
            policy_config: "( solver: Exact )".into(),
            start_us: slot_micros(clock, 0),
            slot_seconds: clock.slot_seconds,
            slots: clock.slots,
            time_zone: clock.zone.to_string(),
            ev_count: scenario.population.len() as u32,
        }))
    }

    fn play_tick(&mut self) -> Result<(), S::Error> {
        self.emit(Event::TickStarted(TickStarted {
            at_us: slot_micros(&self.scenario.clock, self.tick),
        }))?;
        self.unplug()?;
        self.plug()?;
        let site = self.limit()?;
        self.emit(Event::SlotElapsed(SlotElapsed {}))?;
        let opinions = Opinions::form(self.scenario, &self.stay, self.tick);
        let system = self.settle(&opinions);
        let units = units(&system);
        self.sink.tick(
            self.scenario,
            &TickColumns {
                tick: self.tick,
                stay: &self.stay,
                energy_kwh: &self.energy_kwh,
                power_kw: &self.power_kw,
                ledger: &self.ledger,
                price_per_kwh: &opinions.price_per_kwh,
                willingness: &opinions.willingness,
                agreed: &opinions.agreed,
                sites: &[site],
                units: &units,
                system: &system,
                outlook: &NothingAhead,
            },
        )?;
        self.emit(Event::TickSealed(TickSealed {
            state_hash: Hash(self.tick.into()),
            ..TickSealed::default()
        }))
    }

    fn unplug(&mut self) -> Result<(), S::Error> {
        let (mut ended, mut missed) = (SessionEnded::default(), TargetMissed::default());
        let stays = &self.scenario.population.stays;
        for &stay in self.calendar.ending_at(self.tick) {
            let ev = stays.ev[stay.row()];
            let car = ev.row();
            let missing_kwh = (self.scenario.population.departure_energy_kwh[car]
                - self.energy_kwh[car])
                .max(0.0);
            ended.ev.push(ev);
            ended.stay.push(stay);
            ended.energy_kwh.push(self.energy_kwh[car]);
            ended.charged_kwh.push(self.ledger[car].charged_kwh);
            ended.discharged_kwh.push(self.ledger[car].discharged_kwh);
            ended.energy_cost.push(self.ledger[car].energy_cost);
            ended.v2g_revenue.push(self.ledger[car].v2g_revenue);
            ended.missing_kwh.push(missing_kwh);
            ended.reason.push(EndReason::Departed);
            if missing_kwh > 1e-6 {
                missed.ev.push(ev);
                missed.stay.push(stay);
                missed.missing_kwh.push(missing_kwh);
                missed.reason.push(MissedReason::SiteLimit);
            }
            self.stay[car] = NO_STAY;
            self.ledger[car] = Ledger::default();
        }
        if !ended.ev.is_empty() {
            self.emit(Event::SessionEnded(ended))?;
        }
        if missed.ev.is_empty() { Ok(()) } else { self.emit(Event::TargetMissed(missed)) }
    }

    fn plug(&mut self) -> Result<(), S::Error> {
        let mut started = SessionStarted::default();
        let population = &self.scenario.population;
        for &stay in self.calendar.beginning_at(self.tick) {
            let row = stay.row();
            let ev = population.stays.ev[row];
            let car = ev.row();
            let driven = population.stays.trip_kwh[row].min(self.energy_kwh[car]);
            self.energy_kwh[car] -= driven;
            self.stay[car] = stay;
            started.ev.push(ev);
            started.stay.push(stay);
            started.charger.push(population.stays.charger[row]);
            started.energy_kwh.push(self.energy_kwh[car]);
            started.driven_kwh.push(driven);
            started
                .departure_slot
                .push(population.stays.announced_end_slot(stay, &self.scenario.clock));
            started.departure_kwh.push(population.departure_energy_kwh[car]);
        }
        if started.ev.is_empty() { Ok(()) } else { self.emit(Event::SessionStarted(started)) }
    }

    /// Sets the power of every car, and lets those at the site share its limit.
    fn limit(&mut self) -> Result<SiteTick, S::Error> {
        let population = &self.scenario.population;
        let (mut site, mut at_site) = (SiteTick::default(), Vec::new());
        for car in 0..self.stay.len() {
            self.power_kw[car] = self.wanted(car);
            if self.stay[car] == NO_STAY {
                continue;
            }
            let charger = population.stays.charger[self.stay[car].row()];
            if population.charger(charger).site.is_some() {
                site.plugged += 1;
                site.asked_kw += self.power_kw[car];
                at_site.push(car);
            }
        }
        let limit_kw = self.scenario.sites[0].import_limit.0;
        site.power_kw = site.asked_kw.min(limit_kw);
        if site.asked_kw > limit_kw {
            self.clip(&at_site, limit_kw / site.asked_kw)?;
            self.emit(Event::LimitViolated(LimitViolated {
                site: vec![SiteId(0)].into(),
                asked_kw: vec![site.asked_kw],
                limit_kw: vec![limit_kw],
            }))?;
        }
        Ok(site)
    }

    fn clip(&mut self, cars: &[usize], share: f64) -> Result<(), S::Error> {
        let mut clipped = SetPointClipped::default();
        for &car in cars {
            clipped.ev.push(EvId(car as u32));
            clipped.asked_kw.push(self.power_kw[car]);
            clipped.applied_kw.push(self.power_kw[car] * share);
            clipped.reason.push(ClipReason::Site);
            self.power_kw[car] *= share;
        }
        self.emit(Event::SetPointClipped(clipped))
    }

    /// Full power up to the target; at home every third car discharges for an hour first.
    fn wanted(&self, car: usize) -> f64 {
        let stay = self.stay[car];
        if stay == NO_STAY {
            return 0.0;
        }
        let (population, clock) = (&self.scenario.population, &self.scenario.clock);
        let slot = self.scenario.fleets[0].battery.slot(clock.slot_hours());
        let first = population.stays.first_slot(stay, clock);
        let at_home = population.charger(population.stays.charger[stay.row()]).site.is_none();
        let asked =
            if car.is_multiple_of(3) && at_home && self.tick < first + 4 { -2.0 } else { 7.0 };
        let (full, target) = (population.capacity_kwh[car], population.departure_energy_kwh[car]);
        slot.fit(asked, self.energy_kwh[car], 0.2 * full, target)
    }

    fn settle(&mut self, opinions: &Opinions) -> SystemTick {
        let hours = self.scenario.clock.slot_hours();
        let slot = self.scenario.fleets[0].battery.slot(hours);
        let mut system = SystemTick {
            base_load_kw: BASE_LOAD_KW,
            wind_available_kw: WIND_KW,
            wind_kw: WIND_DELIVERED_KW,
            pv_available_kw: PV_KW,
            pv_kw: PV_KW,
            tou_price_per_kwh: 0.3,
            incentive: self.scenario.incentive.map(|_| INCENTIVE),
            agreed: opinions.agreed.iter().map(|&agreed| u32::from(agreed)).sum(),
            ..SystemTick::default()
        };
        for car in 0..self.stay.len() {
            let power = self.power_kw[car];
            let (charge, discharge) = (power.max(0.0), (-power).max(0.0));
            self.energy_kwh[car] = slot.after(self.energy_kwh[car], power);
            self.ledger[car].charged_kwh += charge * hours;
            self.ledger[car].discharged_kwh += discharge * hours;
            self.ledger[car].energy_cost += charge * hours * 0.3;
            self.ledger[car].v2g_revenue += discharge * hours * 0.1;
            system.ev_charge_kw += charge;
            system.ev_discharge_kw += discharge;
            system.plugged += u32::from(self.stay[car] != NO_STAY);
        }
        system.import_kw = -system.residual_kw();
        system
    }
}

fn units(system: &SystemTick) -> [UnitTick; 3] {
    let unit = |unit, kind, output_kw, available_kw| UnitTick {
        available_kw,
        ..UnitTick::new(unit, kind, output_kw)
    };
    [
        unit(0, UnitKind::WIND, system.wind_kw, Some(system.wind_available_kw)),
        unit(1, UnitKind::PV, system.pv_kw, Some(system.pv_available_kw)),
        unit(2, UnitKind::IMPORT_EXPORT, system.import_kw, None),
    ]
}
