//! What a policy is shown of the cars that are due: one batch as columns.

use crate::{
    bounds::{BoundedRows, Bounds},
    cars::Drawn,
    drivers::Asking,
    planning::{LastSlot, Planning},
    state::ScenarioInForce,
};
use bytemuck::cast_slice;
use std::{cell::OnceCell, ops::Range};
use voltide_journal::event::{PricesSet, WillingnessAgreed};
use voltide_model::{
    eligibility::{V2gStay, v2g_eligible},
    foresight::{Foreseen, Foresight},
    id::{EvId, SiteId, StayId},
    rules::Rules,
    scenario::Scenario,
    willingness::Band,
};
use voltide_policy::{
    Observation,
    observation::{NO_SITE, Shown},
    planner::PolicyInfo,
};
use voltide_schedule::grid::supply_curve;

/// A stay that is to be planned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ToPlan {
    pub ev: EvId,
    pub stay: StayId,
    /// Stored energy now, or expected on arrival, kWh.
    pub energy_kwh: f64,
    /// Stored energy that the stay began with, or is expected to, kWh.
    pub arrival_kwh: f64,
}

/// Sums of powers below this are rounding, kW.
const ROUNDING_KW: f64 = 1e-9;

/// The columns of one batch, kept between calls so that their memory is reused.
#[derive(Default)]
pub(crate) struct Batch {
    tick: u32,
    unix_ms: i64,
    slot_hours: f64,
    horizon: usize,
    pub stay: Vec<StayId>,
    stay_id: Vec<u64>,
    pub ev_id: Vec<EvId>,
    site_id: Vec<u32>,
    tariff_id: Vec<u32>,
    arrival_slot: Vec<u32>,
    departure_slot: Vec<u32>,
    willingness: Vec<f64>,
    energy_kwh: Vec<f64>,
    capacity_kwh: Vec<f64>,
    energy_kwh_min: Vec<f64>,
    energy_kwh_max: Vec<f64>,
    departure_energy_kwh: Vec<f64>,
    charge_kw_max: Vec<f64>,
    discharge_kw_max: Vec<f64>,
    charge_efficiency: Vec<f64>,
    discharge_efficiency: Vec<f64>,
    degradation_per_kwh: Vec<f64>,
    v2g_eligible: Vec<u8>,
    bounds: Bounds,
    planned_kw: Vec<f64>,
    agreed: Vec<u8>,
    buy_price: Vec<f64>,
    sell_price: Vec<f64>,
    tou_price: Vec<f64>,
    incentive_price: Vec<f64>,
    /// Slots from now on for which prices are known.
    known_slots: usize,
    known_buy_price: Vec<f64>,
    known_sell_price: Vec<f64>,
    last_asked_kw: Vec<f64>,
    last_allowed_kw: Vec<f64>,
    last_drawn_kw: Vec<f64>,
    net_load_kw: Vec<f64>,
    foreseen: Foreseen,
    committed_ev_kw: Vec<f64>,
    parent_site: Vec<u32>,
    site_import_kw_max: Vec<f64>,
    site_export_kw_max: Vec<f64>,
    site_committed_kw: Vec<f64>,
    site_others_kw: Vec<f64>,
    others_ev_kw: Vec<f64>,
    series_kw: Vec<f64>,
    net_load_most_kw: f64,
    supply_offset: Vec<u32>,
    supply_kw: Vec<f64>,
    supply_price: Vec<f64>,
    supply_beyond_price: f64,
    shown: Shown,
}

/// A fleet whose drivers are asked, with what they think of each slot of the horizon.
struct AskedFleet {
    asking: Asking,
    bands: Vec<Band>,
}

impl AskedFleet {
    fn of_fleet(state: &Planning, fleet: usize, slots: Range<u32>) -> Option<Self> {
        let asking = Asking::of_fleet(state.in_force, fleet)?;
        let prices = &state.prices.current()[state.in_force.fleets[fleet].tariff];
        Some(Self { asking, bands: slots.map(|slot| asking.band(prices, slot)).collect() })
    }
}

/// Whether a car is plugged in for a stay, and has a plan for it.
fn is_planned(state: &Planning, ev: EvId, stay: StayId) -> bool {
    state.stay[ev.row()] == stay && state.plans.has_plan(ev)
}

/// The prices that a driver was asked at before, and those of now.
struct AskedBefore<'a> {
    then: &'a PricesSet,
    now: &'a PricesSet,
    /// The slot after the last one that was asked about.
    end: u32,
}

