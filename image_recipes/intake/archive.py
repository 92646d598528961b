"""Archives of pictures, unpacked where nothing else lies, within limits."""

import re
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from stat import S_ISLNK
from tempfile import TemporaryDirectory

from tqdm import tqdm

from image_recipes.core.errors import UserError, one_line
from image_recipes.core.loading import BYTES_WITHOUT_LIMIT, MOST_GROWTH
from image_recipes.data.picture_folder import is_visible
from image_recipes.intake.encodings import guess_text

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
REFUSED = {".rar": "unpack it first", ".7z": "unpack it first"}
# on the disk of the project
SCRATCH = Path("data")
MOST_FILES = 2_000_000
# of a name in a ZIP file that is UTF-8
UTF8_FLAG = 0x800


def is_archive(path: Path) -> bool:
    """Tell by a file's name whether it is an archive."""
    return path.is_file() and path.name.lower().endswith((*ENDINGS, *REFUSED))


@contextmanager
def unpacked(archive: Path) -> Iterator[Path]:
    """Unpack an archive into a folder of SCRATCH that is removed afterwards.

    Args:
        archive: ZIP or TAR.

    Yields:
        The new folder; it has the archive's name.

    Raises:
        UserError: the archive is damaged, leads out of the folder, or grows too much.
    """
    if remedy := REFUSED.get(archive.suffix.lower()):
        raise UserError(f"{archive}: archives of this kind are not read: {remedy}")
    SCRATCH.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix=".partial-", dir=SCRATCH) as temporary:
        root = Path(temporary) / archive.name
        root.mkdir()
        try:
            _unpack_zip(archive, root) if zipfile.is_zipfile(archive) else _unpack_tar(archive, root)
        except (FileExistsError, IsADirectoryError, NotADirectoryError):
            raise UserError(f"{archive}: two of its files have one name, or a file has a folder's: unpack it") from None
        except (zipfile.BadZipFile, tarfile.TarError, EOFError, RuntimeError, NotImplementedError, zlib.error) as error:
            raise UserError(f"{archive}: no archive, a damaged one, or with a password: {one_line(error)}") from None
        try:
            yield root
        except UserError as error:
            # the folder is gone when that is read
            raise UserError(*(line.replace(str(root), str(archive)) for line in error.args)) from None


def _unpack_zip(archive: Path, root: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        files = [member for member in file.infolist() if not member.is_dir()]
        members = [member for member in files if not S_ISLNK(member.external_attr >> 16)]
        _say_links(len(files) - len(members))
        encoding = _name_encoding(members)
        size = sum(member.file_size for member in members)
        _check_size(archive, size, len(members), size)
        for member in tqdm(members, desc=archive.name, unit="file", disable=None, dynamic_ncols=True):
            foreign = not member.flag_bits & UTF8_FLAG and encoding
            name = (
                member.filename.encode("cp437", "replace").decode(encoding, "replace") if foreign else member.filename
            )
            if target := _target(archive, root, name):
                with file.open(member) as source, target.open("xb") as stream:
                    shutil.copyfileobj(source, stream)


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
        guess = guess_text(content)
        encoding = guess.encoding if guess else "cp437"
        print(f"names in the archive: encoding {encoding.upper()}, by their letters")
        return encoding


def _unpack_tar(archive: Path, root: Path) -> None:
    with tarfile.open(archive) as file:
        total = count = links = 0
        for member in file:
            count += 1
            if not (member.isfile() or member.islnk()):
                links += member.issym()
                continue
            total += member.size
            _check_size(archive, total, count, member.size)
            # of a second name of one file, what the first has
            source = file.extractfile(member)
            if source and (target := _target(archive, root, member.name)):
                with source, target.open("xb") as stream:
                    shutil.copyfileobj(source, stream)
        _check_end(archive, file)
        _say_links(links)


def _check_end(archive: Path, file: tarfile.TarFile) -> None:
    """Refuse an archive in which something stands after its last file: where a header is damaged, tarfile stops."""
    stream = file.fileobj
    if stream is None:
        return
    stream.seek(file.offset)
    while block := stream.read(2**20):
        if block.strip(b"\0"):
            raise UserError(f"{archive}: damaged after its first {file.offset:,} bytes: get it again")


def _say_links(count: int) -> None:
    if count:
        print(f"{count:,} symbolic links in the archive are passed over")


def _target(archive: Path, root: Path, name: str) -> Path | None:
    """Return where a file of an archive goes; None if it is hidden."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in name or re.match("[A-Za-z]:", name):
        raise UserError(f"{archive}: holds {name!r}, which leads out of its folder: do not trust it")
    if not path.parts or not all(map(is_visible, path.parts)):
        return None
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _check_size(archive: Path, size: int, count: int, left: int) -> None:
    """Refuse an archive that grows too much, or for what is left of which the disk has no room."""
    packed = archive.stat().st_size
    if count > MOST_FILES or (size > BYTES_WITHOUT_LIMIT and size > MOST_GROWTH * packed):
        raise UserError(f"{archive}: {size:,} bytes in {packed:,}: no archive of pictures, or a bomb: do not trust it")
    free = shutil.disk_usage(SCRATCH).free
    if left > free:
        raise UserError(f"{archive}: {left:,} bytes, but {free:,} are free in {SCRATCH}: free some")
