#include "converse.h"

#include "endpoints.h"
#include "inert_text.h"
#include "missed.h"
#include "statements.h"
#include "typing_notice.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <base/log.h>
#include <chat/chat.h>
#include <identity/users.h>

namespace assistant {
namespace {

namespace json = base::json;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::size_t kWorkers = 4;
constexpr std::size_t kHeardLimit = 4096;
constexpr std::size_t kSiftedAtOnce = 32;
constexpr std::size_t kQueueLimit = 256;
constexpr std::size_t kQueuedOfOnePersonLimit = 8;
constexpr std::size_t kLateLimit = 64;
/// Of a room that was not listened to for a moment.
constexpr std::size_t kEventsBehind = 2000;

constexpr std::size_t kAnswerLimitBytes = 16 * 1024;
constexpr std::int32_t kOutputLimitTokens = 1024;
constexpr auto kAnswerTime = 120s;
/// Who goes on changing a question while it waits is answered no more.
constexpr int kReadsLimit = 3;
/// The last of the twenty edits is kept for the end of the answer.
constexpr int kEditsLimit = 20;

/// At most one a second, slower as the answer grows, so that twenty last for two minutes.
steady_clock::duration pause_before_edit(int edits) {
    if (edits < 9) return AnswerMessages::kBetweenEdits;
    if (edits < 14) return 4s;
    return 15s;
}

/// The question was taken back, or who asked has left, the room or for good.
bool is_nothing_owed(const Refusal& refusal) {
    return refusal.error.code == kWordsChanged || refusal.error.code == "M_FORBIDDEN" ||
           refusal.error.code == account_gone().error.code;
}

CallWish wish_of(Assistant::Core& core, const Question& question, const StoredAnswer& stored) {
    return {.request = {.call_id = stored.call_id,
                        .purpose = std::string(to_string(Purpose::converse)),
                        .lane = egress::Lane::user_async,
                        .messages = conversation_prompt(question.before, question.text),
                        .max_output_tokens = kOutputLimitTokens,
                        .deadline = steady_clock::now() + kAnswerTime},
            .user = question.asker,
            .room_id = question.room_id,
            .purpose = Purpose::converse,
            .whose = {question.asker},
            .still_allowed = consent_check({.user = question.asker,
                                            .room_id = question.room_id,
                                            .purpose = Purpose::converse,
                                            .consenting = {},
                                            .reader = core.assistant_user,
                                            .versions = question.versions})};
}

chat::RoomNumber room_of(const auto& work) {
    return std::visit([](const auto& item) { return item.room; }, work);
}

}  // namespace

Converse::Converse(Assistant::Core& core)
    : core_(core),
      messages_(core, [this](chat::RoomNumber room) { replace_worker_in(room); }),
      joins_(
          core, [this](chat::RoomNumber room) { rooms_.insert(room); },
          [this](const Missed::Place& place) { enqueue(Asked{place.room, place.position, place.sender}); }),
      declines_(core, messages_),
      queued_(core.runtime) {}

void Converse::start() {
    core_.chat.news().subscribe([this](const chat::RoomNews& news) { on_news(news); });
    for (std::size_t i = 0; i < kWorkers; ++i) core_.tasks.spawn(work());
    core_.tasks.spawn(sift());
    core_.tasks.spawn(declines_.run());
    core_.tasks.spawn(joins_.run());
    core_.tasks.spawn(catch_up());
}

void Converse::stop() {
    stopping_ = true;
    heard_.clear();
    queue_.clear();
    behind_.clear();
    joins_.stop();
    declines_.stop();
    queued_.notify();
}

void Converse::on_news(const chat::RoomNews& news) {
    const auto self = core_.assistant_user;
    if (!self || stopping_) return;
    if (news.member == self) {
        if (news.membership == chat::Membership::join) rooms_.insert(news.room);
        if (news.membership == chat::Membership::leave || news.membership == chat::Membership::ban) {
            rooms_.erase(news.room);
            unreadable_.erase(news.room);
        }
        if (news.membership == chat::Membership::invite) joins_.look();
        return;
    }
    if (news.sender == self || (rooms_known_ && !rooms_.contains(news.room))) return;
    if (news.type == "m.room.message") hear({news.room, news.position, news.sender});
    const bool is_unreadable = news.type == "m.room.encrypted" || news.type == "m.room.encryption";
    if (is_unreadable && !unreadable_.contains(news.room) && joins_.say(news.room, SaidOnce::cannot_read))
        unreadable_.insert(news.room);
}

void Converse::count_refused() {
    core_.runtime.metrics()
        .counter("assistant_queue_refused_total", "Messages that @assistant was too busy to look at.")
        .add();
}

void Converse::hear(Heard heard) {
    if (heard_.size() >= kHeardLimit) {
        count_refused();
        behind_.add(heard.room);
        return;
    }
    heard_.push_back(heard);
    queued_.notify();
}

void Converse::enqueue(Work work) {
    bool refused = queue_.size() >= kQueueLimit;
    if (const auto* asked = std::get_if<Asked>(&work)) {
        const auto waiting = std::ranges::count_if(queue_, [&](const Work& other) {
            const auto* earlier = std::get_if<Asked>(&other);
            return earlier != nullptr && earlier->sender == asked->sender;
        });
        refused = refused || static_cast<std::size_t>(waiting) >= kQueuedOfOnePersonLimit;
    }
    if (refused) {
        count_refused();
        // What was resumed stays open for the next start.
        if (const auto* asked = std::get_if<Asked>(&work)) decline(*asked);
        return;
    }
    queue_.push_back(std::move(work));
    queued_.notify();
}

void Converse::decline(const Asked& asked) {
    const bool is_taken = declines_.add({.room = asked.room,
                                         .position = asked.position,
                                         .sender = asked.sender,
                                         .refusal = std::nullopt,
                                         .event_id = {}});
    if (!is_taken) behind_.add(asked.room);
}

bool Converse::is_waiting(chat::RoomNumber room, chat::Position position) const {
    const bool is_queued = std::ranges::any_of(queue_, [&](const Work& work) {
        const auto* asked = std::get_if<Asked>(&work);
        return asked != nullptr && asked->room == room && asked->position == position;
    });
    return is_queued || declines_.holds(room, position);
}

runtime::Task<void> Converse::sift() {
    while (!stopping_) {
        const auto room = heard_.empty() && declines_.has_place() ? behind_.next() : std::nullopt;
        if (heard_.empty() && !room) {
            co_await queued_.wait(behind_.empty() ? 60s : 1s);
            continue;
        }
        try {
            if (room) {
                co_await look_behind(*room);
            } else {
                co_await sift_some();
            }
        } catch (const std::exception& fault) {
            if (stopping_) throw;
            base::log_error("assistant.converse_fault", {{"what", fault.what()}});
        }
    }
}

runtime::Task<void> Converse::look_behind(chat::RoomNumber room) {
    // Also where a fault comes between.
    struct Owed {
        Converse& self;
        chat::RoomNumber room;
        Backoff backoff;
        bool is_read = false;
        ~Owed() {
            if (!is_read && !self.stopping_) self.behind_.add_again(room, backoff);
        }
    } owed{*this, room, behind_.take(room)};
    const auto missed = co_await core_.database.read(
        [room, self = AssistantIdentity{core_.assistant_user, core_.assistant_user_id},
         now_ms = core_.clock.now_ms()](storage::Transaction& tx) -> base::Result<Missed> {
            Missed found;
            add_missed(tx, room, self, now_ms, kEventsBehind, found);
            return found;
        });
    if (!missed) {
        base::log_warning("assistant.cannot_read", {{"code", missed.error().code}});
        co_return;
    }
    owed.is_read = true;
    for (const auto& [at, position, sender] : missed->questions)
        if (!is_waiting(at, position)) enqueue(Asked{at, position, sender});
}

/// What is for it is read once more when its turn comes: an answer before it belongs to the conversation.
runtime::Task<void> Converse::sift_some() {
    const auto end = heard_.begin() + static_cast<std::ptrdiff_t>(std::min(heard_.size(), kSiftedAtOnce));
    std::vector<Heard> some(heard_.begin(), end);
    heard_.erase(heard_.begin(), end);
    struct Owed {
        Converse& self;
        const std::vector<Heard>& some;
        bool is_read = false;
        ~Owed() {
            if (is_read || self.stopping_) return;
            for (const Heard& unread : some) self.behind_.add_again(unread.room, {});
        }
    } owed{*this, some};
    auto asked = co_await core_.database.read(
        [some, self = AssistantIdentity{core_.assistant_user, core_.assistant_user_id}](
            storage::Transaction& tx) -> base::Result<std::vector<Asked>> {
            std::vector<Asked> found;
            for (const auto& [room, position, sender] : some) {
                auto reading = chat::RoomReading::open(tx, room, self.user);
                const auto event = reading ? reading->event(position) : std::nullopt;
                if (event && is_question(*reading, *event, self)) found.push_back({room, position, sender});
            }
            return found;
        });
    if (!asked) {
        base::log_warning("assistant.cannot_read", {{"code", asked.error().code}});
        co_return;
    }
    owed.is_read = true;
    for (const Asked& one : *asked) enqueue(one);
}

/// The first that is in no room where another is being worked on: answers of a room keep their order.
std::optional<Converse::Work> Converse::take() {
    const auto next =
        std::ranges::find_if(queue_, [&](const Work& work) { return !busy_.contains(room_of(work)); });
    if (next == queue_.end()) return std::nullopt;
    Work work = std::move(*next);
    queue_.erase(next);
    return work;
}

runtime::Task<void> Converse::work() {
    bool is_replaced = false;
    while (!stopping_ && !is_replaced) {
        auto work = take();
        if (!work) {
            co_await queued_.wait(60s);
            continue;
        }
        struct Busy {
            Converse& self;
            chat::RoomNumber room;
            bool& is_replaced;
            ~Busy() {
                self.busy_.erase(room);
                is_replaced = self.late_.erase(room) > 0;
                self.queued_.notify();
            }
        };
        busy_.insert(room_of(*work));
        const Busy busy{*this, room_of(*work), is_replaced};
        try {
            co_await handle(std::move(*work));
        } catch (const std::exception& fault) {
            if (stopping_) throw;
            // One message's fault must not end the worker.
            base::log_error("assistant.converse_fault", {{"what", fault.what()}});
        }
    }
}

void Converse::replace_worker_in(chat::RoomNumber room) {
    if (stopping_ || !busy_.contains(room) || late_.contains(room) || late_.size() >= kLateLimit) return;
    if (core_.tasks.spawn(work()) != nullptr) late_.insert(room);
}

runtime::Task<void> Converse::handle(Work work) {
    if (const auto* asked = std::get_if<Asked>(&work)) co_await handle_asked(*asked);
    if (auto* resumed = std::get_if<Resumed>(&work)) co_await handle_resumed(std::move(*resumed));
}

runtime::Task<void> Converse::handle_asked(Asked asked) {
    // Also where a fault comes between: what was not taken on then is found again.
    struct Owed {
        Converse& self;
        chat::RoomNumber room;
        bool is_done = false;
        ~Owed() {
            if (!is_done && !self.stopping_) self.behind_.add_again(room, {});
        }
    } owed{*this, asked.room};
    auto question = co_await find_question(core_, asked.room, asked.position, {});
    if (!question) co_return;
    owed.is_done = !*question || co_await answer(std::move(**question), false);
}

/// No list of what was missed has it, since it was taken on: it is tried again from here, or stays open.
runtime::Task<void> Converse::handle_resumed(Resumed resumed) {
    Backoff backoff;
    while (!stopping_) {
        auto question = co_await find_question(core_, resumed.room, std::nullopt, resumed.event_id);
        if (question && !*question) {
            // Withdrawn, or the assistant is no longer there: nothing is owed.
            co_await messages_.note(resumed.room, resumed.event_id, AnswerState::done, {});
            co_return;
        }
        if (question && co_await answer(std::move(**question), true)) co_return;
        const auto pause = backoff.next();
        if (!pause) {
            base::log_error("assistant.answer_given_up", {{"call_id", call_id_for(resumed.event_id).value},
                                                          {"waited_s", backoff.waited().count()}});
            co_return;
        }
        replace_worker_in(resumed.room);
        co_await runtime::sleep_for(*pause);
    }
}

runtime::Task<bool> Converse::answer(Question question, bool is_resumed) {
    if (question.is_encrypted_room) {
        joins_.say(question.room, SaidOnce::cannot_read);
        co_return true;
    }
    const StoredAnswer fresh{.question_event_id = question.event_id,
                             .room_id = question.room_id,
                             .asker = question.asker,
                             .state = AnswerState::begun,
                             .call_id = call_id_for(question.event_id),
                             .answer_event_id = {},
                             .asked_at_ms = question.asked_at_ms};
    auto stored = co_await core_.database.write(
        {kBudgetOrder},
        [fresh, is_resumed](storage::Transaction& tx) -> base::Result<std::optional<StoredAnswer>> {
            if (!identity::is_active(tx, fresh.asker)) return base::fail(account_gone().error);
            // Who meets a question twice leaves it to whoever took it on.
            if (!is_resumed && find_answer(tx, fresh.question_event_id)) return std::nullopt;
            return claim_question(tx, fresh);
        });
    if (!stored) {
        base::log_warning("assistant.not_taken_on", {{"code", stored.error().code}});
        co_return !may_pass(stored.error());
    }
    if (!*stored || (*stored)->state == AnswerState::done) co_return true;
    core_.runtime.metrics().counter("assistant_questions_total", "Messages that @assistant took on.").add();
    if (question.refusal) {
        core_.count_refusal(*question.refusal);
        co_await refuse_taken(question, **stored, is_resumed, *question.refusal);
        co_return true;
    }
    co_await ask_model(std::move(question), std::move(**stored), is_resumed);
    co_return true;
}

runtime::Task<void> Converse::refuse_taken(const Question& question, const StoredAnswer& stored,
                                           bool is_resumed, const Refusal& refusal) {
    // Under what an earlier start may have said already it is said as an edit of that.
    const bool is_told = !is_resumed && declines_.add({.room = question.room,
                                                       .position = question.position,
                                                       .sender = question.asker,
                                                       .refusal = refusal,
                                                       .event_id = question.event_id});
    if (!is_told) co_await messages_.state(question, stored, sorry(refusal, question.chinese));
}

runtime::Task<Answered<RunReader>> Converse::begin_call(Question& question, const StoredAnswer& stored) {
    for (int reads = 1;; ++reads) {
        auto run = core_.runs.start(wish_of(core_, question, stored));
        if (!run) co_return refuse(std::move(run.error()));
        auto went = co_await (*run)->prepared(kAnswerTime);
        if (went) co_return std::move(*run);
        if (went.error().error.code != kWordsChanged || reads >= kReadsLimit || stopping_)
            co_return refuse(std::move(went.error()));
        auto changed = co_await find_question(core_, question.room, std::nullopt, question.event_id);
        if (!changed) co_return refuse(std::move(changed.error()));
        if (!*changed || (*changed)->refusal) co_return refuse(std::move(went.error()));
        question = std::move(**changed);
    }
}

runtime::Task<void> Converse::ask_model(Question question, StoredAnswer stored, bool is_resumed) {
    TypingNotice typing(core_.tell_typing, question.room, core_.assistant_user, core_.assistant_user_id);
    auto run = co_await begin_call(question, stored);
    if (stopping_) co_return;  // the next start says that it was interrupted
    if (!run) {
        const Refusal& refusal = run.error();
        core_.count_refusal(refusal);
        // The call was made before a restart: it is not made again.
        if (refusal.error.code == "assistant.repeated_call") {
            co_await messages_.interrupt(question, stored);
        } else if (is_nothing_owed(refusal)) {
            co_await messages_.note(question.room, question.event_id, AnswerState::done,
                                    stored.answer_event_id);
        } else {
            co_await refuse_taken(question, stored, is_resumed, refusal);
        }
        co_return;
    }

    Names::Restorer restorer(question.names);
    InertText words(kAnswerLimitBytes);
    std::string shown;
    bool is_last_shown = false;
    int edits = 0;
    auto last = steady_clock::now();
    enum class Shown : std::uint8_t { now, later, never };
    // What comes after it says all of it once more, so that only the last is tried again.
    const auto show = [&](const std::string& text, bool is_last) -> runtime::Task<Shown> {
        auto content = notice(text);
        content[kLabelKey] = core_.labels->generated((*run)->call_id().value, (*run)->latest().model, text);
        if (!is_last) content[kUnfinishedKey] = true;
        const bool is_edit = !stored.answer_event_id.empty();
        const auto& id = stored.answer_event_id;
        auto sent = is_last ? co_await messages_.send(question, stored.call_id, id, std::move(content))
                            : co_await messages_.try_send(question, stored.call_id, id, std::move(content));
        last = steady_clock::now();
        if (!sent) co_return may_pass(sent.error()) ? Shown::later : Shown::never;
        if (is_edit) {
            ++edits;
        } else {
            stored.answer_event_id = *sent;
            std::ignore = co_await messages_.try_note(question.event_id, AnswerState::begun, *sent);
        }
        // A refusal may stand there that was sent before a crash, under the same transaction.
        const bool stands = is_edit || co_await messages_.says(question.room, *sent, text);
        shown = stands ? text : std::string();
        is_last_shown = stands && is_last;
        co_return Shown::now;
    };
    while (!(*run)->has_ended()) {
        words.feed(restorer.feed(co_await (*run)->next_text(250ms)));
        typing.renew();
        if (stopping_) co_return;
        if (rooms_known_ && !rooms_.contains(question.room)) {  // put out of the room: the call is given up
            co_await messages_.note(question.room, question.event_id, AnswerState::done,
                                    stored.answer_event_id);
            co_return;
        }
        if (words.text() == shown || edits >= kEditsLimit - 1) continue;
        if (steady_clock::now() - last < pause_before_edit(edits)) continue;
        if (co_await show(words.text(), false) == Shown::never) {
            co_await messages_.note(question.room, question.event_id, AnswerState::done,
                                    stored.answer_event_id);
            co_return;  // put out of the room: the call is given up
        }
    }
    if (stopping_) co_return;
    words.feed(restorer.finish());
    const auto& end = (*run)->end();
    if (end.is_retracted) {
        co_await messages_.take_back(question, stored);
        co_return;
    }
    if (words.text().empty() && end.is_cut && !end.refusal) {
        co_await messages_.state(question, stored, nothing_said(question.chinese));
        co_return;
    }
    if (words.text().empty()) {
        co_await messages_.state(
            question, stored,
            sorry(end.refusal ? *end.refusal : model_unavailable("The answer is empty."), question.chinese));
        co_return;
    }
    std::string whole = words.text();
    if (end.refusal) {
        whole += broke_off(question.chinese);
    } else if (end.is_cut) {
        whole += cut_short(question.chinese);
    }
    auto outcome = Shown::now;
    while (outcome == Shown::now && !is_last_shown) {
        const auto since = steady_clock::now() - last;
        if (!stored.answer_event_id.empty() && since < AnswerMessages::kBetweenEdits)
            co_await runtime::sleep_for(AnswerMessages::kBetweenEdits - since);
        outcome = co_await show(whole, true);
    }
    // What was given up stays open: the next start says that the answer was not finished.
    if (outcome != Shown::later)
        co_await messages_.note(question.room, question.event_id, AnswerState::done, stored.answer_event_id);
}

}  // namespace assistant
