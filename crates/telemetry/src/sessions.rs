//! Rows of the table `sessions`: opened by `SessionStarted`, closed by `SessionEnded` or the run's
//! end.
//!
//! A stay that holds no whole slot has no such events, since nothing can happen in it. Its row
//! comes from the scenario, when the slot passes in which the car left.

use crate::brief::{Brief, BriefStays};
use std::collections::BTreeMap;
use voltide_journal::event::{
    EndReason, MISSED_MIN_KWH, MissedReason, SessionEnded, SessionStarted, TargetMissed,
};
use voltide_model::{
    battery::Battery,
    clock::Clock,
    columns::{Ledger, TickColumns, slot_micros},
    eligibility::{Ineligible, V2gStay, v2g_eligible},
    fleet::{Fleet, Parking},
    id::{ChargerId, EvId, StayId},
    scenario::Scenario,
    stay::NO_STAY,
};

/// A row of the table `sessions`.
#[derive(Debug, Clone)]
pub(crate) struct SessionRow {
    /// The stay's number; of a stay that holds no whole slot `-1 - number`.
    pub(crate) session: i32,
    pub(crate) ev: EvId,
    pub(crate) charger: ChargerId,
    /// First slot plugged in.
    pub(crate) plugged_slot: u32,
    /// The slot after the last one plugged in; `None` while open.
    pub(crate) unplugged_slot: Option<u32>,
    /// Slots plugged in.
    pub(crate) slots: u32,
    /// Of a stay that holds no whole slot: when the car came and left, in seconds from the start.
    pub(crate) brief: Option<(i64, i64)>,
    pub(crate) soc_arrival: f64,
    pub(crate) soc_target: f64,
    pub(crate) soc_departure: Option<f64>,
    pub(crate) driven_kwh: f64,
    pub(crate) bill: DriverBill,
    /// Whether (13) allows V2G; `None` where the charger cannot discharge, whatever the stay.
    pub(crate) v2g_eligible: Option<bool>,
    /// How the target was missed; `None` where it was met, or the session is open.
    pub(crate) missed: Option<Missed>,
    /// Reservations that fell into the session, and those of them that were met; `None` where the
    /// fleet has none.
    pub(crate) reservations: Option<(u32, u32)>,
    pub(crate) fleet: usize,
    /// Number of the car in its fleet.
    pub(crate) car: u32,
    /// What a recorded session asked for, grid side, kWh; `None` where stays are not recorded.
    pub(crate) requested_kwh: Option<f64>,
}

/// What a session came to for its driver.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DriverBill {
    pub(crate) ledger: Ledger,
    /// Energy charged, on the battery's side, kWh.
    pub(crate) stored_kwh: f64,
    /// Energy discharged, on the battery's side, kWh.
    pub(crate) drawn_kwh: f64,
    pub(crate) degradation_cost: f64,
}

impl DriverBill {
    fn new(ledger: Ledger, battery: &Battery) -> Self {
        Self {
            ledger,
            stored_kwh: battery.stored_kwh(ledger.charged_kwh),
            drawn_kwh: battery.drawn_kwh(ledger.discharged_kwh),
            degradation_cost: battery.wear_cost(ledger.discharged_kwh),
        }
    }

    /// What the driver pays, less what the driver earns.
    pub(crate) fn net_cost(&self) -> f64 {
        self.ledger.energy_cost - self.ledger.v2g_revenue + self.degradation_cost
    }
}

/// A target that was missed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Missed {
    /// Stored energy missing, kWh.
    pub(crate) kwh: f64,
    /// Why: the name of a [`MissedReason`].
    pub(crate) reason: &'static str,
}

impl SessionRow {
    /// Stored energy missing to the target at departure, kWh; `None` while open.
    pub(crate) fn missing_kwh(&self) -> Option<f64> {
        self.soc_departure.map(|_| self.missed.map_or(0.0, |missed| missed.kwh))
    }

