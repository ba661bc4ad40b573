//! Laws that hold for any world: energy, limits, sessions, and replay = live.

use proptest::{prelude::*, strategy::ValueTree};
use std::{collections::BTreeMap, convert::Infallible, fmt::Write, fs, path::Path, sync::Arc};
use voltide_engine::{EngineError, Replay, Simulation, Start};
use voltide_host::Plugins;
use voltide_journal::{
    event::{Build, Event, Recorded},
    log::MemoryLog,
    mcap_log::McapLog,
    reader, recovery,
    sink::Sink,
    snapshot::Snapshot,
};
use voltide_model::{
    columns::TickColumns,
    id::{EvId, StayId},
    scenario::{Durability, Scenario},
    stay::NO_STAY,
};
use voltide_policy::{
    Observation, Schedules,
    planner::{Correction, Planner, PolicyFault, PolicyInfo},
};

/// What the cars of a random world may do all day.
pub(crate) const STAYS: [&str; 3] = [
    r#"Overnight(arrive: Normal(mean: "18:00", sd: "2 h"), leave: Normal(mean: "07:00", sd: "1 h"))"#,
    r#"Workplace(arrive: Normal(mean: "08:00", sd: "1 h"), leave: Normal(mean: "16:00", sd: "1 h"), days: Daily)"#,
    r#"Commute(home: (arrive: Normal(mean: "17:30", sd: "30 min"), leave: Normal(mean: "07:00", sd: "30 min")),
               work: (arrive: Normal(mean: "08:00", sd: "30 min"), leave: Normal(mean: "16:30", sd: "30 min")),
               trip_time_min: "15 min", days: Daily)"#,
];

/// A small world of random shape.
#[derive(Debug, Clone)]
struct Shape {
    seed: u64,
    start: &'static str,
    zone: &'static str,
    step: u32,
    days: u32,
    cars: u32,
    charge_kw: f64,
    limit_kw: f64,
    capacity: f64,
    trip: f64,
    stays: &'static str,
    planning: &'static str,
    policy: &'static str,
}

fn shapes() -> impl Strategy<Value = Shape> {
    // Clocks that change forward, back and by half an hour within three days, a leap day behind an
    // offset that is no whole hour, and a new year.
    let starts = prop::sample::select(vec![
        ("2024-03-30T12:00", "Europe/Berlin"),
        ("2024-10-26T00:00", "Europe/Berlin"),
        ("2024-02-28T06:00", "Asia/Kolkata"),
        ("2023-12-31T00:00", "America/New_York"),
        ("2024-04-06T00:00", "Australia/Lord_Howe"),
    ]);
    let stays = prop::sample::select(STAYS.to_vec());
    let sizes = (prop::sample::select(vec![5, 15, 30, 60]), 1..4_u32, 1..20_u32);
    let powers = (1.0..22.0_f64, 1.0..60.0_f64, 20.0..100.0_f64, 0.0..40.0_f64);
    let plannings = prop::sample::select(vec!["AtPlugIn", "AtDayStart"]);
    let policies = prop::sample::select(vec!["uncontrolled", "smart", "counting"]);
    (any::<u32>(), starts, sizes, powers, (stays, plannings, policies)).prop_map(
        |(
            seed,
            (start, zone),
            (step, days, cars),
            (charge_kw, limit_kw, capacity, trip),
            (stays, planning, policy),
        )| Shape {
            seed: seed.into(),
            start,
            zone,
            step,
            days,
            cars,
            charge_kw,
            limit_kw,
            capacity,
            trip,
            stays,
            planning,
            policy,
        },
    )
}

impl Shape {
    fn text(&self) -> String {
        let mut text = String::new();
        let Self {
            seed,
            start,
            zone,
            step,
            days,
            cars,
            charge_kw,
            limit_kw,
            capacity,
            trip,
            stays,
            planning,
            policy,
        } = self;
        write!(
            text,
            r#"(name: "shape", seed: {seed}, currency: "EUR", planning: {planning}, policy: "{policy}", tariff: Fixed("0.30 EUR/kWh"),
            clock: (start: "{start}", time_zone: "{zone}", step: "{step} min", days: {days}),
            sites: {{"root": (import_limit: "{limit_kw} kW"), "leaf": (import_limit: "{charge_kw} kW", parent: "root")}},
            fleets: {{
                "a": (count: {cars}, battery: (capacity: "{capacity} kWh", soc_min: 0.1, soc_max: 0.9, charge_efficiency: 0.9, discharge_efficiency: 0.9),
                    charger: (charge_max: "{charge_kw} kW", site: "root"), stays: {stays}, trip_energy: "{trip} kWh",
                    soc_on_arrival: Uniform(min: 0.0, max: 1.0), departure_soc: Uniform(min: 0.2, max: 0.9)),
                "b": (count: 3, battery: (capacity: "{capacity} kWh", charge_efficiency: 0.9, discharge_efficiency: 0.9),
                    charger: (charge_max: "11 kW", site: "leaf"), stays: {stays}, trip_energy: "{trip} kWh",
                    soc_on_arrival: 0.5, departure_soc: 0.8),
            }})"#
        )
        .unwrap();
        text
    }

    fn scenario(&self) -> (Arc<Scenario>, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shape.ron");
        fs::write(&path, self.text()).unwrap();
        let world = voltide_world::load(&path, &[])
            .unwrap_or_else(|problems| panic!("{problems}: {self:?}"));
        (Arc::new(world.scenario), world.text)
    }
}

