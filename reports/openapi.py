"""The API's description, OpenAPI 3.1: out of the models that read queries and the schemas of answers."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from reports import openapi_words, report_shapes
from reports.calls import CALLS, TAGS, Call
from reports.shapes import ANSWERS
from reports.values import LONGEST

Json = dict[str, Any]
_SCHEMAS = "#/components/schemas/"
_ALWAYS = {
    "400": "BadRequest",
    "401": "Unauthorized",
    "403": "Forbidden",
    "429": "TooManyCalls",
    "500": "Fault",
    "503": "Unavailable",
}
_PROBLEMS = {
    "BadRequest": "What is wrong with the request, each thing with a pointer.",
    "Unauthorized": "No token, or one that is not known.",
    "Forbidden": "The token's role, or its numbers, do not allow this.",
    "NotFound": "There is no such message, or it is not yours.",
    "Conflict": "Another request has used this idempotency key.",
    "Gone": "Events after this cursor are gone, by age or by an erasure, or the database was restored.",
    "TooLong": "The body is too long.",
    "TooManyCalls": "The token has made too many calls.",
    "Fault": "The fault is ours; it is in the log.",
    "Unavailable": "The database is away or too slow.",
}
_RETRY = {
    "Retry-After": {"required": True, "description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}
}
_LIMITS = {
    "RateLimit-Policy": {"description": "Calls (q) in seconds (w).", "schema": {"type": "string"}},
    "RateLimit": {
        "description": "Calls left (r), seconds until all are back (t).",
        "schema": {"type": "string"},
    },
}
_CHALLENGE = {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}}


def document(
    version: str, *, rates: tuple[int, int] = (0, 0), more: Mapping[str, Mapping[str, Any]] | None = None
) -> Json:
    """`more`: other rooms' operations by path and method; they may refer to the components here."""
    paths: Json = {call.path: {"get": _operation(call)} for call in CALLS}
    for path, operations in (more or {}).items():
        paths[path] = {**paths.get(path, {}), **operations}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Wamtrail",
            "version": version,
            "summary": "What became of every WhatsApp message.",
            "description": openapi_words.introduction(*rates),
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [{"name": name, **({"description": text} if text else {})} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "responses": {name: _problem(name) for name in _PROBLEMS},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`wamtrail token create` makes one.",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": openapi_words.COOKIE,
                    "description": "A person's sign-in; over TLS the name begins with `__Host-`.",
                },
            },
        },
    }


def _operation(call: Call) -> Json:
    found: Json = {
        "operationId": call.name,
        "tags": [call.tag],
        "summary": call.summary,
        "description": call.text,
        "parameters": [*map(_in_path, call.in_path.items()), *_parameters(call.query)],
        "responses": _responses(call),
        "x-roles": sorted(call.roles),
        "x-codeSamples": [{"lang": "Shell", "source": _curl(call.example)}],
    }
    if call.people:
        found["security"] = [{"token": []}, {"session": []}]
    return found


def _responses(call: Call) -> Json:
    schema = {"$ref": _SCHEMAS + call.answer} if call.answer else {"type": "object"}
    problems = dict(sorted({**_ALWAYS, **call.more}.items()))
    return {
        "200": {
            "description": "The answer.",
            "headers": _LIMITS,
            "content": {"application/json": {"schema": schema}},
        },
        **{status: {"$ref": f"#/components/responses/{name}"} for status, name in problems.items()},
    }


def _curl(address: str) -> str:
    return f'curl --compressed -H "Authorization: Bearer $TOKEN" "$WAMTRAIL{address}"'


def _in_path(one: tuple[str, str]) -> Json:
    name, text = one
    schema = {"type": "string", "minLength": 1, "maxLength": LONGEST}
    return {"name": name, "in": "path", "required": True, "description": text, "schema": schema}


def _parameters(model: type[BaseModel]) -> list[Json]:
    """Of a query: what pydantic says of each field, without what only objects need."""
    return [_parameter(name, one) for name, one in model.model_json_schema()["properties"].items()]


def _parameter(name: str, found: Json) -> Json:
    said = {key: value for key, value in found.items() if key not in ("title", "description")}
    choices = [one for one in said.pop("anyOf", []) if one != {"type": "null"}]
    if said.get("default", 0) in (None, [], ()):
        del said["default"]
    schema = {**(choices[0] if len(choices) == 1 else {"anyOf": choices} if choices else {}), **said}
    styled = {"style": "form", "explode": False} if schema.get("type") == "array" else {}
    return {"name": name, "in": "query", "description": found["description"], **styled, "schema": schema}


def _schemas() -> Json:
    asked = [(one, "serialization") for one in ANSWERS]
    _, found = models_json_schema(asked, ref_template=_SCHEMAS + "{model}")  # type: ignore[arg-type]
    return {**{name: _untitled(one) for name, one in found["$defs"].items()}, **report_shapes.schemas()}


def _untitled(schema: Any) -> Any:
    """Without pydantic's titles, which only repeat names; a property that is called `title` stays."""
    if isinstance(schema, list):
        return [_untitled(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _untitled(one) for key, one in schema.items() if key != "title" or isinstance(one, dict)}


def _problem(name: str) -> Json:
    headers = {"Unauthorized": _CHALLENGE, "TooManyCalls": {**_RETRY, **_LIMITS}, "Unavailable": _RETRY}
    found = {
        "description": _PROBLEMS[name],
        "content": {"application/problem+json": {"schema": {"$ref": f"{_SCHEMAS}Problem"}}},
    }
    return {**found, "headers": headers[name]} if name in headers else found
