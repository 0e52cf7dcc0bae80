"""Hostile bytes over the real executables: each gets its specified error, and changes nothing."""

import json
import struct
import uuid
import zlib

import pytest
import requests

from contents import nothing_changes
from raw_http import Connection, send_raw

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def alice(server):
    return server.register("alice")


@pytest.fixture(scope="module")
def room(alice):
    room = alice.create_room(name="target")
    alice.send(room, "words of the room")
    return room


@pytest.fixture(scope="module")
def operations(server):
    """(method, path with names, whether it needs a token, whether it takes JSON) of everything that is served."""
    document = requests.get(server.url + "/_lingxi/openapi.json", timeout=60).json()
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            bodies = operation.get("requestBody", {}).get("content", {})
            found.append((method.upper(), path, operation["security"] == [{"accessToken": []}], "application/json" in bodies))
    assert len(found) > 150
    return found


def fill(path, alice, room):
    """Names of a path that exist, so that it is the body that is judged."""
    values = {"roomId": room, "roomIdOrAlias": room, "userId": alice.user_id, "eventType": "m.room.message", "type": "x.y", "kind": "override",
              "ruleId": "mine", "receiptType": "m.read", "eventId": "$" + "A" * 43, "deviceId": alice.device_id, "stateKey": "k", "keyName": "displayname",
              "tag": "u.x", "serverName": "test.lingxi", "mediaId": "A" * 24, "roomAlias": "#a:test.lingxi"}
    for name, value in values.items():
        path = path.replace("{" + name + "}", requests.utils.quote(value, safe=""))
    while "{" in path:
        path = path[:path.index("{")] + uuid.uuid4().hex + path[path.index("}") + 1:]
    return path


# ---- JSON

NO_JSON = [b"{", b'{"a":tru', b"{'a': 1}", b'{"a": 1,}', b"\xff\xfe", b'{"a": "\xff\xfe"}', b'{"a": "\xed\xa0\x80"}', b"nonsense", b'{"a":1}{"b":2}',
           b'{"a": 01}', b'{"a": NaN}', b'{"a": "\x01"}', b'{"a": "\\ud800"}', b"\xef\xbb\xbf{}", b"\x00"]
NO_OBJECT = [b"[]", b'"text"', b"5", b"null", b"true", b"[{}]"]
TOO_DEEP = [b'{"a":' * 2000 + b"1" + b"}" * 2000, b"[" * 10000, b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}"]


@pytest.mark.parametrize("body", NO_JSON + TOO_DEEP, ids=lambda body: repr(body[:24]))
def test_what_is_no_json_is_told_so(server, alice, room, body):
    with nothing_changes(server):
        for method, path in (("PUT", f"/rooms/{room}/send/m.room.message/bad"), ("POST", "/createRoom"), ("POST", "/login"),
                             ("PUT", f"/user/{alice.user_id}/account_data/x.y"), ("PUT", f"/profile/{alice.user_id}/displayname"),
                             ("POST", f"/user/{alice.user_id}/filter"), ("POST", "/_lingxi/client/v1/assist/chips")):
            answer = alice.request(method, path, expect=400, data=body, headers=JSON)
            assert answer.json()["errcode"] in ("M_NOT_JSON", "M_BAD_JSON"), (path, answer.text)


@pytest.mark.parametrize("body", NO_OBJECT)
def test_json_that_is_no_object_is_bad_json(server, alice, room, body):
    with nothing_changes(server):
        for method, path in (("PUT", f"/rooms/{room}/send/m.room.message/bad"), ("PUT", f"/rooms/{room}/state/x.y/k"), ("POST", "/createRoom"),
                             ("POST", "/login"), ("PUT", f"/user/{alice.user_id}/account_data/x.y")):
            answer = alice.request(method, path, expect=400, data=body, headers=JSON)
            assert answer.json()["errcode"] == "M_BAD_JSON", (path, answer.text)


