//! What a run came to, in a few numbers: how they are added up.

mod record;

pub use record::{
    ClippedAnswer, ComponentCost, Extreme, FailedCall, FlexibilitySums, LostPolicy, MissedTargets,
    NotFiniteAnswer, RECORDS, SlackUsed, SolverFallback, Summary, SystemCostRows, TableSize,
};

use crate::{sessions::SessionRow, slack::Slack};
use std::collections::BTreeMap;
use voltide_journal::event::{
    AnswerNotFinite, ClipReason, LimitUnkept, LimitViolated, PlansAccepted, PolicyFaulted,
    RunStarted, SetPointClipped, SolveFinished, TargetMissed, TickSealed, TripShort,
};
use voltide_model::{
    columns::{FlexibilityTick, SystemTick, TickColumns, UnitKind, UnitTick},
    cost::{SystemCost, UnitCost},
    rounding::without_rounding,
    scenario::Scenario,
};
use voltide_policies::about;

/// How solves end that found what they were asked for.
const AS_ASKED: [&str; 2] = ["optimal", "feasible"];

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunStatus {
    /// It reached its last slot.
    Finished,
    /// It was stopped before; the log can be resumed.
    Interrupted,
    /// It could not go on, and why.
    Failed(String),
}

impl RunStatus {
    /// The status as tables and the manifest spell it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Interrupted => "interrupted",
            Self::Failed(_) => "failed",
        }
    }

    /// Why the run failed.
    pub fn error(&self) -> Option<&str> {
        if let Self::Failed(error) = self { Some(error) } else { None }
    }
}

/// A summary in the making.
pub(crate) struct Tally {
    summary: Summary,
    /// Plugged cars whose drivers are asked, summed over slots.
    asked: u64,
    /// Those of them whose drivers agree.
    agreed: u64,
    /// Energy not served or not taken, at its price.
    unserved_cost: f64,
    /// Sessions at chargers that can discharge.
    could_discharge: u64,
    /// Whether any schedule discharges, as planned: batteries and sites may have cut it since.
    planned_discharge: bool,
    /// Whether the policy is one of the program itself.
    is_built_in: bool,
    /// How many targets were missed and what they lacked in kWh, by fleet and reason.
    missed: BTreeMap<(usize, &'static str), (u64, f64)>,
    /// What schedules of the plant could not keep.
    slack: Slack,
    /// Per unit: what it cost, running and else.
    unit_costs: Vec<UnitCost>,
}

impl Tally {
    /// Of a history that begins in a scenario.
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let summary = Summary {
            world: scenario.name.clone(),
            currency: scenario.currency.clone(),
            population: scenario.population.notes,
            ..Summary::default()
        };
        Self {
            summary,
            asked: 0,
            agreed: 0,
            unserved_cost: 0.0,
            could_discharge: 0,
            planned_discharge: false,
            is_built_in: false,
            missed: BTreeMap::new(),
            slack: Slack::default(),
            unit_costs: Vec::new(),
        }
    }

    /// Counts an event, whatever its kind.
    pub(crate) fn event(&mut self) {
        self.summary.events += 1;
    }

    /// Takes in who plans the run from here on, and for which cars.
    pub(crate) fn run_started(&mut self, scenario: &Scenario, started: &RunStarted) {
        self.summary.ev_count = scenario.population.len() as u32;
        self.summary.removed_cars = scenario.population.removed_count();
        self.summary.policy.clone_from(&started.policy);
        // Where it is lost what made the run, an empty hash says nothing.
        self.is_built_in = started.build.is_known() && started.build.plugin_hash.is_empty();
    }

    /// Takes in whether cars were to discharge.
    pub(crate) fn plans_accepted(&mut self, scenario: &Scenario, plans: &PlansAccepted) {
        self.planned_discharge |= discharges(plans, scenario.clock.slots);
    }

