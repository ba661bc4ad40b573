//! The service `voltide.storage/1`: the program solves storage problems for its policies.
//!
//! A policy finds it by that name through `extension`, which gives a `StorageTable`. Rows, slots
//! and series are those of an observation, so that most columns can be handed on as they came.

use super::ByteSink;
use std::ffi::c_void;

/// The name of the service.
pub const STORAGE_SERVICE: &str = "voltide.storage/1";

/// Method: the exact value function, the default.
pub const STORAGE_EXACT: u32 = 0;
/// Method: the closed form of smart charging; exact where it does not apply.
pub const STORAGE_V1G: u32 = 1;
/// Method: a linear program through CBC.
pub const STORAGE_LP: u32 = 2;
/// Method: a mixed-integer program through CBC.
pub const STORAGE_MILP: u32 = 3;

/// Tie rule: equal power over all slots of the marginal price class.
pub const STORAGE_SPREAD: u32 = 0;
/// Tie rule: energy comes as early and leaves as late as the optimum allows.
pub const STORAGE_EARLIEST: u32 = 1;
/// Tie rule: `load_kw` plus the battery's power is as even as the optimum allows.
pub const STORAGE_VALLEY_FILL: u32 = 2;

/// Flag: a row whose wishes cannot be met gets no schedule, instead of the best that can be
/// reached.
pub const STORAGE_STRICT: u32 = 1;

/// Outcome: no schedule is cheaper.
pub const STORAGE_OPTIMAL: u32 = 0;
/// Outcome: a schedule, at most `gap` above the optimum.
pub const STORAGE_FEASIBLE: u32 = 1;
/// Outcome: nothing satisfies the row; its power is 0.
pub const STORAGE_INFEASIBLE: u32 = 2;
/// Outcome: the cost falls without end; its power is 0.
pub const STORAGE_UNBOUNDED: u32 = 3;
/// Outcome: none was found within the budget; its power is 0.
pub const STORAGE_NO_SOLUTION: u32 = 4;

/// Target: reached.
pub const STORAGE_REACHED: u32 = 0;
/// Target: charging with full power in every slot is not enough.
pub const STORAGE_TOO_SHORT: u32 = 1;
/// Target: lies above the most energy allowed at the end.
pub const STORAGE_ABOVE_MAXIMUM: u32 = 2;
/// Target: upper bounds on the way, or limits of sites, keep the battery from charging in time.
pub const STORAGE_HELD_BY_BOUNDS: u32 = 3;

/// Share: who misses energy is whoever it is cheapest for.
pub const STORAGE_SHARE_COST: u32 = 0;
/// Share: all miss energy in proportion to what they want and could have alone, as far as limits
/// let them.
pub const STORAGE_SHARE_EVEN: u32 = 1;

/// Cost: `price` per kW by which the highest power lies above `baseline_kw`.
pub const STORAGE_COST_PEAK: u32 = 0;
/// Cost: half of `price`, per kWh and kW, times the square of the distance from `baseline_kw`, over
/// every slot.
pub const STORAGE_COST_SQUARE: u32 = 1;
/// Cost: `price` per kWh of distance from `series_kw`.
pub const STORAGE_COST_FOLLOW: u32 = 2;
/// Cost: a supply curve a slot, used from the cheapest step up; beyond all steps `price` per kWh.
/// Power below zero costs nothing.
pub const STORAGE_COST_SUPPLY: u32 = 3;

/// What `extension("voltide.storage/1")` points to; it outlives the instance.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct StorageTable {
    /// Size of this struct, bytes.
    pub size: u32,
    /// Always 0.
    pub reserved: u32,
    /// To be handed back with every call.
    pub context: *mut c_void,
    /// Solves every row. A status other than `STATUS_OK` says that the problems make no sense;
    /// wishes that cannot be met are no error but part of the answers.
    pub solve: Option<
        unsafe extern "C" fn(*mut c_void, *const StorageProblems, *const StorageAnswers) -> i32,
    >,
    /// Solves all rows together, behind the limits of sites: least power beyond limits first, then
    /// least energy missing, then least cost. `method` and `tie` are not looked at; the figures may
    /// be null. A status other than `STATUS_OK` is as for `solve`. Since version 1.3: absent where
    /// `size` ends before it.
    pub solve_group: Option<
        unsafe extern "C" fn(
            *mut c_void,
            *const StorageProblems,
            *const StorageSites,
            *const StorageAnswers,
            *const StorageFigures,
        ) -> i32,
    >,
}

