#include "refusal.h"

#include "consent.h"

#include <algorithm>

#include <identity/matrix_error.h>

namespace assistant {

using base::ErrorKind;

Refusal ai_off() {
    return base::Error{ErrorKind::forbidden, "IM.LINGXI.AI_OFF", "The assistant is switched off."};
}

Refusal forbidden_in_room() {
    return base::Error{ErrorKind::forbidden, "IM.LINGXI.AI_FORBIDDEN_IN_ROOM",
                       "This room does not allow AI."};
}

Refusal consent_needed(const std::vector<std::string>& user_ids, const Destination& destination) {
    base::json::object more{{"users", base::json::value_from(user_ids)},
                            {"destination", to_json(destination)}};
    if (!destination.model.empty()) more["model"] = destination.model;
    return {{ErrorKind::forbidden, "IM.LINGXI.CONSENT_NEEDED",
             "The people whose words these are have not agreed to hand them to this model."},
            std::move(more)};
}

Refusal budget_exhausted(std::int64_t now_ms, std::int64_t resets_at_ms) {
    return {
        {ErrorKind::rate_limited, std::string(kBudgetExhausted), "Today's allowance of the model is used up.",
         std::chrono::milliseconds(std::max<std::int64_t>(1000, resets_at_ms - now_ms))},
        {{"resets_at_ms", resets_at_ms}}};
}

Refusal model_unavailable(std::string message) {
    return base::Error{ErrorKind::unavailable, "IM.LINGXI.MODEL_UNAVAILABLE", std::move(message)};
}

Refusal agreed_server_rests() {
    return model_unavailable("The model server that people agreed to cannot be reached for a moment.");
}

Refusal no_such_event() {
    return base::Error{ErrorKind::not_found, "M_NOT_FOUND",
                       "There is no such message, or you may not read it."};
}

Refusal account_gone() {
    return base::Error{ErrorKind::forbidden, "M_USER_DEACTIVATED", "This account has been deactivated."};
}

Refusal nobody_to_ask() {
    return base::Error{ErrorKind::forbidden, std::string(kNobodyToAsk),
                       "These are the words of somebody who cannot be asked, such as a forwarded message."};
}

Refusal words_changed() {
    return base::Error{ErrorKind::conflict, std::string(kWordsChanged),
                       "A message was changed or taken back in the meantime; ask again."};
}

Refusal already_asked() {
    return base::Error{ErrorKind::conflict, "IM.LINGXI.ALREADY_ASKED",
                       "A model was asked about this message already."};
}

Refusal too_many_questions() {
    return base::Error{ErrorKind::rate_limited, std::string(kTooManyQuestions),
                       "Too many questions are waiting."};
}

Refusal model_failed(const base::Error& error) {
    if (error.code.starts_with("model.") || error.code.starts_with("gateway.")) {
        return model_unavailable(error.message);
    }
    if (error.code.starts_with("IM.LINGXI.") || error.code.starts_with("storage.")) return error;
    return model_unavailable("The model cannot be reached now.");
}

net::Response answer(const Refusal& refusal) {
    auto response = identity::matrix_error(refusal.error);
    if (refusal.more.empty()) return response;
    auto body = base::json::parse(response.body).as_object();
    for (const auto& member : refusal.more) body[member.key()] = member.value();
    response.body = base::json::serialize(body);
    return response;
}

std::string as_event(const Refusal& refusal) {
    return answer(refusal).body;
}

}  // namespace assistant
