#pragma once

#include "push/push_rules.h"

#include <string_view>

namespace chat {

/// The specification's predefined rules ("Predefined Rules", v1.17 and later: those that looked for names in
/// bodies are gone).
PushRules default_rules(std::string_view user_id);

}  // namespace chat
