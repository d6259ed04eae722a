"""Who looks at a page: a signed-in person, with a role and the numbers they may see."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

ADMIN = "admin"
SUPPORT = "support"
REPORTER = "reporter"


@dataclass(frozen=True, slots=True)
class Viewer:
    """`numbers`: the phone_number_ids they are limited to; () is all. `session`: the public id of theirs."""

    user_id: str
    name: str
    role: str
    numbers: tuple[str, ...]
    zone: ZoneInfo
    session: str

    @property
    def admin(self) -> bool:
        return self.role == ADMIN

    def may_see(self, phone_number_id: str | None) -> bool:
        """What belongs to no number is only for an admin without limits."""
        if not phone_number_id:
            return self.admin and not self.numbers
        return not self.numbers or phone_number_id in self.numbers
