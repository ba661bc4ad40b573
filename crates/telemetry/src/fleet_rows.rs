//! What fleets and sites come to in each slot, and what they could offer: rows of `fleet_ticks`.
//!
//! It is found on the engine's thread, where schedules and prices in force can be asked for, from
//! all cars, whichever are recorded.

use crate::{
    groups::{Cells, GroupTick, Held, cell_of},
    offers::{CarTakenOff, WHILES, headrooms, slots_of_whiles},
    sessions::{Asked, eligible},
};
use std::{collections::BTreeMap, ops::Range};
use voltide_journal::event::{SessionEnded, WillingnessAgreed};
use voltide_model::{
    battery::{EnergyBounds, SlotBattery},
    columns::TickColumns,
    id::{EvId, StayId},
    offer::{Course, Part},
    scenario::Scenario,
    stay::NO_STAY,
    virtual_battery::{Edges, SlotReach, StayNeeds},
};

/// A car as its stay begins, kWh.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) ev: EvId,
    pub(crate) stay: StayId,
    /// What the battery holds.
    pub(crate) energy_kwh: f64,
    /// What its stay began with: before midnight, where the day follows upon itself.
    pub(crate) began_kwh: f64,
    pub(crate) target_kwh: f64,
}

/// A plugged-in car.
#[derive(Debug)]
struct Plugged {
    arrival: Arrival,
    cell: usize,
    needs: StayNeeds,
    edges: Edges,
    reach: SlotReach,
    charge_max_kw: f64,
    /// 0 where it may not discharge, whatever its driver says.
    discharge_max_kw: f64,
    /// Whether its driver is asked.
    asked: bool,
    /// Slots from the stay's own axis to that of ticks.
    shift: u32,
}

impl Plugged {
    /// A car whose stay begins, or goes on in another scenario, in a slot.
    fn new(scenario: &Scenario, cells: &Cells, arrival: Arrival, tick: u32) -> Self {
        let Arrival { ev, stay, energy_kwh, began_kwh, target_kwh } = arrival;
        let (clock, population) = (&scenario.clock, &scenario.population);
        let number = population.fleet_of(ev);
        let fleet = &scenario.fleets[number];
        let battery = fleet.battery.slot(clock.slot_hours());
        let stays = &population.stays;
        let charger = stays.charger[stay.row()];
        let first = stays.first_slot(stay, clock);
        let slots = stays.announced_end_slot(stay, clock) - first;
        let asked_for =
            Asked { ev, charger, arrival_kwh: began_kwh, departure_kwh: target_kwh, slots };
        let may_discharge = eligible(scenario, &asked_for) == Some(true);
        let limits = population.charger(charger);
        let discharge_max_kw = if may_discharge { limits.discharge_max.0 } else { 0.0 };
        let charge_max_kw = limits.charge_max.0;
        let reach = SlotReach {
            stored_kwh: charge_max_kw * battery.stored_per_kw,
            drawn_kwh: discharge_max_kw * battery.drawn_per_kw,
        };
        let capacity_kwh = population.capacity_kwh[ev.row()];
        let bounds =
            EnergyBounds::new(capacity_kwh, fleet.v2g_soc_min(), fleet.battery.soc_max.get())
                .widened_to(began_kwh, scenario.rules);
        let shift = clock.slots_before(first, tick);
        let end = stays.expected_end_slot(stay, tick, clock);
        let needs = StayNeeds::new(bounds, target_kwh, end, reach);
        Self {
            arrival,
            cell: cells.number_of(cell_of(scenario, ev, charger)),
            needs: needs.with_wishes(scenario, (ev, stay), (tick, shift), reach),
            edges: Edges::beginning(energy_kwh),
            reach,
            charge_max_kw,
            discharge_max_kw,
            asked: scenario.asks_drivers(number).is_some(),
            shift,
        }
    }
}

impl Plugged {
    /// A slot was settled, in which the driver agreed or not.
    fn settle(&mut self, tick: u32, agrees: bool) {
        // Who stays beyond the announced departure may leave after this slot.
        self.needs.end_slot = self.needs.end_slot.max(tick + 1);
        self.edges = self.edges.after(&self.needs, tick + 1, self.reach, agrees);
    }

