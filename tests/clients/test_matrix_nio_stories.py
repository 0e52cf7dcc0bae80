"""matrix-nio through an ordinary life: what is written, seen, read and survived. (Every answer alone: test_matrix_nio.py.)"""

import asyncio
import io
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

import pytest  # noqa: E402
from nio import (AsyncClient, DownloadResponse, LoginError, LoginResponse,  # noqa: E402
                 MessageDirection, ProfileGetResponse, RoomContextResponse, RoomCreateResponse, RoomGetEventResponse,
                 RoomInviteResponse, RoomKickResponse, RoomMemberEvent, RoomMessageText, RoomMessagesResponse,
                 RoomPreset, RoomPutStateResponse, RoomRedactResponse, RoomResolveAliasResponse, RoomSendResponse,
                 RoomVisibility, SyncResponse, TypingNoticeEvent, UploadResponse)

from harness import Server  # noqa: E402

PASSWORD = "a long password"
FILTER = {"room": {"timeline": {"limit": 50}}}


def user_id(name):
    return f"@{name}:test.lingxi"


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        for name in ("nina", "omar", "pia"):
            running.register(name, PASSWORD)
        yield running


def story(server, tell, *names):
    """Runs `tell(clients...)` with a logged-in client for each name."""

    async def run():
        clients = [AsyncClient(server.url, user_id(name)) for name in names]
        try:
            for client in clients:
                assert isinstance(await client.login(PASSWORD), LoginResponse)
            await tell(*clients)
        finally:
            for client in clients:
                await client.close()

    asyncio.run(run())


async def until(client, condition, what):
    """Syncs until the client sees it."""
    for _ in range(60):
        if condition():
            return
        client.heard = await client.sync(timeout=1000, sync_filter=FILTER)
        assert isinstance(client.heard, SyncResponse)
    raise AssertionError(f"{client.user_id} never saw {what}")


async def room_of(creator, *others, **options):
    created = await creator.room_create(invite=[other.user_id for other in others], **options)
    assert isinstance(created, RoomCreateResponse), created
    for other in others:
        await until(other, lambda: created.room_id in other.invited_rooms, "the invitation")
        await other.join(created.room_id)
    for client in (creator, *others):
        await until(client, lambda: created.room_id in client.rooms, "the room")
    return created.room_id


async def say(client, room, body, **more):
    sent = await client.room_send(room, "m.room.message", {"msgtype": "m.text", "body": body, **more})
    assert isinstance(sent, RoomSendResponse), sent
    return sent.event_id


def heard_by(client):
    heard = []
    client.add_event_callback(lambda room, event: heard.append((room.room_id, event.event_id, event.body)), RoomMessageText)
    return heard


def test_two_clients_chat_read_type_and_leave(server):
    async def tell(nina, omar):
        room = await room_of(nina, omar, name="nio")
        assert omar.rooms[room].display_name == "nio"
        heard, typing = heard_by(omar), []
        nina.add_ephemeral_callback(lambda _, event: typing.append(list(event.users)), TypingNoticeEvent)
        sent = [await say(nina, room, f"hello {n}") for n in range(3)]
        await until(omar, lambda: len(heard) == 3, "the messages")
        assert heard == [(room, event, f"hello {n}") for n, event in enumerate(sent)]
        assert omar.rooms[room].unread_notifications == 3
        await omar.room_typing(room, True)
        await until(nina, lambda: typing and typing[-1] == [omar.user_id], "omar typing")
        await omar.room_read_markers(room, sent[-1], sent[-1])
        await until(omar, lambda: omar.rooms[room].unread_notifications == 0, "nothing unread")
        await until(nina, lambda: omar.user_id in nina.rooms[room].read_receipts, "the receipt")
        await omar.room_leave(room)
        await until(nina, lambda: omar.user_id not in nina.rooms[room].users, "omar's leave")

    story(server, tell, "nina", "omar")


def test_a_kick_a_ban_and_the_way_back(server):
    async def tell(nina, pia):
        room = await room_of(nina, pia)
        assert isinstance(await nina.room_kick(room, pia.user_id, "a moment"), RoomKickResponse)
        await until(pia, lambda: room in pia.heard.rooms.leave, "the kick")
        assert isinstance(await nina.room_invite(room, pia.user_id), RoomInviteResponse)
        await until(pia, lambda: room in pia.invited_rooms, "the invitation")
        await pia.join(room)
        await nina.room_ban(room, pia.user_id)
        await until(pia, lambda: room in pia.heard.rooms.leave, "the ban")
        assert type(await pia.join(room)).__name__ == "JoinError"
        await nina.room_unban(room, pia.user_id)
        await nina.room_invite(room, pia.user_id)
        await pia.join(room)
        await until(nina, lambda: set(nina.rooms[room].users) == {nina.user_id, pia.user_id}, "pia's return")

    story(server, tell, "nina", "pia")


