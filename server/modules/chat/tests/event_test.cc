#include "event/canonical_json.h"
#include "event/hashes.h"
#include "event/redaction.h"
#include "event/signing.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace chat {
namespace {

base::json::object parse(std::string_view text) {
    return base::parse_json(text, 100'000)->as_object();
}

/// The specification's test seed, server name and key id ("Cryptographic Test Vectors").
ServerKey spec_key() {
    const auto bytes = base::base64_decode("YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1");
    std::array<std::uint8_t, 32> seed{};
    std::ranges::copy_n(bytes->begin(), 32, seed.begin());
    return {base::SigningKey::from_seed(seed), "ed25519:1"};
}

std::string signature_of(const base::json::object& object) {
    return std::string(object.at("signatures").at("domain").at("ed25519:1").as_string());
}

TEST(Signing, makes_the_signatures_of_the_specification) {
    auto empty = parse("{}");
    ASSERT_TRUE(sign_json(empty, "domain", spec_key()));
    EXPECT_EQ(signature_of(empty),
              "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ");
    auto some = parse(R"({"one":1,"two":"Two"})");
    ASSERT_TRUE(sign_json(some, "domain", spec_key()));
    EXPECT_EQ(signature_of(some),
              "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw");
}

// The event vectors were made under room version 1, whose redaction keeps `origin`; so the hash and the
// signature over the event as it is redacted there are checked one by one.
TEST(Signing, makes_the_event_hashes_and_signatures_of_the_specification) {
    auto minimal =
        parse(R"({"room_id":"!x:domain","sender":"@a:domain","origin":"domain","origin_server_ts":1000000,
        "signatures":{},"hashes":{},"type":"X","content":{},"prev_events":[],"auth_events":[],"depth":3,
        "unsigned":{"age_ts":1000000}})");
    const auto minimal_hash = content_hash(minimal);
    ASSERT_TRUE(minimal_hash);
    EXPECT_EQ(base::base64_encode(*minimal_hash), "5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos");
    minimal["hashes"] = {{"sha256", base::base64_encode(*minimal_hash)}};
    ASSERT_TRUE(sign_json(minimal, "domain", spec_key()));
    EXPECT_EQ(signature_of(minimal),
              "KxwGjPSDEtvnFgU00fwFz+l6d2pJM6XBIaMEn81SXPTRl16AqLAYqfIReFGZlHi5KLjAWbOoMszkwsQma+lYAg");

    auto message =
        parse(R"({"content":{"body":"Here is the message content"},"event_id":"$0:domain","origin":"domain",
        "origin_server_ts":1000000,"type":"m.room.message","room_id":"!r:domain","sender":"@u:domain","signatures":{},
        "unsigned":{"age_ts":1000000}})");
    const auto message_hash = content_hash(message);
    ASSERT_TRUE(message_hash);
    EXPECT_EQ(base::base64_encode(*message_hash), "onLKD1bGljeBWQhWZ1kaP9SorVmRQNdN5aM2JYU2n/g");
    message["hashes"] = {{"sha256", base::base64_encode(*message_hash)}};
    message["content"] = base::json::object{};
    ASSERT_TRUE(sign_json(message, "domain", spec_key()));
    EXPECT_EQ(signature_of(message),
              "Wm+VzmOUOz08Ds+0NTWb1d4CZrVsJSikkeRxh6aCcUwu6pNC78FunoD7KNWzqFn241eYHYMGCA5McEiVPdhzBA");
}

TEST(Signing, of_an_event_holds_after_its_redaction_and_falls_with_a_changed_field) {
    auto event = parse(R"({"room_id":"!x","sender":"@a:domain","origin_server_ts":1,"type":"m.room.message",
        "content":{"body":"secret"},"prev_events":[],"auth_events":[],"depth":3})");
    const auto key = spec_key();
    ASSERT_TRUE(hash_and_sign_event(event, "domain", key));
    EXPECT_TRUE(verify_event(event, "domain", "ed25519:1", key.key.public_key()));
    EXPECT_TRUE(verify_event(redact_event(event), "domain", "ed25519:1", key.key.public_key()));
    EXPECT_FALSE(verify_event(event, "other", "ed25519:1", key.key.public_key()));
    event["sender"] = "@b:domain";
    EXPECT_FALSE(verify_event(event, "domain", "ed25519:1", key.key.public_key()));
}

