//! The binary contract, version 1.3: what crosses between the program and a plugin.
//!
//! `include/voltide_policy.h` is generated from this file and `abi/storage.rs`. Every struct begins
//! with its size in bytes and only ever grows at its end; a reader takes the part that it knows and
//! reads what is missing as zero or null. No Rust type crosses, a status is a plain number, and
//! pointers hold for the call only, except for the tables: the program's outlives the instance, the
//! policy's the process.
//!
//! Authors of policies in Rust need none of this: they implement [`Policy`](crate::Policy) and
//! write [`export_policy!`](crate::export_policy).

mod shim;
mod site_costs;
mod storage;
mod storage_service;
mod view;
mod world_service;

pub use shim::{Host, table};
pub use storage::{
    STORAGE_ABOVE_MAXIMUM, STORAGE_COST_FOLLOW, STORAGE_COST_PEAK, STORAGE_COST_SQUARE,
    STORAGE_COST_SUPPLY, STORAGE_EARLIEST, STORAGE_EXACT, STORAGE_FEASIBLE, STORAGE_HELD_BY_BOUNDS,
    STORAGE_INFEASIBLE, STORAGE_LP, STORAGE_MILP, STORAGE_NO_SOLUTION, STORAGE_OPTIMAL,
    STORAGE_REACHED, STORAGE_SERVICE, STORAGE_SHARE_COST, STORAGE_SHARE_EVEN, STORAGE_SPREAD,
    STORAGE_STRICT, STORAGE_TOO_SHORT, STORAGE_UNBOUNDED, STORAGE_V1G, STORAGE_VALLEY_FILL,
    StorageAnswers, StorageCost, StorageFigures, StorageProblems, StorageSites, StorageTable,
};
pub use storage_service::Storage;
pub use view::{Versioned, copy_prefix};

use std::ffi::{c_char, c_void};

/// The bytes `VOLTIDE` and 1, read as a little-endian number: marks a policy table.
pub const MAGIC: u64 = 0x0145_4449_544C_4F56;
/// A plugin and a program understand each other when their majors are equal.
pub const ABI_MAJOR: u16 = 1;
/// Grows with every field or service that is added.
pub const ABI_MINOR: u16 = 3;

/// Status: done.
pub const STATUS_OK: i32 = 0;
/// Status: refused or failed; the message was handed to `set_error`.
pub const STATUS_ERROR: i32 = 1;
/// Status: the policy panicked; the instance can only be destroyed.
pub const STATUS_PANIC: i32 = 2;

/// Flag: the policy has memory, so `save` and `load` are set.
pub const FLAG_STATEFUL: u32 = 1;
/// Flag: when one car of a site is due, all its plugged cars are to be shown.
pub const FLAG_WHOLE_SITE: u32 = 2;
/// `flags`: its cars pay and are paid the incentive price, instead of their tariff.
pub const FLAG_PAYS_INCENTIVE: u32 = 4;
/// `flags`: where the plans that it made of cars alone do not keep the limits of a tree of sites
/// together, all plugged cars of that tree are to be shown, as `SHOWN_TREE`; since version 1.3.
pub const FLAG_WHOLE_TREE: u32 = 8;

/// `flags`: its cars act as one fleet. Those that are due in a slot are shown at once, and where it
/// has `replan_slots`, all plugged cars in every slot whose number that divides; since version 1.3.
pub const FLAG_WHOLE_FLEET: u32 = 16;

/// The name of the service that tells of the world.
pub const WORLD_SERVICE: &str = "voltide.world/1";
/// `flags` of the world: units are scheduled in it.
pub const WORLD_HAS_PLANT: u32 = 1;

/// `shown_as`: the stays that are due.
pub const SHOWN_DUE: u32 = 0;
/// `shown_as`: all plugged cars of a tree of sites, whose plans in force do not keep its limits
/// together.
pub const SHOWN_TREE: u32 = 1;
/// `shown_as`: all that is to be planned of a fleet that acts as one.
pub const SHOWN_FLEET: u32 = 2;