def test_no_operation_takes_a_broken_body(server, alice, room, operations):
    with nothing_changes(server):
        for method, path, _, takes_json in operations:
            # To log out, to ask for a place or to delete there is nothing to say, and nothing is read.
            if not takes_json or "/logout" in path or path == "/_matrix/media/v1/create" or method == "DELETE":
                continue
            answer = alice.request(method, fill(path, alice, room), expect=None, data=b'{"a": [1, {"b": ', headers=JSON)
            if answer.status_code == 200:  # it asks for nothing, and reads nothing
                assert answer.text in ("{}", ""), (method, path, answer.text)
                continue
            assert 400 <= answer.status_code < 500, (method, path, answer.status_code, answer.text)
            if path.endswith("/fallback/web"):  # a page with a form, for clients that do not know the stage
                assert answer.headers["Content-Type"].startswith("text/html"), (method, path)
                continue
            assert answer.json()["errcode"], (method, path)


@pytest.mark.parametrize("content", [
    '{"body": 1.5, "msgtype": "m.text"}', '{"n": 1e3}', '{"n": 9007199254740992}', '{"n": -9007199254740992}', '{"n": 1e400}',
    '{"n": 123456789012345678901234567890}', '{"deep": {"list": [1, 2, {"x": 0.1}]}}', '{"n": -0.0}', '{"n": 18446744073709551615}',
])
def test_numbers_that_an_event_cannot_have_are_bad_json(server, alice, room, content):
    with nothing_changes(server):
        for method, path, body in (("PUT", f"/rooms/{room}/send/m.room.message/bad", content), ("PUT", f"/rooms/{room}/state/x.y/k", content),
                                   ("POST", "/createRoom", '{"initial_state": [{"type": "x.y", "content": %s}]}' % content)):
            assert alice.request(method, path, expect=400, data=body, headers=JSON).json()["errcode"] in ("M_BAD_JSON", "M_NOT_JSON")


