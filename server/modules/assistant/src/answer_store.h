#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <egress/model.h>
#include <identity/ids.h>
#include <storage/transaction.h>

namespace assistant {

/// Numbers are stored.
enum class AnswerState : std::uint8_t { begun = 1, done = 2 };
enum class SaidOnce : std::uint8_t { greeting = 1, cannot_read = 2 };

/// What @assistant was asked, and with which event it answered.
struct StoredAnswer {
    std::string question_event_id;
    std::string room_id;
    identity::UserNumber asker;
    AnswerState state = AnswerState::begun;
    egress::CallId call_id;
    std::string answer_event_id;  ///< empty: nothing was said yet
    std::int64_t asked_at_ms = 0;
};

/// The call that answers an event has an id made of the event's: however often the event is met, it is one
/// call.
egress::CallId call_id_for(std::string_view question_event_id);

std::optional<StoredAnswer> find_answer(storage::Transaction& tx, std::string_view question_event_id);
/// The answer that begins with this event (its edits are others).
std::optional<StoredAnswer> find_answer_by_its_event(storage::Transaction& tx,
                                                     std::string_view answer_event_id);
/// Takes the question on; one that was taken on before stays as it is.
StoredAnswer claim_question(storage::Transaction& tx, const StoredAnswer& fresh);
void set_answer(storage::Transaction& tx, std::string_view question_event_id, AnswerState state,
                std::string_view answer_event_id);
std::vector<StoredAnswer> open_answers(storage::Transaction& tx, std::size_t limit);
/// The latest that this person got in this room, newest first.
std::vector<StoredAnswer> answers_to(storage::Transaction& tx, std::string_view room_id,
                                     identity::UserNumber asker, std::size_t limit);

bool was_said(storage::Transaction& tx, std::string_view room_id, SaidOnce what);
void set_said(storage::Transaction& tx, std::string_view room_id, SaidOnce what);

}  // namespace assistant
