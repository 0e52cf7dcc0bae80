"""No token is spent that was not reserved, and every call leaves a receipt: over the real executables."""

import json
import sqlite3
import threading

import pytest
import requests

from assist import (ADMIN, ASSIST, MIDNIGHT_UTC_HOUR, ZONE, consent, own_room, put_model, receipts, sha256, suggest, translate,
                    used_tokens)
from harness import REQUEST_LIMIT_SECONDS, wait_for
from raw_http import Connection

PEOPLE = 34  # three streams each


@pytest.fixture(scope="module")
def server(server_with_model):
    return server_with_model


@pytest.fixture(scope="module")
def people(server):
    found = [server.register(f"person{n}") for n in range(PEOPLE)]
    for person in found:
        own_room(person)  # or who translates at once would wait for each other's
    return found


@pytest.fixture(autouse=True)
def fresh(model, server):
    model.control(reset=True)
    put_model(server.admin, model)
    server.admin.put(f"{ADMIN}/budget", {"person_tokens_per_day": 200_000, "server_tokens_per_day": 2_000_000})


def server_used(server):
    return server.admin.get(f"{ADMIN}/budget")["used_today_tokens"]


def at_once(calls):
    """Runs them all at the same time; their results in order."""
    results = [None] * len(calls)
    gate = threading.Barrier(len(calls))

    def run(number):
        gate.wait()
        results[number] = calls[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def hundred_calls(people, texts="cap"):
    return [lambda p=person, n=n: translate(p, f"{texts} {n} of {p.user_id}") for person in people for n in range(3)][:100]


class Watch:
    """Reads the server's spending all the while; remembers the highest."""

    def __init__(self, server):
        self.server, self.highest, self.running = server, 0, True
        self.thread = threading.Thread(target=self.run)

    def run(self):
        is_last = False
        while not is_last:
            is_last = not self.running
            self.highest = max(self.highest, server_used(self.server))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.running = False
        self.thread.join()


def test_the_servers_days_are_those_of_the_zone_that_setup_chose(server):
    budget = server.admin.get(f"{ADMIN}/budget")
    assert budget["time_zone"] == ZONE
    assert budget["resets_at_ms"] % 86_400_000 == MIDNIGHT_UTC_HOUR * 3_600_000, "midnight there"
    server.admin.put(f"{ADMIN}/budget", {"time_zone": "UTC"})
    assert server.admin.get(f"{ADMIN}/budget")["resets_at_ms"] % 86_400_000 == 0
    assert server.admin.put(f"{ADMIN}/budget", {"time_zone": "Moon/Crater"}, expect=400)["errcode"] == "M_INVALID_PARAM"
    server.admin.put(f"{ADMIN}/budget", {"time_zone": ZONE})


def test_a_hundred_calls_at_once_at_the_servers_cap_never_pass_it(server, people, model):
    model.control(answer="回答" * 10, delay_ms=20)
    cap = server_used(server) + 25_000
    server.admin.put(f"{ADMIN}/budget", {"server_tokens_per_day": cap})
    with Watch(server) as watch:
        answers = at_once(hundred_calls(people))
    went = [a for a in answers if a.errcode is None]
    refused = [a for a in answers if a.errcode == "IM.LINGXI.BUDGET_EXHAUSTED"]
    assert len(went) + len(refused) == 100, [a.error or a.events for a in answers if a not in went + refused]
    assert went and refused
    assert all(a.status == 429 and a.error["resets_at_ms"] > 0 for a in refused)
    assert 0 < watch.highest <= cap and server_used(server) <= cap
    assert len(model.requests()) == len(went), "nothing left that was refused"


def test_a_hundred_calls_at_once_at_a_persons_cap_never_pass_it(server, people, model):
    person = people[0]
    cap = used_tokens(person) + 4_000
    server.admin.put(f"{ADMIN}/budget", {"person_tokens_per_day": cap})
    model.control(delay_ms=20)
    answers = at_once([lambda n=n: translate(person, f"mine {n}") for n in range(100)])
    codes = {a.errcode for a in answers}
    assert codes <= {None, "IM.LINGXI.BUDGET_EXHAUSTED", "M_LIMIT_EXCEEDED"} and None in codes
    assert used_tokens(person) <= cap
    assert used_tokens(person) == sum(r["input_tokens"] + r["output_tokens"] for r in receipts(person))
    assert translate(people[1], "another person has their own").errcode is None


def test_receipts_are_exact_to_the_bytes_that_the_model_server_saw(server, people, model):
    alice, bob = people[2], people[3]
    room = alice.create_room(preset="private_chat", invite=[bob.user_id])
    bob.join(room)
    consent(bob, room)
    model.control(answer="译文")
    assert translate(alice, "RECEIPTWORD draft", room_id=room).errcode is None
    model.control(answer='{"suggestions": ["好", "不", "吗"]}')
    assert suggest(alice, room, [bob.send(room, "RECEIPTWORD of bob"), alice.send(room, "and mine")]).errcode is None
    newest = receipts(alice)[:2][::-1]
    for receipt, request in zip(newest, model.requests()):
        assert receipt["outbound_sha256"] == sha256(request["raw"])
        assert receipt["outbound_bytes"] == len(request["raw"].encode())
        prompt = sum(len(m["content"]) for m in request["body"]["messages"])
        assert receipt["input_tokens"] == prompt // 4 + 1
        assert receipt["cost_micros"] == receipt["input_tokens"] * 2 + receipt["output_tokens"] * 8
        assert (receipt["currency"], receipt["provider"], receipt["model"]) == ("CNY", "Test model", "test-model")
        assert (receipt["outcome"], receipt["estimated"], receipt["on_this_machine"]) == ("done", False, True)
    draft, suggestions = newest
    assert (draft["purpose"], draft["whose"], draft["room_id"]) == ("translate", [alice.user_id], room)
    assert (suggestions["purpose"], set(suggestions["whose"]), suggestions["room_id"]) == (
        "suggest_replies", {alice.user_id, bob.user_id}, room)
    assert receipts(bob) == [] or all(r["room_id"] != room for r in receipts(bob)), "they are the caller's"
    bob.get(f"{ASSIST}/receipts/{draft['call_id']}", expect=404)
    assert alice.get(f"{ASSIST}/receipts/{draft['call_id']}") == draft
    assert "RECEIPTWORD" not in json.dumps(receipts(alice))


def test_receipts_are_paged_exported_and_erased_and_the_budget_is_not(people):
    person = people[4]
    for number in range(5):
        assert translate(person, f"page {number}").errcode is None
    first = person.get(f"{ASSIST}/receipts", params={"limit": 2})
    rest = person.get(f"{ASSIST}/receipts", params={"limit": 200, "from": first["next"]})
    listed = first["receipts"] + rest["receipts"]
    assert rest["next"] is None and len({r["call_id"] for r in listed}) == len(listed) >= 5
    export = person.request("GET", f"{ASSIST}/receipts/export")
    assert export.headers["content-type"] == "application/x-ndjson" and "attachment" in export.headers["content-disposition"]
    assert [json.loads(line) for line in export.text.splitlines()] == listed
    assert "page 1" not in export.text
    used = used_tokens(person)
    assert person.delete(f"{ASSIST}/receipts")["erased"] == len(listed)
    assert receipts(person) == [] and used_tokens(person) == used


def test_who_goes_away_before_the_turn_comes_has_sent_no_word(server, people, model):
    """The model's only place is taken; whoever waits for it presses Stop."""
    put_model(server.admin, model, max_concurrent=1)
    model.control(fault="stall", times=1)
    first, gone, last = people[:3]
    before, receipts_before = used_tokens(gone), receipts(gone)
    wish = json.dumps({"room_id": own_room(gone), "text": "taken back", "target_language": "zh"})
    with post(first, {"room_id": own_room(first), "text": "at work", "target_language": "zh"}):
        wait_for(lambda: len(model.requests()) == 1, what="the call that takes the place")
        with Connection(server) as connection:
            connection.send(f"POST {ASSIST}/translations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {gone.token}\r\n"
                            f"Content-Type: application/json\r\nContent-Length: {len(wish)}\r\n\r\n{wish}")
            wait_for(lambda: used_tokens(gone) > before, what="a reservation")
        used_tokens(last)  # some turns of the server later, before a lane gives up whoever waits in it
    assert translate(last, "asked last").errcode is None
    wait_for(lambda: used_tokens(gone) == before, what="its release")
    asked = [request["raw"] for request in model.requests()]
    assert len(asked) == 2 and not any("taken back" in raw for raw in asked)
    assert receipts(gone) == receipts_before, "what never went has no receipt"


def post(person, body):
    return requests.post(person.server.url + ASSIST + "/translations", json=body, stream=True, timeout=REQUEST_LIMIT_SECONDS,
                         headers={"Authorization": f"Bearer {person.token}"})


def test_a_kill_in_the_middle_leaves_the_budget_exact(server, people, model):
    """Who was told to go is settled at the whole hold, the rest is given back; the cap holds all the while."""
    model.control(fault="stall")
    cap = server_used(server) + 20_000
    server.admin.put(f"{ADMIN}/budget", {"server_tokens_per_day": cap})
    calls = [threading.Thread(target=lambda c=c: swallow(c)) for c in hundred_calls(people, "killed")]
    for call in calls:
        call.start()
    wait_for(lambda: model.requests(), what="the first call at the model server")
    server.kill()
    for call in calls:
        call.join()
    server.start()
    assert server_used(server) <= cap
    ended = [r for person in people for r in receipts(person)]
    assert all(r["input_tokens"] is not None for r in ended), "no receipt is left open"
    unknown = [r for r in ended if r["outcome"] == "unknown"]
    assert unknown and all(r["estimated"] for r in unknown)
    for person in people[5:]:
        assert used_tokens(person) == sum(r["input_tokens"] + r["output_tokens"] for r in receipts(person))
    seen = {sha256(r["raw"]) for r in model.requests()}
    assert seen <= {r["outbound_sha256"] for r in ended}, "nothing left without a receipt"


def swallow(call):
    try:
        call()
    except Exception:  # the server was killed under it
        pass


def test_who_is_deactivated_and_forgotten_has_no_receipts_any_more(server, people, model):
    wait_for(lambda: server.admin.get(f"{ADMIN}/models")["gateway"] == "up", what="the gateway")
    person = people[-1]
    assert translate(person, "to be forgotten").errcode is None
    used = server_used(server)
    person.post("/account/deactivate", {"erase": True, "auth": {
        "type": "m.login.password", "identifier": {"type": "m.id.user", "user": person.user_id}, "password": "a long password"}})
    database = next((server.data / "core").glob("*.db"))

    def rows(table, column):
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            return connection.execute(
                f"SELECT count(*) FROM {table} WHERE {column} = (SELECT user_number FROM identity_accounts WHERE localpart = ?)",
                (person.user_id[1:].split(":")[0],)).fetchone()[0]

    for table, column in (("model_call", "user_number"), ("model_call_words", "user_number"), ("spent_tokens", "user_number")):
        wait_for(lambda: rows(table, column) == 0, what=f"the end of {table}")
    assert rows("model_call", "user_number") == 0
    assert server_used(server) == used
