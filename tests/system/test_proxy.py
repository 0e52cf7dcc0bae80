"""The reverse proxy of docs/operations.md: its very text, before a real server. Needs nginx; says so where there is none."""

import os
import re
import shutil
import subprocess
import threading

import pytest
import requests

from harness import ROOT, Person, Server, free_port, wait_for

NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

MAIN = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
{site}
}}
"""


class From(requests.adapters.HTTPAdapter):
    """Connections from another address than the proxy's own."""

    def init_poolmanager(self, *arguments, **options):
        super().init_poolmanager(*arguments, source_address=("127.0.0.2", 0), **options)


@pytest.fixture
def proxied(tmp_path):
    """(the server, the proxy's address), by the configuration that the page shows."""
    page = (ROOT / "docs" / "operations.md").read_text()
    site = re.search(r"```nginx\n(.*?)```", page, re.S).group(1)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=chat.example.org", "-days", "2",
                    "-keyout", tmp_path / "key.pem", "-out", tmp_path / "fullchain.pem"], check=True, capture_output=True)
    port, plain = free_port(), free_port()
    with Server("--public-url", "https://chat.example.org", "--trusted-proxies", "127.0.0.1", "--rate-limits", "on") as server:
        site = (site.replace("127.0.0.1:8008", server.listen).replace("listen 443", f"listen 127.0.0.1:{port}")
                .replace("listen [::]:443 ssl http2;", "").replace("listen 80", f"listen 127.0.0.1:{plain}").replace("listen [::]:80;", "")
                .replace("/etc/letsencrypt/live/chat.example.org/fullchain.pem", str(tmp_path / "fullchain.pem"))
                .replace("/etc/letsencrypt/live/chat.example.org/privkey.pem", str(tmp_path / "key.pem")))
        (tmp_path / "nginx.conf").write_text(MAIN.format(folder=tmp_path, site=site))
        nginx = subprocess.Popen([NGINX, "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "error.log")])
        try:
            wait_for(lambda: answers(port), what="nginx")
            yield server, f"https://127.0.0.1:{port}"
        finally:
            nginx.terminate()
            nginx.wait(20)


def answers(port):
    try:
        return requests.get(f"https://127.0.0.1:{port}/healthz", verify=False, timeout=5).status_code == 200
    except requests.RequestException:
        return False


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_people_chat_through_it_with_large_files_long_polls_and_their_own_addresses(proxied):
    server, address = proxied
    alice = server.register("alice")
    server.url = address  # from here on as clients do
    http = requests.Session()
    http.verify, http.trust_env = False, False
    http.mount("https://", From())
    login = http.post(address + "/_matrix/client/v3/login", timeout=60, json={
        "type": "m.login.password", "identifier": {"type": "m.id.user", "user": "alice"}, "password": "a long password"}).json()
    outside = Person(server, login)
    outside.http = http
    room = outside.create_room(name="behind")
    known = requests.get(address + "/.well-known/matrix/client", verify=False, timeout=30).json()
    assert known["m.homeserver"]["base_url"].rstrip("/") == "https://chat.example.org"

    outside.sync()
    woken = []
    waiting = threading.Thread(target=lambda: woken.append(outside.sync(timeout_ms=60000)))
    waiting.start()
    event = alice_sends(alice, server, room)
    waiting.join(60)
    assert event in [e["event_id"] for e in woken[0]["rooms"]["join"][room]["timeline"]["events"]]

    outside.request("POST", "/_matrix/media/v3/upload", data=b"x" * (8 << 20), timeout=120,
                    headers={"Content-Type": "application/octet-stream"})
    assert outside.get(f"/devices/{outside.device_id}")["last_seen_ip"] == "127.0.0.2"


def alice_sends(alice, server, room):
    alice.http.verify, alice.http.trust_env = False, False
    return alice.send(room, "through the proxy")
