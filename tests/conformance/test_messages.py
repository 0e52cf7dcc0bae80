"""Sending, reading, what relates to an event, and what is new."""

import json
import uuid

from harness import wait_for


def send(probe, room, who, content, event_type="m.room.message", **more):
    at = {"roomId": room, "eventType": event_type, "txnId": uuid.uuid4().hex}
    answer = probe("sendMessage", at, who, content, **more)
    return answer.get("event_id", answer)


def text(body, **more):
    return {"msgtype": "m.text", "body": body, **more}


def two_in_a_room(probe, name):
    alice, bob = probe.person(f"{name}.a"), probe.person(f"{name}.b")
    room = probe("createRoom", who=alice, body={"invite": [bob.user_id]})["room_id"]
    probe("joinRoomById", {"roomId": room}, bob, {})
    return alice, bob, room


def test_sending_and_reading(probe):
    alice, bob, room = two_in_a_room(probe, "read")
    stranger = probe.person("read.c")
    ids = [send(probe, room, alice if n % 2 else bob, text(f"第 {n}")) for n in range(6)]
    reaction = {"m.relates_to": {"rel_type": "m.annotation", "event_id": ids[2], "key": "👍"}}
    send(probe, room, bob, reaction, "m.reaction")
    send(probe, room, bob, reaction, "m.reaction", status=400, code="M_DUPLICATE_ANNOTATION")
    send(probe, room, stranger, text("let me in"), status=403, code="M_FORBIDDEN")
    assert send(probe, "!none:test.lingxi", alice, text("nowhere"), status=403)["errcode"] == "M_FORBIDDEN"

    at = {"roomId": room, "eventId": ids[3]}
    assert probe("getOneRoomEvent", at, bob)["content"]["body"] == "第 3"
    probe("getOneRoomEvent", {"roomId": room, "eventId": "$none"}, bob, status=404, code="M_NOT_FOUND")
    probe("getOneRoomEvent", at, stranger, status=404, code="M_NOT_FOUND")
    context = probe("getEventContext", at, bob, query={"limit": 4})
    assert context["event"]["event_id"] == ids[3] and context["start"] and context["end"] and context["state"]
    lazy = probe("getEventContext", at, bob, query={"limit": 2, "filter": json.dumps({"lazy_load_members": True})})
    assert {event["state_key"] for event in lazy["state"] if event["type"] == "m.room.member"} == {alice.user_id, bob.user_id}
    probe("getEventContext", {"roomId": room, "eventId": "$none"}, bob, status=404, code="M_NOT_FOUND")

    page = probe("getRoomEvents", {"roomId": room}, bob, query={"dir": "b", "limit": 3})
    assert len(page["chunk"]) == 3 and page["start"] and page["end"]
    probe("getRoomEvents", {"roomId": room}, bob, query={"dir": "b", "limit": 100, "from": page["end"]})
    oldest = probe("getRoomEvents", {"roomId": room}, bob, query={"dir": "f", "limit": 100})
    assert oldest["chunk"][0]["type"] == "m.room.create"
    probe("getRoomEvents", {"roomId": room}, stranger, query={"dir": "b"}, status=403, code="M_FORBIDDEN")
    probe("getRoomEvents", {"roomId": room}, bob, query={"dir": "sideways"}, status=400, code="M_INVALID_PARAM")

    when = probe("getOneRoomEvent", at, bob)["origin_server_ts"]
    assert probe("getEventByTimestamp", {"roomId": room}, bob, query={"ts": when, "dir": "f"})["origin_server_ts"] >= when
    probe("getEventByTimestamp", {"roomId": room}, bob, query={"ts": when + 10**9, "dir": "f"}, status=404, code="M_NOT_FOUND")

    secret = send(probe, room, alice, text("take this back"))
    gone = probe("redactEvent", {"roomId": room, "eventId": secret, "txnId": uuid.uuid4().hex}, alice, {"reason": "slip"})
    redacted = probe("getOneRoomEvent", {"roomId": room, "eventId": secret}, bob)
    assert redacted["content"] == {} and redacted["unsigned"]["redacted_because"]["event_id"] == gone["event_id"]
    probe("redactEvent", {"roomId": room, "eventId": ids[1], "txnId": uuid.uuid4().hex}, bob, {}, status=403, code="M_FORBIDDEN")


def test_the_same_transaction_is_the_same_event(probe):
    alice, _, room = two_in_a_room(probe, "txn")
    at = {"roomId": room, "eventType": "m.room.message", "txnId": "the-same"}
    assert probe("sendMessage", at, alice, text("once")) == probe("sendMessage", at, alice, text("once"))


