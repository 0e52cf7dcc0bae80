"""The HTTP server as clients, browsers, proxies and operators meet it: over the real executables."""

import gzip
import json
import re
import ssl
import subprocess
import threading
import uuid

import pytest
import requests

from harness import Server, wait_for
from raw_http import Connection

CORS = {"access-control-allow-origin": "*",
        "access-control-allow-methods": "GET, POST, PUT, DELETE, OPTIONS",
        "access-control-allow-headers": "X-Requested-With, Content-Type, Authorization"}


@pytest.fixture(scope="module")
def alice(server):
    return server.register("alice")


def get(path, *fields):
    return "".join([f"GET {path} HTTP/1.1\r\nHost: t\r\n", *(field + "\r\n" for field in fields), "\r\n"])


def metrics_of(server):
    address = wait_for(lambda: re.search(r"core\.listening clients=\S+ metrics=(\S+)", server.log), what="the address of metrics").group(1)
    return address, requests.get(f"http://{address}/metrics", timeout=60).text


def test_a_connection_is_kept_and_pipelined_requests_are_answered_in_order(server):
    with Connection(server) as connection:
        connection.send(get("/healthz") + get("/_matrix/client/versions") + get("/_matrix/client/v3/nothing"))
        assert connection.read_answer().body == b'{"status":"ok"}'
        assert "v1.11" in json.loads(connection.read_answer().body)["versions"]
        assert connection.read_answer().status == 404
        connection.send(get("/healthz", "Connection: close"))
        assert connection.read_answer().headers["connection"] == "close"
        assert connection.is_closed()


def test_a_body_is_invited_only_where_it_will_be_read(server, alice):
    head = f"POST /_matrix/media/v3/upload HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 4\r\n"
    with Connection(server) as connection:
        connection.send(head + f"Authorization: Bearer {alice.token}\r\n\r\n")
        assert connection.read_answer().status == 100
        connection.send("data")
        assert connection.read_answer().status == 200
    with Connection(server) as connection:
        connection.send(head + "\r\n")
        assert connection.read_answer().status == 401


@pytest.mark.parametrize("path", ["/_matrix/client/v3/login", "/_matrix/client/v3/sync", "/_matrix/media/v3/upload",
                                  "/_matrix/client/v1/media/download/a/b", "/_lingxi/client/v1/setup", "/_matrix/no/such/thing",
                                  "/.well-known/matrix/client"])
def test_a_preflight_is_answered_on_every_surface_without_a_token(server, path):
    answer = requests.options(server.url + path, headers={"Origin": "https://app.example", "Access-Control-Request-Method": "PUT",
                                                          "Access-Control-Request-Headers": "authorization"}, timeout=60)
    assert answer.status_code == 200
    assert {name: answer.headers.get(name) for name in CORS} == CORS


@pytest.mark.parametrize("request_text, status", [
    (get("/_matrix/client/v3/account/whoami"), 401),
    (get("/_matrix/client/v3/nothing"), 404),
    ("DELETE /_matrix/client/v3/login HTTP/1.1\r\nHost: t\r\n\r\n", 405),
    ("POST /_matrix/client/v3/login HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\n{", 400),
    ("POST /_matrix/client/v3/login HTTP/1.1\r\nHost: t\r\nContent-Length: 9999999\r\n\r\n", 413),
    ("POST /_matrix/client/v3/login HTTP/1.1\r\nHost: t\r\nX-Broken\r\n\r\n", 400),
    (get("/_matrix/client/v3/login", "X-Long: " + "x" * 20000), 431),
    (get("/.well-known/matrix/nothing"), 404),
    (get("/_lingxi/client/v1/nothing"), 404),
])
def test_a_page_of_another_origin_can_read_every_error(server, request_text, status):
    with Connection(server) as connection:
        connection.send(request_text)
        answer = connection.read_answer()
        assert answer.status == status
        assert {name: answer.headers.get(name) for name in CORS} == CORS
        assert "errcode" in json.loads(answer.body)


