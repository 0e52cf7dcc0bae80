"""Law two, by counting: whatever becomes of the models and of the gateway, chat loses nothing and fails nothing.

Clients send and sync while AI is asked for all the time. Every send is acknowledged, every sync sees every event
once, no request of chat fails. Times are bench's affair.
"""

import os
import threading
import uuid
from collections import Counter

import pytest
import requests

from assist import ASSIST, consent, own_room, put_model
from harness import wait_for

ASSISTANT = "@assistant:test.lingxi"
MESSAGES = 40  # of each person


@pytest.fixture(scope="module")
def server(server_with_model):
    return server_with_model


@pytest.fixture(scope="module")
def people(server):
    return [server.register(name) for name in ("ann", "ben", "cai")]


@pytest.fixture(scope="module")
def askers(server):
    return [server.register(f"asker{n}") for n in range(4)]


class Chatter:
    """A person who sends, on one connection, and syncs on another."""

    def __init__(self, person, room):
        self.person, self.room = person, room
        self.sent, self.seen, self.failures = {}, Counter(), []
        self.done = threading.Event()
        self.start = person.sync()["next_batch"]
        self.threads = [threading.Thread(target=self.send), threading.Thread(target=self.read)]

    def request(self, http, method, path, **options):
        answer = http.request(method, self.person.server.url + "/_matrix/client/v3" + path, timeout=120,
                              headers={"Authorization": f"Bearer {self.person.token}"}, **options)
        if answer.status_code != 200:
            self.failures.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer

    def send(self):
        try:
            http = requests.Session()
            for number in range(MESSAGES):
                words = f"LAWTWOWORD {self.person.user_id} {number}"
                answer = self.request(http, "PUT", f"/rooms/{self.room}/send/m.room.message/{uuid.uuid4().hex}",
                                      json={"msgtype": "m.text", "body": words})
                if answer.status_code == 200:
                    self.sent[answer.json()["event_id"]] = words
        except requests.RequestException as error:
            self.failures.append(repr(error))

    def read(self):
        try:
            http, since = requests.Session(), self.start
            while True:
                is_last = self.done.is_set()
                answer = self.request(http, "GET", "/sync", params={"since": since, "timeout": 0 if is_last else 500})
                if answer.status_code != 200:
                    return
                since = answer.json()["next_batch"]
                joined = answer.json().get("rooms", {}).get("join", {}).get(self.room, {})
                timeline = joined.get("timeline", {"events": []})
                events = list(timeline["events"])
                if timeline.get("limited"):
                    events += self.gap(http, timeline["prev_batch"], {e["event_id"] for e in events})
                self.seen.update(e["event_id"] for e in events if "LAWTWOWORD" in e["content"].get("body", ""))
                if is_last and not events:
                    return
        except requests.RequestException as error:
            self.failures.append(repr(error))

    def gap(self, http, token, known):
        """What a limited timeline left out: back to where the last one ended."""
        found = []
        while True:
            page = self.request(http, "GET", f"/rooms/{self.room}/messages",
                                params={"dir": "b", "from": token, "limit": 50}).json()
            for event in page["chunk"]:
                if event["event_id"] in self.seen or event["type"] == "m.room.create":
                    return found
                if event["event_id"] not in known:
                    found.append(event)
            token = page.get("end")
            if not token:
                return found


class Nuisance:
    """Something that goes on as long as the chat does, in threads of its own."""

    def __init__(self, *turns):
        self.over = threading.Event()
        self.turns = Counter()
        self.threads = [threading.Thread(target=self.run, args=(turn,)) for turn in turns]

    def run(self, turn):
        while not self.over.is_set():
            try:
                turn(self)
            except (requests.RequestException, ValueError):
                self.turns["broken"] += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def asking(server, askers, number):
    """One turn of asking for AI, whatever comes of it; a stream is left after a while, as people do."""
    person = askers[number % len(askers)]
    room = own_room(person)

    def turn(nuisance):
        answer = requests.post(server.url + ASSIST + "/translations", stream=True, timeout=(60, 2),
                               json={"room_id": room, "text": "please " + uuid.uuid4().hex, "target_language": "zh"},
                               headers={"Authorization": f"Bearer {person.token}"})
        with answer:
            nuisance.turns[answer.status_code] += 1
            for _ in answer.iter_content(1024):
                if nuisance.over.is_set():
                    break
        if answer.status_code != 200:
            nuisance.over.wait(0.05)

    return turn