    /// Counts targets that were missed.
    pub(crate) fn target_missed(&mut self, missed: &TargetMissed) {
        self.summary.missed_targets += missed.ev.len() as u64;
        self.summary.missing_kwh += missed.missing_kwh.iter().sum::<f64>();
    }

    /// Counts trips that cars could not make as far as they wanted.
    pub(crate) fn trip_short(&mut self, short: &TripShort) {
        self.summary.short_trips += short.ev.len() as u64;
        let trips = short.wanted_kwh.iter().zip(&short.driven_kwh);
        let missing = trips.map(|(wanted, driven)| wanted - driven);
        self.summary.short_trips_kwh += missing.sum::<f64>();
    }

    /// Counts hits of sites' limits.
    pub(crate) fn limit_violated(&mut self, violated: &LimitViolated) {
        self.summary.site_limit_hits += violated.site.len() as u64;
    }

    /// Counts limits that plans did not keep.
    pub(crate) fn limit_unkept(&mut self, unkept: &LimitUnkept) {
        self.summary.unkept_limits += unkept.site.len() as u64;
    }

    /// Adds up what a schedule of units could not keep, and what may have been left of its cost.
    pub(crate) fn solve_finished(&mut self, scenario: &Scenario, tick: u32, solve: &SolveFinished) {
        self.slack.planned(scenario, tick, solve);
        if !AS_ASKED.contains(&solve.status.as_str()) {
            self.fallback(scenario, tick, solve);
        }
        self.summary.unmet_wishes += solve.unmet.len() as u64;
        self.summary.margin_slack_cost += margin_slack(solve);
        *self.summary.solver_gap.get_or_insert(0.0) += gap(solve);
    }

    /// Counts a schedule of units that was not found as asked.
    fn fallback(&mut self, scenario: &Scenario, tick: u32, solve: &SolveFinished) {
        let known = &mut self.summary.solver_fallbacks;
        let at = known.iter().position(|it| it.status == solve.status);
        let at = at.unwrap_or_else(|| {
            known.push(SolverFallback {
                status: solve.status.clone(),
                solves: 0,
                tick,
                local_time: local_time(scenario, tick),
            });
            known.len() - 1
        });
        known[at].solves += 1;
    }

    /// Takes in the state that a tick ends with.
    pub(crate) fn tick_sealed(&mut self, sealed: &TickSealed) {
        self.summary.state_hash = Some(format!("{:016x}", sealed.state_hash.0));
    }

    /// Counts answers that were no numbers.
    pub(crate) fn answer_not_finite(&mut self, scenario: &Scenario, answers: &AnswerNotFinite) {
        self.summary.answers_not_finite += answers.ev.len() as u64;
        self.summary.first_not_finite.get_or_insert_with(|| NotFiniteAnswer {
            ev: answers.ev[0].0,
            tick: answers.slot[0],
            local_time: local_time(scenario, answers.slot[0]),
            answer: answers.answer[0].name(),
        });
    }

    /// Counts a call of the policy that failed.
    pub(crate) fn policy_faulted(
        &mut self,
        scenario: &Scenario,
        tick: u32,
        faulted: &PolicyFaulted,
    ) {
        self.summary.policy_faults += 1;
        self.summary.first_policy_fault.get_or_insert_with(|| FailedCall {
            policy: faulted.policy.clone(),
            tick,
            local_time: local_time(scenario, tick),
            message: faulted.message.clone(),
            fallback: faulted.fallback.clone(),
        });
        if faulted.lost {
            self.summary.lost_policy.get_or_insert_with(|| LostPolicy {
                policy: faulted.policy.clone(),
                tick,
                local_time: local_time(scenario, tick),
            });
        }
    }

