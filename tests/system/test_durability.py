"""What was acknowledged is there after kill -9, once."""

import threading
import uuid

import requests

from harness import Server

KILLS = 20
WRITERS = 4


def test_a_storm_of_sends_with_twenty_kills_finds_every_acknowledged_event_once():
    with Server() as server:
        person = server.register("alice")
        room = person.create_room(name="storm")
        acknowledged = {}  # transaction id → event id
        lock = threading.Lock()
        running = True

        def write(number):
            http = requests.Session()
            pending = None
            while running or pending:
                txn = pending or f"{number}-{uuid.uuid4().hex}"
                pending = txn
                try:
                    answer = http.put(f"{server.url}/_matrix/client/v3/rooms/{room}/send/m.room.message/{txn}",
                                      headers={"Authorization": f"Bearer {person.token}"},
                                      json={"msgtype": "m.text", "body": txn}, timeout=10)
                except requests.RequestException:
                    if not running:
                        return
                    http = requests.Session()
                    continue  # the server is down: the same transaction again, as a client does
                if answer.status_code == 200:
                    with lock:
                        acknowledged[txn] = answer.json()["event_id"]
                    pending = None

        threads = [threading.Thread(target=write, args=(n,)) for n in range(WRITERS)]
        for thread in threads:
            thread.start()
        for _ in range(KILLS):
            before = len(acknowledged)
            while len(acknowledged) < before + 20:
                if not any(thread.is_alive() for thread in threads):
                    break
                threading.Event().wait(0.01)
            server.kill()
            server.start()
        running = False
        for thread in threads:
            thread.join(60)

        found = {}
        token = None
        while True:
            page = person.get(f"/rooms/{room}/messages", params={"dir": "b", "limit": 500, **({"from": token} if token else {})})
            for event in page["chunk"]:
                if event["type"] == "m.room.message":
                    assert event["content"]["body"] not in found, "an event stands twice"
                    found[event["content"]["body"]] = event["event_id"]
            token = page.get("end")
            if not token or not page["chunk"]:
                break
        assert len(acknowledged) >= KILLS * 20
        assert {txn: found.get(txn) for txn in acknowledged} == acknowledged