def test_history_context_edits_and_redaction(server):
    async def tell(nina, omar):
        room = await room_of(nina, omar)
        sent = [await say(nina, room, str(n)) for n in range(25)]
        found, token = [], ""
        while token is not None:
            page = await omar.room_messages(room, token, limit=7, direction=MessageDirection.back)
            assert isinstance(page, RoomMessagesResponse), page
            found += [event.event_id for event in page.chunk if isinstance(event, RoomMessageText)]
            token = page.end or None
        assert found == sent[::-1]
        around = await omar.room_context(room, sent[12], limit=4)
        assert isinstance(around, RoomContextResponse)
        assert [event.event_id for event in around.events_after] == sent[13:15]
        edit = await say(nina, room, "* new", **{"m.new_content": {"msgtype": "m.text", "body": "new"},
                                                 "m.relates_to": {"rel_type": "m.replace", "event_id": sent[0]}})
        shown = await omar.room_get_event(room, sent[0])
        assert isinstance(shown, RoomGetEventResponse)
        assert shown.event.source["unsigned"]["m.relations"]["m.replace"]["event_id"] == edit
        assert isinstance(await nina.room_redact(room, sent[1], "no"), RoomRedactResponse)
        gone = await omar.room_get_event(room, sent[1])
        assert gone.event.source["content"] == {}

    story(server, tell, "nina", "omar")


def test_a_file_goes_up_and_comes_down_and_a_name_is_changed(server):
    async def tell(nina, omar):
        room = await room_of(nina, omar)
        data = bytes(range(256)) * 20
        uploaded, _ = await nina.upload(io.BytesIO(data), "application/octet-stream", "bytes.bin", filesize=len(data))
        assert isinstance(uploaded, UploadResponse), uploaded
        came = await omar.download(uploaded.content_uri)
        assert isinstance(came, DownloadResponse), came
        assert came.body == data
        renamed = []
        omar.add_event_callback(lambda _, event: renamed.append(event.content.get("displayname")), RoomMemberEvent)
        await nina.set_displayname("妮娜")
        await until(omar, lambda: "妮娜" in renamed, "the new name")
        assert omar.rooms[room].user_name(nina.user_id) == "妮娜"
        profile = await omar.get_profile(nina.user_id)
        assert isinstance(profile, ProfileGetResponse) and profile.displayname == "妮娜"

    story(server, tell, "nina", "omar")


def test_state_aliases_and_a_public_room(server):
    async def tell(nina, omar):
        created = await nina.room_create(alias="plaza", name="广场", preset=RoomPreset.public_chat, visibility=RoomVisibility.public)
        assert isinstance(created, RoomCreateResponse), created
        resolved = await omar.room_resolve_alias("#plaza:test.lingxi")
        assert isinstance(resolved, RoomResolveAliasResponse) and resolved.room_id == created.room_id
        await omar.join("#plaza:test.lingxi")
        await until(omar, lambda: created.room_id in omar.rooms, "the room")
        assert omar.rooms[created.room_id].display_name == "广场"
        put = await nina.room_put_state(created.room_id, "m.room.topic", {"topic": "一件事"})
        assert isinstance(put, RoomPutStateResponse)
        await until(omar, lambda: omar.rooms[created.room_id].topic == "一件事", "the topic")

    story(server, tell, "nina", "omar")


def test_a_restart_of_the_server_in_the_middle_loses_and_doubles_nothing(server):
    async def tell(nina, omar):
        room = await room_of(nina, omar)
        heard, sent = heard_by(omar), []
        for n in range(3):
            sent += [(room, await say(nina, room, f"{n}.{i}"), f"{n}.{i}") for i in range(4)]
            await asyncio.to_thread(server.kill if n % 2 == 0 else server.stop)
            await asyncio.to_thread(server.start)
        await until(omar, lambda: len(heard) >= len(sent), "all of it")
        assert heard == sent

    story(server, tell, "nina", "omar")


def test_a_wrong_password_is_told_from_a_fault(server):
    async def run():
        client = AsyncClient(server.url, user_id("nina"))
        try:
            refused = await client.login("wrong")
            assert isinstance(refused, LoginError) and refused.status_code == "M_FORBIDDEN"
        finally:
            await client.close()

    asyncio.run(run())
