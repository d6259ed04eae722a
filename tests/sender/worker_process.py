"""A worker in a process of its own, to be killed: DATABASE_URL WRAPPER_URL."""

import asyncio
import sys

from sending import FAST, SCENARIO, worker_for

from sender.wrapper import Wrapper, WrapperConfig
from store.database import Database


async def main(database_url: str, wrapper_url: str) -> None:
    config = WrapperConfig(wrapper_url, SCENARIO.sid, SCENARIO.api_key, timeout=10.0)
    async with Wrapper(config) as wrapper:
        await worker_for(Database(database_url), wrapper, FAST).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
