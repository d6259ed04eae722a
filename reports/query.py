"""What may be asked of the list of messages, and how every call's parameters are read."""

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import QueryParams

from reports.problems import Problem
from reports.values import ListCursor, Recipient, Text, Time, Whole
from store.search_wanted import Wanted

Status = Literal[
    "queued",
    "sending",
    "unknown",
    "refused",
    "cancelled",
    "accepted",
    "sent",
    "delivered",
    "read",
    "played",
    "failed",
]


class MessagesQuery(BaseModel):
    """Parameters of `GET /api/v1/messages`. Times are RFC 3339 or dates (the day's first second, UTC)."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    to: Recipient | None = Field(None, description="Phone number, business-scoped user id or group id.")
    status: Status | None = Field(None, description="Where the message stands.")
    since: Time | None = Field(None, description="Taken in, or first heard of, at this time or later.")
    until: Time | None = Field(None, description="Before this time.")
    from_: Text | None = Field(None, alias="from", description="phone_number_id that it was sent from.")
    reference: Text | None = Field(None, description="The caller's own id.")
    limit: Whole = Field(50, ge=1, le=500, description="How many messages a page holds at most.")
    cursor: ListCursor | None = Field(None, description="`next` of the page before, unchanged.")

    def wanted(self, numbers: tuple[str, ...], *, nameless: bool) -> Wanted:
        """`numbers`: the sending numbers that the asker may see; () is all. `nameless`: of none as well."""
        return Wanted(
            recipients=() if self.to is None else (self.to,),
            status=self.status,
            since=self.since,
            until=self.until,
            phone_number_id=self.from_,
            reference=self.reference,
            numbers=numbers,
            numbered=not nameless,
        )


class NoQuery(BaseModel):
    """Of a call that takes no parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_Query = TypeVar("_Query", bound=BaseModel)


def read(given: QueryParams, model: type[_Query]) -> _Query:
    """The parameters as this model takes them. Raises Problem 400 that names each wrong one."""
    twice = dict.fromkeys(name for name in given if len(given.getlist(name)) > 1)
    if twice:
        raise refused([(name, "stands there twice; give it once") for name in twice])
    try:
        return model.model_validate(dict(given))
    except ValidationError as problem:
        found = problem.errors(include_url=False, include_input=False)
    raise refused([_error(one, model) for one in found])


def refused(wrong: list[tuple[str, str]]) -> Problem:
    """(parameter, what is wrong with it) of each. The pointer takes the query as an object."""
    detail = "; ".join(f"{_shown(name)}: {sentence.removesuffix('.')}" for name, sentence in wrong)
    errors = [
        {"parameter": _shown(name), "pointer": _pointer(_shown(name)), "detail": sentence}
        for name, sentence in wrong
    ]
    return Problem(400, "Invalid parameters", f"{detail}.", errors=errors)


def _error(one: Any, model: type[BaseModel]) -> tuple[str, str]:
    name = str(one["loc"][0])
    if one["type"] != "extra_forbidden":
        return name, str(one["msg"])
    known = ", ".join(field.alias or word for word, field in model.model_fields.items())
    return name, f"is not a parameter here; known are {known}" if known else "this call takes no parameters"


def _shown(name: str) -> str:
    """An unknown name may be anything, a number too: it is shown cut, to the one who typed it."""
    return name[:60]


def _pointer(name: str) -> str:
    """RFC 6901."""
    return "/" + name.replace("~", "~0").replace("/", "~1")
