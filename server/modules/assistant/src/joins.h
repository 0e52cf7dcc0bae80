#pragma once

#include "answer_store.h"
#include "core.h"
#include "missed.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <string>

#include <chat/ids.h>
#include <runtime/signal.h>
#include <runtime/task.h>

namespace assistant {

/// Takes @assistant where it is invited, and says there once what it says of itself. Nothing of it waits for
/// a model. Invitations are read from the database, where they stand until they are taken: none is lost,
/// however many there are, and one that chat refuses for the moment holds up no other. I/O thread only.
class Joins {
  public:
    /// It is in the room now; and before, whoever invited it asked this.
    using Joined = std::function<void(chat::RoomNumber)>;
    using Asked = std::function<void(const Missed::Place&)>;

    Joins(Assistant::Core& core, Joined joined, Asked asked);

    /// An invitation came, or may stand since before the start.
    void look();
    /// Something is to be said in the room where it was not yet. `was_read`: what was written to it before it
    /// came. False where too much waits.
    bool say(chat::RoomNumber room, SaidOnce what, bool was_read = false);
    runtime::Task<void> run();
    void stop();

  private:
    struct Statement {
        chat::RoomNumber room;
        SaidOnce what = SaidOnce::greeting;
        bool was_read = false;
    };
    /// False: something is left to be tried again.
    runtime::Task<bool> work_off();
    runtime::Task<bool> take_all();
    runtime::Task<bool> take(chat::RoomNumber room);
    runtime::Task<bool> say_all();
    runtime::Task<bool> say_or_keep(Statement statement);
    runtime::Task<bool> try_to_say(Statement statement);

    Assistant::Core& core_;
    Joined joined_;
    Asked asked_;
    bool stopping_ = false;
    bool is_awaited_ = false;
    bool is_new_ = false;  ///< something came since the last round began
    std::deque<Statement> statements_;
    runtime::Notifier changed_;
};

}  // namespace assistant
