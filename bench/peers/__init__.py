"""Others under the same load, each installed into a folder of its own: nothing of them is in this project.

Both handlers are written for this comparison: one row a status, upserted, in PostgreSQL.
"""

import contextlib
import shutil
import subprocess
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from bench.bodies import SECRET
from bench.contenders import Contender, Running, Start
from bench.processes import free_port, running

HERE = Path(__file__).parent
PYTHON_PACKAGES = (
    "pywa[fastapi]",
    "sqlmodel",
    "sqlalchemy[asyncio]",
    "psycopg[binary]",
    "uvicorn",
    "uvloop",
    "httptools",
)
NODE_PACKAGES = ("whatsapp-api-js", "pg")
NewDatabase = Callable[[], "contextlib.AbstractContextManager[str]"]


def installed(folder: Path, new_database: NewDatabase) -> list[Contender]:
    """Those that can be installed here; a sentence for each of the others."""
    found: list[Contender] = []
    for install in (_pywa, _whatsapp_api_js):
        try:
            found.append(install(folder, new_database))
        except (OSError, subprocess.CalledProcessError) as problem:
            print(f"Left out: {install.__name__.strip('_')} cannot be installed ({type(problem).__name__}).")
    return found


def _pywa(folder: Path, new_database: NewDatabase) -> Contender:
    python = folder / "python" / "bin" / "python"
    if not python.exists():
        venv.create(folder / "python", with_pip=True)
        _quietly([str(python), "-m", "pip", "install", "--quiet", *PYTHON_PACKAGES], folder)
    command = [str(python), str(HERE / "pywa_app.py")]
    return Contender(
        f"pywa {_version_of_pywa(python)}, SQLModel", False, _peer(command, folder, new_database)
    )


def _version_of_pywa(python: Path) -> str:
    code = "from importlib.metadata import version; print(version('pywa'))"
    return subprocess.run(
        [str(python), "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def _whatsapp_api_js(folder: Path, new_database: NewDatabase) -> Contender:
    node = folder / "node"
    node.mkdir(parents=True, exist_ok=True)
    if not (node / "node_modules").exists():
        _quietly(["npm", "install", "--no-audit", "--no-fund", *NODE_PACKAGES], node)
    script = Path(shutil.copy(HERE / "whatsapp_api_js.mjs", node))  # beside its packages, or it finds none
    return Contender(
        "whatsapp-api-js, node:http, pg", False, _peer(["node", str(script)], node, new_database)
    )


def _quietly(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _peer(command: list[str], at: Path, new_database: NewDatabase) -> Start:
    @contextlib.contextmanager
    def start(folder: Path) -> Iterator[Running]:
        port = free_port()
        with new_database() as url, psycopg.connect(url, autocommit=True) as connection:
            environment = {"PORT": str(port), "DATABASE_URL": url, "APP_SECRET": SECRET}

            def stored() -> int:
                row = connection.execute("SELECT count(*) FROM status").fetchone()
                return int(row[0]) if row else 0

            with running(command, port, folder / "peer.log", environment, at) as process:
                yield Running(port, process.pid, stored, None)

    return start
