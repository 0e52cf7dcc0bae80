#pragma once

#include "answer_messages.h"
#include "backoff.h"
#include "core.h"
#include "question.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include <chat/ids.h>
#include <runtime/signal.h>
#include <runtime/task.h>

namespace assistant {

/// Tells people why there is no answer to what they asked: at once where a room has been quiet, else once a
/// second a room, in one message for all that came meanwhile. A room that chat refuses for the moment rests
/// alone. I/O thread only.
class Declines {
  public:
    struct Declined {
        chat::RoomNumber room;
        chat::Position position;
        identity::UserNumber sender;
        std::optional<Refusal> refusal;  ///< none: too many questions wait
        std::string event_id;            ///< of a question that was taken on already; empty: it was not
        std::int64_t questions = 1;      ///< with those of its asker that were noted as done for it
        Backoff backoff = {};            ///< of what could not be taken on for the moment
    };

    Declines(Assistant::Core& core, AnswerMessages& messages);

    /// False where too many wait; the question stays as it is then.
    bool add(Declined declined);
    bool has_place() const;
    bool holds(chat::RoomNumber room, chat::Position position) const;
    runtime::Task<void> run();
    void stop();

  private:
    using Clock = std::chrono::steady_clock;
    /// Of one person in one room, for one reason: taken on, not told yet.
    struct Untold {
        Question question;  ///< the last of them
        StoredAnswer stored;
        Refusal refusal;
        std::int64_t questions = 0;
        Backoff backoff;
    };

    void add_again(Declined declined);
    bool rests(chat::RoomNumber room) const;
    runtime::Task<void> tell_next();
    /// Takes some on; nothing where none of them is a question any more.
    runtime::Task<std::optional<Untold>> claim(Declined first);
    runtime::Task<void> tell(Untold untold);
    Clock::duration until_next() const;

    Assistant::Core& core_;
    AnswerMessages& messages_;
    bool stopping_ = false;
    std::deque<Declined> waiting_;
    std::deque<Untold> untold_;  ///< that chat did not take
    std::map<chat::RoomNumber, Clock::time_point> rest_until_;
    runtime::Notifier changed_;
};

}  // namespace assistant
