"""What clients ask for beyond what is served is answered so that they can live without it."""

import pytest

# Asked for by matrix-js-sdk, Element and others in an ordinary session.
ASKED = [
    ("GET", "/_matrix/client/unstable/org.matrix.msc4140/delayed_events"),
    ("PUT", "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device"),
    ("GET", "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device"),
    ("GET", "/_matrix/client/unstable/org.matrix.msc4143/rtc/transports"),
    ("GET", "/_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms"),
    ("GET", "/_matrix/client/unstable/org.matrix.msc2965/auth_metadata"),
    ("POST", "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync"),
    ("GET", "/_matrix/client/v1/auth_metadata"),
    ("POST", "/_matrix/client/v3/keys/upload"),
    ("POST", "/_matrix/client/v3/keys/query"),
    ("GET", "/_matrix/client/v3/room_keys/version"),
    ("GET", "/_matrix/client/v3/thirdparty/protocols"),
    ("GET", "/_matrix/client/v99/anything"),
    ("GET", "/_matrix/nothing"),
]


@pytest.mark.parametrize(("method", "path"), ASKED, ids=lambda value: value.rsplit("/", 1)[-1])
def test_what_is_not_served_is_unrecognized(present, method, path):
    for headers in ({}, {"Authorization": f"Bearer {client_of(present).token}"}):
        answer = present.http.request(method, present.server.url + path, headers=headers, json={} if method != "GET" else None, timeout=60)
        assert (answer.status_code, answer.json()["errcode"]) == (404, "M_UNRECOGNIZED"), answer.text
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_another_method_is_unrecognized_too(present):
    answer = present.http.put(present.server.url + "/_matrix/client/v3/sync", json={}, timeout=60)
    assert (answer.status_code, answer.json()["errcode"]) == (405, "M_UNRECOGNIZED")
    assert "GET" in answer.headers["Allow"]


def test_a_page_of_another_origin_may_ask_first(present):
    answer = present.http.options(present.server.url + "/_matrix/client/v3/login", timeout=60)
    assert answer.status_code in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert {"GET", "POST", "PUT", "DELETE"} <= set(answer.headers["Access-Control-Allow-Methods"].replace(" ", "").split(","))
    assert "authorization" in answer.headers["Access-Control-Allow-Headers"].lower()


def client_of(present, kept={}):
    if not kept:
        kept["one"] = present.person("curious")
    return kept["one"]
