#pragma once

#include "timeline/event_store.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/json.h>
#include <base/result.h>

namespace chat {

/// A RoomEventFilter of the specification (definitions/room_event_filter.yaml): what a client wants to read
/// of rooms.
struct RoomEventFilter {
    std::optional<std::size_t> limit;
    std::optional<std::vector<std::string>> types;  ///< '*' stands for any characters
    std::vector<std::string> not_types;
    std::optional<std::vector<std::string>> senders;
    std::vector<std::string> not_senders;
    std::optional<std::vector<std::string>> rooms;
    std::vector<std::string> not_rooms;
    std::optional<bool> contains_url;
    bool lazy_load_members = false;
    bool include_redundant_members = false;
    bool unread_thread_notifications = false;

    /// Errors: M_INVALID_PARAM (a member of the wrong type, too many entries).
    static base::Result<RoomEventFilter> parse(const base::json::object& object);
    /// From a query parameter; nothing given is no filter. Errors: M_INVALID_PARAM, M_NOT_JSON.
    static base::Result<RoomEventFilter> parse_text(std::optional<std::string_view> text);

    bool allows_room(std::string_view room_id) const;
    bool allows_type(std::string_view type) const;
    bool allows_sender(std::string_view sender) const;
    bool allows(const StoredEvent& event) const;
    /// Whether no event is turned away for what it is (rooms aside).
    bool allows_all() const;
};

/// The sender's id as it stands in the stored text.
std::string_view sender_in(const StoredEvent& event);

/// Whether `text` matches `pattern`, in which each '*' stands for any characters.
bool matches_wildcard(std::string_view pattern, std::string_view text);

}  // namespace chat
