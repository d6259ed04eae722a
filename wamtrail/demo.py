"""The demo: one process, one SQLite file, the simulator behind it, and messages of every fate."""

import asyncio
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

from sender import payload
from sender.message_id import message_id
from sender.prepare import prepare
from sender.single import Single
from sender.wrapper import Wrapper
from simulator.running import RunningSimulator
from simulator.scenario import Scenario
from store import migrate, users
from store.database import Database
from support import passwords
from wamtrail import logs, servers
from wamtrail.opening import clock, opened
from wamtrail.parts import Parts, everything
from wamtrail.saying import fail
from wamtrail.sending_part import wrapper_config
from wamtrail.settings import Bind, Settings

NUMBER = "106540352242922"
ADMIN = "demo"
# Magic recipients of the simulator, each with its story (`wamtrail simulate --help` lists them all).
FATES = (
    *("0001", "0003", "0001", "0004", "0002", "0007", "0008", "0009", "0010", "0005"),
    *("0013", "0015", "0022", "0023", "0024", "0006", "0027", "0021", "0016", "0012"),
)
AT_ONCE = 12  # some recipients hang, and the others should not wait for them
TEXTS = (
    "Your parcel is on its way.",
    "Dein Termin ist morgen um 10 Uhr.",
    "आपका ऑर्डर भेज दिया गया है।",
    "Thank you! ☕",
)


def run(port: int, database_file: Path | None, messages: int) -> None:
    logs.configure("auto", level=30)
    with tempfile.TemporaryDirectory(prefix="wamtrail-demo-") as folder:
        file = (database_file or Path(folder) / "demo.db").resolve()
        receiver = Bind(f"127.0.0.1:{port - 1 if port else 0}")
        scenario = Scenario(
            phone_number_ids=(NUMBER,),
            app_secret=secrets.token_hex(16),
            callback_url=f"http://{receiver}/webhooks/whatsapp",
            seed=7,
            status_delay=1.5,
            repeat=0.1,
            shuffle=0.2,
            strangers=0.05,
            hang_seconds=15,
        )
        try:
            with RunningSimulator(scenario) as simulator:
                settings = _settings(file, port, receiver, simulator.url, scenario)
                migrate.upgrade(settings.database)
                with opened(settings) as database:
                    parts = _parts(settings, database, messages, simulator.url)
                    servers.run(parts.run())
        except OSError as problem:
            fail(str(problem))
    print("Stopped.")


def _settings(file: Path, port: int, receiver: Bind, wrapper_url: str, scenario: Scenario) -> Settings:
    return Settings.model_validate(
        {
            "database_url": f"sqlite:///{file}",
            "app_secrets": scenario.app_secret,
            "verify_tokens": scenario.verify_token,
            "wrapper_url": wrapper_url,
            "wrapper_sid": scenario.sid,
            "wrapper_api_key": scenario.api_key,
            "receiver_bind": receiver,
            "console_bind": f"127.0.0.1:{port}",
            "state_dir": file.parent / "state",
        }
    )


def _parts(settings: Settings, database: Database, messages: int, simulator_url: str) -> Parts:
    parts = Parts(settings, database)
    everything(parts)
    password = _admin(database)

    async def started() -> None:
        for line in _welcome(settings, simulator_url, password):
            print(line, flush=True)
        parts.tasks.append(asyncio.create_task(_send_samples(settings, database, messages)))

    parts.started = started
    return parts


def _admin(database: Database) -> str:
    """Somebody to sign in as, under a new password each time."""
    password = secrets.token_urlsafe(12)
    hashed = passwords.made(password)
    with database.write() as tx:
        found = users.find(tx, ADMIN)
        if found is not None:
            users.set_password(tx, found.user_id, hashed)
        else:
            users.create(
                tx,
                user_id=secrets.token_hex(8),
                name=ADMIN,
                role="admin",
                numbers=(),
                password=hashed,
                now=clock(),
            )
    return password


def _welcome(settings: Settings, simulator_url: str, password: str) -> Sequence[str]:
    variables = {
        "DATABASE_URL": settings.database,
        "WRAPPER_URL": settings.wrapper_url,
        "WRAPPER_SID": settings.wrapper_sid,
        "WRAPPER_API_KEY": settings.require_wrapper()[1],
    }
    return (
        "",
        f"  Messages and their stories   http://{settings.console_bind}/",
        f"  Sign in as {ADMIN} with       {password}",
        f"  Webhooks come in at          http://{settings.receiver_bind}/webhooks/whatsapp",
        f"  Kaleyra and Meta, simulated  {simulator_url}",
        "",
        "  Try in another terminal, in this folder:",
        "    " + " \\\n    ".join(f"export WAMTRAIL_{name}={value};" for name, value in variables.items()),
        f"    .venv/bin/wamtrail send text --from {NUMBER} --to +919812340001 --body Hello --reference first",
        "    .venv/bin/wamtrail message show first",
        "    .venv/bin/wamtrail simulate --help        (recipients that fail, hang, come late ...)",
        "",
        "  Ctrl-C stops everything.",
        "",
    )


async def _send_samples(settings: Settings, database: Database, messages: int) -> None:
    """A few dozen messages of every fate, some at a time."""
    async with Wrapper(wrapper_config(settings)) as wrapper:
        single = Single(database, wrapper, clock=clock, rng=Random(7))  # noqa: S311  no secret
        pending: set[asyncio.Task[None]] = set()
        for place in range(messages):
            pending.add(asyncio.create_task(_send_sample(single, place)))
            if len(pending) >= AT_ONCE:
                _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0.15)
        if pending:
            await asyncio.wait(pending)


async def _send_sample(single: Single, place: int) -> None:
    fate = FATES[place % len(FATES)]
    to = f"+9198{123400 + place // len(FATES):06d}"[:9] + fate
    now = clock()
    new = prepare(
        payload.text(to, TEXTS[place % len(TEXTS)]),
        phone_number_id=NUMBER,
        message_id=message_id(now, secrets.token_bytes(10)),
        now=now,
        reference=f"order-{1001 + place}",
    )
    await single.send(new, wait_at_most=5.0)