/// The offset of an error that has no place in the config.
pub const NO_OFFSET: u64 = 0xFFFF_FFFF_FFFF_FFFF;

/// Log level: something failed.
pub const LOG_ERROR: u32 = 1;
/// Log level: something that the user should look at.
pub const LOG_WARN: u32 = 2;
/// Log level: worth knowing.
pub const LOG_INFO: u32 = 3;
/// Log level: for the policy's author.
pub const LOG_DEBUG: u32 = 4;

/// UTF-8 text or bytes, not terminated by a zero.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// The first byte; may be null when there are none.
    pub start: *const c_char,
    /// Number of bytes.
    pub len: usize,
}

/// What the program lends to an instance. Its functions may be called from any thread while a call
/// is under way.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct HostTable {
    /// Size of this struct, bytes.
    pub size: u32,
    /// Major version that the program speaks.
    pub major: u16,
    /// Minor version that the program speaks.
    pub minor: u16,
    /// To be handed back with every call.
    pub context: *mut c_void,
    /// Writes a line to the program's log: context, level, message.
    pub log: Option<unsafe extern "C" fn(*mut c_void, u32, Text)>,
    /// Says why the call will return an error: context, message, byte offset in the config or
    /// `NO_OFFSET`. The message is copied.
    pub set_error: Option<unsafe extern "C" fn(*mut c_void, Text, u64)>,
    /// A further service by its name, or null where the program has none of that name.
    pub extension: Option<unsafe extern "C" fn(*mut c_void, Text) -> *const c_void>,
}

/// What `extension("voltide.world/1")` points to: what there is to know of the world before
/// anything is planned; it outlives the instance. Absent where no world is known yet. Since version 1.3.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct WorldTable {
    /// Size of this struct, bytes.
    pub size: u32,
    /// `WORLD_HAS_PLANT` or 0.
    pub flags: u32,
    /// ISO 4217 code of all money.
    pub currency: Text,
    /// The names of the world's own series, in the order in which an observation has them.
    pub series_name: *const Text,
    /// How many they are.
    pub series: u32,
    /// Always 0.
    pub reserved: u32,
}

/// Takes the bytes of a saved state.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ByteSink {
    /// Size of this struct, bytes.
    pub size: u32,
    /// Always 0.
    pub reserved: u32,
    /// To be handed back with every call.
    pub context: *mut c_void,
    /// Appends bytes, which are copied.
    pub write: Option<unsafe extern "C" fn(*mut c_void, Text)>,
}

/// What a plugin is: returned by its one symbol, `voltide_policy_v1`.
///
/// `create` and `destroy` may be null for a policy without config and memory, whose instance is
/// then null; `save` and `load` may be null for one without memory. An instance is never entered
/// by two threads at once, but may move from one to another.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct PolicyTable {
    /// Size of this struct, bytes.
    pub size: u32,
    /// Major version that the plugin was built for.
    pub major: u16,
    /// Minor version that the plugin was built for.
    pub minor: u16,
    /// `MAGIC`.
    pub magic: u64,
    /// Name of the policy.
    pub name: Text,
    /// Version of the policy.
    pub version: Text,
    /// The sum of those of `FLAG_STATEFUL`, `FLAG_WHOLE_SITE`, `FLAG_PAYS_INCENTIVE`,
    /// `FLAG_WHOLE_TREE` and `FLAG_WHOLE_FLEET` that hold.
    pub flags: u32,
    /// Slots after which a stay is shown again; 0 for never, 1 for every tick.
    pub replan_slots: u32,
    /// Longest horizon that the policy makes use of; 0 for no limit.
    pub horizon_slots: u32,
    /// Always 0.
    pub reserved: u32,
    /// Makes an instance from the config, the verbatim RON value of the world file.
    pub create: Option<unsafe extern "C" fn(*const HostTable, Text, *mut *mut c_void) -> i32>,
    /// Fills in the schedules of the stays shown.
    pub plan: Option<
        unsafe extern "C" fn(*mut c_void, *const ObservationColumns, *mut ScheduleMatrix) -> i32,
    >,
    /// Writes the instance's memory to the sink.
    pub save: Option<unsafe extern "C" fn(*mut c_void, *const ByteSink) -> i32>,
    /// Takes up a memory that `save` wrote.
    pub load: Option<unsafe extern "C" fn(*mut c_void, Text) -> i32>,
    /// Ends an instance.
    pub destroy: Option<unsafe extern "C" fn(*mut c_void)>,
}

