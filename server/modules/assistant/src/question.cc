#include "question.h"

#include "converse.h"
#include "core.h"
#include "endpoints.h"
#include "quotes.h"

#include <algorithm>
#include <cctype>

#include <base/encoding.h>
#include <base/log.h>
#include <identity/users.h>

namespace assistant {
namespace {

namespace json = base::json;

constexpr std::size_t kQuestionLimitBytes = 8 * 1024;
constexpr std::size_t kBeforeLimitBytes = 12 * 1024;

bool is_name_byte(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

std::string_view trimmed(std::string_view text) {
    for (bool again = true; again;) {
        again = false;
        for (const std::string_view mark : {" ", "\n", "\r", "\t", ":", "：", ",", "，", "、", "\xC2\xA0"}) {
            if (text.starts_with(mark)) {
                text.remove_prefix(mark.size());
                again = true;
            }
        }
    }
    while (!text.empty() && std::string_view(" \n\r\t").contains(text.back())) text.remove_suffix(1);
    return text;
}

bool mentions(const json::object& content, const std::string& user_id) {
    const auto* mentioned = base::get_object(content, "m.mentions");
    const auto* users = mentioned ? base::get_array(*mentioned, "user_ids") : nullptr;
    return users != nullptr && std::ranges::any_of(*users, [&](const json::value& value) {
               const auto* user = value.if_string();
               return user != nullptr && std::string_view(*user) == user_id;
           });
}

/// "…, @assistant, …" anywhere in the words: clients without pills write a mention like that.
bool names_it(std::string_view text, std::string_view user_id) {
    const std::string lower = base::ascii_lower(text);
    for (const std::string& name :
         {base::ascii_lower(user_id), "@" + base::ascii_lower(identity::localpart_of(user_id)),
          "@" + base::ascii_lower(Converse::kDisplayName), std::string("@灵犀")}) {
        for (auto at = lower.find(name); at != std::string::npos; at = lower.find(name, at + 1)) {
            const auto end = at + name.size();
            const bool is_address = at > 0 && is_name_byte(lower[at - 1]);  // somebody@assistant.example
            const char after = end < lower.size() ? lower[end] : ' ';
            const bool goes_on =
                is_name_byte(after) || after == '-' || after == '_' ||
                ((after == ':' || after == '.') && end + 1 < lower.size() && is_name_byte(lower[end + 1]));
            const bool is_han = static_cast<unsigned char>(name.back()) >= 0x80;  // words follow at once
            if (!is_address && (is_han || !goes_on)) return true;
        }
    }
    return false;
}

/// In a thread, the answer goes there; in a group it quotes the question; in a chat of two it just follows.
json::object relation_to(const chat::ReadEvent& event, bool is_private) {
    const json::object reply{{"event_id", event.id.value}};
    if (const auto* relates = base::get_object(event.content, "m.relates_to")) {
        if (base::get_string(*relates, "rel_type") == "m.thread") {
            return {{"rel_type", "m.thread"},
                    {"event_id", base::get_string(*relates, "event_id").value_or("")},
                    {"is_falling_back", true},
                    {"m.in_reply_to", reply}};
        }
    }
    if (is_private) return {};
    return {{"m.in_reply_to", reply}};
}

/// What the asker wrote, as it may go out.
std::string own_words(const chat::ReadEvent& event, const AssistantIdentity& self) {
    const auto text = text_of(event);
    if (!text) return {};
    const auto unquoted = without_quotes(*text);
    const auto own = after_address(unquoted, self.user_id, Converse::kDisplayName).value_or(unquoted);
    return std::string(base::utf8_prefix(trimmed(own), kQuestionLimitBytes));
}

struct Before {
    std::vector<Exchange> exchanges;  ///< oldest first, names not replaced yet
    std::vector<chat::EventVersion> versions;
};

Before read_before(storage::Transaction& tx, chat::RoomReading& room, const Question& question,
                   const AssistantIdentity& self) {
    Before before;
    std::size_t bytes = 0;
    for (const auto& answer : answers_to(tx, question.room_id, question.asker, kExchangesBefore)) {
        if (answer.answer_event_id.empty() || answer.question_event_id == question.event_id) continue;
        const auto asked = room.event(answer.question_event_id);
        const auto said = room.event(answer.answer_event_id);
        // Only what a model said is part of a conversation with it: not our own statements.
        if (!asked || !said || asked->is_redacted || said->is_redacted || !said->latest.contains(kLabelKey))
            continue;
        Exchange exchange{own_words(*asked, self), text_of(*said).value_or(std::string{})};
        bytes += exchange.question.size() + exchange.answer.size();
        if (bytes > kBeforeLimitBytes) break;
        if (exchange.question.empty() || exchange.answer.empty()) continue;
        before.exchanges.push_back(std::move(exchange));
        before.versions.push_back(asked->version());
        before.versions.push_back(said->version());
    }
    std::ranges::reverse(before.exchanges);
    return before;
}

/// Whether whoever invited the assistant wrote the event while it had not come yet.
bool was_waited_for(const chat::RoomReading& room, const chat::ReadEvent& event) {
    const auto invitation = room.invitation();
    return invitation && invitation->accepted && event.sender == invitation->inviter &&
           event.position > invitation->position && event.position < invitation->accepted;
}

/// In a chat of two every word is for the assistant: of what was written since the two are alone, not of what
/// was said to others before. It is one since the invitation where from then on nobody else was invited, came
/// or went.
bool is_chat_of_two(const chat::RoomReading& room, const chat::ReadEvent& event) {
    if (room.joined_count() != 2 || room.invited_count() != 0) return false;
    const auto changed_at = room.members_changed_at();
    if (event.position > changed_at) return true;
    const auto invitation = room.invitation();
    return was_waited_for(room, event) && invitation->accepted == changed_at &&
           !room.others_changed(invitation->position, invitation->accepted);
}

}  // namespace

std::optional<std::string> after_address(std::string_view text, std::string_view user_id,
                                         std::string_view display_name) {
    const std::string localpart(identity::localpart_of(user_id));
    text = trimmed(text);
    for (const std::string& name :
         {std::string(user_id), "@" + localpart, "@" + std::string(display_name), std::string(display_name),
          std::string("@灵犀"), std::string("灵犀"), localpart}) {
        if (name.empty() || base::ascii_lower(text.substr(0, name.size())) != base::ascii_lower(name))
            continue;
        const std::string_view rest = text.substr(name.size());
        // "assistants are …" is no address.
        const bool goes_on = !rest.empty() && is_name_byte(name.back()) && is_name_byte(rest.front());
        if (!goes_on) return std::string(trimmed(rest));
    }
    return std::nullopt;
}

bool is_question(const chat::RoomReading& room, const chat::ReadEvent& event, const AssistantIdentity& self) {
    const auto msgtype = base::get_string(event.latest, "msgtype");
    const bool is_spoken = msgtype == "m.text" || msgtype == "m.emote";  // bots speak in m.notice
    if (event.sender == self.user || !is_spoken) return false;
    const auto text = text_of(event);
    if (!text) return false;
    const bool is_to_be_heard =
        room.membership() == chat::Membership::join &&
        room.membership_of(event.sender) == chat::Membership::join &&
        (room.membership_at(event.position) == chat::Membership::join || was_waited_for(room, event));
    if (!is_to_be_heard) return false;
    // A name in the asker's own words speaks to it; a quoted one does not.
    const auto own = without_quotes(*text);
    return mentions(event.content, self.user_id) ||
           after_address(own, self.user_id, Converse::kDisplayName).has_value() ||
           names_it(own, self.user_id) || is_chat_of_two(room, event);
}

std::optional<Question> read_question(storage::Transaction& tx, chat::RoomReading& room,
                                      const chat::ReadEvent& event, const AssistantIdentity& self) {
    if (!is_question(room, event, self)) return std::nullopt;
    Question question{.room = room.number(),
                      .position = event.position,
                      .room_id = room.room_id(),
                      .event_id = event.id.value,
                      .asker = event.sender};
    question.is_private = is_chat_of_two(room, event);
    question.asker_id = identity::user_id_of(tx, event.sender).value;
    question.is_encrypted_room = room.state("m.room.encryption").has_value();
    question.relation = relation_to(event, question.is_private);
    question.asked_at_ms = event.origin_server_ts;
    const auto own = own_words(event, self);
    question.chinese = is_mostly_chinese(own);
    if (own.empty()) return std::nullopt;
    question.versions.push_back(event.version());
    if (auto allowed = check_allowed(tx, event.sender, room); !allowed) question.refusal = allowed.error();
    if (!question.refusal && is_forwarded(event)) question.refusal = nobody_to_ask();
    Before before;
    if (!question.refusal) before = read_before(tx, room, question, self);

    std::string all = own;
    for (const Exchange& exchange : before.exchanges)
        all += "\n" + exchange.question + "\n" + exchange.answer;
    question.names.avoid(all);
    know_people(tx, room, event.sender, self.user, all + "\n" + mentioned_ids(event), question.chinese,
                question.names);
    question.text = question.names.hide(own);
    for (const Exchange& exchange : before.exchanges)
        question.before.push_back(
            {question.names.hide(exchange.question), question.names.hide(exchange.answer)});
    question.versions.insert(question.versions.end(), before.versions.begin(), before.versions.end());
    return question;
}

runtime::Task<base::Result<std::optional<Question>>> find_question(Assistant::Core& core,
                                                                   chat::RoomNumber room,
                                                                   std::optional<chat::Position> position,
                                                                   std::string event_id) {
    auto question =
        co_await core.database.read([room, position, event_id = std::move(event_id),
                                     self = AssistantIdentity{core.assistant_user, core.assistant_user_id}](
                                        storage::Transaction& tx) -> base::Result<std::optional<Question>> {
            auto reading = chat::RoomReading::open(tx, room, self.user);
            if (!reading) return std::optional<Question>{};
            const auto event = position ? reading->event(*position) : reading->event(event_id);
            if (!event) return std::optional<Question>{};
            return read_question(tx, *reading, *event, self);
        });
    if (!question) base::log_warning("assistant.cannot_read", {{"code", question.error().code}});
    co_return question;
}

}  // namespace assistant
