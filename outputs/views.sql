-- One view per table over all runs: `duckdb -init outputs/views.sql` from the root of the repository.
-- Needs at least one run. The column run_id comes from the folder's name.

CREATE OR REPLACE VIEW runs AS
FROM read_parquet('outputs/**/runs.parquet', hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW events AS
FROM read_parquet('outputs/**/events.parquet', hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW sessions AS
FROM read_parquet('outputs/**/sessions.parquet', hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW system_ticks AS
FROM read_parquet('outputs/**/system_ticks.parquet', hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW unit_ticks AS
FROM read_parquet('outputs/**/unit_ticks.parquet', hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW site_ticks AS
FROM read_parquet('outputs/**/site_ticks.parquet', hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW ev_ticks AS
FROM read_parquet('outputs/**/ev_ticks-*.parquet', hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW charger_ticks AS
FROM read_parquet('outputs/**/charger_ticks.parquet', hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW costs AS
FROM read_parquet('outputs/**/costs.parquet', hive_partitioning = true, union_by_name = true);

CREATE OR REPLACE VIEW solves AS
FROM read_parquet('outputs/**/solves.parquet', hive_partitioning = true, union_by_name = true);
