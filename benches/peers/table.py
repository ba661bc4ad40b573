"""The Markdown table of all runs."""

import statistics
from typing import Any

HEAD = """\
| simulator | cars | EV-ticks per CPU s | set-up, CPU s | peak memory, MiB | energy stored against billed |
|---|--:|--:|--:|--:|--:|"""

NOTES = """\
EV-ticks: cars × simulated steps of 15 min; set-up (all before the first step: program start, imports,
reading) is apart. CPU time is user and system. All batteries are without losses, so energy stored
and billed should be equal. EV2Gym draws its own cars (about 0.7 arrivals a car, plugged in for a
quarter of the day) or is given the same day as the others (three sessions a car, plugged in for
nine tenths of it); charging as fast as possible, one transformer and an empty observation are its
best case. ACN-Sim's earliest deadline first works under a site limit of 40 % of all chargers.
voltide writes its journal and all tables in that time, with a row for each session's car and slot."""

FIGURES = ["steps", "setup_cpu_s", "run_cpu_s", "peak_mib", "stored_kwh", "billed_kwh"]


def render(runs: list[dict[str, Any]], machine: str) -> str:
    """One row for each simulator and size, with the medians of its runs."""
    grouped: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for run in runs:
        grouped.setdefault((run["cars"], run["simulator"]), []).append(run)
    rows = [row(name, cars, of) for (cars, name), of in grouped.items()]
    return "\n".join([HEAD, *rows, "", machine, NOTES])


def row(name: str, cars: int, runs: list[dict[str, Any]]) -> str:
    """The row of one simulator and size."""
    limits = [run["over_limit_s"] for run in runs if "over_limit_s" in run]
    if limits:
        return f"| {name} | {cars:,} | not done within {limits[0]} CPU s | | | |"
    median = {figure: statistics.median(run[figure] for run in runs) for figure in FIGURES}
    rate = cars * median["steps"] / median["run_cpu_s"]
    cells = [
        name,
        f"{cars:,}",
        f"{three_digits(rate):,}",
        f"{median['setup_cpu_s']:.2f}",
        f"{median['peak_mib']:,.0f}",
        balance(median["stored_kwh"], median["billed_kwh"]),
    ]
    return f"| {' | '.join(cells)} |"


def three_digits(rate: float) -> int:
    """The rate without digits that no measurement supports."""
    return int(float(f"{rate:.3g}"))


def balance(stored_kwh: float, billed_kwh: float) -> str:
    """By how much the batteries' gain differs from the bill, in per cent."""
    error = 100 * (stored_kwh - billed_kwh) / billed_kwh
    return "equal to 1e-9 %" if abs(error) < 1e-9 else f"{error:+.3g} %"
