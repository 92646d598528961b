"""Finding the pictures that a table names: beside it, above or below it, without an ending, or by a foreign path."""

import itertools
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote

from image_recipes.data.picture_files import extensions, is_picture
from image_recipes.data.picture_folder import list_picture_files

# rows by which the column of paths is found
ROWS_TRIED = 500
# of one name: more are not told apart by what stands above them
MOST_CANDIDATES = 100


class Match(NamedTuple):
    """Where a picture lies: its path below the root, and in words how it was found."""

    path: str
    how: str


class PictureFinder:
    """Find pictures below a folder by what a table calls them."""

    def __init__(self, root: Path, by_content: bool = True) -> None:
        """Look below a folder.

        Args:
            root: the folder.
            by_content: as for `list_picture_files`.
        """
        self.root, self._by_content = root, by_content
        self._endings = extensions()

    @cached_property
    def _by_name(self) -> Mapping[str, list[PurePosixPath]]:
        """All pictures by name, with and without ending and folder, in lower case and one Unicode form."""
        found = defaultdict(list)
        for file in list_picture_files(self.root, self._by_content).pictures:
            path = PurePosixPath(file.as_posix())
            names = {path.name, path.stem, *(f"{path.parent.name}/{name}" for name in (path.name, path.stem))}
            for key in sorted(map(_key, names)):
                found[key].append(path)
        return found

    def _is_picture(self, file: Path) -> bool:
        return file.suffix.lower() in self._endings or (not file.suffix and is_picture(file))

    @property
    def has_pictures(self) -> bool:
        """Whether there are any."""
        return bool(self._by_name)

    def find_all(self, texts: Iterable[str]) -> list[str | None]:
        """Find the pictures that a column's first rows name, None for each that is not there."""
        matches = (self.find(text) for text in itertools.islice(texts, ROWS_TRIED))
        return [match and match.path for match in matches]

    def find(self, text: str) -> Match | None:
        """Find the picture that a text names; None if there is none, or several are as likely."""
        path = _to_path(text)
        if not path.parts:
            return None
        try:
            file = self.root / path
            if not path.is_absolute() and ".." not in path.parts and file.is_file() and self._is_picture(file):
                return Match(path.as_posix(), "")
        except (OSError, ValueError):  # too long for a name, or with a zero in it
            return None
        # by its folder too, since pictures of many folders may have one name
        candidates = self._by_name.get(_key("/".join(path.parts[-2:])), ()) or self._by_name.get(_key(path.name), ())
        if not candidates or len(candidates) > MOST_CANDIDATES:
            return None
        best = max(_shared(path, candidate) for candidate in candidates)
        nearest = [candidate for candidate in candidates if _shared(path, candidate) == best]
        if len(nearest) > 1:
            # of several endings, the one that is named
            nearest = [candidate for candidate in nearest if candidate.suffix == path.suffix] or nearest
        return Match(nearest[0].as_posix(), _describe(path, nearest[0])) if len(nearest) == 1 else None


def _to_path(text: str) -> PurePosixPath:
    """Return a path as this system writes it, of one of another system or a link of the web."""
    text = text.replace("\\", "/")
    if re.match(r"[a-z][a-z0-9+.-]+://", text) or "?d=" in text:
        # what a labelling tool serves, such as /data/local-files/?d=folder/picture.png
        text = unquote(text.partition("?d=")[2] or text.partition("://")[2].partition("?")[0])
    path = PurePosixPath(re.sub(r"^[A-Za-z]:(?=/)", "", text))
    return PurePosixPath(*[part for part in path.parts if part != "."])


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _shared(path: PurePosixPath, candidate: PurePosixPath) -> int:
    """Return how many folders above their names two paths share."""
    count = 0
    for one, other in zip(reversed(path.parts[:-1]), reversed(candidate.parts[:-1]), strict=False):
        if _key(one) != _key(other):
            break
        count += 1
    return count


def _describe(path: PurePosixPath, found: PurePosixPath) -> str:
    """Say what had to be added to a path, or taken from it, to find a picture."""
    said = []
    if _key(path.name) != _key(found.name):
        said.append(f"with {found.suffix} added")
    shared = _shared(path, found)
    above = PurePosixPath(*found.parts[: len(found.parts) - 1 - shared])
    if above.parts:
        said.append(f"in {above}")
    below = PurePosixPath(*path.parts[: len(path.parts) - 1 - shared])
    if below.parts and below != above:
        said.append(f"without {below}")
    return ", ".join(said) or "by another spelling of the name"


def describe_matches(matches: Mapping[str, Match]) -> list[str]:
    """Say how pictures were found that do not lie where the table says, a line for each way."""
    ways = Counter(match.how for match in matches.values() if match.how)
    lines = []
    for how, count in ways.most_common(3):
        text, match = next((text, match) for text, match in matches.items() if match.how == how)
        lines.append(f"{count:,} pictures found {how}, such as {text} as {match.path}")
    rest = sum(ways.values()) - sum(count for _, count in ways.most_common(3))
    return [*lines, *([f"and {rest:,} in other places"] if rest else [])]
