//! The event vocabulary, version 1.
//!
//! An event is an accepted fact in the past tense. Control events are single records; batch
//! events carry one row per car, sorted by `ev`, as columns of equal length. Energy in kWh,
//! power in kW, prices and money in the world's currency.

mod answer;
mod numbers;

pub use answer::{AnswerNotFinite, NotFinite};

use crate::number;
use serde::{Deserialize, Serialize};
use voltide_model::rules::Rules;

/// An event with its place in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Number of the event in the run, from 0.
    pub seq: u64,
    /// The event that led to this one.
    pub cause_seq: Option<u64>,
    /// The tick it belongs to; 0 for what comes before the first.
    pub tick: u32,
    /// What happened.
    pub event: Event,
}

/// Everything that can happen.
///
/// Events are equal where their bits are: a replay that comes to the same NaN, which logs of 0.1
/// may hold, comes to the same event, and one that comes to another zero does not. That all events
/// are [`Eq`] keeps the usual comparison of numbers out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A run began.
    RunStarted(Box<RunStarted>),
    /// A series was read, resampled to slots.
    SeriesLoaded(SeriesLoaded),
    /// Recorded sessions were read.
    StaysLoaded(StaysLoaded),
    /// A run branched off from another one.
    RunForked(RunForked),
    /// A run came to its end.
    RunEnded(RunEnded),
    /// A tick began: the clock moved.
    TickStarted(TickStarted),
    /// Prices over the coming slots became known.
    PricesSet(PricesSet),
    /// Cars unplugged.
    SessionEnded(SessionEnded),
    /// Cars plugged in.
    SessionStarted(SessionStarted),
    /// Cars left with less than they wanted.
    TargetMissed(TargetMissed),
    /// Cars could not drive as far as they wanted.
    TripShort(TripShort),
    /// Stays that have not begun are about to be planned.
    StaysExpected(StaysExpected),
    /// Drivers agreed to discharge, or not, where that can change a plan.
    WillingnessAgreed(WillingnessAgreed),
    /// Schedules came into force.
    PlansAccepted(PlansAccepted),
    /// What is expected of the coming slots was written down.
    ForecastIssued(ForecastIssued),
    /// An optimisation problem was solved.
    SolveFinished(SolveFinished),
    /// Units were scheduled.
    UnitsDispatched(UnitsDispatched),
    /// Flexibility was less than the next slot may ask for.
    MarginViolated(MarginViolated),
    /// A policy failed and another stood in for the call.
    PolicyFaulted(PolicyFaulted),
    /// A stateful policy's state at the end of the tick.
    PolicyStateSaved(PolicyStateSaved),
    /// A policy's schedules held what is no number.
    AnswerNotFinite(AnswerNotFinite),
    /// Power was less than the schedule asked for.
    SetPointClipped(SetPointClipped),
    /// A site's chargers asked for more than its connection allows.
    LimitViolated(LimitViolated),
    /// The slot passed: every battery and ledger moved by the applied power.
    SlotElapsed,
    /// The tick is complete.
    TickSealed(TickSealed),
}

/// See [`Event::RunStarted`]. `build` holds all that may differ between two runs of one world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStarted {
    /// What made this run; in a segment of its own and not part of the chain.
    #[serde(skip)]
    pub build: Build,
    /// Name of the world.
    pub world: String,
    /// The world file, with overrides worked in.
    pub world_text: String,
    /// The overrides, as given.
    pub overrides: Vec<String>,
    /// BLAKE3 of seed, rules, world text, series and sessions, in hex: seeds the chain.
    pub config_hash: String,
    /// Seed of every draw.
    pub seed: u64,
    /// The rules that the run goes by.
    pub rules: Rules,
    /// Policy that plans.
    pub policy: String,
    /// Its config, verbatim.
    pub policy_config: String,
    /// Start of slot 0, microseconds since 1970 in UTC.
    pub start_us: i64,
    /// Length of a slot, s.
    pub slot_seconds: u32,
    /// Number of slots.
    pub slots: u32,
    /// Time zone name.
    pub time_zone: String,
    /// Number of cars.
    pub ev_count: u32,
}

