#pragma once

#include <string>

#include <base/random.h>
#include <base/result.h>
#include <chat/chat.h>
#include <identity/identity.h>
#include <runtime/task.h>

namespace app {

/// Fills an empty server with two people, one writing Chinese and one English, and a conversation that they
/// have had; nothing in it is AI's. On a server that has them already it only makes new links. Returns the
/// text for the terminal: a one-use link for each.
runtime::Task<base::Result<std::string>> furnish_demo(identity::Identity& identity, chat::Chat& chat,
                                                      base::Random& random, storage::Database& database);

}  // namespace app
