#pragma once

#include "answer_store.h"
#include "world.h"

#include <optional>
#include <string>
#include <vector>

namespace assistant::test {

/// Chats with @assistant.
struct Converse : testing::Test {
    Converse() { world.fake->script.deltas = {"我是", "程序。"}; }

    World world;
    Person alice = world.person("alice", "爱丽丝");
    Person bob = world.person("bob", "王小波");
    Person admin = world.person("root", "Root", true);

    std::string with_assistant(const std::vector<Person>& people) {
        const auto room = world.room(people);
        world.invite(people.front(), room, world.assistant_id);
        // Who it is, said by itself.
        EXPECT_TRUE(world.until([&] { return from_assistant(people.front(), room).size() == 1; }));
        return room;
    }
    /// What it said, edits left out (the server bundles them).
    std::vector<base::json::object> from_assistant(const Person& reader, const std::string& room) {
        std::vector<base::json::object> found;
        for (auto& event : world.messages(reader, room)) {
            const auto& content = event.at("content").as_object();
            const bool is_edit = content.contains("m.new_content");
            if (event.at("sender").as_string() == world.assistant_id && !is_edit) found.push_back(event);
        }
        return found;
    }
    /// Its last answer as it reads now; empty while there is none.
    std::string answer(const Person& reader, const std::string& room) {
        std::string body;
        for (const auto& event : world.messages(reader, room)) {
            if (event.at("sender").as_string() != world.assistant_id) continue;
            const auto& content = event.at("content").as_object();
            const auto* edited = base::get_object(content, "m.new_content");
            body = base::get_string(edited ? *edited : content, "body").value_or("");
        }
        return body;
    }
    bool answers(const Person& reader, const std::string& room, std::string_view text) {
        return world.until([&] { return answer(reader, room) == text; });
    }
    bool is_noted(const std::string& question) {
        return world
            .read([&](storage::Transaction& tx) -> base::Result<std::optional<StoredAnswer>> {
                return find_answer(tx, question);
            })
            ->has_value();
    }
    bool is_done(const std::string& question) {
        return world.until([&] {
            const auto stored =
                world.read([&](storage::Transaction& tx) -> base::Result<std::optional<StoredAnswer>> {
                    return find_answer(tx, question);
                });
            return *stored && (*stored)->state == AnswerState::done;
        });
    }
};

}  // namespace assistant::test
