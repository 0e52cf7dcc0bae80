"""A storm of sends with 1,000 kills -9 of core: what was acknowledged is there, once."""

import json
import random
import time
import urllib.parse
import urllib.request

KILLS = 1000
WRITERS = 8
ACKNOWLEDGED_A_LIFE = 20
LIFE_LIMIT_SECONDS = 60


def measure(session):
    kills = 20 if session.quick else KILLS
    directory = session.furnished()
    data = session.copy(directory / "d", "kills")
    log = session.scratch / "acknowledged"
    chance = random.Random(1)
    with session.server(data) as server:
        with session.talking_tool("load", "storm", url=server.url, people=directory / "senders.tsv", connections=WRITERS,
                                  log=log) as storm:
            for kill in range(kills):
                wait_for_acknowledged(storm, chance.randrange(ACKNOWLEDGED_A_LIFE, 2 * ACKNOWLEDGED_A_LIFE))
                server.kill()
                server.start()
                if (kill + 1) % 100 == 0:
                    session.note(f"{kill + 1} kills")
            storm.stdin.close()
            told = json.loads(storm.stdout.read().strip().splitlines()[-1])
            storm.wait(60)
        acknowledged = dict(line.split() for line in log.read_text().splitlines())
        people = [line.split("\t") for line in (directory / "senders.tsv").read_text().splitlines()[:WRITERS]]
        found, twice = {}, 0
        for _, token, room in people:
            for body, event_id in messages(server, token, room):
                twice += body in found
                found[body] = event_id
    lost = sum(found.get(txn) != event_id for txn, event_id in acknowledged.items())
    bad = lost + twice + told["refused"] + told["unfinished"]
    session.report.line(f"{kills:,} times kill -9 under sends: lost, or there twice", f"{lost} and {twice}",
                        f"{len(acknowledged):,} acknowledged, {told['repeated']:,} repeated", None, "0 and 0", bad == 0,
                        "acknowledged is synced" + (f"; {told}" if bad else ""))


def wait_for_acknowledged(storm, more):
    first = None
    end = time.monotonic() + LIFE_LIMIT_SECONDS
    while time.monotonic() < end:
        storm.stdin.write("?")
        storm.stdin.flush()
        now = int(storm.stdout.readline())
        first = now if first is None else first
        if now >= first + more:
            return
        time.sleep(0.002)
    raise RuntimeError("nothing is acknowledged any more")


def messages(server, token, room):
    """All messages of a room, by the same way as clients take."""
    since = None
    while True:
        query = {"dir": "b", "limit": 500, **({"from": since} if since else {})}
        request = urllib.request.Request(f"{server.url}/_matrix/client/v3/rooms/{room}/messages?{urllib.parse.urlencode(query)}",
                                         headers={"Authorization": "Bearer " + token})
        with urllib.request.urlopen(request, timeout=60) as answer:
            page = json.load(answer)
        for event in page["chunk"]:
            if event["type"] == "m.room.message":
                yield event["content"]["body"], event["event_id"]
        since = page.get("end")
        if not since or not page["chunk"]:
            return
