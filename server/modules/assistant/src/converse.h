#pragma once

#include "answer_messages.h"
#include "core.h"
#include "question.h"

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <variant>

#include <chat/ids.h>
#include <chat/news.h>
#include <runtime/signal.h>

namespace assistant {

/// @assistant: joins where it is invited, and answers what is said to it. What it hears is sifted first, so
/// that people who talk among themselves take no question's place; what is for it waits in one bounded queue,
/// is done by a few tasks, one at a time in a room, and never keeps a message of anybody waiting. I/O thread
/// only.
class Converse {
  public:
    static constexpr std::string_view kDisplayName = "灵犀 Lingxi";

    explicit Converse(Assistant::Core& core);

    /// Listens, and takes up what a restart cut short.
    void start();
    void stop();

  private:
    struct Invited {
        chat::RoomNumber room;
    };
    /// In a room where it is, to whomever.
    struct Heard {
        chat::RoomNumber room;
        chat::Position position;
        identity::UserNumber sender;
    };
    struct Asked {
        chat::RoomNumber room;
        chat::Position position;
        identity::UserNumber sender;
    };
    struct Unreadable {
        chat::RoomNumber room;
    };
    /// Of an earlier start: the question by its id.
    struct Resumed {
        chat::RoomNumber room;
        std::string event_id;
    };
    using Work = std::variant<Invited, Asked, Unreadable, Resumed>;

    void on_news(const chat::RoomNews& news);
    void hear(Heard heard);
    /// False where it is too busy.
    bool enqueue(Work work);
    void count_refused();
    std::optional<Work> take();
    runtime::Task<void> sift();
    runtime::Task<void> sift_some();
    /// For a question that was not taken on: whoever asked is told.
    void decline(Asked asked);
    runtime::Task<void> decline_all();
    runtime::Task<void> decline_some();
    runtime::Task<void> catch_up();
    runtime::Task<void> look_for_missed(std::vector<chat::RoomNumber> rooms);
    runtime::Task<void> work();
    runtime::Task<void> handle(Work work);

    runtime::Task<void> join(chat::RoomNumber room);
    runtime::Task<void> say_that_it_cannot_read(std::string room_id);
    runtime::Task<std::optional<Question>> read(chat::RoomNumber room, std::optional<chat::Position> position,
                                                std::string event_id);
    runtime::Task<void> answer(Question question);
    runtime::Task<void> ask_model(Question question, StoredAnswer stored);
    /// The call, told to go; where the words were changed meanwhile, with those as they are now.
    runtime::Task<Answered<RunReader>> begin_call(Question& question, const StoredAnswer& stored);

    Assistant::Core& core_;
    AnswerMessages messages_;
    bool stopping_ = false;
    bool rooms_known_ = false;
    std::unordered_set<chat::RoomNumber> rooms_;       ///< where it is; a hint: the job that reads decides
    std::unordered_set<chat::RoomNumber> unreadable_;  ///< where that was seen to, or waits to be
    std::deque<Heard> heard_;
    std::deque<Work> queue_;
    std::unordered_set<chat::RoomNumber> busy_;
    std::deque<Asked> declined_;
    runtime::Notifier queued_;
};

}  // namespace assistant
