"""Numbers as people write them: decimal commas, thousands, units, per cent."""

import re
from collections import Counter
from typing import Literal, NamedTuple

import pandas as pd

from image_recipes.core.errors import UserError
from image_recipes.intake.choice import choose

Decimal = Literal["point", "comma"]
CURRENCIES = "$€£¥₩"
# apostrophes and blanks, as in 1 234 567
GROUPING = " '\u2019\u00a0\u2009\u202f"
NUMBER = re.compile(
    rf"(?P<before>[{CURRENCIES}]?)\s*(?P<sign>[+-]?)\s*(?P<before2>[{CURRENCIES}]?)\s*"
    rf"(?P<mantissa>[0-9]*[.,]?[0-9](?:[0-9.,{GROUPING}]*[0-9])?)(?P<point>[.,]?)(?P<exponent>[eE][+-]?[0-9]+)?\s*"
    r"(?P<after>[^\W\d_][^\d]{0,14}[23]?|[%‰°µμ€$£¥₩][^\d]{0,8})?"
)
GROUPED = re.compile(r"[0-9]{1,3}(?:(?P<mark>[.,])[0-9]{3})(?:(?P=mark)[0-9]{3})*")
# of a number with its unit; longer texts would take long to match
MOST_LETTERS = 60
# a column in which fewer values look like numbers holds something else
MIN_SHARE = 0.5
# a unit for each kind of value is none
MAX_UNITS = 3
# so many times the quartiles' distance from the median is far from all others
FAR_OUT = 50
OUTLIERS_NAMED = 3


class Numbers(NamedTuple):
    """What a column of numbers says.

    Attributes:
        texts: of the column; a number is as Python writes it, the rest as it was.
        units: that stand with them; an empty one for numbers without.
        lines: what was taken for what.
    """

    texts: pd.Series
    units: list[str]
    lines: list[str]


class _Reading(NamedTuple):
    sign: str
    mantissa: str
    exponent: str
    unit: str


def read_numbers(texts: pd.Series, where: str, decimal: Decimal | None, semicolons: bool) -> Numbers | None:
    """Read a column's texts as numbers.

    Args:
        texts: of the column, none missing.
        where: it stands, for errors.
        decimal: the command line's answer; None to find out.
        semicolons: separate the table's columns, as where commas separate decimals.

    Returns:
        None if these are no numbers.

    Raises:
        UserError: two readings are possible, and nobody is there to ask.
    """
    readings = {text: reading for text in texts.unique() if (reading := _read(text))}
    if not texts.isin(readings).mean() >= MIN_SHARE:
        return None
    mark = _find_decimal({text: reading.mantissa for text, reading in readings.items()}, where, decimal, semicolons)
    numbers = {text: number for text, reading in readings.items() if (number := _to_text(reading, mark)) is not None}
    known = texts[texts.isin(numbers)]
    units = Counter(readings[text].unit for text in known)
    if len(known) < MIN_SHARE * len(texts) or len(units) > MAX_UNITS:
        return None
    changed = next((text for text in known if "," in text or text.count(".") > ("." in numbers[text])), None)
    other = "point" if mark == "comma" else "comma"
    lines = [] if changed is None else [f"numbers such as {changed} are {numbers[changed]} (else: --decimal {other})"]
    return Numbers(texts.map(lambda text: numbers.get(text, text)), [unit for unit, _ in units.most_common()], lines)


def _read(text: str) -> _Reading | None:
    if len(text) > MOST_LETTERS:
        return None
    found = NUMBER.fullmatch(text.replace("\u2212", "-"))
    if not found or (found["point"] and found["point"] == ","):
        return None
    mantissa = found["mantissa"]
    blanks = [mark for mark in GROUPING if mark in mantissa]
    if blanks:
        mark = re.escape(blanks[0])
        if len(blanks) > 1 or not re.fullmatch(rf"[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+(?:[.,][0-9]+)?", mantissa):
            return None
        mantissa = mantissa.replace(blanks[0], "")
    unit = found["before"] or found["before2"] or (found["after"] or "").strip()
    return _Reading(found["sign"], mantissa, found["exponent"] or "", unit)


