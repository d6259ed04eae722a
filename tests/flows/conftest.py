"""Fixtures of the flow tests."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from flows.installation import Installation

Make = Callable[..., Installation]


@pytest.fixture
def install(database_url: str, tmp_path: Path) -> Iterator[Make]:
    """Makes installations on a fresh database, one kind after the other; scenario settings as keywords."""
    with ExitStack() as stack:

        def make(**scenario: Any) -> Installation:
            return stack.enter_context(Installation(database_url, tmp_path, **scenario))

        yield make