WRONG_TYPES = [
    ("POST", "/createRoom", {"name": 5}), ("POST", "/createRoom", {"preset": "nonsense"}), ("POST", "/createRoom", {"invite": "@b:test.lingxi"}),
    ("POST", "/createRoom", {"invite": [5]}), ("POST", "/createRoom", {"initial_state": {}}), ("POST", "/createRoom", {"initial_state": [5]}),
    ("POST", "/createRoom", {"power_level_content_override": []}), ("POST", "/createRoom", {"power_level_content_override": {"users": {"@x:y": "100"}}}),
    ("POST", "/createRoom", {"creation_content": "x"}), ("POST", "/createRoom", {"room_version": 12}), ("POST", "/createRoom", {"room_alias_name": {}}),
    ("POST", "/createRoom", {"room_version": "999"}), ("POST", "/createRoom", {"visibility": "secret"}), ("POST", "/createRoom", {"is_direct": "yes"}),
    ("PUT", "/rooms/{room}/state/m.room.power_levels", {"users": {"@alice:test.lingxi": "100"}}),
    ("PUT", "/rooms/{room}/state/m.room.power_levels", {"ban": 1.5}), ("PUT", "/rooms/{room}/state/m.room.member/@nobody:test.lingxi", {"membership": 5}),
    ("PUT", "/rooms/{room}/state/m.room.member/nonsense", {"membership": "invite"}),
    ("PUT", "/rooms/{room}/state/m.room.create", {"room_version": "12"}),
    ("POST", "/rooms/{room}/invite", {"user_id": 5}), ("POST", "/rooms/{room}/invite", {"user_id": "nobody"}), ("POST", "/rooms/{room}/kick", {}),
    ("POST", "/rooms/{room}/ban", {"user_id": []}), ("PUT", "/rooms/{room}/typing/{me}", {"typing": "yes"}), ("PUT", "/rooms/{room}/typing/{me}", {}),
    ("POST", "/rooms/{room}/read_markers", {"m.fully_read": 5}), ("POST", "/rooms/{room}/receipt/m.read/$nonsense", {}),
    ("POST", "/rooms/{room}/receipt/x.nonsense/$nonsense", {}),
    ("PUT", "/profile/{me}/displayname", {"displayname": 5}), ("PUT", "/profile/{me}/displayname", {"displayname": "x" * 5000}),
    ("PUT", "/profile/{me}/avatar_url", {"avatar_url": []}),
    ("POST", "/user/{me}/filter", {"room": []}), ("POST", "/user/{me}/filter", {"room": {"timeline": {"limit": "many"}}}),
    ("POST", "/user/{me}/filter", {"room": {"timeline": {"types": "m.*"}}}), ("POST", "/user/{me}/filter", {"presence": {"senders": [5]}}),
    ("PUT", "/pushrules/global/override/x", {"actions": "notify"}), ("PUT", "/pushrules/global/nonsense/x", {"actions": []}),
    ("PUT", "/pushrules/global/override/x", {"actions": [], "conditions": {}}), ("PUT", "/pushrules/global/override/.m.rule.master", {"actions": []}),
    ("PUT", "/pushrules/global/content/x", {"actions": ["notify"]}), ("PUT", "/pushrules/global/override/.m.rule.master/enabled", {"enabled": "no"}),
    ("PUT", "/user/{me}/rooms/{room}/tags/u.x", {"order": "first"}), ("PUT", "/user/{me}/account_data/m.push_rules", {}),
    ("PUT", "/user/{me}/account_data/m.fully_read", {}), ("PUT", "/presence/{me}/status", {"presence": "nonsense"}), ("PUT", "/presence/{me}/status", {"presence": 5}),
    ("POST", "/login", {"type": 5}), ("POST", "/login", {"type": "m.login.nonsense"}), ("POST", "/login", {"type": "m.login.password", "identifier": "alice", "password": "x"}),
    ("POST", "/login", {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": 5}, "password": "x"}),
    ("POST", "/login", {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": "alice"}, "password": 5}),
    ("POST", "/register", {"username": 5, "password": "a long password"}), ("POST", "/register", {"username": "UPPER<script>", "password": "a long password"}),
    ("POST", "/register", {"username": "fine", "password": ["x"]}), ("POST", "/register", {"auth": "x"}), ("POST", "/refresh", {"refresh_token": 5}),
    ("PUT", "/devices/{device}", {"display_name": 5}), ("POST", "/user_directory/search", {"search_term": 5}), ("POST", "/user_directory/search", {"search_term": "a", "limit": "ten"}),
    ("POST", "/pushers/set", {"kind": 5}), ("PUT", "/directory/room/%23a%3Atest.lingxi", {"room_id": 5}), ("PUT", "/directory/list/room/{room}", {"visibility": 5}),
    ("POST", "/account/password", {"new_password": 5}), ("POST", "/rooms/{room}/upgrade", {"new_version": 5}), ("POST", "/publicRooms", {"limit": "x"}),
    ("POST", "/_lingxi/client/v1/invitations", {"uses": "many"}), ("POST", "/_lingxi/client/v1/assist/chips", {"room_id": 5}),
    ("POST", "/_lingxi/client/v1/assist/suggestions", {"room_id": [], "event_ids": 5}), ("POST", "/_lingxi/client/v1/assist/translations", {"room_id": "{room}", "event_id": 5}),
]


@pytest.mark.parametrize("method, path, body", WRONG_TYPES, ids=lambda value: str(value)[:60])
def test_a_wrong_type_is_refused(server, alice, room, method, path, body):
    path = path.replace("{room}", room).replace("{me}", alice.user_id).replace("{device}", alice.device_id)
    with nothing_changes(server):
        answer = alice.request(method, path, expect=None, json=body)
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.json()["errcode"].startswith(("M_", "IM.LINGXI.")), answer.text


@pytest.mark.parametrize("query", [
    "/sync?timeout=soon", "/sync?since=nonsense", "/sync?since=s1_-1", "/sync?since=s1_99999999999999999999", "/sync?filter=%7B", "/sync?filter=999999999",
    "/sync?full_state=perhaps", "/sync?set_presence=nonsense", "/rooms/{room}/messages?dir=sideways", "/rooms/{room}/messages", "/rooms/{room}/messages?dir=b&limit=-1",
    "/rooms/{room}/messages?dir=b&from=t1_x", "/rooms/{room}/messages?dir=b&filter=%5B", "/rooms/{room}/members?membership=nonsense", "/rooms/{room}/event/nonsense",
    "/rooms/{room}/context/$none?limit=x", "/rooms/{room}/messages?dir=b&limit=99999999999999999999999",
    "/_matrix/client/v1/rooms/{room}/timestamp_to_event?ts=soon&dir=f", "/_matrix/client/v1/rooms/{room}/timestamp_to_event?ts=-9223372036854775808&dir=x",
    "/_matrix/client/v1/media/thumbnail/test.lingxi/AAAA?width=-1&height=x", "/_matrix/client/v1/media/thumbnail/test.lingxi/AAAA",
    "/_matrix/client/v1/media/download/test.lingxi/AAAA?timeout_ms=x", "/sync?since=%ff", "/%zz", "/sync?" + "a=b&" * 300, "/" + "a/" * 100,
], ids=lambda text: text[:60])
def test_a_query_that_makes_no_sense_is_refused(server, alice, room, query):
    with nothing_changes(server):
        answer = alice.request("GET", query.replace("{room}", room), expect=None)
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.json()["errcode"].startswith("M_")


def test_a_number_beyond_every_reader_is_no_json(server, alice):
    with nothing_changes(server):
        for number in ("1e400", "-1e400", "0e410", "1" * 400):
            for path in (f"/user/{alice.user_id}/account_data/x.y", f"/profile/{alice.user_id}/x.y"):
                answer = alice.request("PUT", path, expect=400, data='{"x.y": {"n": [%s]}}' % number, headers=JSON)
                assert answer.json()["errcode"] in ("M_NOT_JSON", "M_BAD_JSON")


# ---- Sizes

@pytest.mark.parametrize("length", [65_000, 66_000, 1_000_000, 5_000_000])
def test_an_event_over_the_limit_is_too_large(server, alice, room, length):
    with nothing_changes(server):
        for path in (f"/rooms/{room}/send/m.room.message/big", f"/rooms/{room}/state/x.y/k"):
            answer = alice.request("PUT", path, expect=413, json={"msgtype": "m.text", "body": "x" * length})
            assert answer.json()["errcode"] == "M_TOO_LARGE"
        answer = alice.request("POST", "/createRoom", expect=413, json={"initial_state": [{"type": "x.y", "content": {"body": "x" * length}}]})
        assert answer.json()["errcode"] == "M_TOO_LARGE"


def test_the_largest_event_is_taken_as_it_is(alice, room):
    # What the server adds (hashes, signatures, ids) is under a thousand bytes.
    text = "\u00e9" * 32_000
    event = alice.send(room, text)
    assert alice.get(f"/rooms/{room}/event/{event}")["content"]["body"] == text


def test_names_over_255_bytes_are_refused(server, alice, room):
    with nothing_changes(server):
        for path in (f"/rooms/{room}/send/{'t' * 256}/x", f"/rooms/{room}/state/{'t' * 256}", f"/rooms/{room}/state/x.y/{'k' * 256}",
                     f"/rooms/{room}/state/x.y/{'%F0%9F%99%82' * 64}"):
            answer = alice.request("PUT", path, expect=None, json={})
            assert answer.status_code in (400, 413) and answer.json()["errcode"] in ("M_INVALID_PARAM", "M_TOO_LARGE", "M_BAD_JSON")


def test_many_members_and_long_names_cost_one_refusal(server, alice, room):
    bodies = [json.dumps({f"k{i}": [] for i in range(40_000)}), json.dumps({"k" * 300_000: 1}), '{"a":' + "1" * 300_000 + "}", '{"a":1,' * 20_000 + '"b":2' + "}",
              '{"types": [' + ",".join(['"*a*"'] * 30_000) + "]}"]
    with nothing_changes(server):
        for body in bodies:
            for method, path in (("PUT", f"/rooms/{room}/send/m.room.message/x"), ("POST", f"/user/{alice.user_id}/filter"), ("POST", "/login")):
                answer = alice.request(method, path, expect=None, data=body, headers=JSON)
                assert answer.status_code in (400, 413), (path, answer.status_code, answer.text[:200])


def test_a_pattern_made_to_be_slow_is_just_a_pattern(alice, room):
    pattern = "*a" * 60 + "b"
    alice.put("/pushrules/global/content/slow", {"actions": ["notify"], "pattern": pattern})
    alice.put("/pushrules/global/override/slow", {"actions": ["notify"], "conditions": [{"kind": "event_match", "key": "content.body", "pattern": pattern}]})
    friend = alice.server.register("friend")
    alice.post(f"/rooms/{room}/invite", {"user_id": friend.user_id})
    friend.join(room)
    friend.send(room, "a" * 60_000)
    assert room in alice.sync(filter=json.dumps({"room": {"timeline": {"types": [pattern], "limit": 1}}}))["rooms"]["join"]
    alice.delete("/pushrules/global/content/slow")
    alice.delete("/pushrules/global/override/slow")


# ---- Tokens and other people's rooms

def test_every_operation_that_needs_a_token_refuses_others(server, alice, room, operations):
    revoked = server.register("revoked")
    revoked.post("/logout")
    with nothing_changes(server):
        for method, path, needs_token, takes_json in operations:
            if not needs_token:
                continue
            url = server.url + fill(path, alice, room)
            for token, errcode in ((None, "M_MISSING_TOKEN"), ("nonsense", "M_UNKNOWN_TOKEN"), (revoked.token, "M_UNKNOWN_TOKEN"), ("x" * 4000, "M_UNKNOWN_TOKEN")):
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                answer = alice.http.request(method, url, headers=headers, json={} if takes_json else None, timeout=60)
                assert (answer.status_code, answer.json()["errcode"]) == (401, errcode), (method, path, answer.text)


def test_administration_is_for_administrators(server, alice, room, operations):
    with nothing_changes(server):
        paths = [(method, path) for method, path, _, _ in operations if path.startswith("/_lingxi/admin/")]
        assert len(paths) >= 8
        for method, path in paths:
            assert alice.request(method, fill(path, alice, room), expect=403, json={}).json()["errcode"] == "M_FORBIDDEN"


def test_a_room_of_others_tells_and_takes_nothing(server, alice, operations):
    stranger = server.register("stranger")
    room = alice.create_room(name="nobody knows this name", topic="nor this topic")
    event = alice.send(room, "nor these words")
    with nothing_changes(server):
        for method, path, _, takes_json in operations:
            if "{roomId" not in path:
                continue
            path = path.replace("{eventId}", requests.utils.quote(event, safe=""))
            body = {"typing": True, "m.fully_read": event, "user_id": stranger.user_id, "visibility": "public", "new_version": "12", "membership": "join"}
            answer = stranger.request(method, fill(path.replace("{stateKey}", stranger.user_id), stranger, room),
                                      expect=None, params={"dir": "b", "ts": 0} if method == "GET" else {}, json=body if takes_json else None)
            assert "nobody knows" not in answer.text and "nor th" not in answer.text, (method, path)
            # What is about oneself, and whether a room stands in the public list, one may ask.
            if not any(part in path for part in ("/account_data/", "/tags", "/directory/list/room/")):
                assert answer.status_code in (403, 404), (method, path, answer.status_code, answer.text[:200])
        for path in ("suggestions", "translations", "chips"):
            answer = stranger.request("POST", f"/_lingxi/client/v1/assist/{path}", expect=None, json={
                "room_id": room, "event_ids": [event], "event_id": event, "target_language": "en", "language": "en"})
            assert 400 <= answer.status_code < 500 and "nor these words" not in answer.text, (path, answer.text)
    sync = json.dumps(stranger.sync(full_state="true"))
    assert room not in sync and "nobody knows" not in sync


def test_data_of_others_is_out_of_reach(server, alice):
    mallory = server.register("mallory")
    alice.put(f"/user/{alice.user_id}/account_data/x.mine", {"secret": "of alice"})
    with nothing_changes(server):
        for method, path, body in (("GET", f"/user/{alice.user_id}/account_data/x.mine", None), ("PUT", f"/user/{alice.user_id}/account_data/x.mine", {"a": 1}),
                                   ("POST", f"/user/{alice.user_id}/filter", {}), ("PUT", f"/profile/{alice.user_id}/displayname", {"displayname": "Mallory"}),
                                   ("PUT", f"/presence/{alice.user_id}/status", {"presence": "offline"}),
                                   ("POST", f"/user/{alice.user_id}/openid/request_token", {})):
            answer = mallory.request(method, path, expect=403, json=body)
            assert answer.json()["errcode"] == "M_FORBIDDEN" and "of alice" not in answer.text
        for method in ("GET", "PUT"):
            mallory.request(method, f"/devices/{alice.device_id}", expect=404, json={"display_name": "x"})


def test_paths_that_nobody_serves_are_unrecognized(server, alice):
    with nothing_changes(server):
        assert alice.get("/no/such/path", expect=404)["errcode"] == "M_UNRECOGNIZED"
        assert alice.request("DELETE", "/joined_rooms", expect=405).json()["errcode"] == "M_UNRECOGNIZED"
        assert alice.request("BREW", "/joined_rooms", expect=405).json()["errcode"] == "M_UNRECOGNIZED"


# ---- Framing

SMUGGLED = b"GET /_matrix/client/v3/logout HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("head", [
    b"Content-Length: 5\r\nContent-Length: 6\r\n", b"Content-Length: 5\r\nContent-Length: 5\r\n", b"Content-Length: 5, 5\r\n",
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    b"Transfer-Encoding: chunked, identity\r\n", b"Transfer-Encoding: identity, chunked\r\n", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding : chunked\r\n", b"Transfer-Encoding:\x0bchunked\r\n", b"Transfer-Encoding:\n chunked\r\n",
    b"Content-Length: -1\r\n", b"Content-Length: +5\r\n", b"Content-Length: 0x5\r\n", b"Content-Length: 5 5\r\n", b"Content-Length: \r\n",
    b"Content-Length: 99999999999999999999\r\n", b"Content-Length: 18446744073709551621\r\n",
    b"X-Bad: a\rb\r\n", b"X-Bad: a\r\r\n", b"X-Bad: a\nContent-Length: 5\r\n", b"X-Bad: a\x00b\r\n", b" X-Folded: a\r\n", b"X-A: a\r\n folded\r\n", b"X Bad: a\r\n", b": empty\r\n",
    b"Host: second\r\n", b"NoColon\r\n",
])
def test_shapes_of_request_smuggling_are_refused(server, head):
    with nothing_changes(server):
        answer = send_raw(server, b"POST /_matrix/client/v3/login HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n0\r\n\r\n" + SMUGGLED)
        assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413", b"HTTP/1.1 501")), answer[:100]
        assert answer.count(b"HTTP/1.1 ") == 1
        assert b"connection: close" in answer.lower()


@pytest.mark.parametrize("body", [b"5;ext=1\r\nhello\r\n0\r\n\r\n", b"5\nhello\n0\n\n", b"5\r\nhelloX\r\n0\r\n\r\n", b"-1\r\n\r\n", b"ffffffffffffffff1\r\n", b"5 \r\nhello\r\n0\r\n\r\n",
                                  b"0x5\r\nhello\r\n0\r\n\r\n", b"\r\n", b"5\r\nhello\r\n0\r\nContent-Length: 5\r\r\n\r\n"])
def test_malformed_chunks_are_refused(server, body):
    with nothing_changes(server):
        answer = send_raw(server, b"POST /_matrix/client/v3/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body + SMUGGLED)
        assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413")), answer[:100]
        assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("line", [b"GET  / HTTP/1.1", b"GET / HTTP/1.1 ", b"GET /\thealthz HTTP/1.1", b"GET healthz HTTP/1.1", b"GET /healthz HTTP/9.9", b"GET /healthz", b"G@T /healthz HTTP/1.1",
                                  b"\x16\x03\x01\x02\x00\x01\x00", b"PRI * HTTP/2.0", b"CONNECT x:1 HTTP/1.1", b"GET /\xff HTTP/1.1", b"GET /#x HTTP/1.1", b" GET / HTTP/1.1"])
def test_request_lines_that_are_none_are_refused(server, line):
    answer = send_raw(server, line + b"\r\nHost: x\r\n\r\n" + SMUGGLED)
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 404", b"HTTP/1.1 405", b"HTTP/1.1 505")), answer[:100]


def test_slow_clients_take_nobody_elses_turn(server, alice, room):
    """Heads and bodies that never come to their end; each is cut in its time (unit tests of net), and meanwhile nobody waits."""
    held = []
    for i in range(150):
        connection = Connection(server)
        connection.send([b"GET /_matrix/client/versions HTTP/1.1\r\nHost:", b"POST /_matrix/client/v3/login HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{",
                         b"POST /_matrix/client/v3/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe"][i % 3])
        held.append(connection)
    for i in range(20):
        alice.send(room, f"meanwhile {i}")
        for connection in held[i::20]:
            connection.send(b"x")
    for connection in held:
        connection.close()


def test_a_packed_body_is_not_unpacked(server, alice, room):
    bomb = zlib.compress(b'{"body":"' + b" " * 50_000_000 + b'"}')
    with nothing_changes(server):
        for encoding in ("gzip", "deflate", "br"):
            answer = alice.request("PUT", f"/rooms/{room}/send/m.room.message/x", expect=400, data=bomb, headers={**JSON, "Content-Encoding": encoding})
            assert answer.json()["errcode"] == "M_NOT_JSON"


# ---- Media

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, rows):
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def upload(person, data, content_type, name="file"):
    answer = person.request("POST", "/_matrix/media/v3/upload", params={"filename": name}, data=data, headers={"Content-Type": content_type})
    return answer.json()["content_uri"].removeprefix("mxc://")


HOSTILE_PICTURES = {
    "a bomb of 30000 by 30000 that packs to little": png(30_000, 30_000, b"\x00" * 3_000_000),
    "a bomb within the sides": png(16_000, 4_500, b"\x00" * (16_000 * 3 + 1) * 4_500),
    "sides of two thousand million": png(2**31 - 1, 2**31 - 1, b"\x00"),
    "no sides": png(0, 0, b""),
    "a head without a body": b"\x89PNG\r\n\x1a\n" + b"\x00" * 40,
    "a cut picture": png(64, 64, b"\x00" * (64 * 3 + 1) * 64)[:60],
    "a wrong checksum": png(64, 64, b"\x00" * (64 * 3 + 1) * 64)[:-10] + b"\xff" * 10,
    "a text that calls itself JPEG": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"text " * 50,
    "a JPEG of 65535 by 65535": bytes.fromhex("ffd8ffc0001108ffffffff03012200021101031101ffda000c03010002110311003f00") + b"\x00" * 64 + b"\xff\xd9",
    "a GIF of great sides": b"GIF89a\xff\xff\xff\xff\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x02D\x01\x00;",
    "a WebP of great sides": b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\xff\xff\xff\x0f\x00\x00\x00\x00\x00\x00\x00\x00\x00",
    "a HEIC that is none": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\xff" * 100,
    "a page": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><image href='file:///etc/passwd'/></svg>",
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file\n",
    "a document": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n",
    "an archive": b"PK\x03\x04" + b"\x00" * 100,
    "a picture in a magick script": b"push graphic-context\nimage over 0,0 0,0 'https://127.0.0.1/x'\n",
}


def test_hostile_pictures_get_an_error_and_honest_ones_a_thumbnail(server, alice):
    renders = server.processes()
    for name, picture in HOSTILE_PICTURES.items():
        where = upload(alice, picture, "image/png", "hostile.png")
        with nothing_is_shown_inline(alice, where, picture):
            answer = alice.request("GET", f"/_matrix/client/v1/media/thumbnail/{where}", expect=None, params={"width": 96, "height": 96})
            # What render could decode within its limits after all is a picture like any other.
            assert answer.status_code in (200, 400, 404, 413), (name, answer.status_code, answer.text)
            if answer.status_code == 200:
                assert name in ("a bomb within the sides", "a wrong checksum"), name
            else:
                assert answer.json()["errcode"] in ("M_UNKNOWN", "M_NOT_FOUND", "M_TOO_LARGE", "M_INVALID_PARAM"), (name, answer.text)
    honest = upload(alice, png(64, 64, b"\x00" * (64 * 3 + 1) * 64), "image/png")
    assert alice.request("GET", f"/_matrix/client/v1/media/thumbnail/{honest}", params={"width": 32, "height": 32}).headers["Content-Type"].startswith("image/")
    assert server.processes()["core"] == renders["core"]


class nothing_is_shown_inline:
    """The bytes come back as they are, and no browser would run them."""

    def __init__(self, person, where, data):
        self.person, self.where, self.data = person, where, data

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        answer = self.person.request("GET", f"/_matrix/client/v1/media/download/{self.where}")
        assert answer.content == self.data
        kind = answer.headers["Content-Type"]
        assert not any(word in kind for word in ("html", "svg", "xml", "script", "pdf"))
        if not kind.startswith("image/"):
            assert answer.headers["Content-Disposition"].startswith("attachment")
        assert "sandbox" in answer.headers["Content-Security-Policy"] and answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("media_id", ["..%2f..%2flingxi.db", "..%2Flingxi.db", "%2e%2e/lingxi.db", "%2fetc%2fpasswd", "..", "%00", "a%00b", "....//lingxi.db", "..%5clingxi.db", "A" * 300], ids=lambda text: text[:16])
def test_media_ids_are_no_paths(server, alice, media_id):
    with nothing_changes(server):
        for path in ("/_matrix/client/v1/media/download/test.lingxi/", "/_matrix/client/v1/media/thumbnail/test.lingxi/", "/_matrix/media/v3/download/test.lingxi/",
                     "/_matrix/client/v1/media/download/..%2f/"):
            with Connection(server) as connection:
                connection.send(f"GET {path}{media_id}?width=9&height=9 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alice.token}\r\n\r\n")
                answer = connection.read_answer()
                assert answer.status in (400, 404), (path, answer.body)
                assert b"SQLite" not in answer.body and b"root:" not in answer.body


@pytest.mark.parametrize("name", ["../../evil.sh", "/etc/passwd", "a\r\nSet-Cookie: x=y", 'x"; filename="y.html', "\u202egpj.exe", "<script>.html", "长" * 500], ids=lambda name: repr(name[:16]))
def test_a_file_name_is_a_label_and_nothing_else(server, alice, name):
    where = upload(alice, b"bytes", "text/html", name)
    answer = alice.request("GET", f"/_matrix/client/v1/media/download/{where}")
    assert "Set-Cookie" not in answer.headers
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment") and disposition.count('"') in (0, 2)
    media = {path.name for path in (server.data / "core").rglob("*") if path.is_file()}
    assert not any("evil" in each or "passwd" in each for each in media)


def test_a_zero_byte_is_in_no_name(server, alice):
    with nothing_changes(server):
        answer = alice.request("POST", "/_matrix/media/v3/upload?filename=a%00.png", expect=400, data=b"bytes")
        assert answer.json()["errcode"] == "M_INVALID_PARAM"


# ---- Words

MARKUP = '<script>alert(1)</script><img src=x onerror="alert(1)">\u202e{{7*7}}${7*7}\'; DROP TABLE event; --'


def test_markup_in_names_and_messages_stays_text(server, alice):
    room = alice.create_room(name=MARKUP, topic=MARKUP)
    event = alice.send(room, content={"msgtype": "m.text", "body": MARKUP, "format": "org.matrix.custom.html", "formatted_body": MARKUP})
    alice.put(f"/profile/{alice.user_id}/displayname", {"displayname": MARKUP})
    alice.put(f"/devices/{alice.device_id}", {"display_name": MARKUP})
    for path, member in ((f"/rooms/{room}/state/m.room.name", "name"), (f"/rooms/{room}/state/m.room.topic", "topic"),
                         (f"/profile/{alice.user_id}", "displayname"), (f"/devices/{alice.device_id}", "display_name")):
        answer = alice.request("GET", path)
        assert answer.json()[member] == MARKUP
        assert answer.headers["Content-Type"] == "application/json"
    content = alice.get(f"/rooms/{room}/event/{event}")["content"]
    assert content["body"] == content["formatted_body"] == MARKUP
    # An error that repeats what it was given is JSON as well.
    answer = alice.request("GET", f"/rooms/{requests.utils.quote(MARKUP, safe='')}/state", expect=None)
    assert answer.headers["Content-Type"] == "application/json"


def test_names_that_would_be_somebody_else_are_refused(server):
    with nothing_changes(server):
        for name in ("admin", "assistant", "root", "a b", "a:b", "@a", "\u0430lice", "a\u200bb", "a" * 300):
            answer = requests.post(server.url + "/_matrix/client/v3/register", timeout=60, json={
                "username": name, "password": "a long password", "auth": {"type": "m.login.dummy"}})
            assert answer.status_code in (400, 401), (name, answer.text)
            if answer.status_code == 400:
                assert answer.json()["errcode"] in ("M_INVALID_USERNAME", "M_EXCLUSIVE", "M_INVALID_PARAM", "M_USER_IN_USE"), (name, answer.text)
