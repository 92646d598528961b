"""Archives of pictures, unpacked where nothing else lies, within limits."""

import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from charset_normalizer import from_bytes
from tqdm import tqdm

from image_recipes.core.errors import UserError, one_line
from image_recipes.data.picture_folder import is_visible

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
REFUSED = {".rar": "unpack it first", ".7z": "unpack it first"}
# pictures hardly get smaller: what grows more, and is large, is a bomb or something else
MOST_GROWTH, BYTES_WITHOUT_LIMIT = 100, 2**28
MOST_FILES = 2_000_000
# of a name in a ZIP file that is UTF-8
UTF8_FLAG = 0x800


def is_archive(path: Path) -> bool:
    """Tell by a file's name whether it is an archive."""
    return path.is_file() and path.name.lower().endswith((*ENDINGS, *REFUSED))


@contextmanager
def unpacked(archive: Path, folder: Path) -> Iterator[Path]:
    """Unpack an archive into a folder that is removed afterwards.

    Args:
        archive: ZIP or TAR.
        folder: in which the new one is made.

    Yields:
        The new folder; it has the archive's name.

    Raises:
        UserError: the archive is damaged, leads out of the folder, or grows too much.
    """
    if remedy := REFUSED.get(archive.suffix.lower()):
        raise UserError(f"{archive}: archives of this kind are not read: {remedy}")
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".partial-", dir=folder) as temporary:
        root = Path(temporary) / archive.name
        root.mkdir()
        try:
            _unpack_zip(archive, root) if zipfile.is_zipfile(archive) else _unpack_tar(archive, root)
        except (zipfile.BadZipFile, tarfile.TarError, EOFError, RuntimeError, NotImplementedError) as error:
            raise UserError(f"{archive}: no archive, a damaged one, or with a password: {one_line(error)}") from None
        yield root


def _unpack_zip(archive: Path, root: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        members = [member for member in file.infolist() if not member.is_dir()]
        encoding = _name_encoding(members)
        _check_size(archive, sum(member.file_size for member in members), len(members))
        for member in tqdm(members, desc=archive.name, unit="file", disable=None, dynamic_ncols=True):
            foreign = not member.flag_bits & UTF8_FLAG and encoding
            name = (
                member.filename.encode("cp437", "replace").decode(encoding, "replace") if foreign else member.filename
            )
            if target := _target(archive, root, name):
                with file.open(member) as source, target.open("wb") as stream:
                    _copy(source, stream, member.file_size, archive)


def _name_encoding(members: list[zipfile.ZipInfo]) -> str:
    """Find out how names are written that do not say so; empty for letters that all encodings share."""
    names = [
        member.filename for member in members if not member.flag_bits & UTF8_FLAG and not member.filename.isascii()
    ]
    content = "\n".join(names).encode("cp437", "replace")
    if not content:
        return ""
    try:
        content.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        best = from_bytes(content, cp_isolation=["cp949", "cp1252", "cp437"]).best()
        print(f"names in the archive: encoding {best.encoding.upper() if best else 'CP437'}, by their letters")
        return best.encoding if best else "cp437"


def _unpack_tar(archive: Path, root: Path) -> None:
    with tarfile.open(archive) as file:
        total = 0
        for count, member in enumerate(file):
            if not member.isfile():
                continue
            total += member.size
            _check_size(archive, total, count)
            source = file.extractfile(member)
            if source and (target := _target(archive, root, member.name)):
                with source, target.open("wb") as stream:
                    _copy(source, stream, member.size, archive)


def _target(archive: Path, root: Path, name: str) -> Path | None:
    """Return where a file of an archive goes; None if it is hidden."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\0" in name:
        raise UserError(f"{archive}: holds {name!r}, which leads out of its folder: do not trust it")
    if not all(map(is_visible, path.parts)):
        return None
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _copy(source, stream, size: int, archive: Path) -> None:  # type: ignore[no-untyped-def]
    """Copy no more than was announced."""
    shutil.copyfileobj(source, stream)
    if stream.tell() > size:
        raise UserError(f"{archive}: holds more than it says: do not trust it")


def _check_size(archive: Path, size: int, count: int) -> None:
    packed = archive.stat().st_size
    free = shutil.disk_usage(archive.parent).free
    if count > MOST_FILES or (size > BYTES_WITHOUT_LIMIT and size > MOST_GROWTH * packed):
        raise UserError(f"{archive}: {size:,} bytes in {packed:,}: no archive of pictures, or a bomb: do not trust it")
    if size > free:
        raise UserError(f"{archive}: {size:,} bytes, but {free:,} are free on this disk: free some")
