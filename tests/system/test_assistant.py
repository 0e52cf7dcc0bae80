"""Suggestions and translation over the real executables: what leaves, what does not, and who decides."""

import json
import uuid

import pytest

from assist import ASSIST, consent, make_admin, put_model, receipts, stream, suggest, translate, translate_event, used_tokens
from harness import wait_for


@pytest.fixture(scope="module")
def admin(server, model):
    person = make_admin(server)
    put_model(person, model)
    return person


@pytest.fixture(scope="module")
def people(server, admin):
    found = []
    for localpart, name in (("alice", "爱丽丝"), ("bob", "王小波"), ("carol", "Carol Danvers")):
        person = server.register(localpart)
        person.put(f"/profile/{person.user_id}/displayname", {"displayname": name})
        found.append(person)
    alice, bob, _ = found
    room = room_of(alice, bob)
    question = {"room_id": room, "event_id": bob.send(room, "吃了吗？")}
    # Its index is built when it is first asked for, which a slow machine does not do while it waits.
    wait_for(lambda: alice.post(f"{ASSIST}/chips", question, None).get("method") == "offline", seconds=180, what="the offline method")
    return found


@pytest.fixture(autouse=True)
def fresh_model(model, admin):
    model.control(reset=True)
    put_model(admin, model)  # a clean record with the gateway


def room_of(first, *others, **options):
    room = first.create_room(preset="private_chat", invite=[p.user_id for p in others], **options)
    for person in others:
        person.join(room)
    return room


def conversation_in(request):
    """What the model was shown of a conversation."""
    return json.loads(request["body"]["messages"][-1]["content"])["conversation"]


def all_bytes(model):
    return "\n".join(request["raw"] for request in model.requests())


# Suggestions and translation.


def test_three_labelled_suggestions_come_for_the_conversation(people, model):
    alice, bob, _ = people
    room = room_of(alice, bob)
    consent(bob, room)
    events = [bob.send(room, "周末去爬山吗？"), alice.send(room, "去哪座山"), bob.send(room, "香山，早上八点")]
    answer = suggest(alice, room, events)
    assert answer.errcode is None, answer.error
    prepared = answer.one("prepared")
    assert prepared["used"] == events and prepared["dropped"] == []
    assert (prepared["provider"], prepared["model"], prepared["on_this_machine"]) == ("Test model", "test-model", True)
    suggestions = answer.all("suggestion")
    assert [s["text"] for s in suggestions] == ["好的，没问题 👌", "抱歉，这次不行", "几点开始？"]
    assert all(s["label"]["kind"] == "generated" and s["label"]["call_id"] == prepared["call_id"] for s in suggestions)
    assert answer.one("done")["usage"]["estimated"] is False

    [request] = model.requests()
    assert request["body"]["stream"] is True and request["body"]["response_format"] == {"type": "json_object"}
    assert 'language in which "me" writes' in request["body"]["messages"][0]["content"]
    assert [(line["speaker"], line["text"]) for line in conversation_in(request)] == [
        ("人物A", "周末去爬山吗？"), ("me", "去哪座山"), ("人物A", "香山，早上八点")]


def test_a_language_that_is_asked_for_is_told_to_the_model(people, model):
    alice, bob, _ = people
    room = room_of(alice, bob)
    consent(bob, room)
    assert suggest(alice, room, [bob.send(room, "你好吗")], language="en").errcode is None
    assert "English" in model.requests()[0]["body"]["messages"][0]["content"]
    assert suggest(alice, room, [bob.send(room, "x")], language="not a language").status == 400


