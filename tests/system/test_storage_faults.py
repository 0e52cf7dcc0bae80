"""A disk that is full, data that is not ours to open or is damaged: clear words, nothing lost, reading goes on."""

import contextlib
import os
import re
import resource
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from assist import make_admin, own_room, put_model, receipts, translate
from harness import REQUEST_LIMIT_SECONDS, ModelServer, Person, Server, wait_for

SECRET = "柠檬-a-most-particular-sentence-柠檬"


def database_of(server):
    found = [path for path in server.data.rglob("*.db")]
    assert len(found) == 1, found
    return found[0]


def stopped_server_with_a_room(server):
    server.start()
    person = server.register("alice")
    room = person.create_room(name="kept")
    server.stop()
    return room


def refusal(server):
    """The code that a start ends with."""
    assert server.start(expect_failure=True) != 0
    found = re.findall(r"\((storage\.\w+)\)", server.log)
    assert found, server.log[-3000:]
    return found[-1]


def send(person, room, txn, body, expect=200):
    return person.request("PUT", f"/rooms/{room}/send/m.room.message/{txn}", expect=expect,
                          json={"msgtype": "m.text", "body": body})


def bodies_of(person, room):
    found, token = [], None
    while True:
        page = person.get(f"/rooms/{room}/messages",
                          params={"dir": "b", "limit": 500, **({"from": token} if token else {})})
        found += [event["content"].get("body") for event in page["chunk"] if event["type"] == "m.room.message"]
        token = page.get("end")
        if not token or not page["chunk"]:
            return found


def test_a_full_disk_refuses_sends_keeps_reading_and_is_over_when_there_is_room():
    with Server() as server:
        person = server.register("alice")
        room = person.create_room(name="full")
        acknowledged = []
        for number in range(5):
            send(person, room, f"before-{number}", f"before {number}")
            acknowledged.append(f"before {number}")
        core = server.processes()["core"]
        _, hard = resource.prlimit(core, resource.RLIMIT_FSIZE)
        log = database_of(server).with_name(database_of(server).name + "-wal")
        resource.prlimit(core, resource.RLIMIT_FSIZE, (log.stat().st_size + 100_000, hard))
        refused = None
        for number in range(2000):
            answer = send(person, room, f"full-{number}", f"full {number} " + "x" * 2000, expect=None)
            if answer.status_code != 200:
                refused = answer
                break
            acknowledged.append(f"full {number} " + "x" * 2000)
        assert refused is not None and refused.status_code == 503, refused
        assert "disk is full" in refused.json()["error"], refused.text
        assert sorted(bodies_of(person, room)) == sorted(acknowledged)
        assert send(person, room, "still", "still full", expect=None).status_code == 503
        resource.prlimit(core, resource.RLIMIT_FSIZE, (hard, hard))
        send(person, room, "after", "after")
        assert sorted(bodies_of(person, room)) == sorted([*acknowledged, "after"])
        assert server.processes()["core"] == core, "core was not to be restarted"


def status_of(server, token):
    return requests.get(f"{server.url}/_matrix/client/v3/account/whoami", headers={"Authorization": f"Bearer {token}"},
                        timeout=REQUEST_LIMIT_SECONDS).status_code


def test_a_token_that_was_just_refreshed_reads_on_while_the_disk_is_full():
    with Server() as server:
        alice = server.register("alice")
        room = alice.create_room()
        old = requests.post(f"{server.url}/_matrix/client/v3/login", timeout=REQUEST_LIMIT_SECONDS, json={
            "type": "m.login.password", "identifier": {"type": "m.id.user", "user": "alice"}, "password": "a long password",
            "refresh_token": True}).json()
        new = requests.post(f"{server.url}/_matrix/client/v3/refresh", json={"refresh_token": old["refresh_token"]},
                            timeout=REQUEST_LIMIT_SECONDS).json()
        core = server.processes()["core"]
        _, hard = resource.prlimit(core, resource.RLIMIT_FSIZE)
        log = database_of(server).with_name(database_of(server).name + "-wal")
        resource.prlimit(core, resource.RLIMIT_FSIZE, (log.stat().st_size, hard))
        for size in (5000, 1):  # to the last page
            wait_for(lambda size=size: send(alice, room, str(time.monotonic()), "x" * size, expect=None).status_code == 503, what="a full disk")
        other = Person(server, {**old, **new})
        for _ in range(3):
            assert room in other.sync(full_state="true")["rooms"]["join"]
        assert status_of(server, old["access_token"]) == 200, "nothing could be written"
        resource.prlimit(core, resource.RLIMIT_FSIZE, (hard, hard))
        # Once it can be written that the new one came, the old one ends.
        wait_for(lambda: status_of(server, new["access_token"]) == 200 and status_of(server, old["access_token"]) == 401,
                 what="the end of the token before")
        assert status_of(server, new["access_token"]) == 200


