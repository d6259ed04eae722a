"""What the API's answers look like, for its description alone: tests hold real answers against it.

Answers are made in `message_json` and `events`; making them through these models would cost time and change
nothing.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from reports.query import Status

Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Outcome = Literal["accepted", "refused", "throttled", "unreachable", "unknown"]
Place = Annotated[str, Field(description="JSON pointer (RFC 6901); of a query, taken as one object.")]


class Shape(BaseModel):
    """Every key is always there, and there are no others."""

    model_config = ConfigDict(extra="forbid")


class Error(Shape):
    """Why it failed, and what to do about it."""

    code: int | str | None = Field(description="Meta's number, or Kaleyra's word.")
    title: str | None = Field(description="In the provider's words.")
    details: str | None = Field(description="In the provider's words.")
    fbtrace_id: str | None = Field(description="What Meta's support asks for.")
    meaning: str = Field(description="In plain words.")
    owner: str = Field(description="Who can do something about it.")
    retryable: Literal["never", "later", "now"] = Field(
        description="Whether the same message may be sent again."
    )
    action: str = Field(description="What to do.")


class Times(Shape):
    sent_at: Moment | None
    delivered_at: Moment | None
    read_at: Moment | None
    played_at: Moment | None
    failed_at: Moment | None


class Participant(Times):
    """One member of a group."""

    participant: str
    status: Status
    conflict: bool
    delivered_implied: bool
    error: Error | None


class Update(Shape):
    """One thing that Meta said."""

    status: str = Field(description="Meta's word, also one that is not known here.")
    occurred_at: Moment = Field(description="Meta's clock.")
    received_at: Moment = Field(description="Our clock.")
    participant: str | None = Field(description="In groups.")
    error: Error | None


class Attempt(Shape):
    """One POST of ours to the wrapper."""

    number: int
    started_at: Moment
    ended_at: Moment | None
    outcome: Outcome | None = Field(description="null while it is under way.")
    http_status: int | None
    error: Error | None


class ListedMessage(Times):
    """A message as lists show it: without updates, attempts and participants."""

    message_id: str | None = Field(description="Our id; null for a stranger's message.")
    wamid: str | None = Field(description="Meta's id, once it is known.")
    reference: str | None = Field(description="The caller's own id.")
    callback_data: str | None = Field(description="The caller's part of `biz_opaque_callback_data`.")
    phone_number_id: str | None = Field(description="The number that it was sent from.")
    recipient: str | None = Field(description="Phone digits, business-scoped user id or group id.")
    recipient_user_id: str | None = Field(description="Meta's user id of the person, when it was reported.")
    type: str | None = Field(description="`text`, `template`, …")
    template: str | None = Field(description="The template's name.")
    status: Status = Field(description="Where it stands.")
    refused_by: Literal["wamtrail", "wrapper", "meta"] | None
    message_status: str | None = Field(description="Meta's word in its answer.")
    settled_by: Literal["answer", "status", "person"] | None = Field(description="What made its state final.")
    conflict: bool = Field(description="Both a delivery and a failure were reported.")
    delivered_implied: bool = Field(description="Read or played came without delivered.")
    queued_at: Moment | None
    accepted_at: Moment | None
    error: Error | None = Field(description="The reason of the status.")
    pricing: dict[str, Any] | None = Field(description="What Meta reported.")
    participants: list[Participant] = Field(description="Of a group; empty in lists.")


class Message(ListedMessage):
    """A message with all that is known of it."""

    updates: list[Update] = Field(description="Oldest first.")
    attempts: list[Attempt]


class Messages(Shape):
    messages: list[ListedMessage] = Field(description="Newest first.")
    next: str | None = Field(description="The next page's `cursor`; null on the last.")


class Event(Shape):
    """A status update, or how an attempt of ours ended."""

    kind: Literal["status", "attempt"]
    position: int = Field(description="Of the transaction that brought it; several events may share one.")
    message_id: str | None
    wamid: str | None
    reference: str | None
    phone_number_id: str | None
    queued_at: Moment | None = Field(description="By which the reports put the message on a day.")
    status: str | None = Field(description="Of a status: Meta's word.")
    participant: str | None = Field(description="Of a status in a group.")
    attempt: int | None = Field(description="Of an attempt: its number.")
    outcome: Outcome | None
    http_status: int | None
    occurred_at: Moment = Field(description="Meta's clock for a status, ours for an attempt.")
    received_at: Moment = Field(description="When we had it.")
    error: Error | None


class Events(Shape):
    events: list[Event] = Field(description="In the order in which they became visible.")
    next: str = Field(
        description="The next page's `after`; keep it together with what you made of the events."
    )
    more: bool = Field(description="Whether there is more at once.")


class Wrong(BaseModel):
    """One thing that is wrong with the request."""

    model_config = ConfigDict(extra="forbid")

    pointer: Place
    parameter: str = Field("", description="Of a query: the parameter's name.")
    detail: str = Field(description="One sentence: what is wrong and what to do.")


class Problem(BaseModel):
    """Every error has this form (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    title: str
    status: int
    detail: str = Field(description="What is wrong and what to do.")
    errors: list[Wrong] = Field([], description="Each thing that is wrong with the request.")


ANSWERS: tuple[type[BaseModel], ...] = (Messages, Message, Events, Problem)