def test_long_json_is_compressed_where_that_is_accepted(server):
    plain = requests.get(server.url + "/_lingxi/openapi.json", headers={"Accept-Encoding": "identity"}, timeout=60)
    packed = requests.get(server.url + "/_lingxi/openapi.json", headers={"Accept-Encoding": "gzip"}, stream=True, timeout=60)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip" and packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.raw.read(decode_content=False)) == plain.content


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A web client as the build leaves it."""
    root = tmp_path_factory.mktemp("web")
    (root / "assets").mkdir()
    (root / "index.html").write_text("<title>page</title>")
    (root / "assets" / "app-5d41402a.js").write_text("console.log('plain')")
    (root / "assets" / "app-5d41402a.js.gz").write_bytes(gzip.compress(b"console.log('gzip')"))
    (root / "assets" / "app-5d41402a.js.br").write_bytes(b"brotli bytes")
    (root / ".hidden").write_text("secret of the root")
    (root.parent / "outside.txt").write_text("secret outside")
    (root / "assets" / "link.js").symlink_to(root.parent / "outside.txt")
    with Server("--web-root", str(root)) as running:
        yield running


def test_the_web_client_is_sent_precompressed_and_kept(site):
    path = "/assets/app-5d41402a.js"
    with Connection(site) as connection:
        for accepted, encoding, body in (("br, gzip", "br", b"brotli bytes"), ("gzip", "gzip", None), ("identity", None, b"console.log('plain')")):
            connection.send(get(path, f"Accept-Encoding: {accepted}"))
            answer = connection.read_answer()
            assert answer.headers.get("content-encoding") == encoding
            assert answer.headers["vary"] == "Accept-Encoding"
            assert answer.headers["content-type"].startswith("text/javascript")
            assert "immutable" in answer.headers["cache-control"]
            assert body is None or answer.body == body
        connection.send(get("/", "Accept-Encoding: br"))
        page = connection.read_answer()
        assert page.body == b"<title>page</title>" and page.headers["cache-control"] == "no-cache"
        connection.send(get("/", f"If-None-Match: {page.headers['etag']}"))
        assert connection.read_answer().status == 304
        connection.send(get(path, "Range: bytes=0-6"))
        part = connection.read_answer()
        assert (part.status, part.body, part.headers["content-range"]) == (206, b"console", "bytes 0-6/20")
        connection.send(get(path, "Range: bytes=99-"))
        assert connection.read_answer().status == 416


@pytest.mark.parametrize("path", [
    "/../outside.txt", "/assets/../../outside.txt", "/assets/..%2f..%2foutside.txt", "/%2e%2e/outside.txt", "/assets/%2e%2e/%2e%2e/outside.txt",
    "/assets/link.js", "/.hidden", "/assets/../.hidden", "//etc/passwd", "/assets/%00", "/assets/..\\..\\outside.txt", "/assets/app-5d41402a.js%00.txt",
    "/assets/%c0%ae%c0%ae/outside.txt", "http://x/../outside.txt", "/assets//../../outside.txt",
])
def test_no_path_leads_out_of_the_web_client(site, path):
    with Connection(site) as connection:
        connection.send(get(path))
        answer = connection.read_answer()
        assert answer.status in (400, 404)
        assert b"secret" not in answer.body and b"root:" not in answer.body


def test_media_is_asked_for_again_only_where_it_changed(alice):
    where = alice.request("POST", "/_matrix/media/v3/upload", data=b"0123456789").json()["content_uri"].removeprefix("mxc://")
    path = f"/_matrix/client/v1/media/download/{where}"
    whole = alice.request("GET", path)
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert alice.request("GET", path, expect=304, headers={"If-None-Match": whole.headers["ETag"]}).content == b""
    assert alice.request("GET", path, expect=206, headers={"Range": "bytes=-3", "If-Range": whole.headers["ETag"]}).content == b"789"
    assert alice.request("GET", path, expect=200, headers={"Range": "bytes=-3", "If-Range": '"other"'}).content == b"0123456789"
    assert alice.request("GET", path, expect=416, headers={"Range": "bytes=10-"}).headers["Content-Range"] == "bytes */10"


def test_a_stop_finishes_what_is_under_way_and_answers_who_waits():
    with Server() as server:
        bob = server.register("bob")
        for _ in range(3):  # until there is nothing new
            bob.sync(set_presence="offline")
        with Connection(server) as poll, Connection(server) as upload, Connection(server) as idle:
            poll.send(get(f"/_matrix/client/v3/sync?timeout=600000&set_presence=offline&since={bob.since}", f"Authorization: Bearer {bob.token}"))
            upload.send("POST /_matrix/media/v3/upload HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 8\r\n"
                        f"Authorization: Bearer {bob.token}\r\n\r\n")
            assert upload.read_answer().status == 100  # its handler runs
            idle.send(get("/healthz"))
            assert idle.read_answer().status == 200  # sent last, so the poll has come as well
            server.process.terminate()
            assert idle.is_closed()
            answer = poll.read_answer()
            assert json.loads(answer.body)["next_batch"] and answer.headers["connection"] == "close"
            upload.send("12345678")
            answer = upload.read_answer()
            assert answer.status == 200 and json.loads(answer.body)["content_uri"].startswith("mxc://")
            assert answer.headers["connection"] == "close"
        assert server.process.wait(60) == 0


def make_certificate(folder, name, key="key.pem", certificate="certificate.pem"):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-keyout", str(folder / key), "-out", str(folder / certificate)],
                   check=True, capture_output=True)


def certificate_of(server):
    host, port = server.listen.split(":")
    return ssl.get_server_certificate((host, int(port)))


def test_tls_by_settings_is_read_again_when_its_files_change(tmp_path):
    # As ACME clients lay it out: links in one folder to numbered files in another.
    archive, live = tmp_path / "archive", tmp_path / "live"
    archive.mkdir()
    live.mkdir()
    make_certificate(archive, "first", "key1.pem", "certificate1.pem")

    def point_to(number):
        for name in ("certificate", "key"):
            (live / f"{name}.new").symlink_to(archive / f"{name}{number}.pem")
            (live / f"{name}.new").rename(live / f"{name}.pem")

    point_to(1)
    with Server("--tls-certificate", str(live / "certificate.pem"), "--tls-key", str(live / "key.pem")) as server:
        assert server.url.startswith("https://")
        assert requests.get(server.url + "/healthz", verify=False, timeout=60).status_code == 200
        assert certificate_of(server) == (archive / "certificate1.pem").read_text()
        # A pair that does not fit together is left alone, and what was in force stays.
        make_certificate(archive, "second", "key2.pem", "certificate2.pem")
        (live / "certificate.new").symlink_to(archive / "certificate2.pem")
        (live / "certificate.new").rename(live / "certificate.pem")

        def refused():
            assert certificate_of(server) == (archive / "certificate1.pem").read_text()
            return "net.certificate_refused" in server.log
        wait_for(refused, 120, "the refusal")
        point_to(2)
        wait_for(lambda: certificate_of(server) == (archive / "certificate2.pem").read_text(), 120, "the new certificate")


def log_in(server, user, forwarded_for=None):
    return requests.post(server.url + "/_matrix/client/v3/login", timeout=60,
                         headers={"X-Forwarded-For": forwarded_for} if forwarded_for else {},
                         json={"type": "m.login.password", "identifier": {"type": "m.id.user", "user": user}, "password": "wrong"})


def log_in_until_refused(server, tries, forwarded_for=lambda i: None):
    for i in range(tries):
        answer = log_in(server, f"nobody{i}", forwarded_for(i))
        if answer.status_code == 429:
            return answer
        assert answer.status_code == 403
    return None


def test_the_address_of_a_client_is_believed_from_its_proxy_alone():
    with Server("--rate-limits", "on", "--trusted-proxies", "127.0.0.0/8") as server:
        assert log_in_until_refused(server, 60, lambda i: "203.0.113.7") is not None
        assert log_in(server, "another", "203.0.113.8").status_code == 403
        # What the client itself wrote before the proxy's entry is nobody's address.
        assert log_in_until_refused(server, 60, lambda i: "203.0.113.9, 203.0.113.7") is not None
    with Server("--rate-limits", "on") as server:
        assert log_in_until_refused(server, 60, lambda i: f"203.0.113.{i}") is not None


def test_who_asks_too_often_is_told_when_to_come_again_and_nobody_else_is():
    with Server("--rate-limits", "on") as server:
        hasty, calm = server.register("hasty"), server.register("calm")
        room = hasty.create_room()
        answers = []

        def flood():
            # A slow machine gives back while it takes: until one is refused, and no more than a page holds.
            while len(answers) < 900 and not any(answer.status_code == 429 for answer in answers[-20:]):
                answers.append(hasty.request("PUT", f"/rooms/{room}/send/m.room.message/{uuid.uuid4().hex}", expect=None,
                                             json={"msgtype": "m.text", "body": "again"}))
        threads = [threading.Thread(target=flood) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(10):
            calm.get("/account/whoami")
        for thread in threads:
            thread.join()
        sent = [answer for answer in answers if answer.status_code == 200]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert len(sent) + len(refused) == len(answers)
        assert sent and refused
        for answer in refused:
            assert answer.json()["errcode"] == "M_LIMIT_EXCEEDED"
            assert answer.json()["retry_after_ms"] > 0 and int(answer.headers["Retry-After"]) >= 1
        # Each acknowledged message is there, and none that was refused.
        stored = [event for event in hasty.timeline(room, 1000) if event["type"] == "m.room.message"]
        assert {event["event_id"] for event in stored} == {answer.json()["event_id"] for answer in sent}
        # Another class of the same person is not spent.
        hasty.get("/account/whoami")


def test_one_address_does_not_take_every_connection():
    with Server("--rate-limits", "on", "--connections-per-address", "5") as server:
        held = [Connection(server) for _ in range(5)]
        for connection in held:
            connection.send(get("/healthz"))
            assert connection.read_answer().status == 200
        with Connection(server) as sixth:
            answer = sixth.read_answer()
            assert answer.status == 429 and int(answer.headers["retry-after"]) >= 1
        with Connection(server, source="127.0.0.2") as elsewhere:
            elsewhere.send(get("/healthz"))
            assert elsewhere.read_answer().status == 200
        for connection in held:
            connection.close()


def test_metrics_have_an_address_of_their_own_on_loopback(server):
    address, _ = metrics_of(server)
    assert address.startswith("127.0.0.1:") and address != server.listen
    elsewhere = requests.get(server.url + "/metrics", timeout=60)  # where the web client is built, a page of it
    assert elsewhere.status_code == 404 or elsewhere.headers["Content-Type"].startswith("text/html")
    assert "http_connections" not in elsewhere.text
    assert requests.get(f"http://{address}/_matrix/client/versions", timeout=60).status_code == 404
    held = [Connection(server) for _ in range(3)]
    for connection in held:
        connection.send(get("/healthz"))
        assert connection.read_answer().status == 200
    # Those of both listeners are counted.
    assert float(re.search(r"^http_connections (\S+)$", metrics_of(server)[1], re.M).group(1)) >= 4
    for connection in held:
        connection.close()
    text = metrics_of(server)[1]
    for name in ("io_lag_seconds_count", "http_connections", "http_request_seconds_bucket"):
        assert name in text
    # Labels come from closed sets: nothing of a path, a room or a person.
    for line in text.splitlines():
        assert line.startswith("#") or re.fullmatch(r'[a-z_]+(\{([a-z_]+="[A-Za-z0-9_.+]*",?)*\})? \S+', line), line


def test_the_log_tells_events_and_keeps_what_people_say_to_itself():
    with Server("--log-level", "debug") as server:
        password, words = f"pass-{uuid.uuid4().hex}", f"words-{uuid.uuid4().hex}"
        carol = server.register("carol", password=password)
        room = carol.create_room(name=words)
        carol.send(room, words)
        carol.request("PUT", f"/rooms/{room}/send/m.room.message/broken", expect=400, data=f'{{"body": "{words}"')
        carol.request("GET", f"/rooms/{words}/state", expect=None)
        requests.get(server.url + f"/_matrix/client/v3/account/whoami?access_token={carol.token}", timeout=60)
        requests.get(server.url + f"/{words}", timeout=60)
        server.stop()
        for secret in (password, words, carol.token):
            assert secret not in server.log
        lines = [line for line in server.log.splitlines() if line]
        assert lines
        for line in lines:
            assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+[+-]\d\d:\d\d (debug|info|warning|error) (supervisor|core|gateway|render) "
                            r"[a-z_]+\.[a-z_]+( [a-z_0-9]+=(\"([^\"\\]|\\.)*\"|[^ \"]+))*$", line), line