/// What the policy is shown. A row is a stay that needs a schedule; rows are sorted by `ev_id`.
///
/// A column of rows has `stays` values and is never null when there are rows. A series has one
/// value a slot of the horizon, from now on; several series of one kind lie one after the other.
/// Slots of stays are absolute (tick numbers), power is on the grid side and positive when it
/// charges, prices are per kWh.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ObservationColumns {
    /// Size of this struct, bytes.
    pub size: u32,
    /// The slot that begins now.
    pub tick: u32,
    /// Its beginning, milliseconds since 1970 in UTC.
    pub unix_ms: i64,
    /// Length of a slot, h.
    pub slot_hours: f64,
    /// Number of slots H that schedules cover, from now on.
    pub horizon: u32,
    /// Number of rows n.
    pub stays: u32,
    /// Number of energy bounds at given slots.
    pub bounds: u32,
    /// Number of tariffs.
    pub tariffs: u32,
    /// Number of sites.
    pub sites: u32,
    /// Always 0.
    pub reserved: u32,
    /// Id of the stay.
    pub stay_id: *const u64,
    /// Id of the car.
    pub ev_id: *const u32,
    /// Site of its charger; 0xFFFFFFFF for none.
    pub site_id: *const u32,
    /// Tariff it pays: which of the price series is meant.
    pub tariff_id: *const u32,
    /// First slot of the stay; may lie before now, and after it where stays are planned ahead.
    pub arrival_slot: *const u32,
    /// The slot after its last one, as the driver announced it; later than now.
    pub departure_slot: *const u32,
    /// Willingness to take part in V2G now, 0 to 1.
    pub willingness: *const f64,
    /// Stored energy, kWh.
    pub energy_kwh: *const f64,
    /// Energy when full, kWh.
    pub capacity_kwh: *const f64,
    /// Energy that discharging must leave, kWh: no more than the stay began with.
    pub energy_kwh_min: *const f64,
    /// Energy that charging may reach, kWh: no less than the stay began with.
    pub energy_kwh_max: *const f64,
    /// Energy wanted at departure, kWh.
    pub departure_energy_kwh: *const f64,
    /// Most that charger and car charge with, kW.
    pub charge_kw_max: *const f64,
    /// Most that charger and car discharge with, kW; not negative.
    pub discharge_kw_max: *const f64,
    /// Stored per grid-side energy charged, 0 to 1.
    pub charge_efficiency: *const f64,
    /// Grid-side per stored energy discharged, 0 to 1.
    pub discharge_efficiency: *const f64,
    /// Price of wear per grid-side kWh discharged.
    pub degradation_per_kwh: *const f64,
    /// 1 where the stay is long enough for V2G.
    pub v2g_eligible: *const u8,
    /// n + 1 offsets into the next three columns, or null where no row has such bounds.
    pub bound_offset: *const u32,
    /// The slot at whose beginning the bound holds.
    pub bound_slot: *const u32,
    /// Least energy then, kWh.
    pub bound_kwh_min: *const f64,
    /// Most energy then, kWh.
    pub bound_kwh_max: *const f64,
    /// One bit per stay and slot: the driver agreed to discharge, or is not asked and so may.
    /// Row-major, least significant bit first, rows padded to whole bytes; null where nobody is
    /// asked.
    pub agreed: *const u8,
    /// The schedules in force, n x H, kW; null where no row has one.
    pub planned_kw: *const f64,
    /// Price of energy bought, tariffs x H; this and all that follow are null where unknown.
    pub buy_price: *const f64,
    /// Price of energy sold, tariffs x H.
    pub sell_price: *const f64,
    /// Time-of-use price, tariffs x H.
    pub tou_price: *const f64,
    /// Incentive price of energy bought, tariffs x H.
    pub incentive_price: *const f64,
    /// Forecast of base load less wind and sun, H values, kW: what the world declares to be known
    /// now.
    pub net_load_kw: *const f64,
    /// EV power already planned, H values, kW.
    pub committed_ev_kw: *const f64,
    /// Parent of each site; 0xFFFFFFFF for none.
    pub parent_site: *const u32,
    /// Most that a site may draw, sites x H, kW.
    pub site_import_kw_max: *const f64,
    /// Most that a site may feed in, sites x H, kW.
    pub site_export_kw_max: *const f64,
    /// Power of the plans in force behind each site, sites x H, kW.
    pub site_committed_kw: *const f64,
    /// Forecast of base load, H values, kW; this and all that follow since version 1.2.
    pub base_load_kw: *const f64,
    /// Forecast of wind power available, H values, kW.
    pub wind_kw: *const f64,
    /// Forecast of photovoltaic power available, H values, kW.
    pub pv_kw: *const f64,
    /// What the schedule asked for in the slot before now, n values, kW; 0 where the stay began
    /// since.
    pub last_asked_kw: *const f64,
    /// What of that its sites allowed, n values, kW: less where a site's limit cut it.
    pub last_allowed_kw: *const f64,
    /// What the car really drew, n values, kW: less than allowed where its battery was full, or
    /// empty.
    pub last_drawn_kw: *const f64,
    /// Price of energy bought as far as it is known, tariffs x K.
    pub known_buy_price: *const f64,
    /// Price of energy sold as far as it is known, tariffs x K.
    pub known_sell_price: *const f64,
    /// Number of slots K for which prices are known from now on, at least H and at most a week.
    pub known_slots: u32,
    /// `SHOWN_DUE`, `SHOWN_TREE` or `SHOWN_FLEET`; 0 before version 1.3.
    pub shown_as: u32,
    /// Power behind each site of plans in force of stays that are not shown, sites x H, kW; null
    /// with `SHOWN_DUE`, but for policies of whole fleets. This and all that follow since version
    /// 1.3.
    pub site_others_kw: *const f64,
    /// What of `committed_ev_kw` belongs to stays that are not shown, H values, kW; null but for
    /// policies of whole fleets.
    pub others_ev_kw: *const f64,
    /// The world's own series, series x H, kW.
    pub series_kw: *const f64,
    /// Number of the world's own series.
    pub series: u32,
    /// Number of steps of supply curves, of all slots together.
    pub supply_steps: u32,
    /// Highest net load so far, cars included, kW; not negative.
    pub net_load_most_kw: f64,
    /// H + 1 offsets into the next two columns, or null: the steps by which the plant serves net
    /// load, from the cheapest on, by its schedule of the day; beyond the day by the same hours.
    /// Only for policies of whole fleets, and not before there is a schedule.
    pub supply_offset: *const u32,
    /// How much there is of a step, kW.
    pub supply_kw: *const f64,
    /// What it costs, per kWh; not negative.
    pub supply_price: *const f64,
    /// What a kWh costs that is beyond all steps.
    pub supply_beyond_price: f64,
}

/// The answer: power per row and slot, filled with 0 before the policy sees it. Only the values are
/// the policy's to change.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleMatrix {
    /// Size of this struct, bytes.
    pub size: u32,
    /// Number of rows n.
    pub stays: u32,
    /// Number of slots H.
    pub horizon: u32,
    /// Always 0.
    pub reserved: u32,
    /// n x H values, row-major, kW, positive charges.
    pub power_kw: *mut f64,
}

/// The one symbol of a plugin: given the version that the program speaks, its table, or null
/// when it cannot serve that major.
pub type Entry = unsafe extern "C" fn(host_major: u16, host_minor: u16) -> *const PolicyTable;
/// The name of that symbol.
pub const ENTRY: &str = "voltide_policy_v1";
