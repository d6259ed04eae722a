"""${message}

House rules: old code runs while this migrates and the new code may start before it has ended, so add
first and remove in a later release; nullable or defaulted columns only; indexes on large tables of
PostgreSQL CONCURRENTLY in an autocommit block; both databases; never edited once it has landed.
`needs_code` below is the oldest program version that may run on the tables as they are afterwards.
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy import Text
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}
needs_code = "0.1.0"


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