def mentioning(asker, room):
    def turn(nuisance):
        try:
            asker.send(room, content={"msgtype": "m.text", "body": "@assistant ALSOWORD?", "m.mentions": {"user_ids": [ASSISTANT]}})
            nuisance.turns["mention"] += 1
        except AssertionError:
            nuisance.turns["mention refused"] += 1
        nuisance.over.wait(0.5)

    return turn


def killing(server):
    def turn(nuisance):
        pid = server.processes().get("gateway")
        if pid:
            try:
                os.kill(pid, 9)
                nuisance.turns["kill"] += 1
            except ProcessLookupError:
                pass
        nuisance.over.wait(1)

    return turn


def chat_through(server, people, askers, *nuisances, until=lambda nuisance: True):
    """All of them chat in one room while the nuisances go on; returns what the nuisances did."""
    room = people[0].create_room(preset="private_chat", invite=[ASSISTANT, *(p.user_id for p in people[1:]), askers[0].user_id])
    for person in [*people[1:], askers[0]]:
        person.join(room)
        consent(person, room)
    chatters = [Chatter(person, room) for person in people]
    with Nuisance(*(turn(room) for turn in nuisances)) as nuisance:
        for chatter in chatters:
            for thread in chatter.threads:
                thread.start()
        for chatter in chatters:
            chatter.threads[0].join()
        wait_for(lambda: nuisance.turns["mention"] and until(nuisance), seconds=60, what="the nuisance")
    for chatter in chatters:
        chatter.done.set()
        chatter.threads[1].join()

    everything = {}
    for chatter in chatters:
        assert chatter.failures == []
        assert len(chatter.sent) == MESSAGES
        everything.update(chatter.sent)
    for chatter in chatters:
        assert set(chatter.seen) == set(everything), "each sync sees every event"
        assert set(chatter.seen.values()) == {1}, "once"
    assert nuisance.turns["mention refused"] == 0, "they are messages like any other"
    return nuisance.turns


FAULTS = {"black-holed": "hang", "answering 503": "error_503", "sending garbage": "garbage", "cutting streams": "cut",
          "stalling": "stall", "endless": "endless"}


@pytest.mark.parametrize("what", FAULTS)
def test_chat_does_not_notice_a_model_server_that_is(server, people, askers, model, what):
    model.control(reset=True)
    put_model(server.admin, model)
    model.control(fault=FAULTS[what])
    turns = chat_through(server, people, askers,
                         lambda room: asking(server, askers, 0), lambda room: asking(server, askers, 1),
                         lambda room: mentioning(askers[0], room), until=lambda nuisance: model.requests())
    assert model.requests(), turns


def test_chat_does_not_notice_ten_times_too_many_calls(server, people, askers, model):
    model.control(reset=True)
    put_model(server.admin, model, max_concurrent=2)
    model.control(delay_ms=200)
    turns = chat_through(server, people, askers,
                         *(lambda room, n=n: asking(server, askers, n) for n in range(20)),
                         lambda room: mentioning(askers[0], room),
                         until=lambda nuisance: nuisance.turns[429] + nuisance.turns[503] > 0)
    assert turns[429] + turns[503] > 0, "the flood is told no, and chat is not"
    put_model(server.admin, model)


def test_chat_does_not_notice_a_gateway_that_is_killed_every_second(server, people, askers, model):
    model.control(reset=True)
    put_model(server.admin, model)
    turns = chat_through(server, people, askers, lambda room: killing(server),
                         lambda room: asking(server, askers, 0), lambda room: asking(server, askers, 1),
                         lambda room: mentioning(askers[0], room), until=lambda nuisance: nuisance.turns["kill"] >= 3)
    assert turns["kill"] >= 3
    wait_for(lambda: server.admin.get("/_lingxi/admin/v1/models")["gateway"] == "up", seconds=120, what="the gateway")


def test_chat_does_not_notice_a_gateway_that_stands_still(server, people, askers, model):
    """Stopped, not killed: it takes calls and never answers one."""
    model.control(reset=True)
    gateway = wait_for(lambda: server.processes().get("gateway"), what="the gateway")
    os.kill(gateway, 19)
    try:
        turns = chat_through(server, people, askers, lambda room: asking(server, askers, 0),
                             lambda room: mentioning(askers[0], room), until=lambda nuisance: nuisance.turns["mention"] > 1)
    finally:
        os.kill(gateway, 18)
    assert turns["mention"] > 1


def test_logs_and_metrics_of_all_this_carry_no_text(server):
    output = server.log + server.output + server.metrics()
    for word in ("LAWTWOWORD", "ALSOWORD", "please ", "more and more", "模型译文"):
        assert word not in output, word
