-- One view per table over all runs, with the column run_id from the folders' names:
--     duckdb -init outputs/views.sql
-- The runs are those below ./outputs, or below the current folder where that has none. Others:
--     duckdb -cmd "SET VARIABLE outputs = '/data/runs'" -cmd ".read outputs/views.sql"
-- Needs at least one run. A column that the version which wrote a run did not know is null there.
SET VARIABLE outputs = coalesce(
    getvariable('outputs'),
    (SELECT if(count(*) > 0, 'outputs', '.') FROM glob('outputs/**/runs.parquet'))
);
