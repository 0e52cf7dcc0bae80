"""The supervisor and its three: each killed is back, and all end with the supervisor."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from assist import make_admin, put_model, receipts, translate
from harness import ModelServer, Server, wait_for


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running


def all_up(server):
    """The process ids once all three run and core serves; nothing before."""
    found = server.processes()
    names = ("core", "gateway", "render")
    return {name: found[name] for name in names} if found.get("ready") and all(found.get(name) for name in names) else None


def answers(server):
    try:
        return requests.get(server.url + "/healthz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


@pytest.mark.parametrize("name", ["gateway", "render", "core"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_what_was_killed_is_started_again(server, name, how):
    before = wait_for(lambda: all_up(server), what="all three")
    os.kill(before[name], how)
    after = wait_for(lambda: (found := all_up(server)) and found[name] != before[name] and found, what=f"another {name}")
    wait_for(lambda: answers(server), what="an answer")
    if name != "core":
        assert after["core"] == before["core"], "chat goes on"
    else:
        assert after["gateway"] != before["gateway"] and after["render"] != before["render"], "helpers go with their core"


def test_kills_in_a_row_are_backed_off_from_and_the_last_one_is_back_too(server):
    before = len(server.log)
    for _ in range(4):
        pid = wait_for(lambda: server.processes().get("gateway"), what="the gateway")
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: server.processes().get("gateway") != pid, what="its end")
    wait_for(lambda: all_up(server), what="all three")
    delays = [int(part.split("=")[1]) for line in server.log[before:].splitlines() if "supervisor.child_ended" in line
              for part in line.replace('"restart_in_ms":', " restart_in_ms=").replace(",", " ").replace("}", " ").split()
              if part.startswith("restart_in_ms=")]
    assert delays and max(delays) > min(delay for delay in delays if delay > 0), "the pause grows"
    assert answers(server)


def test_a_core_that_was_killed_keeps_sessions_rooms_and_address(server):
    person = server.register("alice")
    room = person.create_room(name="home")
    sent = person.send(room, "before")
    before = wait_for(lambda: all_up(server), what="all three")
    os.kill(before["core"], signal.SIGKILL)
    wait_for(lambda: (found := all_up(server)) and found["core"] != before["core"], what="another core")
    wait_for(lambda: answers(server), what="an answer")
    assert [e["event_id"] for e in person.timeline(room) if e["type"] == "m.room.message"] == [sent]


def test_a_supervisor_that_is_killed_takes_all_with_it():
    with Server() as server:
        pids = wait_for(lambda: all_up(server), what="all three")
        server.process.kill()
        server.process.wait(10)
        wait_for(lambda: not any(is_running(pid) for pid in pids.values()), what="the end of all")


def test_an_answer_that_is_still_written_ends_in_words_when_the_server_stops():
    with ModelServer() as upstream, Server() as server:
        admin = make_admin(server)
        put_model(admin, upstream)
        upstream.control(fault="stall")
        with ThreadPoolExecutor() as reading:
            answer = reading.submit(translate, admin)
            wait_for(lambda: receipts(admin) and upstream.requests(), what="a call under way")
            assert server.stop() == 0
            assert answer.result().errcode == "IM.LINGXI.MODEL_UNAVAILABLE"


def test_a_supervisor_that_is_told_to_end_ends_all_in_order():
    with Server() as server:
        pids = wait_for(lambda: all_up(server), what="all three")
        assert server.stop() == 0
        assert not any(is_running(pid) for pid in pids.values())


def is_running(pid):
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
