#include "erasure.h"

#include "budget.h"

#include <string_view>

namespace assistant {

void erase_person(storage::Transaction& tx, identity::UserNumber user, std::int64_t now_ms) {
    settle_open(tx, user, now_ms);
    const auto run = [&](std::string_view statement) { tx.prepare(statement).bind(user).run(); };
    run("DELETE FROM model_call_words WHERE user_number = ?1");
    run("DELETE FROM model_call_words WHERE call_number IN "
        "(SELECT call_number FROM model_call WHERE user_number = ?1)");
    run("DELETE FROM model_call WHERE user_number = ?1");
    run("DELETE FROM spent_tokens WHERE user_number = ?1");
    run("DELETE FROM assistant_answer WHERE asker_number = ?1");
    run("DELETE FROM asked_by_itself WHERE user_number = ?1");
}

}  // namespace assistant
