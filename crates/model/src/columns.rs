//! What one tick looked like, for whoever records it.

use crate::{
    clock::Clock,
    cost::UnitCost,
    flexibility::UpDown,
    id::{EvId, SiteId, StayId},
};
use std::fmt;

/// The state after a tick was settled; the same in a live run and in its replay.
///
/// Power is the mean over the slot, energy is what is stored at its end.
#[derive(Debug, Clone, Copy)]
pub struct TickColumns<'a> {
    /// The slot.
    pub tick: u32,
    /// Per car: the stay it was plugged in for during the slot, or [`crate::stay::NO_STAY`].
    pub stay: &'a [StayId],
    /// Per car: stored energy at the slot's end, kWh.
    pub energy_kwh: &'a [f64],
    /// Per car: applied power, positive charges, kW.
    pub power_kw: &'a [f64],
    /// Per car: the ledger of its open session, or of none.
    pub ledger: &'a [Ledger],
    /// Per car: price of a kWh charged in this slot, as it was when the car was planned.
    pub price_per_kwh: &'a [f64],
    /// Per car: willingness to discharge (10), 0..1; empty where nobody is asked.
    pub willingness: &'a [f64],
    /// Per car: 1 where the driver agrees to discharge in this slot; empty where nobody is asked.
    pub agreed: &'a [u8],
    /// Sites, in the scenario's order.
    pub sites: &'a [SiteTick],
    /// Generating units and the connection that closes the balance.
    pub units: &'a [UnitTick],
    /// The system as a whole.
    pub system: &'a SystemTick,
    /// What is in force for the slots to come.
    pub outlook: &'a dyn Outlook,
}

/// What is in force for the slots that follow a settled one.
pub trait Outlook {
    /// The schedule of a plugged-in car: slots, ascending, and the power that holds from each on,
    /// kW. Before the first there is none.
    fn plan(&self, ev: EvId) -> (&[u32], &[f64]);

    /// Sum of the schedules behind a site in a slot, kW.
    fn site_kw(&self, site: SiteId, slot: u32) -> f64;

    /// A number for the prices that a car was planned at: equal ones are equal prices.
    fn prices_of(&self, ev: EvId) -> u32;

    /// The incentive ratio (5) of a slot at those prices; 1 where nobody is asked.
    fn incentive_ratio(&self, ev: EvId, slot: u32) -> f64;
}

impl fmt::Debug for dyn Outlook + '_ {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Outlook")
    }
}

/// An outlook without schedules or prices.
#[derive(Debug, Clone, Copy, Default)]
pub struct NothingAhead;

impl Outlook for NothingAhead {
    fn plan(&self, _: EvId) -> (&[u32], &[f64]) {
        (&[], &[])
    }

    fn site_kw(&self, _: SiteId, _: u32) -> f64 {
        0.0
    }

    fn prices_of(&self, _: EvId) -> u32 {
        0
    }

    fn incentive_ratio(&self, _: EvId, _: u32) -> f64 {
        1.0
    }
}

// Laid out as in C, since its bytes are hashed as they are.
/// What a session has cost so far. Energy in kWh on the grid side, money in the world's currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Ledger {
    /// Energy charged.
    pub charged_kwh: f64,
    /// Energy discharged.
    pub discharged_kwh: f64,
    /// Paid for energy charged.
    pub energy_cost: f64,
    /// Earned by energy discharged.
    pub v2g_revenue: f64,
}

impl Ledger {
    /// The sum of two parts of a session.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            charged_kwh: self.charged_kwh + other.charged_kwh,
            discharged_kwh: self.discharged_kwh + other.discharged_kwh,
            energy_cost: self.energy_cost + other.energy_cost,
            v2g_revenue: self.v2g_revenue + other.v2g_revenue,
        }
    }
}

/// One site in one slot, kW; positive draws from the grid.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SiteTick {
    /// Power that set-points asked for.
    pub asked_kw: f64,
    /// Power after the limit.
    pub power_kw: f64,
    /// Cars plugged in.
    pub plugged: u32,
}

// No enum: a kind is named in the file of its device, and a list here would be one place more to
// change.
/// Kind of a unit in the balance; each is named in the file of its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitKind {
    name: &'static str,
    device: &'static str,
}

impl UnitKind {
    /// A kind by its name in tables, and by the device that it is a kind of.
    pub(crate) const fn new(name: &'static str, device: &'static str) -> Self {
        Self { name, device }
    }

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// Whether both are the same kind of device: wind and sun are, pumped hydro and batteries too.
    pub fn same_device(self, other: Self) -> bool {
        self.device == other.device
    }
}

/// One unit in one slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnitTick {
    /// Unit id, dense.
    pub unit: u32,
    /// Its kind.
    pub kind: UnitKind,
    /// Power into the system, kW; negative where a store charges, an
    /// electrolyser draws or a connection exports.
    pub output_kw: f64,
    /// Power that could have been had, kW; `None` where there is no such bound.
    pub available_kw: Option<f64>,
    /// Power into a store, or into hydrogen, kW.
    pub charge_kw: Option<f64>,
    /// Stored energy at the slot's end, kWh.
    pub energy_kwh: Option<f64>,
    /// Flexibility at hand, kW.
    pub flexibility: Option<UpDown>,
    /// What the slot cost.
    pub cost: Option<UnitCost>,
}

impl UnitTick {
    /// A unit that delivers `output_kw`, of which nothing else is known.
    pub fn new(unit: u32, kind: UnitKind, output_kw: f64) -> Self {
        Self {
            unit,
            kind,
            output_kw,
            available_kw: None,
            charge_kw: None,
            energy_kwh: None,
            flexibility: None,
            cost: None,
        }
    }
}

