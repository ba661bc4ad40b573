//! What a policy is shown, and what it answers.
//!
//! A row is a stay that needs a schedule; rows are sorted by `ev_id`. A series has one value a
//! slot of the horizon, from now on; several series of one kind lie one after the other.
//! Slots of stays are absolute (tick numbers), power is on the grid side and positive when it
//! charges, prices are per kWh.

use std::ops::Range;

/// The `site_id` of a charger that stands behind no site, and the parent of a root.
pub const NO_SITE: u32 = u32::MAX;

/// Everything a policy is told, in columns. All slices of rows have [`len`](Self::len) elements.
#[derive(Debug, Clone, Copy, Default)]
pub struct Observation<'a> {
    /// The slot that begins now.
    pub tick: u32,
    /// Its beginning, milliseconds since 1970 in UTC.
    pub unix_ms: i64,
    /// Length of a slot, h.
    pub slot_hours: f64,
    /// Number of slots H that schedules cover, from now on.
    pub horizon: usize,

    /// Id of the stay.
    pub stay_id: &'a [u64],
    /// Id of the car.
    pub ev_id: &'a [u32],
    /// Site of its charger, or [`NO_SITE`].
    pub site_id: &'a [u32],
    /// Tariff it pays: which of the price series is meant.
    pub tariff_id: &'a [u32],
    /// First slot of the stay; may lie before now, and after it where stays are planned ahead.
    pub arrival_slot: &'a [u32],
    /// The slot after its last one, as the driver announced it; later than now.
    pub departure_slot: &'a [u32],
    /// Willingness to take part in V2G in the first slot that is left of the stay, 0..1.
    pub willingness: &'a [f64],
    /// Stored energy, kWh; of a stay that is planned ahead, what is expected on arrival.
    pub energy_kwh: &'a [f64],
    /// Energy when full, kWh.
    pub capacity_kwh: &'a [f64],
    /// Energy that discharging must leave, kWh: no more than the stay began with, `min(S_0, m)`.
    pub energy_kwh_min: &'a [f64],
    /// Energy that charging may reach, kWh: no less than the stay began with, `max(S_0, SOC_max)`.
    pub energy_kwh_max: &'a [f64],
    /// Energy wanted at departure, kWh.
    pub departure_energy_kwh: &'a [f64],
    /// Most that charger and car charge with, kW.
    pub charge_kw_max: &'a [f64],
    /// Most that charger and car discharge with, kW; not negative.
    pub discharge_kw_max: &'a [f64],
    /// Stored per grid-side energy charged, 0..1.
    pub charge_efficiency: &'a [f64],
    /// Grid-side per stored energy discharged, 0..1.
    pub discharge_efficiency: &'a [f64],
    /// Price of wear per grid-side kWh discharged.
    pub degradation_per_kwh: &'a [f64],
    /// 1 where the stay is long enough for V2G by (13).
    pub v2g_eligible: &'a [u8],

    /// Energy bounds at given slots of row i: entries `bound_offset[i]..bound_offset[i + 1]` of the
    /// next three columns; n + 1 values, or none where no row has such bounds.
    pub bound_offset: &'a [u32],
    /// The slot at whose beginning the bound holds.
    pub bound_slot: &'a [u32],
    /// Least energy then, kWh.
    pub bound_kwh_min: &'a [f64],
    /// Most energy then, kWh.
    pub bound_kwh_max: &'a [f64],

    /// One bit per stay and slot: the driver agreed to discharge, or is not asked and so may.
    /// Row-major, least significant bit first, rows padded to whole bytes; empty where nobody is
    /// asked.
    pub agreed: &'a [u8],
    /// The schedules in force, n x H, kW; empty where no row has one.
    pub planned_kw: &'a [f64],
    /// What the schedule asked for in the slot before now, kW; 0 where the stay began since.
    pub last_asked_kw: &'a [f64],
    /// What of that its sites allowed, kW: less where a site's limit cut it.
    pub last_allowed_kw: &'a [f64],
    /// What the car really drew, kW: less than allowed where its battery was full, or empty.
    pub last_drawn_kw: &'a [f64],

    /// Price of energy bought, tariffs x H.
    pub buy_price: &'a [f64],
    /// Price of energy sold, tariffs x H.
    pub sell_price: &'a [f64],
    /// Time-of-use price, tariffs x H.
    pub tou_price: &'a [f64],
    /// Incentive price (1) of energy bought, tariffs x H.
    pub incentive_price: &'a [f64],
    /// Number of slots K for which prices are known from now on, at least H and at most a week.
    pub known_slots: usize,
    /// Price of energy bought as far as it is known, tariffs x K.
    pub known_buy_price: &'a [f64],
    /// Price of energy sold as far as it is known, tariffs x K.
    pub known_sell_price: &'a [f64],
    /// Forecast of base load less wind and sun, H values, kW. Like the next three, it is what the
    /// world declares to be known now.
    pub net_load_kw: &'a [f64],
    /// Forecast of base load, H values, kW.
    pub base_load_kw: &'a [f64],
    /// Forecast of wind power available, H values, kW.
    pub wind_kw: &'a [f64],
    /// Forecast of photovoltaic power available, H values, kW.
    pub pv_kw: &'a [f64],
    /// EV power already planned, H values, kW.
    pub committed_ev_kw: &'a [f64],

    /// Parent of each site, or [`NO_SITE`].
    pub parent_site: &'a [u32],
    /// Most that a site may draw, sites x H, kW.
    pub site_import_kw_max: &'a [f64],
    /// Most that a site may feed in, sites x H, kW.
    pub site_export_kw_max: &'a [f64],
    /// Power of the plans in force behind each site, sites x H, kW; those of the stays shown are
    /// in it.
    pub site_committed_kw: &'a [f64],
    /// What of it belongs to stays that are not shown; empty with [`Shown::Due`], but for policies
    /// of whole fleets.
    pub site_others_kw: &'a [f64],
    /// What of `committed_ev_kw` belongs to stays that are not shown, H values, kW; empty but for
    /// policies of whole fleets.
    pub others_ev_kw: &'a [f64],
    /// The world's own series in the order of their names, series x H, kW.
    pub series_kw: &'a [f64],
    /// Highest net load so far, cars included, kW; not negative.
    pub net_load_most_kw: f64,
    /// Entries `supply_offset[t]..supply_offset[t + 1]` of the next two columns are the steps by
    /// which the plant serves the net load of slot t, from the cheapest on, by its schedule of the
    /// day; beyond the day by the same hours. Empty but for policies of whole fleets, and before
    /// there is a schedule.
    pub supply_offset: &'a [u32],
    /// How much there is of a step, kW.
    pub supply_kw: &'a [f64],
    /// What it costs, per kWh; not negative.
    pub supply_price: &'a [f64],
    /// What a kWh costs that is beyond all steps.
    pub supply_beyond_price: f64,
    /// Which stays are shown, and why.
    pub shown: Shown,
}

