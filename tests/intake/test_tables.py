"""Tables as people have them: any separator and encoding, foreign paths, numbers as they are written, odd labels."""

import csv
import io
import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from adding import refuse, understand
from image_recipes.core.tasks import REGRESSION
from image_recipes.data.labels import MISSING_TEXTS
from image_recipes.data.table import list_frame
from image_recipes.intake.columns import TableOptions
from image_recipes.intake.read_table import read_table
from pictures import noise
from projects import Project

COUNT = 36
PLAIN = TableOptions()


@pytest.fixture
def pictures(in_bare_project: Project, tmp_path: Path) -> Path:
    """A folder with pictures p/000.png and so on, and a project as the current folder."""
    (tmp_path / "data/p").mkdir(parents=True)
    for number in range(COUNT):
        noise(number, (16, 12)).save(tmp_path / f"data/p/{number:03}.png")
    return tmp_path / "data"


def write(file: Path, rows: Sequence[Sequence[object]], encoding: str = "utf-8", separator: str = ",") -> Path:
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator).writerows(rows)
    file.write_bytes(stream.getvalue().encode(encoding))
    return file


def rows_of(labels: Sequence[object], path: str = "p/{:03}.png", header: tuple[str, ...] = ("file", "label")) -> list:
    """Make rows of a table, with labels one after the other, and again from the first."""
    return [header, *[(path.format(number), labels[number % len(labels)]) for number in range(COUNT)]]


def test_what_was_understood_is_what_the_pipeline_reads(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from calling import call

    monkeypatch.setattr("image_recipes.commands.add.track", lambda *_: None)
    numbers = [f"{number / 4 - 3:.2f}".replace(".", ",") + " cm" for number in range(COUNT)]
    table = write(pictures / "maße.csv", rows_of(numbers, header=("Bild", "Länge")), "cp1252", ";")
    Path("data/weights").mkdir(exist_ok=True)
    Path("data/weights/random").touch()

    said = call("add", str(table), "--name", "lengths").stdout

    assert "encoding CP1252, by its letters (else: --encoding)" in said
    assert "columns separated by semicolons" in said
    assert "numbers such as -3,00 cm are -3.00 (else: --decimal point)" in said
    assert "unit: cm" in said
    dataset = YAML(typ="safe").load(Path("params.yaml").read_text("utf-8"))["datasets"]["lengths"]
    assert (dataset["task"], dataset["unit"], dataset["table"]) == ("regression", "Länge (cm)", "maße.csv")
    call("check", "lengths_cnn")
    read = pd.read_csv(f"data/raw/lengths/{dataset['table']}")
    np.testing.assert_allclose(read["Länge"], np.arange(COUNT) / 4 - 3)
    # the same again changes nothing
    assert f"data/raw/lengths: {COUNT + 1} as before" in call("add", str(table), "--name", "lengths").stdout


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp949", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_separator_and_encoding(separator: str, encoding: str, pictures: Path) -> None:
    labels = ["나팔꽃", "장미꽃"] if encoding == "cp949" else ["Äpfel", "Öl"]
    table = write(pictures / "x.csv", rows_of(labels), encoding, separator)

    assert f"2 classes: {labels[0]} {COUNT // 2}, {labels[1]} {COUNT // 2}" in understand(table)


def test_an_encoding_can_be_named(pictures: Path) -> None:
    table = write(pictures / "x.csv", rows_of(["żółw", "łoś"]), "cp1250")

    assert "2 classes: łoś 18, żółw 18" in understand(table, "--encoding", "cp1250")
    assert "no encoding 'cp12500'" in refuse(table, "--encoding", "cp12500")
    assert "is not utf-8: byte" in refuse(table, "--encoding", "utf-8")


def test_a_line_for_excel_and_empty_rows_and_columns_are_passed_over(pictures: Path) -> None:
    text = "sep=;\nfile;label;;\n" + "".join(f"p/{number:03}.png;{'ab'[number % 2]};;\n" for number in range(COUNT))
    (pictures / "x.csv").write_text(text + ";;;\n;;;\n\n")

    lines = understand(pictures / "x.csv")

    assert "x.csv: 2 empty rows passed over" in lines
    assert "x.csv: 2 empty columns passed over" in lines
    assert f"2 classes: a {COUNT // 2}, b {COUNT // 2}" in lines


def test_excel_and_json_lines_are_tables(pictures: Path) -> None:
    frame = pd.DataFrame({"file": [f"p/{number:03}.png" for number in range(COUNT)]})
    frame["weight"] = np.arange(COUNT) * 1.5
    frame.to_excel(pictures / "x.xlsx", index=False)
    (pictures / "metadata.jsonl").write_text(
        "\n".join(json.dumps({"file_name": f"{number:03}.png", "label": number % 2}) for number in range(COUNT))
    )

    assert "numbers from 0 to 52.5, 26.25 on average" in understand(pictures / "x.xlsx")
    lines = understand(pictures / "metadata.jsonl")
    assert "columns: picture 'file_name', target 'label'" in lines
    assert f"2 classes: 0 {COUNT // 2}, 1 {COUNT // 2}" in lines
    (pictures / "x.xls").write_bytes(b"x")
    assert "x.xls: tables of this kind are not read: save it as .xlsx or CSV" in refuse(pictures / "x.xls")
    (pictures / "y.xlsx").write_bytes(b"no zip")
    assert "no Excel file, or a damaged one" in refuse(pictures / "y.xlsx")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("{:03}", f"{COUNT} pictures found with .png added, in p, such as 000 as p/000.png"),
        ("{:03}.png", f"{COUNT} pictures found in p, such as 000.png as p/000.png"),
        ("p\\{:03}.png", "p\\"),
        ("C:\\Users\\kim\\p\\{:03}.png", "found without /Users/kim"),
        ("/data/p/{:03}.png", f"{COUNT} pictures found without /data, such as /data/p/000.png as p/000.png"),
        ("/data/local-files/?d=store/p/{:03}.png", "found without store"),
        ("https://host/p/{:03}.png?size=2", "found without host"),
        ("P/{:03}.PNG", "by another spelling of the name"),
    ],
)
def test_pictures_are_found_by_foreign_paths(path: str, said: str, pictures: Path) -> None:
    table = write(pictures / "x.csv", rows_of(["a", "b"], path))

    lines = understand(table)

    assert f"2 classes: a {COUNT // 2}, b {COUNT // 2}" in lines
    assert any(said in line for line in lines) or said == "p\\"
    assert f"data/raw/x: {COUNT + 1} new" in lines