/// What made a run: see [`RunStarted`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Build {
    /// Version of voltide.
    pub engine_version: String,
    /// Commit it was built from, where known.
    pub git: String,
    /// Version of the policy.
    pub policy_version: String,
    /// SHA-256 of the plugin's file; empty for an embedded one.
    pub plugin_hash: String,
    /// File of the plugin; empty for an embedded one.
    pub plugin_file: String,
    /// Version of the time zone data.
    pub time_zone_data: String,
}

impl Build {
    /// Whether anything is known of it: not where the segment that says so was lost.
    pub fn is_known(&self) -> bool {
        *self != Self::default()
    }
}

/// See [`Event::SeriesLoaded`].
#[derive(Debug, Clone)]
pub struct SeriesLoaded {
    /// Name of the series in the world.
    pub name: String,
    /// Unit of the values.
    pub unit: String,
    /// One value a slot.
    pub values: Vec<f64>,
}

/// See [`Event::StaysLoaded`]. Columns of equal length, in order of arrival.
#[derive(Debug, Clone, Default)]
pub struct StaysLoaded {
    /// The fleet that they are the sessions of.
    pub fleet: String,
    /// Arrival, seconds from the start.
    pub arrives: Vec<i32>,
    /// Departure, seconds from the start.
    pub leaves: Vec<i32>,
    /// Announced departure, seconds from the start.
    pub announced: Vec<i32>,
    /// Energy asked for, grid side, kWh.
    pub requested_kwh: Vec<f64>,
    /// Energy delivered in reality, grid side, kWh; `None` where not recorded.
    pub delivered_kwh: Vec<Option<f64>>,
    /// Name of the station.
    pub station: Vec<String>,
}

/// See [`Event::RunForked`]. The history before it is its parent's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunForked {
    /// The parent's folder, relative to this run's.
    pub parent: String,
    /// The parent's id.
    pub parent_run: String,
    /// The first tick that is this run's own.
    pub at_tick: u32,
    /// The parent's chain hash before that tick, in hex.
    pub parent_chain_hash: String,
    /// What is different from here on, as it was given.
    pub changes: Vec<String>,
    /// Whether all plugged cars are planned anew.
    pub replan: bool,
    /// Whether prices are announced anew.
    pub reprice: bool,
}

/// See [`Event::RunEnded`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEnded {
    /// "finished", or why not.
    pub outcome: String,
}

/// See [`Event::TickStarted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickStarted {
    /// Start of the slot, microseconds since 1970 in UTC.
    pub at_us: i64,
}

/// See [`Event::PricesSet`]. One value a slot from `first_slot` on.
#[derive(Debug, Clone, Default)]
pub struct PricesSet {
    /// The tariff's name.
    pub tariff: String,
    /// The slot of the first value.
    pub first_slot: u32,
    /// Billed for a kWh charged by cars that are planned at these prices.
    pub buy: Vec<f64>,
    /// Paid to them for a kWh discharged.
    pub sell: Vec<f64>,
    /// The tariff's own price of a kWh bought, which the incentive price starts from.
    pub tou: Vec<f64>,
    /// The incentive price (1) of a kWh bought; empty where the world has none.
    pub incentive: Vec<f64>,
    /// `K_p` (2); empty where the world has no incentive price.
    pub k: Vec<f64>,
    /// Net load that the incentive price follows (3), kW; empty likewise.
    pub net_load_kw: Vec<f64>,
    /// Its mean over each slot's local day (4), kW; empty likewise.
    pub net_load_mean_kw: Vec<f64>,
}

impl PricesSet {
    /// Where the values of `slot` stand; it must not lie before the first one.
    pub fn at(&self, slot: u32) -> usize {
        (slot - self.first_slot) as usize
    }

    /// The slot after the last priced one.
    pub fn end(&self) -> u32 {
        self.first_slot + self.buy.len() as u32
    }

