"""Who may enter, and facts about the installation itself."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from store.tables.columns import blob, clock, ident, integer, text


class ApiToken(SQLModel, table=True):
    """A bearer token, known only by its hash. `numbers`: the sending numbers it is limited to, '' for all."""

    __tablename__ = "api_tokens"

    token_id: str = Field(sa_column=ident(primary_key=True))  # the public half, shown in lists
    digest: bytes = Field(sa_column=blob())  # SHA-256 of the whole token
    name: str = Field(sa_column=ident())
    role: str = Field(sa_column=ident())
    numbers: str = Field(sa_column=ident())  # phone_number_ids, separated by blanks
    created_at: float = Field(sa_column=clock())
    revoked_at: float | None = Field(sa_column=clock(nullable=True))


class Installation(SQLModel, table=True):
    """Single facts, such as 'needs_code': the oldest program that may run on these tables."""

    __tablename__ = "installation"

    name: str = Field(sa_column=ident(primary_key=True))
    value: str = Field(sa_column=ident())


class User(SQLModel, table=True):
    """A person who signs in. `numbers`: the sending numbers they are limited to, '' for all."""

    __tablename__ = "users"
    __table_args__ = (Index("uq_users_name", "name", unique=True),)

    user_id: str = Field(sa_column=ident(primary_key=True))
    name: str = Field(sa_column=ident())  # in lower case
    role: str = Field(sa_column=ident())
    numbers: str = Field(sa_column=ident())  # phone_number_ids, separated by blanks
    password: str = Field(sa_column=text())  # argon2id, with its salt and parameters
    created_at: float = Field(sa_column=clock())
    disabled_at: float | None = Field(sa_column=clock(nullable=True))


class Session(SQLModel, table=True):
    """A sign-in that still stands, known only by the hash of what the browser holds."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "user_id"),)

    session_id: str = Field(sa_column=ident(primary_key=True))  # the public half, for lists
    digest: bytes = Field(sa_column=blob())  # SHA-256 of the cookie
    user_id: str = Field(sa_column=ident())
    agent: str = Field(sa_column=text())  # the browser, in its own words, cut
    created_at: float = Field(sa_column=clock())
    seen_at: float = Field(sa_column=clock())


class SignInFailure(SQLModel, table=True):
    """A wrong password, under a digest of account, address or both."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (Index(None, "key", "at"), Index(None, "at"))

    id: int | None = Field(default=None, sa_column=integer(primary_key=True))
    key: str = Field(sa_column=ident())
    at: float = Field(sa_column=clock())


class AuditEntry(SQLModel, table=True):
    """What somebody looked at or changed. Only ever inserted."""

    __tablename__ = "audit_log"
    __table_args__ = (Index(None, "who", "id"), Index(None, "action", "id"))

    id: int | None = Field(default=None, sa_column=integer(primary_key=True))
    at: float = Field(sa_column=clock())
    who: str = Field(sa_column=ident())
    action: str = Field(sa_column=ident())
    target: str = Field(sa_column=ident())
    reason: str = Field(sa_column=text())
    number: str = Field(sa_column=ident())
