"""Image, video, audio, document and sticker, alone or inside others. Meta's pages: messages/*-messages."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from sender.payload_problem import Part, Path, Problem, member, problem

MEDIA = ("image", "video", "audio", "document", "sticker")
Caption = Annotated[str, Field(max_length=1024)]
_LINK = re.compile(r"https?://[^\s/]", re.IGNORECASE)


class Media(Part):
    """A file that Meta holds already (`id`) or fetches (`link`): exactly one of the two."""

    id: Annotated[str, Field(min_length=1)] | None = None
    link: Annotated[str, Field(min_length=1)] | None = None


class Captioned(Media):
    caption: Caption | None = None


class Document(Captioned):
    filename: str | None = None


class Audio(Media):
    voice: bool | None = None


MEDIA_MODELS: dict[str, type[Media]] = {
    "image": Captioned,
    "video": Captioned,
    "audio": Audio,
    "document": Document,
    "sticker": Media,
}


def media_rules(media: Any, path: Path) -> Iterator[Problem]:
    """Exactly one source, and a link that Meta can fetch."""
    if not isinstance(media, dict):
        return
    has_id, link = media.get("id") is not None, media.get("link")
    if has_id and link is not None:
        yield problem(path, "has both id and link; keep the one that is meant")
    if not has_id and link is None:
        yield problem(path, "has neither id nor link; add the id of an uploaded file or a link to one")
    if isinstance(link, str) and link and not _LINK.match(link):
        yield problem((*path, "link"), "must begin with http:// or https:// and a host")


def audio_rules(audio: Any, path: Path) -> Iterator[Problem]:
    yield from media_rules(audio, path)
    if member(audio, "caption") is not None:
        yield problem((*path, "caption"), "audio takes no caption; send the words as a text message")


def sticker_rules(sticker: Any, path: Path) -> Iterator[Problem]:
    yield from media_rules(sticker, path)
    if member(sticker, "caption") is not None:
        yield problem((*path, "caption"), "a sticker takes no caption; send the words as a text message")
