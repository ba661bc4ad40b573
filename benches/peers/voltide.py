"""Runs the day in voltide, as a world of recorded sessions."""

import json
import sys
from pathlib import Path
from typing import Any

import day
import process

BUILD = "cargo build --release"

WORLD = """(
    name: "peers",
    seed: {seed},
    clock: (start: "{start}", time_zone: "UTC", step: "{minutes} min", days: 1),
    currency: "EUR",
    tariff: Fixed("0.30 EUR/kWh"),
    fleets: {{
        "cars": (
            battery: (capacity: "{capacity} kWh", charge_efficiency: 1.0),
            charger: (charge_max: "{power} kW"),
            stays: Sessions(path: "{sessions}"),
        ),
    }},
    policy: "uncontrolled",
    telemetry: (ev_ticks: Full),
)
"""

BALANCE = """
import duckdb, json, sys
stored, billed = duckdb.execute('''
    select sum(soc_departure - soc_arrival) * $capacity, sum(charged_kwh)
    from read_parquet($sessions)
''', {"sessions": sys.argv[1], "capacity": float(sys.argv[2])}).fetchone()
print(json.dumps({"stored_kwh": stored, "billed_kwh": billed}))
"""


def run(program: Path, python_with_duckdb: Path, sessions: Path, cpu_limit_s: int) -> dict[str, Any]:
    """Runs the day in the folder of its sessions, and returns what the drivers of the peers report.

    The run is all that is not set-up: closing the journal and the tables counts.
    """
    folder = sessions.parent
    world = folder / "peers.ron"
    world.write_text(world_of(sessions), encoding="utf-8")
    argv = [str(program), "run", str(world), "--out", str(folder / "out")]
    finished = process.run(argv, folder, cpu_limit_s)
    profile = profile_of(folder / "out")
    warn_if_apart(profile["cpu_s"], finished.cpu_s)
    tables = next((folder / "out").rglob("sessions.parquet"))
    return {
        "steps": day.SLOTS,
        "setup_cpu_s": profile["setup_cpu_s"],
        "run_cpu_s": profile["cpu_s"] - profile["setup_cpu_s"],
        "peak_mib": profile["peak_rss_mib"],
        **balance_of(python_with_duckdb, tables),
    }


def world_of(sessions: Path) -> str:
    """The world file: the peers' battery and charger, one row of telemetry a car and slot."""
    return WORLD.format(
        seed=day.SEED,
        start=day.START.strftime("%Y-%m-%dT%H:%M"),
        minutes=day.SLOT_MINUTES,
        capacity=day.CAPACITY_KWH,
        power=day.POWER_KW,
        sessions=sessions.name,
    )


def profile_of(out: Path) -> dict[str, float]:
    """What the run says that it cost."""
    return json.loads(next(out.rglob("profile.json")).read_text(encoding="utf-8"))


def warn_if_apart(own_s: float, kernel_s: float) -> None:
    """Says so where voltide's own account of its CPU time is not the kernel's."""
    if abs(own_s - kernel_s) > 0.05 + 0.1 * kernel_s:
        print(f"  profile.json says {own_s:.2f} CPU s, the kernel {kernel_s:.2f}", file=sys.stderr)


def balance_of(python: Path, sessions: Path) -> dict[str, float]:
    """Energy that the batteries gained and that was billed, read from the table by DuckDB."""
    argv = [str(python), "-c", BALANCE, str(sessions), str(day.CAPACITY_KWH)]
    return json.loads(process.run(argv, sessions.parent, cpu_limit_s=60).stdout)
