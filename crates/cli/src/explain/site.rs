//! A site, or a unit, over a run, in sentences.

use super::told::{Told, at};
use crate::output::{counted, decimal};
use std::{collections::BTreeMap, convert::Infallible, sync::Arc};
use voltide_journal::{
    event::{Event, MissedReason, Recorded},
    sink::Sink,
};
use voltide_model::{
    columns::TickColumns,
    id::{EvId, SiteId, StayId},
    scenario::Scenario,
};

/// What a site did.
pub(crate) struct OfSite {
    site: SiteId,
    scenario: Arc<Scenario>,
    slots: u32,
    drawn_kwh: f64,
    /// Highest power, kW, and its slot.
    peak: (f64, u32),
    most_plugged: u32,
    /// First and last slot in which it met its limit, with their events.
    hits: Vec<(u32, u64)>,
    /// What was asked for beyond the limit, kWh.
    beyond_kwh: f64,
    /// Sessions behind it that missed their target for a site's limit, with their events and kWh.
    missed: BTreeMap<StayId, (EvId, u64, f64)>,
}

impl OfSite {
    /// Of a site.
    pub(crate) fn of(site: SiteId, scenario: Arc<Scenario>) -> Self {
        Self {
            site,
            scenario,
            slots: 0,
            drawn_kwh: 0.0,
            peak: (f64::NEG_INFINITY, 0),
            most_plugged: 0,
            hits: Vec::new(),
            beyond_kwh: 0.0,
            missed: BTreeMap::new(),
        }
    }

    /// Whether a stay's charger stands behind the site.
    fn has(&self, scenario: &Scenario, stay: StayId) -> bool {
        let population = &scenario.population;
        let charger = population.charger(population.stays.charger[stay.row()]);
        let parent = |site: &SiteId| scenario.sites[site.row()].parent;
        std::iter::successors(charger.site, parent).any(|site| site == self.site)
    }

    /// In sentences.
    pub(crate) fn told(&self) -> Vec<Told> {
        let clock = &self.scenario.clock;
        let site = &self.scenario.sites[self.site.row()];
        let parent = site.parent.map(|it| &self.scenario.sites[it.row()].name);
        let behind = parent.map_or_else(String::new, |name| format!(" behind site `{name}`"));
        let mut told = vec![Told::new(
            format!(
                "Site `{}`{behind} may draw {} kW. It drew {} kWh in {}, {} kW at most, at {}, \
                 with up to {}.",
                site.name,
                decimal(site.import_limit.0, 1),
                decimal(self.drawn_kwh, 1),
                counted(self.slots.into(), "slot", "slots"),
                decimal(self.peak.0.max(0.0), 1),
                at(clock, self.peak.1),
                counted(self.most_plugged.into(), "car plugged in", "cars plugged in"),
            ),
            [],
        )];
        let (Some(first), Some(last)) = (self.hits.first(), self.hits.last()) else {
            told.push(Told::new("Nobody ever asked for more than that.".to_owned(), []));
            return told;
        };
        told.push(Told::new(
            format!(
                "In {} more was asked for, first at {} and last at {}: {} kWh in all, which it cut.",
                counted(self.hits.len() as u64, "slot", "slots"),
                at(clock, first.0),
                at(clock, last.0),
                decimal(self.beyond_kwh, 1)
            ),
            if first == last { vec![first.1] } else { vec![first.1, last.1] },
        ));
        told.push(self.missed_for_it());
        told
    }

    /// Who missed a target for it.
    fn missed_for_it(&self) -> Told {
        let missing: f64 = self.missed.values().map(|(_, _, kwh)| kwh).sum();
        if self.missed.is_empty() {
            let text = "No session behind it missed its target for that.".to_owned();
            return Told::new(text, []);
        }
        let most = self.missed.iter().max_by(|a, b| a.1.2.total_cmp(&b.1.2));
        let most = most.map_or_else(String::new, |(stay, (ev, _, kwh))| {
            format!("; most of all car {ev} in session {stay}, {} kWh", decimal(*kwh, 1))
        });
        let text = format!(
            "{} behind it missed their targets for a site's limit, {} kWh in all{most}.",
            counted(self.missed.len() as u64, "session", "sessions"),
            decimal(missing, 1)
        );
        Told::new(text, self.missed.values().map(|(_, seq, _)| *seq).take(1))
    }
}

impl Sink for OfSite {
    type Error = Infallible;

