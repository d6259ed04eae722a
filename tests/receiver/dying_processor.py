"""A processor in a process of its own that dies, as a segmentation fault would, when it parses a marked body.

    python dying_processor.py DATABASE_URL

Exit 0 when the backlog is empty and the processor stopped cleanly; 42 when it died.
"""

import os
import sys
import threading
import time

from kept_rows import count, processor

import receiver.processor
from store.database import Database
from store.records import Parsed

MARKER = b"kills the process"
honest = receiver.processor.parse


def deadly(body: bytes, received_at: float) -> Parsed:
    if MARKER in body:
        os._exit(42)
    return honest(body, received_at)


def main(url: str) -> None:
    receiver.processor.parse = deadly
    database = Database(url)
    working = processor(database)
    thread = threading.Thread(target=working.run, daemon=True)
    thread.start()
    while count(database, "webhook_backlog"):
        time.sleep(0.01)
    working.stop()
    thread.join()
    database.close()


if __name__ == "__main__":
    main(sys.argv[1])
