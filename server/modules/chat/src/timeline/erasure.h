#pragma once

#include "core.h"

#include <base/result.h>

namespace chat {

/// Takes everything that a person wrote out of the database: the words of their messages in every room, and
/// the names and pictures in the member events about them, whoever sent those. What they set up for others (a
/// room's name, its rules) stays. Their last member event of a room stands as what redacted it; no event is
/// sent, so that nobody is flooded: clients see it when they read again. A hundred rows a job; repeating it
/// does no harm.
runtime::Task<base::Result<void>> erase_messages(Core& core, identity::UserNumber user);

}  // namespace chat
