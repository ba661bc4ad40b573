"""The day that every simulator is given: each car at home, at work, and at home again.

A day is a list of charging sessions, three a car. All times are whole slots of 15 minutes, so no
simulator gains or loses work by rounding. Every car has the same battery and charger, is full at
the end of a session that asked for what it lacked, and asks for no more than its stay can give:
charging at once, without limits, delivers exactly what is requested.
"""

import csv
import datetime
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SLOT_MINUTES = 15
SLOT_HOURS = SLOT_MINUTES / 60
SLOTS = 96
LAST_SLOT = SLOTS - 1
"""At which all unplug, so that every simulator sees every session end within its 96 steps."""
CAPACITY_KWH = 60.0
POWER_KW = 7.0
SEED = 1
START = datetime.datetime(2024, 6, 3, tzinfo=datetime.timezone.utc)
COLUMNS = ["arrival", "departure", "estimated_departure", "requested_kwh", "delivered_kwh", "station_id"]


class Session(NamedTuple):
    """One car at one charger."""

    car: int
    """Index of the car; it has one charger to itself."""
    arrives: int
    """First slot of the stay."""
    leaves: int
    """Slot after the last one."""
    requested_kwh: float
    """Energy that the battery lacks on arrival."""


def draw(cars: int) -> list[Session]:
    """The day of so many cars, in order of arrival; the same ones every time."""
    day = [session for car in range(cars) for session in car_day(car)]
    return sorted(day, key=lambda session: (session.arrives, session.car))


def car_day(car: int) -> Iterator[Session]:
    """Home until about 7:00, work from 8:00 to 16:30, home again from 17:30."""
    rng = random.Random(f"{SEED}/{car}")
    to_work = time(rng, mean=28, earliest=20, latest=30)
    at_work = time(rng, mean=32, earliest=to_work + 1, latest=38)
    to_home = time(rng, mean=66, earliest=58, latest=68)
    at_home = time(rng, mean=70, earliest=to_home + 1, latest=78)
    lacking_kwh = CAPACITY_KWH * (1 - between(rng.gauss(0.5, 0.15), 0.2, 0.9))
    trip_kwh = [between(rng.gauss(4.8, 1.5), 1.0, 12.0) for _ in range(2)]
    yield session(car, 0, to_work, lacking_kwh)
    yield session(car, at_work, to_home, trip_kwh[0])
    yield session(car, at_home, LAST_SLOT, trip_kwh[1])


def session(car: int, arrives: int, leaves: int, wanted_kwh: float) -> Session:
    """A session that asks for what is wanted, as far as the stay can give it."""
    reach_kwh = (leaves - arrives) * SLOT_HOURS * POWER_KW
    return Session(car, arrives, leaves, round(min(wanted_kwh, reach_kwh), 3))


def time(rng: random.Random, mean: int, earliest: int, latest: int) -> int:
    """A slot around `mean`, half an hour more or less."""
    return round(between(rng.gauss(mean, 2), earliest, latest))


def between(value: float, least: float, most: float) -> float:
    """`value`, held within its bounds."""
    return min(max(value, least), most)


def write(path: Path, day: list[Session]) -> None:
    """Writes the day as recorded sessions, in UTC."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for row in day:
            arrival, departure = timestamp(row.arrives), timestamp(row.leaves)
            energy = f"{row.requested_kwh:.3f}"
            rows.writerow([arrival, departure, departure, energy, energy, f"car-{row.car:05}"])


def read(path: Path) -> list[Session]:
    """Reads a day that `write` wrote."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Session(
                car=int(row["station_id"].removeprefix("car-")),
                arrives=slot(row["arrival"]),
                leaves=slot(row["departure"]),
                requested_kwh=float(row["requested_kwh"]),
            )
            for row in csv.DictReader(file)
        ]


def timestamp(at: int) -> str:
    """The beginning of a slot in RFC 3339."""
    return (START + datetime.timedelta(minutes=SLOT_MINUTES * at)).strftime("%Y-%m-%dT%H:%M:%SZ")


def slot(text: str) -> int:
    """The slot that begins at a time in RFC 3339."""
    at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int((at - START).total_seconds()) // (60 * SLOT_MINUTES)
