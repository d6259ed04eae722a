"""What may be asked of the list of messages: every parameter with its check, in one place."""

import base64
import binascii
import math
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError
from starlette.datastructures import QueryParams

from reports.problems import Problem
from store.listing import Cursor, Filter
from store.times import parse_time
from whatsapp.recipient import InvalidRecipient, digits, parse_recipient

LONGEST = 512  # characters of an id, as long as a wamid may be
_Status = Literal[
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


def bad(sentence: str) -> PydanticCustomError:
    return PydanticCustomError("parameter", "{sentence}", {"sentence": sentence})


def _storable(value: str) -> str:
    if "\x00" in value:  # PostgreSQL takes none, and no id holds one
        raise bad("holds a NUL character; take it out")
    return value


def _time(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse_time(value)
    except ValueError as problem:
        raise bad(str(problem)) from None


def _recipient(value: str) -> str:
    """As `sends` and Meta spell it: a phone's digits, a business-scoped user id or a group's id."""
    text = f"+{value.strip()}" if value.startswith(" ") else value.strip()  # an address makes '+' a blank
    if text.isdecimal():
        return digits(text)  # an id of Meta's own, also where it is no valid number
    try:
        return parse_recipient(text).value.removeprefix("+")
    except InvalidRecipient as problem:
        if any(sign.isalpha() for sign in text):
            return text  # a group's
        raise bad(f"is no recipient. {problem}") from None


def _cursor(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        at, key = base64.b64decode(value, altchars=b"-_", validate=True).decode().split("|", 1)
        moment = float(at)
    except (ValueError, binascii.Error):
        moment, key = math.nan, ""
    if not math.isfinite(moment) or not key or "\x00" in key:
        raise bad("is not a cursor of this list; take `next` of the page before, unchanged")
    return Cursor(moment, key)


Text = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_storable)]
Time = Annotated[float, BeforeValidator(_time)]


class MessagesQuery(BaseModel):
    """Parameters of `GET /api/v1/messages`. Times are RFC 3339 or dates (the day's first second, UTC)."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    to: Annotated[Text, AfterValidator(_recipient)] | None = Field(
        None, description="Phone number, business-scoped user id or group id."
    )
    status: _Status | None = Field(None, description="Where the message stands.")
    since: Time | None = Field(None, description="Taken in, or first heard of, at this time or later.")
    until: Time | None = Field(None, description="Before this time.")
    from_: Text | None = Field(None, alias="from", description="phone_number_id that it was sent from.")
    reference: Text | None = Field(None, description="The caller's own id.")
    limit: int = Field(50, ge=1, le=500, description="How many messages a page holds at most.")
    cursor: Annotated[Cursor, BeforeValidator(_cursor)] | None = Field(
        None, description="`next` of the page before."
    )

    def filter(self, numbers: tuple[str, ...]) -> Filter:
        """`numbers`: the sending numbers that the asker may see; () is all."""
        return Filter(
            recipient=self.to,
            status=self.status,
            since=self.since,
            until=self.until,
            phone_number_id=self.from_,
            reference=self.reference,
            numbers=numbers,
        )


def read_query(given: QueryParams) -> MessagesQuery:
    """Raises Problem 400 that names each wrong parameter."""
    return read(given, MessagesQuery)


_Query = TypeVar("_Query", bound=BaseModel)


def read(given: QueryParams, model: type[_Query]) -> _Query:
    """The parameters as this model takes them. Raises Problem 400 that names each wrong one."""
    errors = [
        {"parameter": name[:60], "detail": "stands there twice; give it once"}
        for name in given
        if len(given.getlist(name)) > 1
    ]
    if not errors:
        try:
            return model.model_validate(dict(given))
        except ValidationError as problem:
            found = problem.errors(include_url=False, include_input=False)
            errors = [_error(one, model) for one in found]
    raise refused(errors)


def refused(errors: list[dict[str, str]]) -> Problem:
    detail = "; ".join(f"{one['parameter']}: {one['detail'].removesuffix('.')}" for one in errors)
    return Problem(400, "Invalid parameters", f"{detail}.", errors=errors)


def write_cursor(at: float, key: str) -> str:
    """What `cursor` takes: URL-safe base64 of time and key."""
    return base64.urlsafe_b64encode(f"{at!r}|{key}".encode()).decode()


def _error(one: Any, model: type[BaseModel]) -> dict[str, str]:
    name = str(one["loc"][0])
    if one["type"] == "extra_forbidden":
        known = ", ".join(field.alias or word for word, field in model.model_fields.items())
        # An unknown name may be anything, a number too: it is shown cut, to the one who typed it.
        return {"parameter": name[:60], "detail": f"is not a parameter here; known are {known}"}
    return {"parameter": name, "detail": str(one["msg"])}
