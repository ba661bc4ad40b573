//! The dispatch problem as plain data.

use std::num::NonZeroU32;
use voltide_model::{
    flexibility::{Readings, UpDown},
    plant::Plant,
    rules::Rules,
    two_stage::{SearchLimits, SlackPrices},
    unit::UnitState,
};

/// A plant over T equal slots.
#[derive(Debug, Clone, PartialEq)]
pub struct DispatchProblem<'a> {
    /// The units.
    pub plant: &'a Plant,
    /// Length of a slot, h.
    pub slot_hours: f64,
    /// What comes from outside the plant, slot by slot.
    pub exogenous: Exogenous,
    /// What is asked of each unit, in the plant's order.
    pub units: Vec<UnitTask>,
    /// Whether flexibility margins must hold, (32)-(35).
    pub margins: bool,
    /// How ambiguous equations are read.
    pub readings: Readings,
    /// Prices of what should not happen.
    pub prices: SlackPrices,
    /// Chords of a quadratic cost.
    pub segments: NonZeroU32,
    /// When the search for a commitment may stop.
    pub search: SearchLimits,
    /// The rules of the run.
    pub rules: Rules,
}

/// What comes from outside the plant. Columns have T values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exogenous {
    /// Base load and cars: base + charging - discharging, kW.
    pub load_kw: Vec<f64>,
    /// What cars draw of it, net, kW; empty where that is not told apart.
    pub ev_kw: Vec<f64>,
    /// `F_S` of the cars, (30) and (31), kW; empty where they do not count.
    pub car_supply_kw: Vec<UpDown>,
    /// Net load in the slot after the last, kW: for `F_D` of the last slot.
    pub net_load_next_kw: f64,
}

/// What is asked of one unit. What its kind does not have is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UnitTask {
    /// Where it stands before the first slot.
    pub state: UnitState,
    /// What its series are expected to be, T values each, as its
    /// [`expected`](voltide_model::device::Device::expected) lists them.
    pub series: Vec<Vec<f64>>,
    /// What it must keep to.
    pub course: Course,
    /// What it must hold at the end.
    pub end: EnergyEnd,
    /// What it must hold after earlier slots, ascending.
    pub midway: Vec<(usize, EnergyEnd)>,
}

impl UnitTask {
    /// Whether it is led back to a path.
    pub(super) fn has_path(&self) -> bool {
        self.course.next.is_some() || matches!(self.end, EnergyEnd::OnPath { .. })
    }
}

/// What a unit must keep to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Course {
    /// Whether it is on, slot by slot; `None` leaves that to the schedule where the unit may be
    /// switched, and means on throughout where it may not.
    pub on: Option<Vec<bool>>,
    /// Output it should stay close to, within the unit's `deviation_max`, in the first slots as far
    /// as it is planned; `None` for no such output.
    pub reference_kw: Option<Vec<f64>>,
    /// What it is to do in the slot after the last one, where that is known: a last output from
    /// which no ramp leads there has a price.
    pub next: Option<NextSlot>,
    /// How many slots a unit that the schedule switches stays as it is, counted from the first one;
    /// `None` where it may be switched in every slot.
    pub switch_every: Option<NonZeroU32>,
}

/// What a unit is to do in the slot after a problem's last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NextSlot {
    /// Whether it is on.
    pub on: bool,
    /// Its output, kW.
    pub output_kw: f64,
}

/// What a unit that stores energy must hold at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum EnergyEnd {
    /// It takes no part: no power, no supply of flexibility.
    Idle,
    /// Whatever is left.
    #[default]
    Free,
    /// At least so many kWh, or as near as can be.
    AtLeast(f64),
    /// At least so many kWh, or the price of what is missing.
    Softened(f64),
    /// At least so many kWh, or the price of what is missing; and between two amounts from which
    /// what comes after can be done, or the price of energy not served.
    OnPath {
        /// At least so many kWh.
        wish_kwh: f64,
        /// Least from which the path leads on, kWh.
        least_kwh: f64,
        /// Most from which the path leads on, kWh.
        most_kwh: f64,
    },
}

impl DispatchProblem<'_> {
    /// Number of slots T.
    pub fn slots(&self) -> usize {
        self.exogenous.load_kw.len()
    }

    /// Load less wind and sun and what nobody steers, in one slot, kW (20).
    pub(super) fn net_load_kw(&self, slot: usize) -> f64 {
        let load_kw = self.exogenous.load_kw[slot];
        net_load_kw(self.plant, load_kw, |at| &self.units[at].series, slot)
    }
}

/// A load less what units are expected to give in a slot without being steered, kW; `series` has
/// those of each unit.
pub(super) fn net_load_kw<'s>(
    plant: &Plant,
    load_kw: f64,
    series: impl Fn(usize) -> &'s [Vec<f64>],
    slot: usize,
) -> f64 {
    plant
        // What comes unsteered is the first series of a unit that has such.
        .net_of_unsteered(load_kw, |at, unit| unit.unsteered().map_or(0.0, |_| series(at)[0][slot]))
}
