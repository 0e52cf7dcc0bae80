"""Who asked to be forgotten: what the server's memory held goes as well, and a kill in the middle holds nothing up."""

import sqlite3

import pytest
import requests

from assist import make_admin
from harness import REQUEST_LIMIT_SECONDS, Person, Server, wait_for

PASSWORD = "a long password"


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        running.admin = make_admin(running)
        yield running


def post(server, path, **body):
    answer = requests.post(server.url + path, json=body, timeout=REQUEST_LIMIT_SECONDS)
    assert answer.status_code == 200, answer.text
    return answer.json()


def by_password(person):
    return {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": person.user_id}, "password": PASSWORD}


def test_who_comes_back_says_nothing_of_themselves_any_more(server):
    person = server.register("coming-back")
    status = f"/presence/{person.user_id}/status"
    person.put(status, {"presence": "online", "status_msg": "at the sea"})
    person.post("/account/deactivate", {"erase": True, "auth": by_password(person)})

    server.admin.put(f"/_lingxi/admin/v1/users/{person.user_id}", {"deactivated": False})
    link = server.admin.post(f"/_lingxi/admin/v1/users/{person.user_id}/reset-link")["url"]
    post(server, "/_lingxi/client/v1/password-reset", token=link.split("#")[1], new_password=PASSWORD)
    again = Person(server, post(server, "/_matrix/client/v3/login", **by_password(person)))
    assert again.get(status) == {"presence": "offline"}


def test_an_erasure_that_a_kill_left_untold_is_done_by_the_next_start(server):
    person = server.register("cut-short")
    person.put(f"/user/{person.user_id}/account_data/im.lingxi.settings", {"language": "zh"})
    server.stop()
    path = server.data / "core" / "lingxi.db"
    with sqlite3.connect(path) as database:  # as such a kill leaves it
        number = database.execute("SELECT user_number FROM identity_accounts WHERE localpart = 'cut-short'").fetchone()[0]
        database.execute("UPDATE identity_accounts SET deactivated_at_ms = 1 WHERE user_number = ?", (number,))
        database.execute("INSERT INTO identity_news (kind, user_number, payload, created_at_ms) "
                         "VALUES ('account_deactivated', ?, '{\"erase\":true}', 1)", (number,))
    database.close()
    server.start()

    def count(query):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            return database.execute(query, (number,)).fetchone()[0]

    wait_for(lambda: count("SELECT count(*) FROM identity_news WHERE user_number = ?") == 0, what="the news to be told")
    assert count("SELECT count(*) FROM account_data WHERE user_number = ?") == 0
