"""What `add` says of data, without changing anything."""

from pathlib import Path

from calling import call, call_fails


def understand(path: Path, *arguments: str) -> list[str]:
    """Call `add --dry-run`, and return the lines that it prints."""
    return call("add", str(path), "--name", "x", "--dry-run", *arguments).stdout.splitlines()


def refuse(path: Path, *arguments: str) -> str:
    """Call `add`, which must fail, and must have written nothing; return what it prints."""
    params = Path("params.yaml").read_bytes()
    output = call_fails("add", str(path), "--name", "x", *arguments)
    assert Path("params.yaml").read_bytes() == params
    assert not Path("data/raw").exists()
    assert not list(Path("data").glob(".partial-*"))
    return output
