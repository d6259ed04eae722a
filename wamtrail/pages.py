"""What the pages for people are given: they may know neither settings nor the rooms beside them."""

from typing import TYPE_CHECKING

from support.house import House
from wamtrail.opening import clock

if TYPE_CHECKING:
    from wamtrail.parts import Parts


def house(parts: "Parts") -> House:
    settings = parts.settings
    return House(
        database=parts.database,
        clock=clock,
        secure=settings.console_secure,
        reveal_reason=settings.reveal_reason,
        zone=settings.report_zone,
        keep_content=settings.keep_content,
    )
