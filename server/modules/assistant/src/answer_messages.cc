#include "answer_messages.h"

#include "backoff.h"
#include "excerpt.h"
#include "labels.h"
#include "statements.h"

#include <utility>

#include <base/log.h>
#include <chat/chat.h>
#include <chat/reading.h>

namespace assistant {
namespace {

namespace json = base::json;

/// For what is said where an answer was redacted: a transaction of its own.
egress::CallId anew(const egress::CallId& call_id) {
    return egress::CallId(call_id.value + "-taken-back");
}

/// The thread that the question stands in, and so its answer.
std::string thread_of(const Question& question) {
    if (base::get_string(question.relation, "rel_type") != "m.thread") return {};
    return std::string(base::get_string(question.relation, "event_id").value_or(""));
}

}  // namespace

json::object notice(std::string_view text) {
    return {{"msgtype", "m.notice"}, {"body", text}};
}

runtime::Task<base::Result<std::string>> AnswerMessages::try_send(const Question& question,
                                                                  const egress::CallId& call_id,
                                                                  std::string answer_event_id,
                                                                  json::object content) {
    chat::Chat::Outgoing out{
        .sender = core_.assistant_user, .room_id = question.room_id, .type = "m.room.message", .content = {}};
    if (answer_event_id.empty()) {
        // The same transaction however often a restart repeats it: one message.
        out.txn_id = "answer-" + call_id.value;
        if (!question.relation.empty()) content["m.relates_to"] = question.relation;
        if (!question.is_private) {
            json::array asker;
            asker.emplace_back(question.asker_id);
            content["m.mentions"] = json::object{{"user_ids", std::move(asker)}};
        }
        out.content = std::move(content);
    } else {
        out.content = notice("* " + std::string(base::get_string(content, "body").value_or("")));
        if (const auto* label = content.if_contains(kLabelKey)) out.content[kLabelKey] = *label;
        out.content["m.new_content"] = std::move(content);
        out.content["m.relates_to"] = json::object{{"rel_type", "m.replace"}, {"event_id", answer_event_id}};
    }
    auto sent = co_await core_.chat.send(std::move(out));
    if (!sent) {
        base::log_warning("assistant.cannot_send", {{"code", sent.error().code}});
        co_return base::fail(std::move(sent.error()));
    }
    co_return std::move(sent->value);
}

/// What passes is no answer lost: tokens were spent for it. Under its transaction it is sent once.
runtime::Task<base::Result<std::string>> AnswerMessages::send(const Question& question,
                                                              const egress::CallId& call_id,
                                                              std::string answer_event_id,
                                                              json::object content) {
    Backoff backoff;
    for (;;) {
        auto sent = co_await try_send(question, call_id, answer_event_id, content);
        if (sent || !may_pass(sent.error())) co_return sent;
        const auto pause = backoff.next();
        if (!pause) {
            base::log_error("assistant.answer_given_up", {{"call_id", call_id.value},
                                                          {"code", sent.error().code},
                                                          {"waited_s", backoff.waited().count()}});
            co_return sent;
        }
        waits_(question.room);
        co_await runtime::sleep_for(*pause);
    }
}

runtime::Task<void> AnswerMessages::state(const Question& question, const StoredAnswer& stored,
                                          std::string text) {
    std::string answer_event_id = stored.answer_event_id;
    auto content = notice(text);
    // When the last state of it was sent is not known after a restart.
    if (!answer_event_id.empty()) co_await runtime::sleep_for(kBetweenEdits);
    auto sent = co_await send(question, stored.call_id, answer_event_id, content);
    if (sent && answer_event_id.empty()) {
        answer_event_id = *sent;
        // A crash may have come between the first words of an answer and the note of them: they were sent
        // under the same transaction, and stand as if they were all of it.
        if (!co_await says(question.room, answer_event_id, text)) {
            co_await runtime::sleep_for(kBetweenEdits);
            sent = co_await send(question, stored.call_id, answer_event_id, content);
            // Where the crash came after they had been redacted, they can be edited no more.
            if (!sent && !may_pass(sent.error()))
                sent = co_await send(question, anew(stored.call_id), {}, std::move(content));
        }
    }
    const bool is_given_up = !sent && may_pass(sent.error());
    co_await note(question.room, question.event_id, is_given_up ? AnswerState::begun : AnswerState::done,
                  answer_event_id);
}

runtime::Task<void> AnswerMessages::interrupt(const Question& question, const StoredAnswer& stored) {
    const auto text = interrupted(question.chinese);
    StoredAnswer known = stored;
    if (known.answer_event_id.empty()) {
        // Where first words were sent and not noted, this finds them.
        const auto sent = co_await send(question, stored.call_id, {}, notice(text));
        if (!sent && may_pass(sent.error())) co_return;
        if (!sent || co_await says(question.room, *sent, text)) {
            co_await note(question.room, question.event_id, AnswerState::done, sent.value_or(std::string()));
            co_return;
        }
        known.answer_event_id = *sent;
    }
    Backoff backoff;
    auto whole = co_await is_whole(question.room, stored.call_id, known.answer_event_id);
    while (!whole) {
        const auto pause = backoff.next();
        if (!pause) co_return;  // it stays open
        waits_(question.room);
        co_await runtime::sleep_for(*pause);
        whole = co_await is_whole(question.room, stored.call_id, known.answer_event_id);
    }
    if (*whole) {
        co_await note(question.room, question.event_id, AnswerState::done, known.answer_event_id);
    } else if (stored.answer_event_id.empty()) {
        co_await state(question, stored, text);  // which says it anew where the words cannot be edited
    } else {
        co_await state(question, known, text);
    }
}

runtime::Task<base::Result<void>> AnswerMessages::refuse(const Question& question, const StoredAnswer& stored,
                                                         const Refusal& refusal, std::int64_t questions) {
    const Told::Why why{question.room_id, thread_of(question), question.asker, refusal.error.code};
    const auto words = [&](std::int64_t count) {
        return notice(sorry(refusal, question.chinese) + of_so_many(count, question.chinese));
    };
    if (const auto line = told_.find(why, Told::Clock::now())) {
        auto sent =
            co_await try_send(question, stored.call_id, line->event_id, words(line->questions + questions));
        if (sent) {
            told_.count_on(why, questions, Told::Clock::now());
            co_await note(question.room, question.event_id, AnswerState::done, {});
            co_return base::Result<void>{};
        }
        if (may_pass(sent.error())) co_return base::fail(std::move(sent.error()));
    }
    auto sent = co_await try_send(question, stored.call_id, {}, words(questions));
    if (!sent && may_pass(sent.error())) co_return base::fail(std::move(sent.error()));
    co_await note(question.room, question.event_id, AnswerState::done, sent ? *sent : std::string());
    if (sent) told_.begin(why, std::move(*sent), questions, Told::Clock::now());
    co_return base::Result<void>{};
}

runtime::Task<bool> AnswerMessages::says(chat::RoomNumber room, std::string event_id, std::string text) {
    auto said = co_await core_.database.read(
        [room, event_id = std::move(event_id), text = std::move(text),
         self = core_.assistant_user](storage::Transaction& tx) -> base::Result<bool> {
            auto reading = chat::RoomReading::open(tx, room, self);
            const auto event = reading ? reading->event(event_id) : std::nullopt;
            return event && text_of(*event) == text;
        });
    co_return said && *said;
}

runtime::Task<void> AnswerMessages::take_back(const Question& question, const StoredAnswer& stored) {
    if (stored.answer_event_id.empty()) {
        co_await state(question, stored, taken_back(question.chinese));
        co_return;
    }
    chat::Chat::Outgoing removal{.sender = core_.assistant_user,
                                 .room_id = question.room_id,
                                 .type = "m.room.redaction",
                                 .content = {{"redacts", stored.answer_event_id}},
                                 .txn_id = "taken-back-" + stored.call_id.value};
    Backoff backoff;
    auto removed = co_await core_.chat.send(removal);
    while (!removed && may_pass(removed.error())) {
        const auto pause = backoff.next();
        if (!pause) break;
        waits_(question.room);
        co_await runtime::sleep_for(*pause);
        removed = co_await core_.chat.send(removal);
    }
    if (!removed) {
        base::log_warning("assistant.cannot_redact", {{"code", removed.error().code}});
        co_await state(question, stored, taken_back(question.chinese));
        co_return;
    }
    // What was redacted can be edited no more: it is said anew, by the next start where this one ends here.
    co_await note(question.room, question.event_id, AnswerState::begun, {});
    StoredAnswer said_anew = stored;
    said_anew.answer_event_id.clear();
    said_anew.call_id = anew(stored.call_id);
    co_await state(question, said_anew, taken_back(question.chinese));
}

runtime::Task<base::Result<bool>> AnswerMessages::is_whole(chat::RoomNumber room, egress::CallId call_id,
                                                           std::string event_id) {
    co_return co_await core_.database.read(
        [room, call_id = std::move(call_id), event_id = std::move(event_id),
         self = core_.assistant_user](storage::Transaction& tx) -> base::Result<bool> {
            if (state_of_call(tx, call_id) == CallState::unknown) return false;
            auto reading = chat::RoomReading::open(tx, room, self);
            const auto event = reading ? reading->event(event_id) : std::nullopt;
            return event && !event->is_redacted && event->latest.contains(kLabelKey) &&
                   !event->latest.contains(kUnfinishedKey);
        });
}

runtime::Task<base::Result<void>> AnswerMessages::try_note(std::string question_event_id,
                                                           AnswerState answer_state,
                                                           std::string answer_event_id) {
    auto noted = co_await core_.database.write(
        {kBudgetOrder},
        [question_event_id, answer_state, answer_event_id](storage::Transaction& tx) -> base::Result<void> {
            set_answer(tx, question_event_id, answer_state, answer_event_id);
            return {};
        });
    if (!noted) base::log_warning("assistant.not_noted", {{"code", noted.error().code}});
    co_return noted;
}

runtime::Task<void> AnswerMessages::note(chat::RoomNumber room, std::string question_event_id,
                                         AnswerState answer_state, std::string answer_event_id) {
    Backoff backoff;
    for (;;) {
        const auto noted = co_await try_note(question_event_id, answer_state, answer_event_id);
        if (noted || !may_pass(noted.error())) co_return;
        const auto pause = backoff.next();
        if (!pause) {
            base::log_error("assistant.note_given_up", {{"code", noted.error().code}});
            co_return;
        }
        waits_(room);
        co_await runtime::sleep_for(*pause);
    }
}

}  // namespace assistant
