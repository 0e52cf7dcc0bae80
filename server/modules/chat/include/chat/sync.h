#pragma once

#include <chrono>
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

    /// What memory has of a person's status goes too. After the job of erase_user().
    void forget(identity::UserNumber user);

    struct Core;  ///< what the endpoints share (src/sync/core.h)

  private:
    std::unique_ptr<Core> core_;
};

/// Deletes what this half keeps of a person: account data, receipts, filters, pushers, their status. Part of
/// the job that erases the account.
void erase_user(storage::Transaction& tx, identity::UserNumber user);
/// Deletes what is kept for a device. Part of the job that removes it.
void erase_device(storage::Transaction& tx, identity::UserNumber user, identity::DeviceNumber device);

}  // namespace chat
