#pragma once

#include <span>
#include <string_view>

namespace storage {

/// One numbered, forward-only step of a module's schema. Its text is checksummed when applied: what was
/// applied is never edited.
struct Migration {
    std::string_view module;
    int number;
    std::string_view name;
    std::string_view sql;
};

}  // namespace storage
