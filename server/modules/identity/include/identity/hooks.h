#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <base/result.h>
#include <identity/ids.h>
#include <runtime/task.h>
#include <storage/transaction.h>

namespace identity {

/// What the setup page said beyond the account itself.
struct FirstSteps {
    std::string room_name;  ///< empty: no first room
    std::string language;
    std::string time_zone;
};

struct AccountCreated {
    UserNumber user;
    UserId user_id;
    std::optional<UserNumber> inviter;
    std::vector<std::string> room_ids;      ///< that the invitation leads into
    std::optional<FirstSteps> first_steps;  ///< only for the account that the setup page made
};

struct RoomName {
    std::string room_id;
    std::string name;
};

/// What identity asks of the modules above it; app sets them before the server starts. Each may be empty.
///
/// The tasks are told of news at least once, across restarts too, after the change is durable: they must do
/// no harm when repeated. The functions over Transaction& run inside a job, on a storage thread: they may
/// touch nothing but their transaction.
struct Hooks {
    /// Joins the invitation's rooms, or makes the first room, whose id it returns.
    std::function<runtime::Task<base::Result<std::optional<std::string>>>(AccountCreated)> account_created;
    /// The display name or avatar is another: member events follow (member_profile_of has the new state).
    std::function<runtime::Task<base::Result<void>>(UserNumber)> profile_changed;
    /// Leaves every room; `erase`: the person asked to be forgotten.
    std::function<runtime::Task<base::Result<void>>(UserNumber, bool erase)> account_deactivated;

    /// In the job that writes the server's name: system accounts are made here.
    std::function<base::Result<void>(storage::Transaction&)> server_named;
    /// In the job that removes a device: what is kept for it goes with it.
    std::function<void(storage::Transaction&, UserNumber, DeviceNumber)> device_removed;
    /// Says, as long as its transaction, whether `viewer` may find somebody where the directory is
    /// "shared-rooms". Without it: nobody.
    std::function<std::function<bool(UserNumber)>(storage::Transaction&, UserNumber viewer)> findable_by;
    /// Whether an invitation of `inviter` may lead into this room. Without it: no.
    std::function<bool(storage::Transaction&, UserNumber inviter, const std::string& room_id)> may_invite_to;
    /// Names of an invitation's rooms, for whoever holds the link.
    std::function<std::vector<RoomName>(storage::Transaction&, const std::vector<std::string>& room_ids)>
        room_names;
};

}  // namespace identity
