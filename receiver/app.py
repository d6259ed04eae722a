"""The receiver's Starlette app: what the internet may reach on port 8080, and nothing else."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from receiver.admission import Admission, Limits
from receiver.door import Door
from receiver.endpoints import Directory
from receiver.figures import DoorFigures
from receiver.keeper import Keeper
from store.database import Database

PATH = "/webhooks/whatsapp"


def create(
    database: Database,
    directory: Directory,
    clock: Callable[[], float],
    registry: CollectorRegistry,
    *,
    limits: Limits | None = None,
    kept: Callable[[], None] = lambda: None,
) -> Starlette:
    """`kept` is called after each commit, to wake a processor in the same process."""
    limits = limits or Limits()
    figures = DoorFigures(registry)
    keeper = Keeper(database, figures, queue_age=limits.queue_age, kept=kept)
    door = Door(directory, Admission(limits, figures), keeper, figures, clock)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        keeper.start()
        yield
        await keeper.stop()

    paths = (PATH, f"{PATH}/", f"{PATH}/{{endpoint}}", f"{PATH}/{{endpoint}}/")
    routes = [Route("/healthz", _alive)]
    routes += [Route(path, door.handshake, methods=["GET"]) for path in paths]
    routes += [Route(path, door.receive, methods=["POST"]) for path in paths]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.router.redirect_slashes = False
    return app


async def _alive(_request: Request) -> Response:
    return PlainTextResponse("ok\n")
