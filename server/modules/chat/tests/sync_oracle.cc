#include "sync_oracle.h"

#include "timeline/event_json.h"
#include "timeline/event_store.h"

#include <algorithm>

namespace chat {
namespace {

using Json = base::json::value;

std::string text_of(const Json& object, std::string_view key) {
    return std::string(base::get_string(object.as_object(), key).value_or(std::string_view{}));
}

}  // namespace

std::string SyncWish::filter() const {
    base::json::object timeline{{"limit", limit}};
    if (only_messages) timeline["types"] = base::json::array{"m.room.message"};
    base::json::object state;
    if (is_lazy) state["lazy_load_members"] = true;
    return base::json::serialize(base::json::object{{"room",
                                                     {{"timeline", std::move(timeline)},
                                                      {"state", std::move(state)},
                                                      {"include_leave", include_leave}}}});
}

SyncOracle::SyncOracle(storage::Transaction& tx) {
    auto rows = tx.prepare(
        "SELECT r.room_id, e.position, e.json FROM event e JOIN room r ON r.room_number = e.room_number "
        "ORDER BY e.position");
    while (rows.step()) {
        const auto json = parse_stored(rows.text(2));
        const auto& content = content_of(json);
        Event event;
        event.position = Position{rows.integer(1)};
        event.id = base::get_string(json, "event_id").value();
        event.type = base::get_string(json, "type").value();
        if (const auto key = base::get_string(json, "state_key")) event.state_key = *key;
        event.sender = base::get_string(json, "sender").value();
        if (event.type == "m.room.member")
            event.word = base::get_string(content, "membership").value_or("leave");
        if (event.type == "m.room.history_visibility")
            event.word = base::get_string(content, "history_visibility").value_or("shared");
        rooms_[std::string(rows.text(0))].push_back(std::move(event));
    }
}

const SyncOracle::Event* SyncOracle::member_event(const Room& room, const std::string& user_id, Position at) {
    const Event* latest = nullptr;
    for (const auto& event : room) {
        if (event.position > at) break;
        if (event.type == "m.room.member" && event.state_key == user_id) latest = &event;
    }
    return latest;
}

std::string SyncOracle::membership(const Room& room, const std::string& user_id, Position at) {
    const auto* event = member_event(room, user_id, at);
    return event == nullptr ? "" : event->word;
}

Position SyncOracle::membership_since(const Room& room, const std::string& user_id, Position at) {
    std::string membership;
    Position since;
    for (const auto& event : room) {
        if (event.position > at) break;
        if (event.type != "m.room.member" || event.state_key != user_id) continue;
        if (event.word != membership) since = event.position;
        membership = event.word;
    }
    return since;
}

Position SyncOracle::stay_end(const Room& room, const std::string& user_id, Position at) {
    std::string membership;
    Position end;
    for (const auto& event : room) {
        if (event.position > at) break;
        if (event.type != "m.room.member" || event.state_key != user_id) continue;
        if (membership == "join" && event.word != "join") end = event.position;
        membership = event.word;
    }
    return end;
}

bool SyncOracle::ever_joined(const Room& room, const std::string& user_id, Position after, Position up_to) {
    return std::ranges::any_of(room, [&](const Event& event) {
        return event.position > after && event.position <= up_to && event.type == "m.room.member" &&
               event.state_key == user_id && event.word == "join";
    });
}

bool SyncOracle::may_see(const Room& room, const std::string& user_id, const Event& event, Position horizon) {
    if (event.type == "m.room.member" && event.state_key == user_id) return true;
    const auto visibility_at = [&](Position at) {
        std::string visibility = "shared";
        for (const auto& other : room) {
            if (other.position > at) break;
            if (other.type == "m.room.history_visibility" && other.state_key == "") visibility = other.word;
        }
        return visibility;
    };
    const auto member = membership(room, user_id, event.position);
    const auto allows = [&](const std::string& visibility) {
        return visibility == "world_readable" || member == "join" ||
               (visibility == "shared" && ever_joined(room, user_id, event.position, horizon)) ||
               (visibility == "invited" && member == "invite");
    };
    return allows(visibility_at(event.position)) ||
           (event.type == "m.room.history_visibility" &&
            allows(visibility_at(Position{event.position.value - 1})));
}

std::map<SyncOracle::Key, std::string> SyncOracle::state_at(const Room& room, Position at) {
    std::map<Key, std::string> state;
    for (const auto& event : room) {
        if (event.position > at) break;
        if (event.state_key) state[{event.type, *event.state_key}] = event.id;
    }
    return state;
}

/// One client, as a simple one would be written: it believes what it is told.
class Replay {
  public:
    using Event = SyncOracle::Event;
    using Room = SyncOracle::Room;