    /// When the session began and ended, in microseconds since 1970 (UTC): at the edges of slots,
    /// unless it has none; `None` while open.
    pub(crate) fn times(&self, clock: &Clock) -> (i64, Option<i64>) {
        let Some((arrives, leaves)) = self.brief else {
            let at = |slot: u32| slot_micros(clock, slot);
            return (at(self.plugged_slot), self.unplugged_slot.map(at));
        };
        let start = slot_micros(clock, 0);
        (start + arrives * 1_000_000, Some(start + leaves * 1_000_000))
    }
}

/// The open session of each car, and the sessions that ended in the current tick.
#[derive(Default)]
pub(crate) struct Sessions {
    /// Per car: its open session or [`NO_STAY`].
    stay: Vec<StayId>,
    charger: Vec<ChargerId>,
    plugged_slot: Vec<u32>,
    announced_slot: Vec<u32>,
    energy_kwh: Vec<f64>,
    departure_kwh: Vec<f64>,
    driven_kwh: Vec<f64>,
    ledger: Vec<Ledger>,
    ended: Vec<SessionRow>,
    /// Slots that have passed.
    passed: u32,
    brief: BriefStays,
    /// On a day that follows upon itself: how the sessions of the evening will end, by stay.
    folded: BTreeMap<StayId, FoldedEnd>,
    missed: BTreeMap<i32, Missed>,
    /// Whether a reservation has been met so far, by stay and number of the reservation.
    reserved: BTreeMap<(StayId, u32), bool>,
    /// The same of reservations that a later stay of the car has still to meet, by fleet, number of
    /// the car in it, and number of the reservation.
    handed_on: BTreeMap<(usize, u32, u32), bool>,
}

/// The part of a session that lies beyond midnight.
#[derive(Debug, Clone, Copy)]
struct FoldedEnd {
    /// The slot after its last one, counted on from the evening.
    slot: u32,
    energy_kwh: f64,
    ledger: Ledger,
}

impl Sessions {
    /// A scenario begins to hold, with the cars of the one before and maybe more, which are away.
    pub(crate) fn enter(&mut self, scenario: &Scenario) {
        self.brief.enter(scenario);
        let cars = scenario.population.len();
        self.stay.resize(cars, NO_STAY);
        self.charger.resize(cars, ChargerId(0));
        self.plugged_slot.resize(cars, 0);
        self.announced_slot.resize(cars, 0);
        self.energy_kwh.resize(cars, 0.0);
        self.departure_kwh.resize(cars, 0.0);
        self.driven_kwh.resize(cars, 0.0);
        self.ledger.resize(cars, Ledger::default());
    }

    /// Cars plugged in at `tick`.
    pub(crate) fn started(&mut self, tick: u32, started: &SessionStarted) {
        for (row, &ev) in started.ev.iter().enumerate() {
            let ev = ev.row();
            self.stay[ev] = started.stay[row];
            self.charger[ev] = started.charger[row];
            self.plugged_slot[ev] = tick;
            self.announced_slot[ev] = started.departure_slot[row];
            self.energy_kwh[ev] = started.energy_kwh[row];
            self.departure_kwh[ev] = started.departure_kwh[row];
            // What was told of as driven to stays without a slot is not told again.
            self.driven_kwh[ev] = started.driven_kwh[row] - self.brief.told_kwh(EvId(ev as u32));
            self.ledger[ev] = Ledger::default();
        }
    }

    /// Cars unplugged at `tick`.
    pub(crate) fn ended(&mut self, scenario: &Scenario, tick: u32, ended: &SessionEnded) {
        let day = scenario.clock.slots_per_24_hours();
        for (row, &ev) in ended.ev.iter().enumerate() {
            let stay = ended.stay[row];
            let energy_kwh = ended.energy_kwh[row];
            let ledger = Ledger {
                charged_kwh: ended.charged_kwh[row],
                discharged_kwh: ended.discharged_kwh[row],
                energy_cost: ended.energy_cost[row],
                v2g_revenue: ended.v2g_revenue[row],
            };
            // On a day that follows upon itself, a stay over midnight ends in the morning, before
            // it begins in the evening. Its row is made when the run is over.
            if ended.reason[row] == EndReason::Folded {
                self.folded.insert(stay, FoldedEnd { slot: tick + day, energy_kwh, ledger });
            } else {
                self.ledger[ev.row()] = ledger;
                self.hand_on_reservations(scenario, ev, stay, tick);
                self.ended.push(self.row(scenario, ev, Some((tick, energy_kwh))));
            }
            self.stay[ev.row()] = NO_STAY;
        }
    }

