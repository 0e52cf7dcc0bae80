#include "sync/event_writer.h"

#include "server_key_store.h"
#include "timeline/event_json.h"
#include "timeline/federation_format.h"

#include <utility>

namespace chat {

void EventWriter::append(std::string& out, const StoredEvent& event, std::string_view as_client) {
    if (is_plain()) {
        out.append(as_client);
        return;
    }
    auto object = in_format(event, as_client);
    if (!filter_.event_fields.empty()) object = keep_fields(object, filter_.event_fields);
    out.append(base::json::serialize(object));
}

base::json::object EventWriter::in_format(const StoredEvent& event, std::string_view as_client) {
    auto client = parse_stored(as_client);
    if (!filter_.federation_format) return client;
    // There since the first start.
    if (!key_) key_ = find_server_key(reads_.transaction()).value();
    auto whole =
        federation_event(reads_.transaction(), reads_.room(event.room).value(), event, *key_).value();
    // What is signed has neither; a client could not place the event without the one and reads the other.
    for (const auto* name : {"event_id", "unsigned"}) {
        if (auto* value = client.if_contains(name)) whole[name] = std::move(*value);
    }
    return whole;
}

}  // namespace chat
