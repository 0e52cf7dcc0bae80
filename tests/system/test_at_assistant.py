"""@assistant from a plain Matrix client: whom it answers, with whose words, how, and once."""

import threading

import pytest
import requests

from assist import put_model, receipts
from harness import wait_for

ASSISTANT = "@assistant:test.lingxi"


@pytest.fixture(scope="module")
def server(server_with_model):
    return server_with_model


@pytest.fixture(scope="module")
def people(server):
    return server.register("alice"), server.register("bob")


@pytest.fixture(autouse=True)
def fresh_model(model, server):
    model.control(reset=True)
    put_model(server.admin, model)


def said_by_assistant(person, room):
    """Its messages, oldest first, edits left out."""
    found = [e for e in reversed(person.timeline(room)) if e["sender"] == ASSISTANT and e["type"] == "m.room.message"]
    return [e for e in found if "m.new_content" not in e["content"]]


def edits_by_assistant(person, room):
    return [e for e in reversed(person.timeline(room, 500))
            if e["sender"] == ASSISTANT and "m.new_content" in e["content"]]


def as_it_reads(person, room, event_id):
    event = person.get(f"/rooms/{room}/event/{event_id}")
    edit = event.get("unsigned", {}).get("m.relations", {}).get("m.replace")
    return edit["content"]["m.new_content"] if edit else event["content"]


def with_assistant(person, *others):
    """It is invited like anybody, joins by itself, and says who it is."""
    room = person.create_room(preset="private_chat", invite=[ASSISTANT, *(p.user_id for p in others)])
    for other in others:
        other.join(room)
    wait_for(lambda: said_by_assistant(person, room), what="the greeting")
    return room


def answers(person, room, count=1):
    """The answers that stand after the greeting, once there are this many and each is whole."""
    def settled():
        found = said_by_assistant(person, room)[1:]
        return found if len(found) >= count else None
    return wait_for(settled, seconds=60, what=f"{count} answers")


def mention(person, room, words, txn_id=None):
    return person.send(room, txn_id=txn_id, content={"msgtype": "m.text", "body": words,
                                                     "m.mentions": {"user_ids": [ASSISTANT]}})


def test_in_a_chat_of_two_it_answers_every_message_and_marks_it_as_ai(people, model):
    alice, _ = people
    room = with_assistant(alice)
    greeting = said_by_assistant(alice, room)[0]["content"]
    assert "im.lingxi.ai" not in greeting, "its own words are no model's"
    model.control(answer="我是一个程序。")
    alice.send(room, "你是谁")
    [answer] = answers(alice, room)
    wait_for(lambda: as_it_reads(alice, room, answer["event_id"])["body"] == "我是一个程序。", what="the answer")
    content = as_it_reads(alice, room, answer["event_id"])
    assert content["msgtype"] == "m.notice"
    assert content["im.lingxi.ai"]["kind"] == "generated" and content["im.lingxi.ai"]["model"] == "test-model"
    [request] = model.requests()
    assert [m["content"] for m in request["body"]["messages"][1:]] == ["你是谁"]


def test_in_a_group_it_answers_who_mentions_it_and_hears_nobody_else(people, model):
    alice, bob = people
    room = with_assistant(alice, bob)
    bob.send(room, "BOBWORD not for it")
    said = bob.send(room, "BOBWORD again")
    for content in ({"msgtype": "m.text", "body": "just between us"}, {"msgtype": "m.notice", "body": f"{ASSISTANT} a bot"}):
        alice.send(room, content=content)
    question = alice.send(room, content={
        "msgtype": "m.text", "body": f"> <{bob.user_id}> BOBWORD again\n\n@assistant: what does he mean?",
        "m.mentions": {"user_ids": [ASSISTANT]}, "m.relates_to": {"m.in_reply_to": {"event_id": said}}})
    [answer] = answers(alice, room)
    assert answer["content"]["m.relates_to"]["m.in_reply_to"]["event_id"] == question
    assert answer["content"]["m.mentions"]["user_ids"] == [alice.user_id]
    bob.send(room, "so what do you think, @assistant?")  # a client without pills
    answers(alice, room, 2)
    asked = [request["body"]["messages"][-1]["content"] for request in model.requests()]
    assert asked == ["what does he mean?", "so what do you think, @assistant?"]
    assert "BOBWORD" not in "".join(request["raw"] for request in model.requests())


def test_a_room_that_forbids_ai_is_told_so_and_nothing_leaves(people, model):
    alice, bob = people
    room = with_assistant(alice, bob)
    alice.put(f"/rooms/{room}/state/im.lingxi.ai_policy/", {"ai": "forbidden"})
    mention(bob, room, "@assistant are you there?")
    [answer] = answers(bob, room)
    assert "does not allow AI" in answer["content"]["body"] and "im.lingxi.ai" not in answer["content"]
    assert model.requests() == []


def test_a_long_answer_comes_by_edits_at_most_one_a_second_and_twenty_in_all(people, model):
    alice, _ = people
    room = with_assistant(alice)
    text = "".join(f"第{n}段话说完了。" for n in range(30))
    model.control(answer=text, delay_ms=120)
    alice.send(room, "讲个长故事")
    [answer] = answers(alice, room)
    wait_for(lambda: as_it_reads(alice, room, answer["event_id"])["body"] == text, seconds=120, what="the whole answer")
    edits = edits_by_assistant(alice, room)
    assert 2 <= len(edits) <= 20
    times = [answer["origin_server_ts"], *(e["origin_server_ts"] for e in edits)]
    assert all(later - earlier >= 1000 for earlier, later in zip(times, times[1:])), times
    for edit in edits:
        assert edit["content"]["m.relates_to"] == {"rel_type": "m.replace", "event_id": answer["event_id"]}
        assert edit["content"]["m.new_content"]["im.lingxi.ai"]["kind"] == "generated", "each state of it is marked"
        assert text.startswith(edit["content"]["m.new_content"]["body"])


