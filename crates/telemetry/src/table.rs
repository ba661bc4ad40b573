//! The data dictionary: every column of every table, in the order in which it is written.
//!
//! Schemas, the metadata of Arrow fields, the manifest and `outputs/README.md` come from here.
//! Columns whose equations are not in this version exist and are null, so that queries written
//! today still run tomorrow.

use crate::column::{
    Column,
    Kind::{Flag, Int, Long, Real, Single, Text, Time, Word},
    Table,
};

const fn col(
    name: &'static str,
    kind: crate::column::Kind,
    unit: &'static str,
    text: &'static str,
) -> Column {
    Column::new(name, kind, unit, text)
}

const TS: Column = col("ts", Time, "", "start of the slot (UTC)");
const TICK: Column = col("tick", Int, "", "the slot, counted from the start of the run");
const STEP_H: Column =
    col("step_h", Real, "h", "length of the slot: power times this is energy").repeating();
const CHARGES: &str = "positive charges";
const DRAWS: &str = "positive draws from the grid";
const SUPPLIES: &str = "positive supplies the system";

/// All tables, in the order of the documentation.
pub static TABLES: [&Table; 10] = [
    &RUNS,
    &EVENTS,
    &SESSIONS,
    &SYSTEM_TICKS,
    &UNIT_TICKS,
    &SITE_TICKS,
    &EV_TICKS,
    &CHARGER_TICKS,
    &COSTS,
    &SOLVES,
];

/// One row: the run.
pub static RUNS: Table = Table {
    name: "runs",
    description: "One row: what was run, and how it ended.",
    key: &[],
    columns: &[
        col("world", Word, "", "name of the world"),
        col("policy", Word, "", "policy that planned"),
        col("policy_version", Word, "", "version of the policy"),
        col("plugin_hash", Text, "", "SHA-256 of the plugin's file; empty for an embedded one"),
        col("seed", Long, "", "seed of every draw (its 64 bits, read as signed)"),
        col("params", Text, "", "JSON: the policy's config and the overrides, as given"),
        col("sim_start", Time, "", "start of the first slot"),
        col("sim_end", Time, "", "end of the last slot that was simulated"),
        col("tick_s", Int, "s", "length of a slot"),
        col("time_zone", Word, "", "time zone of local days and daily patterns"),
        col("ev_count", Int, "", "number of cars, with those that a fork took out"),
        col("currency", Word, "", "ISO 4217 code of all money"),
        col("status", Word, "", "finished, interrupted or failed"),
        col("error", Text, "", "why the run failed").optional(),
        col("engine_version", Word, "", "version of voltide"),
        col("git", Text, "", "commit it was built from, where known"),
        col("config_hash", Text, "", "BLAKE3 of world text, series, sessions and seed"),
        col("state_hash", Text, "", "hash of the state after the last tick, in hex").optional(),
        col("events", Long, "", "number of events"),
        col("rows", Long, "", "rows of all other tables except ev_ticks and charger_ticks"),
        col(
            "world_hash",
            Text,
            "",
            "SHA-256 of the world with its series and sessions, without seed and policy: runs of one world_hash and seed met the same cars, prices and limits",
        ),
        col("parent_run_id", Text, "", "the run that this one is a fork of; null where it is none")
            .optional(),
        col("forked_at_tick", Int, "", "the first slot that is the fork's own; null likewise")
            .optional(),
        col(
            "changes",
            Text,
            "",
            "JSON: what the fork changed of its parent's world, as given; null likewise",
        )
        .optional(),
    ],
};

