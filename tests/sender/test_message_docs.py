"""docs/messages.md says what the models say, and its examples pass."""

import json
import re
from pathlib import Path

from sender.message_docs import page
from sender.payload import check
from sender.payload_limits import kinds

PAGE = Path(__file__).parents[2] / "docs" / "messages.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run scripts/make-docs"


def test_every_type_has_a_section_with_an_example_that_passes() -> None:
    text = PAGE.read_text("utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == kinds()
    examples = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert len(examples) == len(kinds())
    for example in examples:
        assert check(json.loads(example))[1] == ()


def test_the_limits_stand_in_the_tables() -> None:
    text = PAGE.read_text("utf-8")
    assert "| `text.body` | 1 to 4,096 characters, must be there |" in text
    assert "| `interactive.action.sections` | 1 to 10 rows in all |" in text
    assert "| `contacts` | 1 to 257 items |" in text
