"""`--demo`: two people and a lived-in conversation, whole within the first start, and nothing invented by AI."""

import json
import re
import subprocess
from datetime import datetime, time, timedelta, timezone

import pytest
import requests

from harness import BUILD, Person, Server, wait_for


@pytest.fixture(scope="module")
def demo():
    with Server("--demo", server_name=None, registration=None) as server:
        yield server


def tokens(server):
    server.wait_for_output(r"以及 @assistant。\n")  # the note's last words, by which all of it is there
    return re.findall(r"(http\S+)/login#token=(\S+)", server.output)


def log_in(server, token):
    return requests.post(server.url + "/_matrix/client/v3/login", json={"type": "m.login.token", "token": token}, timeout=30)


@pytest.fixture(scope="module")
def people(demo):
    return [Person(demo, log_in(demo, token).json()) for _, token in tokens(demo)]


def zone_where_it_is(wall_clock):
    """The zone in which the clocks on the wall show this now."""
    now = datetime.now(timezone.utc)
    ahead = (wall_clock.hour * 60 + wall_clock.minute - now.hour * 60 - now.minute) % (24 * 60)
    return timezone(timedelta(minutes=ahead if ahead <= 12 * 60 else ahead - 24 * 60))


def moment_of(event, zone):
    return datetime.fromtimestamp(event["origin_server_ts"] / 1000, zone)


def messages(person):
    events = []
    for room_id in person.get("/joined_rooms")["joined_rooms"]:
        events += [event for event in person.timeline(room_id) if event["type"] == "m.room.message"]
    return events


def test_there_is_a_one_use_loopback_link_for_each_of_two_people(demo, people):
    assert len(tokens(demo)) == 2
    assert {base for base, _ in tokens(demo)} == {demo.url}
    assert demo.url.startswith("http://127.0.0.1:")
    assert people[0].user_id != people[1].user_id
    for _, token in tokens(demo):
        assert log_in(demo, token).status_code == 403


def test_they_share_a_conversation_in_two_languages_that_both_lived_in(people):
    said = messages(people[0])
    chinese = [e for e in said if re.search(r"[\u4e00-\u9fff]", e["content"]["body"])]
    assert len(chinese) >= 5 and len(said) - len(chinese) >= 5
    assert {e["sender"] for e in said} == {person.user_id for person in people}
    assert {e["sender"] for e in chinese} == {people[0].user_id}  # each writes one language
    assert {e["event_id"] for e in messages(people[1])} == {e["event_id"] for e in said}


def test_each_has_a_question_to_answer_with_a_suggestion_of_the_offline_method(people):
    for person in people:
        offered = []
        for room_id in person.get("/joined_rooms")["joined_rooms"]:
            last = next(e for e in person.timeline(room_id) if e["type"] == "m.room.message")
            if last["sender"] != person.user_id:
                body = {"room_id": room_id, "event_id": last["event_id"]}
                wait_for(lambda: person.post("/_lingxi/client/v1/assist/chips", body, None).get("method") == "offline",
                         seconds=180, what="the offline method")  # its index is built when it is first asked for
                offered += person.post("/_lingxi/client/v1/assist/chips", body)["suggestions"]
        assert {chip["stance"] for chip in offered} == {"accept", "decline", "ask"}
        # 林晓 is asked in English and Emma in Chinese; each is offered what they themselves would write.
        assert [bool(re.search(r"[\u4e00-\u9fff]", chip["text"])) for chip in offered] == [person is people[0]] * len(offered)


def test_no_word_of_it_is_said_to_come_from_ai_and_the_note_tells_what_a_model_adds(demo, people):
    assert "im.lingxi.ai" not in json.dumps(messages(people[0]))
    assert re.search(r"written by AI.*model.*translation.*@assistant", demo.output, re.S)
    assert re.search("AI.*模型.*翻译.*@assistant", demo.output, re.S)


@pytest.mark.parametrize("wall_clock", [time(0, 1), time(6), time(19, 58), time(23, 50)])
def test_it_was_said_from_yesterday_evening_until_just_now_whatever_the_hour(monkeypatch, wall_clock):
    here = zone_where_it_is(wall_clock)
    sign, offset = "-" if here.utcoffset(None) >= timedelta(0) else "+", abs(here.utcoffset(None))
    monkeypatch.setenv("TZ", f"HERE{sign}{offset.seconds // 3600:02}:{offset.seconds // 60 % 60:02}")  # west is plus
    with Server("--demo", server_name=None, registration=None) as server:
        now = datetime.now(here)
        person = Person(server, log_in(server, tokens(server)[0][1]).json())
        said = []
        for room_id in person.get("/joined_rooms")["joined_rooms"]:
            times = [moment_of(event, here) for event in reversed(person.timeline(room_id))]  # the room's making too
            assert times == sorted(times)
            said += [moment_of(event, here) for event in person.timeline(room_id) if event["type"] == "m.room.message"]
    yesterday = [at for at in said if at.date() == now.date() - timedelta(days=1)]
    assert len([at for at in yesterday if 20 <= at.hour < 22]) >= 10
    assert len({at.replace(second=0, microsecond=0) for at in said}) == len(said)
    assert timedelta(0) < now - max(said) < timedelta(minutes=30)
    assert len([at for at in said if now - at < timedelta(hours=2)]) >= 5


def test_a_later_start_gives_new_links_to_the_same_conversation(demo, people):
    before, used = len(messages(people[0])), tokens(demo)
    demo.stop()
    demo.start()
    assert len(tokens(demo)) == 2 and not set(tokens(demo)) & set(used)
    assert Person(demo, log_in(demo, tokens(demo)[0][1]).json()).user_id == people[0].user_id
    assert len(messages(people[0])) == before


def test_it_stands_beside_a_real_server_with_a_directory_of_its_own(tmp_path):
    command = [str(BUILD / "bin" / "lingxi"), "serve", "--demo", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        for line in process.stdout:
            if "@assistant" in line:
                break
        process.terminate()
    assert [entry.name for entry in tmp_path.iterdir()] == ["demo-data"]
