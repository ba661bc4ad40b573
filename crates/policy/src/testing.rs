//! Small observations for a policy's own tests.
//!
//! ```
//! use voltide_policy::testing::{Car, ObservationBuilder};
//!
//! let shown = ObservationBuilder::new(8)
//!     .car(Car { energy_kwh: 40.0, ..Car::default() })
//!     .car(Car { energy_kwh: 59.0, departure_slot: 4, ..Car::default() });
//! assert_eq!(shown.build().stays().map(|stay| stay.window()).collect::<Vec<_>>(), [0..8, 0..4]);
//! ```

use crate::{
    abi::Host,
    observation::{NO_SITE, Observation, Schedules, Shown},
    policy::{Policy, Result},
};

/// A car as a policy sees it; see [`Observation`] for what the fields mean. The default one lacks
/// 28 kWh, charges with 7 kW without loss, cannot discharge, and leaves after 32 slots.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the fields are the columns of `Observation`")]
pub struct Car {
    pub site_id: u32,
    pub tariff_id: u32,
    pub arrival_slot: u32,
    pub departure_slot: u32,
    pub willingness: f64,
    pub energy_kwh: f64,
    pub capacity_kwh: f64,
    pub energy_kwh_min: f64,
    pub energy_kwh_max: f64,
    pub departure_energy_kwh: f64,
    pub charge_kw_max: f64,
    pub discharge_kw_max: f64,
    pub charge_efficiency: f64,
    pub discharge_efficiency: f64,
    pub degradation_per_kwh: f64,
    pub v2g_eligible: u8,
}

impl Default for Car {
    fn default() -> Self {
        Self {
            site_id: NO_SITE,
            tariff_id: 0,
            arrival_slot: 0,
            departure_slot: 32,
            willingness: 1.0,
            energy_kwh: 20.0,
            capacity_kwh: 60.0,
            energy_kwh_min: 12.0,
            energy_kwh_max: 60.0,
            departure_energy_kwh: 48.0,
            charge_kw_max: 7.0,
            discharge_kw_max: 0.0,
            charge_efficiency: 1.0,
            discharge_efficiency: 1.0,
            degradation_per_kwh: 0.0,
            v2g_eligible: 0,
        }
    }
}

/// Writes [`ObservationBuilder`], which owns the columns that [`Car`] names and lends them out.
macro_rules! builder {
    ($($name:ident: $kind:ty),* $(,)?) => {
        /// An observation that owns its columns. Cars are numbered in the order in which they come;
        /// whatever is not set is left out, as in an [`Observation`] that has nothing to say of it.
        #[derive(Debug, Clone, Default)]
        pub struct ObservationBuilder {
            /// The slot that begins now.
            pub tick: u32,
            /// Its beginning, milliseconds since 1970 in UTC.
            pub unix_ms: i64,
            /// Length of a slot, h; a quarter unless changed.
            pub slot_hours: f64,
            /// Number of slots.
            pub horizon: usize,
            /// Price of energy bought, tariffs x H.
            pub buy_price: Vec<f64>,
            /// Price of energy sold, tariffs x H.
            pub sell_price: Vec<f64>,
            /// Time-of-use price, tariffs x H.
            pub tou_price: Vec<f64>,
            /// Incentive price of energy bought, tariffs x H.
            pub incentive_price: Vec<f64>,
            /// Number of slots K for which prices are known.
            pub known_slots: usize,
            /// Price of energy bought as far as it is known, tariffs x K.
            pub known_buy_price: Vec<f64>,
            /// Price of energy sold as far as it is known, tariffs x K.
            pub known_sell_price: Vec<f64>,
            /// Forecast of base load less wind and sun, H values, kW.
            pub net_load_kw: Vec<f64>,
            /// Forecast of base load, H values, kW.
            pub base_load_kw: Vec<f64>,
            /// Forecast of wind power available, H values, kW.
            pub wind_kw: Vec<f64>,
            /// Forecast of photovoltaic power available, H values, kW.
            pub pv_kw: Vec<f64>,
            /// What schedules asked for in the slot before now, n values, kW.
            pub last_asked_kw: Vec<f64>,
            /// What of that sites allowed, n values, kW.
            pub last_allowed_kw: Vec<f64>,
            /// What cars drew of it, n values, kW.
            pub last_drawn_kw: Vec<f64>,
            /// EV power already planned, H values, kW.
            pub committed_ev_kw: Vec<f64>,
            /// Schedules in force, n x H, kW.
            pub planned_kw: Vec<f64>,
            /// Bits of slots in which drivers agreed to discharge.
            pub agreed: Vec<u8>,
            /// Parent of each site.
            pub parent_site: Vec<u32>,
            /// Most that a site may draw, sites x H, kW.
            pub site_import_kw_max: Vec<f64>,
            /// Most that a site may feed in, sites x H, kW.
            pub site_export_kw_max: Vec<f64>,
            /// Power of the plans in force behind each site, sites x H, kW.
            pub site_committed_kw: Vec<f64>,
            /// Power of plans in force behind each site of stays that are not shown, kW.
            pub site_others_kw: Vec<f64>,
            /// What of `committed_ev_kw` belongs to stays that are not shown, H values, kW.
            pub others_ev_kw: Vec<f64>,
            /// The world's own series, series x H, kW.
            pub series_kw: Vec<f64>,
            /// Highest net load so far, cars included, kW.
            pub net_load_most_kw: f64,
            /// Which stays are shown, and why.
            pub shown: Shown,
            stay_id: Vec<u64>,
            ev_id: Vec<u32>,
            $($name: Vec<$kind>,)*
        }

        impl ObservationBuilder {
            /// Shows one more car.
            #[must_use]
            pub fn car(mut self, car: Car) -> Self {
                self.stay_id.push(self.stay_id.len() as u64);
                self.ev_id.push(self.ev_id.len() as u32);
                $(self.$name.push(car.$name);)*
                self
            }

            /// The observation.
            pub fn build(&self) -> Observation<'_> {
                Observation {
                    stay_id: &self.stay_id,
                    ev_id: &self.ev_id,
                    $($name: &self.$name,)*
                    ..self.surroundings()
                }
            }
        }
    };
}

