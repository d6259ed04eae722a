"""Words of the API's description for people: its CommonMark as HTML, a schema's kind in a phrase. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup, escape

Schema = Mapping[str, Any]
_CODE = re.compile(r"`([^`]+)`")
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
    "null": "null",
}
_FORMATS = {
    "date-time": "time (RFC 3339)",
    "date": "day (YYYY-MM-DD)",
    "list-cursor": "cursor",
    "feed-cursor": "cursor",
    "uuid": "UUID",
}


def html(text: str) -> Markup:
    """Paragraphs, `## ` headings, `- ` lists and `code`: what the description uses, and nothing else."""
    return Markup("\n").join(_block(one.strip("\n")) for one in text.split("\n\n") if one.strip())


def inline(text: str) -> Markup:
    """One line: only `code`."""
    parts = _CODE.split(" ".join(text.split()))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def _block(text: str) -> Markup:
    if text.startswith("## "):
        title = text[3:].strip()
        return Markup('<h2 id="{}">{}</h2>').format(anchor(title), title)
    if text.startswith("- "):
        items = re.split(r"\n(?=- )", text)
        return Markup("<ul>{}</ul>").format(
            Markup("").join(Markup("<li>{}</li>").format(inline(one[2:])) for one in items)
        )
    return Markup("<p>{}</p>").format(inline(text))


def anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def headings(text: str) -> list[tuple[str, str]]:
    """(anchor, title) of each."""
    titles = [line[3:].strip() for line in text.splitlines() if line.startswith("## ")]
    return [(anchor(title), title) for title in titles]


def kind(schema: Schema) -> Markup:
    """`whole number, 1 to 500`; objects that have a name are links to it."""
    return Markup(" or ").join(_kinds(schema)) + escape(_bounds(schema))


def _kinds(schema: Schema) -> Iterator[Markup]:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        yield Markup('<a href="#{0}">{0}</a>').format(name)
    elif "const" in schema:
        yield Markup("<code>{}</code>").format(schema["const"])
    elif "enum" in schema:
        named = [Markup("<code>{}</code>").format(one) for one in schema["enum"] if one is not None]
        yield Markup(", ").join(named)
        if None in schema["enum"]:
            yield Markup("null")
    elif "anyOf" in schema:
        for one in schema["anyOf"]:
            yield kind(one)
    else:
        types = schema.get("type", "object")
        for one in [types] if isinstance(types, str) else types:
            yield _typed(one, schema)


def _typed(name: str, schema: Schema) -> Markup:
    if name == "array":
        return Markup("list of {}").format(kind(schema["items"]))
    if name == "string" and "format" in schema:
        return escape(_FORMATS.get(schema["format"], schema["format"]))
    return escape(_TYPES.get(name, name))


def _bounds(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    words = []
    if least is not None and most is not None:
        words.append(f"{least:,} to {most:,}")
    if "maxLength" in schema:
        words.append(f"at most {schema['maxLength']:,} characters")
    if schema.get("default") not in (None, "", []):
        words.append(f"{schema['default']} when left out")
    return "".join(f", {one}" for one in words)
