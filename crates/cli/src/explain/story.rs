//! What a history says of one car, session by session.

use std::{convert::Infallible, sync::Arc};
use voltide_journal::{
    event::{
        ClipReason, EndReason, Event, LimitViolated, MissedReason, PlansAccepted, PolicyFaulted,
        Recorded, SessionEnded, SessionStarted, SetPointClipped, TargetMissed, WillingnessAgreed,
    },
    sink::Sink,
};
use voltide_model::{
    columns::TickColumns,
    id::{EvId, SiteId, StayId},
    scenario::Scenario,
    site::Charger,
};

/// A session of the car.
pub(crate) struct Session {
    /// The scenario in which it began.
    pub scenario: Arc<Scenario>,
    /// The car.
    pub ev: EvId,
    /// The stay.
    pub stay: StayId,
    /// When it began, and by which event.
    pub started: (u32, u64),
    /// Stored energy on arrival, kWh.
    pub arrival_kwh: f64,
    /// The slot after the last one, as announced.
    pub announced: u32,
    /// Stored energy wanted at departure, kWh.
    pub wanted_kwh: f64,
    /// The last event that told prices of the car's tariff before it was planned.
    pub priced: Option<u64>,
    /// Its schedules, in the order in which they came into force.
    pub plans: Vec<Plan>,
    /// Calls of a policy about it that failed.
    pub faults: Vec<(u32, u64, PolicyFaulted)>,
    /// Slots from which its driver agrees to discharge, or does not.
    pub agreed: Vec<(u64, u32, bool)>,
    /// Where it got less than its schedule asked for.
    pub cuts: Vec<Cut>,
    /// Where a site that it stands behind met its limit.
    pub hits: Vec<Hit>,
    /// Its slots.
    pub slots: Vec<Slot>,
    /// How it ended; `None` where it is open.
    pub ended: Option<Ended>,
}

/// A schedule.
pub(crate) struct Plan {
    /// The slot in which it was made.
    pub tick: u32,
    /// The event.
    pub seq: u64,
    /// What led to it.
    pub cause: Option<u64>,
    /// Powers, kW, each from a slot on.
    pub powers: Vec<(u32, f64)>,
}

/// Power that was less than asked for.
pub(crate) struct Cut {
    /// The slot.
    pub tick: u32,
    /// The event.
    pub seq: u64,
    /// Power that is missing, kW; not negative.
    pub kw: f64,
    /// Why.
    pub reason: ClipReason,
}

/// A site at its limit.
pub(crate) struct Hit {
    /// The slot.
    pub tick: u32,
    /// The event.
    pub seq: u64,
    /// The site.
    pub site: SiteId,
}

/// A slot of a session.
pub(crate) struct Slot {
    /// Applied power, kW; positive charges.
    pub power_kw: f64,
    /// Price of a kWh charged, as it was when the car was planned.
    pub price: f64,
}

/// The end of a session.
pub(crate) struct Ended {
    /// When, and by which event.
    pub at: (u32, u64),
    /// Stored energy, kWh.
    pub energy_kwh: f64,
    /// Grid-side energy charged and discharged, kWh.
    pub moved_kwh: (f64, f64),
    /// Why it ended.
    pub reason: EndReason,
    /// The event that says that the target was missed, what was missing in kWh, and why.
    pub missed: Option<(u64, f64, MissedReason)>,
}

impl Session {
    /// Its charger.
    pub(crate) fn charger(&self) -> &Charger {
        let population = &self.scenario.population;
        population.charger(population.stays.charger[self.stay.row()])
    }

    /// The sites that it stands behind, the nearest first.
    pub(crate) fn sites(&self) -> impl Iterator<Item = SiteId> {
        let parent = |site: &SiteId| self.scenario.sites[site.row()].parent;
        std::iter::successors(self.charger().site, parent)
    }

