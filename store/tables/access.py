"""Who may enter, and facts about the installation itself."""

from sqlmodel import Field, SQLModel

from store.tables.columns import blob, clock, ident


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
