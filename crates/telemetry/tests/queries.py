"""Runs views and queries over the runs below the working folder; fails where an answer is wrong.

Usage: queries.py FOLDER, with views.sql and queries/*.sql in FOLDER and runs in ./outputs.
"""

import pathlib
import sys

import duckdb
import polars as pl

folder = pathlib.Path(sys.argv[1])
database = duckdb.connect()
database.execute("SET TimeZone = 'UTC'")
database.execute((folder / "views.sql").read_text())

# A run at level `Off` has no rows of single cars, so an audit that is empty has looked at something only
# if other runs are there.
assert database.sql("SELECT count(DISTINCT run_id) FROM ev_ticks").fetchall() == [(2,)]

for path in sorted((folder / "queries").glob("*.sql")):
    answer = database.sql(path.read_text())
    rows = answer.fetchall()
    print(f"{path.name}: {len(rows)} rows of {answer.columns}")
    for row in rows[:3]:
        print("   ", row)
    assert bool(rows) != ("audit" in path.name), path.name

tables = sorted({path.name.split("-")[0].removesuffix(".parquet") for path in pathlib.Path("outputs").rglob("*.parquet")})
assert len(tables) == 10, tables
for table in tables:
    pattern = f"outputs/**/{'ev_ticks-*' if table == 'ev_ticks' else table}.parquet"
    frame = pl.scan_parquet(pattern, hive_partitioning=True).collect()
    count = database.sql(f"SELECT count(*) FROM {table}").fetchall()
    assert "run_id" in frame.columns and [(frame.height,)] == count, (table, frame.height, count)