def test_relations_and_threads(probe):
    alice, bob, room = two_in_a_room(probe, "relate")
    stranger = probe.person("relate.c")
    root = send(probe, room, alice, text("root"))
    for n in range(3):
        send(probe, room, bob, text(f"in the thread {n}", **{"m.relates_to": {"rel_type": "m.thread", "event_id": root}}))
    edit = text("* better", **{"m.new_content": text("better"), "m.relates_to": {"rel_type": "m.replace", "event_id": root}})
    send(probe, room, alice, edit)
    send(probe, room, bob, {"m.relates_to": {"rel_type": "m.annotation", "event_id": root, "key": "👍"}}, "m.reaction")
    send(probe, room, bob, text("a reply", **{"m.relates_to": {"m.in_reply_to": {"event_id": root}}}))

    relations = probe("getOneRoomEvent", {"roomId": room, "eventId": root}, alice)["unsigned"]["m.relations"]
    assert relations["m.thread"]["count"] == 3 and relations["m.replace"]["content"]["m.new_content"]["body"] == "better"
    at = {"roomId": room, "eventId": root}
    assert len(probe("getRelatingEvents", at, alice)["chunk"]) == 5
    assert len(probe("getRelatingEventsWithRelType", {**at, "relType": "m.thread"}, alice, query={"limit": 2})["chunk"]) == 2
    narrow = {**at, "relType": "m.annotation", "eventType": "m.reaction"}
    assert len(probe("getRelatingEventsWithRelTypeAndEventType", narrow, alice)["chunk"]) == 1
    deep = probe("getRelatingEvents", at, alice, query={"recurse": "true"})
    assert deep["recursion_depth"] >= 3
    for operation, more in (("getRelatingEvents", {}), ("getRelatingEventsWithRelType", {"relType": "m.thread"}),
                            ("getRelatingEventsWithRelTypeAndEventType", {"relType": "m.thread", "eventType": "m.room.message"})):
        probe(operation, {"roomId": room, "eventId": "$none", **more}, alice, status=404, code="M_NOT_FOUND")
        probe(operation, {"roomId": room, "eventId": root, **more}, stranger, status=404, code="M_NOT_FOUND")

    second = send(probe, room, bob, text("second root"))
    send(probe, room, alice, text("there too", **{"m.relates_to": {"rel_type": "m.thread", "event_id": second}}))
    threads = probe("getThreadRoots", {"roomId": room}, bob)["chunk"]
    assert [event["event_id"] for event in threads] == [second, root]
    page = probe("getThreadRoots", {"roomId": room}, bob, query={"limit": 1})
    assert probe("getThreadRoots", {"roomId": room}, bob, query={"from": page["next_batch"]})["chunk"][0]["event_id"] == root
    probe("getThreadRoots", {"roomId": room}, bob, query={"include": "participated"})
    probe("getThreadRoots", {"roomId": room}, bob, query={"include": "everything"}, status=400, code="M_INVALID_PARAM")
    probe("getThreadRoots", {"roomId": room}, stranger, status=403, code="M_FORBIDDEN")


def test_sync_and_its_parts(probe):
    alice, bob, room = two_in_a_room(probe, "sync")
    first = probe("sync", who=bob)
    assert room in first["rooms"]["join"] and first["next_batch"]
    event = send(probe, room, alice, text("look, @bob"))
    probe("setTyping", {"roomId": room, "userId": alice.user_id}, alice, {"typing": True, "timeout": 30_000})
    probe("postReceipt", {"roomId": room, "receiptType": "m.read", "eventId": event}, alice, {"thread_id": "main"})
    probe("setPresence", {"userId": alice.user_id}, alice, {"presence": "online", "status_msg": "在"})
    probe("setAccountData", {"userId": bob.user_id, "type": "org.example.data"}, bob, {"a": 1})
    probe("setRoomTag", {"userId": bob.user_id, "roomId": room, "tag": "m.favourite"}, bob, {"order": 0.5})

    since, found = first["next_batch"], {}

    def has_all():
        nonlocal since
        news = probe("sync", who=bob, query={"since": since, "timeout": 2000})
        since = news["next_batch"]
        for part in news["rooms"]["join"].get(room, {}) if "rooms" in news else ():
            found[part] = news["rooms"]["join"][room][part]
        for part in ("presence", "account_data"):
            if news.get(part, {}).get("events"):
                found["own" if part == "account_data" else part] = news[part]["events"]
        return {"timeline", "ephemeral", "account_data", "unread_notifications", "presence", "own"} <= set(found)

    wait_for(has_all, what="every part of a sync")
    probe("sync", who=bob, query={"full_state": "true", "since": since})
    lazy = probe("defineFilter", {"userId": bob.user_id}, bob, {
        "room": {"state": {"lazy_load_members": True}, "timeline": {"limit": 1, "unread_thread_notifications": True}},
        "event_format": "client", "event_fields": ["type", "content", "sender", "event_id", "origin_server_ts", "state_key"],
        "presence": {"not_types": ["*"]}, "account_data": {"types": []}})["filter_id"]
    assert probe("getFilter", {"userId": bob.user_id, "filterId": lazy}, bob)["room"]["timeline"]["limit"] == 1
    probe("getFilter", {"userId": bob.user_id, "filterId": "999"}, bob, status=404, code="M_NOT_FOUND")
    short = probe("sync", who=bob, query={"filter": lazy})["rooms"]["join"][room]
    assert short["timeline"]["limited"] is True and short["timeline"]["prev_batch"]
    probe("sync", who=bob, query={"since": "nonsense"}, status=400, code="M_INVALID_PARAM")
    probe("sync", who=bob, query={"filter": "{"}, status=400)