def limit_files(pid, limit_bytes):
    """As a disk that is full: no file becomes longer than that."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if limit_bytes is None else limit_bytes, hard))


def kill_core(server):
    """The process id that it had."""
    core = server.processes()["core"]
    os.kill(core, signal.SIGKILL)
    return core


def core_is_another_than(server, before):
    found = server.processes()
    return found.get("ready") and found["core"] not in (None, before)


def test_a_core_that_starts_while_the_disk_is_full_serves_and_settles_what_ai_left_open_once_there_is_room():
    with ModelServer() as upstream, Server() as server:
        admin = make_admin(server)
        put_model(admin, upstream)
        room = own_room(admin)
        upstream.control(fault="hang")
        with ThreadPoolExecutor() as asking:
            lost = asking.submit(translate, admin)
            wait_for(lambda: receipts(admin), what="a call under way")
            limit_files(server.process.pid, 40_000)  # less than the log is long: the memory beside it still fits
            before = kill_core(server)
            assert isinstance(lost.exception(), requests.RequestException)
        wait_for(lambda: core_is_another_than(server, before), what="another core")
        wait_for(lambda: "assistant.not_recovered" in server.log, what="a word about it in the log")
        assert room in admin.sync(full_state="true")["rooms"]["join"]
        assert receipts(admin)[0]["output_tokens"] is None
        for pid in (server.process.pid, server.processes()["core"]):
            limit_files(pid, None)
        wait_for(lambda: receipts(admin)[0]["output_tokens"] is not None, what="its settlement")
        assert receipts(admin)[0]["outcome"] == "unknown"
        send(admin, room, "after", "after")


def test_a_core_that_cannot_open_its_data_for_the_moment_is_started_again_until_it_can():
    with Server() as server:
        person = server.register("alice")
        room = person.create_room(name="kept")
        limit_files(server.process.pid, 4096)
        before = kill_core(server)
        wait_for(lambda: re.search(r"\((storage\.\w+)\)", server.log), what="a start that fails")
        limit_files(server.process.pid, None)
        wait_for(lambda: core_is_another_than(server, before), what="another core")
        send(person, room, "after", "after")


def test_a_second_process_on_the_same_data_is_refused_and_the_first_goes_on():
    with Server() as server:
        person = server.register("alice")
        second = Server(data=server.data)
        assert second.start(expect_failure=True) != 0
        assert re.search(r"\((app\.data_in_use|storage\.locked)\)", second.log), second.log[-3000:]
        person.create_room(name="still served")


def test_data_of_a_newer_version_is_refused_and_left_as_it_was():
    server = Server()
    room = stopped_server_with_a_room(server)
    with sqlite3.connect(database_of(server)) as database:
        database.execute("INSERT INTO schema_migration VALUES ('chat', 999, '999_from_the_future', 'x')")
    assert refusal(server) == "storage.newer_version"
    with sqlite3.connect(database_of(server)) as database:
        database.execute("DELETE FROM schema_migration WHERE number = 999")
        assert database.execute("SELECT count(*) FROM room WHERE room_id = ?", (room,)).fetchone() == (1,)
    server.start()
    server.stop()


def test_a_migration_that_is_not_the_one_applied_is_refused():
    server = Server()
    stopped_server_with_a_room(server)
    with sqlite3.connect(database_of(server)) as database:
        database.execute("UPDATE schema_migration SET checksum = 'other' WHERE module = 'chat' AND number = 1")
    assert refusal(server) == "storage.migration_changed"


def test_a_file_that_is_no_database_is_refused():
    server = Server()
    stopped_server_with_a_room(server)
    path = database_of(server)
    path.write_bytes(b"not a database " * 1000)
    assert refusal(server) == "storage.corrupt"
    assert path.read_bytes().startswith(b"not a database")


def test_a_damaged_page_fails_the_requests_that_need_it_and_no_others():
    with Server() as server:
        person = server.register("alice")
        damaged = person.create_room(name="damaged")
        whole = person.create_room(name="whole")
        for number in range(120):
            send(person, damaged, f"d{number}", f"damaged {number} " + "d" * 1500)
        send(person, whole, "w", "whole")
        server.stop()
        path = database_of(server)
        content = bytearray(path.read_bytes())
        first = content.find(b"damaged 60 ")
        page = first // 4096 * 4096
        content[page:page + 4096] = b"\xff" * 4096
        path.write_bytes(content)
        server.start()
        assert bodies_of(person, whole) == ["whole"]
        answer = person.request("GET", f"/rooms/{damaged}/messages", expect=None,
                                params={"dir": "b", "limit": 500})
        assert answer.status_code == 500 and answer.json()["errcode"] == "M_UNKNOWN", answer.text[:500]
        send(person, whole, "more", "more")
        assert sorted(bodies_of(person, whole)) == ["more", "whole"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere; server/storage tests this as nobody")
def test_a_directory_that_is_not_to_be_written_to_is_refused():
    server = Server()
    stopped_server_with_a_room(server)
    folder = database_of(server).parent
    folder.chmod(0o500)
    try:
        assert refusal(server) == "storage.read_only"
    finally:
        folder.chmod(0o700)


def test_what_was_redacted_is_in_no_byte_of_the_data_directory_after_the_stated_delay():
    with Server("--scrub-after", "1") as server:
        person = server.register("alice")
        room = person.create_room(name="redacted")
        for number in range(200):
            send(person, room, f"b{number}", f"a message before {number} " + "y" * (number * 7 % 900))
        events = [send(person, room, f"s{number}", f"{SECRET} {number} " + SECRET * (number % 9)).json()["event_id"]
                  for number in range(40)]
        assert files_with_the_secret(server)
        for number, event in enumerate(events):
            person.request("PUT", f"/rooms/{room}/redact/{event}/r{number}", json={})
        end = time.monotonic() + REQUEST_LIMIT_SECONDS
        while files_with_the_secret(server) and time.monotonic() < end:
            time.sleep(0.2)
        assert files_with_the_secret(server) == []
        assert not any(body and SECRET in body for body in bodies_of(person, room))


def files_with_the_secret(server):
    found = []
    for path in server.data.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # it is renamed or deleted meanwhile
            if path.is_file() and "柠檬".encode() in path.read_bytes():
                found.append(str(path))
    return found