def test_a_table_may_lie_below_its_pictures(pictures: Path) -> None:
    (pictures / "labels").mkdir()

    lines = understand(write(pictures / "labels/x.csv", rows_of(["a", "b"])))

    assert f"data/raw/x: {COUNT + 1} new" in lines


def test_absolute_paths_inside_the_tables_folder_are_fine(pictures: Path) -> None:
    table = write(pictures / "x.csv", rows_of(["a", "b"], f"{pictures}/p/{{:03}}.png"))

    assert f"data/raw/x: {COUNT + 1} new" in understand(table)


def test_pictures_that_are_not_there_are_named(pictures: Path) -> None:
    rows = rows_of(["a", "b"])
    table = write(pictures / "x.csv", [*rows, ("p/gone.png", "a")])

    assert f"  p/gone.png: line {COUNT + 2}: no such file in {pictures}" in understand(table)


def test_a_missing_header_is_named(pictures: Path) -> None:
    table = write(pictures / "x.csv", rows_of(["a", "b"])[1:])

    assert "the first row names a picture, p/000.png: put the columns' names above it" in refuse(table)


def test_what_a_labelling_tool_exports_is_taken(pictures: Path) -> None:
    header = ("annotation_id", "annotator", "choice", "created_at", "id", "image")
    rows = [
        (n, 1, ["ok", "broken"][n % 2], f"2024-01-01T00:00:{n:02}Z", n, f"/data/p/{n:03}.png") for n in range(COUNT)
    ]

    lines = understand(write(pictures / "x.csv", [header, *rows]))

    assert "columns: picture 'image', target 'choice'" in lines


