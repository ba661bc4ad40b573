"""Runs the day in EV2Gym. usage: drive_ev2gym.py DAY.csv CARS {own,same}

With `own`, EV2Gym draws its cars itself, as it is meant to be used; with `same`, it is given the
sessions of the day. All else is its best case: one transformer (it loops over transformers at every
step), charging as fast as possible, a state function that observes nothing, no replay and no
plots, cars that are all alike.
"""

import sys
from pathlib import Path

import ev2gym
import numpy
import yaml
from ev2gym.baselines.heuristics import ChargeAsFastAsPossible
from ev2gym.models.ev import EV
from ev2gym.models.ev2gym_env import EV2Gym
from ev2gym.rl_agent.reward import profit_maximization

import day
import measure


def main(path: Path, cars: int, source: str) -> None:
    """Builds the environment, plays one episode, and reports."""
    env = environment(cars)
    if source == "same":
        env.EVs_profiles = [profile(session) for session in day.read(path)]
    agent = ChargeAsFastAsPossible()
    started = measure.cpu_seconds()
    done = False
    while not done:
        _, _, done, _, _ = env.step(agent.get_action(env))
    ended = measure.cpu_seconds()
    measure.report(
        steps=env.current_step,
        setup_cpu_s=started,
        run_cpu_s=ended - started,
        stored_kwh=float(sum(ev.current_capacity - ev.battery_capacity_at_arrival for ev in env.EVs)),
        billed_kwh=float(sum(station.total_energy_charged for station in env.charging_stations)),
    )


def environment(cars: int) -> EV2Gym:
    """One charging station with one port for each car."""
    example = Path(ev2gym.__file__).parent / "example_config_files" / "V2GProfitMax.yaml"
    config = yaml.safe_load(example.read_text())
    config.update(
        timescale=day.SLOT_MINUTES,
        simulation_length=day.SLOTS,
        random_day=False,
        hour=0,
        number_of_charging_stations=cars,
        number_of_transformers=1,
        heterogeneous_ev_specs=False,
    )
    config["ev"].update(
        battery_capacity=int(day.CAPACITY_KWH),
        max_ac_charge_power=day.POWER_KW,
        max_discharge_power=-day.POWER_KW,
    )
    written = Path("ev2gym.yaml")
    written.write_text(yaml.safe_dump(config))
    return EV2Gym(
        config_file=str(written),
        seed=day.SEED,
        state_function=lambda env: numpy.zeros(1),
        reward_function=profit_maximization,
    )


def profile(session: day.Session) -> EV:
    """The session's car. EV2Gym lets no car arrive before step 1 and charges up to the departure's step."""
    return EV(
        id=0,
        location=session.car,
        battery_capacity_at_arrival=day.CAPACITY_KWH - session.requested_kwh,
        time_of_arrival=max(session.arrives, 1),
        time_of_departure=session.leaves - 1,
        battery_capacity=day.CAPACITY_KWH,
        max_ac_charge_power=day.POWER_KW,
        max_discharge_power=-day.POWER_KW,
        transition_soc=1,
        timescale=day.SLOT_MINUTES,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
