#include "converse.h"

#include "endpoints.h"
#include "inert_text.h"
#include "missed.h"
#include "statements.h"
#include "typing_notice.h"

#include <algorithm>

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
constexpr std::size_t kDeclinedLimit = 1024;
constexpr std::size_t kDeclinedAtOnce = 64;
constexpr std::size_t kRoomsLimit = 100'000;
constexpr std::size_t kResumedLimit = 200;
/// Of all rooms, at the start; some rooms a job, so that none reads long.
constexpr std::size_t kMissedEvents = 50'000;
constexpr std::size_t kMissedRoomsAtOnce = 100;
constexpr std::size_t kRoomsLookedAt = 2000;

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

Converse::Converse(Assistant::Core& core) : core_(core), messages_(core), queued_(core.runtime) {}

void Converse::start() {
    core_.chat.news().subscribe([this](const chat::RoomNews& news) { on_news(news); });
    for (std::size_t i = 0; i < kWorkers; ++i) core_.tasks.spawn(work());
    core_.tasks.spawn(sift());
    core_.tasks.spawn(decline_all());
    core_.tasks.spawn(catch_up());
}

void Converse::stop() {
    stopping_ = true;
    heard_.clear();
    queue_.clear();
    declined_.clear();
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
        if (news.membership == chat::Membership::invite) enqueue(Invited{news.room});
        return;
    }
    if (news.sender == self || (rooms_known_ && !rooms_.contains(news.room))) return;
    if (news.type == "m.room.message") hear({news.room, news.position, news.sender});
    const bool is_unreadable = news.type == "m.room.encrypted" || news.type == "m.room.encryption";
    if (is_unreadable && !unreadable_.contains(news.room) && enqueue(Unreadable{news.room}))
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
        return;
    }
    heard_.push_back(heard);
    queued_.notify();
}

bool Converse::enqueue(Work work) {
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
        if (const auto* asked = std::get_if<Asked>(&work)) decline(*asked);
        return false;
    }
    queue_.push_back(std::move(work));
    queued_.notify();
    return true;
}

runtime::Task<void> Converse::sift() {
    while (!stopping_) {
        if (heard_.empty()) {
            co_await queued_.wait(60s);
            continue;
        }
        try {
            co_await sift_some();
        } catch (const std::exception& fault) {
            if (stopping_) throw;
            base::log_error("assistant.converse_fault", {{"what", fault.what()}});
        }
    }
}