def test_several_possible_targets_are_named(pictures: Path) -> None:
    rows = [("file", "length", "width"), *[(f"p/{n:03}.png", n / 7, n / 3) for n in range(COUNT)]]
    table = write(pictures / "x.csv", rows)

    assert "--target must name the column of classes or numbers: length, width" in refuse(table)
    output = refuse(table, "--target", "length", "--target", "width")
    assert "--target: one column at a time, not length, width" in output


def test_one_column_a_class(pictures: Path) -> None:
    rows = [("filename", " cat", " dog"), *[(f"{n:03}.png", n % 2, 1 - n % 2) for n in range(COUNT)]]
    lines = understand(write(pictures / "p/_classes.csv", rows))
    assert "target: the class whose column holds 1: cat, dog" in lines
    assert f"2 classes: cat {COUNT // 2}, dog {COUNT // 2}" in lines

    rows[5] = (rows[5][0], 1, 1)
    output = refuse(write(pictures / "p/_classes.csv", rows))
    assert "line 6: cat, dog: several classes of one picture: this is multi-label" in output


@pytest.mark.parametrize("separator", [",", ";", "|", ", ", " "])
def test_several_labels_in_one_cell_are_refused(separator: str, pictures: Path) -> None:
    names = ["haze", "water", "road", "clear"]
    cells = [separator.join(name for bit, name in enumerate(names) if (n % 15 + 1) >> bit & 1) for n in range(COUNT)]
    table = write(pictures / "x.csv", rows_of(cells))

    assert "holds several labels in one cell" in (output := refuse(table))
    assert "multi-label" in output
    assert "15 classes: " in "\n".join(understand(table, "--task", "classification"))


def test_names_of_several_words_are_one_class(pictures: Path) -> None:
    names = [f"{colour} {kind}" for colour in ["black", "white", "tabby"] for kind in ["cat", "dog"]]
    persons = ["Kim, Jisoo", "Kim, Mina", "Lee, Mina"]

    assert any(
        line.startswith("6 classes: black cat 6") for line in understand(write(pictures / "x.csv", rows_of(names)))
    )
    lines = understand(write(pictures / "y.csv", rows_of(persons)))
    assert any(line.startswith("3 classes: Kim, Jisoo 12") for line in lines)


def test_classes_named_none_are_classes_if_frequent(pictures: Path) -> None:
    table = write(pictures / "x.csv", rows_of(["none", "scratch", "NA"]))

    lines = understand(table)

    assert "'NA' (12), 'none' (12): taken as classes, since frequent (else: --missing NA --missing none)" in lines
    assert "3 classes: NA 12, none 12, scratch 12" in lines
    lines = understand(write(pictures / "y.csv", rows_of(["none", "scratch", "dust"])), "--missing", "none")
    assert "2 classes: dust 12, scratch 12" in lines
    rows = rows_of(["a", "b"])
    rows[1] = (rows[1][0], "null")
    assert "'null' (1): taken as missing labels (else: --missing '')" in understand(write(pictures / "z.csv", rows))


def test_labels_in_two_unicode_forms_are_one_class(pictures: Path) -> None:
    labels = [unicodedata.normalize(form, "나팔꽃") for form in ("NFC", "NFD")]

    lines = understand(write(pictures / "x.csv", rows_of([*labels, "장미"])))

    assert "2 classes: 나팔꽃 24, 장미 12" in lines


