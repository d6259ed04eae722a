"""Whose turn it is to write: SQLite takes one writer, and the door must never wait behind a queue of others.

A plain lock is not fair: a thread that releases and takes it again at once starves the rest. Here waiting
is in order of arrival, the urgent first, and after an urgent one a waiting other gets its turn.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turn:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy = False
        self._last_was_urgent = False
        self._urgent: deque[threading.Event] = deque()
        self._others: deque[threading.Event] = deque()

    @contextmanager
    def taken(self, *, urgent: bool) -> Iterator[None]:
        self._take(urgent)
        try:
            yield
        finally:
            self._release()

    def _take(self, urgent: bool) -> None:
        with self._lock:
            if not self._busy:
                self._busy = True
                self._last_was_urgent = urgent
                return
            mine = threading.Event()
            (self._urgent if urgent else self._others).append(mine)
        mine.wait()

    def _release(self) -> None:
        """Hand over without a gap: the turn stays busy and belongs to the one that is woken."""
        with self._lock:
            others_due = self._others and (self._last_was_urgent or not self._urgent)
            queue = self._others if others_due else self._urgent
            if queue:
                self._last_was_urgent = queue is self._urgent
                queue.popleft().set()
            else:
                self._busy = False
