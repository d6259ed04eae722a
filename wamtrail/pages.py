"""What the pages for people are given: they may know neither settings nor the rooms beside them."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from receiver.payload_masked import masked
from receiver.payload_told import told
from receiver.replaying import replay_all
from reports import answers
from reports.report import Asked
from reports.sentences import sentences
from sender import again, prepare
from sender.desk import Desk
from store import errors
from store.database import WriteTx
from store.kept import Which
from support.house import House, Refused
from support.pages import PATIENCE
from wamtrail.opening import clock

if TYPE_CHECKING:
    from wamtrail.parts import Parts


def house(parts: "Parts", desk: Desk) -> House:
    settings = parts.settings

    async def send_again(message_id: str, number: int, noted: Callable[[WriteTx, str], None]) -> str:
        try:
            return await again.send_again(desk, message_id, number, noted)
        except prepare.Refused as refused:
            raise Refused(" ".join(problem.message for problem in refused.problems)) from None
        except (errors.Refused, errors.IdempotencyConflict) as refused:
            raise Refused(str(refused)) from None

    def replay(webhook_id: int) -> None:
        replay_all(
            parts.database,
            Which(ids=(webhook_id,)),
            clock,
            keep_content=settings.keep_content,
            age=settings.message_age(),
        )

    def report(
        kind: str, since: date, until: date, by: tuple[str, ...], numbers: tuple[str, ...]
    ) -> dict[str, Any]:
        asked = Asked(kind, since, until, by, numbers)
        with parts.database.read(patience=PATIENCE) as tx:
            found = answers.answer(tx, asked, ZoneInfo(settings.report_zone), clock())
        return {"zone": found.zone, "rows": found.rows, "sentences": sentences(found, clock())}

    return House(
        database=parts.database,
        clock=clock,
        secure=settings.console_secure,
        reveal_reason=settings.reveal_reason,
        zone=settings.report_zone,
        keep_content=settings.keep_content,
        default_country=settings.default_country,
        send_again=send_again,
        replay=replay,
        report=report,
        masked_body=masked,
        account_event=told,
    )
