"""The code of docs/python.md runs as it stands."""

import re

from conftest import REPOSITORY

GUIDE = REPOSITORY / "docs" / "python.md"


def test_the_code_blocks_run_from_top_to_bottom(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(), re.S | re.M)
    assert len(blocks) >= 7
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), names)
    assert "shelling-artillery-missile" in capsys.readouterr().out