/// A row per event.
pub static EVENTS: Table = Table {
    name: "events",
    description: "The journal as a table: one row per event; an event about many cars or sites is one row too.",
    key: &["seq"],
    columns: &[
        col("seq", Long, "", "number of the event in the run, from 0"),
        TS,
        TICK,
        col("kind", Word, "", "what happened, in the past tense"),
        col(
            "entity_kind",
            Word,
            "",
            "what it is about: ev, site, series, fleet, tariff or policy; null where that is not exactly one",
        )
        .optional(),
        col(
            "entity_id",
            Text,
            "",
            "which one: a car's or site's number, the name of any other; null likewise",
        )
        .optional(),
        col("session_id", Int, "", "in which session, where it is exactly one").optional(),
        col("cause_seq", Long, "", "the event that led to this one").optional(),
        col(
            "payload",
            Text,
            "",
            "JSON with sorted keys, the same as `voltide log cat` shows: its content; counts, sums and ranges where it is about many",
        ),
    ],
};

/// A row per session.
pub static SESSIONS: Table = Table {
    name: "sessions",
    description: "One row per time that a car was plugged in: in order of unplugging, then those still open at the end. A stay that holds no whole slot is told too: with its own times, no energy, and 0 `slots`. Recorded sessions that reach into the run without a slot of it, at its very start or end, have no row; the summary counts them.",
    key: &["session_id"],
    columns: &[
        col("session_id", Int, "", "the session; the same number as its stay's, and negative where that holds no whole slot"),
        col("ev_id", Int, "", "the car"),
        col("charger_id", Int, "", "the charger"),
        col("plugged_at", Time, "", "start of the first slot plugged in; without a whole slot the arrival"),
        col("unplugged_at", Time, "", "end of the last slot plugged in; without a whole slot the departure; null while open").optional(),
        col("soc_arrival", Real, "", "state of charge (0..1) on arrival"),
        col("soc_target", Real, "", "state of charge (0..1) wanted at departure"),
        col("soc_departure", Real, "", "state of charge (0..1) at departure; null while open").optional(),
        col("charged_kwh", Real, "kWh", "energy charged, grid side"),
        col("discharged_kwh", Real, "kWh", "energy discharged, grid side; not negative"),
        col("driven_kwh", Real, "kWh", "stored energy driven since the session before"),
        col("energy_cost", Real, "currency", "paid for energy charged"),
        col("v2g_revenue", Real, "currency", "earned by energy discharged"),
        col("degradation_cost", Real, "currency", "wear by energy discharged"),
        col("net_cost", Real, "currency", "energy_cost - v2g_revenue + degradation_cost")
            .sign("positive is paid by the driver"),
        col("v2g_eligible", Flag, "", "whether the stay is long enough to discharge: between arrival and announced departure there is time to empty the battery as far as V2G may and to fill it again, whatever the driver says; null where the charger cannot discharge").optional(),
        col("missed_reason", Word, "", "why the target was missed: removed, left_early (by the announced departure the car could still have reached it), too_short (full power would not have been enough, or there was no whole slot), site_limit or schedule; null where it was met")
            .optional(),
        col("reservations", Int, "", "reservations that fell into the session; one that falls into several of a car counts in the last; null where the fleet has none").optional(),
        col("reservations_met", Int, "", "those whose state of charge was there at every slot's end from their first to their last at which the car was plugged in; null where the fleet has none").optional(),
        col("fleet", Word, "", "the car's fleet"),
        col("slots", Int, "", "slots plugged in, up to now while open; 0 where the stay holds no whole slot, so that nothing could be charged"),
        col("missing_kwh", Real, "kWh", "stored energy missing to the target at departure; 0 where it was met; null while open").optional(),
        col("car", Int, "", "number of the car in its fleet, from 0; with the fleet's name it keys the car's draws"),
        col("stored_kwh", Real, "kWh", "energy charged, on the battery's side: less than charged_kwh by what is lost"),
        col("drawn_kwh", Real, "kWh", "energy discharged, on the battery's side: more than discharged_kwh by what is lost"),
        col("requested_kwh", Real, "kWh", "energy that the recorded session asked for, grid side, as it was recorded; null where the fleet is not of recorded sessions").optional(),
    ],
};

