#include "sync/receipts_part.h"

#include "event/canonical_json.h"
#include "sync/receipt_store.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <vector>

#include <identity/users.h>

namespace chat {
namespace {

/// What a room new to the client tells of others' reading; what is older concerns nothing that it shows.
constexpr std::size_t kFirstLimit = 200;
constexpr std::size_t kLimit = 10'000;

/// The content of one m.receipt event: event id, kind, user id. A person who has two receipts of a kind on
/// one event (of two threads) needs two of them.
using Content = std::map<std::string, std::map<std::string_view, std::map<std::string, const Receipt*>>>;

void place(std::vector<Content>& contents, const Receipt& receipt, const std::string& user_id) {
    for (auto& content : contents) {
        if (content[receipt.event_id][to_string(receipt.kind)].try_emplace(user_id, &receipt).second) return;
    }
    contents.emplace_back()[receipt.event_id][to_string(receipt.kind)].emplace(user_id, &receipt);
}

void open_member(std::string& out, std::string_view name) {
    if (out.back() != '{') out.push_back(',');
    append_canonical_string(out, name);
    out.push_back(':');
}

void append_content(std::string& out, const Content& content) {
    out.append(R"({"type":"m.receipt","content":{)");
    for (const auto& [event_id, kinds] : content) {
        open_member(out, event_id);
        out.push_back('{');
        for (const auto& [kind, users] : kinds) {
            open_member(out, kind);
            out.push_back('{');
            for (const auto& [user_id, receipt] : users) {
                open_member(out, user_id);
                out.append(R"({"ts":)").append(std::to_string(receipt->ts_ms));
                if (!receipt->thread_id.empty()) {
                    out.append(R"(,"thread_id":)");
                    append_canonical_string(out, receipt->thread_id);
                }
                out.push_back('}');
            }
            out.push_back('}');
        }
        out.push_back('}');
    }
    out.append("}}");
}

}  // namespace

void append_receipts(std::string& out, storage::Transaction& tx, RoomNumber room, identity::UserNumber reader,
                     std::int64_t after, std::int64_t up_to) {
    if (after >= up_to) return;
    auto receipts = receipt_changes(tx, room, reader, after, up_to, after == 0 ? kFirstLimit : kLimit);
    if (after == 0 && receipts.size() == kFirstLimit) {
        for (auto& own : receipts_of(tx, room, reader)) {
            if (own.kind != ReceiptKind::by_writing && own.position < receipts.back().position &&
                own.position <= up_to)
                receipts.push_back(std::move(own));
        }
    }
    if (receipts.empty()) return;
    std::vector<Content> contents;
    std::unordered_map<identity::UserNumber, std::string> user_ids;
    for (const auto& receipt : receipts) {
        auto& user_id = user_ids[receipt.user];
        if (user_id.empty()) user_id = identity::user_id_of(tx, receipt.user).value;
        place(contents, receipt, user_id);
    }
    for (const auto& content : contents) {
        if (!out.empty()) out.push_back(',');
        append_content(out, content);
    }
}

}  // namespace chat