def test_a_message_and_a_draft_are_translated_and_labelled(people, model):
    alice, bob, _ = people
    room = room_of(alice, bob)
    consent(bob, room)
    model.control(answer="八点在老地方见")
    message = translate_event(alice, room, bob.send(room, "see you at eight, usual place"))
    assert message.text == "八点在老地方见" and message.one("done")["label"]["kind"] == "generated"
    draft = translate(alice, "I will be late", "zh", room_id=room)
    assert draft.text == "八点在老地方见"
    sent = alice.send(room, content={"msgtype": "m.text", "body": draft.text, "im.lingxi.ai": draft.one("done")["label"]})
    assert sent.startswith("$")
    assert "Chinese" in model.requests()[0]["body"]["messages"][0]["content"]
    assert translate(alice, "I will be late", "").status == 400


def test_what_identifies_people_is_replaced_before_it_leaves_and_stands_in_the_answer(people, model):
    alice, *_ = people
    answer = translate(alice, "call 13812345678 or write li.lei@example.com")
    raw = all_bytes(model)
    assert "13812345678" not in raw and "li.lei" not in raw and "[PHONE_1]" in raw
    assert "13812345678" in answer.text and "li.lei@example.com" in answer.text


def test_what_identifies_people_does_not_leave_from_the_middle_of_a_text_either(people, model):
    """Words stand as JSON in a prompt, where a line break is two characters."""
    alice, bob, _ = people
    secrets = ["13812345678", "4111 1111 1111 1111", "nora.tran@example.com", "sk-abcdefghijklmnop1234", "１３９１２３４５６７８"]
    words = "电话：\n" + "\n".join(secrets) + "\t" + "\t".join(secrets) + '\n"' + '" "'.join(secrets) + '"'
    answer = translate(alice, words)
    assert answer.errcode is None
    prompt = json.loads(model.requests()[0]["body"]["messages"][-1]["content"])["text"]
    assert not any(secret in prompt or secret in all_bytes(model) for secret in secrets), prompt
    assert prompt.count("[PHONE_1]") == prompt.count("[CARD_1]") == prompt.count("[EMAIL_1]") == 3
    assert all(answer.text.count(secret) == 3 for secret in secrets), answer.text
    room = room_of(alice, bob)
    consent(bob, room)
    model.control(reset=True)
    assert suggest(alice, room, [bob.send(room, words)]).errcode is None
    assert not any(secret in all_bytes(model) for secret in secrets)


def test_a_placeholder_that_somebody_wrote_is_not_filled_in(people, model):
    alice, _, _ = people
    model.control(answer="[EMAIL_1] [EMAIL_2] [PHONE_1]")
    answer = translate(alice, "li.lei@example.com, not [EMAIL_1] nor [PHONE_1]")
    assert answer.text == "[EMAIL_1] li.lei@example.com [PHONE_1]"


def test_the_same_translation_for_another_is_known_and_nothing_leaves(people, model):
    alice, bob, carol = people
    room = room_of(alice, bob, carol)
    consent(bob, room)
    event = bob.send(room, "known to all " + uuid.uuid4().hex)
    first = translate_event(alice, room, event)
    spent = used_tokens(carol)
    second = translate_event(carol, room, event)
    assert len(model.requests()) == 1
    assert second.text == first.text and second.one("done")["label"]["kind"] == "generated"
    assert used_tokens(carol) == spent
    newest = receipts(carol)[0]
    assert (newest["outcome"], newest["outbound_bytes"], newest["cost_micros"]) == ("cached", 0, 0)
    consent(bob, room, agreed=False)
    assert translate_event(carol, room, event).errcode == "IM.LINGXI.CONSENT_NEEDED", "consent is asked for all the same"


def test_what_is_known_in_one_room_is_not_told_in_another_nor_a_draft_to_anybody(people, model):
    alice, bob, carol = people
    words = "known here only " + uuid.uuid4().hex
    for other in (bob, carol):
        room = room_of(alice, other)
        consent(other, room)
        assert translate_event(alice, room, other.send(room, words)).errcode is None
    assert translate(alice, words).errcode is None and translate(bob, words).errcode is None
    assert len(model.requests()) == 4
    assert translate(bob, words).errcode is None
    assert len(model.requests()) == 4, "one's own draft is known to oneself"