impl AskedBefore<'_> {
    /// Whether the answer for a slot holds: the driver would be asked the same.
    fn holds(&self, slot: u32) -> bool {
        if slot >= self.end.min(self.then.end()) {
            return false;
        }
        let (then, now) = (self.then.at(slot), self.now.at(slot));
        self.then.k.get(then) == self.now.k.get(now)
            && self.then.incentive.get(then) == self.now.incentive.get(now)
    }
}

impl Batch {
    /// Fills the columns for `stays`, as the policy declares that it wants to see them.
    pub(crate) fn fill(
        &mut self,
        state: &Planning,
        stays: &[ToPlan],
        shown: Shown,
        policy: &PolicyInfo,
    ) {
        self.shown = shown;
        let clock = state.in_force.scenario.clock;
        self.tick = state.tick;
        self.unix_ms = clock.slot_start(self.tick).timestamp_millis();
        self.slot_hours = clock.slot_hours();
        self.clear_rows();
        for &stay in stays {
            self.push(state.in_force, stay);
        }
        // All tariffs are announced for the same slots.
        let known = state.prices.current()[0].end().min(state.in_force.scenario.horizon_end());
        self.horizon = self.horizon(known, policy.horizon_slots);
        self.known_slots = (known - self.tick).min(7 * clock.slots_per_24_hours()) as usize;
        self.known_slots = self.known_slots.max(self.horizon);
        self.fill_eligibility(state.in_force, stays);
        let rows = BoundedRows {
            evs: &self.ev_id,
            stays: &self.stay,
            energy_kwh_min: &self.energy_kwh_min,
            energy_kwh_max: &self.energy_kwh_max,
        };
        self.bounds.fill(
            &state.in_force.scenario,
            self.tick..self.tick + self.horizon as u32,
            &rows,
        );
        self.fill_plans(state);
        self.fill_last_slot(state);
        self.fill_prices(state);
        self.fill_known_prices(state);
        self.fill_system(state);
        self.fill_sites(state);
        self.fill_others(state, policy.whole_fleet);
        self.fill_series(state);
        self.net_load_most_kw = state.net_load_most_kw;
        self.fill_supply(state, policy.whole_fleet);
    }

    /// Shows the tariffs' own prices, where those of the run are incentive prices.
    pub(crate) fn pay_tariffs(&mut self, scenario: &Scenario) {
        self.buy_price.clone_from(&self.tou_price);
        self.sell_price.clear();
        let day = scenario.clock.slots_per_24_hours();
        self.known_buy_price.clear();
        self.known_sell_price.clear();
        let known = self.tick..self.tick + self.known_slots as u32;
        for tariff in &scenario.tariffs {
            self.sell_price.extend(self.slots().map(|slot| tariff.sell.at(slot, day)));
            self.known_buy_price.extend(known.clone().map(|slot| tariff.buy.at(slot, day)));
            self.known_sell_price.extend(known.clone().map(|slot| tariff.sell.at(slot, day)));
        }
    }

    /// The number of slots that schedules cover.
    pub(crate) fn horizon_slots(&self) -> usize {
        self.horizon
    }

