"""Rooms, who is in them, their state, aliases and the directory of published rooms."""

import uuid

from conftest import PASSWORD, confirm


def alias_of(probe, word):
    return f"#{word}.{'older' if probe.older else 'new'}:test.lingxi"


def localpart_of(alias):
    return alias[1:].split(":")[0]


def test_creating_rooms(probe):
    alice, bob = probe.person("maker"), probe.person("made.with")
    alias = alias_of(probe, "first")
    room = probe("createRoom", who=alice, body={
        "preset": "private_chat", "visibility": "public", "room_alias_name": localpart_of(alias), "name": "第一", "topic": "words",
        "invite": [bob.user_id], "is_direct": True, "room_version": "12", "creation_content": {"m.federate": False},
        "initial_state": [{"type": "org.example.state", "state_key": "k", "content": {"a": 1}}],
        "power_level_content_override": {"events_default": 0}})["room_id"]
    assert room in probe("getJoinedRooms", who=alice)["joined_rooms"]
    probe("createRoom", who=alice, body={"room_version": "11", "preset": "trusted_private_chat", "invite": [bob.user_id]})
    probe("createRoom", who=alice, body={"preset": "public_chat"})
    probe("createRoom", who=alice, body={"room_alias_name": localpart_of(alias)}, status=400, code="M_ROOM_IN_USE")
    probe("createRoom", who=alice, body={"room_version": "1"}, status=400, code="M_UNSUPPORTED_ROOM_VERSION")
    probe("createRoom", who=alice, body={"power_level_content_override": {"users": {alice.user_id: 10, "@x:test.lingxi": 500}},
                                         "room_version": "11", "name": "no"}, status=400, code="M_INVALID_ROOM_STATE")
    probe("createRoom", who=alice, data=b"{", status=400, code="M_NOT_JSON")
    probe("createRoom", who=alice, data=[], status=400, code="M_BAD_JSON")
    mail = {"address": "a@example.org", "medium": "email", "id_server": "example.org", "id_access_token": "x"}
    probe("createRoom", who=alice, body={"invite_3pid": [mail]}, status=403)


def test_aliases_and_the_directory(probe):
    alice, bob = probe.person("namer"), probe.person("namer.other")
    alias, other = alias_of(probe, "named"), alias_of(probe, "unnamed")
    room = probe("createRoom", who=alice, body={"preset": "public_chat", "name": "published"})["room_id"]
    probe("setRoomAlias", {"roomAlias": alias}, alice, {"room_id": room})
    probe("setRoomAlias", {"roomAlias": alias}, alice, {"room_id": room}, status=409, code="M_UNKNOWN")
    probe("setRoomAlias", {"roomAlias": "no alias"}, alice, {"room_id": room}, status=400, code="M_INVALID_PARAM")
    assert probe("getRoomIdByAlias", {"roomAlias": alias}) == {"room_id": room, "servers": ["test.lingxi"]}
    probe("getRoomIdByAlias", {"roomAlias": "no alias"}, status=400, code="M_INVALID_PARAM")
    probe("getRoomIdByAlias", {"roomAlias": other}, status=404, code="M_NOT_FOUND")
    assert probe("getLocalAliases", {"roomId": room}, alice) == {"aliases": [alias]}
    probe("getLocalAliases", {"roomId": room}, bob, status=403, code="M_FORBIDDEN")
    probe("getLocalAliases", {"roomId": "no room id"}, alice, status=400, code="M_INVALID_PARAM")

    at = {"roomId": room, "eventType": "m.room.canonical_alias", "stateKey": ""}
    probe("setRoomStateWithKey", at, alice, {"alias": alias})
    probe("setRoomStateWithKey", at, alice, {"alias": other}, status=400, code="M_BAD_ALIAS")
    probe("setRoomStateWithKey", at, alice, {"alias": "no alias"}, status=400, code="M_INVALID_PARAM")

    assert probe("getRoomVisibilityOnDirectory", {"roomId": room}) == {"visibility": "private"}
    probe("setRoomVisibilityOnDirectory", {"roomId": room}, alice, {"visibility": "public"})
    assert probe("getRoomVisibilityOnDirectory", {"roomId": room}) == {"visibility": "public"}
    probe("getRoomVisibilityOnDirectory", {"roomId": "!none:test.lingxi"}, status=404, code="M_NOT_FOUND")
    probe("setRoomVisibilityOnDirectory", {"roomId": "!none:test.lingxi"}, alice, {"visibility": "public"}, status=404, code="M_NOT_FOUND")
    probe("setRoomVisibilityOnDirectory", {"roomId": room}, bob, {"visibility": "private"}, status=403, code="M_FORBIDDEN")

    listed = probe("getPublicRooms", who=bob, query={"limit": 50})
    assert room in [entry["room_id"] for entry in listed["chunk"]]
    page = probe("getPublicRooms", who=bob, query={"limit": 1})
    assert page["next_batch"] and probe("getPublicRooms", who=bob, query={"limit": 1, "since": page["next_batch"]})["prev_batch"]
    found = probe("queryPublicRooms", who=bob, body={"limit": 50, "filter": {"generic_search_term": "publish", "room_types": [None]}})
    assert room in [entry["room_id"] for entry in found["chunk"]]
    summary = probe("getRoomSummary", {"roomIdOrAlias": room}, bob)
    assert summary["join_rule"] == "public" and summary["num_joined_members"] == 1
    assert probe("getRoomSummary", {"roomIdOrAlias": alias}, alice)["membership"] == "join"
    probe("getRoomSummary", {"roomIdOrAlias": "!none:test.lingxi"}, bob, status=404, code="M_NOT_FOUND")

    probe("deleteRoomAlias", {"roomAlias": alias}, alice)
    probe("deleteRoomAlias", {"roomAlias": alias}, alice, status=404, code="M_NOT_FOUND")


