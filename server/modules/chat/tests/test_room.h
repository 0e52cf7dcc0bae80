#pragma once

#include "rooms/room_view.h"
#include "rooms/room_writer.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <base/crypto.h>
#include <chat/chat.h>
#include <identity/identity.h>
#include <identity/users.h>
#include <storage/test_database.h>

namespace chat {

/// A server named "x" on a real database, with people and rooms for tests of what runs inside jobs.
struct TestServer {
    TestServer() {
        base::initialise_crypto();
        EXPECT_TRUE(identity::name_server(tx(), "x"));
    }

    storage::Transaction& tx() { return *transaction; }

    Actor person(std::string_view localpart) {
        const auto user = identity::create_account(
            tx(), {.localpart = std::string(localpart), .display_name = "Name of " + std::string(localpart)});
        EXPECT_TRUE(user);
        return {*user, "@" + std::string(localpart) + ":x", identity::DeviceNumber{user->value * 10}, false};
    }

    /// The creator and these others have joined; the levels are written as createRoom does it.
    RoomWriter room(const Actor& creator, const std::vector<Actor>& others = {},
                    RoomVersion version = RoomVersion::v12) {
        auto writer = create_room(tx(), version, RoomId("!room" + std::to_string(++rooms) + ":x"), creator,
                                  {{"room_version", to_string(version)}, {"nonce", rooms}}, ++now_ms);
        EXPECT_TRUE(writer);
        EXPECT_TRUE(
            writer->append_state(creator, "m.room.member", creator.user_id, {{"membership", "join"}}));
        base::json::object users;
        if (version == RoomVersion::v11) users[creator.user_id] = 100;
        EXPECT_TRUE(
            writer->append_state(creator, "m.room.power_levels", "", {{"users", users}, {"invite", 0}}));
        EXPECT_TRUE(writer->append_state(creator, "m.room.join_rules", "", {{"join_rule", "public"}}));
        for (const Actor& other : others) EXPECT_TRUE(member(*writer, other, other, "join"));
        return std::move(*writer);
    }

    base::Result<Appended> say(RoomWriter& writer, const Actor& actor, base::json::object content,
                               std::string_view type = "m.room.message") {
        const auto prepared = prepare_content(type, std::move(content));
        if (!prepared) return base::fail(prepared.error());
        return writer.append({.type = type,
                              .state_key = {},
                              .sender = actor.user,
                              .sender_id = actor.user_id,
                              .content = *prepared,
                              .now_ms = ++now_ms});
    }
    Appended say(RoomWriter& writer, const Actor& actor, std::string_view body) {
        const auto said = say(writer, actor, {{"msgtype", "m.text"}, {"body", body}});
        EXPECT_TRUE(said);
        return said.value_or(Appended{});
    }
    base::Result<Appended> redact(RoomWriter& writer, const Actor& actor, const Appended& said) {
        return say(writer, actor, {{"redacts", said.id.value}}, "m.room.redaction");
    }
    base::Result<Appended> member(RoomWriter& writer, const Actor& actor, const Actor& target,
                                  std::string_view membership) {
        return writer.append_state(actor, "m.room.member", target.user_id, {{"membership", membership}});
    }

    RoomView view(const RoomWriter& writer, const Actor& actor) {
        return {tx(), writer.room().number, writer.room().id.value, {actor.user, actor.device}, now_ms};
    }
    base::json::object shown(const RoomWriter& writer, const Actor& actor, Position position) {
        auto seen = view(writer, actor);
        std::string out;
        seen.append(out, find_event(tx(), writer.room().number, position).value());
        return base::parse_json(out, 1'000'000).value().as_object();
    }

    storage::TestDatabase database{{identity::migrations(), chat::migrations()}};
    storage::Transaction* transaction = &database.begin();  // one for all of a test
    std::int64_t now_ms = 1'700'000'000'000;
    int rooms = 0;
};

}  // namespace chat