    /// Counts set-points that were cut.
    pub(crate) fn set_point_clipped(
        &mut self,
        scenario: &Scenario,
        tick: u32,
        clipped: &SetPointClipped,
    ) {
        if let Some(row) = clipped.reason.iter().position(|&reason| reason == ClipReason::Charger) {
            self.summary.first_clipped.get_or_insert_with(|| ClippedAnswer {
                ev: clipped.ev[row].0,
                tick,
                local_time: local_time(scenario, tick),
                asked_kw: clipped.asked_kw[row],
                applied_kw: clipped.applied_kw[row],
            });
        }
        for &reason in &clipped.reason {
            self.summary.clipped_by_charger += u64::from(reason == ClipReason::Charger);
            self.summary.clipped_by_battery += u64::from(reason == ClipReason::Battery);
            self.summary.clipped_by_site += u64::from(reason == ClipReason::Site);
        }
    }

    /// Counts a settled tick.
    pub(crate) fn settled(&mut self, scenario: &Scenario, columns: &TickColumns<'_>) {
        let TickColumns { tick, system, units, .. } = *columns;
        let hours = scenario.clock.slot_hours();
        let summary = &mut self.summary;
        summary.slots = tick + 1;
        summary.charged_kwh += system.ev_charge_kw * hours;
        summary.discharged_kwh += system.ev_discharge_kw * hours;
        // Slot by slot: what one exports takes nothing off what another imports.
        summary.imported_kwh += crate::ev_rows::positive(system.import_kw) * hours;
        summary.exported_kwh += crate::ev_rows::positive(-system.import_kw) * hours;
        let outside = units.iter().filter(|unit| unit.kind == UnitKind::IMPORT_EXPORT);
        summary.import_export_cost +=
            outside.filter_map(|unit| unit_cost(unit, system, hours)).sum::<f64>();
        summary.residual_kw_max = summary.residual_kw_max.max(system.residual_kw().abs());
        let ev_kw = system.ev_charge_kw - system.ev_discharge_kw;
        let net_load_kw = system.net_load_kw();
        keep_higher(&mut summary.ev_peak, ev_kw, scenario, tick);
        keep_higher(&mut summary.net_load_peak, net_load_kw, scenario, tick);
        keep_lower(&mut summary.net_load_valley, net_load_kw, scenario, tick);
        self.asked += scenario.asked_cars(columns.stay) as u64;
        self.agreed += u64::from(system.agreed);
        self.plant(scenario, tick, system, units);
    }

    /// Counts what a plant did in a settled tick.
    fn plant(&mut self, scenario: &Scenario, tick: u32, system: &SystemTick, units: &[UnitTick]) {
        let Some(grid) = &scenario.grid else { return };
        let hours = scenario.clock.slot_hours();
        let summary = &mut self.summary;
        self.slack.settled(tick, system, hours);
        self.unit_costs.resize(units.len(), UnitCost::default());
        for (sum, cost) in self.unit_costs.iter_mut().zip(units.iter().map(|unit| unit.cost)) {
            let cost = cost.unwrap_or_default();
            sum.running += cost.running;
            sum.extra += cost.extra;
        }
        let prices = &grid.rules.prices;
        summary.unserved_price_per_kwh = Some(prices.unserved);
        self.unserved_cost += prices.unserved_cost(hours, system.unserved_kw, system.spilled_kw);
        summary.unserved_kwh += system.unserved_kw * hours;
        summary.spilled_kwh += system.spilled_kw * hours;
        summary.interrupted_kwh += system.interrupted_kw * hours;
        summary.curtailed_kwh += system.curtailed_kw() * hours;
    }

    /// Counts flexibility in a slot whose demand is settled.
    pub(crate) fn flexibility(&mut self, scenario: &Scenario, system: &SystemTick) {
        let hours = scenario.clock.slot_hours();
        let summary = &mut self.summary;
        // What rounding leaves of a margin that is met would add up to one that is missed.
        let Some(flexibility) = system.flexibility.map(FlexibilityTick::without_rounding) else {
            return;
        };
        let missing = flexibility.margin().without_rounding().shortfall();
        let up = summary.flexibility_up.get_or_insert_default();
        add_flexibility(up, flexibility.demand.up, missing.up, hours);
        let down = summary.flexibility_down.get_or_insert_default();
        add_flexibility(down, flexibility.demand.down, missing.down, hours);
    }

