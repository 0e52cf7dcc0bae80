#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <base/clock.h>
#include <base/random.h>
#include <base/result.h>
#include <chat/ids.h>
#include <chat/news.h>
#include <identity/ids.h>
#include <net/route.h>
#include <runtime/runtime.h>
#include <runtime/task.h>
#include <storage/database.h>

namespace chat {

/// An account of a module's own begins or ends to write in a room.
struct TypingNews {
    RoomNumber room;
    identity::UserNumber user;
    std::string user_id;
    bool is_typing = false;
    std::chrono::milliseconds limit{0};  ///< forgotten after this, where nobody ends it
};

/// What a person's devices are told of and tell: /sync, filters, receipts, typing, presence, account data,
/// push rules. Construct after Chat (whose news it listens to), stop before it.
class Sync {
  public:
    /// The references outlive it; `news` and the server stop before it goes.
    Sync(runtime::Runtime& runtime, storage::Database& database, const base::Clock& clock,
         base::Random& random, News& news);
    ~Sync();
    Sync(const Sync&) = delete;
    Sync& operator=(const Sync&) = delete;

    /// Reads where the streams stand. Before anything is written to them.
    runtime::Task<base::Result<void>> start();
    /// For net::Server::on_stopping: answers every parked request now, and parks none from then on.
    void release_all();
    runtime::Task<void> stop();

    std::vector<net::Route> routes();

    /// Shows to those in the room that an account of a module writes, or no longer. Fleeting, as all typing.
    void tell_typing(const TypingNews& news);

    /// Deletes what this half keeps of a person, a job at a time, and what memory has of their status.
    /// Repeating it does no harm.
    runtime::Task<base::Result<void>> erase_user(identity::UserNumber user);
    /// What memory has of a person's status goes too. After erase_some_of() left nothing.
    void forget(identity::UserNumber user);

    struct Core;  ///< what the endpoints share (src/sync/core.h)

  private:
    std::unique_ptr<Core> core_;
};

/// Deletes some of what this half keeps of a person: account data, receipts (one for each thread and room, of
/// which there is no end), filters, pushers, their status. No more than about `limit` rows, since everybody's
/// messages wait for the job; true once nothing is left.
bool erase_some_of(storage::Transaction& tx, identity::UserNumber user, std::int64_t limit = 500);
/// Deletes what is kept for a device. Part of the job that removes it.
void erase_device(storage::Transaction& tx, identity::UserNumber user, identity::DeviceNumber device);

}  // namespace chat
