"""Solves every window of a run again, from its tables and `world.ron` alone.

    python solve_again.py RUN DATA

RUN is a run's folder, DATA the folder of the world file that it was made of, from which paths in
it start. Prints a line for each window that differs from table `solves` by more than both gaps
allow, and the largest difference; ends with 1 where one does.
"""

import pathlib
import sys

import polars

import ron
from program import Program
from units import KINDS

# What rounding in tables and two solvers' tolerances add to a gap, as a share of the objective.
TOLERANCE = 2e-6
TABLE_KINDS = {"batteries": "ess", "exchanges": "import_export"}


class Run:
    """The tables of a run, and what its world says."""

    def __init__(self, folder, data):
        read = lambda name: polars.read_parquet(folder / f"{name}.parquet")
        self.world = ron.read((folder / "world.ron").read_text())
        self.grid, self.data = self.world["grid"], data
        self.run = read("runs").row(0, named=True)
        self.hours = self.run["tick_s"] / 3600
        self.slots = read("system_ticks").height
        self.solves = read("solves").rows(named=True)
        self.stages = {key: ron.quantity(value) for key, value in self.grid.get("stages", {}).items()}
        self.slack = {"unserved": 50.0, "margin": 30.0, "terminal": 2.0, "deviation": 5.0}
        self.slack |= {key: ron.quantity(value) for key, value in self.grid.get("slack", {}).items()}
        self.units = [
            (kind, name, unit)
            for kind in KINDS
            for name, unit in self.grid.get(kind, {}).items()
        ]
        rows = read("unit_ticks").rows(named=True)
        self.did = {(row["stage"], row["unit"], row["tick"]): row for row in rows}