    /// Sessions that ended in this tick with less than was wanted.
    pub(crate) fn missed(&mut self, missed: &TargetMissed) {
        for (row, stay) in missed.stay.iter().enumerate() {
            let reason = missed.reason[row].name();
            self.missed
                .insert(stay.0.cast_signed(), Missed { kwh: missed.missing_kwh[row], reason });
        }
    }

    /// A tick was settled.
    pub(crate) fn settled(&mut self, scenario: &Scenario, columns: &TickColumns<'_>) {
        // No event says what a session came to that is open at the run's end.
        self.ledger.copy_from_slice(columns.ledger);
        self.passed = columns.tick + 1;
        self.look_at_reservations(scenario, columns);
        for brief in self.brief.leaving_in(scenario, columns) {
            let row = self.brief_row(scenario, &brief);
            self.ended.push(row);
        }
    }

    /// The session of a stay that holds no whole slot: what it asked for is missing.
    fn brief_row(&mut self, scenario: &Scenario, brief: &Brief) -> SessionRow {
        let population = &scenario.population;
        let fleet = population.fleet_of(brief.ev);
        let capacity_kwh = population.capacity_kwh[brief.ev.row()];
        let target_kwh = population.departure_energy_kwh[brief.ev.row()];
        let battery = &scenario.fleets[fleet].battery;
        if let Some(missed) = missed_without_slot(scenario, brief) {
            self.missed.insert(brief.session, missed);
        }
        SessionRow {
            session: brief.session,
            ev: brief.ev,
            charger: brief.charger,
            plugged_slot: brief.slot,
            unplugged_slot: Some(brief.slot),
            slots: 0,
            brief: Some(brief.times),
            soc_arrival: brief.energy_kwh / capacity_kwh,
            soc_target: target_kwh / capacity_kwh,
            soc_departure: Some(brief.energy_kwh / capacity_kwh),
            driven_kwh: brief.driven_kwh,
            bill: DriverBill::new(Ledger::default(), battery),
            v2g_eligible: eligible(
                scenario,
                &Asked {
                    ev: brief.ev,
                    charger: brief.charger,
                    arrival_kwh: brief.energy_kwh,
                    departure_kwh: target_kwh,
                    slots: brief.announced_slots,
                },
            ),
            missed: None,
            reservations: scenario.fleets[fleet].wishes.has_reservations().then_some((0, 0)),
            fleet,
            car: population.range_of(brief.ev).index_of(brief.ev),
            requested_kwh: requested_kwh(scenario, brief.ev),
        }
    }

    /// Holds the energy at the slot's end against the reservations that hold then.
    fn look_at_reservations(&mut self, scenario: &Scenario, columns: &TickColumns<'_>) {
        let population = &scenario.population;
        let clock = &scenario.clock;
        let slot_seconds = i64::from(clock.slot_seconds);
        let at = i64::from(columns.tick + 1) * slot_seconds;
        for range in &population.fleets {
            let fleet = &scenario.fleets[range.fleet];
            // Asked of the fleet first: in most slots no reservation holds, and cars are many.
            if !fleet.wishes.reservations.iter().any(|wish| wish.holds(at, slot_seconds)) {
                continue;
            }
            for ev in range.cars().filter(|&ev| columns.stay[ev.row()] != NO_STAY) {
                let soc = columns.energy_kwh[ev.row()] / population.capacity_kwh[ev.row()];
                for (number, wish) in fleet.wishes.reserved(range.index_of(ev), at, slot_seconds) {
                    let number = number as u32;
                    let before = (range.fleet, range.index_of(ev), number);
                    let kept = self.reserved.entry((columns.stay[ev.row()], number));
                    *kept.or_insert_with(|| self.handed_on.remove(&before).unwrap_or(true)) &=
                        wish.is_met(soc);
                }
            }
        }
    }

