"""Bodies as people see them: enough to understand, nobody to recognise."""

import json

from payload_samples import SAMPLES

from receiver.payload_masked import masked

BODY = {
    "object": "whatsapp_business_account",
    "entry": [
        {
            "id": "102290129340398",
            "changes": [
                {
                    "field": "messages",
                    "value": {
                        "metadata": {
                            "display_phone_number": "15550783881",
                            "phone_number_id": "106540352242922",
                        },
                        "contacts": [{"profile": {"name": "Asha Rao"}, "wa_id": "919812345678"}],
                        "statuses": [
                            {
                                "id": "wamid.HBgMOTE5ODEyMzQ1Njc4FQIAERgSQTlGNUE5RjQzNkRBRkI5Q0JBAA==",
                                "status": "failed",
                                "timestamp": "1763800000",
                                "recipient_id": "919812345678",
                                "errors": [{"code": 131026, "title": "Message undeliverable"}],
                            }
                        ],
                        "messages": [{"text": {"body": "my secret text"}, "from": "919812345678"}],
                    },
                }
            ],
        }
    ],
}


def test_codes_times_and_our_own_number_stay_readable() -> None:
    shown = masked(json.dumps(BODY).encode())
    for whole in ("131026", "Message undeliverable", "1763800000", "106540352242922", "failed"):
        assert whole in shown


def test_people_and_their_texts_are_hidden() -> None:
    shown = masked(json.dumps(BODY).encode())
    for private in ("919812345678", "OTE5ODEyMzQ1Njc4", "Asha", "my secret text"):
        assert private not in shown


def test_what_is_no_json_is_one_sentence() -> None:
    assert masked(b"<html>919812345678") == "The body is no JSON (18 bytes); --reveal shows it as it came."


def test_every_sample_stays_json_when_it_is_masked() -> None:
    shown = [masked(file.read_bytes()) for file in sorted(SAMPLES.glob("*.json"))]
    readable = [one for one in shown if not one.startswith("The body is no JSON")]
    assert len(readable) > len(shown) / 2
    for one in readable:
        json.loads(one)
