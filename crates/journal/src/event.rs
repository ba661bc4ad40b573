//! The event vocabulary.
//!
//! An event is an accepted fact in the past tense. Control events are single records; batch events
//! carry one row per car, sorted by `ev`, as columns of equal length. Energy in kWh, power in kW,
//! prices and money in the world's currency.
//!
//! Each is declared once, below; see [`fact`] for what follows from that, and `docs/events.md` for
//! the same as a page.

mod batch;
mod build;
mod cell;
pub mod code;
pub(crate) mod control;
pub mod fact;
mod field;
pub(crate) mod older;
#[cfg(test)]
mod page;
mod single;

pub use batch::{Ids, Segments};
pub use build::Build;
pub use code::{ClipReason, EndReason, Leaving, MISSED_MIN_KWH, MissedReason, NotFinite, Stage};
pub use single::{Bytes, Hash, LongText};

pub(crate) use field::{Buffers, object};

use crate::{error::BodyError, hex, number};
use fact::{Body, Fact, FieldSaid, Form, Kind, Origin, Step, events};
use field::{Columns, Field, Same};
use serde::{Deserialize, Serialize};
use voltide_model::{
    id::{ChargerId, EvId, SiteId, StayId},
    rules::Rules,
};

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

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// "ev", "site", "series", "fleet", "tariff" or "policy"; "unit" where a difference is about
    /// one.
    pub kind: &'static str,
    /// Its number or name.
    pub id: String,
}

