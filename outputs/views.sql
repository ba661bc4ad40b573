-- One view per table over all runs, with the column run_id from the folders' names:
--     duckdb -init outputs/views.sql
-- The runs are those below ./outputs, or below the current folder where that has none. Others:
--     duckdb -cmd "SET VARIABLE outputs = '/data/runs'" -cmd ".read outputs/views.sql"
-- Needs at least one run. A column that the version which wrote a run did not know is null there.
SET VARIABLE outputs = coalesce(
    getvariable('outputs'),
    (SELECT if(count(*) > 0, 'outputs', '.') FROM glob('outputs/**/runs.parquet'))
);

-- An amount, or 0 where it is what rounding leaves of sums as large as `summed`.
CREATE OR REPLACE MACRO without_rounding(amount, summed) AS
    if(abs(amount) > 1e-9 * summed, amount, amount * 0);

CREATE OR REPLACE VIEW runs AS
SELECT NULL::VARCHAR AS run_id, NULL::VARCHAR AS world, NULL::VARCHAR AS policy,
    NULL::VARCHAR AS policy_version, NULL::VARCHAR AS plugin_hash, NULL::BIGINT AS seed,
    NULL::VARCHAR AS params, NULL::TIMESTAMPTZ AS sim_start, NULL::TIMESTAMPTZ AS sim_end,
    NULL::INTEGER AS tick_s, NULL::VARCHAR AS time_zone, NULL::INTEGER AS ev_count,
    NULL::VARCHAR AS currency, NULL::VARCHAR AS status, NULL::VARCHAR AS error,
    NULL::VARCHAR AS engine_version, NULL::VARCHAR AS git, NULL::VARCHAR AS config_hash,
    NULL::VARCHAR AS state_hash, NULL::BIGINT AS events, NULL::BIGINT AS rows,
    NULL::VARCHAR AS world_hash, NULL::VARCHAR AS parent_run_id, NULL::INTEGER AS forked_at_tick,
    NULL::VARCHAR AS changes