/// Which stays are shown, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u32)]
pub enum Shown {
    /// Those that are due.
    #[default]
    Due = crate::abi::SHOWN_DUE,
    /// All plugged cars of a tree of sites: the plans in force do not keep its limits together.
    Tree = crate::abi::SHOWN_TREE,
    /// All that is to be planned of a fleet that acts as one: all plugged cars, or the stays of a
    /// day.
    Fleet = crate::abi::SHOWN_FLEET,
}

impl<'a> Observation<'a> {
    /// Number of stays shown.
    pub fn len(&self) -> usize {
        self.stay_id.len()
    }

    /// Whether no stay is shown.
    pub fn is_empty(&self) -> bool {
        self.stay_id.is_empty()
    }

    /// The stays, one after the other. For large fleets, slices and `zip` are faster.
    pub fn stays(&self) -> impl Iterator<Item = Stay<'a>> + use<'a> {
        let seen = *self;
        (0..self.len()).map(move |row| Stay { seen, row })
    }

    /// The slots from now in which the car of row `row` is there, as announced; within the horizon.
    pub fn window(&self, row: usize) -> Range<usize> {
        let from_now = |slot: u32| (slot.saturating_sub(self.tick) as usize).min(self.horizon);
        // No later than the end: a car that arrives beyond the horizon has a window without slots,
        // and not one that runs backwards.
        let end = from_now(self.departure_slot[row]);
        from_now(self.arrival_slot[row]).min(end)..end
    }

