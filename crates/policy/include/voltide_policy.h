/* The binary contract of voltide's dispatch policies, version 1.3.
 *
 * Generated from crates/policy/src/abi.rs and abi/storage.rs; `VOLTIDE_BLESS=1 cargo test -p voltide-policy` writes it anew.
 *
 * Every struct begins with its size in bytes and only ever grows at its end. A status is a plain
 * number. Pointers hold for the call only, except for the tables: the program's outlives the
 * instance, the policy's the process.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

// The bytes `VOLTIDE` and 1, read as a little-endian number: marks a policy table.
#define VOLTIDE_MAGIC 91554449168551766

// A plugin and a program understand each other when their majors are equal.
#define VOLTIDE_ABI_MAJOR 1

// Grows with every field or service that is added.
#define VOLTIDE_ABI_MINOR 3

// Status: done.
#define VOLTIDE_STATUS_OK 0

// Status: refused or failed; the message was handed to `set_error`.
#define VOLTIDE_STATUS_ERROR 1

// Status: the policy panicked; the instance can only be destroyed.
#define VOLTIDE_STATUS_PANIC 2

// Flag: the policy has memory, so `save` and `load` are set.
#define VOLTIDE_FLAG_STATEFUL 1

// Flag: when one car of a site is due, all its plugged cars are to be shown.
#define VOLTIDE_FLAG_WHOLE_SITE 2

// `flags`: its cars pay and are paid the incentive price, instead of their tariff.
#define VOLTIDE_FLAG_PAYS_INCENTIVE 4

// `flags`: where the plans that it made of cars alone do not keep the limits of a tree of sites
// together, all plugged cars of that tree are to be shown, as `SHOWN_TREE`; since version 1.3.
#define VOLTIDE_FLAG_WHOLE_TREE 8

// `flags`: its cars act as one fleet. Those that are due in a slot are shown at once, and where it
// has `replan_slots`, all plugged cars in every slot whose number that divides; since version 1.3.
#define VOLTIDE_FLAG_WHOLE_FLEET 16

// `flags` of the world: units are scheduled in it.
#define VOLTIDE_WORLD_HAS_PLANT 1

// `shown_as`: the stays that are due.
#define VOLTIDE_SHOWN_DUE 0

// `shown_as`: all plugged cars of a tree of sites, whose plans in force do not keep its limits
// together.
#define VOLTIDE_SHOWN_TREE 1

// `shown_as`: all that is to be planned of a fleet that acts as one.
#define VOLTIDE_SHOWN_FLEET 2

// The offset of an error that has no place in the config.
#define VOLTIDE_NO_OFFSET 18446744073709551615ull

// Log level: something failed.
#define VOLTIDE_LOG_ERROR 1

// Log level: something that the user should look at.
#define VOLTIDE_LOG_WARN 2

// Log level: worth knowing.
#define VOLTIDE_LOG_INFO 3

// Log level: for the policy's author.
#define VOLTIDE_LOG_DEBUG 4

// Method: the exact value function, the default.
#define VOLTIDE_STORAGE_EXACT 0

// Method: the closed form of smart charging; exact where it does not apply.
#define VOLTIDE_STORAGE_V1G 1

// Method: a linear program through CBC.
#define VOLTIDE_STORAGE_LP 2

// Method: a mixed-integer program through CBC.
#define VOLTIDE_STORAGE_MILP 3

// Tie rule: equal power over all slots of the marginal price class.
#define VOLTIDE_STORAGE_SPREAD 0

// Tie rule: energy comes as early and leaves as late as the optimum allows.
#define VOLTIDE_STORAGE_EARLIEST 1

// Tie rule: `load_kw` plus the battery's power is as even as the optimum allows.
#define VOLTIDE_STORAGE_VALLEY_FILL 2

// Flag: a row whose wishes cannot be met gets no schedule, instead of the best that can be
// reached.
#define VOLTIDE_STORAGE_STRICT 1

// Outcome: no schedule is cheaper.
#define VOLTIDE_STORAGE_OPTIMAL 0

// Outcome: a schedule, at most `gap` above the optimum.
#define VOLTIDE_STORAGE_FEASIBLE 1

// Outcome: nothing satisfies the row; its power is 0.
#define VOLTIDE_STORAGE_INFEASIBLE 2

// Outcome: the cost falls without end; its power is 0.
#define VOLTIDE_STORAGE_UNBOUNDED 3

// Outcome: none was found within the budget; its power is 0.
#define VOLTIDE_STORAGE_NO_SOLUTION 4

// Target: reached.
#define VOLTIDE_STORAGE_REACHED 0

// Target: charging with full power in every slot is not enough.
#define VOLTIDE_STORAGE_TOO_SHORT 1

// Target: lies above the most energy allowed at the end.
#define VOLTIDE_STORAGE_ABOVE_MAXIMUM 2

// Target: upper bounds on the way, or limits of sites, keep the battery from charging in time.
#define VOLTIDE_STORAGE_HELD_BY_BOUNDS 3

// Share: who misses energy is whoever it is cheapest for.
#define VOLTIDE_STORAGE_SHARE_COST 0

// Share: all miss energy in proportion to what they want and could have alone, as far as limits
// let them.
#define VOLTIDE_STORAGE_SHARE_EVEN 1

// Cost: `price` per kW by which the highest power lies above `baseline_kw`.
#define VOLTIDE_STORAGE_COST_PEAK 0

// Cost: half of `price`, per kWh and kW, times the square of the distance from `baseline_kw`, over
// every slot.
#define VOLTIDE_STORAGE_COST_SQUARE 1

// Cost: `price` per kWh of distance from `series_kw`.
#define VOLTIDE_STORAGE_COST_FOLLOW 2

// Cost: a supply curve a slot, used from the cheapest step up; beyond all steps `price` per kWh.
// Power below zero costs nothing.
#define VOLTIDE_STORAGE_COST_SUPPLY 3

// UTF-8 text or bytes, not terminated by a zero.
typedef struct {
  // The first byte; may be null when there are none.
  const char *start;
  // Number of bytes.
  size_t len;
} voltide_text;

// What the program lends to an instance. Its functions may be called from any thread while a call
// is under way.
typedef struct {
  // Size of this struct, bytes.
  uint32_t size;
  // Major version that the program speaks.
  uint16_t major;
  // Minor version that the program speaks.
  uint16_t minor;
  // To be handed back with every call.
  void *context;
  // Writes a line to the program's log: context, level, message.
  void (*log)(void*, uint32_t, voltide_text);
  // Says why the call will return an error: context, message, byte offset in the config or
  // `NO_OFFSET`. The message is copied.
  void (*set_error)(void*, voltide_text, uint64_t);
  // A further service by its name, or null where the program has none of that name.
  const void *(*extension)(void*, voltide_text);
} voltide_host;

// Takes the bytes of a saved state.
typedef struct {
  // Size of this struct, bytes.
  uint32_t size;
  // Always 0.
  uint32_t reserved;
  // To be handed back with every call.
  void *context;
  // Appends bytes, which are copied.
  void (*write)(void*, voltide_text);
} voltide_sink;

// What the policy is shown. A row is a stay that needs a schedule; rows are sorted by `ev_id`.
//
// A column of rows has `stays` values and is never null when there are rows. A series has one
// value a slot of the horizon, from now on; several series of one kind lie one after the other.
// Slots of stays are absolute (tick numbers), power is on the grid side and positive when it
// charges, prices are per kWh.
typedef struct {
  // Size of this struct, bytes.
  uint32_t size;
  // The slot that begins now.
  uint32_t tick;
  // Its beginning, milliseconds since 1970 in UTC.
  int64_t unix_ms;
  // Length of a slot, h.
  double slot_hours;
  // Number of slots H that schedules cover, from now on.
  uint32_t horizon;
  // Number of rows n.
  uint32_t stays;
  // Number of energy bounds at given slots.
  uint32_t bounds;
  // Number of tariffs.
  uint32_t tariffs;
  // Number of sites.
  uint32_t sites;
  // Always 0.
  uint32_t reserved;
  // Id of the stay.
  const uint64_t *stay_id;
  // Id of the car.
  const uint32_t *ev_id;
  // Site of its charger; 0xFFFFFFFF for none.
  const uint32_t *site_id;
  // Tariff it pays: which of the price series is meant.
  const uint32_t *tariff_id;
  // First slot of the stay; may lie before now, and after it where stays are planned ahead.
  const uint32_t *arrival_slot;
  // The slot after its last one, as the driver announced it; later than now.
  const uint32_t *departure_slot;
  // Willingness to take part in V2G now, 0 to 1.
  const double *willingness;
  // Stored energy, kWh.
  const double *energy_kwh;
  // Energy when full, kWh.
  const double *capacity_kwh;
  // Energy that discharging must leave, kWh: no more than the stay began with.
  const double *energy_kwh_min;
  // Energy that charging may reach, kWh: no less than the stay began with.
  const double *energy_kwh_max;
  // Energy wanted at departure, kWh.
  const double *departure_energy_kwh;
  // Most that charger and car charge with, kW.
  const double *charge_kw_max;
  // Most that charger and car discharge with, kW; not negative.
  const double *discharge_kw_max;
  // Stored per grid-side energy charged, 0 to 1.
  const double *charge_efficiency;
  // Grid-side per stored energy discharged, 0 to 1.
  const double *discharge_efficiency;
  // Price of wear per grid-side kWh discharged.
  const double *degradation_per_kwh;
  // 1 where the stay is long enough for V2G.
  const uint8_t *v2g_eligible;
  // n + 1 offsets into the next three columns, or null where no row has such bounds.
  const uint32_t *bound_offset;
  // The slot at whose beginning the bound holds.
  const uint32_t *bound_slot;
  // Least energy then, kWh.
  const double *bound_kwh_min;
  // Most energy then, kWh.
  const double *bound_kwh_max;
  // One bit per stay and slot: the driver agreed to discharge, or is not asked and so may.
  // Row-major, least significant bit first, rows padded to whole bytes; null where nobody is
  // asked.
  const uint8_t *agreed;
  // The schedules in force, n x H, kW; null where no row has one.
  const double *planned_kw;
  // Price of energy bought, tariffs x H; this and all that follow are null where unknown.
  const double *buy_price;
  // Price of energy sold, tariffs x H.
  const double *sell_price;
  // Time-of-use price, tariffs x H.
  const double *tou_price;
  // Incentive price of energy bought, tariffs x H.
  const double *incentive_price;
  // Forecast of base load less wind and sun, H values, kW: what the world declares to be known
  // now.
  const double *net_load_kw;
  // EV power already planned, H values, kW.
  const double *committed_ev_kw;
  // Parent of each site; 0xFFFFFFFF for none.
  const uint32_t *parent_site;
  // Most that a site may draw, sites x H, kW.
  const double *site_import_kw_max;
  // Most that a site may feed in, sites x H, kW.
  const double *site_export_kw_max;
  // Power of the plans in force behind each site, sites x H, kW.
  const double *site_committed_kw;
  // Forecast of base load, H values, kW; this and all that follow since version 1.2.
  const double *base_load_kw;
  // Forecast of wind power available, H values, kW.
  const double *wind_kw;
  // Forecast of photovoltaic power available, H values, kW.
  const double *pv_kw;
  // What the schedule asked for in the slot before now, n values, kW; 0 where the stay began
  // since.
  const double *last_asked_kw;
  // What of that its sites allowed, n values, kW: less where a site's limit cut it.
  const double *last_allowed_kw;
  // What the car really drew, n values, kW: less than allowed where its battery was full, or
  // empty.
  const double *last_drawn_kw;
  // Price of energy bought as far as it is known, tariffs x K.
  const double *known_buy_price;
  // Price of energy sold as far as it is known, tariffs x K.
  const double *known_sell_price;
  // Number of slots K for which prices are known from now on, at least H and at most a week.
  uint32_t known_slots;
  // `SHOWN_DUE`, `SHOWN_TREE` or `SHOWN_FLEET`; 0 before version 1.3.
  uint32_t shown_as;
  // Power behind each site of plans in force of stays that are not shown, sites x H, kW; null
  // with `SHOWN_DUE`, but for policies of whole fleets. This and all that follow since version
  // 1.3.
  const double *site_others_kw;
  // What of `committed_ev_kw` belongs to stays that are not shown, H values, kW; null but for
  // policies of whole fleets.
  const double *others_ev_kw;
  // The world's own series, series x H, kW.
  const double *series_kw;
  // Number of the world's own series.
  uint32_t series;
  // Number of steps of supply curves, of all slots together.
  uint32_t supply_steps;
  // Highest net load so far, cars included, kW; not negative.
  double net_load_most_kw;
  // H + 1 offsets into the next two columns, or null: the steps by which the plant serves net
  // load, from the cheapest on, by its schedule of the day; beyond the day by the same hours.
  // Only for policies of whole fleets, and not before there is a schedule.
  const uint32_t *supply_offset;
  // How much there is of a step, kW.
  const double *supply_kw;
  // What it costs, per kWh; not negative.
  const double *supply_price;
  // What a kWh costs that is beyond all steps.
  double supply_beyond_price;
} voltide_observation;

// The answer: power per row and slot, filled with 0 before the policy sees it. Only the values are
// the policy's to change.
typedef struct {
  // Size of this struct, bytes.
  uint32_t size;
  // Number of rows n.
  uint32_t stays;
  // Number of slots H.
  uint32_t horizon;
  // Always 0.
  uint32_t reserved;
  // n x H values, row-major, kW, positive charges.
  double *power_kw;
} voltide_schedules;

// What a plugin is: returned by its one symbol, `voltide_policy_v1`.
//
// `create` and `destroy` may be null for a policy without config and memory, whose instance is
// then null; `save` and `load` may be null for one without memory. An instance is never entered
// by two threads at once, but may move from one to another.
typedef struct {
  // Size of this struct, bytes.
  uint32_t size;
  // Major version that the plugin was built for.
  uint16_t major;
  // Minor version that the plugin was built for.
  uint16_t minor;
  // `MAGIC`.
  uint64_t magic;
  // Name of the policy.
  voltide_text name;
  // Version of the policy.
  voltide_text version;
  // The sum of those of `FLAG_STATEFUL`, `FLAG_WHOLE_SITE`, `FLAG_PAYS_INCENTIVE`,
  // `FLAG_WHOLE_TREE` and `FLAG_WHOLE_FLEET` that hold.
  uint32_t flags;
  // Slots after which a stay is shown again; 0 for never, 1 for every tick.
  uint32_t replan_slots;
  // Longest horizon that the policy makes use of; 0 for no limit.
  uint32_t horizon_slots;
  // Always 0.
  uint32_t reserved;
  // Makes an instance from the config, the verbatim RON value of the world file.
  int32_t (*create)(const voltide_host*, voltide_text, void**);
  // Fills in the schedules of the stays shown.
  int32_t (*plan)(void*, const voltide_observation*, voltide_schedules*);
  // Writes the instance's memory to the sink.
  int32_t (*save)(void*, const voltide_sink*);
  // Takes up a memory that `save` wrote.
  int32_t (*load)(void*, voltide_text);
  // Ends an instance.
  void (*destroy)(void*);
} voltide_policy;

// Storage problems as rows: one battery each, minimising what it pays, less what it earns, plus
// wear.
//
// Power is on the grid side and positive when it charges, prices are per grid-side kWh, slots are
// absolute (tick numbers) and cut to the H slots from `origin_slot` on. A column may be null only
// where it says what that means.
typedef struct {
  // Size of this struct, bytes.
  uint32_t size;
  // One of `STORAGE_EXACT`, `STORAGE_V1G`, `STORAGE_LP` and `STORAGE_MILP`.
  uint32_t method;
  // One of `STORAGE_SPREAD`, `STORAGE_EARLIEST` and `STORAGE_VALLEY_FILL`; programs through CBC
  // give an optimum of CBC's choice.
  uint32_t tie;
  // `STORAGE_STRICT` or 0.
  uint32_t flags;
  // Length of a slot, h.
  double slot_hours;
  // The slot with which the horizon begins.
  uint32_t origin_slot;
  // Number of slots H.
  uint32_t horizon;
  // Number of rows n.
  uint32_t rows;
  // Number of tariffs.
  uint32_t tariffs;
  // Number of energy bounds at given slots.
  uint32_t bounds;
  // Always 0.
  uint32_t reserved;
  // Price of energy bought, tariffs x H.
  const double *buy_price;
  // Price of energy sold, tariffs x H; null where it is the price of energy bought.
  const double *sell_price;
  // The load that `STORAGE_VALLEY_FILL` fills, H values, kW; null for no load.
  const double *load_kw;
  // Which tariff the battery pays; null for the first throughout.
  const uint32_t *tariff_id;
  // First slot that it may use, `origin_slot` where that is later; null for `origin_slot`
  // throughout.
  const uint32_t *first_slot;
  // The slot after its last one.
  const uint32_t *end_slot;
  // Stored energy at the beginning of its first slot, kWh.
  const double *energy_kwh;
  // Least stored energy, kWh.
  const double *energy_kwh_min;
  // Most stored energy, kWh.
  const double *energy_kwh_max;
  // Least stored energy at the end of its last slot, kWh.
  const double *target_kwh;
  // Most that may be charged with, kW.
  const double *charge_kw_max;
  // Most that may be discharged with, kW; null for 0 throughout.
  const double *discharge_kw_max;
  // Stored per grid-side energy charged, above 0 and at most 1.
  const double *charge_efficiency;
  // Grid-side per stored energy discharged, above 0 and at most 1.
  const double *discharge_efficiency;
  // Price of wear per grid-side kWh discharged; null for 0 throughout.
  const double *degradation_per_kwh;
  // What a kWh still stored at the end is worth; null for 0 throughout.
  const double *terminal_value_per_kwh;
  // One bit per row and slot: may discharge. Row-major, least significant bit first, rows padded
  // to whole bytes; null where everyone may throughout.
  const uint8_t *may_discharge;
  // n + 1 offsets into the next three columns, or null where no row has such bounds.
  const uint32_t *bound_offset;
  // The slot at whose beginning the bound holds.
  const uint32_t *bound_slot;
  // Least energy then, kWh.
  const double *bound_kwh_min;
  // Most energy then, kWh.
  const double *bound_kwh_max;
} voltide_storage_problems;

// Where the answers go. Columns have n values and may be null where they are of no interest,
// except `power_kw`.
typedef struct {
  // Size of this struct, bytes.
  uint32_t size;
  // Number of rows n, as in the problems.
  uint32_t rows;
  // Number of slots H, as in the problems.
  uint32_t horizon;
  // Always 0.
  uint32_t reserved;
  // The schedules, n x H, row-major, kW, positive charges; 0 outside a row's slots.
  double *power_kw;
  // From `STORAGE_OPTIMAL` to `STORAGE_NO_SOLUTION`.
  uint32_t *outcome;
  // What the schedule costs, less the terminal value; NaN without a schedule.
  double *objective;
  // With `STORAGE_FEASIBLE`: at most this share of max(1, |objective|) above the optimum; else
  // 0.
  double *gap;
  // From `STORAGE_REACHED` to `STORAGE_HELD_BY_BOUNDS`.
  uint32_t *target;
  // Target less energy at the end, kWh; 0 where it is reached.
  double *missing_kwh;
  // Number of slots at whose end the energy is outside its bounds, because it cannot be helped.
  uint32_t *slots_outside;
  // The largest distance from the bounds there, kWh; negative where the energy is too low.
  double *worst_kwh;
  // Takes the reason when the status is not `STATUS_OK`. Where this is null the reason is kept
  // as if handed to `set_error`, so that the policy can just return the status.
  const voltide_sink *message;
} voltide_storage_answers;

// What the power of a site costs, given power included. What its kind has no use for is not looked
// at.
typedef struct {
  // Size of this struct, bytes.
  uint32_t size;
  // One of `STORAGE_COST_PEAK`, `STORAGE_COST_SQUARE`, `STORAGE_COST_FOLLOW` and
  // `STORAGE_COST_SUPPLY`.
  uint32_t kind;
  // The site.
  uint32_t site;
  // Number of steps of all slots together.
  uint32_t steps;
  // The price, not negative; per what, the kind says.
  double price;
  // The power that costs nothing, kW.
  double baseline_kw;
  // The series to follow, H values, kW.
  const double *series_kw;
  // H + 1 offsets into the next two columns: the steps of each slot, in any order.
  const uint32_t *step_offset;
  // How much there is of a step, kW.
  const double *step_kw;
  // What it costs, per kWh; not negative.
  const double *step_price;
} voltide_storage_cost;

// Sites that limit rows together: a forest.
//
// All columns but `site_id` are as in an observation, and can be handed on as they came.
typedef struct {
  // Size of this struct, bytes.
  uint32_t size;
  // Number of rows n, as in the problems.
  uint32_t rows;
  // Number of slots H, as in the problems.
  uint32_t horizon;
  // Number of sites.
  uint32_t sites;
  // The site of each row, n values; 0xFFFFFFFF for none.
  const uint32_t *site_id;
  // Parent of each site; 0xFFFFFFFF for none.
  const uint32_t *parent_site;
  // Most that a site may draw, sites x H, kW; infinite for no limit.
  const double *import_kw_max;
  // Most that a site may feed in, sites x H, kW; infinite for no limit.
  const double *export_kw_max;
  // Power behind each site that is there already, with that of the sites behind it, sites x H,
  // kW; null for none.
  const double *given_kw;
  // What the rows would do otherwise, n x H, kW: where the search begins; null where nothing is
  // known.
  const double *planned_kw;
  // Number of costs.
  uint32_t costs;
  // `STORAGE_SHARE_COST` or `STORAGE_SHARE_EVEN`.
  uint32_t share;
  // What the power of sites costs, beside what rows pay: a pointer a cost; null for none.
  const voltide_storage_cost *const *cost;
} voltide_storage_sites;

// Where the figures of a group go. Each may be null where it is of no interest.
typedef struct {
  // Size of this struct, bytes.
  uint32_t size;
  // Always 0.
  uint32_t reserved;
  // Energy beyond limits, kWh: no less can be.
  double *violation_kwh;
  // Stored energy below targets, kWh.
  double *missing_kwh;
  // A lower bound of it, kWh.
  double *missing_bound_kwh;
  // What all schedules cost together.
  double *cost;
  // A lower bound of that at this missing energy; minus infinity where none is known.
  double *cost_bound;
} voltide_storage_figures;

// What `extension("voltide.storage/1")` points to; it outlives the instance.
typedef struct {
  // Size of this struct, bytes.
  uint32_t size;
  // Always 0.
  uint32_t reserved;
  // To be handed back with every call.
  void *context;
  // Solves every row. A status other than `STATUS_OK` says that the problems make no sense;
  // wishes that cannot be met are no error but part of the answers.
  int32_t (*solve)(void*, const voltide_storage_problems*, const voltide_storage_answers*);
  // Solves all rows together, behind the limits of sites: least power beyond limits first, then
  // least energy missing, then least cost. `method` and `tie` are not looked at; the figures may
  // be null. A status other than `STATUS_OK` is as for `solve`. Since version 1.3: absent where
  // `size` ends before it.
  int32_t (*solve_group)(void*,
                         const voltide_storage_problems*,
                         const voltide_storage_sites*,
                         const voltide_storage_answers*,
                         const voltide_storage_figures*);
} voltide_storage;

// What `extension("voltide.world/1")` points to: what there is to know of the world before
// anything is planned; it outlives the instance. Absent where no world is known yet. Since version 1.3.
typedef struct {
  // Size of this struct, bytes.
  uint32_t size;
  // `WORLD_HAS_PLANT` or 0.
  uint32_t flags;
  // ISO 4217 code of all money.
  voltide_text currency;
  // The names of the world's own series, in the order in which an observation has them.
  const voltide_text *series_name;
  // How many they are.
  uint32_t series;
  // Always 0.
  uint32_t reserved;
} voltide_world;

// The one symbol of a plugin: given the version that the program speaks, its table, or null
// when it cannot serve that major.
typedef const voltide_policy *(*voltide_entry)(uint16_t host_major, uint16_t host_minor);


/* The name of the storage service: what `extension` finds by it is a voltide_storage. */
#define VOLTIDE_STORAGE_SERVICE "voltide.storage/1"

/* The name of the service that tells of the world: what `extension` finds by it is a
 * voltide_world. */
#define VOLTIDE_WORLD_SERVICE "voltide.world/1"

/* A text from a string literal. */
#define VOLTIDE_TEXT(literal) { (literal), sizeof(literal) - 1 }

/* The one symbol of a plugin: its table, or NULL for a program of another major version. */
#ifdef __cplusplus
extern "C"
#endif
const voltide_policy *voltide_policy_v1(uint16_t host_major, uint16_t host_minor);
