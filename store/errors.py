"""What the store tells its callers when it cannot do its work. Each message is one plain sentence."""


class StoreError(Exception):
    """Base of all: the text may be shown to the person who started the program."""


class DatabaseAway(StoreError):
    """The database cannot be reached or answers nothing; trying again later may help."""


class TooSlow(StoreError):
    """It took longer than its asker wanted to wait; it was stopped, and nothing was written."""


class SchemaMismatch(StoreError):
    """The tables are not what this version of the program needs."""


class BadDatabaseUrl(StoreError):
    """The address of the database cannot be used."""


class IdempotencyConflict(StoreError):
    """The same idempotency key came with a different body."""


class Refused(StoreError):
    """A message was not taken in, because it may not be sent. Nothing is recorded of it."""
