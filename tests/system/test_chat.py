"""The heart of it: people in rooms, over the real executables."""

import json

import pytest
import requests


@pytest.fixture(scope="module")
def people(server):
    return server.register("alice"), server.register("bob"), server.register("carol")


def room_of(alice, *others, **options):
    room = alice.create_room(preset="private_chat", invite=[p.user_id for p in others], **options)
    for person in others:
        person.join(room)
    return room


def test_a_message_reaches_the_other_and_wakes_the_parked_sync(people):
    alice, bob, _ = people
    room = room_of(alice, bob)
    bob.sync()
    event_id = alice.send(room, "你好，灵犀")
    answer = bob.sync(timeout_ms=20000)
    events = answer["rooms"]["join"][room]["timeline"]["events"]
    assert [(e["event_id"], e["content"]["body"]) for e in events if e["type"] == "m.room.message"] == [(event_id, "你好，灵犀")]


def test_the_same_transaction_sends_once(people):
    alice, bob, _ = people
    room = room_of(alice, bob)
    first = alice.send(room, "once", txn_id="same")
    assert alice.send(room, "once", txn_id="same") == first
    assert sum(e["content"].get("body") == "once" for e in alice.timeline(room)) == 1
    second_device = requests.post(alice.server.url + "/_matrix/client/v3/login", timeout=30, json={
        "type": "m.login.password", "identifier": {"type": "m.id.user", "user": "alice"}, "password": "a long password"}).json()
    other = alice.http.put(f"{alice.server.url}/_matrix/client/v3/rooms/{room}/send/m.room.message/same",
                           headers={"Authorization": "Bearer " + second_device["access_token"]},
                           json={"msgtype": "m.text", "body": "of another device"}, timeout=30).json()
    assert other["event_id"] != first


@pytest.mark.parametrize("version", ["11", "12"])
def test_rooms_of_both_versions_work(people, version):
    alice, bob, carol = people
    room = room_of(alice, bob, room_version=version)
    assert room.endswith(":test.lingxi") is (version == "11")
    bob.send(room, "in " + version)
    carol.get(f"/rooms/{room}/state", expect=403)
    alice.post(f"/rooms/{room}/kick", {"user_id": bob.user_id})
    bob.send(room, "after", expect=403)
    alice.post(f"/rooms/{room}/ban", {"user_id": bob.user_id})
    bob.join(room, expect=403)
    alice.post(f"/rooms/{room}/unban", {"user_id": bob.user_id})
    alice.post(f"/rooms/{room}/invite", {"user_id": bob.user_id})
    bob.join(room)
    bob.send(room, "back")


def test_an_edit_a_reaction_and_a_redaction_are_seen_by_the_other(people):
    alice, bob, _ = people
    room = room_of(alice, bob)
    original = alice.send(room, "helo")
    alice.send(room, content={"msgtype": "m.text", "body": "* hello", "m.new_content": {"msgtype": "m.text", "body": "hello"},
                              "m.relates_to": {"rel_type": "m.replace", "event_id": original}})
    bob.send(room, type="m.reaction", content={"m.relates_to": {"rel_type": "m.annotation", "event_id": original, "key": "👍"}})
    seen = bob.get(f"/rooms/{room}/event/{original}")
    assert seen["unsigned"]["m.relations"]["m.replace"]["content"]["m.new_content"]["body"] == "hello"
    reactions = bob.get(f"/_matrix/client/v1/rooms/{room}/relations/{original}/m.annotation")["chunk"]
    assert [r["content"]["m.relates_to"]["key"] for r in reactions] == ["👍"]

    secret = alice.send(room, "a secret that must go")
    alice.put(f"/rooms/{room}/redact/{secret}/r1", {})
    gone = bob.get(f"/rooms/{room}/event/{secret}")
    assert gone["content"] == {} and "redacted_because" in gone["unsigned"]
    bob.put(f"/rooms/{room}/redact/{original}/r2", {}, expect=403)


