"""What a driver says about its run: one line of JSON, the last one that it prints."""

import json
import resource


def cpu_seconds() -> float:
    """CPU time of this process since it began, user and system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def report(*, steps: int, setup_cpu_s: float, run_cpu_s: float, stored_kwh: float, billed_kwh: float) -> None:
    """Prints the line that `run` reads.

    `steps` are the steps that the simulator took; set-up is all CPU time before the first of
    them, interpreter and imports included. `stored_kwh` is what the batteries gained,
    `billed_kwh` what the chargers' books say; batteries without losses make the two equal.
    """
    print(
        json.dumps(
            {
                "steps": steps,
                "setup_cpu_s": setup_cpu_s,
                "run_cpu_s": run_cpu_s,
                "stored_kwh": stored_kwh,
                "billed_kwh": billed_kwh,
            }
        )
    )
