"""What is known of templates: told by webhooks and by imported definitions, the newest word of each kind."""

from sqlmodel import Field, SQLModel

from store.tables.columns import ident, integer, moment, text


class TemplateRow(SQLModel, table=True):
    """One translation of a template. A time of 0 and '' say that nobody has told this yet."""

    __tablename__ = "templates"

    waba_id: str = Field(sa_column=ident(primary_key=True))  # '' when an import did not say
    name: str = Field(sa_column=ident(primary_key=True))
    language: str = Field(sa_column=ident(primary_key=True))  # with an underscore: en_US
    status: str = Field(sa_column=ident())  # Meta's word: APPROVED, PAUSED, REJECTED ...
    reason: str = Field(sa_column=text())  # of the status
    status_at: int = Field(sa_column=moment())
    source: str = Field(sa_column=ident())  # who told the status: meta (a webhook) or person (an import)
    category: str = Field(sa_column=ident())  # MARKETING, UTILITY, AUTHENTICATION
    category_at: int = Field(sa_column=moment())
    quality: str = Field(sa_column=ident())  # GREEN, YELLOW, RED, UNKNOWN
    quality_at: int = Field(sa_column=moment())
    components: str = Field(sa_column=text())  # canonical JSON of Meta's list
    components_at: int = Field(sa_column=moment())
    imported: int = Field(sa_column=integer())  # 1 once a person gave its definition
