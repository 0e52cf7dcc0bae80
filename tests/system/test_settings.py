"""Settings: one row each, five faces; what is wrong is said in words, with a code, and nothing starts."""

import os
import socket
import subprocess
from pathlib import Path

import pytest
import requests

from harness import BUILD, ROOT, Server, wait_for

EXECUTABLE = str(BUILD / "bin" / "lingxi")


def serve(tmp_path, *arguments, variables=None, user=None):
    """A start that is expected to fail; answers (exit code, what it said)."""
    command = [EXECUTABLE, "serve", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0", "--metrics-listen", "",
               *arguments]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, user=user,
                         env={**os.environ, **(variables or {})})
    return run.returncode, run.stderr


def test_the_page_in_docs_is_what_the_rows_make():
    made = subprocess.run([EXECUTABLE, "settings", "--markdown"], capture_output=True, text=True, check=True).stdout
    assert (ROOT / "docs" / "settings.md").read_text() == made, "lingxi settings --markdown > docs/settings.md"


def test_help_names_every_setting_of_the_page():
    text = subprocess.run([EXECUTABLE, "--help"], capture_output=True, text=True, check=True).stdout
    rows = [line for line in (ROOT / "docs" / "settings.md").read_text().splitlines() if line.startswith("| `--")]
    assert len(rows) >= 15
    for row in rows:
        assert row.split("`")[1] + " " in text


@pytest.mark.parametrize("arguments, code, says", [
    (["--server-nme", "x"], "base.unknown_setting", "server-name"),
    (["--no-such-thing-at-all", "x"], "base.unknown_setting", "--help"),
    (["--registration", "maybe"], "base.bad_setting", "open|invitation|closed"),
    (["--upload-limit", "many"], "base.bad_setting", "many"),
    (["--upload-limit", "-1"], "base.bad_setting", "-1"),
    (["--rate-limits", "perhaps"], "base.bad_setting", "on or off"),
    (["--server-name"], "base.bad_setting", "--server-name"),
    (["--config", "/no/such/file.toml"], "base.bad_setting", "/no/such/file.toml"),
    (["start"], "", "start"),
    (["-x"], "", "-x"),
    (["--listen", "nowhere"], "net.bad_address", "nowhere"),
    (["--listen", "127.0.0.1:99999"], "net.bad_address", "99999"),
    (["--listen", "192.0.2.1:0"], "net.cannot_bind", "192.0.2.1"),
    (["--public-url", "chat.example.org"], "app.bad_setting", "https://"),
    (["--public-url", "https://chat.example.org/path"], "app.bad_setting", "/path"),
    (["--support-page", "example.org/help"], "app.bad_setting", "https://"),
    (["--tls-certificate", "/no/such.pem"], "app.bad_setting", "--tls-key"),
    (["--tls-certificate", "/no/such.pem", "--tls-key", "/no/such.key"], "app.bad_setting", "/no/such.pem"),
    (["--gateway-config", "/no/such.toml"], "app.bad_setting", "/no/such.toml"),
    (["--web-root", "/no/such/folder"], "app.bad_setting", "/no/such/folder"),
    (["--trusted-proxies", "everyone"], "net.bad_address", "everyone"),
    (["--server-name", "not a name"], "identity.bad_server_name", "not a name"),
])
def test_a_setting_that_is_wrong_stops_the_start(tmp_path, arguments, code, says):
    status, words = serve(tmp_path, *arguments)
    assert status != 0
    assert says in words and code in words, words


@pytest.mark.parametrize("text, code, says", [
    ("registratoin = 'open'", "base.unknown_setting", "registration"),
    ("upload_limit = 'many'", "base.bad_setting", "upload-limit"),
    ("listen = {port = 1}", "base.bad_setting", "listen"),
    ("listen = ", "base.bad_setting", "line 1"),
])
def test_a_file_that_is_wrong_stops_the_start_and_is_named(tmp_path, text, code, says):
    file = tmp_path / "lingxi.toml"
    file.write_text(text)
    status, words = serve(tmp_path, "--config", str(file))
    assert status != 0
    assert code in words and says in words and str(file) in words, words


def test_a_variable_that_is_wrong_stops_the_start_and_is_named(tmp_path):
    status, words = serve(tmp_path, variables={"LINGXI_REGISTRATION": "maybe"})
    assert status != 0
    assert "LINGXI_REGISTRATION" in words and "base.bad_setting" in words


def test_a_variable_that_no_setting_has_stops_the_start_and_what_was_meant_is_said(tmp_path):
    status, words = serve(tmp_path, variables={"LINGXI_LISTN": "0.0.0.0:8008"})
    assert status != 0
    assert "LINGXI_LISTN" in words and "'LINGXI_LISTEN'" in words and "base.unknown_setting" in words, words


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path, monkeypatch):
    file = tmp_path / "lingxi.toml"
    file.write_text("registration = 'closed'\ndirectory = 'shared-rooms'\nserver_name = 'file.example'\n")
    monkeypatch.setenv("LINGXI_CONFIG", str(file))
    monkeypatch.setenv("LINGXI_SERVER_NAME", "environment.example")
    monkeypatch.setenv("LINGXI_REGISTRATION", "closed")
    with Server(server_name=None, registration="open") as server:
        told = requests.get(server.url + "/_lingxi/client/v1/server", timeout=10).json()
        assert (told["server_name"], told["registration"]) == ("environment.example", "open")


def test_who_trusts_a_proxy_and_names_no_public_url_is_told_where_clients_are_sent():
    with Server("--trusted-proxies", "127.0.0.1") as server:
        wait_for(lambda: "core.public_url_not_set" in server.log, what="the warning")
        line = next(line for line in server.log.splitlines() if "core.public_url_not_set" in line)
        known = requests.get(server.url + "/.well-known/matrix/client", timeout=10).json()
        assert known["m.homeserver"]["base_url"] in line
    with Server("--trusted-proxies", "127.0.0.1", "--public-url", "https://chat.example.org") as server:
        wait_for(lambda: "core.metrics_served" in server.log, what="the start")
        assert "core.public_url_not_set" not in server.log


def test_a_port_in_use_is_told_with_what_to_do(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        status, words = serve(tmp_path, "--listen", address)
        assert status != 0
        assert "net.cannot_bind" in words and address in words and "another port" in words
        status, words = serve(tmp_path, "--metrics-listen", address)
        assert status != 0 and "net.cannot_bind" in words and address in words


def test_a_directory_that_cannot_be_made_is_told_with_what_to_do(tmp_path):
    (tmp_path / "data").write_text("a file")
    status, words = serve(tmp_path)
    assert status != 0
    assert "app.data_directory" in words and str(tmp_path / "data") in words and "--data" in words


def reachable_by_others(path):
    return all(folder.stat().st_mode & 0o001 for folder in [*Path(path).resolve().parents])


@pytest.mark.skipif(os.geteuid() != 0 or not reachable_by_others(EXECUTABLE),
                    reason="needs root, and a checkout that others may read, to start it as somebody without rights")
def test_a_directory_that_one_may_not_write_is_told_with_what_to_do():
    status, words = serve(Path("/var/lib"), user=65534)
    assert status != 0
    assert "app.data_directory" in words and "/var/lib/data" in words and "--data" in words
