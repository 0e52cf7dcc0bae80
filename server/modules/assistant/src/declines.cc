#include "declines.h"

#include "endpoints.h"
#include "statements.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <base/log.h>
#include <chat/reading.h>
#include <identity/users.h>

namespace assistant {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kWaitingLimit = 1024;
constexpr std::size_t kUntoldLimit = 256;
constexpr std::size_t kClaimedAtOnce = 64;

std::string_view reason_of(const Declines::Declined& declined) {
    return declined.refusal ? std::string_view(declined.refusal->error.code) : std::string_view();
}

/// Takes a question on that nobody did, or finds that it was by whom it comes from.
std::optional<StoredAnswer> claim_one(storage::Transaction& tx, chat::RoomReading& room,
                                      const Declines::Declined& declined, const AssistantIdentity& self) {
    if (!declined.event_id.empty()) {
        auto known = find_answer(tx, declined.event_id);
        return known && known->state == AnswerState::begun ? known : std::nullopt;
    }
    const auto event = room.event(declined.position);
    if (!event || !is_question(room, *event, self) || find_answer(tx, event->id.value)) return std::nullopt;
    return claim_question(tx, {.question_event_id = event->id.value,
                               .room_id = room.room_id(),
                               .asker = declined.sender,
                               .state = AnswerState::begun,
                               .call_id = call_id_for(event->id.value),
                               .answer_event_id = {},
                               .asked_at_ms = event->origin_server_ts});
}

/// Of one person, in one room, for one reason.
struct Claimed {
    std::optional<StoredAnswer> last;
    chat::Position position;  ///< of the last
    std::int64_t questions = 0;
};

}  // namespace

Declines::Declines(Assistant::Core& core, AnswerMessages& messages)
    : core_(core), messages_(messages), changed_(core.runtime) {}

bool Declines::add(Declined declined) {
    if (!has_place() || stopping_) return false;
    waiting_.push_back(std::move(declined));
    changed_.notify();
    return true;
}

bool Declines::has_place() const {
    return waiting_.size() < kWaitingLimit;
}

bool Declines::holds(chat::RoomNumber room, chat::Position position) const {
    return std::ranges::any_of(waiting_, [&](const Declined& declined) {
        return declined.room == room && declined.position == position;
    });
}

/// Once its room has rested; not at all after the last pause: the question stays open then.
void Declines::add_again(Declined declined) {
    const auto pause = declined.backoff.next();
    if (!pause) {
        base::log_error("assistant.refusal_given_up", {{"waited_s", declined.backoff.waited().count()}});
        return;
    }
    rest_until_[declined.room] = Clock::now() + *pause;
    waiting_.push_back(std::move(declined));
}

void Declines::stop() {
    stopping_ = true;
    waiting_.clear();
    untold_.clear();
    changed_.notify();
}

bool Declines::rests(chat::RoomNumber room) const {
    const auto found = rest_until_.find(room);
    return found != rest_until_.end() && found->second > Clock::now();
}

Declines::Clock::duration Declines::until_next() const {
    Clock::duration wait = 60s;
    if (waiting_.empty() && untold_.empty()) return wait;
    for (const auto& [room, at] : rest_until_) wait = std::min(wait, at - Clock::now());
    return std::max(wait, Clock::duration(1ms));
}

runtime::Task<void> Declines::run() {
    while (!stopping_) {
        std::erase_if(rest_until_, [&](const auto& rest) { return rest.second <= Clock::now(); });
        const bool is_some =
            std::ranges::any_of(untold_, [&](const Untold& one) { return !rests(one.question.room); }) ||
            (untold_.size() < kUntoldLimit &&
             std::ranges::any_of(waiting_, [&](const Declined& one) { return !rests(one.room); }));
        if (!is_some) {
            co_await changed_.wait(until_next());
            continue;
        }
        try {
            co_await tell_next();
        } catch (const std::exception& fault) {
            if (stopping_) throw;
            base::log_error("assistant.converse_fault", {{"what", fault.what()}});
        }
    }
}

