"""Model servers as the administrator sets them up, and what becomes of a call when one of them goes wrong."""

import contextlib
import os
import socket
import subprocess
import threading

import pytest
import requests

from assist import ADMIN, ASSIST, KEY, consent, make_admin, own_room, put_model, receipts, sha256, suggest, translate, translate_event, used_tokens
from harness import ROOT, ModelServer, Server, wait_for


@pytest.fixture(scope="module")
def models():
    with ModelServer() as first, ModelServer() as second:
        yield first, second


@pytest.fixture(scope="module")
def server(models):
    with Server() as running:
        running.admin = make_admin(running)
        yield running


@pytest.fixture(scope="module")
def alice(server):
    return server.register("alice")


@pytest.fixture(autouse=True)
def one_model(server, models):
    """One model server, well and with a clean record."""
    for model in models:
        model.control(reset=True)
    for provider in server.admin.get(f"{ADMIN}/models")["providers"]:
        server.admin.delete(f"{ADMIN}/models/{provider['id']}")
    put_model(server.admin, models[0], "first", name="First")


@contextlib.contextmanager
def deaf_listener():
    """The address of a listener whose queue is full and that nobody accepts at: the kernel drops what comes."""
    with contextlib.ExitStack() as sockets:
        listening = sockets.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(8):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"


def spent_as_receipts_say(person):
    return sum(r["input_tokens"] + r["output_tokens"] for r in receipts(person))


WHOLE = ["slow", "wrong_usage", "zero_usage", "no_usage", "no_done", "never_closed", "split_utf8", "keep_alive", "reasoning", "tool_call"]
REFUSED = ["error_503", "error_429", "error_401", "error_400", "redirect", "error_in_stream"]  # nothing is paid
BROKEN = [*REFUSED, "error_500", "error_502", "error_504", "error_408", "reasoning_then_error", "garbage", "html", "cut", "cut_json", "sensitive",
          "huge_line", "empty", "no_response"]


@pytest.mark.parametrize("fault", WHOLE)
def test_an_answer_that_came_whole_is_shown_whatever_stands_around_it(alice, models, fault):
    models[0].control(answer="你好，世界👋", fault=fault)
    answer = translate(alice, fault)
    assert answer.errcode is None, answer.events
    assert answer.text == "你好，世界👋"
    assert answer.one("done")["usage"]["estimated"] is (fault in ("wrong_usage", "zero_usage", "no_usage"))
    assert receipts(alice)[0]["cost_micros"] > 0
    assert (receipts(alice)[0]["outcome"], receipts(alice)[0]["left"]) == ("done", "yes")
    assert used_tokens(alice) == spent_as_receipts_say(alice)


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_answer_ends_in_words_and_is_settled(alice, models, fault):
    models[0].control(answer="a long enough answer to be cut", fault=fault)
    answer = translate(alice, fault)
    assert answer.errcode == "IM.LINGXI.MODEL_UNAVAILABLE"
    assert not answer.all("done")
    words = (answer.error or answer.one("error"))["error"]
    assert "server says no" not in words and "out of memory" not in words, "a stranger's words are not passed on"
    assert (receipts(alice)[0]["outcome"], receipts(alice)[0]["left"]) == ("failed", "yes")
    assert used_tokens(alice) == spent_as_receipts_say(alice)
    assert (receipts(alice)[0]["cost_micros"] == 0) is (fault in REFUSED), "only what surely was not worked on is not paid"
    models[0].control(reset=True)
    put_model(alice.server.admin, models[0], "first", name="First")
    assert translate(alice, "after " + fault).errcode is None


@pytest.mark.parametrize("fault", ["hang", "stall", "endless", "keep_alive_only"])
def test_a_client_that_goes_ends_the_call_at_once_at_the_model_too(alice, models, fault):
    if fault == "endless":
        models[0].control(answer="", delay_ms=50)  # not so fast that it comes to its limit
    models[0].control(fault=fault)
    before = len(receipts(alice))
    response = requests.post(alice.server.url + ASSIST + "/translations", stream=True, timeout=60,
                             json={"room_id": own_room(alice), "text": fault, "target_language": "zh"},
                             headers={"Authorization": f"Bearer {alice.token}"})
    assert response.status_code == 200
    wait_for(lambda: models[0].requests(), what="the request at the model server")
    response.close()
    wait_for(lambda: requests.get(models[0].url + "/gone", timeout=10).json()["gone"] == 1, seconds=20,
             what="the end at the model server")
    wait_for(lambda: len(receipts(alice)) > before and receipts(alice)[0]["outcome"] == "cancelled", what="the receipt")
    assert receipts(alice)[0]["left"] == "yes"
    assert used_tokens(alice) == spent_as_receipts_say(alice)