events! {
    /// A run began. `build` holds all that may differ between two runs of one world.
    event RunStarted v2: control, decided in Opening, once older::RUNS_STARTED {
        /// Name of the world.
        world: String,
        /// The world file, with overrides worked in.
        world_text: LongText,
        /// The overrides, as given.
        overrides: Vec<String>,
        /// BLAKE3 of seed, rules, world text, series and sessions, in hex: seeds the chain.
        config_hash: String,
        /// Seed of every draw.
        seed: u64,
        /// The rules that the run goes by.
        rules: Rules,
        /// Policy that plans.
        policy: String,
        /// Its config, verbatim.
        policy_config: String,
        /// Start of slot 0, since 1970 in UTC.
        start_us: i64 = "us",
        /// Length of a slot.
        slot_seconds: u32 = "s",
        /// Number of slots.
        slots: u32,
        /// Time zone name.
        time_zone: String,
        /// Number of cars.
        ev_count: u32,
    } beside {
        /// What made this run; in a segment of its own and not part of the chain.
        #[serde(skip)]
        build: Build,
    }

    /// A series was read, resampled to slots.
    event SeriesLoaded v1: record about series = name, decided in Opening {
        /// Name of the series in the world.
        name: String,
        /// Unit of the values.
        unit: String,
        /// One value a slot.
        values: Vec<f64>,
    }

    /// Recorded sessions were read, in order of arrival.
    event StaysLoaded v2: record about fleet = fleet, decided in Opening,
    once older::STAYS_LOADED {
        /// The fleet that they are the sessions of.
        fleet: String,
        /// Arrival, from the start.
        arrives: Vec<i32> = "s",
        /// Departure, from the start.
        leaves: Vec<i32> = "s",
        /// Announced departure, from the start.
        announced: Vec<i32> = "s",
        /// Energy asked for, grid side.
        requested_kwh: Vec<f64> = "kWh",
        /// Energy delivered in reality, grid side; null where not recorded.
        delivered_kwh: Vec<Option<f64>> = "kWh",
        /// Name of the station.
        station: Vec<String>,
    }

    /// A run branched off from another one. The history before it is its parent's.
    event RunForked v1: control, decided in Opening {
        /// The parent's folder, relative to this run's.
        parent: String,
        /// The parent's id.
        parent_run: String,
        /// The first tick that is this run's own.
        at_tick: u32,
        /// The parent's chain hash before that tick, in hex.
        parent_chain_hash: String,
        /// What is different from here on, as it was given.
        changes: Vec<String>,
        /// Whether all plugged cars are planned anew.
        replan: bool,
        /// Whether prices are announced anew.
        reprice: bool,
    }

    /// The run ended.
    event RunEnded v1: control, decided in Ending {
        /// "finished", or why not.
        outcome: String,
    }

    /// The slot began: the clock moved.
    event TickStarted v1: control, decided in Start {
        /// Start of the slot, since 1970 in UTC.
        at_us: i64 = "us",
    }

    /// Prices became known: one value a slot from `first_slot` on.
    event PricesSet v1: record about tariff = tariff, decided in Price {
        /// The tariff's name.
        tariff: String,
        /// The slot of the first value.
        first_slot: u32,
        /// Billed for a kWh charged by cars that are planned at these prices.
        buy: Vec<f64> = "currency/kWh",
        /// Paid to them for a kWh discharged.
        sell: Vec<f64> = "currency/kWh",
        /// The tariff's own price of a kWh bought, which the incentive price starts from.
        tou: Vec<f64> = "currency/kWh",
        /// The incentive price (1) of a kWh bought; empty where the world has none.
        incentive: Vec<f64> = "currency/kWh",
        /// `K_p` (2); empty where the world has no incentive price.
        k: Vec<f64>,
        /// Net load that the incentive price follows (3); empty likewise.
        net_load_kw: Vec<f64> = "kW",
        /// Its mean over each slot's local day (4); empty likewise.
        net_load_mean_kw: Vec<f64> = "kW",
    }

    /// Cars unplugged.
    event SessionEnded v1: rows by ev in stay, decided in Arrive {
        /// The car.
        ev: Ids<EvId>,
        /// The stay.
        stay: Ids<StayId>,
        /// Stored energy at departure.
        energy_kwh: Vec<f64> = "kWh",
        /// Grid-side energy charged.
        charged_kwh: Vec<f64> = "kWh",
        /// Grid-side energy discharged.
        discharged_kwh: Vec<f64> = "kWh",
        /// Paid for energy charged.
        energy_cost: Vec<f64> = "currency",
        /// Earned by energy discharged.
        v2g_revenue: Vec<f64> = "currency",
        /// Stored energy missing to the departure target; not negative.
        missing_kwh: Vec<f64> = "kWh",
        /// Why it ended.
        reason: Vec<EndReason>,
    }

    /// Cars plugged in.
    event SessionStarted v1: rows by ev in stay, decided in Arrive {
        /// The car.
        ev: Ids<EvId>,
        /// The stay.
        stay: Ids<StayId>,
        /// The charger.
        charger: Ids<ChargerId>,
        /// Stored energy on arrival.
        energy_kwh: Vec<f64> = "kWh",
        /// Energy driven since the stay before.
        driven_kwh: Vec<f64> = "kWh",
        /// The slot after the last one, as announced.
        departure_slot: Vec<u32>,
        /// Stored energy wanted at departure.
        departure_kwh: Vec<f64> = "kWh",
    }

    /// Cars left with less than they wanted.
    event TargetMissed v1: rows by ev in stay, decided in Arrive {
        /// The car.
        ev: Ids<EvId>,
        /// The stay.
        stay: Ids<StayId>,
        /// Stored energy missing to the departure target.
        missing_kwh: Vec<f64> = "kWh",
        /// The first reason that would have sufficed.
        reason: Vec<MissedReason>,
    }

    /// Cars could not drive as far as they wanted.
    event TripShort v1: rows by ev, decided in Arrive {
        /// The car.
        ev: Ids<EvId>,
        /// Energy that the trip wanted.
        wanted_kwh: Vec<f64> = "kWh",
        /// Energy that there was.
        driven_kwh: Vec<f64> = "kWh",
    }

    /// Stays that have not begun are about to be planned.
    event StaysExpected v1: rows by ev in stay, decided in Plan {
        /// The car.
        ev: Ids<EvId>,
        /// The stay.
        stay: Ids<StayId>,
        /// Stored energy that the car is expected to arrive with.
        expected_kwh: Vec<f64> = "kWh",
    }

    /// Drivers agreed to discharge, or not, where that can change a plan; in a world in which any are
    /// asked, those of fleets that are not count as agreeing. A row says what holds for a car from a
    /// slot on, to its next row. Those of cars that have a plan are asked again only for slots
    /// whose prices are others by now; rows for them begin with the first such slot, and end with
    /// what was said before of the slot after the last.
    event WillingnessAgreed v1: rows by ev, decided in Plan {
        /// The car.
        ev: Ids<EvId>,
        /// The slot (a tick number).
        slot: Vec<u32>,
        /// Whether the driver agrees.
        agreed: Vec<bool>,
    }

    /// Schedules came into force.
    event PlansAccepted v1: rows by ev in stay, decided in Plan {
        /// The car.
        ev: Ids<EvId>,
        /// The stay.
        stay: Ids<StayId>,
        /// Its schedule.
        segments: Segments,
    }

    /// Schedules of cars behind common limits were made together for a policy.
    event GroupSolved v1: control, decided in Plan {
        /// Name of the site at the top of the tree that was shown; empty where none was.
        site: String,
        /// Number of stays.
        stays: u32,
        /// Energy beyond limits that cannot be kept: no less can be.
        #[serde(deserialize_with = "number::read")]
        violation_kwh: f64 = "kWh",
        /// Stored energy below targets.
        #[serde(deserialize_with = "number::read")]
        missing_kwh: f64 = "kWh",
        /// Proven lower bound of it.
        #[serde(deserialize_with = "number::read")]
        missing_bound_kwh: f64 = "kWh",
        /// What the schedules cost together.
        #[serde(deserialize_with = "number::read")]
        cost: f64 = "currency",
        /// Proven lower bound of that at this missing energy; null where none is known.
        cost_bound: Option<f64> = "currency",
    }

    /// Plans of a whole tree of sites ask for more than a limit there allows: it cannot be kept, or
    /// its policy did not. A row a slot in which that is so.
    event LimitUnkept v1: rows by site, decided in Plan {
        /// The site.
        site: Ids<SiteId>,
        /// The slot (a tick number).
        slot: Vec<u32>,
        /// What plans go beyond the limit by; negative where they feed in too much.
        over_kw: Vec<f64> = "kW",
    }

    /// What is expected of the coming slots was written down; net of what is discharged.
    event ForecastIssued v1: record about series = series, decided in Plan {
        /// What is forecast: `ev_load`.
        series: String,
        /// The slot of the first value.
        first_slot: u32,
        /// One value a slot.
        values: Vec<f64> = "kW",
        /// Of the part that cars will make that have not arrived: their first slot,
        arrival_slot: Vec<u32>,
        /// a slot in which they draw power,
        load_slot: Vec<u32>,
        /// and how much.
        load_kw: Vec<f64> = "kW",
    }

    /// An optimisation problem was solved.
    event SolveFinished v1: control, decided in Dispatch {
        /// `day_ahead`, `day_path` or `intra_day`.
        stage: String,
        /// Name of the solver.
        solver: String,
        /// `optimal` or `feasible`; or where no schedule was found as asked, how it came about:
        /// `looser_gap`, `without_integers` or `plan_in_force`.
        status: String,
        /// Value of the schedule found: the sum of `components`.
        #[serde(deserialize_with = "number::read")]
        objective: f64 = "currency",
        /// Proven bound on it; null where the search ended before there was one.
        bound: Option<f64> = "currency",
        /// What the objective is made of, by name.
        #[serde(deserialize_with = "number::read_components")]
        components: Vec<(String, f64)> = "currency",
        /// What had to be relaxed: unit, wish, and by how much.
        #[serde(deserialize_with = "number::read_unmet")]
        unmet: Vec<(String, String, f64)> = "kW or kWh",
        /// Number of variables.
        variables: u32,
        /// How many of them are integer.
        integers: u32,
        /// Number of constraints.
        constraints: u32,
    }

    /// What a stage expects of the steps that it schedules was written down, and the flexibility that
    /// came of it. One value a step unless said otherwise.
    event WindowForeseen v1: record, decided in Dispatch {
        /// Of which stage.
        stage: Stage,
        /// The slot in which the first step begins.
        first_slot: u32,
        /// Slots of a step.
        step: u32,
        /// How many of the steps are scheduled for good; the others are only looked at.
        committed: u32,
        /// Load to be served, cars included.
        load_kw: Vec<f64> = "kW",
        /// What cars draw of it, net of what they discharge.
        ev_kw: Vec<f64> = "kW",
        /// The unit of each row of `expected`.
        unit: Vec<u32>,
        /// What series of units are expected to be, as the unit lists them: one row a series and
        /// one column a step, row-major.
        expected: Vec<f64> = "kW, prices in currency/kWh",
        /// What cars could do upwards; none where they do not count.
        ev_flex_up_kw: Vec<f64> = "kW",
        /// The same downwards.
        ev_flex_down_kw: Vec<f64> = "kW",
        /// Flexibility wanted upwards, (15),
        flex_demand_up_kw: Vec<f64> = "kW",
        /// and downwards, (16).
        flex_demand_down_kw: Vec<f64> = "kW",
        /// Flexibility that the schedule has at hand upwards, cars included,
        flex_supply_up_kw: Vec<f64> = "kW",
        /// and downwards.
        flex_supply_down_kw: Vec<f64> = "kW",
    }

    /// Units were scheduled. Matrices have one row a step and one column a unit, row-major, in the
    /// order of the world's units; what a unit does not have is 0.
    event UnitsDispatched v1: record, decided in Dispatch {
        /// For which stage.
        stage: Stage,
        /// The slot in which the first step begins.
        first_slot: u32,
        /// Slots of a step.
        step: u32,
        /// Number of units.
        units: u32,
        /// Power into the system; negative where a store charges or a connection exports. Load that
        /// is shed counts as power. A matrix.
        power_kw: Vec<f64> = "kW",
        /// Power that could be had from wind and sun; hydrogen that is bought; a matrix.
        available_kw: Vec<f64> = "kW",
        /// Power into stores and electrolysers; a matrix.
        charge_kw: Vec<f64> = "kW",
        /// Stored energy at the end of each step; a matrix.
        energy_kwh: Vec<f64> = "kWh",
        /// Price of a kWh over a connection, in the direction that it is used in; a matrix.
        price_per_kwh: Vec<f64> = "currency/kWh",
        /// 1 where a unit is on, 3 where it has just been started, else 0; a matrix.
        on: Vec<u8>,
        /// Load to be served, cars included: one value a step, as below.
        load_kw: Vec<f64> = "kW",
        /// Load that is not served.
        unserved_kw: Vec<f64> = "kW",
        /// Power that nobody takes.
        spilled_kw: Vec<f64> = "kW",
    }

    /// Flexibility was less than the next slot may ask for.
    event MarginViolated v1: control, follows in Dispatch {
        /// Flexibility that is missing upwards.
        #[serde(deserialize_with = "number::read")]
        up_kw: f64 = "kW",
        /// Flexibility that is missing downwards.
        #[serde(deserialize_with = "number::read")]
        down_kw: f64 = "kW",
    }

    /// A policy failed and another stood in for the call.
    event PolicyFaulted v1: control about policy = policy, decided in Plan {
        /// The policy.
        policy: String,
        /// What went wrong.
        message: String,
        /// Whether the policy is not asked again in this run.
        lost: bool,
        /// The policy that stood in; empty where the run stopped.
        fallback: String,
        /// First stay of the call.
        first_stay: StayId,
        /// Number of stays of the call.
        stays: u32,
    }

    /// A stateful policy's state was saved, at the end of a tick.
    event PolicyStateSaved v1: record about policy = policy, decided in Plan {
        /// The policy.
        policy: String,
        /// Its state.
        state: Bytes,
    }

    /// A policy's schedules held what is no number. A row a schedule: the first of its powers that
    /// was none. All such powers became 0 kW.
    event AnswerNotFinite v1: rows by ev in stay with first, decided in Plan {
        /// The car.
        ev: Ids<EvId>,
        /// The stay.
        stay: Ids<StayId>,
        /// The slot (a tick number).
        slot: Vec<u32>,
        /// What was answered.
        answer: Vec<NotFinite>,
    }

    /// Power was less than the schedule asked for.
    event SetPointClipped v1: rows by ev, follows in Limit, or decided in Plan if breaks_contract {
        /// The car.
        ev: Ids<EvId>,
        /// Power asked for.
        asked_kw: Vec<f64> = "kW",
        /// Power applied.
        applied_kw: Vec<f64> = "kW",
        /// Why.
        reason: Vec<ClipReason>,
    }

    /// A site met its limit: its chargers asked for more than its connection allows. Positive
    /// draws.
    event LimitViolated v1: rows by site, follows in Limit {
        /// The site.
        site: Ids<SiteId>,
        /// Power asked for.
        asked_kw: Vec<f64> = "kW",
        /// The limit that it was cut to.
        limit_kw: Vec<f64> = "kW",
    }

    /// The slot passed: every battery and ledger moved by the applied power.
    event SlotElapsed v1: control, follows in Settle {}

    /// The tick is complete.
    event TickSealed v1: record, follows in Seal {
        /// Events of the tick before this one.
        events: u32,
        /// Names of the hashed components, in order.
        components: Vec<String>,
        /// One hash per component and block of 2,048 cars, component-major.
        block_hashes: Vec<u64>,
        /// Hash of all block hashes.
        state_hash: Hash,
    } beside {
        /// BLAKE3 over the chain hash before and the bytes of the tick's records, this one included
        /// but for the hash itself.
        chain_hash: [u8; 32],
    }
}