def test_typing_receipts_and_unread_counts_follow_what_is_read(people):
    alice, bob, _ = people
    room = room_of(alice, bob)
    bob.sync()
    last = [alice.send(room, f"{n}") for n in range(3)][-1]
    alice.put(f"/rooms/{room}/typing/{alice.user_id}", {"typing": True, "timeout": 20000})
    joined = bob.sync()["rooms"]["join"][room]
    assert joined["unread_notifications"]["notification_count"] == 3
    assert any(e["type"] == "m.typing" and alice.user_id in e["content"]["user_ids"] for e in joined["ephemeral"]["events"])
    bob.post(f"/rooms/{room}/receipt/m.read/{last}", {})
    assert bob.sync()["rooms"]["join"][room]["unread_notifications"]["notification_count"] == 0
    receipts = [e for e in alice.sync()["rooms"]["join"][room]["ephemeral"]["events"] if e["type"] == "m.receipt"]
    assert bob.user_id in receipts[0]["content"][last]["m.read"]


def test_history_is_paged_both_ways_without_gap_or_repetition(people):
    alice, bob, _ = people
    room = room_of(alice, bob)
    sent = [alice.send(room, str(n)) for n in range(25)]
    found, token = [], None
    while True:
        page = bob.get(f"/rooms/{room}/messages", params={"dir": "b", "limit": 7, **({"from": token} if token else {})})
        found += [e["event_id"] for e in page["chunk"] if e["type"] == "m.room.message"]
        token = page.get("end")
        if not token:
            break
    assert found == sent[::-1]
    around = bob.get(f"/rooms/{room}/context/{sent[12]}", params={"limit": 6})
    assert around["event"]["event_id"] == sent[12]
    forward = bob.get(f"/rooms/{room}/messages", params={"dir": "f", "limit": 5, "from": around["end"]})
    ids = [e["event_id"] for e in forward["chunk"]]
    assert ids == sent[sent.index(ids[0]):][:5]


def test_a_gap_in_the_timeline_comes_with_the_state_across_it(people):
    alice, bob, _ = people
    room = room_of(alice, bob)
    bob.sync()
    alice.put(f"/rooms/{room}/state/m.room.topic/", {"topic": "changed in the gap"})
    for n in range(30):
        alice.send(room, str(n))
    joined = bob.sync()["rooms"]["join"][room]
    assert joined["timeline"]["limited"] is True
    topics = [e for e in joined["state"]["events"] if e["type"] == "m.room.topic"]
    assert topics and topics[0]["content"]["topic"] == "changed in the gap"


def test_names_are_found_by_a_part_and_by_pinyin(server, people):
    alice, *_ = people
    wang = server.register("wang")
    wang.put(f"/profile/{wang.user_id}/displayname", {"displayname": "王小明"})
    for term in ("小明", "xiaoming", "wxm"):
        found = alice.post("/user_directory/search", {"search_term": term})["results"]
        assert wang.user_id in [r["user_id"] for r in found], term


def test_a_profile_change_shows_in_rooms(people):
    alice, bob, _ = people
    room = room_of(alice, bob)
    alice.put(f"/profile/{alice.user_id}/displayname", {"displayname": "Alice 爱丽丝"})

    def shown():
        return bob.get(f"/rooms/{room}/joined_members")["joined"][alice.user_id].get("display_name")

    from harness import wait_for
    wait_for(lambda: shown() == "Alice 爱丽丝", what="the new name in the room")


def test_account_data_tags_and_filters_come_back(people):
    alice, bob, _ = people
    room = room_of(alice, bob)
    alice.put(f"/user/{alice.user_id}/account_data/im.lingxi.settings", {"language": "zh"})
    alice.put(f"/user/{alice.user_id}/rooms/{room}/tags/m.favourite", {"order": 0.5})
    filter_id = alice.post(f"/user/{alice.user_id}/filter", {"room": {"timeline": {"limit": 1}}})["filter_id"]
    alice.since = None
    answer = alice.sync(filter=filter_id)
    assert {"type": "im.lingxi.settings", "content": {"language": "zh"}} in answer["account_data"]["events"]
    assert len(answer["rooms"]["join"][room]["timeline"]["events"]) == 1
    assert "m.favourite" in json.dumps(answer["rooms"]["join"][room]["account_data"])


def test_what_was_acknowledged_and_who_is_logged_in_survive_a_restart(server, people):
    alice, bob, _ = people
    room = room_of(alice, bob)
    event = alice.send(room, "before the restart", txn_id="restart")
    server.stop()
    server.start()
    assert alice.get(f"/rooms/{room}/event/{event}")["content"]["body"] == "before the restart"
    assert alice.send(room, "before the restart", txn_id="restart") == event
    assert bob.get("/account/whoami")["user_id"] == bob.user_id