def test_what_is_known_is_of_the_server_that_would_be_asked(people, admin, model):
    alice, *_ = people
    put_model(admin, model, "second", name="Second", model="second-model")
    words = "from whom " + uuid.uuid4().hex
    model.control(fault="error_503", times=1)
    assert translate(alice, words).all("prepared")[-1]["provider"] == "Second"
    assert translate(alice, words).one("prepared")["provider"] == "Test model", "what the other answered is not looked at"
    assert [request["body"]["model"] for request in model.requests()] == ["test-model", "second-model", "test-model"]
    admin.delete("/_lingxi/admin/v1/models/second")


# Consent.


def test_consent_is_given_and_taken_back_by_a_state_event_from_any_client(people, model):
    alice, bob, carol = people
    room = room_of(alice, bob, carol)
    event = bob.send(room, "hello from bob")
    refused = suggest(alice, room, [event])
    assert refused.status == 403 and refused.errcode == "IM.LINGXI.CONSENT_NEEDED"
    assert refused.error["users"] == [bob.user_id]
    # The question is an ordinary event, that every client shows.
    asked = alice.send(room, type="im.lingxi.consent.request",
                       content={"body": "May a model read what you write here?", "user_id": bob.user_id})
    assert any(e["event_id"] == asked for e in bob.timeline(room))

    consent(alice, room, state_key=bob.user_id, expect=403)
    consent(carol, room)
    assert suggest(alice, room, [event]).errcode == "IM.LINGXI.CONSENT_NEEDED", "somebody else's yes is not bob's"
    assert model.requests() == []

    consent(bob, room)
    assert suggest(alice, room, [event]).errcode is None
    status = alice.get(f"{ASSIST}/status", params={"room_id": room})
    assert {c["user_id"] for c in status["consents"]} == {bob.user_id, carol.user_id}

    consent(bob, room, agreed=False)
    assert suggest(alice, room, [event]).errcode == "IM.LINGXI.CONSENT_NEEDED"
    consent(bob, room, suggest_replies=True, translate=False)
    assert translate_event(alice, room, event).errcode == "IM.LINGXI.CONSENT_NEEDED", "another purpose"
    assert suggest(alice, room, [event]).errcode is None
    bob.put(f"/rooms/{room}/state/im.lingxi.consent/{bob.user_id}",
            {"agreed": True, "purposes": {"suggest_replies": True}, "destination": {"kind": "provider", "name": "Cloud"}})
    assert suggest(alice, room, [event]).errcode == "IM.LINGXI.CONSENT_NEEDED", "another destination"
    assert len(model.requests()) == 2


def test_consent_in_one_room_is_none_in_another(people, model):
    alice, bob, _ = people
    consent(bob, room_of(alice, bob))
    other = room_of(alice, bob)
    assert suggest(alice, other, [bob.send(other, "hi")]).errcode == "IM.LINGXI.CONSENT_NEEDED"
    assert model.requests() == []


def test_the_rooms_policy_forbids_and_is_the_moderators_to_set(people, model):
    alice, bob, _ = people
    room = room_of(alice, bob)
    consent(bob, room)
    event = bob.send(room, "hello")
    bob.put(f"/rooms/{room}/state/im.lingxi.ai_policy/", {"ai": "forbidden"}, expect=403)
    alice.put(f"/rooms/{room}/state/im.lingxi.ai_policy/", {"ai": "forbidden"})
    for answer in (suggest(alice, room, [event]), translate_event(alice, room, event),
                   translate(alice, "draft", room_id=room)):
        assert (answer.status, answer.errcode) == (403, "IM.LINGXI.AI_FORBIDDEN_IN_ROOM")
    alice.post(f"{ASSIST}/chips", {"room_id": room, "event_id": event}, expect=403)
    assert model.requests() == []
    alice.put(f"/rooms/{room}/state/im.lingxi.ai_policy/", {"ai": "allowed"})
    assert suggest(alice, room, [event]).errcode is None


# What core drops, and what never leaves.