    fn event(&mut self, scenario: &Arc<Scenario>, recorded: &Recorded) -> Result<(), Infallible> {
        if let Event::LimitViolated(hit) = &recorded.event
            && let Some(row) = hit.site.iter().position(|site| *site == self.site)
        {
            self.hits.push((recorded.tick, recorded.seq));
            let beyond = (hit.asked_kw[row] - hit.limit_kw[row]).abs();
            self.beyond_kwh += beyond * scenario.clock.slot_hours();
        }
        if let Event::TargetMissed(missed) = &recorded.event {
            for row in 0..missed.ev.len() {
                let stay = missed.stay[row];
                let is_for_limit = missed.reason[row] == MissedReason::SiteLimit;
                if is_for_limit && self.has(scenario, stay) {
                    let row = (missed.ev[row], recorded.seq, missed.missing_kwh[row]);
                    self.missed.insert(stay, row);
                }
            }
        }
        Ok(())
    }

    fn tick(
        &mut self,
        scenario: &Arc<Scenario>,
        columns: &TickColumns<'_>,
    ) -> Result<(), Infallible> {
        self.scenario = Arc::clone(scenario);
        let site = &columns.sites[self.site.row()];
        self.slots += 1;
        self.drawn_kwh += site.power_kw * scenario.clock.slot_hours();
        self.most_plugged = self.most_plugged.max(site.plugged);
        if site.power_kw > self.peak.0 {
            self.peak = (site.power_kw, columns.tick);
        }
        Ok(())
    }
}

/// What a unit did.
pub(crate) struct OfUnit {
    unit: u32,
    name: String,
    scenario: Arc<Scenario>,
    slots: u32,
    on: u32,
    given_kwh: f64,
    taken_kwh: f64,
    unused_kwh: f64,
    cost: f64,
    /// Highest output, kW, and its slot.
    peak: (f64, u32),
}

impl OfUnit {
    /// Of a unit by its number.
    pub(crate) fn of(unit: u32, name: &str, scenario: Arc<Scenario>) -> Self {
        Self {
            unit,
            name: name.to_owned(),
            scenario,
            slots: 0,
            on: 0,
            given_kwh: 0.0,
            taken_kwh: 0.0,
            unused_kwh: 0.0,
            cost: 0.0,
            peak: (f64::NEG_INFINITY, 0),
        }
    }

    /// In sentences.
    pub(crate) fn told(&self) -> Vec<Told> {
        let clock = &self.scenario.clock;
        let currency = &self.scenario.currency;
        let mut said = vec![format!(
            "Unit `{}` gave {} kWh and took {} kWh; it gave anything in {} of {}, {} kW at most, at \
             {}.",
            self.name,
            decimal(self.given_kwh, 1),
            decimal(self.taken_kwh, 1),
            self.on,
            counted(self.slots.into(), "slot", "slots"),
            decimal(self.peak.0.max(0.0), 1),
            at(clock, self.peak.1)
        )];
        if self.unused_kwh > 0.0 {
            let unused = decimal(self.unused_kwh, 1);
            said.push(format!("It could have given {unused} kWh more at no other cost."));
        }
        let per_kwh = if self.given_kwh > 0.0 {
            format!(", {} {currency} a kWh given", decimal(self.cost / self.given_kwh, 4))
        } else {
            String::new()
        };
        said.push(format!("It cost {} {currency}{per_kwh}.", decimal(self.cost, 2)));
        said.into_iter().map(|text| Told::new(text, [])).collect()
    }
}

impl Sink for OfUnit {
    type Error = Infallible;

    fn event(&mut self, _: &Arc<Scenario>, _: &Recorded) -> Result<(), Infallible> {
        Ok(())
    }

    fn tick(
        &mut self,
        scenario: &Arc<Scenario>,
        columns: &TickColumns<'_>,
    ) -> Result<(), Infallible> {
        self.scenario = Arc::clone(scenario);
        self.slots += 1;
        let hours = scenario.clock.slot_hours();
        let Some(unit) = columns.units.iter().find(|unit| unit.unit == self.unit) else {
            return Ok(());
        };
        let output = unit.output_kw;
        self.on += u32::from(output > 0.0);
        self.given_kwh += output.max(0.0) * hours;
        self.taken_kwh += (-output).max(0.0) * hours;
        self.unused_kwh += unit.available_kw.map_or(0.0, |kw| (kw - output).max(0.0)) * hours;
        self.cost += unit.cost.map_or(0.0, |cost| cost.total());
        if output > self.peak.0 {
            self.peak = (output, columns.tick);
        }
        Ok(())
    }
}