def test_both_spellings_of_state_after(probe):
    """The stable one of the specification, and the one that clients were released with."""
    alice, bob, room = two_in_a_room(probe, "after")
    for spelling, key in (("use_state_after", "state_after"), ("org.matrix.msc4222.use_state_after", "org.matrix.msc4222.state_after")):
        joined = probe("sync", who=bob, query={spelling: "true"})["rooms"]["join"][room]
        assert key in joined and "state" not in joined, joined.keys()
        assert alice.user_id in [event["state_key"] for event in joined[key]["events"] if event["type"] == "m.room.member"] + \
            [event.get("state_key") for event in joined["timeline"]["events"]]


def test_marks_typing_and_presence(probe):
    alice, bob, room = two_in_a_room(probe, "marks")
    stranger = probe.person("marks.c")
    event = send(probe, room, alice, text("read me"))
    at = {"roomId": room, "receiptType": "m.read.private", "eventId": event}
    probe("postReceipt", at, bob, {})
    probe("postReceipt", {**at, "receiptType": "m.unheard"}, bob, {}, status=400, code="M_INVALID_PARAM")
    probe("postReceipt", at, bob, {"thread_id": ""}, status=400, code="M_INVALID_PARAM")
    probe("setReadMarker", {"roomId": room}, bob, {"m.fully_read": event, "m.read": event, "m.read.private": event})
    probe("setTyping", {"roomId": room, "userId": bob.user_id}, bob, {"typing": True})
    probe("setTyping", {"roomId": room, "userId": bob.user_id}, bob, {"typing": False})
    probe("setTyping", {"roomId": room, "userId": alice.user_id}, bob, {"typing": True}, status=403, code="M_FORBIDDEN")
    probe("setPresence", {"userId": bob.user_id}, bob, {"presence": "unavailable"})
    assert probe("getPresence", {"userId": bob.user_id}, alice)["presence"] == "unavailable"
    probe("setPresence", {"userId": alice.user_id}, bob, {"presence": "online"}, status=403, code="M_FORBIDDEN")
    probe("getPresence", {"userId": bob.user_id}, stranger, status=403, code="M_FORBIDDEN")
    probe("getPresence", {"userId": "@nobody:test.lingxi"}, alice, status=404, code="M_NOT_FOUND")


def test_account_data_and_tags(probe):
    alice, bob, room = two_in_a_room(probe, "data")
    own = {"userId": alice.user_id, "type": "org.example.remarks"}
    probe("setAccountData", own, alice, {"names": {bob.user_id: "小包"}})
    assert probe("getAccountData", own, alice) == {"names": {bob.user_id: "小包"}}
    probe("getAccountData", {**own, "type": "none"}, alice, status=404, code="M_NOT_FOUND")
    assert probe("getAccountData", {**own, "type": "m.push_rules"}, alice)["global"]
    for operation in ("getAccountData", "setAccountData"):
        body = {"a": 1} if operation == "setAccountData" else None
        probe(operation, {**own, "userId": bob.user_id}, alice, body, status=403, code="M_FORBIDDEN")
    for managed in ("m.push_rules", "m.fully_read"):
        probe("setAccountData", {**own, "type": managed}, alice, {"a": 1}, status=405, code="M_BAD_JSON")
    probe("setAccountData", own, alice, data=b"{", status=400, code="M_NOT_JSON")
    probe("setAccountData", own, alice, data=[], status=400, code="M_BAD_JSON")

    at = {**own, "roomId": room}
    probe("setAccountDataPerRoom", at, alice, {"muted": True})
    assert probe("getAccountDataPerRoom", at, alice) == {"muted": True}
    probe("getAccountDataPerRoom", {**at, "type": "none"}, alice, status=404, code="M_NOT_FOUND")
    for operation in ("getAccountDataPerRoom", "setAccountDataPerRoom"):
        body = {"a": 1} if operation == "setAccountDataPerRoom" else None
        probe(operation, {**at, "userId": bob.user_id}, alice, body, status=403, code="M_FORBIDDEN")
        probe(operation, {**at, "roomId": "no room id"}, alice, body, status=400, code="M_INVALID_PARAM")
    probe("setAccountDataPerRoom", {**at, "type": "m.fully_read"}, alice, {"event_id": "$x"}, status=405, code="M_BAD_JSON")
    probe("setAccountDataPerRoom", at, alice, data=b"{", status=400, code="M_NOT_JSON")
    probe("setAccountDataPerRoom", at, alice, data=[], status=400, code="M_BAD_JSON")

    tag = {"userId": alice.user_id, "roomId": room, "tag": "u.工作"}
    probe("setRoomTag", tag, alice, {"order": 0.25})
    assert probe("getRoomTags", {"userId": alice.user_id, "roomId": room}, alice) == {"tags": {"u.工作": {"order": 0.25}}}
    probe("deleteRoomTag", tag, alice)
    assert probe("getRoomTags", {"userId": alice.user_id, "roomId": room}, alice) == {"tags": {}}


