#pragma once

#include <set>
#include <string>

#include <base/json.h>

namespace chat {

/// The user ids that the content of an m.ignored_user_list names ("Ignoring Users").
std::set<std::string, std::less<>> read_ignored_users(const base::json::object& content);

}  // namespace chat