def test_who_goes_on_beyond_the_limit_is_ended_and_counted(alice, models):
    """The request says how many tokens there may be; this server never looks at that."""
    models[0].control(fault="endless")
    answer = translate(alice, "without an end")
    limit = models[0].requests()[0]["body"]["max_tokens"]
    assert answer.errcode is None and answer.text.startswith("模型译文：") and len(answer.text) < 1_000_000
    wait_for(lambda: requests.get(models[0].url + "/gone", timeout=10).json()["gone"] == 1, what="the end at the model server")
    receipt = receipts(alice)[0]
    assert (receipt["outcome"], receipt["estimated"]) == ("done", True)
    assert limit < receipt["output_tokens"] <= 16 * limit
    assert receipt["cost_micros"] == receipt["input_tokens"] * 2 + receipt["output_tokens"] * 8
    assert used_tokens(alice) == spent_as_receipts_say(alice)
    models[0].control(reset=True)
    assert translate(alice, "without an end").errcode is None and len(models[0].requests()) == 1, "what was cut is not kept"


def test_a_count_beyond_the_limit_is_believed_where_as_much_came(alice, models):
    models[0].control(answer="字" * 1300, piece=1300)
    answer = translate(alice, "x")
    told = 1300 // 4 + 1
    assert told > models[0].requests()[0]["body"]["max_tokens"]
    assert answer.text == "字" * 1300 and answer.one("done")["usage"]["output_tokens"] == told
    assert (receipts(alice)[0]["output_tokens"], receipts(alice)[0]["estimated"]) == (told, False)
    assert used_tokens(alice) == spent_as_receipts_say(alice)


@pytest.mark.parametrize("fault", ["error_503", "no_response", "garbage", "hang"])
def test_another_server_is_tried_before_anything_was_shown_and_has_a_receipt_of_its_own(alice, server, models, fault):
    first, second = models
    put_model(server.admin, second, "second", name="Second")
    first.control(fault=fault)
    second.control(answer="从第二个来")
    answer = translate(alice, "failover " + fault)
    assert answer.text == "从第二个来"
    assert [p["provider"] for p in answer.all("prepared")] == ["First", "Second"], "the reader is told where words went"
    newest, older = receipts(alice)[:2]
    assert (newest["provider"], newest["outcome"]) == ("Second", "done")
    assert (older["provider"], older["outcome"]) == ("First", "failed")
    assert (older["input_tokens"] == 0) is (fault == "error_503"), "only who surely did nothing is not paid"
    assert used_tokens(alice) == spent_as_receipts_say(alice)


def test_a_server_that_knows_less_of_the_dialect_is_asked_for_less(alice, server, models):
    bob = server.register("bob")
    room = bob.create_room(preset="private_chat", invite=[alice.user_id])
    alice.join(room)
    consent(bob, room)

    def forms():
        return [[name in request["body"] for name in ("response_format", "stream_options")] for request in models[0].requests()]

    models[0].control(fault="no_json_mode")
    for number in range(2):
        assert suggest(alice, room, [bob.send(room, f"shall we go {number}?")]).errcode is None
    assert forms() == [[True, True], [False, True], [False, True]], "what it took is remembered"
    newest = receipts(alice)[:3]
    assert [r["outcome"] for r in newest] == ["done", "done", "failed"] and newest[2]["cost_micros"] == 0
    models[0].control(reset=True)
    models[0].control(fault="least_of_dialect")
    for number in range(2):
        assert translate(alice, f"the least {number}").one("done")["usage"]["estimated"] is True
    assert suggest(alice, room, [bob.send(room, "or stay?")]).errcode is None
    assert forms() == [[False, True], [False, False], [False, False], [False, False]]
    put_model(server.admin, models[0], "first", name="First")
    models[0].control(reset=True)
    assert suggest(alice, room, [bob.send(room, "or sleep?")]).errcode is None
    assert forms() == [[True, True]], "a server that was changed is asked anew"
    assert used_tokens(alice) == spent_as_receipts_say(alice)


