#pragma once

#include "core.h"

#include <identity/hooks.h>

namespace chat {

/// Identity's news, told at least once: each of these does no harm when it is repeated.

/// Lets a new account into the rooms of its invitation (its inviter invites, it joins), or makes the first
/// room.
runtime::Task<base::Result<std::optional<std::string>>> welcome_account(Core& core,
                                                                        identity::AccountCreated account);

/// Writes a person's new name and picture into their rooms, a few rooms a job.
runtime::Task<base::Result<void>> spread_profile(Core& core, identity::UserNumber user);

/// Takes a person out of every room, a few rooms a job; with `erase`, redacts what they wrote.
runtime::Task<base::Result<void>> remove_account(Core& core, identity::UserNumber user, bool erase);

}  // namespace chat
