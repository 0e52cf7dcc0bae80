// Events of /sync in the format that its filter asks for.
#include "event/hashes.h"
#include "server_key_store.h"
#include "test_house.h"

namespace chat {
namespace {

TEST(EventFormat, of_federation_is_what_another_server_would_be_sent) {
    TestHouse house;
    house.run([](TestHouse& h) -> runtime::Task<void> {
        const auto ann = co_await h.person("ann");
        const auto room = co_await h.room({ann});
        co_await h.say(room, ann, "hello");
        const ServerKey key{base::SigningKey::from_seed({7}), "ed25519:t"};
        const auto kept =
            co_await h.database->write({"test"}, [key](storage::Transaction& tx) -> base::Result<void> {
                insert_server_key(tx, key, 1);
                return {};
            });
        EXPECT_TRUE(kept);
        const auto in_room = [&](std::string filter) -> runtime::Task<base::json::object> {
            std::string since;
            auto answer = co_await h.poll(ann, since, "0", std::move(filter));
            co_return std::move(answer.at("rooms").at("join").at(room).as_object());
        };
        const auto told =
            co_await in_room(R"({"event_format":"federation","room":{"timeline":{"limit":2}}})");
        std::size_t events = 0;
        for (const auto* part : {"timeline", "state"}) {
            for (const auto& event : told.at(part).at("events").as_array()) {
                auto whole = event.as_object();
                const std::string id(whole.at("event_id").as_string());
                whole.erase("event_id");
                EXPECT_TRUE(verify_event(whole, "x", "ed25519:t", key.key.public_key())) << event;
                EXPECT_EQ(event_id_of(*reference_hash(whole)).value, id);
                EXPECT_TRUE(whole.contains("prev_events") && whole.contains("auth_events") &&
                            whole.contains("depth") && whole.contains("hashes"));
                ++events;
            }
        }
        EXPECT_EQ(events, 5U);  // creation, membership, levels, join rules and a message
        EXPECT_EQ(told.at("timeline").at("events").at(1).at("content").at("body").as_string(), "hello");
        EXPECT_TRUE(told.at("timeline").at("events").at(1).as_object().contains("unsigned"));

        const auto some = co_await in_room(
            R"({"event_format":"federation","event_fields":["depth"],"room":{"timeline":{"limit":1}}})");
        EXPECT_EQ(base::json::serialize(some.at("timeline").at("events")), R"([{"depth":5}])");
        const auto plain = co_await in_room(R"({"event_format":"client"})");
        EXPECT_FALSE(plain.at("timeline").at("events").at(0).as_object().contains("hashes"));
    });
}

}  // namespace
}  // namespace chat
