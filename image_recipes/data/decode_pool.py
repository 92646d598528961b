"""Decoding many picture files by all cores, in order and in bounded memory."""

import functools
import hashlib
import itertools
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from tqdm import tqdm

from image_recipes.core.errors import UserError
from image_recipes.core.parent import end_with_parent
from image_recipes.data.decode import Shape, decode
from image_recipes.data.opening import Extent, find_extent
from image_recipes.data.picture_files import BadPictureError, read_file

# small ones: one by one, handing them over would take longer than decoding
PICTURES_A_JOB = 64
# of pictures that are decoded before they are used, by all processes together
MAX_WAITING_BYTES = 2**26
# starting processes takes longer than decoding fewer
MIN_FILES_FOR_PROCESSES = 200

Result = TypeVar("Result")


class DecodingReport(NamedTuple):
    """What decoding tells about a picture; `error` is empty if it succeeded, the rest is as in `Decoded`."""

    error: str
    sha256: str
    width: int
    height: int
    kind: str
    darkest: int
    brightest: int
    flaw: str


Decoding = tuple[DecodingReport, np.ndarray | None]


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
    each = shape.height * shape.width * shape.channels
    yield from _apply(functools.partial(_decode_one, shape=shape), files, each, name)


def find_extents(files: Sequence[Path], name: str) -> Iterator[Extent | None]:
    """Find the lowest and the highest value of pictures of more than 8 bits a channel, in order.

    Yields:
        For each file what `find_extent` returns; None too for one that cannot be decoded.

    Raises:
        UserError: as `decode_all`.
    """
    yield from _apply(_find_extent, files, 1, name)


def _apply(job: Callable[[Path], Result], files: Sequence[Path], result_bytes: int, name: str) -> Iterator[Result]:
    """Do a job with each file, and show the progress."""
    with tqdm(total=len(files), desc=name, unit="picture", disable=None, dynamic_ncols=True) as bar:
        for result in _apply_in_order(job, files, result_bytes):
            bar.update()
            yield result


def _apply_in_order(job: Callable[[Path], Result], files: Sequence[Path], result_bytes: int) -> Iterator[Result]:
    workers = (os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()) or 1
    ahead_at_most = max(2 * workers, MAX_WAITING_BYTES // result_bytes)
    size = min(PICTURES_A_JOB, ahead_at_most // (2 * workers))
    pieces = [files[start : start + size] for start in range(0, len(files), size)]
    if len(files) < MIN_FILES_FOR_PROCESSES or workers == 1:
        for piece in pieces:
            try:
                yield from _apply_to_piece(job, piece)
            except MemoryError:
                raise _out_of_memory(piece) from None
        return
    # a process that is forked would share locks of threads that it does not have
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _begin) as processes:
        jobs = ((piece, processes.submit(_apply_to_piece, job, piece)) for piece in pieces)
        ahead: deque[tuple[Sequence[Path], Future[list[Result]]]] = deque()
        piece = pieces[0]
        try:
            for _ in pieces:
                ahead.extend(itertools.islice(jobs, ahead_at_most // size - len(ahead)))
                piece, done = ahead.popleft()
                yield from done.result()
        except (BrokenProcessPool, MemoryError):
            raise _out_of_memory(piece) from None
        finally:
            processes.shutdown(cancel_futures=True)


def _begin() -> None:
    # Ctrl-C is for the process to answer that this one works for
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


def _out_of_memory(piece: Sequence[Path]) -> UserError:
    return UserError(
        f"{piece[0]}: this picture or one of the next took more memory than there is: "
        "free some, or take large pictures out"
    )


def _apply_to_piece(job: Callable[[Path], Result], files: Sequence[Path]) -> list[Result]:
    return [job(file) for file in files]


def _decode_one(file: Path, shape: Shape) -> Decoding:
    try:
        content = read_file(file)
        decoded = decode(content, shape)
    except BadPictureError as error:
        return DecodingReport(str(error), "", 0, 0, "", 0, 0, ""), None
    picture, width, height, kind, levels, flaw = decoded
    sha256 = hashlib.sha256(content).hexdigest()
    return DecodingReport("", sha256, width, height, kind, *levels, flaw), picture


def _find_extent(file: Path) -> Extent | None:
    try:
        return find_extent(read_file(file))
    except BadPictureError:
        return None
