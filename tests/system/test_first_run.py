"""The first start: one link makes the administrator, and names the server for good."""

import re
import subprocess

import requests

from harness import BUILD, Server


def setup_token(server):
    return re.search(r"/setup#(\S+)", server.output).group(1)


def complete_setup(server, token, **changes):
    body = {"token": token, "server_name": "home.example", "localpart": "wang", "password": "a long password",
            "display_name": "王先生", "room_name": "我们家", "language": "zh", "time_zone": "Asia/Shanghai", **changes}
    return requests.post(server.url + "/_lingxi/client/v1/setup", json=body, timeout=30)


def test_until_it_is_set_up_only_setup_health_and_versions_answer():
    with Server(server_name=None, registration=None) as server:
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


def test_the_link_can_be_renewed_while_the_server_runs():
    with Server(server_name=None, registration=None) as server:
        first = setup_token(server)
        renewed = subprocess.run([str(BUILD / "bin" / "lingxi"), "admin", "setup-link", "--data", str(server.data)],
                                 capture_output=True, text=True, timeout=60)
        assert renewed.returncode == 0, renewed.stderr
        second = renewed.stdout.split("#")[1].strip()
        assert complete_setup(server, first).status_code == 403
        assert complete_setup(server, second).status_code == 200


def test_a_second_server_on_the_same_data_is_refused():
    with Server() as server:
        second = Server(data=server.data)
        assert second.start(expect_failure=True) != 0
        assert "storage.locked" in second.log
        assert requests.get(server.url + "/healthz", timeout=10).status_code == 200
