"""Law two: p99 of acknowledged sends while the model fails in every way, against AI off."""

import json
import os
import signal
import subprocess
import threading
import time
import urllib.request

from support.report import amount
from support.server import free_port
from support.session import median

SHARE, MORE_MS = 0.02, 1.0
RATE = 200
CALLERS, FLOOD = 8, 80

FAULTS = {
    "hung": ("hang", CALLERS), "dead": (None, CALLERS), "answering 503": ("503", CALLERS),
    "flooded ten times over": ("ok", FLOOD), "well, gateway killed every second": ("ok", CALLERS),
}


class Model:
    """The model server of the bench on a port of its own, which stays across its deaths."""

    def __init__(self, session):
        self.session, self.port, self.process = session, free_port(), None

    def be(self, mode):
        if mode is None:
            self.stop()
            return
        if self.process is None:
            self.process = subprocess.Popen(self.session.command("model", port=self.port), stdout=subprocess.PIPE, text=True)
            self.process.stdout.readline()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/mode/{mode}", method="POST", data=b"")
        urllib.request.urlopen(request, timeout=10).close()

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


def administer(server, token, method, path, body):
    request = urllib.request.Request(server.url + path, method=method, data=json.dumps(body).encode(),
                                     headers={"Authorization": "Bearer " + token, "Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=30).close()


def kill_gateway(server, until):
    while time.monotonic() < until:
        pid = server.pids().get("gateway")
        if pid:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it is being started again
        time.sleep(1)


def measure(session):
    directory = session.furnished()
    data = session.copy(directory / "d", "ai-gate")
    people = directory / "senders.tsv"
    make_administrator(data)
    token = people.read_text().split("\t")[1]
    model = Model(session)
    p99 = {name: [] for name in ("off", *FAULTS)}
    outcomes = {}
    failed = 0
    try:
        with session.server(data) as server:
            administer(server, token, "PUT", "/_lingxi/admin/v1/budget",
                       {"person_tokens_per_day": 10**11, "server_tokens_per_day": 10**12})
            session.tool("load", "send", url=server.url, people=people, connections=16, rate=RATE, ms=session.ms(2000))
            for _ in range(session.rounds):
                for name in p99:
                    sent, calls = one_segment(session, server, people, token, model, name)
                    if sent["count"] == 0:
                        raise RuntimeError(f"nothing was acknowledged while the model was {name}")
                    p99[name].append(sent["p99_ms"])
                    failed += sent["failed"]
                    for outcome, count in calls.items():
                        outcomes.setdefault(name, {}).setdefault(outcome, 0)
                        outcomes[name][outcome] += count
    finally:
        model.stop()
    off = median(p99["off"])
    for name in FAULTS:
        own = median(p99[name])
        more = median([with_ai - without for with_ai, without in zip(p99[name], p99["off"])])
        limit = off * SHARE + MORE_MS
        calls = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.get(name, {}).items()))
        session.report.line(f"p99 of sends ({RATE}/s), model {name}", amount(own, "ms") + (f", {failed} FAILED" if failed else ""),
                            f"AI off: {amount(off, 'ms')}; + {more:.2f} ms", own / off, "+ ≤ 2% + 1 ms", more <= limit and not failed,
                            f"one processor shared with AI calls ({calls})")


def one_segment(session, server, people, token, model, name):
    """So long a load of chat under one fault; what was sent, and what the AI calls came to."""
    ms = session.ms(3000)
    calls = None
    killer = None
    if name != "off":
        mode, callers = FAULTS[name]
        model.be(mode)
        # Put anew, it starts with a clean record: the faults of the segment before are not counted against it.
        put_model(server, token, model.port)
        calls = subprocess.Popen(session.command("load", "assist", url=server.url, people=people, callers=callers, ms=ms + 600),
                                 stdout=subprocess.PIPE, text=True)
        if "killed" in name:
            killer = threading.Thread(target=kill_gateway, args=(server, time.monotonic() + ms / 1000 + 0.3))
            killer.start()
    try:
        sent = session.tool("load", "send", url=server.url, people=people, connections=16, rate=RATE, ms=ms)
        said = calls.communicate(timeout=60)[0] if calls else "{}"
    finally:
        if calls and calls.poll() is None:
            calls.kill()
        if killer:
            killer.join()
    return sent, json.loads(said)


def put_model(server, token, port):
    end = time.monotonic() + 30
    while True:
        try:
            return administer(server, token, "PUT", "/_lingxi/admin/v1/models/bench",
                              {"name": "bench", "base_url": f"http://127.0.0.1:{port}/v1", "model": "bench", "max_concurrent": 4})
        except OSError:  # the gateway is being started again
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def make_administrator(data):
    """Of the first sender, while nothing runs."""
    import sqlite3
    with sqlite3.connect(data / "core" / "lingxi.db") as database:
        database.execute("UPDATE identity_accounts SET is_admin = 1 WHERE localpart = 'sender0'")
    database.close()
