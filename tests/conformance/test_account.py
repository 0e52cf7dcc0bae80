"""Discovery, sessions, registration, devices, the account and its profile."""

import re

import pytest
import requests
from conftest import PASSWORD, confirm

from harness import Person, Server


def login_body(user, password=PASSWORD, **more):
    return {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": user}, "password": password, **more}


def confirmed(probe, operation, who, body, **more):
    """Asks, reads the challenge, and asks again with the password."""
    challenge = probe(operation, who=who, body=body, status=401, **more)
    assert challenge["flows"] == [{"stages": ["m.login.password"]}]
    assert "errcode" not in challenge
    wrong = {**body, "auth": confirm(who.user_id, "not the password", challenge["session"])}
    assert probe(operation, who=who, body=wrong, status=401, code="M_FORBIDDEN", **more)["flows"]
    return probe(operation, who=who, body={**body, "auth": confirm(who.user_id, session=challenge["session"])}, **more)


def test_discovery(probe):
    versions = probe("getVersions")
    assert "v1.13" in versions["versions"] and versions["unstable_features"]["uk.tcpip.msc4133.stable"] is True
    assert probe("getWellknown")["m.homeserver"]["base_url"] == probe.server.url
    probe("getWellknownSupport", status=404)
    with Server("--support-page", "https://help.example.org/lingxi") as helpful:
        assert probe("getWellknownSupport", url=helpful.url) == {"support_page": "https://help.example.org/lingxi"}
    alice = probe.person("discoverer")
    capabilities = probe("getCapabilities", who=alice)["capabilities"]
    assert capabilities["m.room_versions"]["available"] == {"11": "stable", "12": "stable"}
    assert capabilities["m.change_password"]["enabled"] is True
    probe("getVersions", who=alice)
    probe("getTurnServer", who=alice)


def test_login_and_tokens(probe):
    alice = probe.person("tokens")
    flows = probe("getLoginFlows")["flows"]
    assert {"type": "m.login.password"} in flows
    session = probe("login", body=login_body(alice.user_id, refresh_token=True, initial_device_display_name="phone"))
    assert session["refresh_token"] and session["expires_in_ms"] > 0
    phone = Person(probe.server, session)
    assert probe("getTokenOwner", who=phone)["device_id"] == session["device_id"]
    probe("login", body=login_body(alice.user_id, "not the password"), status=403, code="M_FORBIDDEN")
    probe("login", body=login_body("nobody-at-all"), status=403, code="M_FORBIDDEN")
    older = probe("login", body={"type": "m.login.password", "user": alice.user_id, "password": PASSWORD, "device_id": "CHOSEN"})
    assert older["device_id"] == "CHOSEN"
    by_query = probe("getTokenOwner", query={"access_token": older["access_token"]})  # deprecated, and still in use
    assert by_query["device_id"] == "CHOSEN"
    probe("login", body={"type": "m.login.unheard-of"}, status=400, code="M_UNKNOWN")
    probe("login", body={"type": "m.login.password", "password": PASSWORD, "identifier": {"type": "m.id.unheard-of"}}, status=400)

    fresh = probe("refresh", body={"refresh_token": session["refresh_token"]})
    phone.token = fresh["access_token"]
    probe("getTokenOwner", who=phone)
    probe("refresh", body={"refresh_token": "nonsense"}, status=401, code="M_UNKNOWN_TOKEN")
    probe("logout", who=phone)
    probe("getTokenOwner", who=phone, status=401, code="M_UNKNOWN_TOKEN")
    probe("refresh", body={"refresh_token": fresh["refresh_token"]}, status=401, code="M_UNKNOWN_TOKEN")

    token = confirmed(probe, "generateLoginToken", alice, {})
    again = probe("login", body={"type": "m.login.token", "token": token["login_token"]})
    probe("login", body={"type": "m.login.token", "token": token["login_token"]}, status=403, code="M_FORBIDDEN")
    probe("logout_all", who=Person(probe.server, again))
    probe("getTokenOwner", who=alice, status=401, code="M_UNKNOWN_TOKEN")


def test_registration(probe):
    name = "newcomer.older" if probe.older else "newcomer"
    body = {"username": name, "password": PASSWORD, "initial_device_display_name": "web"}
    challenge = probe("register", body=body, status=401)
    assert {"stages": ["m.login.dummy"]} in challenge["flows"]
    assert probe("checkUsernameAvailability", query={"username": name}) == {"available": True}
    refused = {**body, "auth": {"type": "m.login.registration_token", "token": "nonsense", "session": challenge["session"]}}
    assert probe("register", body=refused, status=401)["errcode"] == "M_UNAUTHORIZED"
    made = probe("register", body={**body, "auth": {"type": "m.login.dummy", "session": challenge["session"]}})
    assert made["user_id"] == f"@{name}:test.lingxi" and made["access_token"] and made["device_id"]

    probe("register", body=body, status=400, code="M_USER_IN_USE")
    probe("register", body={**body, "username": "not a name!"}, status=400, code="M_INVALID_USERNAME")
    probe("register", body={**body, "username": "admin"}, status=400, code="M_INVALID_USERNAME")
    probe("register", body=body, query={"kind": "guest"}, status=403)
    probe("checkUsernameAvailability", query={"username": name}, status=400, code="M_USER_IN_USE")
    probe("checkUsernameAvailability", query={"username": "not a name!"}, status=400, code="M_INVALID_USERNAME")
    probe("checkUsernameAvailability", query={"username": "admin"}, status=400, code="M_INVALID_USERNAME")

    quiet = {"username": f"{name}.quiet", "password": PASSWORD, "inhibit_login": True}
    session = probe("register", body=quiet, status=401)["session"]
    made = probe("register", body={**quiet, "auth": {"type": "m.login.dummy", "session": session}})
    assert "access_token" not in made and "device_id" not in made

    inviter = probe.person("inviter")
    token = inviter.post("/_lingxi/client/v1/invitations", {})["token"]
    assert probe("registrationTokenValidity", query={"token": token}) == {"valid": True}
    assert probe("registrationTokenValidity", query={"token": "nonsense"}) == {"valid": False}


def page_of(probe, stage, session):
    return f"{probe.server.url}/_matrix/client/{'r0' if probe.older else 'v3'}/auth/{stage}/fallback/web?session={session}"


def test_a_stage_has_a_page_for_clients_that_do_not_know_it(probe):
    """The page leads through the stage, tells the client that opened it, and the session is enough from then on."""
    inviter = probe.person("page.inviter")
    token = inviter.post("/_lingxi/client/v1/invitations", {})["token"]
    body = {"username": "page.older" if probe.older else "page", "password": PASSWORD}
    session = probe("register", body=body, status=401)["session"]
    page = page_of(probe, "m.login.registration_token", session)
    shown = probe.http.get(page, timeout=60)
    assert shown.status_code == 200 and shown.headers["Content-Type"].startswith("text/html")
    assert 'name="value"' in shown.text and session not in shown.text
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert probe.http.post(page, data={"value": "nonsense"}, timeout=60).status_code == 401
    assert "onAuthDone" not in probe.http.post(page, data={"value": "nonsense"}, timeout=60).text
    done = probe.http.post(page, data={"value": token}, timeout=60)
    assert done.status_code == 200 and "onAuthDone" in done.text
    assert probe("register", body={**body, "auth": {"session": session}})["access_token"]

    session = probe("deleteDevice", {"deviceId": "X"}, inviter, {}, status=401)["session"]
    assert probe.http.get(page_of(probe, "m.login.registration_token", session), timeout=60).status_code == 404
    page = page_of(probe, "m.login.password", session)
    assert probe.http.post(page, data={"value": "not the password"}, timeout=60).status_code == 401
    probe("deleteDevice", {"deviceId": "X"}, inviter, {"auth": {"session": session}}, status=401)
    assert probe.http.post(page, data={"value": PASSWORD}, timeout=60).status_code == 200
    probe("deleteDevice", {"deviceId": "X"}, inviter, {"auth": {"session": session}})
    probe("deleteDevice", {"deviceId": "X"}, inviter, {"auth": {"session": session}}, status=401)  # used up
    assert probe.http.get(page_of(probe, "m.login.password", "nonsense"), timeout=60).status_code == 400


def test_no_registration_where_it_is_closed(present):
    with Server(server_name=None, registration=None) as closed:
        present("login", body=login_body("early"), status=403, code="IM.LINGXI.SETUP_NEEDED", url=closed.url)
        token = closed.wait_for_output(r"/setup#(\S+)\s").group(1)
        owner = {"token": token, "server_name": "closed.example", "localpart": "wang", "password": PASSWORD, "display_name": "Owner",
                 "room_name": "Home", "language": "en", "time_zone": "UTC"}
        requests.post(closed.url + "/_lingxi/client/v1/setup", json=owner, timeout=60).raise_for_status()
        closed.stop()
        closed.arguments += ["--registration", "closed"]
        closed.start()
        present("register", body={"username": "late", "password": PASSWORD}, status=403, code="M_FORBIDDEN", url=closed.url)
        present("registrationTokenValidity", query={"token": "any"}, status=403, code="M_FORBIDDEN", url=closed.url)


def test_devices(probe):
    alice = probe.person("devices")
    others = [probe("login", body=login_body(alice.user_id))["device_id"] for _ in range(2)]
    devices = probe("getDevices", who=alice)["devices"]
    assert {device["device_id"] for device in devices} == {alice.device_id, *others}
    probe("updateDevice", {"deviceId": others[0]}, alice, {"display_name": "laptop"})
    assert probe("getDevice", {"deviceId": others[0]}, alice)["display_name"] == "laptop"
    probe("getDevice", {"deviceId": "NONE"}, alice, status=404, code="M_NOT_FOUND")
    probe("updateDevice", {"deviceId": "NONE"}, alice, {"display_name": "x"}, status=404, code="M_NOT_FOUND")
    confirmed(probe, "deleteDevice", alice, {}, values={"deviceId": others[0]})
    confirmed(probe, "deleteDevices", alice, {"devices": [others[1]]})
    assert [device["device_id"] for device in probe("getDevices", who=alice)["devices"]] == [alice.device_id]
    whois = probe("getWhoIs", {"userId": alice.user_id}, alice)
    assert whois["user_id"] == alice.user_id and whois["devices"]
    probe("getWhoIs", {"userId": alice.user_id}, probe.person("devices.other"), status=403, code="M_FORBIDDEN")


def test_password_and_deactivation(probe):
    alice = probe.person("leaver")
    confirmed(probe, "changePassword", alice, {"new_password": "another long password"})
    probe("login", body=login_body(alice.user_id), status=403, code="M_FORBIDDEN")
    challenge = probe("deactivateAccount", who=alice, body={"erase": True}, status=401)
    auth = confirm(alice.user_id, "another long password", challenge["session"])
    assert probe("deactivateAccount", who=alice, body={"erase": True, "auth": auth})["id_server_unbind_result"] == "success"
    probe("getTokenOwner", who=alice, status=401, code="M_UNKNOWN_TOKEN")
    probe("login", body=login_body(alice.user_id, "another long password"), status=403)
    probe("getUserProfile", {"userId": alice.user_id}, status=404, code="M_NOT_FOUND")

    bob = probe.person("sleeper")
    confirmed(probe, "deactivateAccount", bob, {"erase": False})
    probe("login", body=login_body(bob.user_id), status=403, code="M_USER_DEACTIVATED")
    probe("login", body=login_body(bob.user_id, "not the password"), status=403, code="M_FORBIDDEN")


def test_no_addresses_are_kept(probe):
    alice = probe.person("addresses")
    assert probe("getAccount3PIDs", who=alice) == {"threepids": []}
    probe("delete3pidFromAccount", who=alice, body={"medium": "email", "address": "a@example.org"})
    probe("unbind3pidFromAccount", who=alice, body={"medium": "email", "address": "a@example.org"})
    sid = {"client_secret": "abc", "sid": "1"}
    probe("add3PID", who=alice, body=sid, status=403)
    probe("bind3PID", who=alice, body={**sid, "id_server": "example.org", "id_access_token": "x"}, status=403)
    probe("post3PIDs", who=alice, body={"three_pid_creds": sid}, status=403)
    mail = {"client_secret": "abc", "email": "a@example.org", "send_attempt": 1}
    phone = {"client_secret": "abc", "country": "DE", "phone_number": "123", "send_attempt": 1}
    probe("requestTokenTo3PIDEmail", who=alice, body=mail, status=400, code="M_THREEPID_MEDIUM_NOT_SUPPORTED")
    probe("requestTokenTo3PIDMSISDN", who=alice, body=phone, status=400, code="M_THREEPID_MEDIUM_NOT_SUPPORTED")
    probe("requestTokenToRegisterEmail", body=mail, status=403, code="M_THREEPID_DENIED")
    probe("requestTokenToRegisterMSISDN", body=phone, status=403, code="M_THREEPID_DENIED")
    probe("requestTokenToResetPasswordEmail", body=mail, status=400, code="M_THREEPID_NOT_FOUND")
    probe("requestTokenToResetPasswordMSISDN", body=phone, status=400, code="M_THREEPID_NOT_FOUND")


def test_profile(probe):
    alice, bob = probe.person("profile"), probe.person("profile.other")

    def at(person, key):
        return {"userId": person.user_id, "keyName": key}

    assert probe("setProfileField", at(alice, "displayname"), alice, {"displayname": "爱丽丝"}) == {}
    probe("setProfileField", at(alice, "avatar_url"), alice, {"avatar_url": "mxc://test.lingxi/abc"})
    probe("setProfileField", at(alice, "org.example.word"), alice, {"org.example.word": {"any": ["thing"]}})
    probe("setProfileField", at(alice, "m.tz"), alice, {"m.tz": "Asia/Shanghai"})
    assert probe("getUserProfile", {"userId": alice.user_id}) == {
        "displayname": "爱丽丝", "avatar_url": "mxc://test.lingxi/abc", "org.example.word": {"any": ["thing"]}, "m.tz": "Asia/Shanghai"}
    assert probe("getProfileField", at(alice, "displayname")) == {"displayname": "爱丽丝"}
    assert probe("deleteProfileField", at(alice, "org.example.word"), alice) == {}
    probe("getProfileField", at(alice, "org.example.word"), status=404, code="M_NOT_FOUND")
    probe("getProfileField", at(alice, "displayname"), bob)
    nobody = alice.user_id.replace("profile", "nobody")
    probe("getUserProfile", {"userId": nobody}, status=404, code="M_NOT_FOUND")
    probe("getUserProfile", {"userId": "@somebody:elsewhere.example"}, status=404, code="M_NOT_FOUND")

    probe("setProfileField", at(bob, "displayname"), alice, {"displayname": "x"}, status=403, code="M_FORBIDDEN")
    probe("deleteProfileField", at(bob, "displayname"), alice, status=403, code="M_FORBIDDEN")
    probe("setProfileField", at(alice, "displayname"), alice, {"other": "x"}, status=400, code="M_MISSING_PARAM")
    probe("setProfileField", at(alice, "displayname"), alice, data=b"{", status=400, code="M_NOT_JSON")
    probe("setProfileField", at(alice, "displayname"), alice, {"displayname": 1}, status=400, code="M_BAD_JSON")
    probe("setProfileField", at(alice, "Not A Name"), alice, {"Not A Name": 1}, status=400, code="M_INVALID_PARAM")
    probe("deleteProfileField", at(alice, "Not A Name"), alice, status=400, code="M_INVALID_PARAM")
    long = "a." + "b" * 254
    probe("setProfileField", at(alice, long), alice, {long: 1}, status=400, code="M_KEY_TOO_LARGE")
    probe("setProfileField", at(alice, "org.example.big"), alice, {"org.example.big": "x" * 65_600}, status=400,
          code="M_PROFILE_TOO_LARGE")

    found = probe("searchUserDirectory", who=bob, body={"search_term": "爱丽丝", "limit": 5})
    assert alice.user_id in [row["user_id"] for row in found["results"]]
    probe("searchUserDirectory", who=bob, body={"search_term": "nobody is called so"})


def test_openid(probe):
    alice, bob = probe.person("widgets"), probe.person("widgets.other")
    token = probe("requestOpenIdToken", {"userId": alice.user_id}, alice, {})
    assert token["matrix_server_name"] == "test.lingxi" and token["token_type"] == "Bearer"
    probe("requestOpenIdToken", {"userId": bob.user_id}, alice, {}, status=403, code="M_FORBIDDEN")


@pytest.mark.parametrize("answer", ["M_MISSING_TOKEN", "M_UNKNOWN_TOKEN"])
def test_every_route_that_needs_a_token_says_so(present, answer):
    """Both 401s of the specification, of every route and all its older paths."""
    document = present.http.get(present.server.url + "/_lingxi/openapi.json", timeout=60).json()
    headers = {} if answer == "M_MISSING_TOKEN" else {"Authorization": "Bearer nonsense"}
    asked = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if not path.startswith("/_matrix/") or {} in operation["security"] or not operation["security"]:
                continue
            reply = present.http.request(method.upper(), present.server.url + path.replace("{", "").replace("}", ""), headers=headers,
                                         timeout=60)
            assert (reply.status_code, reply.json()["errcode"]) == (401, answer), f"{method} {path}: {reply.status_code} {reply.text}"
            asked += 1
    assert asked > 150
