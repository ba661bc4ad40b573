"""Solves every window of a run again, from its tables and `world.ron` alone.

    python solve_again.py RUN

Prints each window whose objective differs from that in table `solves` by more than both gaps
allow, and the largest difference, as a share of the objective; ends with 1 where one differs.
The paper's days, which wrap, and electrolysers are not known here.
"""

import pathlib
import sys

import polars

import ron
from program import Program
from units import KINDS

# What two solvers' tolerances and rounding in tables may add to a gap, as a share of the objective.
TOLERANCE = 2e-6
PRICES = {"unserved": 50.0, "margin": 30.0, "terminal": 2.0, "deviation": 5.0}


class Window:
    """What a stage was asked: its steps, and how they are read."""

    def __init__(self, run, solve, rows):
        self.solve, self.rows = solve, rows
        self.is_day_ahead = solve["stage"] == "day_ahead"
        # In steps or, along the day's path, in slots.
        self.looks_all_day = solve["stage"] != "intra_day"
        self.tick = solve["tick"]
        self.hours = rows[0]["step_h"]
        self.slots = range(len(rows))
        self.readings = run.grid.get("readings", {})
        self.slack = run.slack
        self.one_way = False


class Run:
    """The tables of a run, and what its world says."""

    def __init__(self, folder):
        read = lambda name: polars.read_parquet(folder / f"{name}.parquet").rows(named=True)
        self.grid = ron.read((folder / "world.ron").read_text())["grid"]
        self.slot_hours = read("runs")[0]["tick_s"] / 3600
        self.stages = self.grid.get("stages", {})
        self.slack = PRICES | {
            name: ron.quantity(price) for name, price in self.grid.get("slack", {}).items()
        }
        self.solves = read("solves")
        self.windows, self.expected, self.did = {}, {}, {}
        for row in read("windows"):
            self.windows.setdefault((row["stage"], row["tick"]), []).append(row)
        for row in read("forecasts"):
            key = (row["stage"], row["tick"], row["unit"], row["series"])
            self.expected.setdefault(key[:3], {}).setdefault(key[3], []).append(row["value"])
        for row in read("unit_ticks"):
            self.did[row["stage"], row["unit"], row["tick"]] = row
        self.paths = {}
        for row in read("paths"):
            self.paths.setdefault((row["tick"], row["unit"]), {})[row["slot"]] = row
        self.days = [solve["tick"] for solve in self.solves if solve["stage"] == "day_ahead"]
        self.end = 1 + max(row["slot"] for rows in self.windows.values() for row in rows)
        self.units = [
            (kind, name, unit) for kind in KINDS for name, unit in self.grid.get(kind, {}).items()
        ]
        unknown = self.grid.keys() & {"electrolysers"}
        if unknown or self.grid.get("readings", {}).get("last_step") == "Wrap":
            raise SystemExit("this world has what is not known here")

    def before(self, kind, name, unit, tick):
        """Where a unit stands before a slot."""
        row = self.did.get(("settled", name, tick - 1))
        how = unit.get("commitment")
        least = ron.quantity(unit.get("power_min", "0 kW"))
        if row is None:
            start = ron.quantity(unit["initial_power"]) if "initial_power" in unit else None
            return {
                "energy_kwh": ron.quantity(unit.get("initial_energy", "0 kWh")),
                "on": how is None or how.get("initially_on", True),
                "hours": ron.quantity(how.get("initial_time", "1 d")) if how else 24.0,
                "output_kw": start,
            }
        gave = lambda at: self.did["settled", name, at]["output_kw"]
        is_on = lambda at: how is None or gave(at) >= max(least, 1e-6)
        on, since = is_on(tick - 1), tick - 1
        while how and since > 0 and is_on(since - 1) == on:
            since -= 1
        hours = (tick - since) * self.slot_hours
        if how and since == 0 and on == how.get("initially_on", True):
            hours += ron.quantity(how.get("initial_time", "1 d"))
        return {
            "energy_kwh": row["energy_kwh"], "on": on, "hours": hours,
            "output_kw": row["output_kw"] if on else 0.0,
        }

    def day_of(self, tick):
        """First slot of the day that a slot lies in, and the slot after its last."""
        first = max(day for day in self.days if day <= tick)
        later = [day for day in self.days if day > tick]
        return first, later[0] if later else self.end

    def plan(self, name, slot, first, end):
        """The day-ahead row for a slot; beyond the day that of its last step."""
        step = round(self.windows["day_ahead", first][0]["step_h"] / self.slot_hours)
        at = first + (min(slot, end - 1) - first) // step * step
        return self.did["day_ahead", name, at], at, at + step

    def held(self, name, unit, slot, first, end):
        """What a store holds by the day-ahead schedule when a slot begins."""
        start = self.before("", name, unit, first)["energy_kwh"]
        if slot == first:
            return start
        row, begins, ends = self.plan(name, slot - 1, first, end)
        earlier = start
        if begins > first:
            earlier = self.plan(name, begins - 1, first, end)[0]["energy_kwh"]
        return earlier + (row["energy_kwh"] - earlier) * (slot - begins) / (ends - begins)

    def asked(self, window, kind, name, unit):
        """What a window asks of a unit."""
        asked = {"on": None, "reference_kw": None, "ends": [], "next": None, "leads_on": None}
        is_store = kind in ("pumped_hydro", "batteries")
        if window.looks_all_day and is_store:
            wish = ron.quantity(unit.get("day_end_energy", unit["initial_energy"]))
            asked["ends"] = [(window.slots[-1], wish, None)]
        if window.is_day_ahead:
            return asked
        first, end = self.day_of(window.tick)
        slots = [row["slot"] for row in window.rows]
        path = self.paths.get((first, name), {})
        if kind == "thermal":
            rows = [self.plan(name, slot, first, end)[0] for slot in slots]
            if "commitment" in unit:
                least = ron.quantity(unit.get("power_min", "0 kW"))
                by_plan = [row["output_kw"] >= max(least, 1e-6) for row in rows]
                by_path = lambda slot, on: path[slot]["on"] if slot in path else on
                asked["on"] = [by_path(slot, on) for slot, on in zip(slots, by_plan)]
            asked["reference_kw"] = [
                row["output_kw"] for row, slot in zip(rows, slots) if slot < end
            ]
            asked["next"] = path.get(slots[-1] + 1)
        elif is_store and not window.looks_all_day:
            asked |= self.held_by(window, name, unit, path)
        return asked

    def held_by(self, window, name, unit, path):
        """What a store must hold in a window: at the day's end, and at the window's."""
        first, end = self.day_of(window.tick)
        begins, last = window.rows[0]["slot"], window.rows[-1]["slot"]
        price, ends, leads_on = self.slack["terminal"], [], None
        if last >= end or not path:
            until = min(last + 1, end)
            wish = path[until - 1]["energy_kwh"] if path else None
            wish = self.held(name, unit, until, first, end) if wish is None else wish
            ends.append((until - 1 - begins, wish, price))
        if last in path:
            wish = path[last]["energy_kwh"]
            ends.append((window.slots[-1], wish, price))
            later = [row["energy_kwh"] for slot, row in path.items() if slot >= last]
            down = max(0.0, min(later) - ron.quantity(unit.get("energy_min", "0 kWh")))
            up = max(0.0, ron.quantity(unit["energy_max"]) - max(later))
            leads_on = (wish - down, wish + up)
        return {"ends": ends, "leads_on": leads_on}

    def series(self, window, name):
        """What the series of a unit were expected to be: one list, or the first of several."""
        found = self.expected.get((window.solve["stage"], window.tick, name))
        return list(found.values()) if found else []