def test_a_server_that_takes_no_connection_has_seen_nothing_and_is_not_paid(alice, server, models):
    with deaf_listener() as url:
        put_model(server.admin, models[0], "first", name="First", base_url=url)
        assert translate(alice, "into the void").errcode == "IM.LINGXI.MODEL_UNAVAILABLE"
        receipt = receipts(alice)[0]
        assert (receipt["outcome"], receipt["left"], receipt["input_tokens"], receipt["cost_micros"]) == ("failed", "no", 0, 0)


def test_who_goes_while_the_server_takes_no_connection_has_given_nothing_and_pays_nothing(alice, server, models):
    with deaf_listener() as url:
        put_model(server.admin, models[0], "first", name="First", base_url=url)
        before = (len(receipts(alice)), used_tokens(alice))
        response = requests.post(server.url + ASSIST + "/translations", stream=True, timeout=60,
                                 json={"room_id": own_room(alice), "text": "into the void again", "target_language": "zh"},
                                 headers={"Authorization": f"Bearer {alice.token}"})
        assert response.status_code == 200
        response.close()
        wait_for(lambda: len(receipts(alice)) > before[0] and receipts(alice)[0]["outcome"] == "cancelled", what="the receipt")
        receipt = receipts(alice)[0]
        assert (receipt["left"], receipt["input_tokens"], receipt["output_tokens"], receipt["cost_micros"]) == ("no", 0, 0, 0)
        assert receipt["outbound_sha256"] and receipt["outbound_bytes"] > 0, "what it was to be given"
        assert used_tokens(alice) == before[1]


def test_of_a_server_that_is_down_the_receipt_says_that_nothing_left(alice, server, models):
    with socket.socket() as taken:  # and not listened at
        taken.bind(("127.0.0.1", 0))
        down = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        put_model(server.admin, models[0], "first", name="First", base_url=down)
        put_model(server.admin, models[1], "second", name="Second")
        assert translate(alice, "to whoever is there").errcode is None
        assert [(r["provider"], r["left"]) for r in receipts(alice)[:2]] == [("Second", "yes"), ("First", "no")]
        server.admin.delete(f"{ADMIN}/models/second")
        assert translate(alice, "to nobody").errcode == "IM.LINGXI.MODEL_UNAVAILABLE"
        assert (receipts(alice)[0]["outcome"], receipts(alice)[0]["left"]) == ("failed", "no")


def test_an_answer_that_broke_off_is_not_continued_by_another(alice, server, models):
    first, second = models
    put_model(server.admin, second, "second", name="Second")
    first.control(answer="a long enough answer to be cut", fault="cut")
    answer = translate(alice, "no mixture")
    assert answer.errcode == "IM.LINGXI.MODEL_UNAVAILABLE" and "a l" in answer.text
    assert second.requests() == []


def wait_until_it_rests(person, server):
    """Asks until it has failed too often; a pause that is over before that was seen begins anew, and is longer."""
    wait_for(lambda: translate(person, "failing").errcode == "IM.LINGXI.MODEL_UNAVAILABLE"
             and server.admin.get(f"{ADMIN}/models")["providers"][0]["circuit"] == "open", seconds=60, what="the pause")


def test_a_server_that_keeps_failing_is_left_alone(alice, server, models):
    models[0].control(fault="error_503")
    for number in range(3):
        translate(alice, f"failing {number}")
        assert len(models[0].requests()) == number + 1

    def is_left_alone():
        """It is tried again after a pause, which doubles: a slow machine may meet the end of the first."""
        before = len(models[0].requests())
        return translate(alice, "left alone").errcode == "IM.LINGXI.MODEL_UNAVAILABLE" and len(models[0].requests()) == before

    wait_for(is_left_alone, seconds=60, what="a call that does not go there")
    wait_until_it_rests(alice, server)
    put_model(server.admin, models[0], "first", name="First")
    models[0].control(reset=True)
    assert translate(alice, "mended").errcode is None


