"""A database of either kind, with verbs to fill it."""

from collections.abc import Iterator

import pytest
from story_seeds import Seeds, opened


@pytest.fixture
def seeds(database_url: str) -> Iterator[Seeds]:
    yield from opened(database_url)