/// Charges each car so many slots late as it has planned stays before, modulo three, and as it is told
/// of what came of them: a policy whose answers hang on what it remembers and on the slot before.
struct Counting {
    info: PolicyInfo,
    planned: u64,
}

impl Planner for Counting {
    fn info(&self) -> &PolicyInfo {
        &self.info
    }

    fn plan(
        &mut self,
        seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result<Vec<Correction>, PolicyFault> {
        for stay in seen.stays() {
            let late = (self.planned % 3) as usize;
            // Another odd number where a site or a battery cut what it had planned.
            let came_of_it = seen.last_drawn_kw[stay.row] + seen.last_allowed_kw[stay.row];
            self.planned += 1 + came_of_it.to_bits() % 2;
            if stay.window().len() > late {
                let first = stay.window().start + late;
                schedules.row(stay).charge_from(first, stay.energy_to_departure());
            }
        }
        Ok(vec![])
    }

    fn save(&mut self) -> Result<Vec<u8>, PolicyFault> {
        Ok(self.planned.to_le_bytes().to_vec())
    }

    fn load(&mut self, state: &[u8]) -> Result<(), PolicyFault> {
        self.planned = u64::from_le_bytes(state.try_into().unwrap());
        Ok(())
    }

    fn is_lost(&self) -> bool {
        false
    }

    fn give_up(&mut self) {}
}

/// The policy that a world names: a built-in one, or `counting`.
fn policy(name: &str) -> Box<dyn Planner> {
    if name != "counting" {
        return Plugins::in_folders(vec![]).load(name, "", 0).unwrap();
    }
    let info = PolicyInfo { name: name.to_owned(), stateful: true, ..PolicyInfo::default() };
    Box::new(Counting { info, planned: 0 })
}

fn start(scenario: &Arc<Scenario>, world_text: String) -> Start {
    let name = &scenario.policy.name;
    let shown = scenario.grid.as_ref().and_then(|grid| grid.rules.day_ahead_ev.policy(name));
    let forecaster = shown.filter(|shown| shown != name).map(policy);
    Start {
        scenario: Arc::clone(scenario),
        world_text,
        overrides: vec![],
        build: Build::default(),
        planner: policy(name),
        fallback: None,
        forecaster,
        threads: 1,
    }
}

/// Keeps what it is shown, and checks the laws that every tick must obey.
struct Witness {
    energy: Vec<f64>,
    events: Vec<Recorded>,
    ticks: Vec<(Vec<StayId>, Vec<u64>, Vec<u64>)>,
}

impl Witness {
    fn new(scenario: &Arc<Scenario>) -> Self {
        let energy = scenario.population.arrival_energy_kwh.clone();
        Self { energy, events: vec![], ticks: vec![] }
    }

    /// Stored energy moves by the applied power, and only while plugged in.
    fn check_batteries(&mut self, scenario: &Scenario, columns: &TickColumns<'_>) {
        let hours = scenario.clock.slot_hours();
        for ev in 0..columns.stay.len() {
            let fleet = &scenario.fleets[scenario.population.fleet_of(EvId(ev as u32))];
            let battery = fleet.battery.slot(hours);
            let (power, after) = (columns.power_kw[ev], columns.energy_kwh[ev]);
            let expected = battery.after(self.energy[ev], power);
            assert!((after - expected).abs() < 1e-9, "car {ev}: {after} kWh instead of {expected}");
            let highest = scenario.population.capacity_kwh[ev] * fleet.battery.soc_max.get();
            assert!(after <= highest.max(self.energy[ev]) + 1e-9, "car {ev} is overfull");
            assert!(columns.stay[ev] != NO_STAY || power == 0.0, "car {ev} charges on the road");
            self.energy[ev] = after;
        }
    }