    /// What it can take off, where its driver need not be asked.
    fn taken_off(&self, course: &Course<'_>) -> CarTakenOff {
        let without_kw = course.taken_off(0.0);
        let may_discharge = self.discharge_max_kw > 0.0;
        let with_kw =
            if may_discharge { course.taken_off(self.discharge_max_kw) } else { without_kw };
        CarTakenOff { without_kw, with_kw, agreed: true, chance: 1.0 }
    }
}

impl Held {
    /// Counts a car.
    fn count(&mut self, car: &Plugged, power_kw: f64, energy_kwh: f64, capacity_kwh: f64) {
        let Arrival { began_kwh, target_kwh, .. } = car.arrival;
        self.plugged += 1;
        self.power_kw += power_kw;
        self.energy_kwh += energy_kwh;
        self.arrival_kwh += began_kwh;
        self.wanted_kwh += (target_kwh - energy_kwh).max(0.0);
        self.low_kwh += car.edges.low_kwh;
        self.low_agreed_kwh += car.edges.low_agreed_kwh;
        self.high_kwh += car.edges.high_kwh;
        self.soc_target += target_kwh / capacity_kwh;
        self.soc.push(energy_kwh / capacity_kwh);
    }
}

/// What a driver said of the slots to come: an answer holds until the next.
type Answers = Vec<(u32, bool)>;

/// All plugged-in cars.
#[derive(Default)]
pub(crate) struct FleetRows {
    cells: Cells,
    /// Per fleet.
    batteries: Vec<SlotBattery>,
    // In place, so that cars are read in their order: looked for elsewhere, they take half as long
    // again.
    /// Per car.
    plugged: Vec<Option<Plugged>>,
    /// Per car; empty where nobody is asked.
    answers: Vec<Answers>,
    chances: Chances,
    parts: Vec<Part>,
}

impl FleetRows {
    /// A scenario begins to hold, with the cars of the one before and maybe more, which are away.
    pub(crate) fn enter(&mut self, scenario: &Scenario, tick: u32) {
        self.cells = Cells::of(scenario);
        let cars = scenario.population.len();
        let hours = scenario.clock.slot_hours();
        self.batteries = scenario.fleets.iter().map(|fleet| fleet.battery.slot(hours)).collect();
        self.plugged.resize_with(cars, || None);
        self.answers.resize_with(if scenario.asks_anyone() { cars } else { 0 }, Vec::new);
        for car in self.plugged.iter_mut().flatten() {
            let edges = car.edges;
            *car = Plugged { edges, ..Plugged::new(scenario, &self.cells, car.arrival, tick) };
        }
    }

    /// A car plugs in.
    pub(crate) fn plug_in(&mut self, scenario: &Scenario, arrival: Arrival, tick: u32) {
        let car = Plugged::new(scenario, &self.cells, arrival, tick);
        self.plugged[arrival.ev.row()] = Some(car);
    }

    /// Cars leave.
    pub(crate) fn unplug(&mut self, ended: &SessionEnded) {
        for ev in &ended.ev {
            self.plugged[ev.row()] = None;
        }
    }

    /// Drivers say whether they agree.
    pub(crate) fn answered(&mut self, said: &WillingnessAgreed, tick: u32) {
        let mut before = None;
        for (row, &ev) in said.ev.iter().enumerate() {
            let Some(answers) = self.answers.get_mut(ev.row()) else { continue };
            let from = said.slot[row];
            if before != Some(ev) {
                answers.retain(|&(slot, _)| slot < from);
                // Of what is over only the last holds on.
                let over = answers.iter().take_while(|&&(slot, _)| slot < tick).count();
                answers.drain(..over.saturating_sub(1));
            }
            answers.push((from, said.agreed[row]));
            before = Some(ev);
        }
    }

    /// The groups in a slot that was settled: fleets, then sites.
    pub(crate) fn settled(
        &mut self,
        scenario: &Scenario,
        columns: &TickColumns<'_>,
    ) -> Vec<GroupTick> {
        let whiles = slots_of_whiles(&scenario.clock);
        self.cells.clear();
        self.chances.begin(scenario, columns.tick, whiles);
        for range in &scenario.population.fleets {
            for ev in range.cars().filter(|ev| columns.stay[ev.row()] != NO_STAY) {
                self.count(scenario, columns, (ev, range.fleet), whiles);
            }
        }
        let heads = headrooms(scenario, columns.tick, columns.sites, columns.outlook);
        self.cells.groups(scenario, &heads)
    }

