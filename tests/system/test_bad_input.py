"""Hostile bytes: each gets its specified error, and changes nothing."""

import socket

import pytest
import requests


@pytest.fixture(scope="module")
def alice(server):
    return server.register("alice")


@pytest.fixture(scope="module")
def room(alice):
    return alice.create_room(name="target")


def raw(server, data, limit=65536):
    host, port = server.listen.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while len(answer) < limit:
            piece = connection.recv(65536)
            if not piece:
                break
            answer += piece
    return answer


@pytest.mark.parametrize("body, errcode", [
    (b"{", "M_NOT_JSON"),
    (b'{"msgtype": "m.text", "body": "\xff\xfe"}', "M_NOT_JSON"),
    (b"[]", "M_BAD_JSON"),
    (b'{"body": 1.5, "msgtype": "m.text"}', "M_BAD_JSON"),
    (b'{"n": 9007199254740993}', "M_BAD_JSON"),
    (b'{"n": 1e400}', "M_NOT_JSON|M_BAD_JSON"),
    (b'{"a":' * 200 + b"1" + b"}" * 200, "M_NOT_JSON|M_BAD_JSON"),
])
def test_bodies_that_are_no_event_are_refused(alice, room, body, errcode):
    before = len(alice.timeline(room))
    answer = alice.request("PUT", f"/rooms/{room}/send/m.room.message/bad", expect=400, data=body,
                           headers={"Content-Type": "application/json"})
    assert answer.json()["errcode"] in errcode.split("|")
    assert len(alice.timeline(room)) == before


def test_an_event_over_the_limit_is_too_large(alice, room):
    answer = alice.request("PUT", f"/rooms/{room}/send/m.room.message/big", expect=413,
                           json={"msgtype": "m.text", "body": "x" * 66000})
    assert answer.json()["errcode"] == "M_TOO_LARGE"


@pytest.mark.parametrize("token, errcode", [(None, "M_MISSING_TOKEN"), ("nonsense", "M_UNKNOWN_TOKEN")])
def test_tokens_that_are_none_are_refused(server, token, errcode):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.get(server.url + "/_matrix/client/v3/account/whoami", headers=headers, timeout=20)
    assert (answer.status_code, answer.json()["errcode"]) == (401, errcode)


def test_a_revoked_token_is_unknown(server):
    person = server.register("revoked")
    person.post("/logout")
    assert person.get("/account/whoami", expect=401)["errcode"] == "M_UNKNOWN_TOKEN"


def test_a_room_of_others_tells_nothing(server, alice, room):
    stranger = server.register("stranger")
    for path in (f"/rooms/{room}/messages?dir=b", f"/rooms/{room}/state", f"/rooms/{room}/members"):
        assert stranger.get(path, expect=403)["errcode"] == "M_FORBIDDEN"
    assert stranger.send(room, "no", expect=403)["errcode"] == "M_FORBIDDEN"


def test_paths_that_nobody_serves_are_unrecognized(server, alice):
    assert alice.get("/no/such/path", expect=404)["errcode"] == "M_UNRECOGNIZED"
    assert alice.request("DELETE", "/joined_rooms", expect=405).json()["errcode"] == "M_UNRECOGNIZED"


@pytest.mark.parametrize("head", [
    b"Content-Length: 5\r\nContent-Length: 6\r\n",
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked, identity\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"X-Bad: a\rb\r\n",
])
def test_shapes_of_request_smuggling_are_refused(server, head):
    answer = raw(server, b"POST /_matrix/client/v3/login HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n{}\r\nGET /healthz HTTP/1.1\r\n\r\n")
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413", b"HTTP/1.1 501")), answer[:100]
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("path", ["/../../etc/passwd", "/assets/..%2f..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/%00"])
def test_paths_do_not_leave_the_web_root(server, path):
    answer = raw(server, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert b"root:" not in answer


def test_markup_in_names_and_messages_stays_text(alice, room):
    text = '<script>alert(1)</script><img src=x onerror="alert(1)">'
    event = alice.send(room, text)
    assert alice.get(f"/rooms/{room}/event/{event}")["content"]["body"] == text
    answer = alice.request("GET", f"/rooms/{room}/event/{event}")
    assert answer.headers["Content-Type"].startswith("application/json")
