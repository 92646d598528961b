"""Names of files that are no UTF-8, as old archives leave them."""

import os
from collections.abc import Iterable
from pathlib import Path

OLD_ENCODINGS = ("cp1252", "latin-1")


def is_unicode(name: str) -> bool:
    """Tell whether a name can be written as UTF-8."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def rename_foreign(files: Iterable[Path]) -> dict[Path, Path]:
    """Find names for files whose own are no UTF-8: their bytes as Western European letters.

    Args:
        files: relative paths.

    Returns:
        For each such file another path; of two alike, the second gets a number.
    """
    files = list(files)
    taken = set(files)
    renamed = {}
    for file in files:
        if is_unicode(str(file)):
            continue
        content = os.fsencode(file)
        text = next(text for encoding in OLD_ENCODINGS if (text := _decode(content, encoding)) is not None)
        wanted = path = Path(text)
        number = 1
        while path in taken:
            number += 1
            path = wanted.with_stem(f"{wanted.stem}-{number}")
        taken.add(path)
        renamed[file] = path
    return renamed


def _decode(content: bytes, encoding: str) -> str | None:
    # by parts, since a folder's name may be UTF-8 where a file's is not
    try:
        return "/".join(_decode_part(part, encoding) for part in content.split(b"/"))
    except UnicodeDecodeError:
        return None


def _decode_part(part: bytes, encoding: str) -> str:
    try:
        return part.decode("utf-8")
    except UnicodeDecodeError:
        return part.decode(encoding)