def test_what_is_dropped_is_named_with_its_reason(people, model):
    alice, bob, carol = people
    room = room_of(alice, bob, carol)
    consent(bob, room)
    private = bob.create_room(preset="private_chat")
    hidden = bob.send(private, "HIDDENWORD")
    redacted = bob.send(room, "REDACTEDWORD")
    bob.put(f"/rooms/{room}/redact/{redacted}/{uuid.uuid4().hex}", {})
    unwilling = carol.send(room, "UNWILLINGWORD")
    picture = bob.send(room, content={"msgtype": "m.image", "body": "FILENAMEWORD.png", "url": "mxc://test.lingxi/x"})
    long = bob.send(room, "LONGWORD " * 1500)
    edited = bob.send(room, "FIRSTWORD")
    edit = bob.send(room, content={"msgtype": "m.text", "body": "* LATESTWORD",
                                   "m.new_content": {"msgtype": "m.text", "body": "LATESTWORD"},
                                   "m.relates_to": {"rel_type": "m.replace", "event_id": edited}})
    assert edit
    answer = suggest(alice, room, [hidden, redacted, unwilling, picture, long, edited, "$nonsense"])
    assert answer.errcode is None, answer.error
    assert answer.one("prepared")["used"] == [edited]
    assert {d["event_id"]: d["reason"] for d in answer.one("prepared")["dropped"]} == {
        hidden: "not_visible", "$nonsense": "not_visible", redacted: "redacted", unwilling: "no_consent",
        picture: "not_text", long: "over_limit"}
    raw = all_bytes(model)
    assert "LATESTWORD" in raw
    for word in ("HIDDENWORD", "REDACTEDWORD", "UNWILLINGWORD", "FILENAMEWORD", "LONGWORD", "FIRSTWORD"):
        assert word not in raw, word


def test_history_that_the_caller_may_not_see_does_not_leave(people, model):
    alice, bob, carol = people
    room = room_of(alice, bob, initial_state=[{"type": "m.room.history_visibility", "state_key": "",
                                               "content": {"history_visibility": "joined"}}])
    consent(bob, room)
    before = bob.send(room, "BEFOREWORD")
    alice.post(f"/rooms/{room}/invite", {"user_id": carol.user_id})
    carol.join(room)
    after = bob.send(room, "afterwards")
    answer = suggest(carol, room, [before, after])
    assert answer.one("prepared")["used"] == [after]
    assert "BEFOREWORD" not in all_bytes(model)