def test_coming_and_going(probe):
    alice, bob, carol = probe.person("host"), probe.person("guest"), probe.person("stranger")
    room = probe("createRoom", who=alice, body={"preset": "private_chat"})["room_id"]
    at = {"roomId": room}
    probe("joinRoomById", at, bob, {}, status=403, code="M_FORBIDDEN")
    probe("joinRoom", {"roomIdOrAlias": room}, bob, {}, status=403, code="M_FORBIDDEN")
    probe("inviteUser", at, alice, {"user_id": bob.user_id, "reason": "come"})
    invited = probe("sync", who=bob)["rooms"]["invite"][room]["invite_state"]["events"]
    assert "m.room.create" in [event["type"] for event in invited]
    assert probe("joinRoomById", at, bob, {"reason": "yes"}) == {"room_id": room}
    probe("inviteUser", at, alice, {"user_id": carol.user_id})
    assert probe("joinRoom", {"roomIdOrAlias": room}, carol, {}) == {"room_id": room}
    probe("inviteUser", at, alice, {"user_id": bob.user_id}, status=403, code="M_FORBIDDEN")
    probe("inviteUser", at, alice, data=b"{", status=400, code="M_NOT_JSON")
    probe("inviteUser", at, alice, data=[], status=400, code="M_BAD_JSON")
    mail = {"address": "a@example.org", "medium": "email", "id_server": "example.org", "id_access_token": "x"}
    probe("inviteBy3PID", at, alice, mail, status=403)

    members = probe("getJoinedMembersByRoom", at, bob)["joined"]
    assert set(members) == {alice.user_id, bob.user_id, carol.user_id}
    assert all(isinstance(member["display_name"], str) for member in members.values())  # matrix-nio refuses one without
    for target, status in ((carol.user_id, 200), (carol.user_id, 403)):
        probe("kick", at, alice, {"user_id": target, "reason": "out"}, status=status, code="M_FORBIDDEN" if status == 403 else None)
    probe("getJoinedMembersByRoom", at, carol, status=403, code="M_FORBIDDEN")
    probe("ban", at, bob, {"user_id": carol.user_id}, status=403, code="M_FORBIDDEN")
    probe("ban", at, alice, {"user_id": carol.user_id})
    probe("unban", at, bob, {"user_id": carol.user_id}, status=403, code="M_FORBIDDEN")
    probe("unban", at, alice, {"user_id": carol.user_id})
    probe("unban", at, alice, {"user_id": carol.user_id}, status=403, code="M_FORBIDDEN")
    probe("forgetRoom", at, bob, status=400, code="M_UNKNOWN")
    probe("leaveRoom", at, bob, {"reason": "bye"})
    probe("forgetRoom", at, bob)
    left = probe("sync", who=carol, query={"filter": '{"room":{"include_leave":true}}'})["rooms"]["leave"]
    assert room in left


def test_knocking(probe):
    alice, bob = probe.person("door"), probe.person("knocker")
    open_to_knocks = {"initial_state": [{"type": "m.room.join_rules", "content": {"join_rule": "knock"}}]}
    room = probe("createRoom", who=alice, body=open_to_knocks)["room_id"]
    assert probe("knockRoom", {"roomIdOrAlias": room}, bob, {"reason": "please"}) == {"room_id": room}
    assert room in probe("sync", who=bob)["rooms"]["knock"]
    closed = probe("createRoom", who=alice, body={})["room_id"]
    probe("knockRoom", {"roomIdOrAlias": closed}, bob, {}, status=403, code="M_FORBIDDEN")
    probe("knockRoom", {"roomIdOrAlias": alias_of(probe, "nowhere")}, bob, {}, status=404, code="M_NOT_FOUND")
    probe("leaveRoom", {"roomId": room}, bob, {})


