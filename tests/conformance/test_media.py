"""Files: sent whole, sent to an address that was promised, fetched, and in small."""

import struct
import zlib

from harness import Server

FETCH = {"getContentAuthed": True, "getContent": False}
NAMED = {"getContentOverrideNameAuthed": True, "getContentOverrideName": False}
SMALL = {"getContentThumbnailAuthed": True, "getContentThumbnail": False}
PNG = {"Content-Type": "image/png"}


def png(width, height):
    """A grey picture; its header may promise more than its few bytes hold."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"".join(b"\0" + b"\x80" * width for _ in range(min(height, 64))))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def address_of(answer):
    server, media = answer["content_uri"].removeprefix("mxc://").split("/")
    return {"serverName": server, "mediaId": media}


def test_uploading_and_fetching(probe):
    alice = probe.person("media")
    at = address_of(probe("uploadContent", who=alice, data=png(64, 64), query={"filename": "grey.png"}, headers=PNG))
    for operation, needs_token in FETCH.items():
        answer = probe(operation, at, alice if needs_token else None)
        assert answer.content == png(64, 64) and answer.headers["Content-Type"] == "image/png"
        assert answer.headers["Content-Disposition"].startswith("inline") and "sandbox" in answer.headers["Content-Security-Policy"]
        probe(operation, {**at, "mediaId": "none"}, alice if needs_token else None, status=404, code="M_NOT_FOUND")
        probe(operation, {**at, "serverName": "elsewhere.example"}, alice if needs_token else None, status=404, code="M_NOT_FOUND")
    for operation, needs_token in NAMED.items():
        answer = probe(operation, {**at, "fileName": "灰.png"}, alice if needs_token else None)
        assert "%E7%81%B0.png" in answer.headers["Content-Disposition"]
    for operation, needs_token in SMALL.items():
        answer = probe(operation, at, alice if needs_token else None, query={"width": "32", "height": "32", "method": "crop"})
        assert answer.headers["Content-Type"].startswith("image/") and answer.content
    probe("getConfig", who=alice)
    assert probe("getConfigAuthed", who=alice)["m.upload.size"] > 0


def test_media_of_the_first_version(present):
    """Clients that people have still fetch from media/v1, and without a token."""
    alice = present.person("media.v1")
    http, v1 = present.http, present.server.url + "/_matrix/media/v1"
    sent = http.post(v1 + "/upload", params={"filename": "a.png"}, data=png(40, 40), timeout=60,
                     headers={**PNG, "Authorization": f"Bearer {alice.token}"})
    where = "/".join(address_of(sent.json()).values())
    assert http.get(f"{v1}/download/{where}", timeout=60).content == png(40, 40)
    assert http.get(f"{v1}/download/{where}/b.png", timeout=60).content == png(40, 40)
    assert http.get(f"{v1}/thumbnail/{where}", params={"width": 32, "height": 32}, timeout=60).status_code == 200
    assert http.get(v1 + "/config", params={"access_token": alice.token}, timeout=60).json()["m.upload.size"] > 0


def test_what_has_no_thumbnail(probe):
    alice = probe.person("media.small")
    word = address_of(probe("uploadContent", who=alice, data=b"only words", headers={"Content-Type": "text/plain"}))
    bomb = address_of(probe("uploadContent", who=alice, data=png(60_000, 60_000), headers=PNG))
    for operation, needs_token in SMALL.items():
        size = {"width": "32", "height": "32"}
        probe(operation, word, alice if needs_token else None, query=size, status=400, code="M_UNKNOWN")
        probe(operation, bomb, alice if needs_token else None, query=size, status=413, code="M_TOO_LARGE")
        probe(operation, word, alice if needs_token else None, query={**size, "width": "-1"}, status=400)


def test_a_promised_address(probe):
    alice, bob = probe.person("media.promise"), probe.person("media.thief")
    at = address_of(probe("createContent", who=alice))
    for operation, needs_token in {**FETCH, **NAMED, **SMALL}.items():
        query = {"timeout_ms": "0", **({"width": "32", "height": "32"} if operation in SMALL else {})}
        values = {**at, "fileName": "x"} if operation in NAMED else at
        probe(operation, values, alice if needs_token else None, query=query, status=504, code="M_NOT_YET_UPLOADED")
    probe("uploadContentToMXC", at, bob, data=b"mine", status=403, code="M_FORBIDDEN")
    probe("uploadContentToMXC", at, alice, data=b"at last")
    probe("uploadContentToMXC", at, alice, data=b"again", status=409, code="M_CANNOT_OVERWRITE_MEDIA")
    probe("uploadContentToMXC", {**at, "mediaId": "none"}, alice, data=b"nowhere", status=404, code="M_NOT_FOUND")
    assert probe("getContentAuthed", at, alice).content == b"at last"


def test_limits_of_uploads(present):
    with Server("--upload-limit", "1000", "--upload-quota", "1500") as narrow:
        alice = narrow.register("hoarder")
        at = address_of(present("createContent", who=alice, url=narrow.url))
        present("uploadContent", who=alice, data=b"x" * 1001, status=413, code="M_TOO_LARGE", url=narrow.url)
        present("uploadContentToMXC", at, alice, data=b"x" * 1001, status=413, code="M_TOO_LARGE", url=narrow.url)
        present("uploadContent", who=alice, data=b"x" * 1000, url=narrow.url)
        present("uploadContent", who=alice, data=b"y" * 1000, status=403, code="M_FORBIDDEN", url=narrow.url)
        hoarder = narrow.register("replete")
        present("uploadContent", who=hoarder, data=b"x" * 1000, url=narrow.url)
        present("createContent", who=hoarder, url=narrow.url)
        present("uploadContent", who=hoarder, data=b"x" * 500, url=narrow.url)
        present("createContent", who=hoarder, status=403, code="M_FORBIDDEN", url=narrow.url)
        for _ in range(1000):  # too many addresses that nothing was ever sent to
            answer = present.request("createContent", {}, alice, url=narrow.url)
            if answer.status_code != 200:
                break
        present.check("createContent", answer)
        assert answer.status_code == 429
