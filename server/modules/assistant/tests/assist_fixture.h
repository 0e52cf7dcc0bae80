#pragma once

#include "world.h"

#include <string>
#include <vector>

#include <base/encoding.h>

namespace assistant::test {

inline constexpr const char* kSuggestions = "/_lingxi/client/v1/assist/suggestions";
inline constexpr const char* kTranslations = "/_lingxi/client/v1/assist/translations";
inline constexpr const char* kReceipts = "/_lingxi/client/v1/assist/receipts";

/// Two people in a room, and an administrator.
struct AssistTest : testing::Test {
    World world;
    Person alice = world.person("alice", "爱丽丝");
    Person bob = world.person("bob", "王小波");
    Person admin = world.person("root", "Root", true);
    std::string room = world.room({alice, bob});

    base::json::object ids(const std::vector<std::string>& event_ids) const {
        return {{"room_id", room}, {"event_ids", base::json::value_from(event_ids)}};
    }
    base::json::object status() {
        return world.get(alice, "/_lingxi/client/v1/assist/status?room_id=" + base::percent_encode(room))
            .body;
    }
    std::int64_t used() { return status().at("budget").at("used_tokens").as_int64(); }
    /// What is kept of a person, in rows.
    std::int64_t rows_of(const Person& person) {
        return *world.read([&](storage::Transaction& tx) -> base::Result<std::int64_t> {
            std::int64_t count = 0;
            for (const char* query : {"SELECT count(*) FROM model_call WHERE user_number = ?1",
                                      "SELECT count(*) FROM model_call_words WHERE user_number = ?1",
                                      "SELECT count(*) FROM spent_tokens WHERE user_number = ?1",
                                      "SELECT count(*) FROM assistant_answer WHERE asker_number = ?1",
                                      "SELECT count(*) FROM asked_by_itself WHERE user_number = ?1"}) {
                auto select = tx.prepare(query);
                select.bind(person.user);
                if (select.step()) count += select.integer(0);
            }
            return count;
        });
    }
    /// All that the model was sent, as text.
    std::string prompt() const {
        std::string all;
        for (const auto& message : world.fake->requests.back().messages) all += message.content + "\n";
        return all;
    }
};

}  // namespace assistant::test