/// A row per slot.
pub static SYSTEM_TICKS: Table = Table {
    name: "system_ticks",
    description: "One row per slot: the system as a whole, as it was settled.",
    key: &["tick", "stage"],
    columns: &[
        TS,
        TICK,
        col("stage", Word, "", "settled"),
        col("base_load_kw", Real, "kW", "load without cars"),
        col("wind_available_kw", Real, "kW", "wind power available"),
        col("wind_kw", Real, "kW", "wind power delivered"),
        col("pv_available_kw", Real, "kW", "photovoltaic power available"),
        col("pv_kw", Real, "kW", "photovoltaic power delivered"),
        col("ev_charge_kw", Real, "kW", "sum of charging cars, grid side"),
        col("ev_discharge_kw", Real, "kW", "sum of discharging cars, grid side; not negative"),
        col(
            "net_load_kw",
            Real,
            "kW",
            "base load + EV charge - EV discharge - available wind - available PV",
        )
        .sign(DRAWS),
        col(
            "price_net_load_kw",
            Real,
            "kW",
            "net load that the incentive price follows, as the price was last set; null without one",
        )
        .sign(DRAWS)
        .optional(),
        col("price_net_load_mean_kw", Real, "kW", "its mean over the local day").sign(DRAWS).optional(),
        col("tou_price_per_kwh", Real, "currency/kWh", "price of a kWh bought on the first tariff"),
        col(
            "incentive_price_per_kwh",
            Real,
            "currency/kWh",
            "incentive price of the first tariff; null where the world has none",
        )
        .optional(),
        col(
            "incentive_ratio",
            Real,
            "",
            "incentive price over what drivers of the first tariff expect; null likewise",
        )
        .optional(),
        col(
            "flex_demand_up_kw",
            Real,
            "kW",
            "flexibility wanted upwards; what rounding leaves is 0, here and below",
        )
        .optional(),
        col("flex_demand_down_kw", Real, "kW", "flexibility wanted downwards").optional(),
        col("flex_supply_up_kw", Real, "kW", "flexibility at hand upwards").optional(),
        col("flex_supply_down_kw", Real, "kW", "flexibility at hand downwards").optional(),
        col("margin_up_kw", Real, "kW", "supply less demand upwards")
            .sign("negative is a shortfall; what rounding leaves is 0")
            .optional(),
        col("margin_down_kw", Real, "kW", "supply less demand downwards")
            .sign("negative is a shortfall; what rounding leaves is 0")
            .optional(),
        col("curtailed_kw", Real, "kW", "wind and photovoltaic power available and not delivered"),
        col("interrupted_kw", Real, "kW", "load interrupted by contract").optional(),
        col("unserved_kw", Real, "kW", "load not served").optional(),
        col("residual_kw", Real, "kW", "supply less demand; zero when the balance is closed"),
        col("plugged", Int, "", "cars plugged in"),
        col(
            "agreed",
            Int,
            "",
            "plugged cars whose drivers agree to discharge; null where no driver is asked",
        )
        .optional(),
        STEP_H,
        col("spilled_kw", Real, "kW", "power that nobody took and that could not be curtailed").optional(),
    ],
};