    /// What each unit cost by component, and the rows that they make.
    fn system_cost(&mut self, scenario: &Scenario) {
        let Some(grid) = &scenario.grid else { return };
        let mut rows = SystemCost::default();
        rows.unserved = self.unserved_cost;
        for (unit, (device, cost)) in (0..).zip(grid.plant.devices().zip(&self.unit_costs)) {
            rows.add(device.components(), *cost);
            let amounts = device.components().iter().zip([cost.running, cost.extra]);
            self.summary.unit_costs.extend(amounts.map(|(component, amount)| ComponentCost {
                unit,
                component: component.name,
                amount,
            }));
        }
        self.summary.system_cost = Some((&rows).into());
    }

    /// Counts a session that ended or is open at the end.
    pub(crate) fn session(&mut self, row: &SessionRow) {
        let summary = &mut self.summary;
        match (row.brief, row.unplugged_slot) {
            (Some(_), _) => {
                summary.sessions_without_slot += 1;
                // No `TargetMissed` tells of these, as of all other stays.
                summary.missed_targets += u64::from(row.missed.is_some());
                summary.missing_kwh += row.missing_kwh().unwrap_or_default();
            }
            (None, Some(_)) => summary.sessions_ended += 1,
            (None, None) => summary.sessions_open += 1,
        }
        if let Some(missed) = row.missed {
            let (targets, missing_kwh) = self.missed.entry((row.fleet, missed.reason)).or_default();
            *targets += 1;
            *missing_kwh += missed.kwh;
        }
        self.could_discharge += u64::from(row.v2g_eligible.is_some());
        summary.v2g_eligible_sessions += u64::from(row.v2g_eligible == Some(true));
        summary.energy_cost += row.bill.ledger.energy_cost;
        summary.v2g_revenue += row.bill.ledger.v2g_revenue;
        summary.degradation_cost += row.bill.degradation_cost;
        summary.net_cost += row.bill.net_cost();
    }

    /// The summary, with what follows from its sums.
    pub(crate) fn finish(mut self, scenario: &Scenario, status: &RunStatus) -> Summary {
        self.system_cost(scenario);
        self.missed_by(scenario);
        let slack = std::mem::take(&mut self.slack);
        self.summary.slack = slack.named(|tick| local_time(scenario, tick));
        let hours = f64::from(self.summary.slots) * scenario.clock.slot_hours();
        let summary = &mut self.summary;
        summary.willing_share = (self.asked > 0).then(|| self.agreed as f64 / self.asked as f64);
        status.name().clone_into(&mut summary.status);
        summary.days = hours / 24.0;
        let taken_kwh = summary.charged_kwh - summary.discharged_kwh;
        // A run that was stopped before its first slot has no mean.
        if hours > 0.0 {
            summary.ev_mean_kw = taken_kwh / hours;
        }
        summary.net_cost_per_kwh = (taken_kwh > 0.0).then(|| summary.net_cost / taken_kwh);
        if hours > 0.0 && summary.ev_count > 0 {
            summary.charged_kwh_per_ev_day =
                summary.charged_kwh / summary.days / f64::from(summary.ev_count);
        }
        self.summary.no_discharge_reason = self.no_discharge_reason();
        self.summary
    }

    /// Lists the targets missed by the names of fleets and reasons.
    fn missed_by(&mut self, scenario: &Scenario) {
        let missed = self.missed.iter().map(|(&(fleet, reason), &(targets, missing_kwh))| {
            let fleet = scenario.fleets[fleet].name.clone();
            MissedTargets { fleet, reason, targets, missing_kwh }
        });
        self.summary.missed_by = missed.collect();
        self.summary
            .missed_by
            .sort_by(|one, other| (&one.fleet, one.reason).cmp(&(&other.fleet, other.reason)));
    }

