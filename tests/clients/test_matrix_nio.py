"""matrix-nio, a client library that people have, against the real server."""

import asyncio
import io
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from nio import (  # noqa: E402
    AsyncClient,
    DeleteDevicesAuthResponse,
    ErrorResponse,
    LoginResponse,
    MessageDirection,
    PushRuleKind,
    RoomCreateResponse,
    RoomMessageText,
    RoomPreset,
    RoomSendResponse,
)

from harness import Server  # noqa: E402


def test_two_nio_clients_log_in_chat_and_leave():
    with Server() as server:
        for name in ("nina", "omar"):
            server.register(name)
        asyncio.run(talk(server.url))


async def talk(url):
    nina, omar = AsyncClient(url, "@nina:test.lingxi"), AsyncClient(url, "@omar:test.lingxi")
    try:
        assert isinstance(await nina.login("a long password"), LoginResponse)
        assert isinstance(await omar.login("a long password"), LoginResponse)
        created = await nina.room_create(name="nio", invite=["@omar:test.lingxi"])
        assert isinstance(created, RoomCreateResponse), created
        await omar.sync(timeout=1000)
        assert created.room_id in omar.invited_rooms
        await omar.join(created.room_id)
        heard = []
        omar.add_event_callback(lambda room, event: heard.append(event.body), RoomMessageText)
        await omar.sync(timeout=1000)
        sent = await nina.room_send(created.room_id, "m.room.message", {"msgtype": "m.text", "body": "hello from nio"})
        assert isinstance(sent, RoomSendResponse), sent
        for _ in range(10):
            await omar.sync(timeout=2000)
            if heard:
                break
        assert heard == ["hello from nio"]
        await omar.room_typing(created.room_id, True)
        await omar.room_read_markers(created.room_id, sent.event_id, sent.event_id)
        members = await nina.joined_members(created.room_id)
        assert {member.user_id for member in members.members} == {"@nina:test.lingxi", "@omar:test.lingxi"}
        await omar.room_leave(created.room_id)
    finally:
        await nina.close()
        await omar.close()


def test_nio_finds_every_answer_to_be_what_its_own_schemas_say():
    with Server() as server:
        for name in ("nina", "omar"):
            server.register(name, initial_device_display_name="web")  # nio refuses a device without a name
        asyncio.run(ask_everything(server.url))


async def ask_everything(url):
    nina, omar = AsyncClient(url, "@nina:test.lingxi"), AsyncClient(url, "@omar:test.lingxi")

    async def ok(answer):
        answer = await answer
        assert not isinstance(answer, ErrorResponse), answer
        return answer

    try:
        await ok(nina.discovery_info())
        assert "m.login.password" in (await ok(nina.login_info())).flows
        await ok(nina.login("a long password", device_name="nio"))
        await ok(omar.login("a long password"))
        assert (await ok(nina.whoami())).user_id == nina.user_id
        created = await ok(nina.room_create(name="all", alias="all", preset=RoomPreset.public_chat, topic="words"))
        room = created.room_id
        assert (await ok(omar.room_resolve_alias("#all:test.lingxi"))).room_id == room
        await ok(omar.join("#all:test.lingxi"))
        await ok(nina.set_displayname("尼娜"))
        assert (await ok(omar.get_profile(nina.user_id))).displayname == "尼娜"
        assert (await ok(omar.get_displayname(nina.user_id))).displayname == "尼娜"
        assert {member.display_name for member in (await ok(nina.joined_members(room))).members} == {"尼娜", ""}
        assert room in (await ok(nina.joined_rooms())).rooms

        sent = await ok(nina.room_send(room, "m.room.message", {"msgtype": "m.text", "body": "one"}))
        assert (await ok(omar.room_get_event(room, sent.event_id))).event.body == "one"
        assert (await ok(omar.room_context(room, sent.event_id))).event.event_id == sent.event_id
        page = await ok(omar.room_messages(room, "", limit=50, direction=MessageDirection.front))
        assert sent.event_id in [event.event_id for event in page.chunk]
        state = await ok(omar.room_get_state(room))
        assert "m.room.create" in [event["type"] for event in state.events]
        assert (await ok(omar.room_get_state_event(room, "m.room.topic"))).content["topic"] == "words"
        await ok(nina.room_put_state(room, "m.room.topic", {"topic": "more"}))
        await ok(omar.update_receipt_marker(room, sent.event_id))
        await ok(nina.room_redact(room, sent.event_id, "no"))
        await ok(nina.room_kick(room, omar.user_id))
        await ok(nina.room_ban(room, omar.user_id))
        await ok(nina.room_unban(room, omar.user_id))
        await ok(omar.room_forget(room))

        uploaded, _ = await nina.upload(io.BytesIO(b"a file"), content_type="text/plain", filename="a.txt", filesize=6)
        assert not isinstance(uploaded, ErrorResponse), uploaded
        assert (await ok(omar.download(uploaded.content_uri))).body == b"a file"
        assert (await ok(nina.content_repository_config())).upload_size > 0
        await ok(nina.set_avatar(uploaded.content_uri))
        assert (await ok(omar.get_avatar(nina.user_id))).avatar_url == uploaded.content_uri
        assert (await ok(nina.upload_filter(room={"timeline": {"limit": 5}}))).filter_id
        await ok(nina.set_presence("unavailable", "busy"))
        assert (await ok(nina.get_presence(nina.user_id))).presence == "unavailable"
        await ok(nina.get_openid_token(nina.user_id))

        await ok(nina.set_pushrule("global", PushRuleKind.room, room, actions=[]))
        await ok(nina.set_pushrule_actions("global", PushRuleKind.room, room, []))
        await ok(nina.enable_pushrule("global", PushRuleKind.room, room, False))
        await ok(nina.delete_pushrule("global", PushRuleKind.room, room))
        await ok(nina.sync(timeout=0, full_state=True))

        devices = (await ok(nina.devices())).devices
        await ok(nina.update_device(nina.device_id, {"display_name": "nio"}))
        others = [device.id for device in devices if device.id != nina.device_id]
        asked = await nina.delete_devices(others)
        assert isinstance(asked, DeleteDevicesAuthResponse), asked
        auth = {"type": "m.login.password", "session": asked.session, "user": nina.user_id, "password": "a long password"}
        await ok(nina.delete_devices(others, auth))
        assert [device.id for device in (await ok(nina.devices())).devices] == [nina.device_id]
        await ok(nina.logout())
    finally:
        await nina.close()
        await omar.close()