/// Sites that limit rows together: a forest.
///
/// All columns but `site_id` are as in an observation, and can be handed on as they came.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct StorageSites {
    /// Size of this struct, bytes.
    pub size: u32,
    /// Number of rows n, as in the problems.
    pub rows: u32,
    /// Number of slots H, as in the problems.
    pub horizon: u32,
    /// Number of sites.
    pub sites: u32,
    /// The site of each row, n values; 0xFFFFFFFF for none.
    pub site_id: *const u32,
    /// Parent of each site; 0xFFFFFFFF for none.
    pub parent_site: *const u32,
    /// Most that a site may draw, sites x H, kW; infinite for no limit.
    pub import_kw_max: *const f64,
    /// Most that a site may feed in, sites x H, kW; infinite for no limit.
    pub export_kw_max: *const f64,
    /// Power behind each site that is there already, with that of the sites behind it, sites x H,
    /// kW; null for none.
    pub given_kw: *const f64,
    /// What the rows would do otherwise, n x H, kW: where the search begins; null where nothing is
    /// known.
    pub planned_kw: *const f64,
    /// Number of costs.
    pub costs: u32,
    /// `STORAGE_SHARE_COST` or `STORAGE_SHARE_EVEN`.
    pub share: u32,
    /// What the power of sites costs, beside what rows pay: a pointer a cost; null for none.
    pub cost: *const *const StorageCost,
}

/// What the power of a site costs, given power included. What its kind has no use for is not looked
/// at.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct StorageCost {
    /// Size of this struct, bytes.
    pub size: u32,
    /// One of `STORAGE_COST_PEAK`, `STORAGE_COST_SQUARE`, `STORAGE_COST_FOLLOW` and
    /// `STORAGE_COST_SUPPLY`.
    pub kind: u32,
    /// The site.
    pub site: u32,
    /// Number of steps of all slots together.
    pub steps: u32,
    /// The price, not negative; per what, the kind says.
    pub price: f64,
    /// The power that costs nothing, kW.
    pub baseline_kw: f64,
    /// The series to follow, H values, kW.
    pub series_kw: *const f64,
    /// H + 1 offsets into the next two columns: the steps of each slot, in any order.
    pub step_offset: *const u32,
    /// How much there is of a step, kW.
    pub step_kw: *const f64,
    /// What it costs, per kWh; not negative.
    pub step_price: *const f64,
}

/// Where the figures of a group go. Each may be null where it is of no interest.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct StorageFigures {
    /// Size of this struct, bytes.
    pub size: u32,
    /// Always 0.
    pub reserved: u32,
    /// Energy beyond limits, kWh: no less can be.
    pub violation_kwh: *mut f64,
    /// Stored energy below targets, kWh.
    pub missing_kwh: *mut f64,
    /// A lower bound of it, kWh.
    pub missing_bound_kwh: *mut f64,
    /// What all schedules cost together.
    pub cost: *mut f64,
    /// A lower bound of that at this missing energy; minus infinity where none is known.
    pub cost_bound: *mut f64,
}

