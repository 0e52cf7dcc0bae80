#pragma once

#include "core.h"
#include "question.h"
#include "told.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <base/json.h>
#include <chat/ids.h>

namespace assistant {

/// Of a labelled message: more of the answer is to come. It goes with the last edit, so that a start after a
/// crash can tell a whole answer from a half one.
inline constexpr std::string_view kUnfinishedKey = "im.lingxi.unfinished";

/// The content of a message of @assistant's.
base::json::object notice(std::string_view text);

/// The message that answers a question: sent, edited as the answer grows, or taken back. What was sent is
/// noted beside the question, so that a restart goes on with the same message. I/O thread only.
class AnswerMessages {
  public:
    /// Edits that come faster are not seen by anybody.
    static constexpr std::chrono::seconds kBetweenEdits{1};

    /// Called when a room has to be waited for, once a wait.
    using Waits = std::function<void(chat::RoomNumber)>;

    AnswerMessages(Assistant::Core& core, Waits waits) : core_(core), waits_(std::move(waits)) {}

    /// The first message of an answer, or an edit of it where it has an id: the event's id. Tries once.
    runtime::Task<base::Result<std::string>> try_send(const Question& question, const egress::CallId& call_id,
                                                      std::string answer_event_id,
                                                      base::json::object content);
    /// The same, tried again for as long as a Backoff lasts where it may yet pass.
    runtime::Task<base::Result<std::string>> send(const Question& question, const egress::CallId& call_id,
                                                  std::string answer_event_id, base::json::object content);
    /// Says words of ours in answer, as an edit where something was said already. What cannot be said for so
    /// long that it is given up stays open, so that the next start says something.
    runtime::Task<void> state(const Question& question, const StoredAnswer& stored, std::string text);
    /// Says that a restart cut the answer, unless all of it had been said before.
    runtime::Task<void> interrupt(const Question& question, const StoredAnswer& stored);
    /// Says why there is no answer to this and so many questions of its asker: in a line of its own, or in
    /// the one that they were told the same in a moment ago. Tries once: the failure is one that may pass.
    runtime::Task<base::Result<void>> refuse(const Question& question, const StoredAnswer& stored,
                                             const Refusal& refusal, std::int64_t questions);
    /// Removes what was said of an answer that the model server took back, with all its edits, and says so.
    runtime::Task<void> take_back(const Question& question, const StoredAnswer& stored);
    /// Tried again where it may pass: what was answered and is not noted would be answered anew.
    runtime::Task<void> note(chat::RoomNumber room, std::string question_event_id, AnswerState answer_state,
                             std::string answer_event_id);
    /// Tries once: more of the answer comes, and is noted with its end.
    runtime::Task<base::Result<void>> try_note(std::string question_event_id, AnswerState answer_state,
                                               std::string answer_event_id);
    /// Whether a message of its own says this now.
    runtime::Task<bool> says(chat::RoomNumber room, std::string event_id, std::string text);

  private:
    /// Whether the message is the whole of a model's answer to the call, as far as that came.
    runtime::Task<base::Result<bool>> is_whole(chat::RoomNumber room, egress::CallId call_id,
                                               std::string event_id);
    Assistant::Core& core_;
    Waits waits_;
    Told told_;
};

}  // namespace assistant