def test_state(probe):
    alice, bob, carol = probe.person("state"), probe.person("state.member"), probe.person("state.stranger")
    room = probe("createRoom", who=alice, body={"invite": [bob.user_id], "name": "stately"})["room_id"]
    probe("joinRoomById", {"roomId": room}, bob, {})
    at = {"roomId": room, "eventType": "m.room.topic", "stateKey": ""}
    assert probe("setRoomStateWithKey", at, alice, {"topic": "状态"})["event_id"].startswith("$")
    probe("setRoomStateWithKey", at, bob, {"topic": "not mine"}, status=403, code="M_FORBIDDEN")
    assert probe("getRoomStateWithKey", at, bob)["topic"] == "状态"
    event = probe("getRoomStateWithKey", at, bob, query={"format": "event"})
    assert event["sender"] == alice.user_id and event["state_key"] == ""
    probe("getRoomStateWithKey", at, carol, status=403, code="M_FORBIDDEN")
    probe("getRoomStateWithKey", {**at, "stateKey": "none"}, bob, status=404, code="M_NOT_FOUND")
    state = probe("getRoomState", {"roomId": room}, bob)
    assert {"m.room.create", "m.room.member", "m.room.power_levels", "m.room.topic"} <= {event["type"] for event in state}
    probe("getRoomState", {"roomId": room}, carol, status=403, code="M_FORBIDDEN")
    members = probe("getMembersByRoom", {"roomId": room}, bob, query={"membership": "join"})["chunk"]
    assert {event["state_key"] for event in members} == {alice.user_id, bob.user_id}
    assert probe("getMembersByRoom", {"roomId": room}, bob, query={"not_membership": "join"})["chunk"] == []
    before = probe("sync", who=bob)["next_batch"]
    probe("leaveRoom", {"roomId": room}, bob, {})
    probe("sync", who=alice)
    then = probe("getMembersByRoom", {"roomId": room}, alice, query={"at": before, "membership": "join"})["chunk"]
    assert {event["state_key"] for event in then} == {alice.user_id, bob.user_id}
    probe("inviteUser", {"roomId": room}, alice, {"user_id": bob.user_id})
    probe("joinRoomById", {"roomId": room}, bob, {})
    probe("getMembersByRoom", {"roomId": room}, bob, query={"membership": "sleeping"}, status=400, code="M_INVALID_PARAM")
    probe("getMembersByRoom", {"roomId": room}, carol, status=403, code="M_FORBIDDEN")


def test_the_state_key_may_be_left_out(probe):
    """Where it is empty, clients leave it away, with the slash and without."""
    alice = probe.person("keyless")
    room = probe("createRoom", who=alice, body={})["room_id"]
    path = f"/_matrix/client/{'r0' if probe.older else 'v3'}/rooms/{room}/state/m.room.name"
    for end, name in (("", "one"), ("/", "two")):
        alice.put(path + end, {"name": name})
        assert alice.get(path + end) == {"name": name}


def test_upgrade(probe):
    alice, bob = probe.person("upgrader"), probe.person("upgrader.other")
    room = probe("createRoom", who=alice, body={"room_version": "11", "preset": "public_chat", "name": "old"})["room_id"]
    probe("joinRoomById", {"roomId": room}, bob, {})
    probe("upgradeRoom", {"roomId": room}, alice, {"new_version": "1"}, status=400, code="M_UNSUPPORTED_ROOM_VERSION")
    probe("upgradeRoom", {"roomId": room}, bob, {"new_version": "12"}, status=403, code="M_FORBIDDEN")
    new = probe("upgradeRoom", {"roomId": room}, alice, {"new_version": "12"})["replacement_room"]
    assert probe("getRoomStateWithKey", {"roomId": room, "eventType": "m.room.tombstone", "stateKey": ""}, alice)["replacement_room"] == new


def test_what_was_deactivated_is_nobody(probe):
    alice, bob = probe.person("survivor"), probe.person("vanished")
    room = probe("createRoom", who=alice, body={})["room_id"]
    auth = confirm(bob.user_id, PASSWORD, probe("deactivateAccount", who=bob, body={}, status=401)["session"])
    probe("deactivateAccount", who=bob, body={"auth": auth})
    probe("inviteUser", {"roomId": room}, alice, {"user_id": bob.user_id}, status=404, code="M_NOT_FOUND")
    probe("sendMessage", {"roomId": room, "eventType": "m.room.message", "txnId": uuid.uuid4().hex}, alice,
          {"msgtype": "m.text", "body": "alone"})