    /// Counts a plugged-in car.
    fn count(
        &mut self,
        scenario: &Scenario,
        columns: &TickColumns<'_>,
        of: (EvId, usize),
        whiles: [u32; 3],
    ) {
        let ev = of.0.row();
        let Some(car) = self.plugged[ev].as_mut() else { return };
        let agrees = !car.asked || columns.agreed.get(ev) == Some(&1);
        let capacity_kwh = scenario.population.capacity_kwh[ev];
        let (power_kw, energy_kwh) = (columns.power_kw[ev], columns.energy_kwh[ev]);
        car.settle(columns.tick, agrees);
        let cell = self.cells.cell(car.cell);
        cell.held.count(car, power_kw, energy_kwh, capacity_kwh);
        let left = car.needs.end_slot - columns.tick;
        let Some(longest) = whiles.into_iter().filter(|&slots| slots <= left).max() else { return };
        let battery = self.batteries[of.1];
        let began_kwh = energy_kwh - battery.after(0.0, power_kw);
        let plan = columns.outlook.plan(of.0);
        let now = (columns.tick, power_kw);
        fill_parts(&mut self.parts, plan, now, longest, car.needs.has_wishes());
        let is_asked = car.asked && car.discharge_max_kw > 0.0;
        let chances =
            if is_asked { self.chances.of(scenario, columns, of) } else { [1.0; WHILES.len()] };
        for (of_while, &slots) in whiles.iter().enumerate().filter(|(_, slots)| **slots <= left) {
            let (count, last) = cut(&self.parts, slots);
            let whole = std::mem::replace(&mut self.parts[count - 1].slots, last);
            let course = Course {
                battery,
                needs: &car.needs,
                slot: columns.tick,
                energy_kwh: began_kwh,
                parts: &self.parts[..count],
            };
            let mut taken_off = car.taken_off(&course);
            if is_asked {
                let from = columns.tick + car.shift;
                taken_off.agreed = agrees && agreed_in(&self.answers[ev], from..from + slots);
                taken_off.chance = chances[of_while];
            }
            cell.offer.add(of_while, course.added(car.charge_max_kw), taken_off);
            self.parts[count - 1].slots = whole;
        }
    }
}

/// Fills in what a car does from a slot on: as it did in that slot, and then as planned.
fn fill_parts(
    parts: &mut Vec<Part>,
    (slots, kw): (&[u32], &[f64]),
    (tick, power_kw): (u32, f64),
    count: u32,
    singly: bool,
) {
    parts.clear();
    parts.push(Part { slots: 1, kw: power_kw });
    let mut next = slots.partition_point(|&from| from <= tick + 1);
    let mut slot = tick + 1;
    let end = tick + count;
    while slot < end {
        let power_kw = next.checked_sub(1).map_or(0.0, |last| kw[last]);
        let until = slots.get(next).map_or(end, |&from| from.min(end));
        let alike = parts.last_mut().filter(|last| !singly && last.kw.total_cmp(&power_kw).is_eq());
        match alike {
            Some(last) => last.slots += until - slot,
            None if singly => parts.extend((slot..until).map(|_| Part { slots: 1, kw: power_kw })),
            None => parts.push(Part { slots: until - slot, kw: power_kw }),
        }
        slot = until;
        next += 1;
    }
}

/// How many of the parts make so many slots, and how much of the last one.
fn cut(parts: &[Part], slots: u32) -> (usize, u32) {
    let mut left = slots;
    for (place, part) in parts.iter().enumerate() {
        if left <= part.slots {
            return (place + 1, left);
        }
        left -= part.slots;
    }
    (parts.len(), parts.last().map_or(0, |part| part.slots))
}

/// Whether a driver agreed in all of these slots, by what was said of them.
fn agreed_in(answers: &Answers, slots: Range<u32>) -> bool {
    let first = answers.partition_point(|&(from, _)| from <= slots.start).saturating_sub(1);
    let holding = answers[first..].iter().take_while(|&&(from, _)| from < slots.end);
    holding.fold(!answers.is_empty(), |all, &(_, agreed)| all && agreed)
}

