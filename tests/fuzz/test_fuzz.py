"""Runs every fuzz target for a short while on its seed corpus; LINGXI_FUZZ_SECONDS makes it long.

A crash leaves its input in tests/fuzz/found/TARGET: once it is understood, it moves to the corpus.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "debug"
SECONDS = os.environ.get("LINGXI_FUZZ_SECONDS", "5")
TARGETS = re.findall(r"^lingxi_fuzz\((\w+)", (HERE / "CMakeLists.txt").read_text(), re.M)


@pytest.fixture(scope="module", autouse=True)
def built():
    subprocess.run([ROOT / "scripts" / "build", "native", "debug", *(f"fuzz_{name}" for name in TARGETS)], check=True)


@pytest.mark.parametrize("name", TARGETS)
def test_no_input_breaks_it(name, tmp_path):
    found = HERE / "found" / name
    found.mkdir(parents=True, exist_ok=True)
    seeds = HERE / "corpus" / name
    assert any(seeds.iterdir()), "a fuzz target has a seed corpus"
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1"}
    run = subprocess.run(
        [BUILD / "fuzz" / f"fuzz_{name}", f"-max_total_time={SECONDS}", "-timeout=10", "-rss_limit_mb=2048", "-max_len=65536",
         f"-artifact_prefix={found}/", tmp_path, seeds],
        env=environment, capture_output=True, text=True, errors="replace")
    if not any(found.iterdir()):
        found.rmdir()
    assert run.returncode == 0, run.stderr[-5000:]
