"""`POST /api/v1/messages` for the API's description (OpenAPI 3.1): what it takes, out of what reads it."""

from typing import Any

from sender.payload import KINDS
from sender.payload_examples import EXAMPLES
from sender.prepare import LONGEST_ID, LONGEST_VALID_FOR
from sender.queue_request import DURATION, PRIORITIES

Json = dict[str, Any]
_REF = "#/components/responses/"
_RESPONSES = {
    "400": "BadRequest",
    "401": "Unauthorized",
    "403": "Forbidden",
    "409": "Conflict",
    "413": "TooLong",
    "429": "TooManyCalls",
    "500": "Fault",
    "503": "Unavailable",
}
_BODY = {
    "from": "106540352242922",
    "payload": EXAMPLES["text"],
    "reference": "order-77",
    "idempotency_key": "order-77/1",
    "valid_for": "24h",
    "priority": "bulk",
}
_CURL = """\
curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
  -d '{"from": "106540352242922", "reference": "order-77", "payload": {"messaging_product": "whatsapp",
       "to": "+919812340001", "type": "text", "text": {"body": "Hello"}}}' \\
  "$WAMTRAIL/api/v1/messages\""""


def paths(tag: str, curl: str = _CURL) -> Json:
    """By path and method. `tag`: under which heading it stands."""
    return {"/api/v1/messages": {"post": _operation(tag, curl)}}


def _operation(tag: str, curl: str) -> Json:
    return {
        "operationId": "queueMessage",
        "tags": [tag],
        "summary": "Queue a message",
        "description": "Taken in and answered at once; `wamtrail run sender` sends it within the limits. With"
        " an idempotency key the same request again queues nothing and hears the same answer.",
        "parameters": [_header()],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _request(), "example": _BODY}},
        },
        "responses": {
            "202": _queued(),
            **{status: {"$ref": _REF + name} for status, name in _RESPONSES.items()},
        },
        "x-roles": ["admin", "sender"],
        "x-codeSamples": [{"lang": "Shell", "source": curl}],
    }


def _header() -> Json:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Instead of `idempotency_key` in the body.",
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_ID},
    }


def _request() -> Json:
    own_id = {"type": ["string", "null"], "minLength": 1, "maxLength": LONGEST_ID}
    seconds = {"type": "number", "exclusiveMinimum": 0, "maximum": LONGEST_VALID_FOR}
    spelled = {"type": "string", "pattern": f"^{DURATION.pattern}$", "description": "At most 30 days."}
    properties = {
        "from": {"type": "string", "pattern": "^[0-9]{5,25}$", "description": "The PHONE_NUMBER_ID."},
        "payload": _payload(),
        "reference": {**own_id, "description": "Your own id; need not be unique."},
        "idempotency_key": {**own_id, "description": "Unique for each sending number."},
        "valid_for": {"anyOf": [seconds, spelled, {"type": "null"}], "description": "Seconds, or 24h, 7d …"},
        "priority": {"enum": [*PRIORITIES, None], "description": "transactional goes before bulk."},
    }
    return _object(properties, ["from", "payload"], closed=True)


def _payload() -> Json:
    """Its envelope; what each type takes is checked and answered with pointers, see docs/messages.md."""
    properties = {
        "messaging_product": {"const": "whatsapp"},
        "to": {"type": "string", "description": "Number with + and country code, or a group's id."},
        "recipient": {"type": "string", "description": "Instead of `to`: a business-scoped user id."},
        "recipient_type": {"enum": ["individual", "group"]},
        "type": {"enum": list(KINDS), "default": "text"},
    }
    text = "Meta's message payload; the type's own object, such as `text`, belongs into it."
    return {**_object(properties, ["messaging_product"]), "description": text}


def _queued() -> Json:
    warning = _object(
        {"pointer": {"type": "string"}, "detail": {"type": "string"}}, ["pointer", "detail"], closed=True
    )
    properties = {
        "message_id": {"type": "string", "format": "uuid"},
        "status": {"const": "queued"},
        "warnings": {
            "type": "array",
            "items": warning,
            "description": "What looks wrong but does not stop it.",
        },
    }
    return {
        "description": "It is queued.",
        "headers": {
            "Location": {
                "required": True,
                "description": "Where to ask what became of it.",
                "schema": {"type": "string"},
            }
        },
        "content": {
            "application/json": {"schema": _object(properties, ["message_id", "status"], closed=True)}
        },
    }


def _object(properties: Json, required: list[str], *, closed: bool = False) -> Json:
    found: Json = {"type": "object", "properties": properties, "required": required}
    return {**found, "additionalProperties": False} if closed else found
