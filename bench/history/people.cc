// The people of a history: identity's own tables, without the passwords, whose hashing would take longer than
// all the rest.
#include "history.h"
#include "session_store.h"

#include <identity/users.h>

namespace bench {

base::Result<void> name_the_server(storage::Transaction& tx) {
    if (identity::server_name(tx)) return {};
    return identity::name_server(tx, "bench.lingxi");
}

base::Result<Seat> seat_person(storage::Transaction& tx, base::Random& random, const std::string& localpart,
                               std::int64_t now_ms) {
    const auto user = identity::create_account(tx, {.localpart = localpart, .created_at_ms = now_ms});
    if (!user) return base::fail(user.error());
    const auto session = identity::open_session(tx, *user, identity::make_session_secrets(random),
                                                {.device_name = "bench", .address = "127.0.0.1"}, now_ms);
    const auto device = identity::find_device(tx, *user, session.device_id);
    return Seat{.user = *user,
                .device = device.value_or(identity::DeviceNumber{}),
                .user_id = session.user_id.value,
                .token = session.access_token,
                .rooms = {}};
}

}  // namespace bench