    fn check_limits(scenario: &Scenario, columns: &TickColumns<'_>) {
        for (site, tick) in scenario.sites.iter().zip(columns.sites) {
            assert!(
                tick.power_kw <= site.import_limit.0 + 1e-6,
                "{}: {} kW",
                site.name,
                tick.power_kw
            );
        }
        let cars: f64 = columns.power_kw.iter().sum();
        assert!((cars - columns.system.ev_charge_kw + columns.system.ev_discharge_kw).abs() < 1e-6);
        assert!(columns.system.residual_kw().abs() <= 1e-6);
    }
}

impl Sink for Witness {
    type Error = Infallible;

    fn event(&mut self, _: &Arc<Scenario>, recorded: &Recorded) -> Result<(), Infallible> {
        if let Event::SessionStarted(started) = &recorded.event {
            for (row, &ev) in started.ev.iter().enumerate() {
                let before = self.energy[ev.row()];
                assert!((before - started.driven_kwh[row] - started.energy_kwh[row]).abs() < 1e-9);
                self.energy[ev.row()] = started.energy_kwh[row];
            }
        }
        self.events.push(recorded.clone());
        Ok(())
    }

    fn tick(
        &mut self,
        scenario: &Arc<Scenario>,
        columns: &TickColumns<'_>,
    ) -> Result<(), Infallible> {
        self.check_batteries(scenario, columns);
        Self::check_limits(scenario, columns);
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect();
        self.ticks.push((columns.stay.to_vec(), bits(columns.energy_kwh), bits(columns.power_kw)));
        Ok(())
    }
}

fn live(scenario: &Arc<Scenario>, text: &str, log: impl voltide_journal::log::EventLog) -> Witness {
    let mut run =
        Simulation::new(start(scenario, text.into()), log, Witness::new(scenario)).unwrap();
    while !run.is_done() {
        run.step().unwrap();
    }
    run.end(Some("finished".into())).unwrap().sink
}

/// Every session that begins ends at most once, and what is left open belongs to a plugged car.
fn check_sessions(witness: &Witness) {
    let mut ends = BTreeMap::new();
    for recorded in &witness.events {
        match &recorded.event {
            Event::SessionStarted(started) => started.stay.iter().for_each(|&stay| {
                assert_eq!(ends.insert(stay, false), None, "session {stay} begins twice");
            }),
            Event::SessionEnded(ended) => ended.stay.iter().for_each(|&stay| {
                assert_eq!(
                    ends.insert(stay, true),
                    Some(false),
                    "session {stay} ends without being open"
                );
            }),
            _ => {}
        }
    }
    let open: Vec<StayId> =
        ends.iter().filter(|(_, ended)| !**ended).map(|(&stay, _)| stay).collect();
    let mut plugged: Vec<StayId> =
        witness.ticks.last().unwrap().0.iter().copied().filter(|&stay| stay != NO_STAY).collect();
    plugged.sort_unstable();
    assert_eq!(open, plugged);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_replay_shows_what_the_run_showed(shape in shapes()) {
        let (scenario, text) = shape.scenario();
        let witness = live(&scenario, &text, MemoryLog::default());
        check_sessions(&witness);
        let mut replay = Replay::new(Arc::clone(&scenario), Witness::new(&scenario), 2, true);
        for recorded in witness.events.clone() {
            replay.event(recorded).unwrap();
        }
        let replayed = replay.end().unwrap().sink;
        prop_assert_eq!(&witness.events, &replayed.events);
        prop_assert!(witness.ticks == replayed.ticks, "columns differ");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn the_log_gives_back_what_was_recorded(shape in shapes()) {
        let (scenario, text) = shape.scenario();
        let folder = tempfile::tempdir().unwrap();
        let log = McapLog::create(folder.path(), scenario.durability).unwrap();
        let witness = live(&scenario, &text, log);
        let read: Vec<Recorded> = reader::open(folder.path()).unwrap().map(Result::unwrap).collect();
        prop_assert!(witness.events == read, "events differ");
    }
}

#[test]
fn a_replay_that_differs_names_the_tick_and_the_cars() {
    let shape = Shape {
        seed: 1,
        start: "2024-06-03T12:00",
        zone: "Europe/Berlin",
        step: 15,
        days: 1,
        cars: 5,
        charge_kw: 7.0,
        limit_kw: 100.0,
        capacity: 60.0,
        trip: 10.0,
        stays: r#"Overnight(arrive: "18:00", leave: "07:00")"#,
        planning: "AtPlugIn",
        policy: "uncontrolled",
    };
    let (scenario, text) = shape.scenario();
    let mut events = live(&scenario, &text, MemoryLog::default()).events;
    let (tick, hash) = events
        .iter_mut()
        .filter_map(|recorded| match &mut recorded.event {
            Event::TickSealed(sealed) => Some((recorded.tick, &mut sealed.block_hashes[0])),
            _ => None,
        })
        .nth(30)
        .unwrap();
    *hash ^= 1;
    let mut replay = Replay::new(Arc::clone(&scenario), Witness::new(&scenario), 1, true);
    let error = events.into_iter().try_for_each(|recorded| replay.event(recorded)).unwrap_err();
    assert!(matches!(error, EngineError::Diverged { .. }));
    assert_eq!(
        error.to_string(),
        format!("tick {tick}: the replay differs from the journal: energy of cars 0 to 2047")
    );
}

/// A run in a folder that is dropped after some ticks, as when its program is killed; with the last
/// snapshot it took.
fn cut_off(scenario: &Arc<Scenario>, text: &str, folder: &Path, ticks: u32) -> Option<Snapshot> {
    let log = McapLog::create(folder, Durability::Every(7)).unwrap();
    let mut run =
        Simulation::new(start(scenario, text.into()), log, Witness::new(scenario)).unwrap();
    let mut snapshot = None;
    for tick in 0..ticks {
        run.step().unwrap();
        if tick % 5 == 2 {
            snapshot = run.snapshot();
        }
    }
    snapshot
}

/// Goes on with a run that was cut off, from its log alone or from a snapshot.
fn go_on(scenario: &Arc<Scenario>, text: &str, folder: &Path, snapshot: Option<&Snapshot>) {
    let end = recovery::recover(folder).unwrap().end;
    let mut log = reader::open(folder).unwrap();
    let mut past = match snapshot {
        None => Replay::new(Arc::clone(scenario), Nothing, 1, false),
        Some(snapshot) => {
            let sealed = log.skip_through(snapshot.tick).unwrap().unwrap();
            Replay::after(snapshot, &sealed, Arc::clone(scenario), Nothing, 1).unwrap()
        }
    };
    for recorded in log {
        past.event(recorded.unwrap()).unwrap();
    }
    let log = McapLog::resume(folder, Durability::Close, &end).unwrap();
    let mut run = past.resume(start(scenario, text.into()), log).unwrap();
    while !run.is_done() {
        run.step().unwrap();
    }
    run.end(Some("finished".into())).unwrap();
}

struct Nothing;

impl Sink for Nothing {
    type Error = Infallible;

    fn event(&mut self, _: &Arc<Scenario>, _: &Recorded) -> Result<(), Infallible> {
        Ok(())
    }

    fn tick(&mut self, _: &Arc<Scenario>, _: &TickColumns<'_>) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The plant's decisions, stores and ramps included, come back from the log and from a snapshot in the
/// middle of a day.
#[test]
fn a_plant_survives_a_cut() {
    for policy in ["v2g", "smart"] {
        let sets = [format!("policy={policy}"), "grid.stages.step=30 min".to_owned()];
        // Within windows, each of which commits two slots, and between them.
        assert_survives("worlds/paper/paper.ron", &sets, &[0, 1, 8, 33, 34, 71, 95]);
    }
}

/// The same of the path of a day, on the first day and on the second.
#[test]
fn a_path_survives_a_cut() {
    let sets = ["policy=v2g".to_owned(), "grid.stages.step=90 min".to_owned()];
    assert_survives("worlds/hydrogen.ron", &sets, &[1, 25, 47, 48, 70]);
}

/// Asserts that a world goes on the same when it was cut off after so many ticks.
#[track_caller]
fn assert_survives(world: &str, sets: &[String], cuts: &[u32]) {
    let world = voltide_world::load(&crate::program::root().join(world), sets).unwrap();
    let (scenario, text) = (Arc::new(world.scenario), world.text);
    let whole = tempfile::tempdir().unwrap();
    live(&scenario, &text, McapLog::create(whole.path(), Durability::Close).unwrap());
    let whole = history(whole.path());
    for &ticks in cuts {
        for from_snapshot in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let snapshot =
                cut_off(&scenario, &text, folder.path(), ticks).filter(|_| from_snapshot);
            go_on(&scenario, &text, folder.path(), snapshot.as_ref());
            assert!(history(folder.path()) == whole, "{sets:?}, cut after {ticks} ticks");
        }
    }
}

fn history(folder: &Path) -> Vec<Recorded> {
    reader::open(folder).unwrap().map(Result::unwrap).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn a_run_cut_off_anywhere_goes_on_the_same(shape in shapes(), cut in 0.0..1.0_f64) {
        let (scenario, text) = shape.scenario();
        let folders: [tempfile::TempDir; 3] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
        let [whole, from_log, from_snapshot] = folders.each_ref().map(tempfile::TempDir::path);
        live(&scenario, &text, McapLog::create(whole, Durability::Close).unwrap());
        let whole = history(whole);
        let ticks = (cut * f64::from(scenario.clock.slots)) as u32;
        cut_off(&scenario, &text, from_log, ticks);
        go_on(&scenario, &text, from_log, None);
        prop_assert!(history(from_log) == whole, "cut after {} ticks", ticks);
        let snapshot = cut_off(&scenario, &text, from_snapshot, ticks);
        go_on(&scenario, &text, from_snapshot, snapshot.as_ref());
        prop_assert!(history(from_snapshot) == whole, "cut after {} ticks, from a snapshot", ticks);
    }
}

/// The same world with so many fleets that work is shared between threads.
fn with_many_fleets(text: &str) -> String {
    let (from, to) = (text.find("\"b\":").unwrap(), text.rfind("})").unwrap());
    let fleet = text[from..to].to_owned();
    let more = (0..20).map(|number| fleet.replacen("\"b\"", &format!("\"c{number}\""), 1));
    format!("{}{}{}", &text[..to], more.collect::<String>(), &text[to..])
}

#[test]
fn threads_and_repetition_change_no_byte_of_any_world() {
    let count = crate::resume::times("VOLTIDE_WORLDS", 20);
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..count {
        let shape = shapes().new_tree(&mut runner).unwrap().current();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shape.ron");
        fs::write(&path, with_many_fleets(&shape.text())).unwrap();
        let world = voltide_world::load(&path, &[])
            .unwrap_or_else(|problems| panic!("{problems}: {shape:?}"));
        let (scenario, text) = (Arc::new(world.scenario), world.text);
        // Twice with the same number, since what a race does may differ from one time to the next.
        let logs = [1, 2, 8, 8].map(|threads| {
            let run = tempfile::tempdir().unwrap();
            let log = McapLog::create(run.path(), Durability::Close).unwrap();
            let start = Start { threads, ..start(&scenario, text.clone()) };
            let mut simulation = Simulation::new(start, log, Nothing).unwrap();
            while !simulation.is_done() {
                simulation.step().unwrap();
            }
            simulation.end(Some("finished".into())).unwrap();
            fs::read(run.path().join("log/000001.mcap")).unwrap()
        });
        assert!(logs.windows(2).all(|pair| pair[0] == pair[1]), "{shape:?}");
    }
}

#[test]
fn days_that_are_not_24_hours_long_survive_a_cut() {
    let edges = [
        ("2024-03-31T00:00", "Europe/Berlin", 23),
        ("2024-10-27T00:00", "Europe/Berlin", 25),
        ("2024-02-29T00:00", "Asia/Kolkata", 24),
        ("2024-12-31T00:00", "Pacific/Chatham", 24),
        ("2024-04-07T00:00", "Australia/Lord_Howe", 24),
    ];
    for (start, zone, hours) in edges {
        for planning in ["AtPlugIn", "AtDayStart"] {
            let shape = Shape {
                seed: 3,
                start,
                zone,
                step: 30,
                days: 2,
                cars: 9,
                charge_kw: 7.0,
                limit_kw: 20.0,
                capacity: 50.0,
                trip: 8.0,
                stays: r#"Overnight(arrive: Normal(mean: "18:00", sd: "2 h"), leave: Normal(mean: "07:00", sd: "1 h"))"#,
                planning,
                policy: "counting",
            };
            let (scenario, text) = shape.scenario();
            let half_hours = scenario.clock.slots - 48;
            // Clocks on Lord Howe change by half an hour.
            assert!(
                half_hours == 2 * hours || zone == "Australia/Lord_Howe" && half_hours == 49,
                "{zone}"
            );
            let folder = tempfile::tempdir().unwrap();
            live(&scenario, &text, McapLog::create(folder.path(), Durability::Close).unwrap());
            let whole = history(folder.path());
            // At both ends, around two o'clock, when clocks change in Europe, and around midnight.
            for ticks in [0, 4, 5, 6, half_hours - 1, half_hours, scenario.clock.slots] {
                let folder = tempfile::tempdir().unwrap();
                let snapshot = cut_off(&scenario, &text, folder.path(), ticks);
                go_on(
                    &scenario,
                    &text,
                    folder.path(),
                    snapshot.as_ref().filter(|_| ticks % 2 == 0),
                );
                assert!(history(folder.path()) == whole, "{zone} from {start}, cut after {ticks}");
            }
        }
    }
}
