"""`lingxi doctor` says what stands in the way of a start, and what to do."""

import os
import socket
import subprocess

import pytest

from harness import BUILD, Server


def doctor(data, *arguments, listen="127.0.0.1:0"):
    run = subprocess.run([str(BUILD / "bin" / "lingxi"), "doctor", "--data", str(data), "--listen", listen, "--metrics-listen", "",
                          *arguments], capture_output=True, text=True, timeout=60,
                         env={key: value for key, value in os.environ.items() if key != "LINGXI_WEB_ROOT"})
    return run.returncode, run.stdout


def test_nothing_stands_in_the_way_of_a_first_start_and_nothing_is_made(tmp_path):
    status, said = doctor(tmp_path / "data")
    assert status == 0, said
    assert "WRONG" not in said and "free on its disk" in said and "No model server" in said
    assert not (tmp_path / "data").exists()


def test_a_running_server_is_seen_and_left_alone():
    with Server() as server:
        status, said = doctor(server.data, listen=server.listen)
        assert status == 0, said
        assert "in use by a running Lingxi" in said


@pytest.mark.parametrize("arguments, says", [
    (["--web-root", "/no/such/folder"], "scripts/build web"),
    (["--listen", "192.0.2.1:80"], "--listen"),
])
def test_what_is_wrong_is_said_with_what_to_do(tmp_path, arguments, says):
    status, said = doctor(tmp_path / "data", *arguments)
    assert status == 1
    assert "WRONG" in said and says in said


def test_a_port_that_another_program_has_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        status, said = doctor(tmp_path / "data", listen=address)
        assert status == 1 and address in said


def test_an_unknown_setting_is_refused_as_at_a_start(tmp_path):
    run = subprocess.run([str(BUILD / "bin" / "lingxi"), "doctor", "--lisen", "x"], capture_output=True, text=True, timeout=60)
    assert run.returncode != 0 and "base.unknown_setting" in run.stderr
