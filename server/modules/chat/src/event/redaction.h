#pragma once

#include <string_view>

#include <base/json.h>

namespace chat {

/// The redaction algorithm of room versions 11 and 12: what stays of an event when its content is taken away,
/// and what the reference hash and signatures cover.
base::json::object redact_event(const base::json::object& event);

/// What stays of the content of an event of `type`.
base::json::object redact_content(std::string_view type, const base::json::object& content);

}  // namespace chat
