#include "rooms/room_writer.h"

namespace chat {
namespace {

RoomNews news_of(const Appended& appended, const Draft& draft) {
    return {.room = appended.room,
            .position = appended.position,
            .sender = draft.sender,
            .type = std::string(draft.type),
            .is_state = draft.state_key.has_value(),
            .member = appended.member,
            .membership_before = appended.membership_before,
            .membership = appended.membership,
            .redacted = appended.redacted};
}

}  // namespace

base::Result<Appended> RoomWriter::append(const Draft& draft) {
    auto appended = append_event(tx_, *rules_, draft);
    if (!appended) return appended;
    if (!appended->keeps_rules) rules_ = load_rules(tx_, rules_->room);
    if (appended->is_new) news_.push_back(news_of(*appended, draft));
    return appended;
}

base::Result<Appended> RoomWriter::append_state(const Actor& actor, std::string_view type,
                                                std::string_view state_key, base::json::object content) {
    const auto prepared = prepare_content(type, std::move(content));
    if (!prepared) return base::fail(prepared.error());
    return append({.type = type,
                   .state_key = state_key,
                   .sender = actor.user,
                   .sender_id = actor.user_id,
                   .content = *prepared,
                   .now_ms = now_ms_});
}

base::Result<RoomWriter> create_room(storage::Transaction& tx, RoomVersion version, const RoomId& room_id,
                                     const Actor& creator, base::json::object content, std::int64_t now_ms) {
    constexpr std::string_view kCreate = "m.room.create";
    const auto prepared = prepare_content(kCreate, std::move(content));
    if (!prepared) return base::fail(prepared.error());
    const Draft draft{.type = kCreate,
                      .state_key = "",
                      .sender = creator.user,
                      .sender_id = creator.user_id,
                      .content = *prepared,
                      .now_ms = now_ms};
    const auto created = append_create_event(tx, version, room_id, draft);
    if (!created) return base::fail(created.error());
    RoomWriter writer(tx, load_rules(tx, find_room(tx, created->room).value()), now_ms);
    writer.news().push_back(news_of(*created, draft));
    return writer;
}

}  // namespace chat
