"""Payloads that Meta documents, and that others send, against `check`."""

import json
from pathlib import Path
from typing import Any

from sender.payload import check, is_read_receipt

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "sends"
# Taken from a thread because Meta refused it: an empty value, no language, no recipient.
REFUSED_BY_META = "005-template-empty-text-param.json"
EVIDENCE = ("captured", "meta-sample", "official-docs")
PLACEHOLDERS = {"JSON Payload": {"country": "IN"}}


def filled(value: Any) -> Any:
    """A documented body with something real where the page prints a placeholder."""
    if isinstance(value, dict):
        return {key: filled(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner) for inner in value]
    if isinstance(value, str) and value.startswith("<http(s)://"):
        return "https://example.com/file"
    return PLACEHOLDERS.get(value, value) if isinstance(value, str) else value


def is_placeholder(to: str) -> bool:
    return any(sign.isalpha() for sign in to) or to == "1234567890"


if CORPUS.is_dir():
    FILES = [(path.name, json.loads(path.read_text("utf-8"))) for path in sorted(CORPUS.glob("*.json"))]

    def test_every_documented_payload_is_taken():
        taken = 0
        for name, case in FILES:
            body = filled(case["payload"])
            if case["origin"] not in EVIDENCE or name == REFUSED_BY_META:
                continue
            if is_placeholder(body["to"]):
                body["to"] = "+16505551234"
            assert check(body)[1] == (), name
            taken += 1
        assert taken > 40

    def test_what_meta_refused_is_refused_here_before():
        case = dict(FILES)[REFUSED_BY_META]
        pointers = {p.pointer for p in check(case["payload"])[1]}
        assert {"/to", "/template/language", "/template/components/0/parameters/0/text"} <= pointers

    def test_nothing_others_send_makes_it_raise_and_receipts_are_told_apart():
        for name, case in FILES:
            message, found = check(case["payload"])
            assert (message is None) == bool(found), name
            assert is_read_receipt(case["payload"]) == ("mark-read" in name), name