    Replay(const SyncOracle& oracle, const std::string& user_id, const SyncWish& wish)
        : oracle_(oracle), user_id_(user_id), wish_(wish) {}

    std::string take(const Heard& heard) {
        const auto& rooms = heard.answer.at("rooms");
        full_state_ = heard.full_state;
        is_initial_ = !heard.since;
        after_ = Position{heard.since ? (*heard.since)[Stream::events] : 0};
        if (is_initial_) states_.clear();
        const auto next = StreamToken::parse(text_of(heard.answer, "next_batch"));
        if (!next) return "next_batch is no token";
        now_ = Position{(*next)[Stream::events]};
        for (const auto& [room_id, room] : oracle_.rooms_) {
            auto fault = take_room(rooms, room_id, room);
            if (!fault.empty()) {
                std::string told;
                for (const auto* name : {"join", "leave", "invite"}) {
                    if (const auto* found = rooms.at(name).as_object().if_contains(room_id))
                        told += std::string("\n") + name + " " + base::json::serialize(*found);
                }
                return user_id_ + " in " + room_id + " from " + std::to_string(after_.value) + " to " +
                       std::to_string(now_.value) + ": " + fault + "\nwith the filter " + wish_.filter() +
                       told;
            }
        }
        return {};
    }

  private:
    std::string take_room(const Json& rooms, const std::string& room_id, const Room& room) {
        const auto section = [&](std::string_view name) -> const Json* {
            return rooms.at(name).as_object().if_contains(room_id);
        };
        const auto member = SyncOracle::membership(room, user_id_, now_);
        const auto since = SyncOracle::membership_since(room, user_id_, now_);
        const bool is_changed = since > after_;
        if (section("join") != nullptr && member != "join") return "told as joined, being " + member;
        if (section("leave") != nullptr && !((member == "leave" || member == "ban") && is_changed))
            return "told as left, being " + member;
        if (member == "join") return take_joined(section("join"), room_id, room, is_initial_ || is_changed);
        if (member != "invite" && section("invite") != nullptr) return "told as invited, being " + member;
        if (member == "invite") {
            const auto& by = *SyncOracle::member_event(room, user_id_, now_);
            const bool is_wanted = by.position > after_ && !wish_.ignored.contains(by.sender);
            if ((section("invite") != nullptr) != is_wanted) return "an invitation is lost, or not wanted";
        }
        if (is_initial_ && !wish_.include_leave && section("leave") != nullptr)
            return "told of a room that was left, without asking";
        if ((member == "leave" || member == "ban") && is_changed && (!is_initial_ || wish_.include_leave)) {
            auto fault = take_left(section("leave"), room_id, room, since);
            states_.erase(room_id);
            return fault;
        }
        if (member != "join") states_.erase(room_id);
        return {};
    }

    std::string take_joined(const Json* told, const std::string& room_id, const Room& room, bool is_new) {
        const auto lower = is_new ? Position{} : after_;
        if (told == nullptr) {
            if (is_new || full_state_) return "a joined room is missing";
            if (!visible(room, lower, now_, kEndOfTime).empty()) return "events are lost";
            return compare_state(states_[room_id], SyncOracle::state_at(room, now_), {});
        }
        if (is_new) states_[room_id].clear();
        return take_timeline(*told, room_id, room, lower, now_, now_);
    }

