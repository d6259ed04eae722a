"""The reference: Starlette under the same uvicorn, checks the signature, answers 200, keeps nothing."""

import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.bodies import PATH, SECRET
from wamtrail.servers import Listener, listen, run, serve
from wamtrail.settings import Bind
from whatsapp.signature import matching_secret


async def receive(request: Request) -> Response:
    body = await request.body()
    known = matching_secret((SECRET,), body, request.headers.get("x-hub-signature-256"))
    return Response(status_code=401 if known is None else 200)


def main() -> None:
    app = Starlette(routes=[Route(PATH, receive, methods=["POST"])])
    run(serve([Listener(app, listen(Bind(f"127.0.0.1:{os.environ['PORT']}"), "PORT"))]))


if __name__ == "__main__":
    main()
