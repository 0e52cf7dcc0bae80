#include "joins.h"

#include "answer_messages.h"
#include "backoff.h"
#include "statements.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <base/log.h>
#include <chat/chat.h>
#include <chat/reading.h>

namespace assistant {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRoomsAtOnce = 64;
constexpr std::size_t kStatementsLimit = 1024;
/// Of what whoever invited it may have written since, or others around them.
constexpr std::size_t kEventsBefore = 500;

struct Place {
    std::string room_id;
    bool is_encrypted = false;
    std::vector<Missed::Place> asked;
};

/// Where it has just come to.
Place look_around(storage::Transaction& tx, chat::RoomNumber room, const AssistantIdentity& self,
                  std::int64_t now_ms) {
    const auto reading = chat::RoomReading::open(tx, room, self.user);
    if (!reading || reading->membership() != chat::Membership::join) return {};
    Place place{.room_id = reading->room_id(),
                .is_encrypted = reading->state("m.room.encryption").has_value(),
                .asked = {}};
    const auto invitation = reading->invitation();
    if (!invitation || place.is_encrypted) return place;
    Missed missed;
    add_missed(tx, room, self, now_ms, kEventsBefore, missed);
    for (const auto& question : missed.questions)
        if (question.position < invitation->accepted) place.asked.push_back(question);
    return place;
}

std::string words_of(SaidOnce what, bool was_read) {
    return what == SaidOnce::greeting ? greeting(kExchangesBefore, was_read) : cannot_read();
}

}  // namespace

Joins::Joins(Assistant::Core& core, Joined joined, Asked asked)
    : core_(core), joined_(std::move(joined)), asked_(std::move(asked)), changed_(core.runtime) {}

void Joins::look() {
    is_awaited_ = true;
    is_new_ = true;
    changed_.notify();
}

bool Joins::say(chat::RoomNumber room, SaidOnce what, bool was_read) {
    const bool waits = std::ranges::any_of(
        statements_, [&](const Statement& other) { return other.room == room && other.what == what; });
    if (waits) return true;
    if (statements_.size() >= kStatementsLimit) return false;
    statements_.push_back({room, what, was_read});
    is_new_ = true;
    changed_.notify();
    return true;
}

void Joins::stop() {
    stopping_ = true;
    changed_.notify();
}

runtime::Task<void> Joins::run() {
    Backoff backoff;
    while (!stopping_) {
        if (!is_awaited_ && statements_.empty()) {
            co_await changed_.wait(60s);
            continue;
        }
        bool is_done = false;
        is_new_ = false;
        try {
            is_done = co_await work_off();
        } catch (const std::exception& fault) {
            if (stopping_) throw;
            base::log_error("assistant.joins_fault", {{"what", fault.what()}});
            is_awaited_ = true;
        }
        if (is_done) {
            backoff = {};
        } else if (!stopping_ && !is_new_) {
            // Whoever invites it meanwhile does not wait for that.
            co_await changed_.wait(backoff.next().value_or(Backoff::kLongest));
        }
    }
}

runtime::Task<bool> Joins::work_off() {
    // Before it is read: an invitation that comes meanwhile is looked for once more.
    const bool is_awaited = std::exchange(is_awaited_, false);
    const bool all_taken = !is_awaited || co_await take_all();
    if (!all_taken) is_awaited_ = true;
    const bool all_said = co_await say_all();
    co_return all_taken&& all_said;
}

runtime::Task<bool> Joins::take_all() {
    bool is_all = true;
    chat::RoomNumber after;
    for (bool is_more = true; is_more && !stopping_;) {
        const auto rooms = co_await core_.database.read(
            [self = core_.assistant_user,
             after](storage::Transaction& tx) -> base::Result<std::vector<chat::RoomNumber>> {
                return chat::rooms_with(tx, self, chat::Membership::invite, kRoomsAtOnce, after);
            });
        if (!rooms) {
            base::log_warning("assistant.cannot_read", {{"code", rooms.error().code}});
            co_return false;
        }
        for (const auto room : *rooms) {
            if (stopping_) co_return false;
            is_all = co_await take(room) && is_all;
            after = room;
        }
        is_more = rooms->size() == kRoomsAtOnce;
    }
    co_return is_all;
}

