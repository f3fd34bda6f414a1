"""``tacitus doctor``: what runs here, and why."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from tacitus.cli.main import app
from tacitus.doctor import diagnose
from tacitus.files import sha256
from tacitus.folder import CHAIN, EXPORTS, GRAPHS, WEIGHTS


@pytest.fixture
def no_gpu(monkeypatch):
    for module in ("loading", "doctor"):
        monkeypatch.setattr(f"tacitus.{module}.sees_gpu", lambda: False)


def test_it_names_the_checkpoint_and_the_runtime_that_auto_takes(tiny_checkpoint, no_gpu):
    found = diagnose(tiny_checkpoint)
    assert found.checkpoint["ontology"]["name"] == "tiny"
    assert found.checkpoint["ontology"]["event_types"] == 3
    assert found.runtimes["pytorch"] == {"runs": True, "why_not": None, "quality_kept": None}
    assert "tacitus export" in found.runtimes["onnx"]["why_not"]
    assert found.auto["runtime"] == "pytorch"
    assert found.problem is None


@pytest.mark.parametrize("kept", [True, False])
def test_a_graph_is_taken_unasked_only_where_it_kept_its_quality(tiny_checkpoint, tmp_path, no_gpu, kept):
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "model")
    (folder / GRAPHS["openvino"]).write_text("")
    zeros = {name: [] for name in CHAIN}
    note = {"weights_sha256": sha256(folder / WEIGHTS), "chain": zeros, "kept": kept}
    (folder / EXPORTS).write_text(json.dumps({"openvino": note}))
    found = diagnose(folder)
    assert found.runtimes["openvino"] == {"runs": True, "why_not": None, "quality_kept": kept}
    assert found.auto["runtime"] == ("openvino" if kept else "pytorch")


def test_json_holds_what_is_printed(tiny_checkpoint):
    done = CliRunner().invoke(app, ["doctor", "-m", str(tiny_checkpoint), "--json"])
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    printed = CliRunner().invoke(app, ["doctor", "-m", str(tiny_checkpoint)]).stdout
    assert f"auto takes {found['auto']['runtime']}: {found['auto']['why']}" in printed
    assert found["versions"]["tacitus"] in printed


def test_a_checkpoint_that_cannot_run_is_exit_code_1(tmp_path):
    done = CliRunner().invoke(app, ["doctor", "-m", str(tmp_path / "none"), "--json"])
    assert done.exit_code == 1
    assert "no such checkpoint folder" in json.loads(done.stdout)["problem"]
    assert json.loads(done.stdout)["machine"]["cores"] >= 1
