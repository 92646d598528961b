"""Serving the demo's page: on this computer, at an address with a token, its uploads in a private folder."""

import os
import secrets
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from image_recipes.core.errors import UserError

ADDRESS = "127.0.0.1"
# in seconds, for answers that are under way when it is stopped
GRACE = 1
# of those that there are: a terminal that is closed, and `kill`
ENDING_SIGNALS = [getattr(signal, name) for name in ("SIGHUP", "SIGTERM") if hasattr(signal, name)]


def serve(recipes: list[str], port: int) -> None:
    """Serve the page until it is stopped by Ctrl-C.

    Args:
        recipes: trained ones, the first shown first.
        port: of 127.0.0.1.

    Raises:
        UserError: the port is in use.
        SystemExit: it was stopped by a signal.
    """
    try:
        listening = socket.create_server((ADDRESS, port))
    except OSError:
        raise UserError(f"port {port} is in use, or not yours to use: take another by --port") from None
    with listening, private_folder() as folder, suppress(KeyboardInterrupt):
        # here, since Gradio takes seconds to import, and reads then where its files go
        import fastapi
        import uvicorn

        from image_recipes.commands.demo_guard import Guard
        from image_recipes.commands.demo_page import make_page, mount_page

        token = secrets.token_urlsafe(16)
        app = mount_page(make_page(recipes), fastapi.FastAPI(openapi_url=None), f"/{token}")
        guarded = Guard(app, port, token, folder)
        config = uvicorn.Config(
            guarded, log_level="critical", ws="none", proxy_headers=False, timeout_graceful_shutdown=GRACE
        )
        print(f"http://{ADDRESS}:{port}/{token}/ (stop by Ctrl-C)", flush=True)
        uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def private_folder() -> Iterator[Path]:
    """Make a folder for all temporary files of this process, which no other user may open; removed at the end.

    The end is also SIGTERM, and a terminal that is closed.
    """
    handlers = {number: signal.signal(number, _exit) for number in ENDING_SIGNALS}
    before = tempfile.tempdir
    try:
        # a thread may still write when it is removed
        with tempfile.TemporaryDirectory(prefix="image-recipes-demo-", ignore_cleanup_errors=True) as folder:
            tempfile.tempdir = folder
            os.environ["GRADIO_TEMP_DIR"] = folder
            yield Path(folder)
    finally:
        tempfile.tempdir = before
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _exit(number: int, _: FrameType | None) -> None:
    # as a shell has it for one that a signal has stopped
    raise SystemExit(128 + number)
