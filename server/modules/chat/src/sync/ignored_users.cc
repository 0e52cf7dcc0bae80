#include "sync/ignored_users.h"

namespace chat {

std::set<std::string, std::less<>> read_ignored_users(const base::json::object& content) {
    std::set<std::string, std::less<>> ids;
    if (const auto* users = base::get_object(content, "ignored_users")) {
        for (const auto& entry : *users) ids.emplace(entry.key());
    }
    return ids;
}

}  // namespace chat
