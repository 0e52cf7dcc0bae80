#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include <base/json.h>
#include <base/result.h>
#include <net/message.h>

namespace assistant {

struct Destination;

/// Why a wish of a person was not met, with what the client needs to say so in words.
struct Refusal {
    base::Error error;
    base::json::object more;  ///< further members of the answer ("users", "destination", "resets_at_ms")

    Refusal(base::Error e, base::json::object m = {})  // NOLINT: an Error is a Refusal
        : error(std::move(e)), more(std::move(m)) {}
};

template <class T>
using Answered = std::expected<T, Refusal>;

[[nodiscard]] inline std::unexpected<Refusal> refuse(Refusal refusal) {
    return std::unexpected(std::move(refusal));
}

inline constexpr std::string_view kBudgetExhausted = "IM.LINGXI.BUDGET_EXHAUSTED";
inline constexpr std::string_view kWordsChanged = "IM.LINGXI.WORDS_CHANGED";
inline constexpr std::string_view kTooManyQuestions = "assistant.too_many_questions";
inline constexpr std::string_view kNobodyToAsk = "IM.LINGXI.NOBODY_TO_ASK";

Refusal ai_off();
Refusal forbidden_in_room();
/// Of these people, for this destination: what a card is to ask them for, so that what they answer is what
/// the next call looks for.
Refusal consent_needed(const std::vector<std::string>& user_ids, const Destination& destination);
Refusal budget_exhausted(std::int64_t now_ms, std::int64_t resets_at_ms);
Refusal model_unavailable(std::string message);
/// All agreed to a model server that rests: for a moment, so that nobody need be asked about another.
Refusal agreed_server_rests();
Refusal no_such_event();
/// Deactivated while the call was under way.
Refusal account_gone();
/// Words of somebody who cannot be asked: forwarded, or said by nobody knows whom.
Refusal nobody_to_ask();
/// What was to be handed over has been redacted or edited since it was read.
Refusal words_changed();
/// Without a tap, a model is asked once a message.
Refusal already_asked();
/// @assistant has so much to answer that it does not take on more; never leaves as an error.
Refusal too_many_questions();
/// What the gateway said, in the assistant's words.
Refusal model_failed(const base::Error& error);

/// Matrix-shaped, with the further members.
net::Response answer(const Refusal& refusal);
/// {"errcode", "error", …} for the end of an event stream.
std::string as_event(const Refusal& refusal);

}  // namespace assistant