    /// The contract's view of the columns.
    pub(crate) fn observation(&self) -> Observation<'_> {
        Observation {
            tick: self.tick,
            unix_ms: self.unix_ms,
            slot_hours: self.slot_hours,
            horizon: self.horizon,
            stay_id: &self.stay_id,
            ev_id: cast_slice(&self.ev_id),
            site_id: &self.site_id,
            tariff_id: &self.tariff_id,
            arrival_slot: &self.arrival_slot,
            departure_slot: &self.departure_slot,
            willingness: &self.willingness,
            energy_kwh: &self.energy_kwh,
            capacity_kwh: &self.capacity_kwh,
            energy_kwh_min: &self.energy_kwh_min,
            energy_kwh_max: &self.energy_kwh_max,
            departure_energy_kwh: &self.departure_energy_kwh,
            charge_kw_max: &self.charge_kw_max,
            discharge_kw_max: &self.discharge_kw_max,
            charge_efficiency: &self.charge_efficiency,
            discharge_efficiency: &self.discharge_efficiency,
            degradation_per_kwh: &self.degradation_per_kwh,
            v2g_eligible: &self.v2g_eligible,
            bound_offset: &self.bounds.offset,
            bound_slot: &self.bounds.slot,
            bound_kwh_min: &self.bounds.kwh_min,
            bound_kwh_max: &self.bounds.kwh_max,
            agreed: &self.agreed,
            planned_kw: &self.planned_kw,
            buy_price: &self.buy_price,
            sell_price: &self.sell_price,
            tou_price: &self.tou_price,
            incentive_price: &self.incentive_price,
            last_asked_kw: &self.last_asked_kw,
            last_allowed_kw: &self.last_allowed_kw,
            last_drawn_kw: &self.last_drawn_kw,
            known_slots: self.known_slots,
            known_buy_price: &self.known_buy_price,
            known_sell_price: &self.known_sell_price,
            net_load_kw: &self.net_load_kw,
            base_load_kw: &self.foreseen.base_load_kw,
            wind_kw: &self.foreseen.wind_kw,
            pv_kw: &self.foreseen.pv_kw,
            committed_ev_kw: &self.committed_ev_kw,
            parent_site: &self.parent_site,
            site_import_kw_max: &self.site_import_kw_max,
            site_export_kw_max: &self.site_export_kw_max,
            site_committed_kw: &self.site_committed_kw,
            site_others_kw: &self.site_others_kw,
            others_ev_kw: &self.others_ev_kw,
            series_kw: &self.series_kw,
            net_load_most_kw: self.net_load_most_kw,
            supply_offset: &self.supply_offset,
            supply_kw: &self.supply_kw,
            supply_price: &self.supply_price,
            supply_beyond_price: self.supply_beyond_price,
            shown: self.shown,
        }
    }

    fn clear_rows(&mut self) {
        self.stay.clear();
        self.stay_id.clear();
        self.ev_id.clear();
        self.site_id.clear();
        self.tariff_id.clear();
        self.arrival_slot.clear();
        self.departure_slot.clear();
        self.willingness.clear();
        self.energy_kwh.clear();
        self.capacity_kwh.clear();
        self.energy_kwh_min.clear();
        self.energy_kwh_max.clear();
        self.departure_energy_kwh.clear();
        self.charge_kw_max.clear();
        self.discharge_kw_max.clear();
        self.charge_efficiency.clear();
        self.discharge_efficiency.clear();
        self.degradation_per_kwh.clear();
        self.v2g_eligible.clear();
    }

    fn push(
        &mut self,
        in_force: &ScenarioInForce,
        ToPlan { ev, stay, energy_kwh, arrival_kwh }: ToPlan,
    ) {
        let population = &in_force.scenario.population;
        let clock = &in_force.scenario.clock;
        let fleet = in_force.fleet_of(ev);
        let charger = in_force.charger_of(stay);
        let capacity = population.capacity_kwh[ev.row()];
        // What a car holds lies within, but for rounding.
        let bounds =
            in_force.plan_bounds(ev, arrival_kwh).widened_to(energy_kwh, in_force.scenario.rules);
        self.stay.push(stay);
        self.stay_id.push(u64::from(stay.0));
        self.ev_id.push(ev);
        self.site_id.push(charger.site.map_or(NO_SITE, u32::from));
        self.tariff_id.push(fleet.tariff as u32);
        self.arrival_slot.push(population.stays.first_slot(stay, clock));
        // Who stays beyond the announced departure may leave after this slot.
        self.departure_slot
            .push(population.stays.announced_end_slot(stay, clock).max(self.tick + 1));
        // Known once drivers are asked.
        self.willingness.push(0.0);
        self.energy_kwh.push(energy_kwh);
        self.capacity_kwh.push(capacity);
        self.energy_kwh_min.push(bounds.least_kwh);
        self.energy_kwh_max.push(bounds.most_kwh);
        self.departure_energy_kwh.push(population.departure_energy_kwh[ev.row()]);
        self.charge_kw_max.push(charger.charge_max.0);
        self.discharge_kw_max.push(charger.discharge_max.0);
        self.charge_efficiency.push(fleet.charge_efficiency);
        self.discharge_efficiency.push(fleet.discharge_efficiency);
        self.degradation_per_kwh.push(fleet.degradation_per_kwh);
    }

    /// (13) for every stay, over the slots that it has as a whole: whether a stay is long enough is
    /// decided once. In runs of 0.1.0, over those that are left.
    fn fill_eligibility(&mut self, in_force: &ScenarioInForce, stays: &[ToPlan]) {
        let on_arrival = in_force.scenario.rules >= Rules::V2;
        let clock = &in_force.scenario.clock;
        for (row, to_plan) in stays.iter().enumerate() {
            let arrival = self.arrival_slot[row];
            let (slots, energy_kwh) = if on_arrival {
                let stays_of = &in_force.scenario.population.stays;
                let end = stays_of.announced_end_slot(self.stay[row], clock);
                (end.saturating_sub(arrival), to_plan.arrival_kwh)
            } else {
                (self.departure_slot[row] - arrival.max(self.tick), self.energy_kwh[row])
            };
            let stay = V2gStay::new(
                &in_force.scenario.fleets[in_force.scenario.population.fleet_of(self.ev_id[row])],
                in_force.charger_of(self.stay[row]),
                self.capacity_kwh[row],
                (energy_kwh, self.departure_energy_kwh[row]),
                f64::from(slots) * self.slot_hours,
            );
            self.v2g_eligible.push(u8::from(v2g_eligible(&stay).is_ok()));
        }
    }

    /// No longer than the longest stay of the batch, the policy's own horizon and the known future.
    fn horizon(&self, end: u32, horizon_max: u32) -> usize {
        let longest = self.departure_slot.iter().max().map_or(0, |&end| end - self.tick);
        let known = longest.min(end - self.tick);
        if horizon_max == 0 { known as usize } else { known.min(horizon_max) as usize }
    }

    /// Asks the drivers of the batch about every slot of their stays, one draw a car and hour.
    ///
    /// Fills `agreed` and the willingness of now; where no fleet is asked, `agreed` stays empty.
    /// Returns what the drivers of eligible stays said.
    pub(crate) fn ask_drivers(&mut self, state: &Planning) -> WillingnessAgreed {
        let in_force = state.in_force;
        let mut said = WillingnessAgreed::default();
        self.agreed.clear();
        if !in_force.scenario.asks_anyone() {
            return said;
        }
        // A batch is often of few of the fleets.
        let mut asked: Vec<OnceCell<Option<AskedFleet>>> = Vec::new();
        asked.resize_with(in_force.fleets.len(), OnceCell::new);
        // A bit a slot; each row begins with a byte of its own.
        let row_bytes = self.horizon.div_ceil(8);
        self.agreed.resize(self.stay.len() * row_bytes, 0);
        let hours: Vec<u32> =
            self.slots().map(|slot| in_force.scenario.willingness_hour(slot)).collect();
        for row in 0..self.stay.len() {
            let fleet = in_force.scenario.population.fleet_of(self.ev_id[row]);
            let window = self.observation().window(row);
            let asked =
                asked[fleet].get_or_init(|| AskedFleet::of_fleet(state, fleet, self.slots()));
            let answers = self.answers(state, row, asked.as_ref(), window.clone(), &hours);
            self.willingness[row] = answers.first().map_or(0.0, |answer| answer.0);
            for (slot, &(_, agrees)) in window.clone().zip(&answers) {
                self.agreed[row * row_bytes + slot / 8] |= u8::from(agrees) << (slot % 8);
            }
            // Only of those whom it concerns.
            if self.v2g_eligible[row] == 1 {
                self.note_said(state, row, window.zip(answers), &mut said);
            }
        }
        said
    }

    /// Notes the answers of one driver that are new: all of a stay without a plan, and of another
    /// one those of slots that have other prices by now. Only changes are told: an answer holds
    /// until the next.
    fn note_said(
        &self,
        state: &Planning,
        row: usize,
        answers: impl Iterator<Item = (usize, (f64, bool))>,
        said: &mut WillingnessAgreed,
    ) {
        let known = self.asked_before(state, row);
        let mut last = None;
        for (slot, (_, agrees)) in answers {
            let slot = self.tick + slot as u32;
            let is_new = !known.as_ref().is_some_and(|known| known.holds(slot));
            // What was said before holds again after slots that are asked anew.
            if (is_new || last.is_some()) && last != Some(agrees) {
                said.ev.push(self.ev_id[row]);
                said.slot.push(slot);
                said.agreed.push(agrees);
            }
            last = is_new.then_some(agrees);
        }
    }

    /// What the driver of a row was asked when its plan in force was made. In runs of 0.1.0 drivers
    /// are asked as if for the first time.
    fn asked_before<'s>(&self, state: &'s Planning, row: usize) -> Option<AskedBefore<'s>> {
        let (ev, stay) = (self.ev_id[row], self.stay[row]);
        let scenario = &state.in_force.scenario;
        if scenario.rules < Rules::V2 || !is_planned(state, ev, stay) {
            return None;
        }
        let tariff = state.in_force.fleet_of(ev).tariff;
        Some(AskedBefore {
            then: state.prices.planned_at(ev.row(), tariff)?,
            now: &state.prices.current()[tariff],
            end: scenario.population.stays.announced_end_slot(stay, &scenario.clock),
        })
    }

    /// Willingness of one driver in every slot of the stay's window, and whether the car may
    /// discharge for its sake: one who is not asked has none, and it may.
    fn answers(
        &self,
        state: &Planning,
        row: usize,
        asked: Option<&AskedFleet>,
        window: Range<usize>,
        hours: &[u32],
    ) -> Vec<(f64, bool)> {
        let Some(AskedFleet { asking, bands }) = asked else {
            return vec![(0.0, true); window.len()];
        };
        let ev = self.ev_id[row];
        // Of this hour drivers have drawn where they are plugged in.
        let mut drawn = state.drawn[ev.row()];
        let answer = |slot: usize| {
            let hour = hours[slot];
            if drawn.hour != hour {
                drawn = Drawn { hour, draw: state.in_force.scenario.willingness_draw(ev, hour) };
            }
            asking.answer(bands[slot], drawn.draw)
        };
        window.map(answer).collect()
    }

    fn slots(&self) -> Range<u32> {
        self.tick..self.tick + self.horizon as u32
    }

    /// The schedules in force, where any stay of the batch has one.
    fn fill_plans(&mut self, state: &Planning) {
        let mut planned_kw = std::mem::take(&mut self.planned_kw);
        planned_kw.clear();
        let rows = || self.ev_id.iter().copied().zip(self.stay.iter().copied());
        let is_ahead = |stay| state.plans.power_ahead(stay, 0..0).is_some();
        // Most batches are of cars that have just come: the column stays empty.
        if rows().any(|(ev, stay)| is_planned(state, ev, stay) || is_ahead(stay)) {
            for (ev, stay) in rows() {
                let slots = self.slots();
                let end = planned_kw.len() + slots.len();
                if state.stay[ev.row()] == stay {
                    planned_kw.extend(slots.map(|slot| state.plans.power_at(ev, slot)));
                } else if let Some(ahead) = state.plans.power_ahead(stay, slots) {
                    planned_kw.extend(ahead);
                }
                planned_kw.resize(end, 0.0);
            }
        }
        self.planned_kw = planned_kw;
    }

    /// What came of the schedules in the slot before now, for stays that were in progress then.
    fn fill_last_slot(&mut self, state: &Planning) {
        self.last_asked_kw.clear();
        self.last_allowed_kw.clear();
        self.last_drawn_kw.clear();
        for row in 0..self.stay.len() {
            let ev = self.ev_id[row];
            let was_there =
                state.stay[ev.row()] == self.stay[row] && self.arrival_slot[row] < self.tick;
            let last = if was_there { state.last_slot(ev) } else { LastSlot::default() };
            self.last_asked_kw.push(last.asked_kw);
            self.last_allowed_kw.push(last.allowed_kw);
            self.last_drawn_kw.push(last.drawn_kw);
        }
    }

    /// Prices as far as they are known, also beyond what the stays need: who can wait may want to.
    fn fill_known_prices(&mut self, state: &Planning) {
        self.known_buy_price.clear();
        self.known_sell_price.clear();
        for tariff in state.prices.current() {
            let slots = tariff.at(self.tick)..tariff.at(self.tick) + self.known_slots;
            self.known_buy_price.extend_from_slice(&tariff.buy[slots.clone()]);
            self.known_sell_price.extend_from_slice(&tariff.sell[slots]);
        }
    }

    fn fill_prices(&mut self, state: &Planning) {
        let targets = [
            &mut self.buy_price,
            &mut self.sell_price,
            &mut self.tou_price,
            &mut self.incentive_price,
        ];
        for target in targets {
            target.clear();
        }
        for tariff in state.prices.current() {
            let slots = tariff.at(self.tick)..tariff.at(self.tick) + self.horizon;
            // Without an incentive price, policies that go by it go by the tariff.
            let incentive =
                if tariff.incentive.is_empty() { &tariff.tou } else { &tariff.incentive };
            self.buy_price.extend_from_slice(&tariff.buy[slots.clone()]);
            self.sell_price.extend_from_slice(&tariff.sell[slots.clone()]);
            self.tou_price.extend_from_slice(&tariff.tou[slots.clone()]);
            self.incentive_price.extend_from_slice(&incentive[slots]);
        }
    }

    fn fill_system(&mut self, state: &Planning) {
        let foresight = Foresight::of(&state.in_force.scenario);
        self.foreseen = foresight.in_slot(self.tick, self.horizon);
        self.net_load_kw.clear();
        self.net_load_kw.extend(self.foreseen.net_load_kw());
        self.committed_ev_kw.clear();
        self.committed_ev_kw.extend(self.slots().map(|slot| state.plans.committed_kw(slot)));
    }

    fn fill_sites(&mut self, state: &Planning) {
        self.parent_site.clear();
        self.site_import_kw_max.clear();
        self.site_export_kw_max.clear();
        self.site_committed_kw.clear();
        for (index, site) in (0..).zip(&state.in_force.scenario.sites) {
            self.parent_site.push(site.parent.map_or(NO_SITE, u32::from));
            // The contract has a limit a slot; in a run it is the same in all of them.
            self.site_import_kw_max.extend(std::iter::repeat_n(site.import_limit.0, self.horizon));
            self.site_export_kw_max.extend(std::iter::repeat_n(site.export_limit.0, self.horizon));
            let committed =
                self.slots().map(|slot| state.plans.site_committed_kw(SiteId(index), slot));
            self.site_committed_kw.extend(committed);
        }
    }

    /// Steps by which the plant would serve net load, by the schedule in force.
    fn fill_supply(&mut self, state: &Planning, whole_fleet: bool) {
        self.hide_supply();
        let scenario = &state.in_force.scenario;
        let Some(grid) = scenario.grid.as_deref().filter(|_| whole_fleet) else { return };
        let day = scenario.clock.slots_per_24_hours();
        let mut offset = vec![0];
        for slot in self.slots() {
            let Some(did) = state.schedule.of_day(slot, &scenario.clock) else { return };
            for step in supply_curve(grid, &scenario.system, did, slot, day) {
                self.supply_kw.push(step.width_kw);
                self.supply_price.push(step.slope_per_kwh);
            }
            offset.push(self.supply_kw.len() as u32);
        }
        let dearest = self.supply_price.iter().copied().fold(0.0, f64::max);
        self.supply_beyond_price = grid.rules.prices.unserved.max(dearest);
        self.supply_offset = offset;
    }

    /// Leaves out what the schedule in force says of supply: another is to be made.
    pub(crate) fn hide_supply(&mut self) {
        self.supply_offset.clear();
        self.supply_kw.clear();
        self.supply_price.clear();
        self.supply_beyond_price = 0.0;
    }

    /// The world's own series.
    fn fill_series(&mut self, state: &Planning) {
        self.series_kw.clear();
        let scenario = &state.in_force.scenario;
        let day = scenario.clock.slots_per_24_hours();
        for series in &scenario.own_series {
            self.series_kw.extend(self.slots().map(|slot| series.at(slot, day)));
        }
    }

    /// What of the plans, all of them and behind each site, belongs to stays that are not shown.
    fn fill_others(&mut self, state: &Planning, whole_fleet: bool) {
        self.site_others_kw.clear();
        self.others_ev_kw.clear();
        if self.shown == Shown::Due && !whole_fleet {
            return;
        }
        self.site_others_kw.extend_from_slice(&self.site_committed_kw);
        if whole_fleet {
            self.others_ev_kw.extend_from_slice(&self.committed_ev_kw);
        }
        let rows = self.planned_kw.chunks(self.horizon.max(1)).zip(&self.stay);
        for (planned_kw, &stay) in rows {
            let others = self.others_ev_kw.iter_mut();
            others.zip(planned_kw).for_each(|(sum, kw)| *sum -= kw);
            for site in state.in_force.sites_of(stay) {
                let first = site.row() * self.horizon;
                let others = self.site_others_kw[first..first + self.horizon].iter_mut();
                others.zip(planned_kw).for_each(|(sum, kw)| *sum -= kw);
            }
        }
        // What sums and differences leave of nothing is no power that is there.
        let sums = self.site_others_kw.iter_mut().chain(&mut self.others_ev_kw);
        sums.filter(|kw| kw.abs() < ROUNDING_KW).for_each(|kw| *kw = 0.0);
    }
}