/// How likely drivers agree in each of the whiles, by the prices that they were shown.
///
/// Drivers draw by themselves, each once an hour; prices they have in common. Within an hour the
/// slot in which fewest agree decides, since who agrees there does so in the others.
#[derive(Debug, Default)]
struct Chances {
    /// The hours of the longest while, slot by slot.
    hours: Vec<u32>,
    tick: u32,
    whiles: [u32; 3],
    /// By the number of prices, and fleet.
    known: BTreeMap<(u32, usize), [f64; 3]>,
    /// What was asked for last: neighbours were mostly planned at the same prices.
    last: Option<((u32, usize), [f64; 3])>,
}

impl Chances {
    /// A slot begins.
    fn begin(&mut self, scenario: &Scenario, tick: u32, whiles: [u32; 3]) {
        self.known.clear();
        self.last = None;
        (self.tick, self.whiles) = (tick, whiles);
        self.hours.clear();
        if scenario.asks_anyone() {
            let slots = tick..tick + whiles[whiles.len() - 1];
            self.hours.extend(slots.map(|slot| scenario.willingness_hour(slot)));
        }
    }

    /// The chances of a car's driver in each of the whiles.
    fn of(
        &mut self,
        scenario: &Scenario,
        columns: &TickColumns<'_>,
        (ev, fleet): (EvId, usize),
    ) -> [f64; 3] {
        let key = (columns.outlook.prices_of(ev), fleet);
        if let Some((_, chances)) = self.last.filter(|(last, _)| *last == key) {
            return chances;
        }
        let known = self.known.get(&key).copied();
        let chances = known.unwrap_or_else(|| self.find(scenario, columns, (ev, fleet)));
        if known.is_none() {
            self.known.insert(key, chances);
        }
        self.last = Some((key, chances));
        chances
    }

    fn find(
        &self,
        scenario: &Scenario,
        columns: &TickColumns<'_>,
        (ev, fleet): (EvId, usize),
    ) -> [f64; 3] {
        let Some((willingness, participation)) = scenario.asks_drivers(fleet) else {
            return [1.0; 3];
        };
        let mut chances = [1.0; 3];
        // Of the hours before, and of the one that the slot is in.
        let (mut before, mut here) = (1.0, 1.0);
        for (place, slot) in (0..self.hours.len()).zip(self.tick..) {
            if place > 0 && self.hours[place] != self.hours[place - 1] {
                (before, here) = (before * here, 1.0);
            }
            let band = willingness.band(columns.outlook.incentive_ratio(ev, slot));
            here = participation.share(&band).min(here);
            for (chance, &slots) in chances.iter_mut().zip(&self.whiles) {
                if place < slots as usize {
                    *chance = before * here;
                }
            }
        }
        chances
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_taken_apart_by_power_and_cut_where_a_while_ends() {
        let plan: (&[u32], &[f64]) = (&[3, 6, 9], &[7.0, 2.0, 0.0]);
        let mut parts = Vec::new();
        fill_parts(&mut parts, plan, (4, 6.5), 8, false);
        let part = |slots, kw| Part { slots, kw };
        assert_eq!(parts, [part(1, 6.5), part(1, 7.0), part(3, 2.0), part(3, 0.0)]);
        assert_eq!([1, 2, 4, 8].map(|slots| cut(&parts, slots)), [(1, 1), (2, 1), (3, 2), (4, 3)]);
        fill_parts(&mut parts, plan, (4, 6.5), 3, true);
        assert_eq!(parts, [part(1, 6.5), part(1, 7.0), part(1, 2.0)]);
        fill_parts(&mut parts, (&[], &[]), (4, 6.5), 3, false);
        assert_eq!(parts, [part(1, 6.5), part(2, 0.0)]);
        fill_parts(&mut parts, plan, (4, 7.0), 3, false);
        assert_eq!(parts, [part(2, 7.0), part(1, 2.0)]);
    }

    #[test]
    fn an_answer_holds_until_the_next() {
        let answers = vec![(4, true), (8, false), (12, true)];
        for (slots, agreed) in [(4..8, true), (6..9, false), (8..12, false), (12..20, true)] {
            assert_eq!(agreed_in(&answers, slots.clone()), agreed, "{slots:?}");
        }
        assert!(!agreed_in(&Vec::new(), 0..1), "nothing was said");
    }
}