    /// What of it holds from `slot` on.
    #[must_use]
    pub fn from(&self, slot: u32) -> Self {
        let first_slot = slot.clamp(self.first_slot, self.end());
        let rest = |column: &Vec<f64>| column.get(self.at(first_slot)..).unwrap_or_default().to_vec();
        Self {
            tariff: self.tariff.clone(),
            first_slot,
            buy: rest(&self.buy),
            sell: rest(&self.sell),
            tou: rest(&self.tou),
            incentive: rest(&self.incentive),
            k: rest(&self.k),
            net_load_kw: rest(&self.net_load_kw),
            net_load_mean_kw: rest(&self.net_load_mean_kw),
        }
    }
}

/// See [`Event::SessionStarted`].
#[derive(Debug, Clone, Default)]
pub struct SessionStarted {
    /// The car.
    pub ev: Vec<u32>,
    /// The stay.
    pub stay: Vec<u32>,
    /// The charger.
    pub charger: Vec<u32>,
    /// Stored energy on arrival.
    pub energy_kwh: Vec<f64>,
    /// Energy driven since the stay before.
    pub driven_kwh: Vec<f64>,
    /// The slot after the last one, as announced.
    pub departure_slot: Vec<u32>,
    /// Stored energy wanted at departure.
    pub departure_kwh: Vec<f64>,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum EndReason {
    /// The car left.
    Departed = 0,
    /// The car was taken out of the world.
    Removed = 1,
    /// The car left on a day that follows upon itself: this is how the session of its next evening ends.
    Folded = 2,
}

/// See [`Event::SessionEnded`].
#[derive(Debug, Clone, Default)]
pub struct SessionEnded {
    /// The car.
    pub ev: Vec<u32>,
    /// The stay.
    pub stay: Vec<u32>,
    /// Stored energy at departure.
    pub energy_kwh: Vec<f64>,
    /// Grid-side energy charged.
    pub charged_kwh: Vec<f64>,
    /// Grid-side energy discharged.
    pub discharged_kwh: Vec<f64>,
    /// Paid for energy charged.
    pub energy_cost: Vec<f64>,
    /// Earned by energy discharged.
    pub v2g_revenue: Vec<f64>,
    /// Stored energy missing to the departure target; not negative.
    pub missing_kwh: Vec<f64>,
    /// An [`EndReason`] as its number.
    pub reason: Vec<u8>,
}

/// See [`Event::TargetMissed`].
#[derive(Debug, Clone, Default)]
pub struct TargetMissed {
    /// The car.
    pub ev: Vec<u32>,
    /// The stay.
    pub stay: Vec<u32>,
    /// Stored energy missing to the departure target.
    pub missing_kwh: Vec<f64>,
    /// A [`MissedReason`] as its number.
    pub reason: Vec<u8>,
}

/// Stored energy that may be missing before a target counts as missed, kWh.
pub const MISSED_MIN_KWH: f64 = 1e-6;

/// Why a car left with less than it wanted: the first reason that would have sufficed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum MissedReason {
    /// It was taken out of the world.
    Removed = 0,
    /// It would have had time until the announced departure, but left before: with what it had it could
    /// still have reached its target by then.
    LeftEarly = 1,
    /// Charging with full power all along would not have been enough (11).
    TooShort = 2,
    /// A site's limit cut what it asked for.
    SiteLimit = 3,
    /// Its schedule asked for less.
    Schedule = 4,
}

impl MissedReason {
    /// All reasons, by their numbers.
    pub const ALL: [Self; 5] =
        [Self::Removed, Self::LeftEarly, Self::TooShort, Self::SiteLimit, Self::Schedule];

