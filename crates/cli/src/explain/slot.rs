//! A slot in sentences: what its events say.

use super::told::{Told, at};
use crate::output::{counted, decimal};
use std::{convert::Infallible, sync::Arc};
use voltide_journal::{
    event::{Event, Recorded},
    sink::Sink,
};
use voltide_model::{columns::TickColumns, id::SiteId, scenario::Scenario};

/// What happened in a slot.
pub(crate) struct InSlot {
    tick: u32,
    /// The sentences, in the order of the events.
    pub told: Vec<Told>,
}

impl InSlot {
    /// Of this slot.
    pub(crate) fn of(tick: u32) -> Self {
        Self { tick, told: Vec::new() }
    }
}

/// A number of cars.
fn cars(count: usize) -> String {
    counted(count as u64, "car", "cars")
}

/// What an event says, in words; `None` for those that only keep account.
fn words(scenario: &Scenario, event: &Event) -> Option<String> {
    let name = |site: SiteId| &scenario.sites[site.row()].name;
    Some(match event {
        Event::PricesSet(it) => format!(
            "Prices of tariff `{}` became known for {} from {} on.",
            it.tariff,
            counted(it.buy.len() as u64, "slot", "slots"),
            at(&scenario.clock, it.first_slot)
        ),
        Event::SessionEnded(it) => format!("{} unplugged.", cars(it.ev.len())),
        Event::SessionStarted(it) => format!("{} plugged in.", cars(it.ev.len())),
        Event::TargetMissed(it) => {
            let missing = decimal(it.missing_kwh.iter().sum(), 1);
            format!("{} left with less than wanted, {missing} kWh in all.", cars(it.ev.len()))
        }
        Event::TripShort(it) => format!("{} could not drive all the way.", cars(it.ev.len())),
        Event::StaysExpected(it) => format!("{} were about to be planned.", cars(it.ev.len())),
        Event::WillingnessAgreed(it) => {
            let yes = it.agreed.iter().filter(|agreed| **agreed).count();
            let no = it.agreed.len() - yes;
            format!("Drivers were asked to discharge: {yes} times yes, {no} times no.")
        }
        Event::PlansAccepted(it) => format!("Schedules of {} came into force.", cars(it.ev.len())),
        Event::PolicyFaulted(it) => format!(
            "Policy `{}` failed: {}; `{}` answered in its place.",
            it.policy, it.message, it.fallback
        ),
        Event::AnswerNotFinite(it) => {
            format!("Schedules of {} held what is no number.", cars(it.ev.len()))
        }
        Event::SetPointClipped(it) => {
            let kw: f64 = it.asked_kw.iter().zip(&it.applied_kw).map(|(a, b)| (a - b).abs()).sum();
            format!("{} got {} kW less than asked for.", cars(it.ev.len()), decimal(kw, 1))
        }
        Event::LimitViolated(it) => {
            let each = |row: usize| {
                let (asked, limit) = (it.asked_kw[row], it.limit_kw[row]);
                let name = name(it.site[row]);
                format!("`{name}` ({} of {} kW)", decimal(asked, 1), decimal(limit, 1))
            };
            let sites: Vec<String> = (0..it.site.len()).map(each).collect();
            format!("More was asked for than a limit allows: {}.", sites.join(", "))
        }
        Event::LimitUnkept(it) => {
            let most_kw = it.over_kw.iter().fold(0.0_f64, |most, kw| most.max(kw.abs()));
            let slots = counted(it.slot.len() as u64, "slot of a site", "slots of sites");
            format!("Plans break limits in {slots}, by {} kW at most.", decimal(most_kw, 1))
        }
        Event::GroupSolved(it) => format!(
            "{} were planned together: {} {}, {} kWh missing.",
            cars(it.stays as usize),
            decimal(it.cost, 2),
            scenario.currency,
            decimal(it.missing_kwh, 1)
        ),
        Event::MarginViolated(it) => format!(
            "Flexibility was {} kW short upwards and {} kW downwards.",
            decimal(it.up_kw, 1),
            decimal(it.down_kw, 1)
        ),
        Event::SolveFinished(it) => format!(
            "The plant was scheduled ({}, {}, {}): {} {}.",
            it.stage,
            it.solver,
            it.status,
            decimal(it.objective, 2),
            scenario.currency
        ),
        Event::RunForked(it) => format!(
            "The run branched off from {}: {}.",
            it.parent_run,
            if it.changes.is_empty() {
                "nothing changed".to_owned()
            } else {
                it.changes.join(", ")
            }
        ),
        Event::RunEnded(it) => format!("The run ended: {}.", it.outcome),
        Event::RunStarted(_)
        | Event::SeriesLoaded(_)
        | Event::StaysLoaded(_)
        | Event::TickStarted(_)
        | Event::ForecastIssued(_)
        | Event::WindowForeseen(_)
        | Event::UnitsDispatched(_)
        | Event::PolicyStateSaved(_)
        | Event::SlotElapsed(_)
        | Event::TickSealed(_) => return None,
    })
}

impl Sink for InSlot {
    type Error = Infallible;

    fn event(&mut self, scenario: &Arc<Scenario>, recorded: &Recorded) -> Result<(), Infallible> {
        if recorded.tick == self.tick
            && let Some(words) = words(scenario, &recorded.event)
        {
            let cause = recorded.cause_seq;
            let because =
                cause.map_or_else(String::new, |cause| format!(" (because of event {cause})"));
            self.told.push(Told::new(format!("{words}{because}"), [recorded.seq]));
        }
        Ok(())
    }

    fn tick(
        &mut self,
        scenario: &Arc<Scenario>,
        columns: &TickColumns<'_>,
    ) -> Result<(), Infallible> {
        if columns.tick == self.tick {
            let system = columns.system;
            let text = format!(
                "From {} to {} cars charged {} kW and discharged {} kW, {} plugged in; net load \
                 was {} kW.",
                at(&scenario.clock, self.tick),
                scenario.clock.local(self.tick + 1).format("%H:%M"),
                decimal(system.ev_charge_kw, 1),
                decimal(system.ev_discharge_kw, 1),
                system.plugged,
                decimal(system.net_load_kw(), 1)
            );
            self.told.push(Told::new(text, []));
        }
        Ok(())
    }
}
