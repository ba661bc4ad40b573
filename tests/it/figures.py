"""Works out figures of runs from their tables, as the SQL that is given for each says.

Reads one JSON object a line: `outputs` (the folder of the runs), `views` (what makes views and tables of them)
and `sql`, a list of pairs of a name and a query that gives one cell, or no row. Prints one object a line: the
cells by name.
"""

import json
import sys

import duckdb

database, prepared = None, None
for line in sys.stdin:
    asked = json.loads(line)
    outputs = asked["outputs"]
    if (outputs, asked["views"]) != prepared:
        database, prepared = duckdb.connect(), (outputs, asked["views"])
        database.execute("SET TimeZone = 'UTC'")
        database.execute(f"SET VARIABLE outputs = '{outputs}'")
        database.execute(asked["views"])
        # Every view is read from its files once.
        views = database.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        for (view,) in views:
            database.execute(f"CREATE TEMP TABLE {view} AS FROM main.{view}")
    cells = {}
    for name, query in asked["sql"]:
        try:
            row = database.execute(query).fetchone()
        except Exception as error:
            raise SystemExit(f"{name}: {error}")
        cells[name] = None if row is None else row[0]
    print(json.dumps(cells, default=float))
