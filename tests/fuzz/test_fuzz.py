"""Each fuzz target: its seeds, then so many inputs made of them; the same ones each time. For long runs: tests/fuzz/run."""

import os
import re
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "debug"
INPUTS = 5000
TARGETS = re.findall(r"^lingxi_fuzz\((\w+)", (HERE / "CMakeLists.txt").read_text(), re.M)


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_breaks_it(name, tmp_path):
    seeds = HERE / "corpus" / name
    assert any(seeds.iterdir()), "a fuzz target has a seed corpus"
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1"}
    run = subprocess.run(
        # The timeout is for an input that never ends; nothing is measured.
        [BUILD / "fuzz" / f"fuzz_{name}", f"-runs={INPUTS}", "-seed=1", "-timeout=300", "-rss_limit_mb=2048", "-max_len=4096",
         f"-artifact_prefix={tmp_path}/", tmp_path, seeds],
        env=environment, capture_output=True, text=True, errors="replace")
    assert run.returncode == 0, run.stderr[-5000:]
    assert int(re.search(r"Done (\d+) runs", run.stderr).group(1)) >= INPUTS


def test_every_corpus_has_its_target():
    assert sorted(path.name for path in (HERE / "corpus").iterdir()) == sorted(TARGETS)
