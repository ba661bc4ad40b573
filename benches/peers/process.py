"""Runs one process to its end and says what it cost."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class OverLimit(Exception):
    """The process used more CPU time than it was given."""


class Failed(Exception):
    """The process failed; the message holds its last words."""


class Finished(NamedTuple):
    """A process that ended well."""

    stdout: str
    cpu_s: float
    """CPU time, user and system."""
    peak_mib: float
    """Largest resident set, as the kernel counted it."""


def run(argv: list[str], cwd: Path, cpu_limit_s: int) -> Finished:
    """Runs `argv` and waits for it; the kernel ends it after `cpu_limit_s` seconds of CPU time."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_limit_s, cpu_limit_s + 5))

    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = subprocess.Popen(argv, cwd=cwd, stdout=out, stderr=err, preexec_fn=limit)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode == -signal.SIGXCPU:
            raise OverLimit
        out.seek(0)
        err.seek(0)
        if child.returncode != 0:
            raise Failed(f"{' '.join(argv)} ended with {child.returncode}:\n{err.read()[-2000:]}")
        return Finished(out.read(), usage.ru_utime + usage.ru_stime, usage.ru_maxrss * MAXRSS_UNIT / 2**20)
