//! What a run came to, in a few numbers.

use crate::sessions::SessionRow;
use serde::Serialize;
use std::sync::Arc;
use voltide_journal::event::{ClipReason, Event, SetPointClipped};
use voltide_model::{
    columns::{SystemTick, UnitKind, UnitTick},
    fleet::PopulationNotes,
    scenario::Scenario,
};

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

/// What a run came to. Energy in kWh and power in kW on the grid side, money in `currency`.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Summary {
    /// Name of the world.
    pub world: String,
    /// Policy that planned.
    pub policy: String,
    /// "finished", "interrupted" or "failed".
    pub status: String,
    /// ISO 4217 code of all money.
    pub currency: String,
    /// Number of cars.
    pub ev_count: u32,
    /// Number of slots simulated.
    pub slots: u32,
    /// Length of what was simulated, in days of 24 hours.
    pub days: f64,
    /// Energy that cars charged.
    pub charged_kwh: f64,
    /// Energy that cars discharged.
    pub discharged_kwh: f64,
    /// Share (0..1) of the hours that asked cars were plugged in for in which their drivers agreed to
    /// discharge; `None` where nobody is asked.
    pub willing_share: Option<f64>,
    /// Sessions long enough for V2G by (13).
    pub v2g_eligible_sessions: u64,
    /// Why nothing was discharged though cars could; `None` where something was, or none could.
    pub no_discharge_reason: Option<&'static str>,
    /// Energy charged per car and day; 0 without cars.
    pub charged_kwh_per_ev_day: f64,
    /// Mean power of charging cars.
    pub ev_charge_mean_kw: f64,
    /// Highest power of charging cars less discharging ones.
    pub ev_peak: Option<Extreme>,
    /// Highest net load.
    pub net_load_peak: Option<Extreme>,
    /// Lowest net load.
    pub net_load_valley: Option<Extreme>,
    /// Energy imported to close the balance.
    pub imported_kwh: f64,
    /// Energy exported to close the balance; not negative.
    pub exported_kwh: f64,
    /// Largest deviation of supply from demand in any slot.
    pub residual_kw_max: f64,
    /// Sessions that ended.
    pub sessions_ended: u64,
    /// Sessions that were open at the end.
    pub sessions_open: u64,
    /// Paid for energy charged, open sessions included.
    pub energy_cost: f64,
    /// Earned by energy discharged.
    pub v2g_revenue: f64,
    /// Wear by energy discharged.
    pub degradation_cost: f64,
    /// What drivers pay less what they earn, wear included.
    pub net_cost: f64,
    /// Value of energy imported less exported, at the first tariff's price of buying.
    pub import_export_cost: f64,
    /// Sessions that ended below their target.
    pub missed_targets: u64,
    /// Stored energy that they lacked.
    pub missing_kwh: f64,
    /// Trips that the battery was too empty for.
    pub short_trips: u64,
    /// Energy that they lacked.
    pub short_trips_kwh: f64,
    /// Set-points that broke the contract and were cut to what the charger can do.
    pub clipped_by_charger: u64,
    /// Set-points cut down by a full or empty battery.
    pub clipped_by_battery: u64,
    /// Set-points cut down by a site's limit.
    pub clipped_by_site: u64,
    /// How often a site's chargers asked for more than its limit, once a site and slot.
    pub site_limit_hits: u64,
    /// Calls of the policy that failed.
    pub policy_faults: u64,
    /// Number of events.
    pub events: u64,
    /// Hash of the state after the last tick, in hex.
    pub state_hash: Option<String>,
    /// What the population left out or cut down.
    pub population: PopulationNotes,
    /// Rows and bytes of each table written.
    pub tables: Vec<TableSize>,
}

/// An extreme of power, and when it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Extreme {
    /// The power.
    pub kw: f64,
    /// The slot; the first one where there are several.
    pub tick: u32,
    /// Its start on the wall clock of the world's time zone, as `2024-06-03T18:15`.
    pub local_time: String,
}

/// How large a table is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableSize {
    /// Name of the table.
    pub table: &'static str,
    /// Number of files.
    pub files: u32,
    /// Number of rows.
    pub rows: u64,
    /// Size of the files.
    pub bytes: u64,
}

/// A summary in the making.
pub(crate) struct Tally {
    scenario: Arc<Scenario>,
    summary: Summary,
    /// Plugged cars and those whose drivers agree, summed over slots.
    asked: (u64, u64),
    /// Sessions at chargers that can discharge.
    could_discharge: u64,
}

impl Tally {
    pub(crate) fn new(scenario: Arc<Scenario>) -> Self {
        let summary = Summary {
            world: scenario.name.clone(),
            policy: scenario.policy.name.clone(),
            currency: scenario.currency.clone(),
            ev_count: scenario.population.len() as u32,
            population: scenario.population.notes,
            ..Summary::default()
        };
        Self { scenario, summary, asked: (0, 0), could_discharge: 0 }
    }

