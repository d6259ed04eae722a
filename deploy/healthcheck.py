"""Is the process in this container well? Asks /healthz on the port given; exit 0 says yes.

The slim image has no curl. http.client, because urllib would ask a proxy that the environment names.
"""

import http.client
import sys


def is_well(port: int, timeout: float = 4.0) -> bool:
    """True when http://127.0.0.1:port/healthz answers 200 within `timeout` seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not is_well(int(sys.argv[1])))
