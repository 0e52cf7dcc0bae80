"""matrix-nio, a client library that people have, against the real server."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from nio import AsyncClient, LoginResponse, RoomCreateResponse, RoomMessageText, RoomSendResponse  # noqa: E402

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
        await omar.room_leave(created.room_id)
    finally:
        await nina.close()
        await omar.close()