    /// Whether there was too little time, and whose doing that was; `None` where there was enough. Of
    /// stays that hold no slot, and by the first rules of all.
    ///
    /// What full power all along would have reached by the departure and by the one that was announced, and
    /// what was wanted; stored energy, kWh.
    pub fn of_time(departure_kwh: f64, announced_kwh: f64, wanted_kwh: f64) -> Option<Self> {
        match () {
            () if departure_kwh >= wanted_kwh => None,
            () if announced_kwh >= wanted_kwh => Some(Self::LeftEarly),
            () => Some(Self::TooShort),
        }
    }

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::LeftEarly => "left_early",
            Self::TooShort => "too_short",
            Self::SiteLimit => "site_limit",
            Self::Schedule => "schedule",
        }
    }
}

/// What a car that leaves with less than it wanted could have had; stored energy, kWh.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leaving {
    /// Whether it leaves before the departure that was announced.
    pub ahead_of_announced: bool,
    /// What full power all along would have reached by now.
    pub departure_kwh: f64,
    /// What it would have reached by the announced departure, or by now where that is over.
    pub announced_kwh: f64,
    /// What full power from now on would still reach by then.
    pub had_it_stayed_kwh: f64,
    /// What was wanted.
    pub wanted_kwh: f64,
}

impl Leaving {
    /// Whether it is for want of time that the target is missed, and whose doing that is.
    ///
    /// Who planned for the announced departure is not to blame for a car that leaves before it, as long
    /// as the rest of the time would have done.
    pub fn missed_for_time(&self) -> Option<MissedReason> {
        let in_time = self.departure_kwh >= self.wanted_kwh;
        let still_in_time = self.had_it_stayed_kwh >= self.wanted_kwh;
        match () {
            () if self.announced_kwh < self.wanted_kwh => Some(MissedReason::TooShort),
            () if self.ahead_of_announced && (still_in_time || !in_time) => Some(MissedReason::LeftEarly),
            () => None,
        }
    }
}

/// See [`Event::StaysExpected`].
#[derive(Debug, Clone, Default)]
pub struct StaysExpected {
    /// The car.
    pub ev: Vec<u32>,
    /// The stay.
    pub stay: Vec<u32>,
    /// Stored energy that the car is expected to arrive with.
    pub expected_kwh: Vec<f64>,
}

/// See [`Event::TripShort`].
#[derive(Debug, Clone, Default)]
pub struct TripShort {
    /// The car.
    pub ev: Vec<u32>,
    /// Energy that the trip wanted.
    pub wanted_kwh: Vec<f64>,
    /// Energy that there was.
    pub driven_kwh: Vec<f64>,
}

/// See [`Event::WillingnessAgreed`]. A row says what holds for a car from a slot on, to its next row.
#[derive(Debug, Clone, Default)]
pub struct WillingnessAgreed {
    /// The car.
    pub ev: Vec<u32>,
    /// The slot (a tick number).
    pub slot: Vec<u32>,
    /// 1 where the driver agrees.
    pub agreed: Vec<u8>,
}

/// See [`Event::PlansAccepted`]: run-length coded schedules.
///
/// The schedule of row i is the segments `segment_offset[i]..segment_offset[i + 1]`; a segment's
/// power holds from its slot to the next segment's; the last segment's power is 0.
#[derive(Debug, Clone, Default)]
pub struct PlansAccepted {
    /// The car.
    pub ev: Vec<u32>,
    /// The stay.
    pub stay: Vec<u32>,
    /// n + 1 ascending offsets into the segments, from 0 to their number.
    pub segment_offset: Vec<u32>,
    /// First slot of each segment (a tick number).
    pub segment_slot: Vec<u32>,
    /// Power from that slot on, kW.
    pub segment_kw: Vec<f64>,
}

/// See [`Event::ForecastIssued`]. Power in kW, net of what is discharged.
#[derive(Debug, Clone, Default)]
pub struct ForecastIssued {
    /// What is forecast: `ev_load`.
    pub series: String,
    /// The slot of the first value.
    pub first_slot: u32,
    /// One value a slot.
    pub values: Vec<f64>,
    /// Of the part that cars will make that have not arrived: their first slot,
    pub arrival_slot: Vec<u32>,
    /// a slot in which they draw power,
    pub load_slot: Vec<u32>,
    /// and how much.
    pub load_kw: Vec<f64>,
}