def test_texts_that_look_like_numbers_stay_apart(pictures: Path) -> None:
    assert "3 classes: 01 12, 1 12, 1.0 12" in understand(write(pictures / "x.csv", rows_of(["01", "1", "1.0"])))


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([f"2024-03-{n % 28 + 1:02}" for n in range(COUNT)], "holds dates or times, such as '2024-03-01'"),
        ([f"{n % 28 + 1}.3.2024" for n in range(COUNT)], "holds dates or times"),
        ([f"{1_700_000_000_000 + n}" for n in range(COUNT)], "float32 tells only 1 apart: subtract 1700000000000"),
        ([f"1,{n + 100}" for n in range(COUNT)], "can be read in two ways: decide by --decimal comma (it is 1.100)"),
        ([f"{n}{'.,'[n % 2]}5" for n in range(COUNT)], "has a decimal comma"),
        ([f"{n} {['cm', 'mm'][n % 2]}" for n in range(COUNT)], "has several units: cm, mm: write all in the same"),
        (["7"] * COUNT, "one class only, '7'"),
    ],
)
def test_numbers_that_cannot_be_meant_are_refused(cells: list[str], message: str, pictures: Path) -> None:
    table = write(pictures / "x.csv", rows_of(cells))

    assert message in refuse(table, "--target", "label")


def test_few_different_numbers_are_classes_and_said_so(pictures: Path) -> None:
    table = write(pictures / "x.csv", rows_of([0, 1, 2]))

    assert "target: 'label': classes, few different numbers (else: --task regression), such as 0, 1, 2" in understand(
        table
    )
    assert "numbers from 0 to 2, 1 on average" in understand(table, "--task", "regression")


def test_outliers_are_named(pictures: Path) -> None:
    cells = [1e9 if n == 7 else n / 7 for n in range(COUNT)]

    assert "line 9: 1e+09 is far from the others" in understand(write(pictures / "x.csv", rows_of(cells)))


def table_with(pictures: Path, name: str, values: Sequence[object]) -> Path:
    rows = [("file", "label", name)]
    rows += [(f"p/{n:03}.png", "ab"[n % 2], values[n % len(values)]) for n in range(COUNT)]  # type: ignore[misc]
    return write(pictures / "x.csv", rows)


def test_a_group_column_is_used_and_said_so(pictures: Path) -> None:
    table = table_with(pictures, "group", [f"g{n}" for n in range(9)])

    assert "group: group, 9 of them, each kept in one split (else: --no-group)" in understand(table)
    assert not any(line.startswith("group") for line in understand(table, "--no-group", "--target", "label"))
    table = table_with(pictures, "patient", [f"g{n}" for n in range(9)])
    hint = "if pictures with the same 'patient' belong together, keep them in one split by --group patient"
    assert hint in understand(table, "--target", "label")
    assert "group: patient, 9 of them" in "\n".join(understand(table, "--target", "label", "--group", "patient"))


def test_too_few_groups_are_refused(pictures: Path) -> None:
    table = table_with(pictures, "group", ["treated", "control"])

    assert "the column 'group' makes 2 groups, each of which is kept in one split: too few" in refuse(table)


def test_a_split_column_is_understood_or_refused(pictures: Path) -> None:
    values = ["Training", "Training", "dev", "hold-out"]
    lines = understand(table_with(pictures, "split", values))
    assert "columns: picture 'file', target 'label', split 'split'" in lines
    assert next(line.split() for line in lines if line.startswith("  all")) == ["all", "18", "9", "9"]
    lines = understand(table_with(pictures, "is_valid", ["False", "False", "True"]))
    assert next(line.split() for line in lines if line.startswith("  class")) == ["class", "train", "validation"]

    output = refuse(table_with(pictures, "split", [f"fold{n}" for n in range(5)]))
    assert "the column 'split' holds 'fold0', 'fold1', 'fold2', which are no splits" in output
    assert "leave it out by --no-split" in output


NUMBERS = st.lists(st.decimals(-9999, 9999, places=2), min_size=25, max_size=COUNT, unique=True)


