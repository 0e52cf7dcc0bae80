#include "sync/answer.h"

#include "event/canonical_json.h"
#include "members/membership_store.h"
#include "rooms/state_store.h"
#include "sync/receipt_store.h"
#include "sync/room_part.h"
#include "timeline/event_store.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>

namespace chat {
namespace {

/// Unread events that one answer looks at, over all of its rooms. Where a room has more, they are counted to
/// the end in later turns of the same client (Stream::cut_counts), which is then told again.
constexpr std::size_t kUnreadBudget = 20'000;
constexpr std::size_t kUnreadMost = 1'000;
/// The same of such a turn.
constexpr std::size_t kWholeCountsBudget = 10'000;
/// What a room takes in an answer, roughly: so that a large answer is not moved again and again while it
/// grows.
constexpr std::size_t kRoomBytes = 8 * 1024;
/// Rooms that are over, told to a client that may hold any room: those that ended last.
constexpr std::size_t kMostEnds = 500;

/// No devices have keys on this server yet; clients expect the members all the same.
constexpr std::string_view kDevices =
    R"("to_device":{"events":[]},"device_lists":{"changed":[],"left":[]},)"
    R"("device_one_time_keys_count":{},"device_unused_fallback_key_types":[])";

/// The rooms of an answer, by how the person stands to them; those that they have joined are most of it, and
/// go straight into its body.
struct Sections {
    std::string invite = "{";
    std::string knock = "{";
    std::string leave = "{";
    bool has_news = false;
};

/// The membership as it was at `now`: the snapshot may be a little ahead of what is told. An invitation is
/// whose was the last.
std::optional<StoredMembership> membership_now(storage::Transaction& tx, StoredMembership membership,
                                               std::string_view user_id, Position now) {
    if (membership.position <= now && membership.membership != Membership::invite) return membership;
    if (membership.position > now) {
        membership.since = {};
        for (const auto& change : membership_changes(tx, membership.room, membership.user)) {
            if (change.position > now) break;
            membership.membership = change.membership;
            membership.since = change.position;
        }
    }
    const auto event = state_event_at(tx, membership.room, "m.room.member", user_id, now);
    if (!membership.since || !event) return std::nullopt;
    membership.position = event->position;
    membership.sender = event->sender;
    return membership;
}

/// Makes the parts of one answer, one after another.
class AnswerMaker {
  public:
    AnswerMaker(RoomReads& reads, const SyncQuery& query)
        : reads_(reads),
          tx_(reads.transaction()),
          query_(query),
          filter_(*query.filter),
          writer_(reads, filter_) {}

    SyncAnswer make() {
        answer_.settings = query_.settings_hold
                               ? query_.settings
                               : load_settings(tx_, query_.user, query_.user_id, query_.settings);
        read_account_data();
        const auto memberships = candidates();
        context_.emplace(AnswerContext{
            .reads = reads_,
            .tx = tx_,
            .query = query_,
            .settings = *answer_.settings,
            .writer = writer_,
            .unread_limit = std::clamp(kUnreadBudget / std::max<std::size_t>(1, memberships.size()),
                                       kCountedAtLeast, kUnreadMost),
            .counted = counted_,
            .answer = answer_});
        answer_.next_batch = query_.now;
        answer_.next_batch[Stream::cut_counts] = 0;
        if (query_.wants_whole_counts) count_ahead(memberships);
        auto& out = answer_.body;
        out.reserve(kRoomBytes * memberships.size());
        out.append(R"({"account_data":{"events":[)");
        append_global_account_data(out);
        out.append(R"(]},"presence":{"events":[)");
        append_presence(out);
        out.append(R"(]},"rooms":{"join":{)");
        for (const auto& membership : memberships) {
            add_room(membership);
            reads_.trim();
        }
        out.append(R"(},"invite":)").append(sections_.invite);
        out.append(R"(},"knock":)").append(sections_.knock).append(R"(},"leave":)").append(sections_.leave);
        out.append("}},").append(kDevices);
        // Last, since it says how far the counts above have come.
        out.append(R"(,"next_batch":")").append(answer_.next_batch.text()).append("\"}");
        answer_.has_news = answer_.has_news || sections_.has_news;
        return std::move(answer_);
    }