builder! {
    site_id: u32, tariff_id: u32, arrival_slot: u32, departure_slot: u32, willingness: f64,
    energy_kwh: f64, capacity_kwh: f64, energy_kwh_min: f64, energy_kwh_max: f64,
    departure_energy_kwh: f64, charge_kw_max: f64, discharge_kw_max: f64, charge_efficiency: f64,
    discharge_efficiency: f64, degradation_per_kwh: f64, v2g_eligible: u8,
}

impl ObservationBuilder {
    /// Slots of a quarter of an hour from tick 0 on, no cars yet.
    pub fn new(horizon: usize) -> Self {
        Self { slot_hours: 0.25, horizon, ..Self::default() }
    }

    /// Lets it be `tick` now.
    #[must_use]
    pub fn at(self, tick: u32) -> Self {
        Self { tick, ..self }
    }

    fn surroundings(&self) -> Observation<'_> {
        Observation {
            tick: self.tick,
            unix_ms: self.unix_ms,
            slot_hours: self.slot_hours,
            horizon: self.horizon,
            buy_price: &self.buy_price,
            sell_price: &self.sell_price,
            tou_price: &self.tou_price,
            incentive_price: &self.incentive_price,
            known_slots: self.known_slots,
            known_buy_price: &self.known_buy_price,
            known_sell_price: &self.known_sell_price,
            net_load_kw: &self.net_load_kw,
            base_load_kw: &self.base_load_kw,
            wind_kw: &self.wind_kw,
            pv_kw: &self.pv_kw,
            last_asked_kw: &self.last_asked_kw,
            last_allowed_kw: &self.last_allowed_kw,
            last_drawn_kw: &self.last_drawn_kw,
            committed_ev_kw: &self.committed_ev_kw,
            planned_kw: &self.planned_kw,
            agreed: &self.agreed,
            parent_site: &self.parent_site,
            site_import_kw_max: &self.site_import_kw_max,
            site_export_kw_max: &self.site_export_kw_max,
            site_committed_kw: &self.site_committed_kw,
            site_others_kw: &self.site_others_kw,
            others_ev_kw: &self.others_ev_kw,
            series_kw: &self.series_kw,
            net_load_most_kw: self.net_load_most_kw,
            shown: self.shown,
            ..Observation::default()
        }
    }
}

/// Asks a policy, and gives its answer row by row, kW.
pub fn plan<P: Policy>(policy: &mut P, shown: &ObservationBuilder) -> Result<Vec<Vec<f64>>> {
    let seen = shown.build();
    let horizon = shown.horizon;
    let mut power_kw = vec![0.0; seen.len() * horizon];
    policy.plan(&Host::detached(), &seen, &mut Schedules { power_kw: &mut power_kw, horizon })?;
    Ok(power_kw.chunks(horizon.max(1)).map(<[f64]>::to_vec).collect())
}
