"""One's own account: the sessions that stand, and another password."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from store import audit, sessions, sign_in_failures, users
from store.database import ReadTx, WriteTx
from support import pages, passwords
from support.guard import guarded
from support.house import House
from support.viewer import Viewer


def routes(house: House) -> list[BaseRoute]:
    async def show(request: Request, viewer: Viewer) -> Response:
        return await _show(house, request, viewer)

    async def end(request: Request, viewer: Viewer) -> Response:
        session_id = str((await request.form()).get("session", ""))

        def ended(tx: WriteTx) -> None:
            if "\0" not in session_id and sessions.end(tx, viewer.user_id, session_id):
                audit.record(tx, at=house.clock(), who=viewer.name, action="end_session")

        await pages.write(house, ended)
        return _back(request)

    async def password(request: Request, viewer: Viewer) -> Response:
        return await _password(house, request, viewer)

    return [
        guarded(house, "/account", show),
        guarded(house, "/account/end-session", end, methods=("POST",)),
        guarded(house, "/account/password", password, methods=("POST",)),
    ]


async def _show(
    house: House, request: Request, viewer: Viewer, status: int = 200, problem: str = ""
) -> Response:
    def asked(tx: ReadTx) -> object:
        return sessions.listed(tx, viewer.user_id, house.clock())

    return pages.page(
        request,
        viewer,
        "account.html",
        status,
        sessions=await pages.read(house, asked),
        problem=problem,
        changed="changed" in request.query_params,
        shortest=passwords.SHORTEST,
    )


async def _password(house: House, request: Request, viewer: Viewer) -> Response:
    """The old password is asked again, throttled alike: an open screen is not enough to take an account."""
    form = await request.form()
    old, new, again = (str(form.get(field, "")) for field in ("old", "new", "again"))
    at = house.clock()
    address = f"session:{viewer.session}"
    if await pages.write(house, lambda tx: sign_in_failures.attempt(tx, viewer.name, address, at)):
        return await _show(
            house, request, viewer, 429, "Too many attempts. Wait a few minutes and try again."
        )
    user = await pages.read(house, lambda tx: users.find(tx, viewer.name))
    if user is None or not await passwords.check(user.password, old):

        def failed(tx: WriteTx) -> None:
            audit.record(tx, at=at, who=viewer.name, action="password_failed", target=viewer.name)

        await pages.write(house, failed)
        return await _show(house, request, viewer, 400, "The password of now is wrong.")
    try:
        hashed = await passwords.make(_chosen(new, again, viewer.name))
    except passwords.WeakPassword as problem:
        return await _show(house, request, viewer, 400, str(problem))

    def change(tx: WriteTx) -> None:
        sign_in_failures.succeeded(tx, viewer.name, address, at)
        users.set_password(tx, viewer.user_id, hashed, keep=viewer.session)
        audit.record(tx, at=at, who=viewer.name, action="password", target=viewer.name)

    await pages.write(house, change)
    return _back(request, "?changed")


def _chosen(new: str, again: str, name: str) -> str:
    if new != again:
        raise passwords.WeakPassword("The two new passwords differ; type the new one twice.")
    return passwords.checked(new, name)


def _back(request: Request, query: str = "") -> Response:
    return RedirectResponse(f"/account{query}", 303, headers=dict(pages.headers(request)))
