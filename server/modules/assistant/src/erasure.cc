#include "erasure.h"

#include "budget.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

namespace assistant {
namespace {

constexpr std::string_view kEnded =
    "SELECT call_number FROM model_call WHERE user_number = ?1 AND call_number <= ?2 AND state > 2 "
    "ORDER BY call_number LIMIT ?3";
constexpr std::string_view kWordsOfCall =
    "DELETE FROM model_call_words WHERE call_number = ?1 AND user_number IN "
    "(SELECT user_number FROM model_call_words WHERE call_number = ?1 LIMIT ?2)";
constexpr std::string_view kCall = "DELETE FROM model_call WHERE call_number = ?1";

/// The rest of what is kept of a person, a table each: ?1 is the person, ?2 how many rows.
constexpr std::array<std::string_view, 4> kOfPerson{
    "DELETE FROM model_call_words WHERE user_number = ?1 AND call_number IN "
    "(SELECT call_number FROM model_call_words WHERE user_number = ?1 LIMIT ?2)",
    "DELETE FROM spent_tokens WHERE user_number = ?1 AND day IN "
    "(SELECT day FROM spent_tokens WHERE user_number = ?1 LIMIT ?2)",
    "DELETE FROM assistant_answer WHERE question_event_id IN "
    "(SELECT question_event_id FROM assistant_answer WHERE asker_number = ?1 LIMIT ?2)",
    "DELETE FROM asked_by_itself WHERE user_number = ?1 AND room_id IN "
    "(SELECT room_id FROM asked_by_itself WHERE user_number = ?1 LIMIT ?2)"};

std::vector<std::int64_t> ended_calls(storage::Transaction& tx, identity::UserNumber user,
                                      std::int64_t newest, std::int64_t limit) {
    auto select = tx.prepare(kEnded);
    select.bind(user, newest, limit);
    std::vector<std::int64_t> calls;
    while (select.step()) calls.push_back(select.integer(0));
    return calls;
}

}  // namespace

Erased erase_receipts(storage::Transaction& tx, identity::UserNumber user, std::int64_t newest,
                      std::int64_t limit) {
    Erased erased;
    for (const auto call : ended_calls(tx, user, newest, limit)) {
        erased.rows += tx.prepare(kWordsOfCall).bind(call, limit - erased.rows).run();
        // A receipt goes after all of its words, so that none of them is left without it.
        if (erased.rows == limit) return erased;
        erased.rows += tx.prepare(kCall).bind(call).run();
        ++erased.receipts;
        if (erased.rows == limit) return erased;
    }
    erased.is_all = true;
    return erased;
}

Erased erase_person(storage::Transaction& tx, identity::UserNumber user, std::int64_t now_ms,
                    std::int64_t limit) {
    settle_open(tx, user, now_ms);
    Erased erased = erase_receipts(tx, user, std::numeric_limits<std::int64_t>::max(), limit);
    if (!erased.is_all) return erased;
    for (const auto text : kOfPerson) {
        erased.rows += tx.prepare(text).bind(user, limit - erased.rows).run();
        erased.is_all = erased.rows < limit;
        if (!erased.is_all) return erased;
    }
    return erased;
}

std::span<const std::string_view> erasure_texts() {
    static constexpr auto kAll = [] {
        std::array<std::string_view, kOfPerson.size() + 3> all{kEnded, kWordsOfCall, kCall};
        std::ranges::copy(kOfPerson, all.begin() + 3);
        return all;
    }();
    return kAll;
}

}  // namespace assistant