def test_a_server_that_refuses_everything_is_left_alone_and_a_good_one_behind_it_is_reached(alice, server, models):
    """As one that is set up wrongly does, whatever form it is asked in."""
    first, good = models
    bob = server.register("bob3")
    room = bob.create_room(preset="private_chat", invite=[alice.user_id])
    alice.join(room)
    consent(bob, room)
    with ModelServer() as second:
        put_model(server.admin, second, "second", name="Second")
        put_model(server.admin, good, "good", name="Good")
        for wrong in (first, second):
            wrong.control(fault="error_400")
        for number in range(6):
            assert suggest(alice, room, [bob.send(room, f"shall we go, {number}?")]).errcode is None
        assert len(good.requests()) == 6
        assert [len(wrong.requests()) for wrong in (first, second)] == [15, 15], "five times in three forms"
        circuits = {p["id"]: p["circuit"] for p in server.admin.get(f"{ADMIN}/models")["providers"]}
        assert circuits == {"first": "open", "second": "open", "good": "closed"}
    assert used_tokens(alice) == spent_as_receipts_say(alice)


def test_what_is_known_is_given_though_its_server_rests(alice, server, models):
    bob = server.register("bob4")
    room = bob.create_room(preset="private_chat", invite=[alice.user_id])
    alice.join(room)
    consent(bob, room)
    event = bob.send(room, "a word for everybody")
    assert translate_event(bob, room, event).errcode is None
    models[0].control(fault="error_500")
    for number in range(3):
        assert translate(alice, f"failing {number}").errcode == "IM.LINGXI.MODEL_UNAVAILABLE"
    assert server.admin.get(f"{ADMIN}/models")["providers"][0]["circuit"] == "open"

    def outcome():
        answer = translate_event(alice, room, event)
        return answer.errcode or receipts(alice)[0]["outcome"]

    assert outcome() == "cached"
    assert len(models[0].requests()) == 4
    assert translate_event(alice, room, bob.send(room, "another word")).errcode == "IM.LINGXI.MODEL_UNAVAILABLE"


def test_what_began_before_a_server_was_changed_is_not_remembered_as_the_new_ones_answer(alice, server, models):
    models[0].control(answer="one piece after another" * 2, delay_ms=100)
    answers = []
    asking = threading.Thread(target=lambda: answers.append(translate(alice, "the same words")))
    asking.start()
    wait_for(lambda: models[0].requests(), what="the request")
    put_model(server.admin, models[1], "first", name="First")
    asking.join()
    assert answers[0].errcode is None
    models[1].control(answer="of the new one")
    assert translate(alice, "the same words").text == "of the new one"


def test_a_server_that_asks_to_be_asked_later_is(alice, server, models):
    models[0].control(fault="retry_later", times=1)
    translate(alice, "overloaded")
    assert translate(alice, "at once").errcode == "IM.LINGXI.MODEL_UNAVAILABLE"
    assert len(models[0].requests()) == 1
    wait_for(lambda: translate(alice, "later").errcode is None, seconds=60, what="the pause to be over")


def test_a_server_that_names_the_hour_at_which_to_ask_again_is_left_alone_until_then(alice, server, models):
    models[0].control(fault="retry_at", times=1)
    translate(alice, "overloaded")
    assert translate(alice, "at once").errcode == "IM.LINGXI.MODEL_UNAVAILABLE"
    assert len(models[0].requests()) == 1
    assert server.admin.get(f"{ADMIN}/models")["providers"][0]["circuit"] == "open"


def test_redirects_are_not_followed(alice, models):
    models[0].control(fault="redirect")
    translate(alice, "elsewhere")
    assert [r["path"] for r in models[0].requests()] == ["/v1/chat/completions"]


