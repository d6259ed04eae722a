"""The simulator as an ASGI application: the wrapper, the control pages, and Meta's sender beside them."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

from starlette.applications import Starlette
from starlette.routing import Route

from simulator import control, wrapper
from simulator.scenario import Scenario
from simulator.world import World


def create(scenario: Scenario, clock: Callable[[], float] = time.time) -> Starlette:
    """One application for one scenario. `clock` gives Meta's event times in Unix seconds.

    Misbehaviour of connections needs `simulator.transport.SimulatorProtocol` as the server's protocol.
    """
    world = World(scenario, clock)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        await world.courier.open()
        carrying = asyncio.create_task(world.lanes.run())
        try:
            yield
        finally:
            carrying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await carrying
            await world.courier.close()

    send = Route("/v1/{sid}/wrapper/{phone_number_id}/messages", wrapper.messages, methods=["POST"])
    app = Starlette(routes=[send, *control.routes()], lifespan=lifespan)
    app.state.world = world
    return app
