"""What stands in front of the demo's page: it answers its own page only, and takes so much and no more.

Any page that a person has open may send requests to an address of this computer, under this address or under a name of
its own that it lets point here (DNS rebinding). So a request needs the demo's own Host, its own Origin if it tells one,
and the token that only the printed address has.
"""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

UPLOAD = "/gradio_api/upload"
# in bytes, of all pictures together, and of any other request: a picture by the camera is part of one
MOST_UPLOADED = 2_000_000_000
LARGEST_REQUEST = 50_000_000
TELL_ADDRESS = "open the whole address that `image-recipes demo` has printed in its terminal"


class Guard:
    """An ASGI app in front of another: refuses what is not of the demo's own page, and bounds uploads.

    Args:
        app: what answers the rest.
        port: of 127.0.0.1.
        token: the first part of every path.
        folder: where the app puts uploads.
    """

    def __init__(self, app: App, port: int, token: str, folder: Path) -> None:
        self._app, self._token, self._folder = app, token, folder
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        # of uploads that have begun, what has not arrived yet
        self._coming = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        if reason := self._refuse(scope["path"], headers):
            return await _answer(send, 403, reason)
        lengths = [int(value) for name, value in headers if name == "content-length"]
        if not lengths and any(name == "transfer-encoding" for name, _ in headers):
            return await _answer(send, 411, "say how long it is")
        length = sum(lengths)
        if scope["path"] != f"/{self._token}{UPLOAD}":
            if length > LARGEST_REQUEST:
                return await _answer(send, 413, f"larger than the maximum allowed size of {LARGEST_REQUEST:,} bytes")
            return await self._app(scope, receive, send)
        if self._coming + length > MOST_UPLOADED:
            return await _answer(send, 413, f"more at once than the maximum allowed size of {MOST_UPLOADED:,} bytes")
        return await self._upload(length, scope, receive, send)

    def _refuse(self, path: str, headers: list[tuple[str, str]]) -> str:
        """Say why a request is not for the demo, or not of its page; or return nothing."""
        hosts = [value for name, value in headers if name == "host"]
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return f"this is no address of the demo: {TELL_ADDRESS}"
        if any(value != f"http://{hosts[0]}" for name, value in headers if name == "origin"):
            return "another page asks: the demo answers its own page only"
        first = path.split("/")[1] if "/" in path else ""
        if not secrets.compare_digest(first.encode(), self._token.encode()):
            return f"the token is missing, or an earlier demo's: {TELL_ADDRESS}"
        return ""

    async def _upload(self, length: int, scope: Message, receive: Receive, send: Send) -> None:
        left = length
        self._coming += length

        async def receive_and_count() -> Message:
            nonlocal left
            message = await receive()
            arrived = len(message.get("body", b""))
            left -= arrived
            self._coming -= arrived
            return message

        try:
            await asyncio.to_thread(make_room, self._folder, MOST_UPLOADED - self._coming)
            await self._app(scope, receive_and_count, send)
        finally:
            self._coming -= left


def make_room(folder: Path, most: int) -> None:
    """Remove the oldest files of a folder and those below it, until the rest has no more than so many bytes."""
    files = []
    # passes over folders that another request removes meanwhile, which `Path.rglob` does not
    for place, _, names in os.walk(folder):
        for file in (Path(place, name) for name in names):
            with suppress(FileNotFoundError):
                files.append((file.lstat(), file))
    size = sum(state.st_size for state, _ in files)
    for state, file in sorted(files, key=lambda one: one[0].st_mtime_ns):
        if size <= most:
            break
        file.unlink(missing_ok=True)
        size -= state.st_size


async def _answer(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{text}\n".encode()})