@pytest.mark.parametrize("change", ["off", "removed", "moved"])
def test_who_waits_for_a_server_that_is_changed_meanwhile_does_not_go_there(alice, server, models, change):
    put_model(server.admin, models[0], "first", name="First", max_concurrent=1)
    models[0].control(answer="one piece after another, for some seconds" * 2, delay_ms=300)
    streams = {}

    def ask(text):
        streams[text] = translate(alice, text)

    first = threading.Thread(target=ask, args=("holds the place",))
    first.start()
    wait_for(lambda: models[0].requests(), what="the first request")
    second = threading.Thread(target=ask, args=("WAITINGWORD",))
    second.start()
    wait_for(lambda: 'gateway_calls_waiting{lane="interactive"} 1' in server.metrics(), what="the second call in the lane")
    if change == "off":
        put_model(server.admin, models[0], "first", name="First", max_concurrent=1, enabled=False)
    elif change == "removed":
        server.admin.delete(f"{ADMIN}/models/first")
    else:
        put_model(server.admin, models[0], "first", name="First", max_concurrent=1, base_url=models[1].url + "/v1")
    first.join()
    second.join()
    assert {text: s.errcode for text, s in streams.items()} == {"holds the place": None, "WAITINGWORD": "IM.LINGXI.MODEL_UNAVAILABLE"}
    assert len(models[0].requests()) == 1 and models[1].requests() == []
    assert used_tokens(alice) == spent_as_receipts_say(alice)


def test_a_server_that_not_all_agreed_to_is_not_tried_after_one_that_failed(alice, server, models):
    """Nor is whoever agreed said not to have."""
    first, second = models
    put_model(server.admin, second, "second", name="Second")
    bob = server.register("bob2")
    room = bob.create_room(preset="private_chat", invite=[alice.user_id])
    alice.join(room)
    bob.put(f"/rooms/{room}/state/im.lingxi.consent/{bob.user_id}",
            {"agreed": True, "purposes": {"suggest_replies": True, "translate": True},
             "destination": {"kind": "provider", "name": "First"}, "at_ms": 1})
    first.control(fault="error_503")
    assert suggest(alice, room, [bob.send(room, "shall we go?")]).errcode == "IM.LINGXI.MODEL_UNAVAILABLE"
    assert second.requests() == [] and len(first.requests()) == 1
    assert receipts(alice)[0]["provider"] == "First" and receipts(alice)[0]["cost_micros"] == 0