impl Event {
    /// Its name and schema version, as in the log.
    pub fn kind(&self) -> &'static str {
        self.fact().kind().version
    }

    /// Its name, without the version.
    pub fn name(&self) -> &'static str {
        self.fact().kind().name
    }

    /// All that is known of its kind.
    pub fn declared(&self) -> &'static Kind {
        self.fact().kind()
    }

    /// Where it comes from.
    pub fn origin(&self) -> Origin {
        self.fact().origin()
    }

    /// The step in which it comes up.
    pub fn step(&self) -> Step {
        match self.origin() {
            Origin::Decided(step) | Origin::Follows(step) => step,
        }
    }

    /// Whether it follows from the state, so that a replay comes to it by itself.
    pub fn follows(&self) -> bool {
        matches!(self.origin(), Origin::Follows(_))
    }

    /// Whether it is part of how a run begins: with it, or with a fork, before any tick.
    pub fn opens(&self) -> bool {
        self.origin() == Origin::Decided(Step::Opening)
    }

    /// How a run begins, where that is what happened.
    pub fn starts(&self) -> Option<&RunStarted> {
        if let Self::RunStarted(started) = self { Some(started) } else { None }
    }

    /// Where a run branches off from its parent, where that is what happened.
    pub fn forks(&self) -> Option<&RunForked> {
        if let Self::RunForked(forked) = self { Some(forked) } else { None }
    }

    /// What a run that ends came to: "finished", or why not.
    pub fn outcome(&self) -> Option<&str> {
        if let Self::RunEnded(ended) = self { Some(&ended.outcome) } else { None }
    }

    /// The chain hash that history has from here on, in hex, where a run begins or a tick ends.
    pub fn chain_hash(&self) -> Option<String> {
        if let Self::TickSealed(sealed) = self {
            return Some(hex::digits(&sealed.chain_hash));
        }
        self.starts().map(|started| started.config_hash.clone())
    }

    /// The first of its numbers that is none: the field, and the place where it has several.
    ///
    /// No such event is written. What is not known is null, and what a policy answered instead of a
    /// number is told by [`AnswerNotFinite`].
    pub fn not_finite(&self) -> Option<(&'static str, usize)> {
        let fields = self.fact().fields();
        fields.into_iter().find_map(|(name, field)| Some((name, field.not_finite()?)))
    }
}

impl SetPointClipped {
    /// Adds a row.
    pub fn push(&mut self, ev: EvId, asked_kw: f64, applied_kw: f64, reason: ClipReason) {
        self.ev.push(ev);
        self.asked_kw.push(asked_kw);
        self.applied_kw.push(applied_kw);
        self.reason.push(reason);
    }

    /// An answer that breaks the contract is cut where it is taken, so that a replay cannot come to
    /// it by itself.
    fn breaks_contract(&self) -> bool {
        self.reason.contains(&ClipReason::Charger)
    }
}

impl AnswerNotFinite {
    /// Adds a row.
    pub fn push(&mut self, ev: EvId, stay: StayId, slot: u32, answer: NotFinite) {
        self.ev.push(ev);
        self.stay.push(stay);
        self.slot.push(slot);
        self.answer.push(answer);
    }
}

impl WindowForeseen {
    /// The slot in which a step begins, counted from 0.
    pub fn slot(&self, step: usize) -> u32 {
        self.first_slot + step as u32 * self.step
    }
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
        let rest =
            // What the world does not have is an empty column, and has no rest.
            |column: &Vec<f64>| column.get(self.at(first_slot)..).unwrap_or_default().to_vec();
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

#[cfg(test)]
mod tests;
