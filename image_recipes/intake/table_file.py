"""A stranger's table: any separator and encoding, Excel, JSON lines."""

import csv
import io
import json
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from image_recipes.core.errors import UserError, one_line
from image_recipes.data.table import check_header, read_table
from image_recipes.intake.encodings import guess_text

ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".xlsx", ".xlsm", ".json", ".jsonl", ".ndjson")
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# by its first bytes
MARKED_ENCODINGS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
ROWS_TRIED = 1000


class RawTable(NamedTuple):
    """A table as it was found.

    Attributes:
        frame: texts, without blanks around them; the index is the line on which a row ends.
        separator: of its columns; empty for none.
        lines: what was guessed or passed over.
        is_plain: the pipeline reads the same from it as it is.
    """

    frame: pd.DataFrame
    separator: str
    lines: list[str]
    is_plain: bool


def read_raw_table(file: Path, encoding: str | None = None) -> RawTable:
    """Read a table of any usual kind.

    Args:
        file: CSV, TSV, Excel or JSON lines, told by its name.
        encoding: of a text; None to find out.

    Raises:
        UserError: it cannot be read, has no rows or one of another length, or two columns have one name.
    """
    kind = file.suffix.lower()
    if kind in REFUSED:
        raise UserError(f"{file}: tables of this kind are not read: {REFUSED[kind]}")
    if kind in (".xlsx", ".xlsm"):
        rows, lines = _read_excel(file)
        numbers, separator = list(range(1, len(rows) + 1)), ""
    elif kind in (".json", ".jsonl", ".ndjson"):
        rows, lines = _read_json(file, _decode(file, encoding)[0])
        # the header takes no line there
        numbers, separator = [0, *range(1, len(rows))], ""
    else:
        text, said = _decode(file, encoding)
        rows, numbers, separator = _parse(file, text)
        named = (
            [] if separator == "," or kind in (".tsv", ".tab") else [f"columns separated by {SEPARATORS[separator]}"]
        )
        lines = [*([said] if said else []), *named]
    frame, passed_over = _to_frame(file, rows, numbers)
    lines += passed_over
    return RawTable(frame, separator, [f"{file.name}: {line}" for line in lines], _is_plain(file, frame))


def _is_plain(file: Path, frame: pd.DataFrame) -> bool:
    try:
        return frame.reset_index(drop=True).equals(read_table(file).reset_index(drop=True))
    except UserError:
        return False


REFUSED = {
    ".xls": "save it as .xlsx or CSV",
    ".ods": "save it as .xlsx or CSV",
    ".numbers": "export it as CSV",
    ".parquet": "write it as CSV, such as by pandas' to_csv",
    ".xml": "give the annotations as a table: a row for each picture",
}


def _decode(file: Path, encoding: str | None) -> tuple[str, str]:
    """Return a file's text, and what was guessed of its encoding."""
    content = file.read_bytes()
    marked = next((name for mark, name in MARKED_ENCODINGS.items() if content.startswith(mark)), None)
    try:
        if encoding or marked:
            text = content.decode(encoding or marked or "")
            return text, "" if encoding or marked == "utf-8-sig" else "encoding UTF-16"
        if b"\0" in content:
            # without a mark, every other byte of plain letters is zero
            little = content[1::2].count(0) >= content[::2].count(0)
            return content.decode("utf-16-le" if little else "utf-16-be"), "encoding UTF-16"
        return content.decode("utf-8"), ""
    except LookupError:
        raise UserError(f"--encoding: no encoding {encoding!r}: such as utf-8, cp1252 or cp949") from None
    except UnicodeDecodeError as error:
        if encoding or marked or b"\0" in content:
            raise UserError(
                f"{file}: is not {encoding or 'UTF-16'}: byte {error.start}: name it by --encoding"
            ) from None
    guess = guess_text(content)
    if guess is None:
        raise UserError(f"{file}: no text, or of an unusual encoding: save it as CSV UTF-8, or name it by --encoding")
    return guess.text, f"encoding {guess.encoding.upper()}, by its letters (else: --encoding)"


def _parse(file: Path, text: str) -> tuple[list[list[str]], list[int], str]:
    """Parse a text by the separator that suits it; return rows, the lines on which they end, and the separator."""
    skipped = 0
    first = text.split("\n", 1)[0].strip().strip('"')
    separators = list(SEPARATORS)
    if first.lower().startswith("sep=") and len(first) <= 5:
        # a line for Excel
        separators, skipped = [first[4:] or "\t"], 1
        text = text.split("\n", 1)[1] if "\n" in text else ""
    tried = {separator: _parse_by(file, text, separator) for separator in separators}
    best = max(separators, key=lambda separator: _suits(tried[separator][0]))
    rows, lines = tried[best]
    return rows, [line + skipped for line in lines], best