def wanted(run, window):
    """Flexibility wanted in each step but the last, by (15) to (18): net load's way to the next."""
    unsteered = [
        run.series(window, name)[0]
        for kind, name, _ in run.units
        if kind in ("wind", "pv", "must_take")
    ]
    net = [row["load_kw"] - sum(it[at] for it in unsteered) for at, row in enumerate(window.rows)]
    return [later - now for now, later in zip(net, net[1:])]


def wants_the_same(run, window):
    """Whether the table wants the flexibility that its loads and series ask for."""
    return all(
        abs(max(0.0, way * moved) - row[f"flex_demand_{name}_kw"]) <= 1e-5
        for moved, row in zip(wanted(run, window), window.rows)
        for way, name in ((1, "up"), (-1, "down"))
    )


def solve(run, window):
    """The least cost of a window, and a bound on it."""
    program = Program()
    units = []
    for kind, name, world in run.units:
        unit = KINDS[kind](program, window, name, world)
        before = run.before(kind, name, world, window.tick)
        unit.add(before, run.asked(window, kind, name, world), run.series(window, name))
        units.append(unit)
    for slot, row in zip(window.slots, window.rows):
        price = run.slack["unserved"] * window.hours
        open_ = [(1.0, program.column(price)), (-1.0, program.column(price))]
        given = [term for unit in units for term in unit.given[slot]]
        program.row(given + open_, row["load_kw"], row["load_kw"])
        if run.grid.get("margins", True):
            for way in ("up", "down"):
                supplies = [getattr(unit, way)[slot] for unit in units]
                cars = row[f"ev_flex_{way}_kw"] or 0.0
                wanted = row[f"flex_demand_{way}_kw"] - cars - sum(it[1] for it in supplies)
                short = [(1.0, program.column(run.slack["margin"] * window.hours))]
                program.row([term for it in supplies for term in it[0]] + short, least=wanted)
    return program.solve(run.stages.get("gap", 1e-4))


def main(folder):
    run = Run(folder)
    differ, worst = 0, 0.0
    for found in run.solves:
        window = Window(run, found, run.windows[found["stage"], found["tick"]])
        cost, bound, _ = solve(run, window)
        size = max(1.0, abs(cost))
        apart = (found["objective"] - cost) / size
        # Neither may be better than what the other has proven.
        wrong = found["objective"] < bound - TOLERANCE * size
        wrong |= not wants_the_same(run, window)
        wrong |= found["bound"] is not None and cost < found["bound"] - TOLERANCE * size
        if wrong:
            differ += 1
            which = f"{found['stage']} {found['tick']}"
            print(f"{which}: {found['objective']}, again {cost} (bound {bound})")
        worst = max(worst, abs(apart))
    solved = f"{len(run.solves)} windows solved again"
    print(f"{solved}, {differ} differ; largest difference {worst:.2e}")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