/// What chat did not take before comes first: what was asked there since counts with it only once it is told.
runtime::Task<void> Declines::tell_next() {
    const auto again =
        std::ranges::find_if(untold_, [&](const Untold& one) { return !rests(one.question.room); });
    if (again != untold_.end()) {
        Untold untold = std::move(*again);
        untold_.erase(again);
        co_await tell(std::move(untold));
        co_return;
    }
    const auto first = std::ranges::find_if(waiting_, [&](const Declined& one) { return !rests(one.room); });
    if (first == waiting_.end()) co_return;
    if (auto untold = co_await claim(*first)) co_await tell(std::move(*untold));
}

/// Those of one person in one room, for one reason. They are noted as done, so that no restart takes them on
/// after all; the last when its asker has been told.
runtime::Task<std::optional<Declines::Untold>> Declines::claim(Declined first) {
    std::vector<Declined> some;
    std::erase_if(waiting_, [&](const Declined& other) {
        const bool is_theirs =
            other.room == first.room && other.sender == first.sender && reason_of(other) == reason_of(first);
        if (!is_theirs || some.size() >= kClaimedAtOnce) return false;
        some.push_back(other);
        return true;
    });
    // Also where a fault comes between.
    struct Owed {
        Declines& self;
        std::vector<Declined> some;
        ~Owed() {
            if (!self.stopping_)
                for (Declined& one : some) self.add_again(std::move(one));
        }
    } owed{*this, some};
    auto claimed = co_await core_.database.write(
        {kBudgetOrder},
        [first, some, self = AssistantIdentity{core_.assistant_user, core_.assistant_user_id}](
            storage::Transaction& tx) -> base::Result<Claimed> {
            Claimed claimed;
            auto reading = chat::RoomReading::open(tx, first.room, self.user);
            if (!reading || !identity::is_active(tx, first.sender)) return claimed;
            for (const Declined& one : some) {
                auto stored = claim_one(tx, *reading, one, self);
                if (!stored) continue;
                if (claimed.last) set_answer(tx, claimed.last->question_event_id, AnswerState::done, {});
                claimed.last = std::move(*stored);
                claimed.position = one.position;
                claimed.questions += one.questions;
            }
            return claimed;
        });
    if (!claimed) {
        base::log_warning("assistant.cannot_read", {{"code", claimed.error().code}});
        co_return std::nullopt;
    }
    owed.some.clear();
    if (!claimed->last) co_return std::nullopt;
    StoredAnswer last = std::move(*claimed->last);
    first.position = claimed->position;
    first.event_id = last.question_event_id;
    first.questions = claimed->questions;
    owed.some.push_back(first);
    auto found = co_await find_question(core_, first.room, std::nullopt, last.question_event_id);
    if (!found) co_return std::nullopt;
    owed.some.clear();
    auto& question = *found;
    if (!question || question->is_encrypted_room) {
        co_await messages_.note(first.room, last.question_event_id, AnswerState::done, {});
        co_return std::nullopt;
    }
    auto refusal = question->refusal ? *question->refusal : first.refusal.value_or(too_many_questions());
    co_return Untold{.question = std::move(*question),
                     .stored = std::move(last),
                     .refusal = std::move(refusal),
                     .questions = claimed->questions,
                     .backoff = {}};
}

runtime::Task<void> Declines::tell(Untold untold) {
    const auto room = untold.question.room;
    const auto told =
        co_await messages_.refuse(untold.question, untold.stored, untold.refusal, untold.questions);
    if (told) {
        rest_until_[room] = Clock::now() + AnswerMessages::kBetweenEdits;
        co_return;
    }
    const auto pause = untold.backoff.next();
    if (!pause) {
        // It stays open, and the next start takes it on anew.
        base::log_error("assistant.refusal_given_up",
                        {{"code", told.error().code}, {"waited_s", untold.backoff.waited().count()}});
        co_return;
    }
    rest_until_[room] = Clock::now() + *pause;
    if (!stopping_) untold_.push_back(std::move(untold));
}

}  // namespace assistant