/// The system in one slot, kW.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SystemTick {
    /// Load without cars.
    pub base_load_kw: f64,
    /// Wind power available.
    pub wind_available_kw: f64,
    /// Wind power delivered.
    pub wind_kw: f64,
    /// Photovoltaic power available.
    pub pv_available_kw: f64,
    /// Photovoltaic power delivered.
    pub pv_kw: f64,
    /// Sum of charging cars.
    pub ev_charge_kw: f64,
    /// Sum of discharging cars, not negative.
    pub ev_discharge_kw: f64,
    /// What import or export adds to close the balance; negative exports.
    pub import_kw: f64,
    /// Output of all other units that are neither shed nor closing the balance; negative where they
    /// take more than they give.
    pub plant_kw: f64,
    /// Load shed by agreement.
    pub interrupted_kw: f64,
    /// Load that is not served.
    pub unserved_kw: f64,
    /// Power that nobody takes and that cannot be curtailed.
    pub spilled_kw: f64,
    /// Flexibility; `None` where the world has no plant.
    pub flexibility: Option<FlexibilityTick>,
    /// Price of energy for the first tariff, per kWh.
    pub tou_price_per_kwh: f64,
    /// What incentive prices came from; `None` where the world has none.
    pub incentive: Option<IncentiveTick>,
    /// Cars plugged in.
    pub plugged: u32,
    /// Plugged cars whose drivers agree to discharge.
    pub agreed: u32,
}

/// Flexibility in one slot, kW.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FlexibilityTick {
    /// `F_D` towards the next slot, (15)-(18).
    pub demand: UpDown,
    /// `F_S` of all units, and of cars where they count, (21)-(31).
    pub supply: UpDown,
}

impl FlexibilityTick {
    /// `F_M`, (32)-(35); negative is a shortfall.
    pub fn margin(&self) -> UpDown {
        self.supply - self.demand
    }

    /// The same without what rounding leaves.
    #[must_use]
    pub fn without_rounding(self) -> Self {
        Self { demand: self.demand.without_rounding(), supply: self.supply.without_rounding() }
    }
}

/// The incentive price of one slot, for the first tariff, as it was last set.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct IncentiveTick {
    /// Net load that the price follows (3), kW.
    pub net_load_kw: f64,
    /// Its mean over the local day (4), kW.
    pub net_load_mean_kw: f64,
    /// The incentive price (1), per kWh.
    pub price_per_kwh: f64,
    /// The incentive ratio (5).
    pub ratio: f64,
}

/// Which figure of a [`SystemTick`] a unit's output is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountsAs {
    /// Wind power.
    Wind,
    /// Photovoltaic power.
    Pv,
    /// What the plant gives otherwise.
    Plant,
    /// Load shed by agreement.
    Shed,
    /// What closes the balance.
    Import,
}

impl SystemTick {
    /// Counts the units of a plant, in its order, each with the figure that it is part of.
    pub fn count(&mut self, units: &[(CountsAs, &UnitTick)]) {
        let of = |figure| units.iter().filter(move |(counts_as, _)| *counts_as == figure);
        let sum = |figure| total(of(figure).map(|(_, unit)| unit.output_kw));
        let available = |figure| total(of(figure).filter_map(|(_, unit)| unit.available_kw));
        self.wind_kw = sum(CountsAs::Wind);
        self.wind_available_kw = available(CountsAs::Wind);
        self.pv_kw = sum(CountsAs::Pv);
        self.pv_available_kw = available(CountsAs::Pv);
        self.interrupted_kw = sum(CountsAs::Shed);
        self.import_kw = sum(CountsAs::Import);
        let plant: Vec<&UnitTick> = of(CountsAs::Plant).map(|(_, unit)| *unit).collect();
        self.plant_kw = sum_by_device(&plant);
    }

    /// Base load plus cars less available wind and sun, kW.
    pub fn net_load_kw(&self) -> f64 {
        self.base_load_kw + self.ev_charge_kw
            - self.ev_discharge_kw
            - self.wind_available_kw
            - self.pv_available_kw
    }

    /// Wind and sun that are available and not delivered, kW.
    pub fn curtailed_kw(&self) -> f64 {
        (self.wind_available_kw - self.wind_kw) + (self.pv_available_kw - self.pv_kw)
    }

    /// What energy over the connection to the outside costs in a world without a plant, in which
    /// only the first tariff prices it; negative where it is exported.
    pub fn import_cost(&self, hours: f64) -> f64 {
        self.import_kw * hours * self.tou_price_per_kwh
    }

    /// Supply less demand, kW; zero when the balance is closed.
    pub fn residual_kw(&self) -> f64 {
        let units = self.wind_kw + self.pv_kw + self.plant_kw + self.import_kw;
        let given = units + self.ev_discharge_kw;
        let spared = self.interrupted_kw + self.unserved_kw;
        given + spared - self.base_load_kw - self.ev_charge_kw - self.spilled_kw
    }
}

/// What units give together, kW; summed kind by kind within each device, since a sum in another
/// order rounds to another number.
fn sum_by_device(units: &[&UnitTick]) -> f64 {
    let kind = |units: &[&UnitTick]| total(units.iter().map(|unit| unit.output_kw));
    let device =
        |units: &[&UnitTick]| total(units.chunk_by(|one, next| one.kind == next.kind).map(kind));
    total(units.chunk_by(|one, next| one.kind.same_device(next.kind)).map(device))
}

/// A sum; of nothing it is 0, where `sum` has -0.
fn total(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |sum, value| sum + value)
}

/// The instant, as microseconds since 1970 in UTC, at which a slot begins.
pub fn slot_micros(clock: &Clock, slot: u32) -> i64 {
    clock.slot_start(slot).timestamp_micros()
}