/// A row per slot and unit.
pub static UNIT_TICKS: Table = Table {
    name: "unit_ticks",
    description: "One row per step of a stage and unit: what the day-ahead and the intra-day stage scheduled, and what was settled. Steps of the day-ahead stage are longer than slots, as `step_h` says; a slot that the intra-day stage scheduled again is told as it was followed. A world without a plant has wind, sun, and the connection that closes the balance, and the stage settled alone.",
    key: &["tick", "stage", "unit_id"],
    columns: &[
        TS,
        TICK,
        col("stage", Word, "", "day_ahead, intra_day or settled"),
        col("unit_id", Int, "", "the unit"),
        col("unit_kind", Word, "", "wind, pv, must_take, thermal, pumped_hydro, ess (stationary batteries), interruptible or import_export"),
        col("output_kw", Real, "kW", "power into the system; negative when a store charges or import_export exports; of interruptible load what is shed").sign(SUPPLIES),
        col("charge_kw", Real, "kW", "power into storage; null where the unit is none").optional(),
        col("discharge_kw", Real, "kW", "power out of storage; null where the unit is none").optional(),
        col("available_kw", Real, "kW", "power that could have been had from wind or sun; null for other units").optional(),
        col("curtailed_kw", Real, "kW", "available less delivered; null where nothing is curtailed").optional(),
        col("energy_kwh", Real, "kWh", "stored energy at the slot's end; null where the unit is no storage").optional(),
        col("flex_up_kw", Real, "kW", "flexibility offered upwards").optional(),
        col("flex_down_kw", Real, "kW", "flexibility offered downwards").optional(),
        col("cost", Real, "currency", "cost of the step, by the units' prices, curtailment and starts included; without a plant import_export is valued at tou_price_per_kwh and nothing else has a price")
            .sign("negative is earned")
            .optional(),
        col("unit", Word, "", "the unit's name"),
        col("step_h", Real, "h", "length of the step, as far as it lies in its local day: power times this is energy, whatever the stage").repeating(),
    ],
};

/// A row per slot and site.
pub static SITE_TICKS: Table = Table {
    name: "site_ticks",
    description: "One row per slot and site. A private home connection is its charger's limit, not a site.",
    key: &["tick", "site_id"],
    columns: &[
        TS,
        TICK,
        col("site_id", Int, "", "the site"),
        col("power_kw", Real, "kW", "power of its chargers after the limit").sign(DRAWS),
        col("limit_kw", Real, "kW", "most that its chargers may draw together"),
        col("asked_kw", Real, "kW", "power that set-points asked for").sign(DRAWS),
        col("plugged", Int, "", "cars plugged in"),
        col("site", Word, "", "its name"),
        STEP_H,
    ],
};

/// A row per slot and car.
pub static EV_TICKS: Table = Table {
    name: "ev_ticks",
    description: "One row per slot and car, as far as the world's telemetry level records them; one file per local day, or in a run of more than two months per month, of more than five years per year. Power is the mean over the slot, energy what is stored at its end.",
    key: &["tick", "ev_id"],
    columns: &[
        TS,
        TICK,
        col("ev_id", Int, "", "the car"),
        col("charger_id", Int, "", "the charger it stands at; null when away").optional(),
        col("session_id", Int, "", "the session; null when away").optional(),
        col("state", Word, "", "away, idle, charging or discharging"),
        col("soc", Single, "", "state of charge (0..1) at the slot's end"),
        col("energy_kwh", Single, "kWh", "stored energy at the slot's end"),
        col("charge_kw", Single, "kW", "power charged, grid side; not negative"),
        col("discharge_kw", Single, "kW", "power discharged, grid side; not negative").repeating(),
        col("soc_min", Single, "", "lowest state of charge that discharging may reach: the stricter one of battery and V2G terms, or what the car arrived with where that is less; when away without it").repeating(),
        col("soc_target", Single, "", "state of charge wanted at departure; null when away").optional(),
        col("willingness", Single, "", "the driver's willingness to discharge, 0..1; null when away or not asked").optional(),
        col("participating", Flag, "", "whether the driver agrees to discharge in this slot; null when away or not asked").optional(),
        col("price_per_kwh", Single, "currency/kWh", "price of a kWh charged, as it was when the car was planned; the tariff's where the world has no incentive price").repeating(),
    ],
};