def test_no_more_calls_run_at_once_than_the_server_may_have(alice, server, models):
    put_model(server.admin, models[0], "first", name="First", max_concurrent=1)
    models[0].control(answer="one after the other", delay_ms=100)
    answers = []
    threads = [threading.Thread(target=lambda n=n: answers.append(translate(alice, f"queued {n}"))) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [a.text for a in answers] == ["one after the other"] * 3


# The administrator's list.


def test_the_status_names_a_change_at_once(alice, server, models):
    assert alice.get(f"{ASSIST}/status")["model"]["model"] == "test-model"
    put_model(server.admin, models[0], "first", name="First", model="another-model")
    assert alice.get(f"{ASSIST}/status")["model"]["model"] == "another-model"
    put_model(server.admin, models[1], "second", name="Second")
    server.admin.put(f"{ADMIN}/models", {"order": ["second", "first"]})
    assert alice.get(f"{ASSIST}/status")["model"]["provider"] == "Second"
    server.admin.delete(f"{ADMIN}/models/second")
    assert alice.get(f"{ASSIST}/status")["model"]["provider"] == "First"
    put_model(server.admin, models[0], "first", name="First", enabled=False)
    assert alice.get(f"{ASSIST}/status")["model"] is None


def test_only_the_administrator_may(alice):
    for method, path in (("GET", "/models"), ("PUT", "/models/x"), ("DELETE", "/models/first"), ("PUT", "/budget"),
                         ("POST", "/models/discover"), ("POST", "/models/first/test"), ("PUT", "/models")):
        assert alice.request(method, ADMIN + path, expect=403, json={}).json()["errcode"] == "M_FORBIDDEN"


def test_bad_providers_are_refused_in_words(server):
    good = {"name": "X", "base_url": "https://api.example.com/v1", "model": "m"}
    for bad in ({"base_url": "http://api.example.com/v1"}, {"base_url": "file:///etc/passwd"}, {"model": ""},
                {"base_url": "https://user:pass@example.com/v1"}, {"max_concurrent": 0}, {"currency": "money"},
                {"input_price_micros_per_million": -1}, {"api_key": "two\nlines"}):
        answer = server.admin.request("PUT", f"{ADMIN}/models/bad", expect=400, json={**good, **bad}).json()
        assert answer["error"], bad
    server.admin.request("PUT", f"{ADMIN}/models/Not%20An%20Id", expect=400, json=good)
    assert [p["id"] for p in server.admin.get(f"{ADMIN}/models")["providers"]] == ["first"]


def test_no_two_servers_bear_one_name(server, models):
    refused = server.admin.request("PUT", f"{ADMIN}/models/another", expect=400,
                                   json={"name": "First", "base_url": models[1].url + "/v1", "model": "m"}).json()
    assert refused["errcode"] == "IM.LINGXI.MODEL_NAME_TAKEN"
    assert [p["id"] for p in server.admin.get(f"{ADMIN}/models")["providers"]] == ["first"]


def test_a_server_can_be_tried_out(server, models):
    """By a call like any other: with a reservation and a receipt."""
    trial = f"{ADMIN}/models/first/test"
    assert server.admin.post(trial)["ok"] is True
    receipt = receipts(server.admin)[0]
    assert (receipt["purpose"], receipt["outcome"], receipt["whose"]) == ("try_out", "done", [server.admin.user_id])
    assert receipt["outbound_sha256"] == sha256(models[0].requests()[0]["raw"]) and receipt["cost_micros"] > 0
    models[0].control(fault="error_401")
    assert server.admin.post(trial) == {"ok": False, "error": "model.bad_key", "latency_ms": server_number}
    assert receipts(server.admin)[0]["cost_micros"] == 0
    for fault, error in (("error_404", "model.no_such_model"), ("error_503", "model.busy"), ("error_400", "model.refused"),
                         ("garbage", "model.bad_answer")):
        models[0].control(fault=fault)
        assert server.admin.post(trial)["error"] == error
    assert used_tokens(server.admin) == spent_as_receipts_say(server.admin)
    server.admin.request("POST", f"{ADMIN}/models/nowhere/test", expect=404)


def test_a_server_that_is_off_or_left_alone_can_be_tried_out_and_is_used_again_when_it_is_well(alice, server, models):
    models[0].control(fault="error_503")
    wait_until_it_rests(alice, server)
    models[0].control(reset=True)
    assert server.admin.post(f"{ADMIN}/models/first/test")["ok"] is True
    assert server.admin.get(f"{ADMIN}/models")["providers"][0]["circuit"] == "closed"
    assert translate(alice, "well again").errcode is None
    put_model(server.admin, models[0], "first", name="First", enabled=False)
    assert server.admin.post(f"{ADMIN}/models/first/test")["ok"] is True
    assert translate(alice, "switched off").errcode == "IM.LINGXI.MODEL_UNAVAILABLE"


def test_no_server_is_tried_out_beyond_the_budget(server, models):
    server.admin.put(f"{ADMIN}/budget", {"person_tokens_per_day": used_tokens(server.admin) + 10})
    answer = server.admin.request("POST", f"{ADMIN}/models/first/test", expect=429).json()
    assert answer["errcode"] == "IM.LINGXI.BUDGET_EXHAUSTED"
    assert models[0].requests() == []
    server.admin.put(f"{ADMIN}/budget", {"person_tokens_per_day": 200_000})


class _AnyNumber:
    def __eq__(self, other):
        return isinstance(other, int)


server_number = _AnyNumber()


def test_keys_go_to_the_model_server_and_never_come_back_out(alice, server, models):
    assert translate(alice, "with a key").errcode is None
    assert models[0].requests()[0]["authorization"] == f"Bearer {KEY}"
    listed = server.admin.get(f"{ADMIN}/models")
    assert listed["providers"][0]["has_key"] is True and KEY not in str(listed)
    file = server.data / "gateway" / "gateway.toml"
    assert KEY in file.read_text() and file.stat().st_mode & 0o777 == 0o600
    assert KEY not in server.log + server.output + server.metrics()
    for path in server.data.rglob("*"):
        if path.is_file() and path != file:
            with contextlib.suppress(FileNotFoundError):  # it is renamed or deleted meanwhile
                assert KEY.encode() not in path.read_bytes(), path
    # What of the processes can be seen from outside.
    for pid in server.processes().values():
        for name in ("cmdline", "environ"):
            try:
                assert KEY.encode() not in (open(f"/proc/{pid}/{name}", "rb").read()), (pid, name)
            except OSError:
                continue  # closed to us, all the better
    put_model(server.admin, models[0], "first", name="First", base_url=models[1].url + "/v1", api_key=None)
    translate(alice, "to another address")
    assert models[1].requests()[0]["authorization"] is None, "a key does not follow to another address"


def test_the_list_survives_a_restart_and_a_kill(alice, server, models):
    server.stop()
    server.start()
    wait_for(lambda: server.admin.get(f"{ADMIN}/models")["gateway"] == "up", what="the gateway")
    assert [p["name"] for p in server.admin.get(f"{ADMIN}/models")["providers"]] == ["First"]
    assert translate(alice, "after the restart").errcode is None


def test_local_servers_are_found_on_loopback_and_never_switched_on(server, models):
    """On the port that Ollama uses; where something else has it on this machine, there is nothing to see."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 11434))
        except OSError:
            pytest.skip("port 11434 is taken on this machine")
    process = subprocess.Popen(["/usr/bin/python3", str(ROOT / "tests" / "model_server" / "model_server.py"), "--port", "11434",
                                "--model", "qwen3"], stdout=subprocess.PIPE, text=True)
    try:
        process.stdout.readline()
        ours = {"kind": "ollama", "base_url": "http://127.0.0.1:11434/v1", "models": ["qwen3"]}
        found = wait_for(lambda: ours in (all_found := server.admin.post(f"{ADMIN}/models/discover")["found"]) and all_found,
                         what="the local server")
        assert all(one["base_url"].startswith("http://127.0.0.1:") for one in found)
        assert [p["id"] for p in server.admin.get(f"{ADMIN}/models")["providers"]] == ["first"]
    finally:
        process.kill()
        process.wait(10)


def test_a_file_that_was_named_is_only_read(models, tmp_path):
    file = tmp_path / "models.toml"
    file.write_text(f'[[provider]]\nid = "fixed"\nname = "Fixed"\nbase_url = "{models[0].url}/v1"\nmodel = "m"\n'
                    f'api_key = "{KEY}"\n')
    os.chmod(file, 0o644)
    before = (file.read_text(), file.stat().st_mtime_ns)
    with Server("--gateway-config", str(file)) as server:
        admin = make_admin(server)
        wait_for(lambda: admin.get(f"{ADMIN}/models")["gateway"] == "up", what="the gateway")
        listed = admin.get(f"{ADMIN}/models")
        assert (listed["read_only"], listed["file"], [p["id"] for p in listed["providers"]]) == (True, "models.toml", ["fixed"])
        for answer in (admin.request("PUT", f"{ADMIN}/models/more", expect=403,
                                     json={"base_url": "https://api.example.com/v1", "model": "m"}),
                       admin.request("DELETE", f"{ADMIN}/models/fixed", expect=403),
                       admin.request("PUT", f"{ADMIN}/models", expect=403, json={"order": ["fixed"]})):
            assert answer.json()["errcode"] == "IM.LINGXI.READ_ONLY"
        assert translate(admin, "by the file").errcode is None
        assert not (server.data / "gateway" / "gateway.toml").exists()
    assert (file.read_text(), file.stat().st_mtime_ns) == before


def test_the_gateway_that_was_killed_is_back_and_calls_in_between_end_in_words(alice, server, models):
    models[0].control(fault="stall")
    answers = []
    under_way = threading.Thread(target=lambda: answers.append(translate(alice, "cut by a kill")))
    under_way.start()
    wait_for(lambda: models[0].requests(), what="the request at the model server")
    pid = server.processes()["gateway"]
    os.kill(pid, 9)
    under_way.join()
    assert answers[0].errcode == "IM.LINGXI.MODEL_UNAVAILABLE"
    assert (receipts(alice)[0]["outcome"], receipts(alice)[0]["left"]) == ("failed", "yes"), "its first words had come"
    models[0].control(reset=True)
    wait_for(lambda: server.processes()["gateway"] not in (None, pid), what="another gateway")
    wait_for(lambda: translate(alice, "again").errcode is None, what="an answer")
    assert used_tokens(alice) == spent_as_receipts_say(alice)


def test_logs_carry_neither_words_nor_addresses(server, models):
    output = server.log + server.output + server.metrics()
    for word in ("你好，世界", "failover", "no mixture", "从第二个来", models[0].url, KEY):
        assert word not in output, word
