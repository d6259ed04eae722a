"""The reference: httpx alone, at a steady rate, keeping nothing.

`python -m bench.bare_httpx URL RATE SECONDS` prints CPU microseconds a message. Thirty clients, because one
httpx client gets slow with more than about eight requests at once.
"""

import asyncio
import resource
import sys
import time

import httpx
import uvloop

CLIENTS, EACH = 30, 8
BODY = (
    b'{"messaging_product":"whatsapp","recipient_type":"individual","to":"919876500000","type":"text",'
    b'"text":{"body":"Your order has shipped."},"biz_opaque_callback_data":"bare-%012d"}'
)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def main(url: str, rate: float, seconds: float) -> None:
    limits = httpx.Limits(max_connections=EACH, max_keepalive_connections=EACH)
    tls = httpx.create_ssl_context()
    headers = {"api-key": "bench", "Content-Type": "application/json"}
    clients = [
        httpx.AsyncClient(limits=limits, headers=headers, trust_env=False, verify=tls, timeout=10)
        for _ in range(CLIENTS)
    ]
    tasks: set[asyncio.Task[None]] = set()
    room = asyncio.Semaphore(CLIENTS * EACH)

    async def post(number: int) -> None:
        async with room:
            answer = await clients[number % CLIENTS].post(url, content=BODY % number)
        assert answer.status_code == 200

    began, cpu = time.monotonic(), _cpu()
    count = int(rate * seconds)
    for number in range(count):
        wait = began + number / rate - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(post(number))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    took = time.monotonic() - began
    await asyncio.gather(*tasks)
    print(f"{(_cpu() - cpu) / count * 1e6:.0f} {count / took:.0f}")


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
