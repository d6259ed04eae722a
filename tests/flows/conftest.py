"""Fixtures of the flow tests."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from quick_commands import QuickCommands, quick_commands

from flows.installation import Installation

Make = Callable[..., Installation]


@pytest.fixture(scope="session")
def commands() -> Iterator[QuickCommands]:
    with quick_commands() as opened:
        yield opened


@pytest.fixture
def install(database_url: str, tmp_path: Path, commands: QuickCommands) -> Iterator[Make]:
    """Makes installations on a fresh database, one kind after the other; scenario settings as keywords."""
    with ExitStack() as stack:

        def make(**scenario: Any) -> Installation:
            return stack.enter_context(Installation(database_url, tmp_path, commands, **scenario))

        yield make
