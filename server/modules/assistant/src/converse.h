#pragma once

#include "answer_messages.h"
#include "behind.h"
#include "core.h"
#include "declines.h"
#include "joins.h"
#include "question.h"

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <variant>

#include <chat/ids.h>
#include <chat/news.h>
#include <runtime/signal.h>
#include <storage/transaction.h>

namespace assistant {

/// @assistant: joins where it is invited (Joins), and answers what is said to it. What it hears is sifted
/// first, so that people who talk among themselves take no question's place; what is for it waits in one
/// bounded queue, is done by a few tasks, one at a time in a room, and never keeps a message of anybody
/// waiting. What a queue had no place for is read from the database once it has. I/O thread only.
class Converse {
  public:
    static constexpr std::string_view kDisplayName = "灵犀 Lingxi";

    explicit Converse(Assistant::Core& core);

    /// Listens, and takes up what a restart cut short.
    void start();
    void stop();

  private:
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
    /// Of an earlier start: the question by its id.
    struct Resumed {
        chat::RoomNumber room;
        std::string event_id;
    };
    using Work = std::variant<Asked, Resumed>;

    void on_news(const chat::RoomNews& news);
    void hear(Heard heard);
    /// Where it is too busy, whoever asked is told.
    void enqueue(Work work);
    void decline(const Asked& asked);
    void count_refused();
    std::optional<Work> take();
    bool is_waiting(chat::RoomNumber room, chat::Position position) const;
    runtime::Task<void> sift();
    runtime::Task<void> sift_some();
    /// What there was no place for, of one room.
    runtime::Task<void> look_behind(chat::RoomNumber room);
    runtime::Task<void> catch_up();
    /// What `job` reads, tried again after each pause while it cannot; its last failure once that is given
    /// up.
    template <class Job>
    runtime::Task<std::invoke_result_t<Job, storage::Transaction&>> read_again(Job job);
    runtime::Task<void> look_for_missed(std::vector<chat::RoomNumber> rooms);
    runtime::Task<void> work();
    runtime::Task<void> handle(Work work);
    runtime::Task<void> handle_asked(Asked asked);
    runtime::Task<void> handle_resumed(Resumed resumed);
    /// A worker waits until chat takes something in this room: another takes its place.
    void replace_worker_in(chat::RoomNumber room);

    /// `is_resumed`: an earlier start took it on.
    /// False: for the moment it could not be taken on.
    runtime::Task<bool> answer(Question question, bool is_resumed);
    runtime::Task<void> ask_model(Question question, StoredAnswer stored, bool is_resumed);
    /// Why there is no answer to what was taken on.
    runtime::Task<void> refuse_taken(const Question& question, const StoredAnswer& stored, bool is_resumed,
                                     const Refusal& refusal);
    /// The call, told to go; where the words were changed meanwhile, with those as they are now.
    runtime::Task<Answered<RunReader>> begin_call(Question& question, const StoredAnswer& stored);

    Assistant::Core& core_;
    AnswerMessages messages_;
    Joins joins_;
    Declines declines_;
    bool stopping_ = false;
    bool rooms_known_ = false;
    std::unordered_set<chat::RoomNumber> rooms_;       ///< where it is; a hint: the job that reads decides
    std::unordered_set<chat::RoomNumber> unreadable_;  ///< where that was seen to, or waits to be
    Behind behind_;
    std::deque<Heard> heard_;
    std::deque<Work> queue_;
    std::unordered_set<chat::RoomNumber> busy_;
    std::unordered_set<chat::RoomNumber> late_;  ///< of these, where another worker has taken its place
    runtime::Notifier queued_;
};

}  // namespace assistant