def test_it_is_seen_to_be_writing(people, model):
    alice, _ = people
    room = with_assistant(alice)
    model.control(fault="stall")
    alice.sync()
    alice.send(room, "hello?")

    def typing(there):
        answer = alice.sync(timeout_ms=1000)
        for event in answer["rooms"].get("join", {}).get(room, {}).get("ephemeral", {}).get("events", []):
            if event["type"] == "m.typing" and (ASSISTANT in event["content"]["user_ids"]) is there:
                return True
        return False

    wait_for(lambda: typing(True), what="the notice that it writes")
    alice.post(f"/rooms/{room}/kick", {"user_id": ASSISTANT})
    wait_for(lambda: typing(False), what="the end of the notice")


def test_in_an_encrypted_room_it_says_once_that_it_cannot_read(people, model):
    alice, _ = people
    room = with_assistant(alice)
    alice.put(f"/rooms/{room}/state/m.room.encryption/", {"algorithm": "m.megolm.v1.aes-sha2"})
    [words] = answers(alice, room)
    assert "end-to-end encrypted" in words["content"]["body"]
    for _ in range(3):
        alice.send(room, type="m.room.encrypted", content={"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x"})
    other = with_assistant(alice)
    alice.send(other, "and here?")
    answers(alice, other)
    assert len(said_by_assistant(alice, room)) == 2 and len(model.requests()) == 1


def test_the_call_is_the_askers_in_budget_and_receipt(people, model):
    alice, bob = people
    room = with_assistant(alice, bob)
    before = len(receipts(alice))
    mention(bob, room, "@assistant what is two and two?")
    answers(alice, room)
    wait_for(lambda: receipts(bob) and receipts(bob)[0]["outcome"] == "done", what="the receipt")
    newest = receipts(bob)[0]
    assert (newest["purpose"], newest["whose"], newest["room_id"]) == ("converse", [bob.user_id], room)
    assert len(receipts(alice)) == before


@pytest.mark.parametrize("moment", ["while it writes", "before it began"])
def test_kill_9_in_the_middle_answers_once(people, server, model, moment):
    alice, _ = people
    room = with_assistant(alice)
    text = "".join(f"句子{n}。" for n in range(40))
    model.control(answer=text, delay_ms=300)
    question = alice.send(room, "问题 " + moment)
    if moment == "while it writes":
        answers(alice, room)
    server.kill()
    server.start()
    wait_for(lambda: server.processes().get("gateway"), what="the gateway")
    [answer] = answers(alice, room)

    def is_over():
        """The last state of it: whole, or said to be interrupted; then it stays so."""
        body = as_it_reads(alice, room, answer["event_id"])["body"]
        return body == text or "restarted" in body or "重启" in body
    wait_for(is_over, seconds=120, what="the end of the answer")
    other = with_assistant(alice)  # its turn comes after what is left of the question
    model.control(reset=True)
    alice.send(other, "and now?")
    answers(alice, other)
    assert len(said_by_assistant(alice, room)) == 2, "the greeting and one answer"
    converse = [r for r in receipts(alice) if r["room_id"] == room]
    assert len(converse) <= 1, "one question, one call"
    if moment == "while it writes":
        assert converse[0]["outcome"] == "unknown" and converse[0]["estimated"] is True
    assert alice.get(f"/rooms/{room}/event/{question}")["content"]["body"].startswith("问题")


def refused_questions(server):
    return sum(int(float(line.split()[-1])) for line in server.metrics().splitlines()
               if line.startswith("assistant_queue_refused_total"))


def test_many_questions_at_once_are_all_answered_once_or_their_askers_are_told(people, server, model):
    alice, bob = people
    room = with_assistant(alice, bob)
    before = refused_questions(server)
    threads = [threading.Thread(target=mention, args=(person, room, f"@assistant question {n}"))
               for n in range(12) for person in (alice, bob)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    def settled():
        said = said_by_assistant(alice, room)[1:]
        answered = [e for e in said if "im.lingxi.ai" in e["content"]]
        lines = [e for e in said if "im.lingxi.ai" not in e["content"]]
        refused = refused_questions(server) - before
        is_whole = len(answered) == len(threads) - refused and bool(lines) == (refused > 0)
        return (said, lines, refused) if is_whole else None
    said, lines, refused = wait_for(settled, seconds=60, what="answers and lines")
    replied_to = [e["content"]["m.relates_to"]["m.in_reply_to"]["event_id"] for e in said]
    assert len(set(replied_to)) == len(replied_to)
    assert len(lines) <= refused
    assert all(len(e["content"]["m.mentions"]["user_ids"]) == 1 for e in lines)


def test_it_cannot_be_logged_into_nor_registered(server):
    login = requests.post(server.url + "/_matrix/client/v3/login", timeout=30, json={
        "type": "m.login.password", "identifier": {"type": "m.id.user", "user": "assistant"}, "password": ""})
    assert login.status_code == 403
    register = requests.post(server.url + "/_matrix/client/v3/register", timeout=30, json={
        "username": "assistant", "password": "a long password", "auth": {"type": "m.login.dummy"}})
    assert register.status_code == 400 and register.json()["errcode"] in ("M_USER_IN_USE", "M_EXCLUSIVE", "M_INVALID_USERNAME")


def test_logs_carry_no_text_of_questions_and_answers(server):
    output = server.log + server.output + server.metrics()
    for word in ("BOBWORD", "长故事", "一个程序", "what is two", "句子1", "第1段"):
        assert word not in output, word