runtime::Task<bool> Joins::take(chat::RoomNumber room) {
    const AssistantIdentity self{core_.assistant_user, core_.assistant_user_id};
    auto room_id =
        co_await core_.database.read([room, self](storage::Transaction& tx) -> base::Result<std::string> {
            const auto reading = chat::RoomReading::open(tx, room, self.user);
            return reading && reading->membership() == chat::Membership::invite ? reading->room_id()
                                                                                : std::string();
        });
    if (!room_id) co_return false;
    if (room_id->empty()) co_return true;  // taken back meanwhile
    if (auto joined = co_await core_.chat.join(self.user, *room_id); !joined) {
        base::log_warning("assistant.cannot_join", {{"code", joined.error().code}});
        co_return !may_pass(joined.error());
    }
    joined_(room);
    const auto place = co_await core_.database.read(
        [room, self, now_ms = core_.clock.now_ms()](storage::Transaction& tx) -> base::Result<Place> {
            return look_around(tx, room, self, now_ms);
        });
    // Unread, it says that it has not read what was before, which is so.
    const bool was_read = place && !place->asked.empty();
    const Statement hello{room, SaidOnce::greeting, was_read};
    co_await say_or_keep(hello);
    if (place && place->is_encrypted) say(room, SaidOnce::cannot_read);
    if (place) std::ranges::for_each(place->asked, asked_);
    co_return true;
}

/// Each once; what chat does not take now stays.
runtime::Task<bool> Joins::say_all() {
    bool is_all = true;
    for (auto left = statements_.size(); left > 0 && !statements_.empty() && !stopping_; --left) {
        const Statement statement = statements_.front();
        statements_.pop_front();
        is_all = co_await say_or_keep(statement) && is_all;
    }
    co_return is_all;
}

/// Kept behind the others, also where a fault comes between.
runtime::Task<bool> Joins::say_or_keep(Statement statement) {
    struct Owed {
        std::deque<Statement>& statements;
        const Statement& statement;
        bool is_said = false;
        ~Owed() {
            if (!is_said) statements.push_back(statement);
        }
    } owed{statements_, statement};
    owed.is_said = co_await try_to_say(statement);
    co_return owed.is_said;
}

/// Said first and noted then: what a crash comes between is sent under the same transaction.
runtime::Task<bool> Joins::try_to_say(Statement statement) {
    auto room_id = co_await core_.database.read(
        [statement, self = core_.assistant_user](storage::Transaction& tx) -> base::Result<std::string> {
            const auto reading = chat::RoomReading::open(tx, statement.room, self);
            const bool is_there = reading && reading->membership() == chat::Membership::join;
            if (!is_there || was_said(tx, reading->room_id(), statement.what)) return std::string();
            return reading->room_id();
        });
    if (!room_id) co_return false;
    if (room_id->empty()) co_return true;
    const auto sent = co_await core_.chat.send(
        {.sender = core_.assistant_user,
         .room_id = *room_id,
         .type = "m.room.message",
         .content = notice(words_of(statement.what, statement.was_read)),
         .txn_id = statement.what == SaidOnce::greeting ? "greeting" : "cannot_read"});
    if (!sent) {
        base::log_warning("assistant.cannot_send", {{"code", sent.error().code}});
        co_return !may_pass(sent.error());
    }
    const auto noted = co_await core_.database.write(
        {"room:" + *room_id},
        [room_id = *room_id, what = statement.what](storage::Transaction& tx) -> base::Result<void> {
            set_said(tx, room_id, what);
            return {};
        });
    if (!noted) base::log_error("assistant.not_noted", {{"code", noted.error().code}});
    co_return true;
}

}  // namespace assistant
