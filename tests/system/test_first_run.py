"""The first start: one link makes the administrator, and names the server for good."""

import os
import pty
import re
import signal
import subprocess

import requests

from assist import setup_token
from harness import BUILD, Person, Server, wait_for


def complete_setup(server, token, **changes):
    body = {"token": token, "server_name": "home.example", "localpart": "wang", "password": "a long password",
            "display_name": "王先生", "room_name": "我们家", "language": "zh", "time_zone": "Asia/Shanghai", **changes}
    return requests.post(server.url + "/_lingxi/client/v1/setup", json=body, timeout=30)


def web_root(tmp_path):
    """As the built client is laid out."""
    (tmp_path / "assets").mkdir()
    for name in ("index.html", "setup.html", "invite.html", "assets/setup.js"):
        (tmp_path / name).write_text(name)
    return str(tmp_path)


def page(server, path):
    return requests.get(server.url + path, allow_redirects=False, timeout=10)


def test_until_it_is_set_up_only_the_setup_page_is_shown(tmp_path):
    with Server("--web-root", web_root(tmp_path), server_name=None, registration=None) as server:
        assert page(server, "/setup").text == "setup.html"
        assert page(server, "/assets/setup.js").text == "assets/setup.js"
        for path in ("/", "/index.html", "/invite", "/invite.html", "/rooms/1"):
            assert (page(server, path).status_code, page(server, path).headers["Location"]) == (302, "/setup"), path
        assert complete_setup(server, setup_token(server)).status_code == 200
        assert page(server, "/").text == "index.html"


def test_until_it_is_set_up_only_setup_health_and_versions_answer():
    with Server(server_name=None, registration=None) as server:
        for path in ("/_lingxi/openapi.json", "/.well-known/matrix/client", "/_matrix/client/v3/login"):
            assert requests.get(server.url + path, timeout=10).status_code == 403, path
        assert requests.get(server.url + "/healthz", timeout=10).status_code == 200
        assert requests.get(server.url + "/_matrix/client/versions", timeout=10).status_code == 200
        assert requests.get(server.url + "/_lingxi/client/v1/server", timeout=10).json()["setup_needed"] is True
        closed = requests.get(server.url + "/_matrix/client/v3/login", timeout=10)
        assert (closed.status_code, closed.json()["errcode"]) == (403, "IM.LINGXI.SETUP_NEEDED")


def test_the_link_works_once_and_makes_an_administrator_with_a_first_room():
    with Server(server_name=None, registration=None) as server:
        token = setup_token(server)
        bad = complete_setup(server, "wrong" + token[5:])
        assert (bad.status_code, bad.json()["errcode"]) == (403, "IM.LINGXI.BAD_SETUP_TOKEN")
        done = complete_setup(server, token)
        assert done.status_code == 200, done.text
        assert done.json()["user_id"] == "@wang:home.example"
        headers = {"Authorization": "Bearer " + done.json()["access_token"]}
        rooms = requests.get(server.url + "/_matrix/client/v3/joined_rooms", headers=headers, timeout=10).json()
        assert rooms["joined_rooms"] == [done.json()["room_id"]]
        assert requests.get(server.url + "/_lingxi/admin/v1/users", headers=headers, timeout=10).status_code == 200
        assert complete_setup(server, token).status_code == 403


def test_the_name_is_immutable():
    server = Server(server_name=None, registration=None)
    with server:
        assert complete_setup(server, setup_token(server)).status_code == 200
        server.stop()
        server.arguments = ["--server-name", "other.example"]
        assert server.start(expect_failure=True) != 0
        assert "identity.server_name_differs" in server.log
        server.arguments = ["--server-name", "home.example"]
        server.start()
        assert requests.get(server.url + "/_matrix/client/v3/login", timeout=10).status_code == 200


def test_the_link_outlives_a_core_that_was_killed():
    with Server(server_name=None, registration=None) as server:
        token = setup_token(server)
        before = server.processes()["core"]
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: (found := server.processes()).get("ready") and found["core"] != before, what="another core")
        assert complete_setup(server, token).status_code == 200


def test_the_link_can_be_renewed_while_the_server_runs():
    with Server(server_name=None, registration=None) as server:
        first = setup_token(server)
        renewed = subprocess.run([str(BUILD / "bin" / "lingxi"), "admin", "setup-link", "--data", str(server.data)],
                                 capture_output=True, text=True, timeout=60)
        assert renewed.returncode == 0, renewed.stderr
        second = renewed.stdout.split("#")[1].strip()
        assert complete_setup(server, first).status_code == 403
        assert complete_setup(server, second).status_code == 200


def renew_link(server):
    return subprocess.run([str(BUILD / "bin" / "lingxi"), "admin", "setup-link", "--data", str(server.data)],
                          capture_output=True, text=True, timeout=60)


