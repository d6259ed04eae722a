"""What is wrong with a payload: a place and a sentence, made from the models' errors or by a rule."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """`pointer` is a JSON pointer into the payload ("" is the whole); `message` opens with the same place."""

    pointer: str
    message: str


class Part(BaseModel):
    """One object of a payload: types as strict as Meta's, unknown keys pass (Meta adds fields)."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)


def problem(path: Path, sentence: str) -> Problem:
    """A problem at `path`. The sentence goes on after the place: "missing; add it"."""
    place = ".".join(_readable(step) for step in path)
    return Problem(pointer(path), f"{place}: {sentence}" if place else sentence[:1].upper() + sentence[1:])


def pointer(path: Path) -> str:
    """The JSON pointer (RFC 6901) of a path."""
    return "".join("/" + _clean(str(step)).replace("~", "~0").replace("/", "~1") for step in path)


def shape_problems(model: type[BaseModel], value: object, path: Path) -> Iterator[Problem]:
    """Every way in which `value`, standing at `path`, does not fit the model."""
    try:
        model.model_validate(value)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            yield problem((*path, *detail["loc"]), _sentence(detail))


def objects(value: object) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a list, with their places; nothing when it is no list."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield index, item


def member(value: object, key: str) -> Any:
    """`value[key]` when value is an object that has it, else None."""
    return value.get(key) if isinstance(value, dict) else None


def word(value: object) -> str | None:
    """An enumerated word in lower case (Meta takes "COPY_CODE" and "copy_code"); None when no string."""
    return value.lower() if isinstance(value, str) else None


def listing(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))


_KINDS = {
    "string_type": "must be text",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "list_type": "must be a list",
    "bool_type": "must be true or false, without quotes",
    "int_type": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_unicode": "has half of a character pair in it (a lone surrogate); send the whole character",
}


def _sentence(detail: ErrorDetails) -> str:
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind == "missing":
        return "missing; add it"
    if kind == "string_too_long":
        return f"{len(value):,} characters, the limit is {context['max_length']:,}"
    if kind == "too_long":
        return f"{len(value):,} items, the limit is {context['max_length']:,}"
    if kind == "string_too_short":
        return "empty; put text in it"
    if kind == "too_short":
        return f"{len(value):,} items, at least {context['min_length']:,} needed"
    if kind in ("greater_than_equal", "less_than_equal"):
        word_, limit = ("least", context.get("ge")) if "ge" in context else ("most", context.get("le"))
        return f"must be at {word_} {limit:,}"
    if kind in _KINDS:
        return _KINDS[kind] + (" and may not be null" if value is None else "")
    said = detail["msg"].removeprefix("Value error, ")
    return said[:1].lower() + said[1:]


def _readable(step: str | int) -> str:
    return str(step) if isinstance(step, int) else _clean(step[:60])


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "?")
