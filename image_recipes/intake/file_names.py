"""Names of files that are no UTF-8, as old archives leave them."""

import os
from collections.abc import Iterable
from pathlib import Path

from image_recipes.intake.encodings import guess_text

# every byte is a letter of it
LAST_ENCODING = "latin-1"


def is_unicode(name: str) -> bool:
    """Tell whether a name can be written as UTF-8."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def rename_foreign(files: Iterable[Path]) -> dict[Path, Path]:
    """Find names for files whose own are no UTF-8: their bytes as Korean or Western European letters.

    Args:
        files: relative paths.

    Returns:
        For each such file another path; of two alike, the second gets a number.
    """
    files = list(files)
    foreign = [file for file in files if not is_unicode(str(file))]
    if not foreign:
        return {}
    # all together, since one name is too short to tell by
    parts = {part for file in foreign for part in os.fsencode(file).split(b"/") if not is_unicode(os.fsdecode(part))}
    guess = guess_text(b"\n".join(sorted(parts)))
    taken = set(files)
    renamed = {}
    for file in foreign:
        wanted = path = Path(*(_decode(part, guess and guess.encoding) for part in os.fsencode(file).split(b"/")))
        number = 1
        while path in taken:
            number += 1
            path = wanted.with_stem(f"{wanted.stem}-{number}")
        taken.add(path)
        renamed[file] = path
    return renamed


def _decode(part: bytes, encoding: str | None) -> str:
    # a folder's name may be UTF-8 where a file's is not
    for known in filter(None, ("utf-8", encoding)):
        try:
            return part.decode(known)
        except UnicodeDecodeError:
            continue
    return part.decode(LAST_ENCODING)
