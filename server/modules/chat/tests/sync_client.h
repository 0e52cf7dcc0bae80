#pragma once

#include "sync/account_data_store.h"
#include "sync/answer.h"
#include "sync/receipt_store.h"
#include "test_room.h"

#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>

#include <gtest/gtest.h>

namespace chat {

/// A client that syncs, on the same database as the people who write.
struct Client {
    Client(TestServer& server_in, const Actor& actor_in, std::string_view filter_text = "{}")
        : server(server_in), actor(actor_in) {
        filter = std::make_shared<const SyncFilter>(SyncFilter::parse_text(filter_text).value());
    }

    SyncQuery query() {
        SyncQuery made;
        made.user = actor.user;
        made.user_id = actor.user_id;
        made.device = actor.device;
        made.since = since;
        for (const auto stream : {Stream::events, Stream::receipts, Stream::account_data})
            made.now[stream] = last_position(server.tx(), stream);
        made.filter = filter;
        made.state_mode = state_mode;
        made.full_state = full_state;
        made.now_ms = server.now_ms;
        made.account_data_position = made.now[Stream::account_data];
        made.settings = settings;
        made.unread = unread;
        for (const auto& [room, members] : members_sent)
            made.members_sent.emplace(room, std::make_shared<const UserIds>(members));
        return made;
    }
    base::json::value sync() { return sync(query()); }
    base::json::value sync(const SyncQuery& made) {
        RoomReads reads(server.tx(), shares_reads);
        auto answer = make_answer(reads, made);
        has_news = answer.has_news;
        since = made.now;
        settings = answer.settings;
        for (auto& [room, counts] : answer.unread) unread.insert_or_assign(room, counts);
        for (auto& [room, members] : answer.members_sent)
            members_sent[room].insert(members.begin(), members.end());
        return base::parse_json(answer.body, 10'000'000).value();
    }

    TestServer& server;
    Actor actor;
    std::shared_ptr<const SyncFilter> filter;
    std::optional<StreamToken> since;
    StateMode state_mode;
    bool full_state = false;
    bool shares_reads = false;
    bool has_news = false;
    std::shared_ptr<const NotificationSettings> settings;
    std::unordered_map<RoomNumber, Unread> unread;
    std::unordered_map<RoomNumber, UserIds> members_sent;
};

inline const base::json::object* section(const base::json::value& answer, std::string_view kind,
                                         const RoomWriter& writer) {
    const auto& rooms = answer.at("rooms").at(kind).as_object();
    return base::get_object(rooms, writer.room().id.value);
}
inline const base::json::object& joined(const base::json::value& answer, const RoomWriter& writer) {
    const auto* room = section(answer, "join", writer);
    if (room == nullptr) throw std::runtime_error("the room is not among those joined");
    return *room;
}
inline std::string bodies(const base::json::object& room) {
    std::string out;
    for (const auto& event : room.at("timeline").at("events").as_array()) {
        const auto& content = event.at("content").as_object();
        if (const auto body = base::get_string(content, "body")) out.append(*body).push_back(' ');
    }
    return out;
}
/// "type|state_key" of the events of a list, in order of the alphabet.
inline std::set<std::string> keys(const base::json::value& events) {
    std::set<std::string> out;
    for (const auto& event : events.as_array())
        out.insert(std::string(event.at("type").as_string()) + "|" +
                   std::string(event.at("state_key").as_string()));
    return out;
}
inline std::set<std::string> state_keys(const base::json::object& room, std::string_view list = "state") {
    return keys(room.at(list).at("events"));
}
inline std::int64_t count(const base::json::object& room, std::string_view which = "notification_count") {
    return room.at("unread_notifications").at(which).as_int64();
}

/// Two people, and what their clients are answered.
class SyncAnswers : public testing::Test {
  protected:
    TestServer server;
    Actor ann = server.person("ann");
    Actor bob = server.person("bob");
};

}  // namespace chat