TEST(Redaction, keeps_what_versions_11_and_12_protect) {
    const auto kept = [](std::string_view type, std::string_view content) {
        return *canonical_json(redact_content(type, parse(content)));
    };
    EXPECT_EQ(kept("m.room.message", R"({"body":"x","msgtype":"m.text"})"), "{}");
    EXPECT_EQ(
        kept("m.room.member",
             R"({"membership":"join","displayname":"x","join_authorised_via_users_server":"@a:b",
        "third_party_invite":{"display_name":"x","signed":{"mxid":"@a:b"}}})"),
        R"({"join_authorised_via_users_server":"@a:b","membership":"join","third_party_invite":{"signed":{"mxid":"@a:b"}}})");
    EXPECT_EQ(kept("m.room.create", R"({"room_version":"12","x":1})"), R"({"room_version":"12","x":1})");
    EXPECT_EQ(kept("m.room.join_rules", R"({"join_rule":"public","allow":[],"x":1})"),
              R"({"allow":[],"join_rule":"public"})");
    EXPECT_EQ(kept("m.room.power_levels", R"({"ban":1,"invite":2,"notifications":{"room":1},"users":{}})"),
              R"({"ban":1,"invite":2,"users":{}})");
    EXPECT_EQ(kept("m.room.history_visibility", R"({"history_visibility":"shared","x":1})"),
              R"({"history_visibility":"shared"})");
    EXPECT_EQ(kept("m.room.redaction", R"({"redacts":"$x","reason":"x"})"), R"({"redacts":"$x"})");
}

TEST(Redaction, takes_away_top_level_keys_that_are_not_protected) {
    const auto kept = redact_event(parse(
        R"({"type":"X","content":{"a":1},"origin":"x","membership":"join","prev_state":[],"unsigned":{},"depth":1,"redacts":"$x"})"));
    EXPECT_EQ(*canonical_json(kept), R"({"content":{},"depth":1,"type":"X"})");
}

TEST(EventIds, are_the_reference_hash_and_survive_redaction) {
    auto event = parse(R"({"room_id":"!x","sender":"@a:domain","origin_server_ts":1,"type":"m.room.message",
        "content":{"body":"secret"},"prev_events":[],"auth_events":[],"depth":3})");
    ASSERT_TRUE(hash_and_sign_event(event, "domain", spec_key()));
    const auto id = event_id_of(*reference_hash(event));
    EXPECT_TRUE(is_event_id(id.value));
    EXPECT_EQ(event_id_of(*reference_hash(redact_event(event))), id);
    event["unsigned"] = {{"age", 1}};
    EXPECT_EQ(event_id_of(*reference_hash(event)), id);
    event["content"] = {{"body", "other"}};
    ASSERT_TRUE(hash_and_sign_event(event, "domain", spec_key()));
    EXPECT_NE(event_id_of(*reference_hash(event)), id);
    EXPECT_EQ(room_id_of(id).value, "!" + id.value.substr(1));
}

TEST(EventIds, give_their_key_and_refuse_other_forms) {
    const std::string id = "$AAAAAAAAAAH_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    ASSERT_EQ(id.size(), 44u);
    EXPECT_EQ(event_key_of(id), std::optional<std::int64_t>(0x1));
    EXPECT_FALSE(is_event_id("$short"));
    EXPECT_FALSE(is_event_id("!AAAAAAAAAAH_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    EXPECT_FALSE(is_event_id("$AAAAAAAAAAH+AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
}

}  // namespace
}  // namespace chat
