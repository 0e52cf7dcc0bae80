#include "answer_store.h"

#include <base/crypto.h>
#include <base/encoding.h>

namespace assistant {
namespace {

StoredAnswer read(const storage::Statement& row) {
    return {.question_event_id = std::string(row.text(0)),
            .room_id = std::string(row.text(1)),
            .asker = identity::UserNumber{row.integer(2)},
            .state = static_cast<AnswerState>(row.integer(3)),
            .call_id = egress::CallId(row.text(4)),
            .answer_event_id = std::string(row.text(5)),
            .asked_at_ms = row.integer(6)};
}

}  // namespace

egress::CallId call_id_for(std::string_view question_event_id) {
    constexpr std::size_t kCharacters = 22;  // 132 bits
    return egress::CallId("a" +
                          base::base64url_encode(base::sha256(question_event_id)).substr(0, kCharacters));
}

std::optional<StoredAnswer> find_answer(storage::Transaction& tx, std::string_view question_event_id) {
    auto select = tx.prepare(
        "SELECT question_event_id, room_id, asker_number, state, call_id, answer_event_id, asked_at_ms "
        "FROM assistant_answer WHERE question_event_id = ?1");
    select.bind(question_event_id);
    if (!select.step()) return std::nullopt;
    return read(select);
}

std::optional<StoredAnswer> find_answer_by_its_event(storage::Transaction& tx,
                                                     std::string_view answer_event_id) {
    auto select = tx.prepare(
        "SELECT question_event_id, room_id, asker_number, state, call_id, answer_event_id, asked_at_ms "
        "FROM assistant_answer WHERE answer_event_id = ?1 AND answer_event_id <> ''");
    select.bind(answer_event_id);
    if (!select.step()) return std::nullopt;
    return read(select);
}

StoredAnswer claim_question(storage::Transaction& tx, const StoredAnswer& fresh) {
    if (auto known = find_answer(tx, fresh.question_event_id)) return *known;
    tx.prepare(
          "INSERT INTO assistant_answer (question_event_id, room_id, asker_number, state, call_id, "
          "answer_event_id, asked_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
        .bind(fresh.question_event_id, fresh.room_id, fresh.asker, static_cast<int>(fresh.state),
              fresh.call_id, fresh.answer_event_id, fresh.asked_at_ms)
        .run();
    return fresh;
}

void set_answer(storage::Transaction& tx, std::string_view question_event_id, AnswerState state,
                std::string_view answer_event_id) {
    tx.prepare("UPDATE assistant_answer SET state = ?2, answer_event_id = ?3 WHERE question_event_id = ?1")
        .bind(question_event_id, static_cast<int>(state), answer_event_id)
        .run();
}

std::vector<StoredAnswer> open_answers(storage::Transaction& tx, std::size_t limit) {
    auto select = tx.prepare(
        "SELECT question_event_id, room_id, asker_number, state, call_id, answer_event_id, asked_at_ms "
        "FROM assistant_answer WHERE state = 1 ORDER BY asked_at_ms LIMIT ?1");
    select.bind(static_cast<std::int64_t>(limit));
    std::vector<StoredAnswer> open;
    while (select.step()) open.push_back(read(select));
    return open;
}

std::vector<StoredAnswer> answers_to(storage::Transaction& tx, std::string_view room_id,
                                     identity::UserNumber asker, std::size_t limit) {
    auto select = tx.prepare(
        "SELECT question_event_id, room_id, asker_number, state, call_id, answer_event_id, asked_at_ms "
        "FROM assistant_answer WHERE room_id = ?1 AND asker_number = ?2 AND state = 2 "
        "ORDER BY asked_at_ms DESC LIMIT ?3");
    select.bind(room_id, asker, static_cast<std::int64_t>(limit));
    std::vector<StoredAnswer> answers;
    while (select.step()) answers.push_back(read(select));
    return answers;
}

bool was_said(storage::Transaction& tx, std::string_view room_id, SaidOnce what) {
    auto select = tx.prepare("SELECT 1 FROM assistant_said WHERE room_id = ?1 AND what = ?2");
    select.bind(room_id, static_cast<int>(what));
    return select.step();
}

void set_said(storage::Transaction& tx, std::string_view room_id, SaidOnce what) {
    tx.prepare("INSERT INTO assistant_said (room_id, what) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
        .bind(room_id, static_cast<int>(what))
        .run();
}

}  // namespace assistant
