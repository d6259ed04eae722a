"""Signs that need no font, each its own shape, so that no status is told by colour alone."""

import re
from pathlib import Path

from store.summary import MARKS
from support import pages
from support.glyphs import SHAPES, glyph
from support.work_words import LISTS


def test_every_status_and_every_list_has_a_shape():
    assert set(MARKS) <= set(SHAPES)
    assert {one.glyph for one in LISTS.values()} <= set(SHAPES)
    assert glyph("<b>") == ""


def test_shapes_differ_but_for_read_which_is_delivered_on_a_ground_of_its_own():
    distinct = {word: shape for word, shape in SHAPES.items() if word != "read"}
    assert len(set(distinct.values())) == len(distinct)
    assert SHAPES["read"] == SHAPES["delivered"]
    assert ".status.read .mark { background:" in (pages.STATIC / "wamtrail.css").read_text()


def test_pages_hold_no_sign_that_needs_a_font_of_its_own():
    odd = re.compile("[\u2205\u2295-\u2299\u2300-\u2bff\U0001f000-\U0001ffff]")
    room = Path(pages.__file__).parent
    for file in (*room.glob("*.py"), *room.glob("templates/*.html"), *room.glob("static/w*.css")):
        assert not odd.search(file.read_text()), file.name