    std::string take_left(const Json* told, const std::string& room_id, const Room& room, Position left_at) {
        if (told == nullptr) return "the end of a room is lost";
        const auto stay_end = SyncOracle::stay_end(room, user_id_, left_at);
        if (stay_end <= after_) {
            const auto& events = told->at("timeline").at("events").as_array();
            const auto wanted = visible(room, Position{left_at.value - 1}, left_at, kEndOfTime);
            if (events.size() != wanted.size()) return "the end of an invitation says too much";
            const auto* state = told->as_object().if_contains("state");
            if (state != nullptr && !state->at("events").as_array().empty())
                return "one who has not been in the room since is told its state";
            const auto* state_after = told->as_object().if_contains("state_after");
            if (state_after == nullptr) return {};
            const auto& end = state_after->at("events").as_array();
            const auto& own = *SyncOracle::member_event(room, user_id_, left_at);
            if (end.size() != 1 || base::get_string(end.at(0).as_object(), "event_id") != own.id)
                return "the state after the end of an invitation is not that end alone";
            return {};
        }
        const bool was_joined = SyncOracle::membership(room, user_id_, after_) == "join";
        if (!was_joined) states_[room_id].clear();
        return take_timeline(*told, room_id, room, was_joined ? after_ : Position{}, left_at, stay_end);
    }

    /// `state_at`: as of when the person may know the state, beside what the timeline shows them of it.
    std::string take_timeline(const Json& told, const std::string& room_id, const Room& room, Position lower,
                              Position upper, Position state_at) {
        const auto& timeline = told.at("timeline");
        const auto& events = timeline.at("events").as_array();
        auto wanted = visible(room, lower, upper, kEndOfTime);
        auto fault = compare_timeline(timeline, wanted, room, state_at);
        // A join that came after the answer's end may have been known already, or not yet.
        if (!fault.empty()) {
            wanted = visible(room, lower, upper, upper);
            if (compare_timeline(timeline, wanted, room, state_at).empty()) fault.clear();
        }
        if (!fault.empty()) return fault;

        auto& state = states_[room_id];
        const auto set = [&](const Json& event) {
            if (const auto key = base::get_string(event.as_object(), "state_key"))
                state[{text_of(event, "type"), std::string(*key)}] = text_of(event, "event_id");
        };
        std::set<std::string> senders;
        std::vector<std::string> shown;  // whose state the client takes from the timeline
        for (const auto& event : events) {
            senders.insert(text_of(event, "sender"));
            if (!wish_.is_after) shown.push_back(text_of(event, "event_id"));
        }
        const auto* before = told.as_object().if_contains("state");
        const auto* after = told.as_object().if_contains("state_after");
        if ((before != nullptr) == wish_.is_after || (after != nullptr) != wish_.is_after)
            return "the state is told under the wrong name";
        if (before != nullptr) {
            for (const auto& event : before->at("events").as_array()) set(event);
            for (const auto& event : events) set(event);
        } else {
            for (const auto& event : after->at("events").as_array()) set(event);
        }
        return compare_state(state, known_state(room, upper, state_at, shown), senders);
    }

    /// What there is to know of the state as of `at`: beside it what became of the person themselves, and the
    /// later events that the timeline shows.
    std::map<SyncOracle::Key, std::string> known_state(const Room& room, Position upper, Position at,
                                                       const std::vector<std::string>& shown) const {
        auto state = SyncOracle::state_at(room, at);
        for (const auto& event : room) {
            if (event.position <= at || event.position > upper || !event.state_key) continue;
            const bool is_own = event.type == "m.room.member" && event.state_key == user_id_;
            if (is_own || std::ranges::find(shown, event.id) != shown.end())
                state[{event.type, *event.state_key}] = event.id;
        }
        return state;
    }