def _parse_by(file: Path, text: str, separator: str) -> tuple[list[list[str]], list[int]]:
    rows, lines = [], []
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        for row in reader:
            rows.append([value.strip() for value in row])
            lines.append(reader.line_num)
    except csv.Error as error:
        raise UserError(f"{file}: not a table: {error}") from None
    return rows, lines


def _suits(rows: list[list[str]]) -> tuple[float, int]:
    """Return the share of rows with as many values as the header, if there are several, and how many."""
    filled = [row for row in rows[:ROWS_TRIED] if any(row)]
    if not filled or len(filled[0]) < 2:
        return 0, 0
    return sum(len(row) == len(filled[0]) for row in filled) / len(filled), len(filled[0])


def _read_excel(file: Path) -> tuple[list[list[str]], list[str]]:
    try:
        sheets = pd.read_excel(file, sheet_name=None, header=None, dtype=object, engine="openpyxl")
    except ImportError:
        raise UserError(
            f"{file}: reading Excel needs openpyxl: run `make extras`, or `pip install --editable '.[excel]'`, "
            "or save it as CSV UTF-8"
        ) from None
    except Exception as error:  # a damaged file fails in many ways
        raise UserError(f"{file}: no Excel file, or a damaged one: {one_line(error)}") from None
    filled = {name: sheet for name, sheet in sheets.items() if not sheet.empty}
    if not filled:
        raise UserError(f"{file}: no rows")
    name, sheet = next(iter(filled.items()))
    lines = [f"sheet {name!r} of {len(filled)}, the first"] if len(filled) > 1 else []
    return [[_cell(value) for value in row] for row in sheet.itertuples(index=False)], lines


def _read_json(file: Path, text: str) -> tuple[list[list[str]], list[str]]:
    try:
        records = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        try:
            records = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{file}: not JSON: {one_line(error)}") from None
    try:
        # JSON can name half of a character, which no file can hold
        json.dumps(records, ensure_ascii=False).encode()
    except ValueError as error:
        raise UserError(f"{file}: holds text that is none: {one_line(error)}") from None
    if isinstance(records, list) and len(records) == 1 and isinstance(records[0], list):
        records = records[0]
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise UserError(f'{file}: give a line or an entry for each picture, such as {{"file_name": ..., "label": ...}}')
    columns = list(dict.fromkeys(key for record in records for key in record))
    nested = next((key for record in records for key in record if isinstance(record[key], (dict, list))), None)
    if nested is not None:
        raise UserError(
            f"{file}: {nested!r} holds values within values: export it as CSV, with one class or number each"
        )
    return [columns, *[[_cell(record.get(column)) for column in columns] for record in records]], []


def _cell(value: Any) -> str:
    """Write a cell as a person sees it."""
    if value is None or (isinstance(value, float) and pd.isna(value)) or value is pd.NaT:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value).strip()


def _to_frame(file: Path, rows: list[list[str]], numbers: list[int]) -> tuple[pd.DataFrame, list[str]]:
    """Make a frame of rows, without those and the columns that are empty; say what was passed over."""
    lines = []
    filled = [(row, number) for row, number in zip(rows, numbers, strict=True) if any(row)]
    # an empty last line is none
    empty = len(rows) - len(filled) - sum(1 for row in rows if not row)
    if empty:
        lines.append(f"{empty:,} empty rows passed over")
    comments = 0
    while len(filled) > 1 and filled[0][0][0].startswith("#") and len(filled[0][0]) != len(filled[-1][0]):
        filled.pop(0)
        comments += 1
    if comments:
        lines.append(f"{comments:,} lines of comments passed over")
    header, *body = [row for row, _ in filled] or [[]]
    empty_columns = 0
    while header and not header[-1] and not any(any(row[len(header) - 1 :]) for row in body):
        header.pop()
        empty_columns += 1
        body = [row[: len(header)] for row in body]
    if empty_columns:
        lines.append(f"{empty_columns:,} empty columns passed over")
    for row, (_, number) in zip(body, filled[1:], strict=True):
        if len(row) > len(header) and not any(row[len(header) :]):
            del row[len(header) :]
        if len(row) != len(header):
            raise UserError(f"{file}: line {number}: {len(row)} values, but the header has {len(header)} columns")
    check_header(file, header, bool(body))
    return pd.DataFrame(body, columns=header, index=[number for _, number in filled[1:]]), lines
