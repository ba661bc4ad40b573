"""Runs the day in ACN-Sim. usage: drive_acn.py DAY.csv CARS {uncontrolled,edf}

Every car has an EVSE of its own behind one site limit, without which ACN-Sim does not run: wide
enough for all at once where charging is uncontrolled, 40 % of that where the earliest deadline
goes first, for otherwise there would be nothing to schedule.
"""

import sys
import warnings
from datetime import datetime
from pathlib import Path

import pytz
from acnportal import acnsim, algorithms
from acnportal.acnsim.network.current import Current

import day
import measure

VOLTS = 240
AMPERES = 1000 * day.POWER_KW / VOLTS
EDF_LIMIT_SHARE = 0.4


def main(path: Path, cars: int, policy: str) -> None:
    """Builds the simulation, runs it, and reports."""
    warnings.filterwarnings("ignore")
    scheduler, share = {
        "uncontrolled": lambda: (algorithms.UncontrolledCharging(), 1.0),
        "edf": lambda: (algorithms.SortedSchedulingAlgo(algorithms.earliest_deadline_first), EDF_LIMIT_SHARE),
    }[policy]()
    sessions = day.read(path)
    batteries = [battery(session) for session in sessions]
    arrivals = [plugin(session, its) for session, its in zip(sessions, batteries)]
    simulator = acnsim.Simulator(
        network(cars, share),
        scheduler,
        acnsim.EventQueue(arrivals),
        pytz.utc.localize(datetime(2024, 6, 3)),
        period=day.SLOT_MINUTES,
        verbose=False,
    )
    started = measure.cpu_seconds()
    simulator.run()
    ended = measure.cpu_seconds()
    measure.report(
        steps=simulator.iteration,
        setup_cpu_s=started,
        run_cpu_s=ended - started,
        stored_kwh=sum(battery._current_charge - battery._init_charge for battery in batteries),
        billed_kwh=float(simulator.charging_rates.sum()) * VOLTS / 1000 * day.SLOT_HOURS,
    )


def network(cars: int, share: float) -> acnsim.ChargingNetwork:
    """One EVSE a car; together they may draw this share of what they could."""
    net = acnsim.ChargingNetwork()
    stations = [station(car) for car in range(cars)]
    for name in stations:
        net.register_evse(acnsim.EVSE(name, max_rate=AMPERES), VOLTS, 0)
    net.add_constraint(Current(stations), share * cars * AMPERES, name="site")
    return net


def battery(session: day.Session) -> acnsim.Battery:
    """A battery that lacks what the session asks for."""
    return acnsim.Battery(day.CAPACITY_KWH, day.CAPACITY_KWH - session.requested_kwh, day.POWER_KW)


def plugin(session: day.Session, its: acnsim.Battery) -> acnsim.PluginEvent:
    """The session's arrival. To ACN-Sim, every session is a car of its own."""
    name = f"{session.car}/{session.arrives}"
    ev = acnsim.EV(session.arrives, session.leaves, session.requested_kwh, station(session.car), name, its)
    return acnsim.PluginEvent(session.arrives, ev)


def station(car: int) -> str:
    """The name of a car's EVSE."""
    return f"evse-{car:05}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
