//! What stands in the journal before the first tick: all that a run needs, so that replay and
//! resume open no other file.

use voltide_journal::event::{Build, Event, RunStarted, SeriesLoaded, StaysLoaded};
use voltide_model::{
    fleet::{Fleet, Parking, RecordedSession},
    scenario::Scenario,
    series::Series,
};

/// The events that open a run of `scenario`, whose world file reads `world_text`.
pub(crate) fn opening_events(
    scenario: &Scenario,
    world_text: String,
    overrides: Vec<String>,
    build: Build,
) -> Vec<Event> {
    let series: Vec<SeriesLoaded> = scenario.series().map(series_loaded).collect();
    let stays: Vec<StaysLoaded> = scenario.fleets.iter().filter_map(stays_loaded).collect();
    let config_hash = config_hash(scenario, &world_text, &series, &stays);
    let started = run_started(scenario, world_text, overrides, build, config_hash);
    let mut events = vec![Event::RunStarted(started)];
    events.extend(series.into_iter().map(Event::SeriesLoaded));
    events.extend(stays.into_iter().map(Event::StaysLoaded));
    events
}

/// What the journal says of how a run starts.
pub(crate) fn run_started(
    scenario: &Scenario,
    world_text: String,
    overrides: Vec<String>,
    build: Build,
    config_hash: String,
) -> RunStarted {
    let clock = &scenario.clock;
    RunStarted {
        build,
        world: scenario.name.clone(),
        config_hash,
        world_text: world_text.into(),
        overrides,
        seed: scenario.seed,
        rules: scenario.rules,
        policy: scenario.policy.name.clone(),
        policy_config: scenario.policy.config.clone(),
        start_us: clock.start.timestamp_micros(),
        slot_seconds: clock.slot_seconds,
        slots: clock.slots,
        time_zone: clock.zone.name().to_owned(),
        ev_count: scenario.population.len() as u32,
    }
}

/// The hash that names a run's configuration and seeds its chain: BLAKE3 over seed, rules, world
/// text, series and sessions, in hex.
pub fn configuration_hash(scenario: &Scenario, world_text: &str) -> String {
    let series: Vec<SeriesLoaded> = scenario.series().map(series_loaded).collect();
    let stays: Vec<StaysLoaded> = scenario.fleets.iter().filter_map(stays_loaded).collect();
    config_hash(scenario, world_text, &series, &stays)
}

/// The hash that a run's name ends with: BLAKE3 over its configuration's hash and what its policies
/// are, in hex. The configuration's may be that of a text that tells less than the world's.
pub fn identity_hash(config_hash: &str, policies: &[String]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(config_hash.as_bytes());
    for policy in policies {
        hasher.update(&(policy.len() as u64).to_le_bytes()).update(policy.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

fn config_hash(
    scenario: &Scenario,
    world_text: &str,
    series: &[SeriesLoaded],
    stays: &[StaysLoaded],
) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&scenario.seed.to_le_bytes());
    hasher.update(&u32::from(scenario.rules).to_le_bytes());
    let mut field = |bytes: &[u8]| {
        // With its length, so that no two sequences of fields read alike.
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    field(world_text.as_bytes());
    for series in series {
        field(series.name.as_bytes());
        field(series.unit.as_bytes());
        field(bytemuck::cast_slice(&series.values));
    }
    for stays in stays {
        // Recorded sessions decide what happens as much as the text of the world does.
        field(stays.fleet.as_bytes());
        field(bytemuck::cast_slice(&stays.arrives));
        field(bytemuck::cast_slice(&stays.leaves));
        field(bytemuck::cast_slice(&stays.announced));
        field(bytemuck::cast_slice(&stays.requested_kwh));
        // What is not known is hashed as it was in 0.1.0.
        let delivered_kwh = stays.delivered_kwh.iter().map(|energy| energy.unwrap_or(f64::NAN));
        field(bytemuck::cast_slice(&delivered_kwh.collect::<Vec<f64>>()));
        stays.station.iter().for_each(|station| field(station.as_bytes()));
    }
    hasher.finalize().to_hex().to_string()
}

fn series_loaded(series: &Series) -> SeriesLoaded {
    SeriesLoaded {
        name: series.name.clone(),
        unit: series.unit.clone(),
        values: series.values.to_vec(),
    }
}

fn stays_loaded(fleet: &Fleet) -> Option<StaysLoaded> {
    let Parking::Sessions { sessions, stations, .. } = &fleet.parking else { return None };
    Some(StaysLoaded {
        fleet: fleet.name.clone(),
        arrives: column(sessions, |s| s.arrives),
        leaves: column(sessions, |s| s.leaves),
        announced: column(sessions, |s| s.announced),
        requested_kwh: column(sessions, |s| s.requested_kwh),
        delivered_kwh: column(sessions, |s| s.delivered_kwh),
        station: column(sessions, |s| stations[s.station as usize].clone()),
    })
}

fn column<T>(sessions: &[RecordedSession], of: impl Fn(&RecordedSession) -> T) -> Vec<T> {
    sessions.iter().map(of).collect()
}