  private:
    void read_account_data() {
        const auto after = query_.since ? (*query_.since)[Stream::account_data] : 0;
        if (after < std::min(query_.now[Stream::account_data], query_.account_data_position))
            account_data_ = account_data_changes(tx_, query_.user, after, query_.now[Stream::account_data]);
        for (const auto& data : account_data_) {
            if (data.room != kNoRoom) room_data_[data.room].push_back(&data);
            if (data.room == kNoRoom && data.type == "m.ignored_user_list") ignores_others_ = true;
        }
    }

    /// What changed of one room's.
    const std::vector<const AccountData*>& data_of(RoomNumber room) const {
        static const std::vector<const AccountData*> none;
        const auto at = room_data_.find(room);
        return at == room_data_.end() ? none : at->second;
    }

    /// The rooms to be looked at, as the person stands to them now.
    std::vector<StoredMembership> candidates() {
        std::vector<StoredMembership> found;
        const auto add = [&](const StoredMembership& row) {
            auto membership = membership_now(tx_, row, query_.user_id, query_.events_now());
            if (!membership) return;
            // A room that was forgotten is not spoken of, but for its end where that is still to be told.
            if (row.is_forgotten && membership->membership != Membership::join && !is_end(*membership))
                return;
            found.push_back(*membership);
        };
        if (query_.rooms && !query_.full_state && !ignores_others_) {
            auto rooms = *query_.rooms;
            for (const auto& [room, data] : room_data_) rooms.push_back(room);
            std::ranges::sort(rooms);
            const auto doubles = std::ranges::unique(rooms);
            rooms.erase(doubles.begin(), doubles.end());
            for (const auto room : rooms) {
                if (const auto row = find_membership(tx_, room, query_.user)) add(*row);
            }
            return found;
        }
        const bool forgotten_too = query_.memberships_since().has_value() && !query_.may_hold_any_room();
        const auto rows = memberships_of(tx_, query_.user, forgotten_too);
        const auto oldest_end = oldest_end_told(rows);
        for (const auto& row : rows) {
            if (is_over(row.membership) && row.since < oldest_end) continue;
            if (may_have_news(row)) add(row);
        }
        return found;
    }

    /// What ended before this is not told.
    Position oldest_end_told(const std::vector<StoredMembership>& rows) const {
        if (!query_.tells_bare_ends()) return {};
        std::vector<Position> ends;
        for (const auto& row : rows) {
            if (is_over(row.membership)) ends.push_back(row.since);
        }
        if (ends.size() <= kMostEnds) return {};
        const auto oldest = std::next(ends.begin(), static_cast<std::ptrdiff_t>(kMostEnds) - 1);
        std::ranges::nth_element(ends, oldest, std::greater{});
        return *oldest;
    }

    /// Whether the client may know the room as one of the person's own.
    bool is_end(const StoredMembership& membership) const {
        const auto since = query_.memberships_since();
        return since && membership.since > *since;
    }

    /// Counts on in the rooms whose counts may have been cut short; once all are whole they are told.
    void count_ahead(const std::vector<StoredMembership>& memberships) {
        auto left = kWholeCountsBudget;
        for (const auto& membership : memberships) {
            if (membership.membership != Membership::join) continue;
            const auto known = query_.unread.find(membership.room);
            if (known != query_.unread.end() && !known->second.is_long) continue;
            const auto& room = reads_.room(membership.room);
            if (!room || !filter_.allows_room(room->id.value)) continue;
            const auto given = std::max(left, kCountedAtLeast);
            auto budget = given;
            auto unread = count_of(*context_, *room, membership, budget);
            left -= std::min(left, given - budget);
            answer_.unread.emplace_back(membership.room, unread);
            if (unread.is_long) counted_.emplace(membership.room, std::move(unread));
            reads_.trim();
        }
        context_->tells_counted = answer_.next_batch[Stream::cut_counts] == 0;
    }

    bool may_have_news(const StoredMembership& row) {
        if (!query_.since || query_.full_state || row.since > query_.events_since()) return true;
        if (row.membership == Membership::invite)
            return ignores_others_ || row.position > query_.events_since();
        if (is_over(row.membership)) return tells_data_of_left(row.room);
        if (row.membership != Membership::join) return false;
        return query_.wants_whole_counts || room_data_.contains(row.room) ||
               query_.typing.contains(row.room) ||
               last_event_position(tx_, row.room, query_.events_now()) > query_.events_since() ||
               has_receipts_after(tx_, row.room, (*query_.since)[Stream::receipts],
                                  query_.now[Stream::receipts]);
    }

