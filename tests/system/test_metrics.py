"""What Prometheus reads: core's own metrics, and those of its helpers."""

import os
import re
import signal
import threading

import pytest
import requests

from assist import ADMIN, own_room, put_model, translate
from harness import wait_for

NAMES = {"gateway": {"gateway_attempts_total", "gateway_call_seconds", "gateway_calls_running", "gateway_calls_total",
                     "gateway_calls_waiting", "gateway_model_servers"},
         "render": {"render_picture_seconds", "render_pictures_total", "render_pictures_waiting"}}
LABELS = {"outcome": {"answered", "failed", "known", "not_known", "given_up", "busy", "refused", "unreachable", "bad_answer",
                      "timeout", "other", "made"},
          "state": {"ready", "resting", "off"}, "lane": {"interactive", "user_async", "background"},
          "work": {"inspect", "thumbnail"}, "helper": {"gateway", "render"}}
PICTURE = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000"
                        "1f15c4890000000d4944415478da63fccfc0500f00048501802d7c11db0000000049454e44ae426082")


@pytest.fixture(scope="module")
def server(server_with_model):
    return server_with_model


@pytest.fixture(scope="module")
def alice(server):
    return server.register("alice")


def read(server):
    """Each series and its value, as the text says; the text itself is well-formed."""
    text, values, families = server.metrics(), {}, []
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            families.append(line.split()[2])
        elif not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            assert re.fullmatch(r'[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})?', series), line
            assert series not in values, f"{series} stands there twice"
            values[series] = float(value)
    assert len(families) == len(set(families)), "a family stands in one place"
    return values


def read_with(server, *helpers):
    """As `read`, with what these count: a helper that is late is left out, and is there another time."""
    return wait_for(lambda: (values := read(server)) and all(names_of(values, helper) for helper in helpers) and values,
                    what=f"the metrics of {helpers}")


def names_of(values, helper):
    plain = {re.sub(r"(_bucket|_sum|_count)?(\{.*)?$", "", series) for series in values}
    return {name for name in plain if name.startswith(helper + "_")}


def test_a_helper_that_was_not_needed_yet_is_up_and_not_woken(server):
    wait_for(lambda: read(server).get('helper_up{helper="render"}') == 1, what="render")
    assert names_of(read(server), "render") == set(), "it loads its decoders when there is a picture"


def test_what_the_gateway_counts_is_there(server, alice, model):
    before = read_with(server, "gateway")
    assert translate(alice, "to be counted").errcode is None
    model.control(fault="error_503", times=1)
    assert translate(alice, "to be refused").errcode == "IM.LINGXI.MODEL_UNAVAILABLE"
    values = read_with(server, "gateway")

    def more(series):
        return values[series] - before.get(series, 0)

    assert more('gateway_calls_total{outcome="answered"}') == more('gateway_attempts_total{outcome="answered"}') == 1
    assert more('gateway_calls_total{outcome="failed"}') == more('gateway_attempts_total{outcome="busy"}') == 1
    assert more("gateway_call_seconds_count") == 1
    assert values['gateway_model_servers{state="ready"}'] == 1
    assert values["gateway_calls_running"] == values['gateway_calls_waiting{lane="interactive"}'] == 0
    assert names_of(values, "gateway") == NAMES["gateway"]


def test_a_server_that_is_left_alone_or_switched_off_is_seen(server, alice, model):
    model.control(fault="error_503")
    # A pause that is over before it was seen begins anew with the next failure.
    wait_for(lambda: translate(alice, "failing").errcode and read_with(server, "gateway")['gateway_model_servers{state="resting"}'] == 1,
             what="the pause")
    model.control(reset=True)
    put_model(server.admin, model, enabled=False)
    assert read_with(server, "gateway")['gateway_model_servers{state="off"}'] == 1
    put_model(server.admin, model, enabled=True)
    assert read_with(server, "gateway")['gateway_model_servers{state="ready"}'] == 1


def ask_until(seen, server, person, number):
    """Leaves its answer open and unread; one that waited too long for its turn is over by then, and asks again."""
    while not seen.is_set():
        with requests.post(server.url + "/_lingxi/client/v1/assist/translations", stream=True, timeout=60,
                           json={"room_id": own_room(person), "text": f"queued {number}", "target_language": "zh"},
                           headers={"Authorization": f"Bearer {person.token}"}):
            seen.wait(15)


def test_calls_that_run_and_wait_are_seen(server, alice, model):
    put_model(server.admin, model, max_concurrent=1)
    model.control(fault="stall")
    seen = threading.Event()
    asked = [threading.Thread(target=ask_until, args=(seen, server, alice, number)) for number in range(2)]
    for thread in asked:
        thread.start()
    try:
        wait_for(lambda: (found := read(server)).get("gateway_calls_running") == 1
                 and found['gateway_calls_waiting{lane="interactive"}'] == 1, seconds=60,
                 what="a call at the model server, and one that waits")
    finally:
        seen.set()
        for thread in asked:
            thread.join()
    wait_for(lambda: read(server).get("gateway_calls_running") == 0, what="the end of it")
    wait_for(lambda: read(server).get('gateway_calls_total{outcome="given_up"}', 0) >= 1, what="its outcome")
    model.control(reset=True)
    put_model(server.admin, model)


def have_a_thumbnail_made(alice):
    uri = alice.request("POST", "/_matrix/media/v3/upload", data=PICTURE,
                        headers={"Content-Type": "image/png"}).json()["content_uri"]
    alice.request("GET", f"/_matrix/client/v1/media/thumbnail/{uri.removeprefix('mxc://')}", expect=None,
                  params={"width": 96, "height": 96})


def test_what_render_counts_is_there_once_it_has_been_needed(server, alice):
    have_a_thumbnail_made(alice)
    values = wait_for(lambda: (found := read(server)) and names_of(found, "render") == NAMES["render"] and found,
                      what="render's metrics")
    assert sum(value for series, value in values.items() if series.startswith("render_pictures_total")) >= 1


def test_labels_come_from_closed_sets(server, alice):
    have_a_thumbnail_made(alice)
    for series in read_with(server, "gateway", "render"):
        if not series.startswith(("gateway_", "render_", "helper_")):
            continue
        for name, value in re.findall(r'([a-z_]+)="([^"]*)"', series):
            assert name == "le" or value in LABELS[name], series


def test_a_gateway_that_stands_still_keeps_neither_metrics_nor_chat_waiting_for_long(server, alice):
    gateway = wait_for(lambda: server.processes().get("gateway"), what="the gateway")
    os.kill(gateway, signal.SIGSTOP)
    try:
        values = read(server)
        assert names_of(values, "gateway") == set() and "io_lag_seconds_count" in values
        room = alice.create_room()
        assert alice.send(room, "chat goes on")
    finally:
        os.kill(gateway, signal.SIGCONT)
    wait_for(lambda: names_of(read(server), "gateway"), what="its metrics again")


def test_a_gateway_that_is_gone_is_seen_to_be_and_so_is_the_next(server, alice, model):
    pid = server.processes()["gateway"]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: server.processes().get("gateway") not in (None, pid), what="another gateway")
    wait_for(lambda: server.admin.get(f"{ADMIN}/models")["gateway"] == "up", what="the gateway")
    values = read(server)
    assert values['helper_up{helper="gateway"}'] == 1
    assert values.get('gateway_calls_total{outcome="answered"}', 0) == 0, "a new process counts anew"
