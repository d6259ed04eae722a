"""Signs of statuses and lists as shapes that need no font: SVG in the colour of the text beside them. Pure.

A terminal has `store.summary.MARKS`; a browser may lack a font for some of these, or paint them as emoji.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from markupsafe import Markup

_RING = '<circle cx="8" cy="8" r="5.75"/>'
_FULL = ' fill="currentColor"'
_CHECKS = '<path d="M.9 8.6l3.3 3.3 6.6-7.4M7.2 11.4l.5.5 6.6-7.4"/>'
_QUESTION = '<path d="M5.2 5.8a2.8 2.8 0 1 1 4.3 2.4c-.9.6-1.5 1.1-1.5 2.1"/><path d="M8 13.2v.1"/>'
_BOLT = f'<path d="M9.3 1.6L3.6 9h3.7l-.9 5.4L12.4 7H8.6z"{_FULL}/>'

SHAPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "queued": _RING,
        "sending": f'{_RING}<path d="M8 8V2.25A5.75 5.75 0 0 1 13.75 8z"{_FULL}/>',
        "accepted": f'{_RING}<path d="M8 2.25a5.75 5.75 0 0 1 0 11.5z"{_FULL}/>',
        "sent": '<path d="M2.8 8.6l3.3 3.3 7-7.8"/>',
        "delivered": _CHECKS,
        "read": _CHECKS,
        "played": f'<path d="M4.5 2.8l8 5.2-8 5.2z"{_FULL}/>',
        "failed": '<path d="M3.6 3.6l8.8 8.8M12.4 3.6l-8.8 8.8"/>',
        "refused": f'{_RING}<path d="M4 12l8-8"/>',
        "cancelled": f'{_RING}<path d="M5 8h6"/>',
        "unknown": _QUESTION,
        "conflict": _BOLT,
        "waiting": f'{_RING}<path d="M8 4.6V8l2.6 1.7"/>',
        "unmatched": '<circle cx="8" cy="8" r="5.75" stroke-dasharray="3 3"/><path d="M8 8v.1"/>',
        "quarantine": '<path d="M8 2.2l6.2 11.2H1.8z"/><path d="M8 6.6v3M8 11.5v.1"/>',
    }
)


def glyph(word: str) -> Markup:
    """The shape of a status or a list; nothing for other words. The word itself always stands beside it."""
    shape = SHAPES.get(word)
    if shape is None:
        return Markup("")
    return Markup(  # noqa: S704  nothing but our own shapes
        '<svg class="glyph" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.7"'
        ' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">'
        f"{shape}</svg>"
    )
