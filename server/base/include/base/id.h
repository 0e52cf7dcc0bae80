#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace base {

/// A textual id of its own type: a RoomId is no UserId. `Tag` is any incomplete struct.
template <class Tag>
struct TextId {
    std::string value;

    TextId() = default;
    explicit TextId(std::string text) : value(std::move(text)) {}
    explicit TextId(std::string_view text) : value(text) {}
    explicit TextId(const char* text) : value(text) {}
    bool empty() const { return value.empty(); }
    auto operator<=>(const TextId&) const = default;
};

/// A short integer id inside the database; 0 is "none".
template <class Tag>
struct NumberId {
    std::int64_t value = 0;

    explicit operator bool() const { return value != 0; }
    auto operator<=>(const NumberId&) const = default;
};

}  // namespace base

template <class Tag>
struct std::hash<base::TextId<Tag>> {
    std::size_t operator()(const base::TextId<Tag>& id) const noexcept {
        return std::hash<std::string>{}(id.value);
    }
};

template <class Tag>
struct std::hash<base::NumberId<Tag>> {
    std::size_t operator()(base::NumberId<Tag> id) const noexcept {
        return std::hash<std::int64_t>{}(id.value);
    }
};
