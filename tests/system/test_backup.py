"""A backup that is made while people write is a data directory from which everything comes back."""

import importlib.machinery
import os
import sqlite3
import subprocess
import sys
import threading
import types
from pathlib import Path

import requests

from harness import ROOT, Person, Server


def back_up(data, target):
    return subprocess.run([str(ROOT / "scripts" / "backup"), str(data), str(target)], capture_output=True, text=True, timeout=120)


def test_what_was_acknowledged_before_the_backup_comes_back_from_it(tmp_path):
    with Server() as server:
        alice = server.register("alice")
        room = alice.create_room(name="kept")
        uploaded = requests.post(server.url + "/_matrix/media/v3/upload", params={"filename": "a.txt"}, data=b"a file that was sent",
                                 headers={"Authorization": f"Bearer {alice.token}", "Content-Type": "text/plain"}, timeout=60)
        media = uploaded.json()["content_uri"].removeprefix("mxc://")
        before = [alice.send(room, f"before {n}") for n in range(20)]

        enough, writing = threading.Event(), Person(server, {"user_id": alice.user_id, "access_token": alice.token})

        def write():
            while not enough.is_set():
                writing.send(room, "meanwhile")

        writer = threading.Thread(target=write)
        writer.start()
        done = back_up(server.data, tmp_path / "copy")
        enough.set()
        writer.join()
        assert done.returncode == 0, done.stderr

    with Server(data=tmp_path / "copy") as restored:
        alice.server = restored
        events = [event["event_id"] for event in alice.timeline(room, limit=1000)]
        assert set(before) <= set(events)
        answer = alice.request("GET", f"/_matrix/client/v1/media/download/{media}")
        assert answer.content == b"a file that was sent"
        alice.send(room, "life goes on")


def messages_told(answer, room):
    timeline = answer["rooms"]["join"][room]["timeline"]
    return timeline["limited"], [event["content"]["body"] for event in timeline["events"] if event["type"] == "m.room.message"]


def test_who_is_ahead_of_the_backup_misses_nothing_that_comes_after_it(tmp_path):
    with Server() as server:
        alice, bob = server.register("alice"), server.register("bob")
        room = alice.create_room(preset="public_chat")
        bob.join(room)
        bob.sync()
        current = bob.since
        done = back_up(server.data, tmp_path / "copy")
        assert done.returncode == 0, done.stderr
        for number in range(20):
            alice.send(room, f"lost {number}")
        bob.sync()
        ahead = bob.since
        server.stop()
        server.start()
        alice.send(room, "lost too")
        bob.sync()
        of_a_lost_start = bob.since

    with Server(data=tmp_path / "copy") as restored:
        alice.server = bob.server = restored
        # The server still stands behind the client.
        bob.since = ahead
        alice.send(room, "first")
        limited, told = messages_told(bob.sync(), room)
        assert limited and told == ["first"]
        alice.send(room, "second")
        assert messages_told(bob.sync(), room) == (False, ["second"])
        # And has long passed it.
        for number in range(50):
            alice.send(room, f"after {number}")
        for since in (ahead, of_a_lost_start):
            bob.since = since
            limited, told = messages_told(bob.sync(), room)
            assert limited and told == [f"after {number}" for number in range(40, 50)]
            page = [event["content"].get("body") for event in bob.timeline(room) if event["type"] == "m.room.message"]
            assert page == [*(f"after {number}" for number in reversed(range(50))), "second", "first"]
            assert room not in bob.sync()["rooms"]["join"]
        # What was told before the backup is not told again.
        bob.since = current
        limited, told = messages_told(bob.sync(filter='{"room": {"timeline": {"limit": 100}}}'), room)
        assert not limited and told == ["first", "second", *(f"after {number}" for number in range(50))]


def test_all_of_it_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    data, target = tmp_path / "data", tmp_path / "copy"
    (data / "core" / "media").mkdir(parents=True)
    (data / "gateway").mkdir()
    with sqlite3.connect(data / "core" / "lingxi.db") as database:
        database.execute("CREATE TABLE kept (it TEXT)")
    for name in ("core/media/picture", "gateway/keys"):
        (data / name).write_text(name)
    loader = importlib.machinery.SourceFileLoader("backup", str(ROOT / "scripts" / "backup"))
    backup = types.ModuleType("backup")
    loader.exec_module(backup)
    before, after = set(), set()
    sync = os.fsync

    def fsync(descriptor):
        (after if target.exists() else before).add(Path(os.readlink(f"/proc/self/fd/{descriptor}")))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(sys, "argv", ["backup", str(data), str(target)])
    umask = os.umask(0o077)
    try:
        backup.main()
    finally:
        os.umask(umask)
    partial = tmp_path / "copy.partial"
    assert before == {partial, *(partial / path.relative_to(target) for path in target.rglob("*"))}
    assert after == {tmp_path}


def test_it_refuses_what_is_no_data_directory_and_what_is_there_already(tmp_path):
    assert "no data directory" in back_up(tmp_path, tmp_path / "copy").stderr
    with Server() as server:
        refused = back_up(server.data, tmp_path)
        assert refused.returncode != 0 and "there already" in refused.stderr