def _find_decimal(mantissas: dict[str, str], where: str, decimal: Decimal | None, semicolons: bool) -> Decimal:
    """Find out which mark separates decimals."""
    if decimal:
        return decimal
    proofs: dict[Decimal, str] = {}
    unclear: dict[str, str] = {}
    for text, mantissa in mantissas.items():
        if proof := _proves(mantissa):
            proofs.setdefault(proof, text)
        elif found := GROUPED.fullmatch(mantissa):
            unclear.setdefault(found["mark"], text)
    if len(proofs) == 2:
        raise UserError(
            f"{where}: {proofs['comma']!r} has a decimal comma, {proofs['point']!r} a decimal point: "
            "write all in the same way, or say --decimal comma or --decimal point, and correct the others"
        )
    if proofs:
        return next(iter(proofs))
    # a point with three digits is a decimal point, unless the table speaks of another country
    if "," in unclear or ("." in unclear and semicolons):
        text = unclear.get(",") or unclear["."]
        comma, point = (text.replace(".", "").replace(",", "."), text.replace(",", ""))
        chosen = choose(
            f"{where}: numbers such as {text!r} can be read in two ways",
            {"--decimal comma": f"it is {comma}", "--decimal point": f"it is {point}"},
        )
        return "comma" if chosen.endswith("comma") else "point"
    return "point"


def _proves(mantissa: str) -> Decimal | None:
    """Tell which mark must separate decimals, from one number; None if it can be either."""
    marks = [mark for mark in mantissa if mark in ".,"]
    if not marks or (len(set(marks)) == 1 and GROUPED.fullmatch(mantissa) and len(marks) == 1 and mantissa[0] != "0"):
        return None
    # the last mark of two kinds separates decimals; one that is repeated separates thousands
    last_is_decimal = len(marks) == 1 or len(set(marks)) == 2
    return "comma" if (marks[-1] == ",") == last_is_decimal else "point"


def _to_text(reading: _Reading, decimal: Decimal) -> str | None:
    """Write a number as Python reads it; None if it cannot be one with such decimals."""
    mark, thousands = (",", ".") if decimal == "comma" else (".", ",")
    whole, _, rest = reading.mantissa.partition(mark)
    if mark in rest or thousands in rest:
        return None
    if thousands in whole and not GROUPED.fullmatch(whole):
        return None
    return f"{reading.sign}{whole.replace(thousands, '') or '0'}{f'.{rest}' if rest else ''}{reading.exponent}"


def find_outliers(numbers: pd.Series) -> list[str]:
    """Say which numbers are far from all others.

    Args:
        numbers: float, with the lines of a table as index.
    """
    low, middle, high = numbers.quantile([0.25, 0.5, 0.75])
    far = numbers[(numbers - middle).abs() > FAR_OUT * (high - low)] if high > low else numbers.iloc[:0]
    shown = [f"line {line}: {number:g} is far from the others" for line, number in far.head(OUTLIERS_NAMED).items()]
    return [*shown, *([f"and {len(far) - len(shown):,} more"] if len(far) > len(shown) else [])]


DATE = re.compile(
    r"(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{4}|[0-9]{2}))"
    r"(?:[T ]\s*[0-9]{1,2}:[0-9]{2}.*)?|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
    r"|(?:[0-9]{1,2}\.?\s+)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+(?:[0-9]{1,2},?\s+)?[0-9]{4}"
    r"|[0-9]{4}년\s*[0-9]{1,2}월\s*[0-9]{1,2}일",
    re.IGNORECASE,
)


def are_dates(texts: pd.Series) -> bool:
    """Tell whether most of a column's texts are dates or times."""
    return len(texts) > 0 and texts.map(lambda text: DATE.fullmatch(text) is not None).mean() > MIN_SHARE