    /// Why its target was missed.
    pub(crate) fn missed(&self) -> Option<(u64, f64, MissedReason)> {
        self.ended.as_ref()?.missed
    }
}

/// Gathers the sessions of a car.
pub(crate) struct Story {
    ev: EvId,
    /// The sessions so far; the last may be open.
    pub sessions: Vec<Session>,
    /// The last event that told prices of the car's tariff.
    priced: Option<u64>,
    /// What drivers agreed to before the session began.
    agreed: Vec<(u64, u32, bool)>,
}

impl Story {
    /// Of a car.
    pub(crate) fn of(ev: EvId) -> Self {
        Self { ev, sessions: Vec::new(), priced: None, agreed: Vec::new() }
    }

    /// The session that goes on.
    fn open(&mut self) -> Option<&mut Session> {
        self.sessions.last_mut().filter(|session| session.ended.is_none())
    }

    fn session_started(
        &mut self,
        scenario: &Arc<Scenario>,
        (tick, seq): (u32, u64),
        it: &SessionStarted,
    ) {
        let Some(row) = it.ev.iter().position(|ev| *ev == self.ev) else { return };
        self.sessions.push(Session {
            scenario: Arc::clone(scenario),
            ev: self.ev,
            stay: it.stay[row],
            started: (tick, seq),
            arrival_kwh: it.energy_kwh[row],
            announced: it.departure_slot[row],
            wanted_kwh: it.departure_kwh[row],
            priced: self.priced,
            plans: Vec::new(),
            faults: Vec::new(),
            agreed: std::mem::take(&mut self.agreed),
            cuts: Vec::new(),
            hits: Vec::new(),
            slots: Vec::new(),
            ended: None,
        });
    }

    fn session_ended(&mut self, at: (u32, u64), it: &SessionEnded) {
        let Some(row) = it.ev.iter().position(|ev| *ev == self.ev) else { return };
        let Some(session) = self.open() else { return };
        session.ended = Some(Ended {
            at,
            energy_kwh: it.energy_kwh[row],
            moved_kwh: (it.charged_kwh[row], it.discharged_kwh[row]),
            reason: it.reason[row],
            missed: None,
        });
    }

    fn target_missed(&mut self, seq: u64, it: &TargetMissed) {
        let Some(row) = it.ev.iter().position(|ev| *ev == self.ev) else { return };
        let ended = self.sessions.last_mut().and_then(|session| session.ended.as_mut());
        if let Some(ended) = ended {
            ended.missed = Some((seq, it.missing_kwh[row], it.reason[row]));
        }
    }

    fn plans_accepted(&mut self, recorded: &Recorded, it: &PlansAccepted) {
        let Some(row) = it.ev.iter().position(|ev| *ev == self.ev) else { return };
        let (slots, powers) = it.segments.of(row);
        let powers = slots.iter().copied().zip(powers.iter().copied()).collect();
        let plan =
            Plan { tick: recorded.tick, seq: recorded.seq, cause: recorded.cause_seq, powers };
        let priced = self.priced;
        let Some(session) = self.open().filter(|session| session.stay == it.stay[row]) else {
            return;
        };
        session.priced = priced;
        session.plans.push(plan);
    }

    fn policy_faulted(&mut self, (tick, seq): (u32, u64), it: &PolicyFaulted) {
        let Some(session) = self.open() else { return };
        let stay = u32::from(session.stay);
        let first = u32::from(it.first_stay);
        if (first..first + it.stays).contains(&stay) {
            session.faults.push((tick, seq, it.clone()));
        }
    }

    fn willingness_agreed(&mut self, seq: u64, it: &WillingnessAgreed) {
        let rows = (0..it.ev.len()).filter(|&row| it.ev[row] == self.ev);
        let agreed: Vec<_> = rows.map(|row| (seq, it.slot[row], it.agreed[row])).collect();
        match self.open() {
            Some(session) => session.agreed.extend(agreed),
            None => self.agreed.extend(agreed),
        }
    }

