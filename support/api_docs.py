"""/api/docs: the API's description as a page. It is made here, out of the document alone."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from support import api_docs_words as words
from support import guard, pages
from support.house import House

Json = Mapping[str, Any]
PATH = "/api/docs"


def routes(
    house: House,
    document: Callable[[], Json],
    has_token: Callable[[Request], Awaitable[bool]] | None = None,
) -> list[BaseRoute]:
    """For whoever is signed in, and for a token that works (`has_token`): it tells no data."""

    async def show(request: Request) -> Response:
        viewer = await guard.viewer_of(house, request)
        if viewer is None and not (has_token is not None and await has_token(request)):
            return guard.to_sign_in(request)
        request.state.viewer = viewer
        return pages.page(request, viewer, "api_docs.html", **view(document()))

    return [guard.unguarded(house, PATH, show)]


def view(document: Json) -> dict[str, Any]:
    """What the template shows."""
    introduction = document["info"]["description"]
    sections = [
        {
            "name": tag["name"],
            "text": words.inline(tag.get("description", "")),
            "calls": [*_calls(document, tag["name"])],
        }
        for tag in document["tags"]
    ]
    return {
        "introduction": words.html(introduction),
        "headings": words.headings(introduction),
        "sections": [one for one in sections if one["calls"]],
        "objects": [_table(name, one) for name, one in document["components"]["schemas"].items()],
        "version": document["info"]["version"],
    }


def _calls(document: Json, tag: str) -> Iterator[Json]:
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            if tag in call["tags"]:
                yield _call(document, path, method, call)


def _call(document: Json, path: str, method: str, call: Json) -> Json:
    return {
        "id": call["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": call["summary"],
        "text": words.inline(call["description"]),
        "roles": call["x-roles"],
        "samples": [one["source"] for one in call["x-codeSamples"]],
        "parameters": [_parameter(one) for one in call["parameters"]],
        "body": _body(call),
        "answers": [_answer(document, status, one) for status, one in call["responses"].items()],
    }


def _parameter(one: Json) -> Json:
    return {
        "name": one["name"],
        "place": one["in"],
        "kind": words.kind(one["schema"]),
        "text": words.inline(one["description"]),
    }


def _body(call: Json) -> Json | None:
    if "requestBody" not in call:
        return None
    (content,) = call["requestBody"]["content"].values()
    return _table("body", content["schema"])


def _answer(document: Json, status: str, one: Json) -> Json:
    if "$ref" in one:
        one = document["components"]["responses"][one["$ref"].rsplit("/", 1)[1]]
    (content,) = one["content"].values()
    schema = content["schema"]
    whole = schema.get("properties") and not status.startswith(("4", "5"))
    return {
        "status": status,
        "text": words.inline(one["description"]),
        "kind": words.kind(schema),
        "table": _table(status, schema) if whole else None,
    }


def _table(name: str, schema: Json) -> Json:
    """An object's keys; those of an object inside stand after it, behind a dot."""
    return {
        "name": name,
        "text": words.inline(schema.get("description", "")),
        "rows": [*_rows(schema, "")],
    }


def _rows(schema: Json, before: str) -> Iterator[Json]:
    needed = schema.get("required", ())
    for key, one in schema.get("properties", {}).items():
        yield {
            "name": f"{before}{key}",
            "kind": words.kind(one),
            "text": words.inline(one.get("description", "")),
            "optional": key not in needed,
        }
        if one.get("properties"):
            yield from _rows(one, f"{before}{key}.")
        elif one.get("type") == "array" and one["items"].get("properties"):
            yield from _rows(one["items"], f"{before}{key}[].")