/// A row per slot and charger.
pub static CHARGER_TICKS: Table = Table {
    name: "charger_ticks",
    description: "One row per slot and charger, at the level of ev_ticks: where that is a sample, only chargers that a recorded car stands at.",
    key: &["tick", "charger_id"],
    columns: &[
        TS,
        TICK,
        col("charger_id", Int, "", "the charger"),
        col("site_id", Int, "", "the site behind whose limit it stands").optional().repeating(),
        col("power_kw", Single, "kW", "power at the charger").sign(CHARGES),
        col("limit_kw", Single, "kW", "most that it charges with").repeating(),
        col("occupied", Flag, "", "whether a car is plugged in"),
        col("ev_id", Int, "", "the car plugged in").optional(),
    ],
};

/// A row per component.
pub static COSTS: Table = Table {
    name: "costs",
    description: "What the run cost, by component. Stage `settled` is the system's bill, stage `drivers` is what drivers pay and earn; one is part of the other's income, so never add them up.",
    key: &["stage", "component", "unit_id"],
    columns: &[
        col("stage", Word, "", "day_ahead, intra_day, settled or drivers"),
        col(
            "component",
            Word,
            "",
            "of stage settled, by unit: thermal, starts, pumped_hydro, ess, wind, pv, curtailment, interruption, must_take, import_export; unserved: energy not served or not taken, at its price; without a plant only import_export, energy imported less exported at tou_price_per_kwh; of stage drivers: ev_energy: paid for charging; ev_v2g_revenue: earned by discharging, so negative; ev_degradation: wear by discharging",
        ),
        col("unit_id", Int, "", "the unit, where it is one unit's").optional(),
        col("amount", Real, "currency", "what it cost").sign("negative is earned"),
        col("currency", Word, "", "ISO 4217 code"),
    ],
};

/// A row per solve.
pub static SOLVES: Table = Table {
    name: "solves",
    description: "One row per problem that scheduled a plant.",
    key: &["tick", "stage"],
    columns: &[
        TICK,
        col("stage", Word, "", "day_ahead or intra_day"),
        col("solver", Word, "", "name of the solver"),
        col("status", Word, "", "how the solve ended"),
        col("objective", Real, "currency", "value of the solution found").optional(),
        col(
            "bound",
            Real,
            "currency",
            "proven bound on it; null where the search ended before there was one",
        )
        .optional(),
        col("gap", Real, "", "relative distance between the two").optional(),
        col("variables", Int, "", "number of variables"),
        col("integers", Int, "", "how many of them are integer"),
        col("constraints", Int, "", "number of constraints"),
    ],
};

/// A row per case, figure and policy.
pub static COMPARISON: Table = Table {
    name: "comparison",
    description: "One row per case, figure and policy of a comparison; no table of a run.",
    key: &["case", "figure", "policy"],
    columns: &[
        col("case", Int, "", "1 without flexibility margins, 2 with them"),
        col("figure", Word, "", "what it is"),
        col("policy", Word, "", "the policy"),
        col("amount", Real, "", "in the world's currency, kWh or kW as the figure says"),
        col("published", Real, "", "what others have published; null where nothing").optional(),
        col("ratio", Real, "", "amount over published; null likewise").optional(),
        col("note", Text, "", "what to know of the published figure").optional(),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_unit_stands_last_in_its_columns_name() {
        let suffixes = [
            ("kW", "_kw"),
            ("kWh", "_kwh"),
            ("currency/kWh", "_per_kwh"),
            ("s", "_s"),
            ("h", "_h"),
        ];
        for column in TABLES.iter().flat_map(|table| table.columns) {
            for (unit, suffix) in suffixes {
                let has = column.name.ends_with(suffix)
                    && (suffix != "_kwh" || !column.name.ends_with("_per_kwh"));
                assert_eq!(column.unit == unit, has, "{}", column.name);
            }
        }
    }

    #[test]
    fn names_are_unique_and_keys_exist() {
        for table in TABLES {
            let names: BTreeSet<_> = table.columns.iter().map(|column| column.name).collect();
            assert_eq!(names.len(), table.columns.len(), "{}", table.name);
            assert!(table.key.iter().all(|key| names.contains(key)), "{}", table.name);
        }
    }
}