    /// Leaves the reservations that hold on in a later stay of the car to the last of these, so
    /// that each counts once.
    fn hand_on_reservations(&mut self, scenario: &Scenario, ev: EvId, stay: StayId, tick: u32) {
        let range = scenario.population.range_of(ev);
        let fleet = range.fleet;
        let car = range.index_of(ev);
        let seen =
            self.reserved.range((stay, 0)..=(stay, u32::MAX)).map(|((_, number), _)| *number);
        let later: Vec<u32> =
            seen.filter(|&number| holds_later(scenario, (fleet, car), number, tick)).collect();
        for number in later {
            if let Some(kept) = self.reserved.remove(&(stay, number)) {
                self.handed_on.insert((fleet, car, number), kept);
            }
        }
    }

    /// Reservations of a session, and those met; `None` where its fleet has none.
    fn reservations(&self, fleet: &Fleet, stay: StayId) -> Option<(u32, u32)> {
        if !fleet.wishes.has_reservations() {
            return None;
        }
        let seen = self.reserved.range((stay, 0)..=(stay, u32::MAX));
        Some(seen.fold((0, 0), |(all, met), (_, &kept)| (all + 1, met + u32::from(kept))))
    }

    /// The sessions that ended since the last call, with the reasons for missed targets.
    pub(crate) fn take_ended(&mut self) -> Vec<SessionRow> {
        let ended = std::mem::take(&mut self.ended);
        let finished = ended.into_iter().map(|row| {
            let missed = self.missed.remove(&row.session);
            SessionRow { missed, ..row }
        });
        finished.collect()
    }

    /// The sessions that are open when the run is over, in order of their cars. Where the day
    /// follows upon itself, those that reach over midnight are told to their end.
    pub(crate) fn open(&self, scenario: &Scenario) -> impl Iterator<Item = SessionRow> {
        let open = (0..self.stay.len()).filter(|&ev| self.stay[ev] != NO_STAY);
        open.map(|ev| self.whole(scenario, self.row(scenario, EvId(ev as u32), None)))
    }

    /// An open session with the part beyond midnight, where there is one.
    fn whole(&self, scenario: &Scenario, row: SessionRow) -> SessionRow {
        let Some(end) = self.folded.get(&StayId(row.session.cast_unsigned())) else { return row };
        // The row has the evening's part alone, and `end` the morning's: the bill is of both.
        let ledger = row.bill.ledger.plus(&end.ledger);
        SessionRow {
            unplugged_slot: Some(end.slot),
            slots: end.slot - row.plugged_slot,
            soc_departure: Some(end.energy_kwh / scenario.population.capacity_kwh[row.ev.row()]),
            bill: DriverBill::new(ledger, &scenario.fleets[row.fleet].battery),
            missed: self.missed.get(&row.session).copied(),
            ..row
        }
    }

    /// The session of `ev`; `end` is the slot after its last one and the energy stored then.
    fn row(&self, scenario: &Scenario, ev: EvId, end: Option<(u32, f64)>) -> SessionRow {
        let population = &scenario.population;
        let range = population.range_of(ev);
        let fleet = range.fleet;
        let place = ev.row();
        let soc = |kwh: f64| kwh / population.capacity_kwh[place];
        SessionRow {
            session: self.stay[place].0.cast_signed(),
            ev,
            charger: self.charger[place],
            plugged_slot: self.plugged_slot[place],
            unplugged_slot: end.map(|(slot, _)| slot),
            slots: end.map_or(self.passed, |(slot, _)| slot) - self.plugged_slot[place],
            brief: None,
            soc_arrival: soc(self.energy_kwh[place]),
            soc_target: soc(self.departure_kwh[place]),
            soc_departure: end.map(|(_, kwh)| soc(kwh)),
            driven_kwh: self.driven_kwh[place],
            bill: DriverBill::new(self.ledger[place], &scenario.fleets[fleet].battery),
            v2g_eligible: eligible(
                scenario,
                &Asked {
                    ev,
                    charger: self.charger[place],
                    arrival_kwh: self.energy_kwh[place],
                    departure_kwh: self.departure_kwh[place],
                    slots: self.announced_slot[place].saturating_sub(self.plugged_slot[place]),
                },
            ),
            missed: None,
            reservations: self.reservations(&scenario.fleets[fleet], self.stay[place]),
            fleet,
            car: range.index_of(ev),
            requested_kwh: requested_kwh(scenario, ev),
        }
    }
}