    fn clipped(&mut self, (tick, seq): (u32, u64), it: &SetPointClipped) {
        let ev = self.ev;
        let Some(session) = self.open() else { return };
        let rows = (0..it.ev.len()).filter(|&row| it.ev[row] == ev);
        session.cuts.extend(rows.map(|row| Cut {
            tick,
            seq,
            kw: (it.asked_kw[row] - it.applied_kw[row]).abs(),
            reason: it.reason[row],
        }));
    }

    fn limit_violated(&mut self, (tick, seq): (u32, u64), it: &LimitViolated) {
        let Some(session) = self.open() else { return };
        let sites: Vec<SiteId> = session.sites().collect();
        let rows = (0..it.site.len()).filter(|&row| sites.contains(&it.site[row]));
        let hits = rows.map(|row| Hit { tick, seq, site: it.site[row] });
        session.hits.extend(hits);
    }

    /// Whether an event told prices of the car's tariff.
    fn prices(&mut self, scenario: &Scenario, seq: u64, tariff: &str) {
        let fleet = &scenario.fleets[scenario.population.fleet_of(self.ev)];
        if scenario.tariffs[fleet.tariff as usize].name == tariff {
            self.priced = Some(seq);
        }
    }
}

/// The price that a car was planned with in a slot; its tariff's where it was planned with none.
fn price(scenario: &Scenario, columns: &TickColumns<'_>, ev: EvId) -> f64 {
    let fleet = &scenario.fleets[scenario.population.fleet_of(ev)];
    let day = scenario.clock.slots_per_24_hours();
    let of_tariff = || scenario.tariffs[fleet.tariff as usize].buy.at(columns.tick, day);
    columns.price_per_kwh.get(ev.row()).copied().unwrap_or_else(of_tariff)
}

impl Sink for Story {
    type Error = Infallible;

    fn event(&mut self, scenario: &Arc<Scenario>, recorded: &Recorded) -> Result<(), Infallible> {
        let at = (recorded.tick, recorded.seq);
        match &recorded.event {
            Event::PricesSet(it) => self.prices(scenario, at.1, &it.tariff),
            Event::SessionStarted(it) => self.session_started(scenario, at, it),
            Event::SessionEnded(it) => self.session_ended(at, it),
            Event::TargetMissed(it) => self.target_missed(at.1, it),
            Event::PlansAccepted(it) => self.plans_accepted(recorded, it),
            Event::PolicyFaulted(it) => self.policy_faulted(at, it),
            Event::WillingnessAgreed(it) => self.willingness_agreed(at.1, it),
            Event::SetPointClipped(it) => self.clipped(at, it),
            Event::LimitViolated(it) => self.limit_violated(at, it),
            // These are not about a car.
            Event::RunStarted(_)
            | Event::RunForked(_)
            | Event::SeriesLoaded(_)
            | Event::StaysLoaded(_)
            | Event::RunEnded(_)
            | Event::TickStarted(_)
            | Event::TripShort(_)
            | Event::StaysExpected(_)
            | Event::ForecastIssued(_)
            | Event::AnswerNotFinite(_)
            | Event::SolveFinished(_)
            | Event::WindowForeseen(_)
            | Event::UnitsDispatched(_)
            | Event::MarginViolated(_)
            | Event::LimitUnkept(_)
            | Event::GroupSolved(_)
            | Event::PolicyStateSaved(_)
            | Event::SlotElapsed(_)
            | Event::TickSealed(_) => {}
        }
        Ok(())
    }

    fn tick(
        &mut self,
        scenario: &Arc<Scenario>,
        columns: &TickColumns<'_>,
    ) -> Result<(), Infallible> {
        let power_kw = columns.power_kw[self.ev.row()];
        let price = price(scenario, columns, self.ev);
        if let Some(session) = self.open() {
            session.slots.push(Slot { power_kw, price });
        }
        Ok(())
    }
}
