#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <base/clock.h>
#include <base/json.h>
#include <base/random.h>
#include <base/result.h>
#include <chat/ids.h>
#include <chat/news.h>
#include <identity/hooks.h>
#include <identity/ids.h>
#include <net/route.h>
#include <runtime/runtime.h>
#include <runtime/task.h>
#include <storage/database.h>

namespace chat {

std::span<const storage::Migration> migrations();

/// Looks at what a person is about to put into a room, on the I/O thread, before the write job. A failure
/// refuses it.
using ContentCheck = std::function<base::Result<void>(identity::UserNumber sender, std::string_view type,
                                                      const base::json::object& content)>;

/// Rooms, their events, state and members; the Matrix Client-Server API over them.
class Chat {
  public:
    /// The references outlive it.
    Chat(runtime::Runtime& runtime, storage::Database& database, const base::Clock& clock,
         base::Random& random);
    ~Chat();
    Chat(const Chat&) = delete;
    Chat& operator=(const Chat&) = delete;

    /// Reads (or makes) the signing key; starts to rebuild the index of transaction ids.
    runtime::Task<base::Result<void>> start();
    runtime::Task<void> stop();

    std::vector<net::Route> routes();
    /// What identity asks of this module.
    identity::Hooks hooks();

    /// Before start().
    void add_content_check(ContentCheck check);
    News& news();

    /// An event that a module sends in the name of an account of its own; checked by the room's rules like
    /// any other, but not by the content checks.
    struct Outgoing {
        identity::UserNumber sender;
        std::string room_id;
        std::string type;
        base::json::object content;
        /// The same id (of this sender, room and type) within a day sends once, across restarts.
        std::optional<std::string> txn_id;
        std::optional<std::string> state_key;  ///< makes it a state event; then without txn_id
    };
    runtime::Task<base::Result<EventId>> send(Outgoing event);
    /// Errors: M_FORBIDDEN, M_NOT_FOUND.
    runtime::Task<base::Result<void>> join(identity::UserNumber user, std::string room_id);
    runtime::Task<base::Result<void>> leave(identity::UserNumber user, std::string room_id);

    struct Core;  ///< what the endpoints share (src/core.h)

  private:
    std::unique_ptr<Core> core_;
};

}  // namespace chat
