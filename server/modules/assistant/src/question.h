#pragma once

#include "answer_store.h"
#include "prompts.h"
#include "refusal.h"

#include <optional>
#include <string>
#include <vector>

#include <assistant/assistant.h>
#include <base/json.h>
#include <chat/ids.h>
#include <chat/reading.h>
#include <runtime/task.h>

namespace assistant {

/// A question is understood by what the same person asked before, and what was answered: this much goes with
/// it.
inline constexpr std::size_t kExchangesBefore = 5;

/// Who @assistant is, for telling what is said to it.
struct AssistantIdentity {
    identity::UserNumber user;
    std::string user_id;
};

/// A message that @assistant has to answer.
struct Question {
    chat::RoomNumber room;
    chat::Position position;
    std::string room_id;
    std::string event_id;
    identity::UserNumber asker;
    std::string asker_id;
    std::string text;  ///< the asker's own words alone, names of others replaced
    bool chinese = false;
    base::json::object relation;  ///< how the answer refers to it; empty in a chat of two
    bool is_private = false;      ///< a chat of two
    bool is_encrypted_room = false;
    std::vector<Exchange> before;              ///< what this asker and the assistant said here, oldest first
    std::vector<chat::EventVersion> versions;  ///< of all these words, as they were read
    Names names;
    std::optional<Refusal> refusal;  ///< what stands in the way of any answer
    std::int64_t asked_at_ms = 0;
};

/// Whether the event is for the assistant: said to it, not by itself nor by a bot, no edit, text, by somebody
/// who is there, while it was there and still is, or while it was awaited by whoever invited it: that one's
/// words alone. Part of a read job.
bool is_question(const chat::RoomReading& room, const chat::ReadEvent& event, const AssistantIdentity& self);
/// Nothing where it is not, or says nothing. Part of a read job.
std::optional<Question> read_question(storage::Transaction& tx, chat::RoomReading& room,
                                      const chat::ReadEvent& event, const AssistantIdentity& self);

/// The question at a position of a room, or that with this id; nothing where it is none (any more), which is
/// known only where it could be read.
runtime::Task<base::Result<std::optional<Question>>> find_question(Assistant::Core& core,
                                                                   chat::RoomNumber room,
                                                                   std::optional<chat::Position> position,
                                                                   std::string event_id);

/// The words after the assistant's name ("@assistant: …", "灵犀，…"); nothing where they do not begin with
/// it.
std::optional<std::string> after_address(std::string_view text, std::string_view user_id,
                                         std::string_view display_name);

}  // namespace assistant
