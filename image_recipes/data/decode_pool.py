"""Decoding many picture files by all cores, in order and in bounded memory."""

import hashlib
import itertools
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from image_recipes.core.errors import UserError
from image_recipes.data.decode import BadPictureError, Shape, decode, extensions, read_file

# small ones: one by one, handing them over would take longer than decoding
PICTURES_A_JOB = 64
# of pictures that are decoded before they are used, by all processes together
MAX_WAITING_BYTES = 2**26
# starting processes takes longer than decoding fewer
MIN_FILES_FOR_PROCESSES = 200


class DecodingReport(NamedTuple):
    """What decoding tells about a picture; `error` is empty if it succeeded."""

    error: str
    sha256: str
    fingerprint: int
    width: int
    height: int


Decoding = tuple[DecodingReport, np.ndarray | None]


def find_files(paths: Sequence[Path]) -> list[Path]:
    """List picture files: those given, and the pictures below folders that are given, sorted.

    Raises:
        UserError: a path leads nowhere, or to a folder without pictures.
    """
    files = []
    for path in paths:
        if not path.exists():
            raise UserError(f"{path}: not found")
        below = [path] if path.is_file() else sorted(_pictures_below(path))
        if not below:
            raise UserError(f"{path}: no pictures in it: {', '.join(sorted(extensions()))}")
        files += below
    return files


def _pictures_below(folder: Path) -> Iterator[Path]:
    known = extensions()
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (
            Path(place, name) for name in names if Path(name).suffix.lower() in known and not name.startswith(".")
        )


def decode_all(files: Sequence[Path], shape: Shape, name: str) -> Iterator[Decoding]:
    """Decode pictures, each core some; threads would wait for each other, so by processes.

    Args:
        files: to decode.
        shape: what to make of each.
        name: shown beside the progress.

    Yields:
        For each file, in order: a report, and uint8 (H, W, C), or None if it is bad.

    Raises:
        UserError: memory ran out, for which the system kills a process.
    """
    with tqdm(total=len(files), desc=name, unit="picture", disable=None, dynamic_ncols=True) as bar:
        for result in _decode_in_order(files, shape):
            bar.update()
            yield result


def _decode_in_order(files: Sequence[Path], shape: Shape) -> Iterator[Decoding]:
    workers = (os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()) or 1
    ahead_at_most = max(2 * workers, MAX_WAITING_BYTES // (shape.height * shape.width * shape.channels))
    size = min(PICTURES_A_JOB, ahead_at_most // (2 * workers))
    pieces = [files[start : start + size] for start in range(0, len(files), size)]
    if len(files) < MIN_FILES_FOR_PROCESSES or workers == 1:
        for piece in pieces:
            try:
                yield from _decode_piece(piece, shape)
            except MemoryError:
                raise _out_of_memory(piece) from None
        return
    # a process that is forked would share locks of threads that it does not have
    context = multiprocessing.get_context("spawn")
    # Ctrl-C is for this process to answer
    with ProcessPoolExecutor(workers, context, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as processes:
        jobs = ((piece, processes.submit(_decode_piece, piece, shape)) for piece in pieces)
        ahead: deque[tuple[Sequence[Path], Future[list[Decoding]]]] = deque()
        piece = pieces[0]
        try:
            for _ in pieces:
                ahead.extend(itertools.islice(jobs, ahead_at_most // size - len(ahead)))
                piece, job = ahead.popleft()
                yield from job.result()
        except (BrokenProcessPool, MemoryError):
            raise _out_of_memory(piece) from None
        finally:
            processes.shutdown(cancel_futures=True)


def _out_of_memory(piece: Sequence[Path]) -> UserError:
    return UserError(
        f"{piece[0]}: this picture or one of the next took more memory than there is: "
        "free some, or take large pictures out"
    )


def _decode_piece(files: Sequence[Path], shape: Shape) -> list[Decoding]:
    return [_decode_one(file, shape) for file in files]


def _decode_one(file: Path, shape: Shape) -> Decoding:
    try:
        content = read_file(file)
        decoded = decode(content, shape)
    except BadPictureError as error:
        return DecodingReport(str(error), "", 0, 0, 0), None
    sha256 = hashlib.sha256(content).hexdigest()
    return DecodingReport("", sha256, decoded.fingerprint, decoded.width, decoded.height), decoded.picture
