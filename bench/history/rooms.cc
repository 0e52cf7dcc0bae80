// The rooms and messages of a history, appended as the server appends them.
#include "history.h"
#include "members/members.h"
#include "rooms/room_plan.h"
#include "timeline/transaction_store.h"

#include <array>

#include <base/encoding.h>

namespace bench {

struct Rooms::Room {
    std::shared_ptr<const chat::RoomRules> rules;
    std::vector<chat::Actor> members;
};

Rooms::Rooms(base::Random& random) : random_(random) {}
Rooms::~Rooms() = default;

std::size_t Rooms::count() const {
    return rooms_.size();
}

base::Result<std::string> Rooms::make(storage::Transaction& tx, const std::vector<const Seat*>& members,
                                      std::int64_t now_ms) {
    Room room;
    for (const Seat* seat : members)
        room.members.push_back({.user = seat->user, .user_id = seat->user_id, .device = seat->device});
    chat::RoomPlan plan;
    plan.preset = chat::RoomPlan::Preset::public_chat;
    plan.name = "Room " + std::to_string(rooms_.size() + 1);
    std::array<std::uint8_t, 16> bits{};
    random_.fill(bits);
    auto writer = chat::make_room(tx, room.members.front(), plan, base::base64url_encode(bits), now_ms);
    if (!writer) return base::fail(writer.error());
    for (std::size_t i = 1; i < room.members.size(); ++i) {
        if (auto joined = chat::join_room(*writer, room.members[i], std::nullopt); !joined)
            return base::fail(joined.error());
    }
    room.rules = writer->shared_rules();
    rooms_.push_back(std::move(room));
    return rooms_.back().rules->room.id.value;
}

base::Result<void> Rooms::say(storage::Transaction& tx, std::size_t room_index, std::size_t member_index,
                              std::int64_t now_ms, bool with_transaction) {
    auto& room = rooms_[room_index];
    const auto& actor = room.members[member_index % room.members.size()];
    const auto number = std::to_string(++number_);
    auto content = chat::prepare_content(
        "m.room.message",
        {{"msgtype", "m.text"},
         {"body",
          "message " + number +
              " of the history: 我们周六中午十二点半见，别忘了带上那本书，it is on the second shelf"}});
    if (!content) return base::fail(content.error());
    chat::RoomWriter writer(tx, room.rules, now_ms);
    const auto said = writer.append({.type = "m.room.message",
                                     .state_key = std::nullopt,
                                     .sender = actor.user,
                                     .sender_id = actor.user_id,
                                     .content = *content,
                                     .now_ms = now_ms});
    if (!said) return base::fail(said.error());
    if (with_transaction) {
        chat::insert_transaction(
            tx, {.position = said->position,
                 .room = said->room,
                 .device = actor.device,
                 .scope_key = chat::transaction_scope_key(
                     actor.user, actor.device, "send", room.rules->room.id.value, "m.room.message", number),
                 .txn_id = number,
                 .sent_at_ms = now_ms});
    }
    return {};
}

}  // namespace bench
