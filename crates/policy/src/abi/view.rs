//! Slices to pointers and back.

#![expect(unsafe_code, reason = "this is the border between the program and a plugin")]

use super::{
    ByteSink, HostTable, ObservationColumns, PolicyTable, SHOWN_FLEET, SHOWN_TREE, ScheduleMatrix,
    Text,
};
use crate::observation::{Observation, Schedules, Shown};
use std::{ffi::c_void, mem::MaybeUninit, ptr, slice};

/// A struct of the contract, which may be longer or shorter on the other side.
///
/// # Safety
///
/// The type is `repr(C)`, begins with its size as a `u32`, and is valid when all its bytes are
/// zero.
pub unsafe trait Versioned: Copy {}

// SAFETY: numbers, pointers and optional functions behind a `size: u32`.
unsafe impl Versioned for HostTable {}
// SAFETY: as above.
unsafe impl Versioned for PolicyTable {}
// SAFETY: as above.
unsafe impl Versioned for ByteSink {}
// SAFETY: as above.
unsafe impl Versioned for ObservationColumns {}
// SAFETY: as above.
unsafe impl Versioned for ScheduleMatrix {}

// SAFETY: a table is constant data; its texts and functions live as long as the process.
unsafe impl Sync for PolicyTable {}
// SAFETY: as above.
unsafe impl Send for PolicyTable {}
// SAFETY: the contract lets a policy call the program's functions from any thread.
unsafe impl Sync for HostTable {}
// SAFETY: as above.
unsafe impl Send for HostTable {}

/// The part of a struct that both sides know; the rest is zero.
///
/// # Safety
///
/// `from` is aligned and points to as many readable bytes as its first four say, at least four.
pub unsafe fn copy_prefix<T: Versioned>(from: *const T) -> T {
    let mut copy = MaybeUninit::<T>::zeroed();
    // SAFETY: as the caller promises; a versioned type is valid where its bytes stayed zero.
    unsafe {
        let size = from.cast::<u32>().read() as usize;
        let known = size.min(size_of::<T>());
        ptr::copy_nonoverlapping(from.cast::<u8>(), copy.as_mut_ptr().cast::<u8>(), known);
        copy.assume_init()
    }
}

/// The values behind a pointer, which may be null where there are none.
///
/// # Safety
///
/// A pointer that is not null points to `len` values that stay unchanged for `'a`.
pub(super) unsafe fn column<'a, T>(start: *const T, len: usize) -> &'a [T] {
    // A slice of no values may not begin at null.
    if start.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: as the caller promises.
    unsafe { slice::from_raw_parts(start, len) }
}

/// The values behind a pointer, which may be null where there are none.
///
/// # Safety
///
/// A pointer that is not null points to `len` values that nobody else touches for `'a`.
pub(super) unsafe fn column_mut<'a, T>(start: *mut T, len: usize) -> &'a mut [T] {
    if start.is_null() || len == 0 {
        return &mut [];
    }
    // SAFETY: as the caller promises.
    unsafe { slice::from_raw_parts_mut(start, len) }
}

/// A pointer to all `len` values, or null where the column is left out.
fn optional<T>(column: &[T], len: usize, name: &str) -> *const T {
    if column.is_empty() { ptr::null() } else { whole(column, len, name) }
}

/// A pointer to all `len` values.
fn whole<T>(column: &[T], len: usize, name: &str) -> *const T {
    assert_eq!(column.len(), len, "column `{name}` of an observation has a wrong length");
    column.as_ptr()
}

impl Text {
    /// Points at a text.
    pub const fn new(text: &str) -> Self {
        Self { start: text.as_ptr().cast(), len: text.len() }
    }

    /// Points at bytes.
    pub const fn from_bytes(bytes: &[u8]) -> Self {
        Self { start: bytes.as_ptr().cast(), len: bytes.len() }
    }

    /// The bytes.
    ///
    /// # Safety
    ///
    /// The bytes exist and stay unchanged for `'a`.
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: as the caller promises.
        unsafe { column(self.start.cast::<u8>(), self.len) }
    }

    /// A copy, with replacement characters where it is not UTF-8.
    ///
    /// # Safety
    ///
    /// As for [`bytes`](Self::bytes), for the length of this call.
    pub unsafe fn to_text(self) -> String {
        // SAFETY: as the caller promises.
        String::from_utf8_lossy(unsafe { self.bytes() }).into_owned()
    }
}