    static bool is_over(Membership membership) {
        return membership == Membership::leave || membership == Membership::ban;
    }
    /// A room that was left before is spoken of only to those who ask for such rooms.
    bool tells_data_of_left(RoomNumber room) const {
        return query_.since && filter_.include_leave && room_data_.contains(room);
    }

    void add_room(const StoredMembership& membership) {
        const bool is_news = !query_.since || membership.since > query_.events_since();
        const auto& room = reads_.room(membership.room);
        if (!room || !filter_.allows_room(room->id.value)) return;
        switch (membership.membership) {
            case Membership::join:
                if (append_joined_room(answer_.body, *context_, *room, membership, data_of(membership.room)))
                    sections_.has_news = true;
                break;
            case Membership::invite:
                // Somebody else may have invited the person anew, who ignores the first, or ignores them no
                // more.
                if ((is_news || ignores_others_ || membership.position > query_.events_since()) &&
                    append_stripped_room(sections_.invite, *context_, *room, membership))
                    sections_.has_news = true;
                break;
            case Membership::knock:
                if (is_news && append_stripped_room(sections_.knock, *context_, *room, membership))
                    sections_.has_news = true;
                break;
            case Membership::leave:
            case Membership::ban:
                if (((is_news && (is_end(membership) || filter_.include_leave)) ||
                     tells_data_of_left(membership.room)) &&
                    append_left_room(sections_.leave, *context_, *room, membership, data_of(membership.room)))
                    sections_.has_news = true;
                break;
            case Membership::none:
                break;
        }
    }

    void append_global_account_data(std::string& out) {
        const auto append = [&](const AccountData& data) {
            if (!filter_.account_data.allows_type(data.type)) return;
            if (out.back() != '[') out.push_back(',');
            append_account_data(out, data);
            answer_.has_news = true;
        };
        bool has_rules = false;
        for (const auto& data : account_data_) {
            if (data.room != kNoRoom) continue;
            if (data.type == "m.push_rules") {
                // What is stored knows nothing of default rules that came later.
                has_rules = true;
                append(push_rules());
            } else {
                append(data);
            }
        }
        if (!query_.since && !has_rules) append(push_rules());
    }

    AccountData push_rules() const {
        return {kNoRoom, "m.push_rules", 0,
                base::json::serialize(push_rules_content(answer_.settings->own_rules()))};
    }

    void append_presence(std::string& out) {
        if (!filter_.presence.allows_type("m.presence")) return;
        for (const auto& change : query_.presence) {
            if (!filter_.presence.allows_sender(change.known.user_id)) continue;
            if (change.user != query_.user && !share_room(tx_, change.user, query_.user)) continue;
            if (out.back() != '[') out.push_back(',');
            out.append(R"({"type":"m.presence","sender":)");
            append_canonical_string(out, change.known.user_id);
            out.append(R"(,"content":)")
                .append(Presence::content(change.known, query_.now_ms))
                .push_back('}');
            answer_.has_news = true;
        }
    }

    RoomReads& reads_;
    storage::Transaction& tx_;
    const SyncQuery& query_;
    const SyncFilter& filter_;
    EventWriter writer_;
    SyncAnswer answer_;
    std::optional<AnswerContext> context_;
    Sections sections_;
    std::map<RoomNumber, Unread> counted_;
    std::vector<AccountData> account_data_;
    bool ignores_others_ = false;  ///< than before: an invitation may have been kept back
    std::map<RoomNumber, std::vector<const AccountData*>> room_data_;
};

}  // namespace

SyncAnswer make_answer(RoomReads& reads, const SyncQuery& query) {
    return AnswerMaker(reads, query).make();
}

std::string empty_answer(const StreamToken& next_batch) {
    std::string out(R"({"next_batch":")");
    out.append(next_batch.text()).append(R"(","account_data":{"events":[]},"presence":{"events":[]},)");
    out.append(R"("rooms":{"join":{},"invite":{},"knock":{},"leave":{}},)").append(kDevices).push_back('}');
    return out;
}

}  // namespace chat
