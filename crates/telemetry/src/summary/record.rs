//! What a run comes to: each figure declared once.
//!
//! `--json` prints them as they stand here, and `docs/figures.md` is made from them.

use serde::Serialize;
use voltide_model::{cost::SystemCost, figure::Record, figures, fleet::PopulationNotes};

/// All records of a summary: itself, and what its figures are made of.
pub static RECORDS: [&Record; 14] = [
    &Summary::RECORD,
    &Extreme::RECORD,
    &SystemCostRows::RECORD,
    &ComponentCost::RECORD,
    &FlexibilitySums::RECORD,
    &MissedTargets::RECORD,
    &ClippedAnswer::RECORD,
    &NotFiniteAnswer::RECORD,
    &FailedCall::RECORD,
    &LostPolicy::RECORD,
    &SolverFallback::RECORD,
    &SlackUsed::RECORD,
    &PopulationNotes::RECORD,
    &TableSize::RECORD,
];

figures! {
    /// What a run came to. Energy and power are on the grid side.
    #[derive(Debug, Clone, PartialEq, Default, Serialize)]
    pub struct Summary {
        /// Name of the world.
        world: String,
        /// Policy that planned.
        policy: String,
        /// "finished", "interrupted" or "failed".
        status: String,
        /// ISO 4217 code of all money.
        currency: String,
        /// Number of cars, with those that a fork took out.
        ev_count: u32,
        /// How many of them a fork took out.
        removed_cars: u32,
        /// Number of slots simulated.
        slots: u32,
        /// Length of what was simulated, in days of 24 hours.
        days: f64 = "d",
        /// Energy that cars charged.
        charged_kwh: f64 = "kWh",
        /// Energy that cars discharged.
        discharged_kwh: f64 = "kWh", "not negative",
        /// Share (0..1) of the hours that asked cars were plugged in for in which their drivers
        /// agreed to discharge; null where nobody is asked.
        willing_share: Option<f64>,
        /// Sessions long enough for V2G.
        v2g_eligible_sessions: u64,
        /// Why nothing was discharged; null where something was, or where there was no session.
        no_discharge_reason: Option<String>,
        /// Energy charged per car and day; 0 without cars.
        charged_kwh_per_ev_day: f64 = "kWh",
        /// Mean power of charging cars less discharging ones.
        ev_mean_kw: f64 = "kW", "positive charges",
        /// Highest power of charging cars less discharging ones; positive charges.
        ev_peak: Option<Extreme>,
        /// Highest net load: base load and what cars charge, less what they discharge and the wind
        /// and sun that there is; positive draws from the grid.
        net_load_peak: Option<Extreme>,
        /// Lowest net load.
        net_load_valley: Option<Extreme>,
        /// Energy imported to close the balance.
        imported_kwh: f64 = "kWh", "not negative",
        /// Energy exported to close the balance.
        exported_kwh: f64 = "kWh", "not negative",
        /// Largest deviation of supply from demand in any slot.
        residual_kw_max: f64 = "kW", "not negative",
        /// Sessions that ended.
        sessions_ended: u64,
        /// Sessions that were open at the end.
        sessions_open: u64,
        /// Stays that ended and held no whole slot, so that nothing could be charged; none of the
        /// above.
        sessions_without_slot: u64,
        /// Paid for energy charged, open sessions included.
        energy_cost: f64 = "currency",
        /// Earned by energy discharged.
        v2g_revenue: f64 = "currency", "positive is earned",
        /// Wear by energy discharged.
        degradation_cost: f64 = "currency",
        /// What drivers pay less what they earn, wear included.
        net_cost: f64 = "currency", "negative is earned",
        /// The same per kWh charged less discharged; null where cars gave as much as they took, or
        /// more.
        net_cost_per_kwh: Option<f64> = "currency/kWh",
        /// Value of energy imported less exported: at the prices of the connections, or without a
        /// plant at the first tariff's price of buying.
        import_export_cost: f64 = "currency", "negative is earned",
        /// What each unit of the plant cost, by component; empty where the world has no plant.
        unit_costs: Vec<ComponentCost>,
        /// What the plant cost, by the rows of the paper's Table 3; null where the world has none.
        system_cost: Option<SystemCostRows>,
        /// Price of energy not served or not taken (`grid.slack.unserved`); null without a plant.
        unserved_price_per_kwh: Option<f64> = "currency/kWh",
        /// How much less the schedules of units may cost at best, by the solver's bounds: the sum
        /// of what it did not search for where units are switched on and off. Null without a plant.
        solver_gap: Option<f64> = "currency", "not negative",
        /// Schedules of units that were not found as asked, by how they came about, in the order in
        /// which that first happened.
        solver_fallbacks: Vec<SolverFallback>,
        /// What schedules of units could not keep, by name; empty where there was nothing.
        slack: Vec<SlackUsed>,
        /// Energy not served.
        unserved_kwh: f64 = "kWh",
        /// Energy that nobody took and that could not be curtailed.
        spilled_kwh: f64 = "kWh",
        /// Load shed by agreement.
        interrupted_kwh: f64 = "kWh",
        /// Wind and sun not used.
        curtailed_kwh: f64 = "kWh",
        /// Flexibility over the slots, upwards; null without a plant.
        flexibility_up: Option<FlexibilitySums>,
        /// Flexibility over the slots, downwards; null without a plant.
        flexibility_down: Option<FlexibilitySums>,
        /// What schedules of units pay for margins that none of them could have, at their price.
        margin_slack_cost: f64 = "currency", "not negative",
        /// Wishes that no schedule of units could meet.
        unmet_wishes: u64,
        /// Sessions that ended below their target, those without a whole slot among them.
        missed_targets: u64,
        /// Stored energy that those sessions lacked to their targets.
        missing_kwh: f64 = "kWh",
        /// The same sessions by fleet and reason.
        missed_by: Vec<MissedTargets>,
        /// Trips that the battery was too empty for.
        short_trips: u64,
        /// Energy that they lacked.
        short_trips_kwh: f64 = "kWh",
        /// Set-points that broke the contract and were cut to what the charger can do.
        clipped_by_charger: u64,
        /// The first of them.
        first_clipped: Option<ClippedAnswer>,
        /// Schedules that held NaN or infinity, which became 0 kW.
        answers_not_finite: u64,
        /// The first of them.
        first_not_finite: Option<NotFiniteAnswer>,
        /// Set-points cut down by a full or empty battery.
        clipped_by_battery: u64,
        /// Set-points cut down by a site's limit.
        clipped_by_site: u64,
        /// How often a site's chargers asked for more than its limit, once a site and slot.
        site_limit_hits: u64,
        /// How often plans of all cars behind a site did not keep its limit, once a slot each time
        /// that they were made.
        unkept_limits: u64,
        /// Calls of the policy that failed.
        policy_faults: u64,
        /// The first of them.
        first_policy_fault: Option<FailedCall>,
        /// The first policy that was not asked again in this run, because it panicked.
        lost_policy: Option<LostPolicy>,
        /// Number of events.
        events: u64,
        /// Hash of the state after the last tick, in hex.
        state_hash: Option<String>,
        /// What the population left out or cut down.
        population: PopulationNotes,
        /// Rows and bytes of each table written.
        tables: Vec<TableSize>,
    }

    /// What a policy answered instead of a number.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct NotFiniteAnswer {
        /// The car.
        ev: u32,
        /// The slot that it was for.
        tick: u32,
        /// Its start on the wall clock of the world's time zone, as `2024-06-03T18:15`.
        local_time: String,
        /// `NaN`, `inf` or `-inf`.
        answer: &'static str,
    }

    /// An answer that was more than the charger can, or lay beyond the departure.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct ClippedAnswer {
        /// The car.
        ev: u32,
        /// The slot in which it was answered.
        tick: u32,
        /// Its start on the wall clock of the world's time zone, as `2024-06-03T18:15`.
        local_time: String,
        /// What was answered.
        asked_kw: f64 = "kW", "positive charges",
        /// What it became.
        applied_kw: f64 = "kW", "positive charges",
    }

    /// A call of a policy that failed.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct FailedCall {
        /// The policy.
        policy: String,
        /// The slot in which it was asked.
        tick: u32,
        /// Its start on the wall clock of the world's time zone, as `2024-06-03T18:15`.
        local_time: String,
        /// What went wrong.
        message: String,
        /// The policy that answered in its place.
        fallback: String,
    }

    /// A policy that is not asked again.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct LostPolicy {
        /// The policy.
        policy: String,
        /// The slot in which it panicked.
        tick: u32,
        /// Its start on the wall clock of the world's time zone, as `2024-06-03T18:15`.
        local_time: String,
    }

    /// Schedules of units that came about in another way than asked.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct SolverFallback {
        /// How: `looser_gap`, `without_integers` or `plan_in_force`, as in the column `status` of
        /// `solves`.
        status: String,
        /// How many.
        solves: u64,
        /// The slot of the first.
        tick: u32,
        /// Its start on the wall clock of the world's time zone, as `2024-06-03T18:15`.
        local_time: String,
    }

    /// Slack that schedules of units used.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct SlackUsed {
        /// `unserved`, `spilled`, `margin_up` or `margin_down`, as settled; `deviation`, `terminal`,
        /// `path`, `ramp_into_limits`, `ramp_to_stop`, `initial_energy` or `final_energy`, as
        /// planned, window by window.
        name: String,
        /// How much of it.
        kwh: f64 = "kWh",
        /// The slot in which it was first used: when it was planned, where it is planned slack.
        tick: u32,
        /// Its start on the wall clock of the world's time zone, as `2024-06-03T18:15`.
        local_time: String,
    }

    /// Targets that a fleet's cars missed for one reason.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct MissedTargets {
        /// The fleet.
        fleet: String,
        /// The reason, as in the column `missed_reason` of `sessions`.
        reason: &'static str,
        /// How many.
        targets: u64,
        /// Stored energy that they lacked.
        missing_kwh: f64 = "kWh",
    }

    /// What a component of a unit's cost came to.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct ComponentCost {
        /// The unit.
        unit: u32,
        /// `thermal`, `starts`, `pumped_hydro`, `ess`, `wind`, `pv`, `curtailment`, `interruption`,
        /// `must_take`, `import_export` or `hydrogen`.
        component: &'static str,
        /// What it cost.
        amount: f64 = "currency", "negative is earned",
    }

    /// The rows of the paper's Table 3, and what it has not.
    #[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
    pub struct SystemCostRows {
        /// Thermal output, by the quadratic curve, and starts.
        thermal: f64 = "currency",
        /// Throughput of pumped hydro.
        pumped_hydro: f64 = "currency",
        /// Throughput of batteries.
        ess: f64 = "currency",
        /// Wind delivered.
        wind: f64 = "currency",
        /// Sun delivered.
        pv: f64 = "currency",
        /// Load shed, and wind and sun not used.
        penalty: f64 = "currency",
        /// Output that nobody steers, imports less exports, and hydrogen that is bought.
        other: f64 = "currency", "negative is earned",
        /// Energy not served or not taken, at its price.
        unserved: f64 = "currency",
        /// The sum of all.
        total: f64 = "currency", "negative is earned",
    }

    /// Flexibility in one direction, summed over the slots.
    #[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
    pub struct FlexibilitySums {
        /// `F_D`.
        demand_kw_slots: f64 = "kW-slots",
        /// What is missing of it.
        shortfall_kw_slots: f64 = "kW-slots",
        /// The same as energy.
        shortfall_kwh: f64 = "kWh",
    }

    /// An extreme of power, and when it was.
    #[derive(Debug, Clone, PartialEq, Serialize)]
    pub struct Extreme {
        /// The power.
        kw: f64 = "kW",
        /// The slot; the first one where there are several.
        tick: u32,
        /// Its start on the wall clock of the world's time zone, as `2024-06-03T18:15`.
        local_time: String,
    }

    /// How large a table is.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct TableSize {
        /// Name of the table.
        table: &'static str,
        /// Number of files.
        files: u32,
        /// Number of rows.
        rows: u64,
        /// Size of the files.
        bytes: u64 = "B",
    }
}

impl Summary {
    /// Sessions of all kinds: ended, open, and without a whole slot.
    pub fn sessions(&self) -> u64 {
        self.sessions_ended + self.sessions_open + self.sessions_without_slot
    }

    /// Answers of policies that broke the contract: those that were no numbers, and those that were
    /// more than the charger can or came after the departure.
    pub fn broken_answers(&self) -> u64 {
        self.answers_not_finite + self.clipped_by_charger
    }
}

impl From<&SystemCost> for SystemCostRows {
    fn from(cost: &SystemCost) -> Self {
        Self {
            thermal: cost.row("thermal"),
            pumped_hydro: cost.row("pumped_hydro"),
            ess: cost.row("ess"),
            wind: cost.row("wind"),
            pv: cost.row("pv"),
            penalty: cost.row("penalty"),
            other: cost.row("other"),
            unserved: cost.unserved,
            total: cost.total(),
        }
    }
}
