#include "timeline/relations.h"

#include "timeline/event_json.h"

namespace chat {
namespace {

constexpr std::string_view kReplace = "m.replace";
constexpr std::string_view kThread = "m.thread";
constexpr std::string_view kAnnotation = "m.annotation";

/// The parent, where it is an event of the same room.
std::optional<StoredEvent> find_parent(storage::Transaction& tx, RoomNumber room, const RelatesTo& relates) {
    auto parent = find_event(tx, relates.event_id);
    if (!parent || parent->room != room) return std::nullopt;
    return parent;
}

/// "Validity of replacement events": what is written down as an edit is one.
bool is_valid_edit(const Draft& draft, const StoredEvent& parent) {
    if (draft.state_key || parent.is_state()) return false;
    if (draft.sender != parent.sender || draft.type != parent.type) return false;
    // In an encrypted event the new content is where we cannot see it.
    if (draft.type != "m.room.encrypted" &&
        base::get_object(draft.content.object, "m.new_content") == nullptr) {
        return false;
    }
    const auto own = read_relates_to(parse_content(parent));
    return !own || own->rel_type != kReplace;
}

}  // namespace

std::optional<RelatesTo> read_relates_to(const base::json::object& content) {
    const auto* relates = base::get_object(content, "m.relates_to");
    if (relates == nullptr) return std::nullopt;
    const auto rel_type = base::get_string(*relates, "rel_type");
    const auto event_id = base::get_string(*relates, "event_id");
    if (!rel_type || rel_type->empty() || rel_type->size() > kFieldLimitBytes || !event_id)
        return std::nullopt;
    return RelatesTo{std::string(*rel_type), std::string(*event_id),
                     std::string(base::get_string(*relates, "key").value_or(std::string_view{}))};
}

base::Result<void> check_relation(storage::Transaction& tx, RoomNumber room, const Draft& draft) {
    const auto relates = read_relates_to(draft.content.object);
    if (!relates) return {};
    const auto parent = find_parent(tx, room, *relates);
    if (!parent) return {};
    if (relates->rel_type == kThread) {
        if (read_relates_to(parse_content(*parent))) {
            return base::fail(base::ErrorKind::invalid, "M_UNKNOWN",
                              "A thread cannot start at an event that relates to another.");
        }
    }
    if (relates->rel_type == kReplace && parent->redacted_by && is_valid_edit(draft, *parent)) {
        return base::fail(base::ErrorKind::forbidden, "M_FORBIDDEN",
                          "The message was redacted: it cannot be edited any more.");
    }
    if (relates->rel_type == kAnnotation && !draft.state_key) {
        const Relation relation{room, parent->position, relates->rel_type,
                                {},   draft.sender,     std::string(draft.type)};
        if (find_annotation(tx, relation, relates->key)) {
            return base::fail(base::ErrorKind::invalid, "M_DUPLICATE_ANNOTATION",
                              "You have reacted so already.");
        }
    }
    return {};
}

void record_relation(storage::Transaction& tx, RoomNumber room, const Draft& draft, Position position) {
    if (draft.state_key) return;
    const auto relates = read_relates_to(draft.content.object);
    if (!relates) return;
    const auto parent = find_parent(tx, room, *relates);
    if (!parent) return;
    if (relates->rel_type == kReplace && !is_valid_edit(draft, *parent)) return;
    const Relation relation{room,     parent->position, relates->rel_type,
                            position, draft.sender,     std::string(draft.type)};
    insert_relation(tx, relation);
    if (relates->rel_type == kAnnotation) insert_annotation(tx, relation, relates->key);
}

void forget_relation(storage::Transaction& tx, const StoredEvent& child, const base::json::object& content) {
    const auto relates = read_relates_to(content);
    if (!relates) return;
    const auto parent = find_parent(tx, child.room, *relates);
    if (!parent) return;
    const Relation relation{child.room,     parent->position, relates->rel_type,
                            child.position, child.sender,     child.type};
    delete_relation(tx, relation);
    if (relates->rel_type == kAnnotation) delete_annotation(tx, relation, relates->key);
}

}  // namespace chat