def test_a_second_server_on_the_same_data_is_refused_and_leaves_the_first_one_whole():
    with Server(server_name=None, registration=None) as server:
        processes = server.processes()
        second = Server(data=server.data)
        assert second.start(expect_failure=True) != 0
        assert "app.data_in_use" in second.log
        assert str(server.process.pid) in second.log  # whom to stop
        assert requests.get(server.url + "/healthz", timeout=10).status_code == 200
        assert server.processes() == processes
        assert renew_link(server).returncode == 0


def test_a_link_is_asked_for_where_a_server_runs():
    with Server(server_name=None, registration=None) as server:
        server.stop()
        asked = renew_link(server)
        assert asked.returncode != 0
        assert str(server.data) in asked.stderr
        server.start()


def test_the_note_says_the_very_command_that_renews_the_link(tmp_path):
    with Server(data=tmp_path / "灵犀's data", server_name=None, registration=None) as server:
        command = server.wait_for_output(r"a new one: ([^\n]+)\)").group(1)
        renewed = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
        assert complete_setup(server, renewed.stdout.split("#")[1].strip()).status_code == 200


def at_a_terminal(tmp_path, *settings):
    """What stands on the screen of who starts a server, once the link was told and the server stopped again."""
    screen, terminal = pty.openpty()
    command = [str(BUILD / "bin" / "lingxi"), "serve", "--data", str(tmp_path / "d"), "--listen", "127.0.0.1:0",
               "--metrics-listen", "127.0.0.1:0", *settings]
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        told = b""
        while b"a new one" not in told:
            told += os.read(screen, 65536)
        process.terminate()
    os.close(screen)
    return told.decode()


def test_at_a_terminal_what_to_do_next_stands_alone_with_its_link_in_bold(tmp_path):
    told = at_a_terminal(tmp_path)
    assert told.strip().startswith("Lingxi is running at ")
    assert re.search(r"\x1b\[1mhttp://127\.0\.0\.1:\d+/setup#\S+\x1b\[0m\r\n", told)


def test_a_terminal_shows_the_events_that_were_asked_for(tmp_path):
    assert "core.listening" in at_a_terminal(tmp_path, "--log-level", "info")


def test_with_a_name_and_open_registration_nobody_waits_and_the_link_still_makes_the_administrator():
    with Server(server_name="open.example", registration="open") as server:
        assert server.register("early").user_id == "@early:open.example"
        refused = complete_setup(server, setup_token(server), server_name="other.example")
        assert (refused.status_code, refused.json()["errcode"]) == (400, "IM.LINGXI.BAD_SERVER_NAME")
        done = complete_setup(server, setup_token(server), server_name="open.example")
        assert done.status_code == 200, done.text
        admin = Person(server, done.json())
        users = admin.get("/_lingxi/admin/v1/users")["users"]
        assert {user["user_id"]: user["is_admin"] for user in users if user["user_id"] != "@assistant:open.example"} == {
            "@early:open.example": False, "@wang:open.example": True}


def test_without_open_registration_a_name_alone_still_waits():
    with Server(server_name="named.example", registration=None) as server:
        assert requests.get(server.url + "/_matrix/client/v3/login", timeout=10).status_code == 403
        asked = requests.post(server.url + "/_lingxi/client/v1/setup/check", json={"token": setup_token(server)}, timeout=10)
        assert asked.json() == {"server_name": "named.example", "server_name_fixed": True}


def test_a_start_after_the_first_asks_nothing():
    with Server(server_name=None, registration=None) as server:
        assert complete_setup(server, setup_token(server)).status_code == 200
        server.stop()
        server.start()
        assert server.output.split() == ["Lingxi", "is", "running", "at", server.url]


def test_links_come_from_the_public_url_and_never_from_the_host_header():
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    with Server() as server:
        known = requests.get(server.url + "/.well-known/matrix/client", headers=forged, timeout=10).json()
        assert known["m.homeserver"]["base_url"].rstrip("/") == server.url
        setup = complete_setup(server, setup_token(server), server_name="test.lingxi")
        invitation = Person(server, setup.json()).post("/_lingxi/client/v1/invitations", {"uses": 1}, headers=forged)
        assert invitation["url"].startswith(server.url + "/")


def test_the_public_url_is_what_links_begin_with():
    with Server("--public-url", "https://chat.example.org/", server_name=None, registration=None) as server:
        server.wait_for_output(r"https://chat\.example\.org/setup#\S+")
        proposed = requests.post(server.url + "/_lingxi/client/v1/setup/check", json={"token": setup_token(server)}, timeout=10)
        assert proposed.json() == {"server_name": "chat.example.org", "server_name_fixed": False}
