"""Files: up, down, as a thumbnail, over HTTP and the real render process."""

import struct
import zlib

import pytest
import requests


@pytest.fixture(scope="module")
def alice(server):
    return server.register("alice")


def png(width, height, color=b"\x20\x80\x60"):
    """A real picture, made by hand."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\x00" + color * width for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def upload(person, data, content_type="image/png", name="picture.png", expect=200):
    return person.request("POST", "/_matrix/media/v3/upload", expect, params={"filename": name}, data=data,
                          headers={"Content-Type": content_type}).json()


def path_of(uri):
    return uri.removeprefix("mxc://")


def test_a_picture_comes_back_and_a_thumbnail_is_made_of_it(alice):
    picture = png(640, 400)
    where = path_of(upload(alice, picture)["content_uri"])
    answer = alice.request("GET", f"/_matrix/client/v1/media/download/{where}")
    assert answer.content == picture
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    small = alice.request("GET", f"/_matrix/client/v1/media/thumbnail/{where}", params={"width": 96, "height": 96, "method": "crop"})
    assert small.headers["Content-Type"].startswith("image/")
    assert 0 < len(small.content)


def test_a_part_of_a_file_can_be_asked_for(alice):
    where = path_of(upload(alice, bytes(range(256)) * 40, "application/octet-stream", "bytes.bin")["content_uri"])
    part = alice.request("GET", f"/_matrix/client/v1/media/download/{where}", expect=206, headers={"Range": "bytes=256-511"})
    assert part.content == bytes(range(256))


def test_a_page_never_runs_in_the_name_of_the_server(alice):
    where = path_of(upload(alice, b"<script>alert(1)</script>", "text/html", "x.html")["content_uri"])
    answer = alice.request("GET", f"/_matrix/client/v1/media/download/{where}")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "text/html" not in answer.headers["Content-Type"]
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_bomb_and_a_forged_header_get_an_error_and_render_lives_on(alice):
    bomb = png(1, 1)[:16] + struct.pack(">II", 60000, 60000) + png(1, 1)[24:]
    where = path_of(upload(alice, bomb)["content_uri"])
    refused = alice.request("GET", f"/_matrix/client/v1/media/thumbnail/{where}", expect=None, params={"width": 96, "height": 96})
    assert refused.status_code in (400, 404, 413), refused.text
    where = path_of(upload(alice, png(64, 64))["content_uri"])
    alice.request("GET", f"/_matrix/client/v1/media/thumbnail/{where}", params={"width": 32, "height": 32})


def test_without_a_token_nothing_is_uploaded_and_paths_are_ids(server, alice):
    anonymous = requests.post(server.url + "/_matrix/media/v3/upload", data=b"x", timeout=20)
    assert (anonymous.status_code, anonymous.json()["errcode"]) == (401, "M_MISSING_TOKEN")
    assert alice.request("GET", "/_matrix/client/v1/media/download/test.lingxi/..%2f..%2flingxi.db", expect=None).status_code in (400, 404)