@given(
    numbers=NUMBERS,
    separator=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    comma=st.booleans(),
    thousands=st.booleans(),
    unit=st.sampled_from(["", " cm", "%", " µm"]),
    empty=st.integers(0, 3),
)
def test_numbers_are_read_as_they_were_meant(
    numbers: list, separator: str, encoding: str, comma: bool, thousands: bool, unit: str, empty: int
) -> None:
    def as_written(number: object) -> str:
        text = f"{number:,.2f}" if thousands else f"{number:.2f}"
        return (text.translate(str.maketrans(".,", ",.")) if comma else text) + unit

    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        rows = [("file", "größe"), *[(f"{n}.png", as_written(number)) for n, number in enumerate(numbers)]]
        for n in range(len(numbers)):
            (folder / f"{n}.png").write_bytes(b"x")
        rows[3:3] = [("", "")] * empty
        table = write(folder / "x.csv", rows, encoding, separator)

        found = read_table(table, PLAIN, None)

        assert found.table is not None
        text = found.table.text
        again = pd.read_csv(io.StringIO(text) if text else table, dtype=str)
    listing = list_frame(again, table, found.table.columns, REGRESSION, MISSING_TEXTS)
    read = dict(zip(listing.pictures["path"], listing.pictures["label"], strict=True))
    assert found.task is REGRESSION
    assert not listing.problems
    assert read == {f"{n}.png": float(number) for n, number in enumerate(numbers)}


def test_columns_that_say_of_one_split_who_is_in_it(pictures: Path) -> None:
    rows: list[tuple[object, ...]] = [("file", "label", "is_valid", "is_test")]
    rows += [(f"p/{n:03}.png", "ab"[n % 2], n % 6 == 1, n % 6 in (2, 3)) for n in range(COUNT)]
    table = write(pictures / "x.csv", rows)

    lines = understand(table)

    assert "split: by is_valid, is_test" in lines
    assert next(line.split() for line in lines if line.startswith("  all")) == ["all", "18", "6", "12"]
    rows[2] = (*rows[2][:2], True, True)
    assert "are both true: a picture is in one split" in refuse(write(table, rows))


def test_a_column_that_says_who_is_to_learn_from_is_no_split(pictures: Path) -> None:
    table = table_with(pictures, "is_train", ["True", "False"])

    assert "the column 'is_train' holds 'True', 'False', which are no splits" in refuse(table, "--split", "is_train")