/// Writes a function that copies the pointers of a kind of columns, and one that reads them back.
macro_rules! columns {
    ($(#[$doc:meta])* $pointers:ident, $slices:ident, $start:ident, [$($name:ident: $len:ident),* $(,)?]) => {
        $(#[$doc])*
        fn $pointers(&mut self, seen: &Observation<'_>, size: Sizes) {
            $(self.$name = $start(seen.$name, size.$len, stringify!($name));)*
        }

        /// Reads back what the function above wrote.
        ///
        /// # Safety
        ///
        /// As for [`ObservationColumns::view`].
        unsafe fn $slices(&self, seen: &mut Observation<'_>, size: Sizes) {
            // SAFETY: as the caller promises.
            $(seen.$name = unsafe { column(self.$name, size.$len) };)*
        }
    };
}

impl ObservationColumns {
    /// Points at the columns of `seen`.
    ///
    /// # Panics
    ///
    /// When a column has a wrong length, which is a mistake of the program.
    pub fn new(seen: &Observation<'_>) -> Self {
        // SAFETY: numbers and pointers may be zero.
        let mut columns: Self = unsafe { MaybeUninit::zeroed().assume_init() };
        // Prices may be left out one by one; those that are there have the same tariffs.
        let series = |values: &[f64]| values.len() / seen.horizon.max(1);
        let prices = [seen.buy_price, seen.sell_price, seen.tou_price, seen.incentive_price];
        columns.size = size_of::<Self>() as u32;
        columns.tick = seen.tick;
        columns.unix_ms = seen.unix_ms;
        columns.slot_hours = seen.slot_hours;
        columns.horizon = seen.horizon as u32;
        columns.stays = seen.len() as u32;
        columns.bounds = seen.bound_slot.len() as u32;
        columns.tariffs = prices.map(series).into_iter().max().unwrap_or(0) as u32;
        columns.sites = seen.parent_site.len() as u32;
        columns.series = (seen.series_kw.len() / seen.horizon.max(1)) as u32;
        columns.known_slots = seen.known_slots as u32;
        columns.shown_as = seen.shown as u32;
        columns.net_load_most_kw = seen.net_load_most_kw;
        columns.supply_steps = seen.supply_kw.len() as u32;
        columns.supply_beyond_price = seen.supply_beyond_price;
        let size = columns.sizes();
        columns.point_at_rows(seen, size);
        columns.point_at_rest(seen, size);
        columns
    }

    /// The columns as slices.
    ///
    /// # Safety
    ///
    /// Every pointer is null or points to as many values as the contract says, unchanged for `'a`.
    pub unsafe fn view<'a>(&self) -> Observation<'a> {
        let mut seen = Observation {
            tick: self.tick,
            unix_ms: self.unix_ms,
            slot_hours: self.slot_hours,
            horizon: self.horizon as usize,
            known_slots: self.known_slots as usize,
            net_load_most_kw: self.net_load_most_kw,
            supply_beyond_price: self.supply_beyond_price,
            // Whatever a later version shows is planned as stays that are due are.
            shown: match self.shown_as {
                SHOWN_TREE => Shown::Tree,
                SHOWN_FLEET => Shown::Fleet,
                _ => Shown::Due,
            },
            ..Observation::default()
        };
        // SAFETY: as the caller promises.
        unsafe {
            self.rows(&mut seen, self.sizes());
            self.rest(&mut seen, self.sizes());
        }
        seen
    }

    columns! {
        /// Columns with a value per row.
        point_at_rows, rows, whole, [
            stay_id: rows, ev_id: rows, site_id: rows, tariff_id: rows, arrival_slot: rows,
            departure_slot: rows, willingness: rows, energy_kwh: rows, capacity_kwh: rows,
            energy_kwh_min: rows, energy_kwh_max: rows, departure_energy_kwh: rows,
            charge_kw_max: rows, discharge_kw_max: rows, charge_efficiency: rows,
            discharge_efficiency: rows, degradation_per_kwh: rows, v2g_eligible: rows,
        ]
    }

    columns! {
        /// Columns that may be left out.
        point_at_rest, rest, optional, [
            bound_offset: offsets, bound_slot: bounds, bound_kwh_min: bounds, bound_kwh_max: bounds,
            agreed: bits, planned_kw: plans, buy_price: tariffs, sell_price: tariffs,
            tou_price: tariffs, incentive_price: tariffs, net_load_kw: slots, committed_ev_kw: slots,
            parent_site: sites, site_import_kw_max: site_slots, site_export_kw_max: site_slots,
            site_committed_kw: site_slots, base_load_kw: slots, wind_kw: slots, pv_kw: slots,
            last_asked_kw: rows, last_allowed_kw: rows, last_drawn_kw: rows,
            known_buy_price: known, known_sell_price: known, site_others_kw: site_slots,
            others_ev_kw: slots, series_kw: series, supply_offset: slot_offsets,
            supply_kw: supply, supply_price: supply,
        ]
    }

    fn sizes(&self) -> Sizes {
        let [rows, slots, sites] =
            [self.stays, self.horizon, self.sites].map(|count| count as usize);
        Sizes {
            rows,
            slots,
            sites,
            bounds: self.bounds as usize,
            offsets: rows + 1,
            bits: rows * slots.div_ceil(8),
            plans: rows * slots,
            tariffs: self.tariffs as usize * slots,
            known: self.tariffs as usize * self.known_slots as usize,
            site_slots: sites * slots,
            series: self.series as usize * slots,
            slot_offsets: slots + 1,
            supply: self.supply_steps as usize,
        }
    }
}

/// How many values the kinds of columns have.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    rows: usize,
    slots: usize,
    sites: usize,
    bounds: usize,
    offsets: usize,
    bits: usize,
    plans: usize,
    tariffs: usize,
    known: usize,
    site_slots: usize,
    series: usize,
    slot_offsets: usize,
    supply: usize,
}

impl ScheduleMatrix {
    /// Points at the answer that is to be written.
    pub fn new(schedules: &mut Schedules<'_>) -> Self {
        let stays = schedules.power_kw.len() / schedules.horizon.max(1);
        Self {
            size: size_of::<Self>() as u32,
            stays: stays as u32,
            horizon: schedules.horizon as u32,
            reserved: 0,
            power_kw: schedules.power_kw.as_mut_ptr(),
        }
    }

    /// The matrix as a slice.
    ///
    /// # Safety
    ///
    /// The pointer leads to n x H values that nobody else touches for `'a`.
    pub unsafe fn view<'a>(&self) -> Schedules<'a> {
        let horizon = self.horizon as usize;
        // SAFETY: as the caller promises.
        let power_kw = unsafe { column_mut(self.power_kw, self.stays as usize * horizon) };
        Schedules { power_kw, horizon }
    }
}

impl ByteSink {
    /// A sink that appends to `bytes`, which must outlive it.
    pub fn new(bytes: &mut Vec<u8>) -> Self {
        let context = ptr::from_mut(bytes).cast();
        Self { size: size_of::<Self>() as u32, reserved: 0, context, write: Some(append) }
    }

    /// Hands over bytes, where the sink takes any.
    ///
    /// # Safety
    ///
    /// The sink is one that its maker keeps alive during the call.
    pub unsafe fn put(&self, bytes: &[u8]) {
        if let Some(write) = self.write {
            // SAFETY: as the caller promises; the bytes exist during the call.
            unsafe { write(self.context, Text::from_bytes(bytes)) }
        }
    }
}

unsafe extern "C" fn append(context: *mut c_void, bytes: Text) {
    // SAFETY: the context is the vector that the sink was made of; a policy hands over bytes that
    // exist.
    unsafe { (*context.cast::<Vec<u8>>()).extend_from_slice(bytes.bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Car, ObservationBuilder};

    /// Two cars, two tariffs and two sites; no two values of a kind are alike.
    fn shown() -> ObservationBuilder {
        let car = |site_id: u32| {
            let value = |of: f64| of + f64::from(site_id);
            Car {
                site_id,
                tariff_id: 1 - site_id,
                arrival_slot: 1 + site_id,
                departure_slot: 20 + site_id,
                willingness: value(100.0),
                energy_kwh: value(102.0),
                capacity_kwh: value(104.0),
                energy_kwh_min: value(106.0),
                energy_kwh_max: value(108.0),
                departure_energy_kwh: value(110.0),
                charge_kw_max: value(112.0),
                discharge_kw_max: value(114.0),
                charge_efficiency: value(116.0),
                discharge_efficiency: value(118.0),
                degradation_per_kwh: value(120.0),
                v2g_eligible: 1,
            }
        };
        let mut shown = ObservationBuilder::new(9).at(3).car(car(0)).car(car(1));
        let from =
            |first: u32, count: u32| (first..first + count).map(f64::from).collect::<Vec<_>>();
        shown.unix_ms = 1_700_000_000_000;
        shown.agreed = vec![0b1010_0101, 1, 0, 0];
        shown.planned_kw = from(200, 18);
        shown.buy_price = from(220, 18);
        shown.sell_price = from(240, 18);
        shown.tou_price = from(260, 18);
        shown.incentive_price = from(280, 18);
        shown.net_load_kw = from(300, 9);
        shown.committed_ev_kw = from(310, 9);
        shown.parent_site = vec![u32::MAX, 0];
        shown.site_import_kw_max = from(320, 18);
        shown.site_export_kw_max = from(340, 18);
        shown.site_committed_kw = from(360, 18);
        shown.base_load_kw = from(380, 9);
        shown.wind_kw = from(390, 9);
        shown.pv_kw = from(400, 9);
        shown.last_asked_kw = from(410, 2);
        shown.last_allowed_kw = from(412, 2);
        shown.last_drawn_kw = from(414, 2);
        shown.known_slots = 12;
        shown.net_load_most_kw = 77.0;
        shown.known_buy_price = from(420, 24);
        shown.known_sell_price = from(450, 24);
        shown.site_others_kw = from(480, 18);
        shown.others_ev_kw = from(500, 9);
        shown.series_kw = from(510, 27);
        shown.shown = Shown::Tree;
        shown
    }

    #[test]
    fn an_observation_crosses_unchanged() {
        let shown = shown();
        let seen = shown.build();
        // SAFETY: the columns are alive.
        let there = unsafe { ObservationColumns::new(&seen).view() };
        assert_eq!(format!("{there:?}"), format!("{seen:?}"));
        assert_eq!(
            (there.agreed.len(), there.buy_price.len(), there.sell_price.len()),
            (4, 18, 18)
        );
    }

    #[test]
    fn a_column_that_is_left_out_stays_empty() {
        let mut shown = shown();
        shown.sell_price.clear();
        let seen = shown.build();
        // SAFETY: the columns are alive.
        let there = unsafe { ObservationColumns::new(&seen).view() };
        assert_eq!((there.buy_price.len(), there.sell_price.len()), (18, 0));
    }

    #[test]
    fn bounds_cross_with_their_offsets() {
        let shown = shown();
        let seen = Observation {
            bound_offset: &[0, 0, 1],
            bound_slot: &[6],
            bound_kwh_min: &[30.0],
            bound_kwh_max: &[60.0],
            ..shown.build()
        };
        // SAFETY: the columns are alive.
        let there = unsafe { ObservationColumns::new(&seen).view() };
        assert_eq!(format!("{there:?}"), format!("{seen:?}"));
    }

    #[test]
    #[should_panic(expected = "column `energy_kwh` of an observation has a wrong length")]
    fn a_column_of_another_length_is_a_mistake_of_ours() {
        let shown = shown();
        ObservationColumns::new(&Observation { energy_kwh: &[1.0], ..shown.build() });
    }

    #[test]
    fn a_program_of_version_1_1_shows_no_more_than_it_knew() {
        let shown = shown();
        let mut older = ObservationColumns::new(&shown.build());
        older.size = std::mem::offset_of!(ObservationColumns, base_load_kw) as u32;
        // SAFETY: the struct has more bytes than it says, and the columns are alive.
        let seen = unsafe { copy_prefix(&raw const older).view() };
        let known = Observation {
            base_load_kw: &[],
            wind_kw: &[],
            pv_kw: &[],
            last_asked_kw: &[],
            last_allowed_kw: &[],
            last_drawn_kw: &[],
            known_slots: 0,
            known_buy_price: &[],
            known_sell_price: &[],
            site_others_kw: &[],
            others_ev_kw: &[],
            series_kw: &[],
            net_load_most_kw: 0.0,
            shown: Shown::Due,
            ..shown.build()
        };
        assert_eq!(format!("{seen:?}"), format!("{known:?}"));
    }

    #[test]
    fn what_an_older_side_does_not_know_is_missing() {
        let shown = shown();
        let mut older = ObservationColumns::new(&shown.build());
        older.size = std::mem::offset_of!(ObservationColumns, parent_site) as u32;
        // SAFETY: the struct has more bytes than it says, and the columns are alive.
        let (seen, known) = unsafe { (copy_prefix(&raw const older).view(), older.size) };
        assert_eq!((seen.parent_site.len(), seen.site_import_kw_max.len()), (0, 0));
        assert_eq!((seen.net_load_kw.len(), known), (9, older.size));
    }
}