/// See [`Event::SolveFinished`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SolveFinished {
    /// `day_ahead` or `intra_day`.
    pub stage: String,
    /// Name of the solver.
    pub solver: String,
    /// `optimal` or `feasible`.
    pub status: String,
    /// Value of the schedule found: the sum of `components`.
    #[serde(deserialize_with = "number::read")]
    pub objective: f64,
    /// Proven bound on it; `None` where the search ended before there was one.
    pub bound: Option<f64>,
    /// What the objective is made of, by name.
    #[serde(deserialize_with = "number::read_components")]
    pub components: Vec<(String, f64)>,
    /// What had to be relaxed: unit, wish, and by how much (kW or kWh).
    #[serde(deserialize_with = "number::read_unmet")]
    pub unmet: Vec<(String, String, f64)>,
    /// Number of variables.
    pub variables: u32,
    /// How many of them are integer.
    pub integers: u32,
    /// Number of constraints.
    pub constraints: u32,
}

/// For which stage units were scheduled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// The day as a whole, before it begins.
    DayAhead = 0,
    /// The coming slots, which are followed.
    IntraDay = 1,
}

impl Stage {
    /// The stage of a number; what is not known is taken for the one that is followed.
    pub fn named(number: u8) -> Self {
        if number == Self::DayAhead as u8 { Self::DayAhead } else { Self::IntraDay }
    }

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::DayAhead => "day_ahead",
            Self::IntraDay => "intra_day",
        }
    }
}

/// See [`Event::UnitsDispatched`]. Matrices have one row a step and one column a unit, row-major, in
/// the order of the world's units; what a unit does not have is 0.
#[derive(Debug, Clone, Default)]
pub struct UnitsDispatched {
    /// A [`Stage`] as its number.
    pub stage: u8,
    /// The slot in which the first step begins.
    pub first_slot: u32,
    /// Slots of a step.
    pub step: u32,
    /// Number of units.
    pub units: u32,
    /// Power into the system; negative where a store charges or a connection exports. Load that is shed
    /// counts as power. A matrix.
    pub power_kw: Vec<f64>,
    /// Power that could be had from wind and sun; a matrix.
    pub available_kw: Vec<f64>,
    /// Power into stores; a matrix.
    pub charge_kw: Vec<f64>,
    /// Stored energy at the end of each step; a matrix.
    pub energy_kwh: Vec<f64>,
    /// Price of a kWh over a connection, in the direction that it is used in; a matrix.
    pub price_per_kwh: Vec<f64>,
    /// 1 where a unit is on, 3 where it has just been started, else 0; a matrix.
    pub on: Vec<u8>,
    /// Load to be served, cars included: one value a step, as below.
    pub load_kw: Vec<f64>,
    /// Load that is not served.
    pub unserved_kw: Vec<f64>,
    /// Power that nobody takes.
    pub spilled_kw: Vec<f64>,
}

/// See [`Event::MarginViolated`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MarginViolated {
    /// Flexibility that is missing upwards, kW.
    #[serde(deserialize_with = "number::read")]
    pub up_kw: f64,
    /// Flexibility that is missing downwards, kW.
    #[serde(deserialize_with = "number::read")]
    pub down_kw: f64,
}

/// See [`Event::PolicyFaulted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFaulted {
    /// The policy.
    pub policy: String,
    /// What went wrong.
    pub message: String,
    /// Whether the policy is not asked again in this run.
    pub lost: bool,
    /// The policy that stood in; empty where the run stopped.
    pub fallback: String,
    /// First stay of the call.
    pub first_stay: u32,
    /// Number of stays of the call.
    pub stays: u32,
}

/// See [`Event::PolicyStateSaved`].
#[derive(Debug, Clone)]
pub struct PolicyStateSaved {
    /// The policy.
    pub policy: String,
    /// Its state.
    pub state: Vec<u8>,
}

