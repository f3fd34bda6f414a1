"""What users install: the built wheel in another environment's place, with the checkout out of reach."""

import json
import os
import subprocess
import sys
import zipfile

import pytest

from conftest import REPOSITORY

SHIPPED = REPOSITORY / "models" / "default"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, REPOSITORY],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl"))


def test_the_wheel_holds_the_checkpoint_and_the_ontology(wheel):
    with zipfile.ZipFile(wheel) as archive:
        sizes = {i.filename: i.file_size for i in archive.infolist()}
    assert sizes["tacitus/_shipped/default/model.safetensors"] == (SHIPPED / "model.safetensors").stat().st_size > 1e6
    assert {"config.json", "tokenizer.json", "README.md", "metrics.json", "recipe.yaml"} <= {
        name.rpartition("/")[2] for name in sizes if "_shipped/default" in name
    }
    ontologies = {f"ontologies/{name}.yaml" for name in ("cameo-quad", "plover", "re3d")}
    assert {f"tacitus/_shipped/{name}" for name in {"ontology.yaml", *ontologies}} <= sizes.keys()


def test_the_shipped_checkpoint_is_small():
    assert sum(p.stat().st_size for p in SHIPPED.iterdir()) < 80e6


def test_the_installed_wheel_extracts_with_the_checkout_out_of_reach(wheel, tmp_path):
    site = tmp_path / "site"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", site, wheel], check=True)
    code = (
        f"import sys; sys.path[:] = [{str(site)!r}, *(p for p in sys.path if p not in {[str(REPOSITORY), str(REPOSITORY / 'src')]!r})]\n"
        "import tacitus, tacitus.cli.main\n"
        f"assert tacitus.__file__.startswith({str(site)!r}), tacitus.__file__\n"
        "tacitus.cli.main.main()\n"
    )
    (tmp_path / "r.txt").write_text(
        "Rebels shelled the town of Malakal on Sunday, killing four civilians, the army said."
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "extract", "r.txt", "-o", "e.jsonl"],
        cwd=tmp_path, capture_output=True, text=True, check=False, env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    assert [e["sub_event_type"] for e in events] == ["shelling-artillery-missile"]
    assert [p["text"] for p in events[0]["initiators"]] == ["Rebels"]
    assert [p["text"] for p in events[0]["places"]] == ["Malakal"]