    /// Whether the car of row `row` may discharge in a slot from now: its stay is long enough for
    /// V2G (13), and its driver agreed. Who is not asked may.
    pub fn may_discharge(&self, row: usize, slot: usize) -> bool {
        let byte = row * self.horizon.div_ceil(8) + slot / 8;
        let agreed = self.agreed.is_empty() || self.agreed[byte] >> (slot % 8) & 1 == 1;
        self.v2g_eligible[row] == 1 && agreed
    }
}

/// One row of an [`Observation`].
#[derive(Debug, Clone, Copy)]
pub struct Stay<'a> {
    seen: Observation<'a>,
    /// Its row.
    pub row: usize,
}

impl Stay<'_> {
    /// The slots from now in which the car is there, as announced; within the horizon.
    pub fn window(&self) -> Range<usize> {
        self.seen.window(self.row)
    }

    /// Grid-side energy that is missing until the departure target, kWh; not negative.
    pub fn energy_to_departure(&self) -> f64 {
        let seen = &self.seen;
        let row = self.row;
        let target = seen.departure_energy_kwh[row].min(seen.energy_kwh_max[row]);
        (target - seen.energy_kwh[row]).max(0.0) / seen.charge_efficiency[row]
    }

    /// Most that the car can be charged with, kW.
    pub fn charge_kw_max(&self) -> f64 {
        self.seen.charge_kw_max[self.row]
    }

    /// Length of a slot, h.
    pub fn slot_hours(&self) -> f64 {
        self.seen.slot_hours
    }
}

/// The answer: power per row and slot, n x H, row-major, kW, positive charges. Filled with 0 before
/// the policy sees it.
#[derive(Debug)]
pub struct Schedules<'a> {
    /// The matrix.
    pub power_kw: &'a mut [f64],
    /// Its width H.
    pub horizon: usize,
}

impl Schedules<'_> {
    /// The schedule of a stay, for filling in.
    pub fn row<'s>(&'s mut self, stay: Stay<'s>) -> Row<'s> {
        let start = stay.row * self.horizon;
        Row { power_kw: &mut self.power_kw[start..start + self.horizon], stay }
    }

    /// The schedules one after the other, as slices of the horizon's length.
    pub fn rows(&mut self) -> impl Iterator<Item = &mut [f64]> {
        // Chunks of no length are not allowed, and without slots there are none anyway.
        self.power_kw.chunks_exact_mut(self.horizon.max(1))
    }
}

/// The schedule of one stay.
#[derive(Debug)]
pub struct Row<'a> {
    power_kw: &'a mut [f64],
    stay: Stay<'a>,
}

impl Row<'_> {
    /// Sets the power in the slot `slot` from now, kW.
    pub fn set(&mut self, slot: usize, power_kw: f64) {
        self.power_kw[slot] = power_kw;
    }

    /// Charges as fast as the charger allows from slot `slot` from now, or from arrival if that is
    /// later, until `energy_kwh` (grid side) is in or the car leaves; the last slot is partial.
    pub fn charge_from(&mut self, slot: usize, energy_kwh: f64) {
        let hours = self.stay.slot_hours();
        let most = self.stay.charge_kw_max();
        let Range { start, end } = self.stay.window();
        let usable = self.power_kw.get_mut(slot.max(start)..end).unwrap_or_default();
        charge_at_once(usable, most, hours, energy_kwh);
    }
}

/// Energy that is not worth a slot of its own, kWh: what rounding leaves of a number of whole
/// slots.
const NOTHING_KWH: f64 = 1e-9;

/// Charges with `charge_kw_max` from the first slot of a schedule on until `energy_kwh` (grid side)
/// is in or the slots are over; the last slot is partial.
pub fn charge_at_once(power_kw: &mut [f64], charge_kw_max: f64, slot_hours: f64, energy_kwh: f64) {
    let per_slot = charge_kw_max * slot_hours;
    if per_slot <= 0.0 || energy_kwh <= NOTHING_KWH {
        return;
    }
    let whole = ((energy_kwh / per_slot) as usize).min(power_kw.len());
    power_kw[..whole].fill(charge_kw_max);
    let rest = energy_kwh - whole as f64 * per_slot;
    if let Some(power) = power_kw.get_mut(whole).filter(|_| rest > NOTHING_KWH) {
        // Where the division above rounded down, the rest is a whole slot or a little more.
        *power = (rest / slot_hours).min(charge_kw_max);
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "powers are set or exact in binary")]
mod tests {
    use super::*;
    use crate::testing::{Car, ObservationBuilder};