/// What is for it is read once more when its turn comes: an answer before it belongs to the conversation.
runtime::Task<void> Converse::sift_some() {
    const auto end = heard_.begin() + static_cast<std::ptrdiff_t>(std::min(heard_.size(), kSiftedAtOnce));
    std::vector<Heard> some(heard_.begin(), end);
    heard_.erase(heard_.begin(), end);
    auto asked = co_await core_.database.read(
        [some = std::move(some), self = AssistantIdentity{core_.assistant_user, core_.assistant_user_id}](
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
    while (!stopping_) {
        auto work = take();
        if (!work) {
            co_await queued_.wait(60s);
            continue;
        }
        struct Busy {
            Converse& self;
            chat::RoomNumber room;
            ~Busy() {
                self.busy_.erase(room);
                self.queued_.notify();
            }
        };
        busy_.insert(room_of(*work));
        const Busy busy{*this, room_of(*work)};
        try {
            co_await handle(std::move(*work));
        } catch (const std::exception& fault) {
            if (stopping_) throw;
            // One message's fault must not end the worker.
            base::log_error("assistant.converse_fault", {{"what", fault.what()}});
        }
    }
}

runtime::Task<void> Converse::catch_up() {
    struct Found {
        std::vector<chat::RoomNumber> rooms;
        std::vector<Work> work;
    };
    // The account may have been made a moment ago.
    if (!core_.assistant_user) {
        rooms_known_ = true;
        co_return;
    }
    auto missed = co_await core_.database.read(
        [self = core_.assistant_user](storage::Transaction& tx) -> base::Result<Found> {
            Found found;
            for (const auto& answer : open_answers(tx, kResumedLimit)) {
                if (const auto room = chat::RoomReading::open(tx, answer.room_id, self))
                    found.work.emplace_back(Resumed{room->number(), answer.question_event_id});
            }
            for (const auto room : chat::rooms_with(tx, self, chat::Membership::invite, kRoomsLookedAt))
                found.work.emplace_back(Invited{room});
            found.rooms = chat::rooms_with(tx, self, chat::Membership::join, kRoomsLimit);
            return found;
        });
    if (!missed) {
        base::log_error("assistant.catch_up_failed", {{"code", missed.error().code}});
        co_return;  // every room is looked at then
    }
    rooms_.insert(missed->rooms.begin(), missed->rooms.end());
    rooms_known_ = true;
    for (Work& work : missed->work) enqueue(std::move(work));
    missed->rooms.resize(std::min(missed->rooms.size(), kRoomsLookedAt));
    co_await look_for_missed(std::move(missed->rooms));
}

runtime::Task<void> Converse::look_for_missed(std::vector<chat::RoomNumber> rooms) {
    std::size_t events = 0;
    std::size_t questions = 0;
    for (std::size_t first = 0; first < rooms.size() && events < kMissedEvents && !stopping_;
         first += kMissedRoomsAtOnce) {
        const auto begin = rooms.begin() + static_cast<std::ptrdiff_t>(first);
        const auto count = std::min(kMissedRoomsAtOnce, rooms.size() - first);
        auto walked = co_await core_.database.read(
            [some = std::vector(begin, begin + static_cast<std::ptrdiff_t>(count)),
             self = AssistantIdentity{core_.assistant_user, core_.assistant_user_id},
             now_ms = core_.clock.now_ms(),
             left = kMissedEvents - events](storage::Transaction& tx) -> base::Result<Missed> {
                Missed missed;
                for (const auto room : some) add_missed(tx, room, self, now_ms, left, missed);
                return missed;
            });
        if (!walked) {
            base::log_error("assistant.catch_up_failed", {{"code", walked.error().code}});
            co_return;
        }
        events += walked->events;
        for (const auto& [room, position, sender] : walked->questions) {
            if (++questions > kResumedLimit) co_return;
            enqueue(Asked{room, position, sender});
        }
    }
}

runtime::Task<void> Converse::handle(Work work) {
    if (const auto* invited = std::get_if<Invited>(&work)) {
        co_await join(invited->room);
        co_return;
    }
    if (const auto* unreadable = std::get_if<Unreadable>(&work)) {
        auto room_id =
            co_await core_.database.read([room = unreadable->room, self = core_.assistant_user](
                                             storage::Transaction& tx) -> base::Result<std::string> {
                const auto reading = chat::RoomReading::open(tx, room, self);
                const bool is_there = reading && reading->membership() == chat::Membership::join;
                return is_there ? reading->room_id() : std::string{};
            });
        if (room_id && !room_id->empty()) co_await say_that_it_cannot_read(std::move(*room_id));
        co_return;
    }
    std::optional<Question> question;
    if (const auto* asked = std::get_if<Asked>(&work))
        question = co_await read(asked->room, asked->position, {});
    if (const auto* resumed = std::get_if<Resumed>(&work)) {
        question = co_await read(resumed->room, std::nullopt, resumed->event_id);
        // Withdrawn, or the assistant is no longer there: nothing is owed.
        if (!question) co_await messages_.note(resumed->event_id, AnswerState::done, {});
    }
    if (question) co_await answer(std::move(*question));
}

runtime::Task<void> Converse::join(chat::RoomNumber room) {
    struct Place {
        std::string room_id;
        bool is_encrypted = false;
    };
    auto place = co_await core_.database.read(
        [room, self = core_.assistant_user](storage::Transaction& tx) -> base::Result<Place> {
            const auto reading = chat::RoomReading::open(tx, room, self);
            if (!reading || reading->membership() != chat::Membership::invite) return Place{};
            return Place{reading->room_id(), reading->state("m.room.encryption").has_value()};
        });
    if (!place || place->room_id.empty()) co_return;
    if (auto joined = co_await core_.chat.join(core_.assistant_user, place->room_id); !joined) {
        base::log_warning("assistant.cannot_join", {{"code", joined.error().code}});
        co_return;
    }
    rooms_.insert(room);
    const auto first = co_await core_.database.write(
        {"room:" + place->room_id},
        [room_id = place->room_id](storage::Transaction& tx) -> base::Result<bool> {
            return say_once(tx, room_id, SaidOnce::greeting);
        });
    if (first && *first) {
        chat::Chat::Outgoing hello{.sender = core_.assistant_user,
                                   .room_id = place->room_id,
                                   .type = "m.room.message",
                                   .content = notice(greeting(kExchangesBefore)),
                                   .txn_id = "greeting"};
        if (auto sent = co_await core_.chat.send(std::move(hello)); !sent)
            base::log_warning("assistant.cannot_send", {{"code", sent.error().code}});
    }
    if (place->is_encrypted) co_await say_that_it_cannot_read(place->room_id);
}

runtime::Task<void> Converse::say_that_it_cannot_read(std::string room_id) {
    const auto first = co_await core_.database.write(
        {"room:" + room_id}, [room_id](storage::Transaction& tx) -> base::Result<bool> {
            return say_once(tx, room_id, SaidOnce::cannot_read);
        });
    if (!first || !*first) co_return;
    chat::Chat::Outgoing words{.sender = core_.assistant_user,
                               .room_id = room_id,
                               .type = "m.room.message",
                               .content = notice(cannot_read()),
                               .txn_id = "cannot_read"};
    if (auto sent = co_await core_.chat.send(std::move(words)); !sent)
        base::log_warning("assistant.cannot_send", {{"code", sent.error().code}});
}

runtime::Task<std::optional<Question>> Converse::read(chat::RoomNumber room,
                                                      std::optional<chat::Position> position,
                                                      std::string event_id) {
    auto question = co_await core_.database.read(
        [room, position, event_id = std::move(event_id),
         self = AssistantIdentity{core_.assistant_user, core_.assistant_user_id}](
            storage::Transaction& tx) -> base::Result<std::optional<Question>> {
            auto reading = chat::RoomReading::open(tx, room, self.user);
            if (!reading) return std::optional<Question>{};
            const auto event = position ? reading->event(*position) : reading->event(event_id);
            if (!event) return std::optional<Question>{};
            return read_question(tx, *reading, *event, self);
        });
    if (!question) {
        base::log_warning("assistant.cannot_read", {{"code", question.error().code}});
        co_return std::nullopt;
    }
    co_return std::move(*question);
}

void Converse::decline(Asked asked) {
    if (declined_.size() >= kDeclinedLimit) return;
    declined_.push_back(asked);
    queued_.notify();
}

runtime::Task<void> Converse::decline_all() {
    while (!stopping_) {
        if (declined_.empty()) {
            co_await queued_.wait(60s);
            continue;
        }
        try {
            co_await decline_some();
        } catch (const std::exception& fault) {
            if (stopping_) throw;
            base::log_error("assistant.converse_fault", {{"what", fault.what()}});
        }
        // What comes meanwhile is counted in one edit.
        if (!stopping_) co_await runtime::sleep_for(AnswerMessages::kBetweenEdits);
    }
}

/// Those of one person in one room. They are noted as done, so that no restart takes them on after all; the
/// last when its asker has been told.
runtime::Task<void> Converse::decline_some() {
    const Asked first = declined_.front();
    std::vector<chat::Position> positions;
    std::erase_if(declined_, [&](const Asked& other) {
        const bool is_theirs = other.room == first.room && other.sender == first.sender;
        if (!is_theirs || positions.size() >= kDeclinedAtOnce) return false;
        positions.push_back(other.position);
        return true;
    });
    auto claimed = co_await core_.database.write(
        {kBudgetOrder},
        [first, positions = std::move(positions),
         self = AssistantIdentity{core_.assistant_user, core_.assistant_user_id}](
            storage::Transaction& tx) -> base::Result<std::vector<StoredAnswer>> {
            std::vector<StoredAnswer> taken;
            auto reading = chat::RoomReading::open(tx, first.room, self.user);
            if (!reading || !identity::is_active(tx, first.sender)) return taken;
            for (const auto position : positions) {
                const auto event = reading->event(position);
                if (!event || !is_question(*reading, *event, self) || find_answer(tx, event->id.value))
                    continue;
                taken.push_back(claim_question(tx, {.question_event_id = event->id.value,
                                                    .room_id = reading->room_id(),
                                                    .asker = first.sender,
                                                    .state = AnswerState::begun,
                                                    .call_id = call_id_for(event->id.value),
                                                    .answer_event_id = {},
                                                    .asked_at_ms = event->origin_server_ts}));
            }
            for (std::size_t i = 0; i + 1 < taken.size(); ++i)
                set_answer(tx, taken[i].question_event_id, AnswerState::done, {});
            return taken;
        });
    if (!claimed) base::log_warning("assistant.cannot_read", {{"code", claimed.error().code}});
    if (!claimed || claimed->empty()) co_return;
    const StoredAnswer& last = claimed->back();
    const auto question = co_await read(first.room, std::nullopt, last.question_event_id);
    if (!question || question->is_encrypted_room) {
        co_await messages_.note(last.question_event_id, AnswerState::done, {});
        co_return;
    }
    co_await messages_.refuse(*question, last, question->refusal.value_or(too_many_questions()),
                              static_cast<std::int64_t>(claimed->size()));
}

runtime::Task<void> Converse::answer(Question question) {
    if (question.is_encrypted_room) {
        co_await say_that_it_cannot_read(question.room_id);
        co_return;
    }
    const StoredAnswer fresh{.question_event_id = question.event_id,
                             .room_id = question.room_id,
                             .asker = question.asker,
                             .state = AnswerState::begun,
                             .call_id = call_id_for(question.event_id),
                             .answer_event_id = {},
                             .asked_at_ms = question.asked_at_ms};
    auto stored = co_await core_.database.write(
        {kBudgetOrder}, [fresh](storage::Transaction& tx) -> base::Result<StoredAnswer> {
            if (!identity::is_active(tx, fresh.asker)) return base::fail(account_gone().error);
            return claim_question(tx, fresh);
        });
    if (!stored || stored->state == AnswerState::done) co_return;
    core_.runtime.metrics().counter("assistant_questions_total", "Messages that @assistant took on.").add();
    if (question.refusal) {
        core_.count_refusal(*question.refusal);
        co_await messages_.refuse(question, *stored, *question.refusal);
        co_return;
    }
    co_await ask_model(std::move(question), std::move(*stored));
}

runtime::Task<Answered<RunReader>> Converse::begin_call(Question& question, const StoredAnswer& stored) {
    for (int reads = 1;; ++reads) {
        auto run = core_.runs.start(wish_of(core_, question, stored));
        if (!run) co_return refuse(std::move(run.error()));
        auto went = co_await (*run)->prepared(kAnswerTime);
        if (went) co_return std::move(*run);
        if (went.error().error.code != kWordsChanged || reads >= kReadsLimit || stopping_)
            co_return refuse(std::move(went.error()));
        auto changed = co_await read(question.room, std::nullopt, question.event_id);
        if (!changed || changed->refusal) co_return refuse(std::move(went.error()));
        question = std::move(*changed);
    }
}

runtime::Task<void> Converse::ask_model(Question question, StoredAnswer stored) {
    TypingNotice typing(core_.tell_typing, question.room, core_.assistant_user, core_.assistant_user_id);
    auto run = co_await begin_call(question, stored);
    if (stopping_) co_return;  // the next start says that it was interrupted
    if (!run) {
        const Refusal& refusal = run.error();
        core_.count_refusal(refusal);
        // The call was made before a restart, and nobody knows how it ended: it is not made again.
        if (refusal.error.code == "assistant.repeated_call") {
            co_await messages_.state(question, stored, interrupted(question.chinese));
        } else if (is_nothing_owed(refusal)) {
            co_await messages_.note(question.event_id, AnswerState::done, stored.answer_event_id);
        } else {
            co_await messages_.refuse(question, stored, refusal);
        }
        co_return;
    }

    Names::Restorer restorer(question.names);
    InertText words(kAnswerLimitBytes);
    std::string shown;
    int edits = 0;
    auto last = steady_clock::now();
    const auto show = [&](const std::string& text) -> runtime::Task<bool> {
        auto content = notice(text);
        content[kLabelKey] = core_.labels->generated((*run)->call_id().value, (*run)->latest().model, text);
        const bool is_edit = !stored.answer_event_id.empty();
        auto sent =
            co_await messages_.send(question, stored.call_id, stored.answer_event_id, std::move(content));
        if (!sent) co_return false;
        if (is_edit) {
            ++edits;
        } else {
            stored.answer_event_id = *sent;
            co_await messages_.note(question.event_id, AnswerState::begun, *sent);
        }
        // A refusal may stand there that was sent before a crash, under the same transaction.
        const bool stands = is_edit || co_await messages_.says(question.room, *sent, text);
        shown = stands ? text : std::string();
        last = steady_clock::now();
        co_return true;
    };
    while (!(*run)->has_ended()) {
        words.feed(restorer.feed(co_await (*run)->next_text(250ms)));
        typing.renew();
        if (stopping_) co_return;
        if (rooms_known_ && !rooms_.contains(question.room)) {  // put out of the room: the call is given up
            co_await messages_.note(question.event_id, AnswerState::done, stored.answer_event_id);
            co_return;
        }
        if (words.text() == shown || edits >= kEditsLimit - 1) continue;
        if (steady_clock::now() - last < pause_before_edit(edits)) continue;
        if (!co_await show(words.text())) {
            co_await messages_.note(question.event_id, AnswerState::done, stored.answer_event_id);
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
    bool may_send = true;
    while (may_send && whole != shown) {
        const auto since = steady_clock::now() - last;
        if (!stored.answer_event_id.empty() && since < AnswerMessages::kBetweenEdits)
            co_await runtime::sleep_for(AnswerMessages::kBetweenEdits - since);
        may_send = co_await show(whole);
    }
    co_await messages_.note(question.event_id, AnswerState::done, stored.answer_event_id);
}

}  // namespace assistant