    /// Counts an event.
    pub(crate) fn event(&mut self, event: &Event) {
        let summary = &mut self.summary;
        summary.events += 1;
        match event {
            Event::RunStarted(started) => summary.policy.clone_from(&started.policy),
            Event::TargetMissed(missed) => {
                summary.missed_targets += missed.ev.len() as u64;
                summary.missing_kwh += missed.missing_kwh.iter().sum::<f64>();
            }
            Event::TripShort(short) => {
                summary.short_trips += short.ev.len() as u64;
                let missing = short.wanted_kwh.iter().zip(&short.driven_kwh);
                summary.short_trips_kwh += missing.map(|(wanted, driven)| wanted - driven).sum::<f64>();
            }
            Event::SetPointClipped(clipped) => self.clipped(clipped),
            Event::LimitViolated(violated) => summary.site_limit_hits += violated.site.len() as u64,
            Event::PolicyFaulted(_) => summary.policy_faults += 1,
            Event::TickSealed(sealed) => {
                summary.state_hash = Some(format!("{:016x}", sealed.state_hash));
            }
            _ => {}
        }
    }

    fn clipped(&mut self, clipped: &SetPointClipped) {
        for &reason in &clipped.reason {
            self.summary.clipped_by_charger += u64::from(reason == ClipReason::Charger as u8);
            self.summary.clipped_by_battery += u64::from(reason == ClipReason::Battery as u8);
            self.summary.clipped_by_site += u64::from(reason == ClipReason::Site as u8);
        }
    }

    /// Counts a settled tick.
    pub(crate) fn settled(&mut self, tick: u32, system: &SystemTick, units: &[UnitTick]) {
        let hours = self.scenario.clock.slot_hours();
        let at = |kw: f64| Extreme {
            kw,
            tick,
            local_time: self.scenario.clock.local(tick).format("%Y-%m-%dT%H:%M").to_string(),
        };
        let summary = &mut self.summary;
        summary.slots = tick + 1;
        self.asked.0 += u64::from(system.plugged);
        self.asked.1 += u64::from(system.agreed);
        summary.charged_kwh += system.ev_charge_kw * hours;
        summary.discharged_kwh += system.ev_discharge_kw * hours;
        summary.imported_kwh += crate::cars::positive(system.import_kw) * hours;
        summary.exported_kwh += crate::cars::positive(-system.import_kw) * hours;
        summary.import_export_cost +=
            units.iter().filter_map(|unit| unit_cost(unit, system, hours)).sum::<f64>();
        summary.residual_kw_max = summary.residual_kw_max.max(system.residual_kw().abs());
        let higher = |kw: f64, old: &Option<Extreme>| old.as_ref().is_none_or(|old| kw > old.kw);
        let ev_kw = system.ev_charge_kw - system.ev_discharge_kw;
        let net_load = system.net_load_kw();
        if higher(ev_kw, &summary.ev_peak) {
            summary.ev_peak = Some(at(ev_kw));
        }
        if higher(net_load, &summary.net_load_peak) {
            summary.net_load_peak = Some(at(net_load));
        }
        if summary.net_load_valley.as_ref().is_none_or(|old| net_load < old.kw) {
            summary.net_load_valley = Some(at(net_load));
        }
    }

    /// Counts a session that ended or is open at the end.
    pub(crate) fn session(&mut self, row: &SessionRow) {
        let summary = &mut self.summary;
        match row.unplugged_slot {
            Some(_) => summary.sessions_ended += 1,
            None => summary.sessions_open += 1,
        }
        self.could_discharge += u64::from(row.v2g_eligible.is_some());
        summary.v2g_eligible_sessions += u64::from(row.v2g_eligible == Some(true));
        summary.energy_cost += row.ledger.energy_cost;
        summary.v2g_revenue += row.ledger.v2g_revenue;
        summary.degradation_cost += row.degradation_cost;
        summary.net_cost += row.net_cost();
    }

    /// The summary, with what follows from its sums.
    pub(crate) fn finish(mut self, status: &RunStatus) -> Summary {
        let hours = f64::from(self.summary.slots) * self.scenario.clock.slot_hours();
        let drivers_asked = self.scenario.incentive.is_some()
            && self.scenario.fleets.iter().any(|fleet| fleet.v2g.willingness.is_some());
        let summary = &mut self.summary;
        summary.willing_share =
            (drivers_asked && self.asked.0 > 0).then(|| self.asked.1 as f64 / self.asked.0 as f64);
        summary.no_discharge_reason = match () {
            () if self.could_discharge == 0 || summary.discharged_kwh > 0.0 => None,
            () if summary.willing_share == Some(0.0) => Some("no driver agreed"),
            () if summary.v2g_eligible_sessions == 0 => Some("no stay was long enough (13)"),
            () => Some("it did not pay, or the policy does not discharge"),
        };
        status.name().clone_into(&mut summary.status);
        summary.days = hours / 24.0;
        if hours > 0.0 {
            summary.ev_charge_mean_kw = summary.charged_kwh / hours;
        }
        if hours > 0.0 && summary.ev_count > 0 {
            summary.charged_kwh_per_ev_day = summary.charged_kwh / summary.days / f64::from(summary.ev_count);
        }
        self.summary
    }
}

/// What a unit's slot cost: only energy over the connection to the outside has a price.
pub(crate) fn unit_cost(unit: &UnitTick, system: &SystemTick, hours: f64) -> Option<f64> {
    (unit.kind == UnitKind::ImportExport).then_some(unit.output_kw * hours * system.tou_price_per_kwh)
}
