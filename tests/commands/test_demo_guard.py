"""What the demo takes of uploads and other requests, before Gradio sees them."""

import asyncio
import os
import shutil
import threading
from pathlib import Path

import pytest

from image_recipes.commands import demo_guard
from image_recipes.commands.demo_guard import Guard, Message, Receive, Send, make_room

PAGE = "/token/gradio_api"
HOST = (b"host", b"127.0.0.1:7860")


class Server:
    """A guard in front of an app that saves uploads: what is asked, and what comes back."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.seen = folder, 0
        self.guard = Guard(self._save, 7860, "token", folder)

    async def _save(self, scope: Message, receive: Receive, send: Send) -> None:
        self.seen += 1
        (self.folder / f"{self.seen}.png").write_bytes((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def ask(self, path: str, body: bytes = b"", headers: list[tuple[bytes, bytes]] | None = None) -> int:
        """Ask as the page does, or with other headers, and return the status."""
        own = [HOST, (b"content-length", str(len(body)).encode())]
        fields = own if headers is None else headers
        answers: list[Message] = []

        async def receive() -> Message:
            await asyncio.sleep(0)
            return {"type": "http.request", "body": body}

        async def send(message: Message) -> None:
            answers.append(message)

        await self.guard({"type": "http", "path": path, "headers": fields}, receive, send)
        return answers[0]["status"]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setattr(demo_guard, "MOST_UPLOADED", 100)
    monkeypatch.setattr(demo_guard, "LARGEST_REQUEST", 10)
    return Server(tmp_path)


def test_uploads_are_bounded_in_all_and_the_oldest_go(server: Server) -> None:
    for number in range(1, 8):
        assert asyncio.run(server.ask(f"{PAGE}/upload", bytes(30))) == 200
        os.utime(server.folder / f"{number}.png", (number, number))

    assert sorted(file.stem for file in server.folder.iterdir()) == ["5", "6", "7"]
    assert asyncio.run(server.ask(f"{PAGE}/upload", bytes(101))) == 413
    assert server.seen == 7


def test_what_comes_at_once_is_bounded_too(server: Server) -> None:
    async def ask_at_once() -> list[int]:
        return await asyncio.gather(*(server.ask(f"{PAGE}/upload", bytes(30)) for _ in range(5)))

    assert sorted(asyncio.run(ask_at_once())) == [200, 200, 200, 413, 413]
    # and is forgotten once it is there
    assert asyncio.run(server.ask(f"{PAGE}/upload", bytes(90))) == 200


def test_other_requests_are_small_and_say_their_length(server: Server) -> None:
    assert asyncio.run(server.ask(f"{PAGE}/queue/join", bytes(10))) == 200
    assert asyncio.run(server.ask(f"{PAGE}/queue/join", bytes(11))) == 413
    assert asyncio.run(server.ask(f"{PAGE}/upload", headers=[HOST, (b"transfer-encoding", b"chunked")])) == 411


def test_two_hosts_or_none_are_refused(server: Server) -> None:
    for headers in [[HOST, (b"host", b"evil.example")], [HOST, HOST], []]:
        assert asyncio.run(server.ask(f"{PAGE}/config", headers=headers)) == 403
    assert server.seen == 0


def test_room_is_made_below_folders(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "a.png").write_bytes(bytes(10))
        os.utime(tmp_path / str(number) / "a.png", (number, number))

    make_room(tmp_path, 15)

    assert [file.parent.name for file in tmp_path.rglob("a.png")] == ["2"]


def test_folders_that_go_meanwhile_are_passed_over(tmp_path: Path) -> None:
    done = threading.Event()

    def come_and_go() -> None:
        while not done.is_set():
            for number in range(20):
                (tmp_path / f"{number}/inner").mkdir(parents=True)
                shutil.rmtree(tmp_path / f"{number}")

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(300):
            make_room(tmp_path, 10)
    finally:
        done.set()
        thread.join()
