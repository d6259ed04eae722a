"""What the rooms hand to the store: plain values, made by the receiver's parser and the sender.

Times: `occurred_at` is Meta's event time in whole Unix seconds; our own times (`received_at`, `now`)
are Unix seconds with a fraction. JSON travels as canonical text (sorted keys, no spaces), so that two
copies of one value compare equal. Strings are already free of NUL and lone surrogates.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """One item of Meta's `statuses[]` about a message. Absent strings are None, but key parts are ''."""

    wamid: str
    participant: str  # who of a group; '' when the message went to one person
    status: str  # Meta's word as it came, also when unknown
    occurred_at: int
    error_codes: str  # the codes of `errors`, comma-separated in Meta's order; '' when there are none
    phone_number_id: str | None = None
    recipient_id: str | None = None  # phone digits or the group's id
    recipient_user_id: str | None = None  # business-scoped user id
    errors: str | None = None  # canonical JSON of the errors array, whole
    pricing: str | None = None  # canonical JSON of the pricing object, whole
    callback_data: str | None = None  # biz_opaque_callback_data as it came
    rest: str | None = None  # canonical JSON of everything else the item carried (conversation, ...)


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One item of `messages[]`: somebody wrote to us. Content is kept only if so configured."""

    wamid: str
    occurred_at: int
    kind: str  # Meta's type word; 'unknown' when missing
    phone_number_id: str | None = None  # our number that was written to
    sender_id: str | None = None  # phone digits
    sender_user_id: str | None = None
    group_id: str | None = None
    replies_to: str | None = None  # wamid quoted or reacted to
    content: str | None = None  # canonical JSON of the item, whole


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """Everything authentic that is neither a message's status nor an inbound message, whole."""

    entry_id: str
    field: str  # the change's field; 'messages' for value-level errors and user actions
    occurred_at: int | None  # entry[].time, or the item's own timestamp
    value: str  # canonical JSON
    kind: str = ""  # finer word: 'errors', 'payment', 'call', 'echo', 'test' ...; '' when the field says it


@dataclass(frozen=True, slots=True)
class QuarantinedPart:
    """What could not be understood, with where it stood (JSON pointer; '' is the whole body)."""

    pointer: str
    reason: str  # one plain sentence, without any of the content
    part: str  # the JSON text of the part; for unreadable bodies '' (the webhook row has the bytes)


@dataclass(frozen=True, slots=True)
class Preference:
    """A person stopped or resumed a kind of message. One record for each id by which the person is known."""

    identity: str  # phone digits or business-scoped user id
    category: str  # Meta's word: marketing_messages
    stopped: bool
    occurred_at: int


@dataclass(frozen=True, slots=True)
class TemplateWord:
    """One thing said about one translation of a template. `value` is never ''."""

    waba_id: str  # the WhatsApp Business Account; '' when not told
    name: str
    language: str  # with an underscore: en_US
    about: str  # status, category, quality or components
    value: str  # Meta's word in upper case; of components canonical JSON of Meta's list
    occurred_at: int
    reason: str = ""  # of a status
    source: str = "meta"  # meta (a webhook) or person (an import)


@dataclass(frozen=True, slots=True)
class NumberWord:
    """What stands around a webhook's messages: the account of one of our numbers, and how it is dialled."""

    phone_number_id: str
    waba_id: str
    display_number: str | None


@dataclass(frozen=True, slots=True)
class Parsed:
    """All that one webhook body said. Together the parts lose nothing that the body held."""

    updates: tuple[StatusUpdate, ...] = ()
    inbound: tuple[InboundMessage, ...] = ()
    events: tuple[AccountEvent, ...] = ()
    quarantined: tuple[QuarantinedPart, ...] = ()
    preferences: tuple[Preference, ...] = ()  # each also stands whole among the events
    templates: tuple[TemplateWord, ...] = ()  # likewise
    numbers: tuple[NumberWord, ...] = ()


@dataclass(frozen=True, slots=True)
class NewSend:
    """A validated message on its way into `sends`. Times in Unix seconds."""

    message_id: str  # UUIDv7
    phone_number_id: str
    recipient_typed: str
    recipient: str  # phone digits without '+', business-scoped user id or group id
    type: str
    payload: bytes  # the body that leaves, callback data included
    payload_digest: bytes  # of what the caller gave, for the idempotency check
    expires_at: float
    template: str | None = None
    language: str | None = None
    category: str | None = None  # the template's, in upper case, where it is known
    callback_data: str | None = None  # the caller's own part
    reference: str | None = None
    idempotency_key: str | None = None
    priority: int = 0
    bulk_run_id: str | None = None
    row_number: int | None = None
    again_of: str | None = None  # message_id of the one that this repeats, at a person's word


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """How one POST ended, as classified by the sender."""

    outcome: str  # accepted refused throttled unreachable unknown
    ended_at: float
    http_status: int | None = None
    wamid: str | None = None
    message_status: str | None = None
    refused_by: str | None = None  # wrapper or meta
    error: str | None = None  # canonical JSON {code, title, details, fbtrace_id, subcode}
    answer: bytes | None = None
    again_at: float | None = None  # throttled and unreachable: when to try again