    /// Whether the timeline may end before this event though there is room for it: it sets state that was set
    /// anew by a later event that the client is not shown, and would win over that.
    bool may_cut_before(const Event& event, const std::vector<const Event*>& shown, const Room& room,
                        Position state_at) const {
        if (wish_.is_after || !event.state_key || event.position > state_at) return false;
        const auto latest = SyncOracle::state_at(room, state_at).at({event.type, *event.state_key});
        return latest != event.id &&
               std::ranges::none_of(shown, [&](const Event* one) { return one->id == latest; });
    }

    std::string compare_timeline(const Json& timeline, const std::vector<const Event*>& wanted,
                                 const Room& room, Position state_at) const {
        const auto& events = timeline.at("events").as_array();
        auto count = std::min(wanted.size(), wish_.limit);
        if (events.size() < count) {
            const std::vector<const Event*> shown(wanted.end() - static_cast<std::ptrdiff_t>(events.size()),
                                                  wanted.end());
            if (may_cut_before(*wanted[wanted.size() - events.size() - 1], shown, room, state_at))
                count = events.size();
        }
        if (events.size() != count)
            return std::to_string(events.size()) + " events are told of " + std::to_string(wanted.size());
        for (std::size_t i = 0; i < count; ++i) {
            const auto& expected = *wanted[wanted.size() - count + i];
            if (text_of(events[i], "event_id") != expected.id)
                return "event " + std::to_string(i) + " of the timeline is not " +
                       std::to_string(expected.position.value);
        }
        if (timeline.at("limited").as_bool() != (wanted.size() > count)) return "limited is wrong";
        const auto before = parse_timeline_token(text_of(timeline, "prev_batch"));
        if (!before) return "prev_batch is no token";
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            if ((wanted[i]->position > *before) != (i >= wanted.size() - count))
                return "prev_batch does not lead to what was left out";
        }
        return {};
    }

    /// What the client believes, against what holds. Members that are loaded lazily may be missing, but for
    /// those whose words the client has to show.
    std::string compare_state(const std::map<SyncOracle::Key, std::string>& believed,
                              const std::map<SyncOracle::Key, std::string>& holds,
                              const std::set<std::string>& shown) const {
        for (const auto& [key, id] : believed) {
            const auto found = holds.find(key);
            if (found == holds.end() || found->second != id)
                return "the client believes in an old " + key.first + " of '" + key.second + "'";
        }
        for (const auto& [key, id] : holds) {
            const bool is_optional =
                wish_.is_lazy && key.first == "m.room.member" && !shown.contains(key.second);
            if (!is_optional && !believed.contains(key))
                return "the client was not told the " + key.first + " of '" + key.second + "'";
        }
        return {};
    }

    std::vector<const Event*> visible(const Room& room, Position lower, Position upper,
                                      Position horizon) const {
        std::vector<const Event*> events;
        for (const auto& event : room) {
            if (event.position <= lower || event.position > upper) continue;
            if (wish_.only_messages && event.type != "m.room.message") continue;
            if (!event.state_key && wish_.ignored.contains(event.sender)) continue;
            if (SyncOracle::may_see(room, user_id_, event, horizon)) events.push_back(&event);
        }
        return events;
    }

    const SyncOracle& oracle_;
    std::string user_id_;
    SyncWish wish_;
    bool full_state_ = false;
    bool is_initial_ = false;
    Position after_;
    Position now_;
    std::map<std::string, std::map<SyncOracle::Key, std::string>> states_;
};

std::string SyncOracle::check(const std::string& user_id, const SyncWish& wish,
                              const std::vector<Heard>& heard) const {
    Replay replay(*this, user_id, wish);
    for (const auto& one : heard) {
        auto fault = replay.take(one);
        if (!fault.empty()) return fault;
    }
    return {};
}

}  // namespace chat
