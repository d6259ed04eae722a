"""The wrapper's addresses, from the URL as people set it."""

import re
from urllib.parse import quote, urlsplit


def messages_url(url: str, sid: str, phone_number_id: str) -> str:
    """The address of one number's messages. `url` may end in /v1 or /v1/<SID>, as Kaleyra's guide has it."""
    if not sid.strip():
        raise ValueError("The wrapper's SID is missing; set WAMTRAIL_WRAPPER_SID to the account's SID.")
    base = f"{_origin_and_path(url, sid)}/v1/{quote(sid, safe='')}"
    return f"{base}/wrapper/{quote(phone_number_id, safe='')}/messages"


def _origin_and_path(url: str, sid: str) -> str:
    try:
        parts = urlsplit(url.strip())
        host, _port = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise ValueError(
            "The wrapper's URL must begin with http:// or https:// and a host, "
            "such as https://cloud-api.in.kaleyra.io; correct WAMTRAIL_WRAPPER_URL."
        )
    if parts.query or parts.fragment:
        raise ValueError("The wrapper's URL must end with its path; take away what follows ? or #.")
    path = re.sub(r"/+", "/", parts.path).rstrip("/")
    found = re.search(r"^(.*?)/v1(?:/([^/]+))?(?:/wrapper.*)?$", path)
    if found is None:
        return f"{parts.scheme}://{parts.netloc}{path}"
    if found[2] not in (None, sid, quote(sid, safe=""), "wrapper"):
        raise ValueError("The wrapper's URL names another SID than WAMTRAIL_WRAPPER_SID; correct one.")
    return f"{parts.scheme}://{parts.netloc}{found[1]}"