    /// Why nothing was discharged: the first reason that would have sufficed.
    fn no_discharge_reason(&self) -> Option<String> {
        let summary = &self.summary;
        let policy = &summary.policy;
        // A plugin of the same name may do anything.
        let only_charges = self.is_built_in && about(policy).is_some_and(|about| !about.discharges);
        let reason = match () {
            () if summary.sessions() == 0 || summary.discharged_kwh > 0.0 => return None,
            () if self.could_discharge == 0 => NO_CHARGER_DISCHARGES.to_owned(),
            () if only_charges => format!("policy `{policy}` never discharges"),
            () if summary.willing_share == Some(0.0) => "no driver agreed".to_owned(),
            () if summary.v2g_eligible_sessions == 0 => "no stay was long enough".to_owned(),
            () if self.planned_discharge => "none of what was planned came about".to_owned(),
            () if self.is_built_in => "it did not pay".to_owned(),
            () => format!("policy `{policy}` planned none"),
        };
        Some(reason)
    }
}

/// The reason for which nothing is discharged in a world that is not about it.
pub const NO_CHARGER_DISCHARGES: &str = "no car can discharge at its charger";

/// Whether any schedule of an answer discharges before the run is over.
fn discharges(plans: &PlansAccepted, end: u32) -> bool {
    plans
        .segments
        .slot
        .iter()
        .zip(&plans.segments.power_kw)
        .any(|(&slot, &kw)| slot < end && kw < 0.0)
}

/// The start of a slot on the wall clock of the world's time zone.
fn local_time(scenario: &Scenario, tick: u32) -> String {
    scenario.clock.local(tick).format("%Y-%m-%dT%H:%M").to_string()
}

/// Takes a slot for the highest where none so far was as high: of equal ones the first counts.
fn keep_higher(highest: &mut Option<Extreme>, kw: f64, scenario: &Scenario, tick: u32) {
    if highest.as_ref().is_none_or(|so_far| kw > so_far.kw) {
        *highest = Some(Extreme { kw, tick, local_time: local_time(scenario, tick) });
    }
}

/// The same for the lowest.
fn keep_lower(lowest: &mut Option<Extreme>, kw: f64, scenario: &Scenario, tick: u32) {
    if lowest.as_ref().is_none_or(|so_far| kw < so_far.kw) {
        *lowest = Some(Extreme { kw, tick, local_time: local_time(scenario, tick) });
    }
}

/// Adds a slot's flexibility in one direction, kW.
fn add_flexibility(sums: &mut FlexibilitySums, demand_kw: f64, missing_kw: f64, hours: f64) {
    sums.demand_kw_slots += demand_kw;
    sums.shortfall_kw_slots += missing_kw;
    sums.shortfall_kwh += missing_kw * hours;
}

/// What a schedule of units pays for missing margins.
fn margin_slack(solve: &SolveFinished) -> f64 {
    let slack = solve
        .components
        .iter()
        .find(|(name, _)| name == "margin")
        .map_or(0.0, |(_, amount)| *amount);
    // Within its tolerance a solver may leave a slack below 0.
    without_rounding(slack.max(0.0), solve.objective.abs())
}

/// How much less a schedule of units may cost at best, where the search for it stopped early.
/// Without a bound that is all of it.
fn gap(solve: &SolveFinished) -> f64 {
    // Without integers there is no search that could stop early.
    if solve.integers == 0 {
        return 0.0;
    }
    let all = solve.objective.abs();
    solve.bound.map_or(all, |bound| without_rounding((solve.objective - bound).max(0.0), all))
}

/// What a unit's slot cost. Without a plant only energy over the connection to the outside has a
/// price.
pub(crate) fn unit_cost(unit: &UnitTick, system: &SystemTick, hours: f64) -> Option<f64> {
    match unit.cost {
        Some(cost) => Some(cost.total()),
        None => (unit.kind == UnitKind::IMPORT_EXPORT).then(|| system.import_cost(hours)),
    }
}