def test_no_word_of_somebody_who_has_not_agreed_is_in_the_bytes(people, model):
    alice, bob, carol = people
    room = room_of(alice, bob, name="ROOMNAMEWORD", topic="TOPICWORD")
    alice.post(f"/rooms/{room}/invite", {"user_id": carol.user_id, "reason": "REASONWORD"})
    carol.join(room)
    carol.put(f"/profile/{carol.user_id}/displayname", {"displayname": "Namewood Secretly"})
    consent(bob, room)
    said = carol.send(room, "CAROLWORD one")
    carol.send(room, content={"msgtype": "m.text", "body": "* CAROLWORD two",
                              "m.new_content": {"msgtype": "m.text", "body": "CAROLWORD two"},
                              "m.relates_to": {"rel_type": "m.replace", "event_id": said}})
    carol.send(room, type="m.reaction", content={"m.relates_to": {"rel_type": "m.annotation", "event_id": said, "key": "KEYWORD"}})
    reply = {"msgtype": "m.text", "format": "org.matrix.custom.html",
             "body": f"> <{carol.user_id}> CAROLWORD two\n> CAROLWORD three\n\nmy own answer",
             "formatted_body": "<mx-reply><blockquote>CAROLWORD two</blockquote></mx-reply>my own FORMATTEDWORD",
             "m.relates_to": {"m.in_reply_to": {"event_id": said}}}
    events = [said, bob.send(room, content=reply), bob.send(room, f"> CAROLWORD by hand\nNamewood Secretly says so"),
              bob.send(room, f"and {carol.user_id} or namewood secretly or Namewood again"),
              alice.send(room, content={**reply, "body": f"> <{carol.user_id}> CAROLWORD two\n\nalice answers"})]
    reply_edit = bob.send(room, content={
        "msgtype": "m.text", "body": f"* my own answer",
        "m.new_content": {"msgtype": "m.text", "body": f"> <{carol.user_id}> CAROLWORD two\n\nmy edited answer"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": events[1]}})
    answer = suggest(alice, room, [*events, reply_edit])
    assert answer.errcode is None, answer.error
    for event in events[1:]:
        translate_event(alice, room, event)
    translate(alice, "Tell Namewood Secretly that I come", room_id=room)
    raw = all_bytes(model)
    assert "my edited answer" in raw and "alice answers" in raw
    for word in ("CAROLWORD", "KEYWORD", "ROOMNAMEWORD", "TOPICWORD", "REASONWORD", "FORMATTEDWORD", "Namewood", "namewood",
                 "Secretly", "secretly", "carol", "王小波", "bob", "爱丽丝", "test.lingxi", room):
        assert word not in raw, word


# Without a model, and switched off.


def test_switched_off_by_the_person_or_the_administrator_nothing_leaves(people, admin, model):
    alice, bob, _ = people
    alice.put(f"/user/{alice.user_id}/account_data/im.lingxi.settings", {"ai_enabled": False})
    assert translate(alice).errcode == "IM.LINGXI.AI_OFF"
    alice.put(f"/user/{alice.user_id}/account_data/im.lingxi.settings", {"ai_enabled": True})
    admin.put("/_lingxi/admin/v1/budget", {"ai_enabled": False})
    assert translate(alice).errcode == translate(bob).errcode == "IM.LINGXI.AI_OFF"
    admin.put("/_lingxi/admin/v1/budget", {"ai_enabled": True})
    assert model.requests() == []
    assert translate(alice).errcode is None


def test_chips_are_the_offline_methods_and_call_no_model(people, model):
    alice, bob, _ = people
    room = room_of(alice, bob)
    answer = alice.post(f"{ASSIST}/chips", {"room_id": room, "event_id": bob.send(room, "晚上一起吃饭吧")})
    assert answer["method"] == "offline"
    assert {chip["stance"] for chip in answer["suggestions"]} == {"accept", "decline", "ask"}
    assert model.requests() == [] and "model" not in answer


def test_opening_a_chat_and_receiving_messages_calls_no_model(people, model):
    alice, bob, _ = people
    room = room_of(alice, bob)
    consent(bob, room)
    for number in range(5):
        bob.send(room, f"message {number}")
    alice.sync()
    alice.timeline(room)
    alice.get(f"{ASSIST}/status", params={"room_id": room})
    assert model.requests() == []


def test_without_a_model_it_says_so(people, admin):
    alice, bob, _ = people
    room = room_of(alice, bob)
    event = bob.send(room, "hello")
    admin.delete("/_lingxi/admin/v1/models/test")
    assert alice.get(f"{ASSIST}/status")["model"] is None
    for answer in (translate(alice), translate_event(alice, room, event), suggest(alice, room, [event])):
        assert (answer.status, answer.errcode) == (503, "IM.LINGXI.MODEL_UNAVAILABLE")
        assert len(answer.error["error"]) > 20, "in words"
    assert alice.post(f"{ASSIST}/chips", {"room_id": room, "event_id": event})["method"] == "offline"


# Labels.


def test_labels_hold_for_their_text_survive_edit_and_forward_and_forged_ones_are_refused(people):
    alice, bob, _ = people
    room, elsewhere = room_of(alice, bob), room_of(alice, bob)
    answer = translate(alice)
    label = answer.one("done")["label"]
    labelled = {"msgtype": "m.text", "body": answer.text, "im.lingxi.ai": label}

    def refused(content):
        error = alice.send(room, content=content, expect=400)
        return error["errcode"] == "IM.LINGXI.FORGED_LABEL"

    assert refused({**labelled, "body": answer.text + "!"})
    assert refused({**labelled, "im.lingxi.ai": {**label, "call_id": "c-of-another-call"}})
    assert refused({**labelled, "im.lingxi.ai": {**label, "signature": label["signature"][::-1]}})
    assert refused({**labelled, "im.lingxi.ai": {**label, "kind": "human"}})
    assert refused({**labelled, "im.lingxi.ai": "yes"})
    assert refused({"msgtype": "m.text", "body": "* mine", "m.relates_to": {"rel_type": "m.replace", "event_id": "$x"},
                    "m.new_content": {**labelled, "body": "mine"}})

    original = alice.send(room, content=labelled)
    forwarded = alice.send(elsewhere, content=labelled)
    assert bob.get(f"/rooms/{elsewhere}/event/{forwarded}")["content"]["im.lingxi.ai"] == label
    assisted = {**label, "kind": "assisted"}
    new = {"msgtype": "m.text", "body": answer.text + ", more or less", "im.lingxi.ai": assisted}
    alice.send(room, content={**new, "body": "* " + new["body"], "m.new_content": new,
                              "m.relates_to": {"rel_type": "m.replace", "event_id": original}})
    seen = bob.get(f"/rooms/{room}/event/{original}")["unsigned"]["m.relations"]["m.replace"]["content"]["m.new_content"]
    assert seen["im.lingxi.ai"] == assisted


def test_the_label_key_is_served_to_everybody(server, people):
    alice, *_ = people
    key = alice.http.get(f"{server.url}{ASSIST}/label-key", timeout=30).json()
    assert key["algorithm"] == "ed25519" and len(key["public_key"]) == 43


# Hostile and careless callers.


def test_bad_wishes_get_their_error_and_nothing_leaves(people, model):
    alice, bob, carol = people
    room = room_of(alice, bob)
    event = bob.send(room, "hello")
    assert suggest(carol, room, [event]).errcode == "M_FORBIDDEN"
    assert suggest(alice, room, []).status == 400
    assert suggest(alice, room, [event] * 51).status == 400
    assert suggest(alice, "!nowhere:test.lingxi", [event]).errcode == "M_FORBIDDEN"
    assert translate(alice, "x" * 9000).status == 413
    assert stream(alice, "/translations", {"room_id": room, "target_language": "zh"}).status == 400
    assert stream(alice, "/suggestions", []).status == 400
    assert alice.http.post(f"{alice.server.url}{ASSIST}/translations", json={}, timeout=30).status_code == 401
    assert model.requests() == []


def test_a_person_who_left_takes_their_consent_with_them(people, model):
    alice, bob, _ = people
    room = room_of(alice, bob)
    consent(bob, room)
    event = bob.send(room, "hello")
    bob.post(f"/rooms/{room}/leave")
    assert suggest(alice, room, [event]).errcode == "IM.LINGXI.CONSENT_NEEDED"
    assert model.requests() == []


def test_the_endpoints_stand_in_the_openapi_document(people):
    paths = people[0].get("/_lingxi/openapi.json")["paths"]
    for path in ("suggestions", "translations", "chips", "receipts", "receipts/export", "status", "label-key"):
        assert f"{ASSIST}/{path}" in paths


def test_logs_and_metrics_carry_no_text(server, people, model):
    """Last: after all of the above, over the whole output of the server."""
    alice, *_ = people
    assert translate(alice, "LOGWORD draft").errcode is None
    wait_for(lambda: "assistant_calls_total" in server.metrics(), what="the metrics")
    output = server.log + server.output + server.metrics()
    for word in ("LOGWORD", "CAROLWORD", "LATESTWORD", "UNWILLINGWORD", "ROOMNAMEWORD", "TOPICWORD", "爬山", "香山", "译文",
                 "没问题", "王小波", "13812345678", "li.lei", "sk-test", alice.token):
        assert word not in output, word