@pytest.mark.parametrize(
    ("values", "shares"),
    [
        (["", "", "", "test"], {"train": 0.85, "validation": 0.15, "test": "given"}),
        (["", "", "val", "test"], {"train": "given", "validation": "given", "test": "given"}),
        (["train", "train", "train", "val"], {"train": 0.85, "validation": "given", "test": 0.15}),
    ],
)
def test_given_splits_are_kept_and_the_others_cut(
    values: list[str], shares: dict[str, object], pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from calling import call

    monkeypatch.setattr("image_recipes.commands.add.track", lambda *_: None)
    table = table_with(pictures, "split", values)

    call("add", str(table), "--name", "x")

    split = YAML(typ="safe").load(Path("params.yaml").read_text("utf-8"))["datasets"]["x"]["split"]
    assert {name: split[name] for name in shares} == shares


def test_the_right_one_of_two_columns_of_pictures_is_asked_for(pictures: Path) -> None:
    for number in range(COUNT):
        noise(number + 500, (16, 12)).save(pictures / f"p/{number:03}_mask.png")
    rows = [("image", "mask", "label")]
    rows += [(f"p/{n:03}.png", f"p/{n:03}_mask.png", "ab"[n % 2]) for n in range(COUNT)]
    table = write(pictures / "x.csv", rows)

    assert "image, mask all name pictures: name the right one by --picture" in refuse(table)
    assert "columns: picture 'image', target 'label'" in understand(table, "--picture", "image", "--target", "label")


def test_labels_that_are_names_of_pictures_are_no_pictures(pictures: Path) -> None:
    for number in range(COUNT):
        (pictures / f"p/{number:03}.png").rename(pictures / f"p/{number}.png")
    rows = [("id", "grade"), *[(str(n), str(n % 5)) for n in range(COUNT)]]
    (pictures / "p/7.png").unlink()

    assert "columns: picture 'id', target 'grade'" in understand(write(pictures / "x.csv", rows))


@pytest.mark.parametrize(
    ("name", "content", "arguments"),
    [
        ("x.csv", "file,lábel\n{}", ["--encoding", "cp1252"]),
        ("x.csv", "sep=,\nfile,label\n{}", []),
        ("x.tsv", "file,label\n{}", []),
        ("x.csv", "# made by hand\nfile,label\n{}", []),
        ("x.txt", "file\tlabel\n{}", []),
    ],
)
def test_a_table_is_copied_only_if_the_pipeline_reads_it(
    name: str, content: str, arguments: list[str], pictures: Path
) -> None:
    separator = "\t" if "\t" in content else ","
    rows = "".join(f"p/{n:03}.png{separator}{'ab'[n % 2]}\n" for n in range(COUNT))
    encoding = arguments[1] if arguments else "utf-8"
    (pictures / name).write_bytes(content.format(rows).encode(encoding))

    lines = understand(pictures / name, *arguments)

    assert "the table is written as data/raw/x/x.csv, as it was understood" in lines
    assert f"2 classes: a {COUNT // 2}, b {COUNT // 2}" in lines


def test_pictures_in_several_rows_are_named_or_refused(pictures: Path) -> None:
    rows = rows_of(["a", "b"])
    lines = understand(write(pictures / "x.csv", [*rows, ("p/000.png", "b")]))
    assert (
        "1 picture stands in several rows, such as p/000.png, 1 of them with different labels, which the run refuses"
        in lines
    )

    boxes = [(f"p/{n % COUNT:03}.png", "ab"[n // COUNT]) for n in range(2 * COUNT)]
    assert "stand in several rows with different labels" in refuse(write(pictures / "x.csv", [rows[0], *boxes]))


def test_other_spellings_of_a_word_that_is_a_class_are_no_missing_labels(pictures: Path) -> None:
    rows = rows_of(["None", "scratch"])
    rows[1] = (rows[1][0], "none")

    lines = understand(write(pictures / "x.csv", rows), "--merge-classes")

    assert not any("missing labels" in line for line in lines)
    assert "2 classes: None 18, scratch 18" in lines


def test_pictures_of_many_folders_may_have_one_name(pictures: Path) -> None:
    for number in range(150):
        (pictures / f"q/{number}").mkdir(parents=True)
        noise(number, (8, 8)).save(pictures / f"q/{number}/image.png")
    rows = [("file", "label"), *[(f"/mnt/{n}/image.png", "ab"[n % 2]) for n in range(150)]]

    assert "data/raw/x: 151 new" in understand(write(pictures / "x.csv", rows))


def test_a_table_of_one_split_says_that_there_are_others(pictures: Path) -> None:
    for split in ["train", "test"]:
        (pictures / split).mkdir()
        for number in range(20):
            noise(number + ord(split[1]) * 100, (8, 8)).save(pictures / split / f"{number}.png")
        write(
            pictures / split / "metadata.csv", [("file_name", "label"), *[(f"{n}.png", "ab"[n % 2]) for n in range(20)]]
        )

    lines = understand(pictures / "train/metadata.csv")

    assert any(line.startswith("only train is read, not test/metadata.csv") for line in lines)


def test_groups_across_given_splits_are_named(pictures: Path) -> None:
    rows = [("file", "label", "group", "split")]
    rows += [
        (f"p/{n:03}.png", "ab"[n % 2], f"g{n % 7}", ["train", "train", "val", "test"][n % 4]) for n in range(COUNT)
    ]

    assert "leak: 7 groups lie in several given splits, such as g0" in understand(write(pictures / "x.csv", rows))


def test_another_unit_is_refused(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from calling import call, call_fails

    monkeypatch.setattr("image_recipes.commands.add.track", lambda *_: None)
    table = write(pictures / "x.csv", rows_of([f"{n} cm" for n in range(COUNT)]))
    call("add", str(table), "--name", "x")
    write(table, rows_of([f"{10 * n} mm" for n in range(COUNT)]))

    assert "datasets.x.unit is label (cm), but for these pictures it would be label (mm)" in call_fails(
        "add", str(table), "--name", "x"
    )
