#include "consent.h"
#include "endpoints.h"
#include "offline/chips.h"

#include <identity/body.h>
#include <identity/matrix_error.h>

namespace assistant {
namespace {

namespace json = base::json;

constexpr std::size_t kTurns = 4;
/// Where others talk in between, this many events are looked at for the turns before.
constexpr std::size_t kLookBackEvents = 12;
/// A person's language here is told by this many of their messages, found among so many events.
constexpr std::size_t kTellingMessages = 5;
constexpr std::size_t kTellingLookBackEvents = 60;

struct Conversation {
    std::vector<offline::Turn> turns;
    std::optional<offline::Language> reply_language;
};

/// What the account is set to; nothing where that is neither of the two languages.
std::optional<offline::Language> language_of_account(storage::Transaction& tx, identity::UserNumber user) {
    const auto tag = person_settings(tx, user).language;
    const auto primary = std::string_view(tag).substr(0, tag.find('-'));
    if (primary == "zh") return offline::Language::chinese;
    if (primary == "en") return offline::Language::english;
    return std::nullopt;
}

/// What was said up to the message, which comes last; empty where it is one's own, or no text.
Answered<Conversation> read_conversation(storage::Transaction& tx, const std::string& room_id,
                                         const std::string& event_id, identity::UserNumber user) {
    auto room = open_room(tx, room_id, user);
    if (!room) return refuse(room.error());
    if (auto allowed = check_allowed(tx, user, *room); !allowed) return refuse(allowed.error());
    const auto event = room->event(event_id);
    if (!event) return refuse(no_such_event());
    const auto text = text_of(*event);
    if (!text || event->sender == user) return Conversation{};
    Conversation conversation;
    auto& turns = conversation.turns;
    std::vector<std::string> own;
    std::size_t looked_at = 0;
    for (const auto& before : room->events_before(event->position, kTellingLookBackEvents)) {
        const bool is_near = ++looked_at <= kLookBackEvents && turns.size() + 1 < kTurns;
        if (!is_near && own.size() >= kTellingMessages) break;
        if (before.sender == user && own.size() < kTellingMessages && !is_forwarded(before)) {
            if (auto words = own_text_of(before)) own.push_back(std::move(*words));
        }
        if (!is_near) continue;
        if (auto said = text_of(before)) turns.push_back({before.sender == user, std::move(*said)});
    }
    std::ranges::reverse(turns);
    turns.push_back({false, *text});
    conversation.reply_language = offline::language_written_in(own);
    if (!conversation.reply_language) conversation.reply_language = language_of_account(tx, user);
    return conversation;
}

}  // namespace

Task<net::Response> suggest_chips(Core& core, net::Request request) {
    identity::Body body(request);
    const auto room_id = body.string("room_id");
    const auto event_id = body.string("event_id");
    if (body.failed()) co_return identity::matrix_error(body.error());
    auto conversation = co_await read_answered<Conversation>(
        core, [room_id, event_id, user = user_of(request)](storage::Transaction& tx) {
            return read_conversation(tx, room_id, event_id, user);
        });
    if (!conversation) co_return refused(core, conversation.error());

    json::array suggestions;
    if (!conversation->turns.empty()) {
        const auto* chips = co_await core.chips();
        if (chips == nullptr) {
            co_return refused(core, base::Error{base::ErrorKind::unavailable, "IM.LINGXI.UNAVAILABLE",
                                                "Suggestions are not ready yet; try again in a moment."});
        }
        auto offered = co_await core.runtime.on_cpu([chips, said = std::move(*conversation)] {
            return chips->suggest(said.turns, said.reply_language);
        });
        if (!offered) co_return identity::matrix_error(offered.error());
        for (const auto& chip : *offered) {
            suggestions.push_back(json::object{
                {"text", chip.text}, {"stance", offline::to_string(chip.stance)}, {"intent", chip.intent}});
        }
    }
    core.runtime.metrics()
        .counter("assistant_chips_total", "Messages looked at by the offline method.",
                 {{"result", suggestions.empty() ? "silent" : "offered"}})
        .add();
    co_return net::json(
        200, json::value(json::object{{"method", "offline"}, {"suggestions", std::move(suggestions)}}));
}

}  // namespace assistant