    fn charged<const SLOTS: usize>(energy_kwh: f64) -> [f64; SLOTS] {
        let mut power_kw = [0.0; SLOTS];
        charge_at_once(&mut power_kw, 8.0, 0.25, energy_kwh);
        power_kw
    }

    #[test]
    fn charging_at_once_ends_with_a_partial_slot_or_the_stay() {
        let answers = [charged(0.0), charged(3.0), charged(4.0), charged(40.0)];
        let expected = [[0.0, 0.0, 0.0], [8.0, 4.0, 0.0], [8.0, 8.0, 0.0], [8.0, 8.0, 8.0]];
        assert_eq!(answers, expected);
    }

    #[test]
    fn rounding_leaves_no_slot_of_next_to_nothing() {
        assert_eq!(charged(4.0 + 1e-12), [8.0, 8.0, 0.0]);
        let mut none = [0.0; 2];
        charge_at_once(&mut none, 0.0, 0.25, 5.0);
        assert_eq!(none, [0.0, 0.0]);
    }

    #[test]
    fn a_row_charges_between_its_first_slot_and_departure() {
        let shown =
            ObservationBuilder::new(6).at(10).car(Car { departure_slot: 14, ..Car::default() });
        let seen = shown.build();
        let mut power_kw = [0.0; 6];
        let mut schedules = Schedules { power_kw: &mut power_kw, horizon: 6 };
        for stay in seen.stays() {
            schedules.row(stay).charge_from(2, stay.energy_to_departure());
            schedules.row(stay).charge_from(9, 1.0);
        }
        assert_eq!(power_kw, [0.0, 0.0, 7.0, 7.0, 0.0, 0.0]);
    }

    #[test]
    fn who_is_not_asked_may_discharge_and_who_is_may_where_it_was_agreed() {
        let eligible = Car { v2g_eligible: 1, ..Car::default() };
        let mut shown = ObservationBuilder::new(10).car(eligible).car(Car::default());
        let may = |shown: &ObservationBuilder, slot| {
            [0, 1].map(|row| shown.build().may_discharge(row, slot))
        };
        assert_eq!(may(&shown, 9), [true, false]);
        shown.agreed = vec![0b1, 0b10, 0xff, 0xff];
        assert_eq!([0, 1, 8, 9].map(|slot| may(&shown, slot)[0]), [true, false, false, true]);
        assert_eq!(may(&shown, 9), [true, false]);
    }

    #[test]
    fn a_car_can_be_shown_before_it_arrives() {
        let car =
            |arrival_slot, departure_slot| Car { arrival_slot, departure_slot, ..Car::default() };
        let cars = [car(2, 14), car(12, 14), car(12, 40), car(30, 40)];
        let shown =
            cars.into_iter().fold(ObservationBuilder::new(8).at(10), ObservationBuilder::car);
        let windows: Vec<_> = (0..4).map(|row| shown.build().window(row)).collect();
        assert_eq!(windows, [0..4, 2..4, 2..8, 8..8]);
    }

    #[test]
    fn a_stay_that_is_planned_ahead_charges_from_its_arrival() {
        let car = Car { arrival_slot: 12, departure_slot: 15, ..Car::default() };
        let shown = ObservationBuilder::new(6).at(10).car(car);
        let seen = shown.build();
        let mut power_kw = [0.0; 6];
        for stay in seen.stays() {
            assert_eq!(stay.window(), 2..5);
            Schedules { power_kw: &mut power_kw, horizon: 6 }.row(stay).charge_from(0, 3.5);
        }
        assert_eq!(power_kw, [0.0, 0.0, 7.0, 7.0, 0.0, 0.0]);
    }

    #[test]
    fn the_target_is_no_more_than_charging_may_reach() {
        let car = Car { energy_kwh_max: 38.0, charge_efficiency: 0.9, ..Car::default() };
        let shown =
            ObservationBuilder::new(1).car(car).car(Car { energy_kwh: 59.0, ..Car::default() });
        let missing: Vec<_> =
            shown.build().stays().map(|stay| stay.energy_to_departure()).collect();
        assert_eq!(missing, [20.0, 0.0]);
    }
}
