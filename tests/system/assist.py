"""What the tests of the assistant share: an administrator, a model server that is set up, and event streams."""

import hashlib
import json
import threading
import time

import requests

from harness import REQUEST_LIMIT_SECONDS, Person

ASSIST = "/_lingxi/client/v1/assist"
ADMIN = "/_lingxi/admin/v1"
KEY = "sk-test-0123456789abcdefghijklmnop"
# Days of the budget that do not end while the tests run: midnight in Shanghai is at 16:00 UTC, in Tokyo at 15:00.
ZONE, MIDNIGHT_UTC_HOUR = ("Asia/Tokyo", 15) if time.gmtime().tm_hour == 15 else ("Asia/Shanghai", 16)


def setup_token(server):
    """Of the link on the terminal."""
    return server.wait_for_output(r"/setup#(\S+)\s").group(1)


def make_admin(server, **changes):
    """The first administrator, by the link on the terminal."""
    token = setup_token(server)
    body = {"token": token, "server_name": server.server_name, "localpart": "wang", "password": "a long password",
            "display_name": "王管理", "room_name": "", "language": "zh", "time_zone": ZONE, **changes}
    answer = requests.post(server.url + "/_lingxi/client/v1/setup", json=body, timeout=REQUEST_LIMIT_SECONDS)
    assert answer.status_code == 200, answer.text
    return Person(server, answer.json())


def put_model(admin, upstream, model_id="test", **changes):
    body = {"name": "Test model", "base_url": upstream.url + "/v1", "model": "test-model", "currency": "CNY",
            "input_price_micros_per_million": 2_000_000, "output_price_micros_per_million": 8_000_000,
            "max_concurrent": 8, "api_key": KEY, **changes}
    admin.put(f"{ADMIN}/models/{model_id}", body)


class Stream:
    """An answer of the assistant: an error, or events that were read to their end."""

    def __init__(self, response):
        self.status = response.status_code
        self.error = None
        self.events = []
        if self.status != 200:
            self.error = response.json()
            return
        name = None
        for raw in response.iter_lines():
            line = raw.decode("utf-8")
            if line.startswith("event:"):
                name = line[6:].strip()
            elif line.startswith("data:"):
                self.events.append((name, json.loads(line[5:])))

    def all(self, name):
        return [data for event, data in self.events if event == name]

    def one(self, name):
        found = self.all(name)
        return found[0] if found else None

    @property
    def text(self):
        return "".join(delta["text"] for delta in self.all("delta"))

    @property
    def errcode(self):
        """Of whichever way it failed; nothing where it went well."""
        failure = self.error or self.one("error")
        return failure["errcode"] if failure else None


def stream(person, path, body):
    response = requests.post(person.server.url + ASSIST + path, json=body, stream=True, timeout=REQUEST_LIMIT_SECONDS * 2,
                             headers={"Authorization": f"Bearer {person.token}"})
    with response:
        return Stream(response)


def translate(person, text="Hello", target="zh", room_id=None, **more):
    """Of a draft; it stands in some chat: where none is named, in one of the person's own."""
    room_id = room_id or own_room(person)
    return stream(person, "/translations", {"room_id": room_id, "text": text, "target_language": target, **more})


own_rooms = {}
own_rooms_lock = threading.Lock()  # many are asked at once


def own_room(person):
    with own_rooms_lock:
        if person not in own_rooms:
            own_rooms[person] = person.create_room(preset="private_chat")
        return own_rooms[person]


def translate_event(person, room, event, target="zh"):
    return stream(person, "/translations", {"room_id": room, "event_id": event, "target_language": target})


def suggest(person, room, events, **more):
    return stream(person, "/suggestions", {"room_id": room, "event_ids": events, **more})


def consent(person, room, agreed=True, expect=200, state_key=None, **purposes):
    """The state event, as any Matrix client can send it."""
    body = {"agreed": agreed, "purposes": purposes or {"suggest_replies": True, "translate": True},
            "destination": {"kind": "this_machine"}, "at_ms": 1}
    return person.put(f"/rooms/{room}/state/im.lingxi.consent/{state_key or person.user_id}", body, expect)


def receipts(person):
    return person.get(f"{ASSIST}/receipts", params={"limit": 200})["receipts"]


def used_tokens(person):
    return person.get(f"{ASSIST}/status")["budget"]["used_tokens"]


def sha256(raw):
    return hashlib.sha256(raw.encode()).hexdigest()
