#include "erasure.h"

#include "budget.h"

#include <string_view>

namespace assistant {

void erase_person(storage::Transaction& tx, identity::UserNumber user, std::int64_t now_ms) {
    settle_open(tx, user, now_ms);
    for (const std::string_view statement :
         {"DELETE FROM model_call_words WHERE user_number = ?1",
          "DELETE FROM model_call_words WHERE call_number IN "
          "(SELECT call_number FROM model_call WHERE user_number = ?1)",
          "DELETE FROM model_call WHERE user_number = ?1", "DELETE FROM spent_tokens WHERE user_number = ?1",
          "DELETE FROM assistant_answer WHERE asker_number = ?1"})
        tx.prepare(statement).bind(user).run();
}

}  // namespace assistant