/// Whether a reservation holds in a stay of a car that begins at `tick` or later, within the
/// run.
fn holds_later(scenario: &Scenario, (fleet, car): (usize, u32), number: u32, tick: u32) -> bool {
    let population = &scenario.population;
    let clock = &scenario.clock;
    let wish = &scenario.fleets[fleet].wishes.reservations[number as usize];
    let slot_seconds = i64::from(clock.slot_seconds);
    let at = |slot: u32| i64::from(slot) * slot_seconds;
    let mut later = population
        .stays_of(fleet, car)
        .filter(|&id| population.stays.first_slot(id, clock) >= tick);
    later.any(|id| {
        let first = population.stays.first_slot(id, clock);
        // Reservations are looked at when a slot ends: the first time at the end of the stay's
        // first slot, the last time at the end of the run.
        let end = population.stays.end_slot(id, clock).min(clock.slots);
        first < end && wish.holds_between(at(first + 1), at(end), slot_seconds)
    })
}

/// What the recorded session of a car asked for, grid side, kWh; `None` where its stays are not
/// recorded.
fn requested_kwh(scenario: &Scenario, ev: EvId) -> Option<f64> {
    let range = scenario.population.range_of(ev);
    match &scenario.fleets[range.fleet].parking {
        Parking::Sessions { sessions, .. } => {
            Some(sessions[range.index_of(ev) as usize].requested_kwh)
        }
        Parking::Overnight(_)
        | Parking::Workplace(..)
        | Parking::Commute { .. }
        | Parking::Listed { .. } => None,
    }
}

/// (13) as it was on arrival: up to the announced departure, whenever the car really left.
pub(crate) fn eligible(scenario: &Scenario, asked: &Asked) -> Option<bool> {
    let population = &scenario.population;
    let stay = V2gStay::new(
        &scenario.fleets[population.fleet_of(asked.ev)],
        population.charger(asked.charger),
        population.capacity_kwh[asked.ev.row()],
        (asked.arrival_kwh, asked.departure_kwh),
        f64::from(asked.slots) * scenario.clock.slot_hours(),
    );
    match v2g_eligible(&stay) {
        Err(Ineligible::NoDischarge) => None,
        answer => Some(answer.is_ok()),
    }
}

/// What a stay that holds no whole slot lacks to its target; `None` where that was met.
fn missed_without_slot(scenario: &Scenario, brief: &Brief) -> Option<Missed> {
    let population = &scenario.population;
    let target_kwh = population.departure_energy_kwh[brief.ev.row()];
    let missing_kwh = target_kwh - brief.energy_kwh;
    if missing_kwh <= MISSED_MIN_KWH {
        return None;
    }
    let battery = &scenario.fleets[population.fleet_of(brief.ev)].battery;
    let charger = population.charger(brief.charger);
    let charge_kw = charger.charge_max.0 * battery.charge_efficiency.get();
    let hours = f64::from(brief.announced_slots) * scenario.clock.slot_hours();
    let announced_kwh = brief.energy_kwh + hours * charge_kw;
    let wanted_kwh = target_kwh - MISSED_MIN_KWH;
    let reason = MissedReason::of_time(brief.energy_kwh, announced_kwh, wanted_kwh);
    let reason = reason.expect("without a slot there was no time").name();
    Some(Missed { kwh: missing_kwh, reason })
}

/// What a stay asked for on arrival: stored energy then and wanted at departure in kWh, and the
/// slots up to the departure that was announced.
pub(crate) struct Asked {
    pub(crate) ev: EvId,
    pub(crate) charger: ChargerId,
    pub(crate) arrival_kwh: f64,
    pub(crate) departure_kwh: f64,
    pub(crate) slots: u32,
}
