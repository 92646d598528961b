"""Write the licences of all locked packages into docs/licences.md and its Korean page, as the packages installed say.

Run by `make licences`, after `make lock` and `make extras`.
"""

from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

from packages.locked import list_locked

PAGES = {
    Path("docs/licences.md"): ("licence", "packages", "not installed here: for other systems or Pythons"),
    Path("docs/licences.ko.md"): ("라이선스", "패키지", "여기에는 설치되지 않음: 다른 운영체제나 Python용"),
}
# around the table
BEGIN, END = "<!-- licences -->\n", "<!-- end -->"
# more is the text of a licence and not its name
LONGEST_NAME = 60
# whose licence stands in a file of the package alone
READ_BY_HAND = {"namex": "Apache-2.0"}
# names that say the same, in those of SPDX where they tell a single licence
SPELLINGS = {
    "Apache-2.0": ("Apache 2.0", "Apache License 2.0", "Apache License, Version 2.0", "Apache Software License"),
    "BSD": ("BSD License", "New BSD"),
    "BSD-2-Clause": ("BSD 2-Clause License",),
    "BSD-3-Clause": ("3-Clause BSD License", "BSD 3-Clause", "BSD 3-Clause License"),
    "ISC": ("ISC License", "ISC License (ISCL)", "ISC license"),
    "MIT": ("MIT License", "MIT license"),
    "MPL-2.0": ("Mozilla Public License 2.0 (MPL 2.0)",),
    "PSF-2.0": ("PSFL", "Python Software Foundation License"),
    "EPL-1.0 OR GPL-2.0": ("GPLv2 | EPLv1",),
    "GPL-2.0 with linking exception": ("GPLv2 with linking exception",),
    "ZPL-2.1": ("Zope Public License",),
}
SPELT = {spelling: name for name, spellings in SPELLINGS.items() for spelling in spellings}


def read_licence(name: str) -> str | None:
    """Return the licence of a package that is installed; None for one that is not."""
    try:
        found: PackageMetadata = metadata(name)
    except PackageNotFoundError:
        return None
    if name in READ_BY_HAND:
        return READ_BY_HAND[name]
    if "License-Expression" in found:
        return found["License-Expression"]
    text = found["License"].strip() if "License" in found else ""
    classifiers = [line.split(" :: ")[-1] for line in found.get_all("Classifier") or [] if line.startswith("License")]
    if text and text != "UNKNOWN" and len(text) < LONGEST_NAME and text != "Dual License":
        return SPELT.get(text, text)
    return " or ".join(SPELT.get(line, line) for line in classifiers) or "unknown"


def tabulate(words: tuple[str, str, str]) -> str:
    """Return the table of a page: a row for each licence, those of most packages first."""
    licence, packages, elsewhere = words
    rows: dict[str, list[str]] = {}
    for name in list_locked():
        rows.setdefault(read_licence(name) or elsewhere, []).append(name)
    ordered = sorted(rows.items(), key=lambda row: (row[0] == elsewhere, -len(row[1]), row[0]))
    lines = [
        f"| {licence} | {packages} |",
        "|:--|:--|",
        *(f"| {name} | {', '.join(names)} |" for name, names in ordered),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the tables of both pages anew."""
    for page, words in PAGES.items():
        head, _, rest = page.read_text("utf-8").partition(BEGIN)
        page.write_text(f"{head}{BEGIN}{tabulate(words)}{END}{rest.partition(END)[2]}", "utf-8")


if __name__ == "__main__":
    main()
