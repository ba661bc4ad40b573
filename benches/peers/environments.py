"""One virtual environment for each peer, made on first use from its pinned requirements.

An environment is `.venv-NAME` beside this file and keeps a copy of the requirements that it was
made from; when they change, it is made anew.
"""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = "3.11"


class SetUpFailed(Exception):
    """An environment could not be made; the message says what to do."""


def python_of(name: str) -> Path:
    """The interpreter of the environment `name`, which is made if need be."""
    folder, requirements = HERE / f".venv-{name}", HERE / f"requirements-{name}.txt"
    made_from = folder / requirements.name
    python = folder / "bin" / "python"
    if not made_from.is_file() or made_from.read_bytes() != requirements.read_bytes():
        print(f"setting up {folder.name} from PyPI", file=sys.stderr)
        make(folder)
        install(python, requirements)
        shutil.copyfile(requirements, made_from)
    return python


def make(folder: Path) -> None:
    """Makes an empty environment, in place of what was there."""
    made = quietly([base_python(), "-m", "venv", "--clear", str(folder)])
    if made.returncode != 0:
        raise SetUpFailed(
            f"could not make a virtual environment in {folder}; on Debian and Ubuntu the module is in "
            f"the package python{PYTHON}-venv\n{tail(made)}"
        )


def install(python: Path, requirements: Path) -> None:
    """Installs the requirements, with all versions pinned."""
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    installed = quietly([*pip, "--requirement", str(requirements)])
    if installed.returncode != 0:
        raise SetUpFailed(
            f"could not install {requirements.name} from PyPI; is it reachable from here? pip said:\n{tail(installed)}"
        )


def base_python() -> str:
    """A Python of the one version for which all the pinned packages exist as wheels."""
    for candidate in (sys.executable, shutil.which(f"python{PYTHON}")):
        if candidate and version_of(candidate) == PYTHON:
            return candidate
    raise SetUpFailed(
        f"the peers need Python {PYTHON} (the numpy that EV2Gym needs has no wheel for later ones, and "
        f"this is {sys.version.split()[0]}); install it so that `python{PYTHON}` is on the PATH"
    )


def version_of(python: str) -> str:
    """The version of an interpreter, such as 3.11; empty where it does not run."""
    asked = quietly([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
    return asked.stdout.strip()


def quietly(argv: list[str]) -> subprocess.CompletedProcess:
    """Runs a command and keeps what it says."""
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def tail(finished: subprocess.CompletedProcess) -> str:
    """The last lines of what a command said."""
    return "\n".join((finished.stdout + finished.stderr).strip().splitlines()[-8:])
