"""Links that lead out of a folder of pictures: what they lead to would be tracked, and pushed with the rest."""

import os
from collections.abc import Iterable
from pathlib import Path

from image_recipes.core.errors import UserError, show_path


def refuse_links(root: Path, given: Iterable[Path], added: Path | None) -> None:
    """Refuse links among pictures, and in the folder that they are added to, that lead out of theirs.

    Args:
        root: the folder that was given.
        given: the pictures and the table in it.
        added: below data/raw; None to trust it. A link in it to one of the pictures is what `--link` has made.

    Raises:
        UserError: there is such a link.
    """
    files = list(given)
    wanted = {os.path.realpath(file) for file in files}
    links = _leading_out(root, files)
    if added:
        # a link to nothing is removed, or refused by DVC
        there = [link for link in _leading_out(added, _links_below(added)) if link.exists()]
        links += [link for link in there if os.path.realpath(link) not in wanted]
    if links:
        count = "a link leads" if len(links) == 1 else f"{len(links):,} links lead"
        target = show_path(os.path.realpath(links[0]))
        raise UserError(
            f"{show_path(links[0])}: {count} out of the folder, to {target}: that would be tracked, and pushed with "
            "the rest: remove what is not yours, or say --follow-links"
        )


def _leading_out(root: Path, files: Iterable[Path]) -> list[Path]:
    below = root.resolve()
    folders: dict[Path, Path] = {}
    found = []
    for file in files:
        folder = folders.get(file.parent) or folders.setdefault(file.parent, file.parent.resolve())
        real = Path(os.path.realpath(file)) if file.is_symlink() else folder
        if not real.is_relative_to(below):
            found.append(file)
    return found


def _links_below(folder: Path) -> list[Path]:
    return [
        Path(place, name)
        for place, folders, names in os.walk(folder)
        for name in (*folders, *names)
        if os.path.islink(os.path.join(place, name))  # noqa: PTH114, PTH118, of which there may be many
    ]