/// Storage problems as rows: one battery each, minimising what it pays, less what it earns, plus
/// wear.
///
/// Power is on the grid side and positive when it charges, prices are per grid-side kWh, slots are
/// absolute (tick numbers) and cut to the H slots from `origin_slot` on. A column may be null only
/// where it says what that means.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct StorageProblems {
    /// Size of this struct, bytes.
    pub size: u32,
    /// One of `STORAGE_EXACT`, `STORAGE_V1G`, `STORAGE_LP` and `STORAGE_MILP`.
    pub method: u32,
    /// One of `STORAGE_SPREAD`, `STORAGE_EARLIEST` and `STORAGE_VALLEY_FILL`; programs through CBC
    /// give an optimum of CBC's choice.
    pub tie: u32,
    /// `STORAGE_STRICT` or 0.
    pub flags: u32,
    /// Length of a slot, h.
    pub slot_hours: f64,
    /// The slot with which the horizon begins.
    pub origin_slot: u32,
    /// Number of slots H.
    pub horizon: u32,
    /// Number of rows n.
    pub rows: u32,
    /// Number of tariffs.
    pub tariffs: u32,
    /// Number of energy bounds at given slots.
    pub bounds: u32,
    /// Always 0.
    pub reserved: u32,
    /// Price of energy bought, tariffs x H.
    pub buy_price: *const f64,
    /// Price of energy sold, tariffs x H; null where it is the price of energy bought.
    pub sell_price: *const f64,
    /// The load that `STORAGE_VALLEY_FILL` fills, H values, kW; null for no load.
    pub load_kw: *const f64,
    /// Which tariff the battery pays; null for the first throughout.
    pub tariff_id: *const u32,
    /// First slot that it may use, `origin_slot` where that is later; null for `origin_slot`
    /// throughout.
    pub first_slot: *const u32,
    /// The slot after its last one.
    pub end_slot: *const u32,
    /// Stored energy at the beginning of its first slot, kWh.
    pub energy_kwh: *const f64,
    /// Least stored energy, kWh.
    pub energy_kwh_min: *const f64,
    /// Most stored energy, kWh.
    pub energy_kwh_max: *const f64,
    /// Least stored energy at the end of its last slot, kWh.
    pub target_kwh: *const f64,
    /// Most that may be charged with, kW.
    pub charge_kw_max: *const f64,
    /// Most that may be discharged with, kW; null for 0 throughout.
    pub discharge_kw_max: *const f64,
    /// Stored per grid-side energy charged, above 0 and at most 1.
    pub charge_efficiency: *const f64,
    /// Grid-side per stored energy discharged, above 0 and at most 1.
    pub discharge_efficiency: *const f64,
    /// Price of wear per grid-side kWh discharged; null for 0 throughout.
    pub degradation_per_kwh: *const f64,
    /// What a kWh still stored at the end is worth; null for 0 throughout.
    pub terminal_value_per_kwh: *const f64,
    /// One bit per row and slot: may discharge. Row-major, least significant bit first, rows padded
    /// to whole bytes; null where everyone may throughout.
    pub may_discharge: *const u8,
    /// n + 1 offsets into the next three columns, or null where no row has such bounds.
    pub bound_offset: *const u32,
    /// The slot at whose beginning the bound holds.
    pub bound_slot: *const u32,
    /// Least energy then, kWh.
    pub bound_kwh_min: *const f64,
    /// Most energy then, kWh.
    pub bound_kwh_max: *const f64,
}

/// Where the answers go. Columns have n values and may be null where they are of no interest,
/// except `power_kw`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct StorageAnswers {
    /// Size of this struct, bytes.
    pub size: u32,
    /// Number of rows n, as in the problems.
    pub rows: u32,
    /// Number of slots H, as in the problems.
    pub horizon: u32,
    /// Always 0.
    pub reserved: u32,
    /// The schedules, n x H, row-major, kW, positive charges; 0 outside a row's slots.
    pub power_kw: *mut f64,
    /// From `STORAGE_OPTIMAL` to `STORAGE_NO_SOLUTION`.
    pub outcome: *mut u32,
    /// What the schedule costs, less the terminal value; NaN without a schedule.
    pub objective: *mut f64,
    /// With `STORAGE_FEASIBLE`: at most this share of max(1, |objective|) above the optimum; else
    /// 0.
    pub gap: *mut f64,
    /// From `STORAGE_REACHED` to `STORAGE_HELD_BY_BOUNDS`.
    pub target: *mut u32,
    /// Target less energy at the end, kWh; 0 where it is reached.
    pub missing_kwh: *mut f64,
    /// Number of slots at whose end the energy is outside its bounds, because it cannot be helped.
    pub slots_outside: *mut u32,
    /// The largest distance from the bounds there, kWh; negative where the energy is too low.
    pub worst_kwh: *mut f64,
    /// Takes the reason when the status is not `STATUS_OK`. Where this is null the reason is kept
    /// as if handed to `set_error`, so that the policy can just return the status.
    pub message: *const ByteSink,
}
