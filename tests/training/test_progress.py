"""Showing how far training is: for a person, and by DVCLive for others to look on."""

import csv
import json
import os
import pty
import re
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np
import pytest
from dvclive import Live

from image_recipes.core.dataset import Subset
from image_recipes.models.recipe import Layer
from image_recipes.training import progress
from image_recipes.training.fit import train_recipe
from image_recipes.training.progress import LiveLog
from projects import Project
from recipes import make_recipe, number_info, save_trained

IMAGES = np.random.default_rng(0).integers(0, 256, (70, 8, 8, 1), dtype=np.uint8)
TARGETS = (IMAGES.mean(axis=(1, 2, 3)) / 255).astype(np.float32)
SPLITS = {
    "train": Subset(IMAGES, TARGETS[:50], np.arange(50)),
    "validation": Subset(IMAGES, TARGETS[50:], np.arange(50, 70)),
}


@pytest.mark.parametrize("seconds", [0, 10**9], ids=["a summary each epoch", "epochs faster than summaries"])
def test_every_epoch_of_all_trainings_is_logged(seconds: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("image_recipes.training.fit.share_cores", lambda parts: None)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_SUMMARIES", seconds)
    layers = [Layer("Trained", {}), Layer("Dense", {"units": 4})]
    tuning = {"epochs": 2, "optimizer": {"name": "SGD", "learning_rate": 0.01}}
    recipe = make_recipe(
        layers, epochs=3, batch_size=50, start_from=str(save_trained(tmp_path / "before.keras")), fine_tuning=tuning
    )

    with Live(str(tmp_path / "live"), dvcyaml=None, save_dvc_exp=False) as live:
        _, history = train_recipe(recipe, number_info([8, 8, 1]), SPLITS, seed=3, callbacks=[LiveLog(live=live)])

    assert history["epoch"].tolist() == [1, 2, 3, 4, 5]
    for column, file in [("loss", "train/loss.tsv"), ("val_loss", "eval/loss.tsv")]:
        with (tmp_path / "live/plots/metrics" / file).open(encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
        assert [int(row["step"]) for row in rows] == [0, 1, 2, 3, 4]
        assert [float(row["loss"]) for row in rows] == pytest.approx(history[column].tolist())
    # which DVCLive writes at the end, and live views read
    summary = json.loads((tmp_path / "live/metrics.json").read_text("utf-8"))
    assert summary["step"] == 4
    assert summary["eval"]["loss"] == pytest.approx(history["val_loss"].iloc[-1])


@pytest.mark.slow
def test_a_log_file_gets_a_line(playground: Project) -> None:
    log = playground.run("python", "-m", "stages.train", "tiny_number").stderr

    first, *lines = log.splitlines()
    assert first.startswith(
        "tiny_number: learns from 90 pictures, judged by 30; always answering the mean, 33.29 throws"
    )
    line = r"tiny_number: epoch 3/3, val_loss=[\d.e+]+ \(to beat: [\d.]+\), [\d.]+ s/epoch, 00:00 left"
    assert re.fullmatch(line, lines[0])


@pytest.mark.slow
def test_a_terminal_gets_a_bar(playground: Project) -> None:
    terminal, child = pty.openpty()
    termios.tcsetwinsize(child, (24, 80))
    with subprocess.Popen(
        [sys.executable, "-m", "stages.train", "tiny_number"], cwd=playground.root, stdout=child, stderr=child
    ) as process:
        os.close(child)
        shown = b""
        while chunk := _read(terminal):
            shown += chunk
    text = shown.decode()

    assert process.returncode == 0, text
    assert "tiny_number: 100%" in text
    assert "3/3" in text
    assert re.search(r"val_loss=[\d.]+", text)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux's way to say that the other end is closed
        return b""