WHERE false
UNION ALL BY NAME
FROM read_parquet(getvariable('outputs') || '/**/runs.parquet',
    hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW events AS
SELECT NULL::VARCHAR AS run_id, NULL::BIGINT AS seq, NULL::TIMESTAMPTZ AS ts, NULL::INTEGER AS tick,
    NULL::VARCHAR AS kind, NULL::VARCHAR AS entity_kind, NULL::VARCHAR AS entity_id,
    NULL::INTEGER AS session_id, NULL::BIGINT AS cause_seq, NULL::VARCHAR AS payload
WHERE false
UNION ALL BY NAME
FROM read_parquet(getvariable('outputs') || '/**/events.parquet',
    hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW cars AS
SELECT NULL::VARCHAR AS run_id, NULL::INTEGER AS ev_id, NULL::VARCHAR AS fleet,
    NULL::INTEGER AS car, NULL::BOOLEAN AS removed, NULL::DOUBLE AS capacity_kwh,
    NULL::DOUBLE AS charge_efficiency, NULL::DOUBLE AS discharge_efficiency,
    NULL::DOUBLE AS soc_min, NULL::DOUBLE AS soc_max, NULL::DOUBLE AS v2g_soc_min,
    NULL::DOUBLE AS degradation_per_kwh, NULL::BOOLEAN AS can_discharge,
    NULL::BOOLEAN AS driver_asked, NULL::VARCHAR AS tariff, NULL::INTEGER AS charger_id,
    NULL::DOUBLE AS charge_max_kw, NULL::DOUBLE AS discharge_max_kw, NULL::INTEGER AS site_id,
    NULL::INTEGER AS second_charger_id, NULL::DOUBLE AS second_charge_max_kw,
    NULL::DOUBLE AS second_discharge_max_kw, NULL::INTEGER AS second_site_id
WHERE false
UNION ALL BY NAME
FROM read_parquet(getvariable('outputs') || '/**/cars.parquet',
    hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW sessions AS
SELECT NULL::VARCHAR AS run_id, NULL::INTEGER AS session_id, NULL::INTEGER AS ev_id,
    NULL::INTEGER AS charger_id, NULL::TIMESTAMPTZ AS plugged_at, NULL::TIMESTAMPTZ AS unplugged_at,
    NULL::DOUBLE AS soc_arrival, NULL::DOUBLE AS soc_target, NULL::DOUBLE AS soc_departure,
    NULL::DOUBLE AS charged_kwh, NULL::DOUBLE AS discharged_kwh, NULL::DOUBLE AS driven_kwh,
    NULL::DOUBLE AS energy_cost, NULL::DOUBLE AS v2g_revenue, NULL::DOUBLE AS degradation_cost,
    NULL::DOUBLE AS net_cost, NULL::BOOLEAN AS v2g_eligible, NULL::VARCHAR AS missed_reason,
    NULL::INTEGER AS reservations, NULL::INTEGER AS reservations_met, NULL::VARCHAR AS fleet,
    NULL::INTEGER AS slots, NULL::DOUBLE AS missing_kwh, NULL::INTEGER AS car,
    NULL::DOUBLE AS stored_kwh, NULL::DOUBLE AS drawn_kwh, NULL::DOUBLE AS requested_kwh
WHERE false
UNION ALL BY NAME
FROM read_parquet(getvariable('outputs') || '/**/sessions.parquet',
    hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW system_ticks AS
SELECT NULL::VARCHAR AS run_id, NULL::TIMESTAMPTZ AS ts, NULL::INTEGER AS tick,
    NULL::VARCHAR AS stage, NULL::DOUBLE AS base_load_kw, NULL::DOUBLE AS wind_available_kw,
    NULL::DOUBLE AS wind_kw, NULL::DOUBLE AS pv_available_kw, NULL::DOUBLE AS pv_kw,
    NULL::DOUBLE AS ev_charge_kw, NULL::DOUBLE AS ev_discharge_kw, NULL::DOUBLE AS net_load_kw,
    NULL::DOUBLE AS price_net_load_kw, NULL::DOUBLE AS price_net_load_mean_kw,
    NULL::DOUBLE AS tou_price_per_kwh, NULL::DOUBLE AS incentive_price_per_kwh,
    NULL::DOUBLE AS incentive_ratio, NULL::DOUBLE AS flex_demand_up_kw,
    NULL::DOUBLE AS flex_demand_down_kw, NULL::DOUBLE AS flex_supply_up_kw,
    NULL::DOUBLE AS flex_supply_down_kw, NULL::DOUBLE AS margin_up_kw,
    NULL::DOUBLE AS margin_down_kw, NULL::DOUBLE AS curtailed_kw, NULL::DOUBLE AS interrupted_kw,
    NULL::DOUBLE AS unserved_kw, NULL::DOUBLE AS residual_kw, NULL::INTEGER AS plugged,
    NULL::INTEGER AS agreed, NULL::DOUBLE AS step_h, NULL::DOUBLE AS spilled_kw
WHERE false
UNION ALL BY NAME
FROM read_parquet(getvariable('outputs') || '/**/system_ticks.parquet',
    hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW unit_ticks AS
SELECT NULL::VARCHAR AS run_id, NULL::TIMESTAMPTZ AS ts, NULL::INTEGER AS tick,
    NULL::VARCHAR AS stage, NULL::INTEGER AS unit_id, NULL::VARCHAR AS unit_kind,
    NULL::DOUBLE AS output_kw, NULL::DOUBLE AS charge_kw, NULL::DOUBLE AS discharge_kw,
    NULL::DOUBLE AS available_kw, NULL::DOUBLE AS curtailed_kw, NULL::DOUBLE AS energy_kwh,
    NULL::DOUBLE AS flex_up_kw, NULL::DOUBLE AS flex_down_kw, NULL::DOUBLE AS cost,
    NULL::VARCHAR AS unit, NULL::DOUBLE AS step_h
WHERE false
UNION ALL BY NAME
FROM read_parquet(getvariable('outputs') || '/**/unit_ticks.parquet',
    hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW site_ticks AS
SELECT NULL::VARCHAR AS run_id, NULL::TIMESTAMPTZ AS ts, NULL::INTEGER AS tick,
    NULL::INTEGER AS site_id, NULL::DOUBLE AS power_kw, NULL::DOUBLE AS limit_kw,
    NULL::DOUBLE AS export_limit_kw, NULL::DOUBLE AS asked_kw, NULL::INTEGER AS plugged,
    NULL::VARCHAR AS site, NULL::DOUBLE AS step_h
WHERE false
UNION ALL BY NAME
FROM read_parquet(getvariable('outputs') || '/**/site_ticks.parquet',
    hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW fleet_ticks AS
SELECT NULL::VARCHAR AS run_id, NULL::TIMESTAMPTZ AS ts, NULL::INTEGER AS tick,
    NULL::VARCHAR AS kind, NULL::INTEGER AS number, NULL::VARCHAR AS name, NULL::INTEGER AS plugged,
    NULL::DOUBLE AS power_kw, NULL::DOUBLE AS energy_kwh, NULL::DOUBLE AS arrival_kwh,
    NULL::DOUBLE AS wanted_kwh, NULL::DOUBLE AS band_low_kwh, NULL::DOUBLE AS band_low_agreed_kwh,
    NULL::DOUBLE AS band_high_kwh, NULL::DOUBLE AS soc_05, NULL::DOUBLE AS soc_25,
    NULL::DOUBLE AS soc_50, NULL::DOUBLE AS soc_75, NULL::DOUBLE AS soc_95,
    NULL::DOUBLE AS soc_target, NULL::DOUBLE AS add_15min_kw, NULL::DOUBLE AS cut_15min_kw,
    NULL::DOUBLE AS cut_15min_agreed_kw, NULL::DOUBLE AS cut_15min_expected_kw,
    NULL::DOUBLE AS cut_15min_p90_kw, NULL::DOUBLE AS cut_15min_p99_kw, NULL::DOUBLE AS add_1h_kw,
    NULL::DOUBLE AS cut_1h_kw, NULL::DOUBLE AS cut_1h_agreed_kw, NULL::DOUBLE AS cut_1h_expected_kw,
    NULL::DOUBLE AS cut_1h_p90_kw, NULL::DOUBLE AS cut_1h_p99_kw, NULL::DOUBLE AS add_4h_kw,
    NULL::DOUBLE AS cut_4h_kw, NULL::DOUBLE AS cut_4h_agreed_kw, NULL::DOUBLE AS cut_4h_expected_kw,
    NULL::DOUBLE AS cut_4h_p90_kw, NULL::DOUBLE AS cut_4h_p99_kw, NULL::DOUBLE AS step_h
WHERE false
UNION ALL BY NAME
FROM read_parquet(getvariable('outputs') || '/**/fleet_ticks.parquet',
    hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW ev_ticks AS
SELECT NULL::VARCHAR AS run_id, NULL::TIMESTAMPTZ AS ts, NULL::INTEGER AS tick,
    NULL::INTEGER AS ev_id, NULL::INTEGER AS charger_id, NULL::INTEGER AS session_id,
    NULL::VARCHAR AS state, NULL::FLOAT AS soc, NULL::FLOAT AS energy_kwh, NULL::FLOAT AS charge_kw,
    NULL::FLOAT AS discharge_kw, NULL::FLOAT AS soc_min, NULL::FLOAT AS soc_target,
    NULL::FLOAT AS willingness, NULL::BOOLEAN AS participating, NULL::FLOAT AS price_per_kwh,
    NULL::FLOAT AS asked_kw, NULL::FLOAT AS planned_kw
WHERE false
UNION ALL BY NAME
FROM read_parquet(getvariable('outputs') || '/**/ev_ticks-*.parquet',
    hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW charger_ticks AS
SELECT NULL::VARCHAR AS run_id, NULL::TIMESTAMPTZ AS ts, NULL::INTEGER AS tick,
    NULL::INTEGER AS charger_id, NULL::INTEGER AS site_id, NULL::FLOAT AS power_kw,
    NULL::FLOAT AS limit_kw, NULL::BOOLEAN AS occupied, NULL::INTEGER AS ev_id
WHERE false
UNION ALL BY NAME
FROM read_parquet(getvariable('outputs') || '/**/charger_ticks.parquet',
    hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW costs AS
SELECT NULL::VARCHAR AS run_id, NULL::VARCHAR AS stage, NULL::VARCHAR AS component,
    NULL::INTEGER AS unit_id, NULL::DOUBLE AS amount, NULL::VARCHAR AS currency
WHERE false
UNION ALL BY NAME
FROM read_parquet(getvariable('outputs') || '/**/costs.parquet',
    hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW solves AS
SELECT NULL::VARCHAR AS run_id, NULL::INTEGER AS tick, NULL::VARCHAR AS stage,
    NULL::VARCHAR AS site, NULL::VARCHAR AS solver, NULL::VARCHAR AS status,
    NULL::DOUBLE AS objective, NULL::DOUBLE AS bound, NULL::DOUBLE AS gap,
    NULL::INTEGER AS variables, NULL::INTEGER AS integers, NULL::INTEGER AS constraints,
    NULL::INTEGER AS stays, NULL::DOUBLE AS missing_kwh, NULL::DOUBLE AS missing_bound_kwh,
    NULL::DOUBLE AS violation_kwh
WHERE false
UNION ALL BY NAME
FROM read_parquet(getvariable('outputs') || '/**/solves.parquet',
    hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW windows AS
SELECT NULL::VARCHAR AS run_id, NULL::INTEGER AS tick, NULL::VARCHAR AS stage,
    NULL::INTEGER AS slot, NULL::TIMESTAMPTZ AS ts, NULL::DOUBLE AS step_h,
    NULL::BOOLEAN AS committed, NULL::DOUBLE AS load_kw, NULL::DOUBLE AS ev_kw,
    NULL::DOUBLE AS ev_flex_up_kw, NULL::DOUBLE AS ev_flex_down_kw,
    NULL::DOUBLE AS flex_demand_up_kw, NULL::DOUBLE AS flex_demand_down_kw,
    NULL::DOUBLE AS flex_supply_up_kw, NULL::DOUBLE AS flex_supply_down_kw,
    NULL::DOUBLE AS margin_up_kw, NULL::DOUBLE AS margin_down_kw
WHERE false
UNION ALL BY NAME
FROM read_parquet(getvariable('outputs') || '/**/windows.parquet',
    hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW forecasts AS
SELECT NULL::VARCHAR AS run_id, NULL::INTEGER AS tick, NULL::VARCHAR AS stage,
    NULL::INTEGER AS slot, NULL::TIMESTAMPTZ AS ts, NULL::INTEGER AS unit_id, NULL::VARCHAR AS unit,
    NULL::VARCHAR AS series, NULL::DOUBLE AS value
WHERE false
UNION ALL BY NAME
FROM read_parquet(getvariable('outputs') || '/**/forecasts.parquet',
    hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW paths AS
SELECT NULL::VARCHAR AS run_id, NULL::INTEGER AS tick, NULL::INTEGER AS slot,
    NULL::TIMESTAMPTZ AS ts, NULL::INTEGER AS unit_id, NULL::VARCHAR AS unit, NULL::BOOLEAN AS on,
    NULL::DOUBLE AS output_kw, NULL::DOUBLE AS energy_kwh
WHERE false
UNION ALL BY NAME
FROM read_parquet(getvariable('outputs') || '/**/paths.parquet',
    hive_partitioning = true, union_by_name = true);

-- A run that lies there twice would be joined with itself.
SET VARIABLE twice = (SELECT min(run_id) FROM (FROM runs SELECT run_id GROUP BY run_id HAVING count(*) > 1));
SET VARIABLE twice = (
    SELECT error(getvariable('twice') || ' lies twice below ' || getvariable('outputs'))
    WHERE getvariable('twice') IS NOT NULL
);