def test_push_rules_and_pushers(probe):
    alice, bob, room = two_in_a_room(probe, "push")
    assert probe("getPushRules", who=alice)["global"]["override"]
    assert probe("getPushRulesGlobal", who=alice)["underride"]
    mute = {"kind": "room", "ruleId": room}
    probe("setPushRule", mute, alice, {"actions": []})
    assert probe("getPushRule", mute, alice)["actions"] == []
    word = {"kind": "content", "ruleId": "org.example.word"}
    probe("setPushRule", word, alice, {"actions": ["notify", {"set_tweak": "highlight"}], "pattern": "灵犀"})
    probe("setPushRule", {"kind": "override", "ruleId": "mine"}, alice, {
        "actions": ["notify"], "conditions": [{"kind": "event_match", "key": "type", "pattern": "m.room.message"}]})
    probe("setPushRule", {"kind": "override", "ruleId": "other"}, alice, {"actions": []}, query={"before": "mine"})
    for before in ("none", "lost"):
        probe("setPushRule", {"kind": "override", "ruleId": "lost"}, alice, {"actions": []}, query={"before": before}, status=400,
              code="M_UNKNOWN")
    master = {"kind": "override", "ruleId": ".m.rule.master"}
    probe("setPushRuleEnabled", master, alice, {"enabled": True})
    assert probe("isPushRuleEnabled", master, alice) == {"enabled": True}
    probe("setPushRuleEnabled", master, alice, {"enabled": False})
    probe("setPushRuleActions", word, alice, {"actions": ["notify"]})
    assert probe("getPushRuleActions", word, alice) == {"actions": ["notify"]}
    none = {"kind": "override", "ruleId": "none"}
    for operation, body in (("getPushRule", None), ("deletePushRule", None), ("isPushRuleEnabled", None), ("getPushRuleActions", None),
                            ("setPushRuleEnabled", {"enabled": True}), ("setPushRuleActions", {"actions": []})):
        probe(operation, none, alice, body, status=404, code="M_NOT_FOUND")
    probe("deletePushRule", word, alice)

    pusher = {"app_id": "org.example", "pushkey": "key", "kind": "http", "app_display_name": "App", "device_display_name": "phone",
              "lang": "zh", "data": {"url": "https://push.example.org/_matrix/push/v1/notify", "format": "event_id_only"}}
    probe("postPusher", who=alice, body=pusher)
    shown = probe("getPushers", who=alice)["pushers"]
    assert [row["pushkey"] for row in shown] == ["key"]
    probe("postPusher", who=alice, body={key: value for key, value in pusher.items() if key != "lang"}, status=400, code="M_MISSING_PARAM")
    probe("postPusher", who=alice, body={"app_id": "org.example", "pushkey": "key", "kind": None})
    assert probe("getPushers", who=alice)["pushers"] == []

    send(probe, room, bob, text(f"hello {alice.user_id}", **{"m.mentions": {"user_ids": [alice.user_id]}}))
    probe("deletePushRule", mute, alice)
    for rule in ("mine", "other"):
        probe("deletePushRule", {"kind": "override", "ruleId": rule}, alice)
    send(probe, room, bob, text("heard", **{"m.mentions": {"user_ids": [alice.user_id]}}))
    notified = probe("getNotifications", who=alice, query={"limit": 10})["notifications"]
    assert notified[0]["event"]["content"]["body"] == "heard" and notified[0]["read"] is False
    probe("getNotifications", who=alice, query={"only": "highlight", "limit": 1})