/// Why power was clipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ClipReason {
    /// The answer broke the contract: more than the charger can, or after departure.
    Charger = 0,
    /// The battery was full or empty.
    Battery = 1,
    /// The site's connection was at its limit.
    Site = 2,
}

/// See [`Event::SetPointClipped`].
#[derive(Debug, Clone, Default)]
pub struct SetPointClipped {
    /// The car.
    pub ev: Vec<u32>,
    /// Power asked for.
    pub asked_kw: Vec<f64>,
    /// Power applied.
    pub applied_kw: Vec<f64>,
    /// A [`ClipReason`] as its number.
    pub reason: Vec<u8>,
}

impl SetPointClipped {
    /// Adds a row.
    pub fn push(&mut self, ev: u32, asked_kw: f64, applied_kw: f64, reason: ClipReason) {
        self.ev.push(ev);
        self.asked_kw.push(asked_kw);
        self.applied_kw.push(applied_kw);
        self.reason.push(reason as u8);
    }
}

/// See [`Event::LimitViolated`]. One row a site.
#[derive(Debug, Clone, Default)]
pub struct LimitViolated {
    /// The site.
    pub site: Vec<u32>,
    /// Power asked for, positive draws.
    pub asked_kw: Vec<f64>,
    /// The limit that it was cut to, positive draws.
    pub limit_kw: Vec<f64>,
}

/// See [`Event::TickSealed`].
#[derive(Debug, Clone, Default)]
pub struct TickSealed {
    /// Events of the tick before this one.
    pub events: u32,
    /// Names of the hashed components, in order.
    pub components: Vec<String>,
    /// One hash per component and block of 2,048 cars, component-major.
    pub block_hashes: Vec<u64>,
    /// Hash of all block hashes.
    pub state_hash: u64,
    /// BLAKE3 over the chain hash before and the bytes of the tick's records, this one included
    /// but for the hash itself.
    pub chain_hash: [u8; 32],
}

impl Event {
    /// Whether it tells what was decided of units: such events come after all others of a tick but
    /// those that follow from the state.
    pub fn is_of_units(&self) -> bool {
        matches!(self, Self::SolveFinished(_) | Self::UnitsDispatched(_))
    }

    /// Its name and schema version, as in the log.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RunStarted(_) => "RunStarted.v2",
            Self::SeriesLoaded(_) => "SeriesLoaded.v1",
            Self::StaysLoaded(_) => "StaysLoaded.v2",
            Self::RunForked(_) => "RunForked.v1",
            Self::RunEnded(_) => "RunEnded.v1",
            Self::TickStarted(_) => "TickStarted.v1",
            Self::PricesSet(_) => "PricesSet.v1",
            Self::SessionEnded(_) => "SessionEnded.v1",
            Self::SessionStarted(_) => "SessionStarted.v1",
            Self::TargetMissed(_) => "TargetMissed.v1",
            Self::TripShort(_) => "TripShort.v1",
            Self::StaysExpected(_) => "StaysExpected.v1",
            Self::WillingnessAgreed(_) => "WillingnessAgreed.v1",
            Self::PlansAccepted(_) => "PlansAccepted.v1",
            Self::ForecastIssued(_) => "ForecastIssued.v1",
            Self::SolveFinished(_) => "SolveFinished.v1",
            Self::UnitsDispatched(_) => "UnitsDispatched.v1",
            Self::MarginViolated(_) => "MarginViolated.v1",
            Self::PolicyFaulted(_) => "PolicyFaulted.v1",
            Self::PolicyStateSaved(_) => "PolicyStateSaved.v1",
            Self::AnswerNotFinite(_) => "AnswerNotFinite.v1",
            Self::SetPointClipped(_) => "SetPointClipped.v1",
            Self::LimitViolated(_) => "LimitViolated.v1",
            Self::SlotElapsed => "SlotElapsed.v1",
            Self::TickSealed(_) => "TickSealed.v1",
        }
    }
}
