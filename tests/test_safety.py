"""Nothing that is read can run code, write outside its folder or let a token out."""

import ast
import json
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import tacitus
from tacitus.cli.main import main
from tacitus.errors import CheckpointError, RecipeError, ServerError
from tacitus.extractor import Extractor
from tacitus.files import file_name
from tacitus.training.recipe import load_recipe
from tacitus.training.run import train

PACKAGE = Path(tacitus.__file__).parent
MODULES = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "joblib",
    "cloudpickle",
    "tarfile",
    "zipfile",
    "telnetlib",
    "subprocess",
}
CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "yaml.load",
    "yaml.unsafe_load",
    "yaml.full_load",
    "tempfile.mktemp",
}
READ_IN_MEMORY = {"convert/cas.py": ["zipfile"]}  # members are read, nothing is unpacked to a path
NEEDED = {  # call → keywords that make it safe
    "torch.load": {"weights_only": True},
    "AutoConfig.from_pretrained": {"trust_remote_code": False},
    "AutoTokenizer.from_pretrained": {"trust_remote_code": False},
    "AutoModel.from_pretrained": {"trust_remote_code": False, "use_safetensors": True},
}  # fmt: skip


def dangers(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            found += [name for name in names if name.partition(".")[0] in MODULES]
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            given_ = {k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)}
            if name in CALLS or NEEDED.get(name, {}).items() - given_.items():
                found.append(name)
            if given_.get("trust_remote_code") or given_.get("shell") or given_.get("verify") is False:
                found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_the_source_calls_nothing_that_runs_what_it_reads(path):
    allowed = READ_IN_MEMORY.get(path.relative_to(PACKAGE).as_posix(), [])
    assert dangers(path.read_text(encoding="utf-8")) == allowed


@pytest.mark.parametrize(
    "source",
    ["import pickle", "from tarfile import open", "eval(x)", "yaml.load(x)", "torch.load(x)", "torch.load(x, weights_only=False)",
     "AutoModel.from_pretrained(x, trust_remote_code=False)", "AutoTokenizer.from_pretrained(x, trust_remote_code=True)",
     "run(x, shell=True)"],
)  # fmt: skip
def test_the_search_finds_what_is_forbidden(source):
    assert dangers(source)


class Payload:
    """Writes a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_checkpoint_of_pickled_weights_is_refused_and_not_opened(tiny_checkpoint, tmp_path):
    folder, touched = tmp_path / "c", tmp_path / "touched"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_bytes((tiny_checkpoint / name).read_bytes())
    torch.save(Payload(touched), folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"model\.safetensors is missing"):
        Extractor.load(folder)
    assert not touched.exists()


def encoder_copy(tiny_encoder, folder):
    folder.mkdir()
    for path in tiny_encoder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_an_encoder_of_pickled_weights_is_refused_and_not_opened(tiny_task, tiny_encoder, tmp_path):
    folder, touched = encoder_copy(tiny_encoder, tmp_path / "e"), tmp_path / "touched"
    (folder / "model.safetensors").unlink()
    torch.save(Payload(touched), folder / "pytorch_model.bin")
    with pytest.raises(RecipeError, match="cannot be loaded"):
        train(load_recipe(tiny_task / "recipe.yaml", [f"model.encoder={folder}", f"run.output={tmp_path / 'r'}"]))
    assert not touched.exists()


def test_an_encoder_that_brings_code_is_refused_and_its_code_not_run(tiny_task, tiny_encoder, tmp_path):
    folder, touched = encoder_copy(tiny_encoder, tmp_path / "e"), tmp_path / "touched"
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(touched)!r}, 'w')\nclass Config: pass\nclass Model: pass\n")
    with pytest.raises(RecipeError, match="cannot be loaded"):
        train(load_recipe(tiny_task / "recipe.yaml", [f"model.encoder={folder}", f"run.output={tmp_path / 'r'}"]))
    assert not touched.exists()


@given(
    names=st.sets(
        st.text(max_size=20) | st.sampled_from(["../../x", "..", "/etc/x", "a/b", "a_b", "a\\b", "\x00", "\ud800"]),
        max_size=8,
    )
)
def test_names_from_data_stay_in_the_folder_and_apart(names):
    files = [file_name(name) + ".jsonl" for name in names]
    assert len(set(files)) == len(names)
    assert all(Path("/folder", name).resolve().parent == Path("/folder") for name in files)


TOKEN = "c0ffee" * 6


def test_a_token_is_in_no_output_and_no_file(tmp_path, monkeypatch, capsys):
    pytest.importorskip("label_studio_sdk")
    (tmp_path / "in.txt").write_text("Rebels shelled Juba.")
    command = [
        "annotate",
        "push",
        "in.txt",
        "-p",
        "x",
        "--url",
        "http://127.0.0.1:9",
        "--no-predictions",
        "--select",
        "order",
    ]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", TOKEN)
    monkeypatch.setattr(sys, "argv", ["tacitus", *command])
    with pytest.raises(SystemExit) as done:
        main()
    out, err = capsys.readouterr()
    assert done.value.code == 2
    assert "no Label Studio answers here" in err
    assert TOKEN not in out + err
    assert [p.name for p in tmp_path.iterdir()] == ["in.txt"]


def test_an_address_with_a_password_is_refused_and_not_repeated():
    pytest.importorskip("label_studio_sdk")
    from tacitus.annotation.client import Server

    with pytest.raises(ServerError, match="leave it out") as error:
        Server("http://me:secret@localhost:8080", TOKEN)
    assert "secret" not in str(error.value)
