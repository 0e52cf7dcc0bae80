#include "erasure.h"

#include "assist_fixture.h"
#include "budget.h"

#include <identity/identity.h>
#include <storage/test_database.h>

namespace assistant::test {
namespace {

const identity::UserNumber kAlice{1};
const identity::UserNumber kBob{2};

std::int64_t count(storage::Transaction& tx, std::string_view query) {
    auto select = tx.prepare(query);
    return select.step() ? select.integer(0) : 0;
}

/// Calls of somebody's that have ended, with words of both in each.
void keep_calls(storage::Transaction& tx, identity::UserNumber user, int calls) {
    for (int i = 0; i < calls; ++i) {
        tx.prepare(
              "INSERT INTO model_call (call_id, user_number, room_id, purpose, state, day, hold_tokens, "
              "reserved_at_ms, told_at_ms, provider_name, model, on_this_machine, outbound_sha256, "
              "outbound_bytes, output_limit_tokens, currency) VALUES (?1, ?2, '', 2, 3, 1, 0, 1, 1, 'P', "
              "'m', "
              "0, '', 1, 1, '')")
            .bind(std::to_string(user.value) + "-" + std::to_string(i), user)
            .run();
        const auto call = tx.last_insert_rowid();
        for (const auto whose : {kAlice, kBob}) {
            tx.prepare("INSERT INTO model_call_words (call_number, user_number) VALUES (?1, ?2)")
                .bind(call, whose)
                .run();
        }
    }
}

struct Erasure : testing::Test {
    storage::TestDatabase database{{identity::migrations(), assistant::migrations()}};
    storage::Transaction& tx = database.begin();

    std::int64_t rows() {
        return count(tx,
                     "SELECT (SELECT count(*) FROM model_call) + (SELECT count(*) FROM model_call_words) + "
                     "(SELECT count(*) FROM spent_tokens) + (SELECT count(*) FROM assistant_answer) + "
                     "(SELECT count(*) FROM asked_by_itself)");
    }
    void keep(const char* statement, identity::UserNumber user, int times) {
        for (int i = 0; i < times; ++i) tx.prepare(statement).bind(user, i).run();
    }
};

TEST_F(Erasure, finds_what_is_one_persons_without_looking_at_everybodys) {
    std::vector<std::string> texts;
    for (const auto text : erasure_texts()) texts.push_back("EXPLAIN QUERY PLAN " + std::string(text));
    // Those that settle what is still open first.
    texts.emplace_back(
        "EXPLAIN QUERY PLAN SELECT call_id, state FROM model_call WHERE state <= 2 AND user_number = ?1");
    for (const auto& text : texts) {
        auto plan = tx.prepare(text);
        int steps = 0;
        while (plan.step()) {
            ++steps;
            EXPECT_FALSE(plan.text(3).starts_with("SCAN")) << text << ": " << plan.text(3);
            EXPECT_EQ(plan.text(3).find("TEMP B-TREE"), std::string_view::npos)
                << text << ": " << plan.text(3);
        }
        EXPECT_GT(steps, 0) << text;
    }
    auto open = tx.prepare(texts.back());
    ASSERT_TRUE(open.step());
    EXPECT_NE(open.text(3).find("model_call_open"), std::string_view::npos)
        << "not all of the person's calls: " << open.text(3);
}

TEST_F(Erasure, of_receipts_takes_no_more_rows_a_job_than_it_may_and_all_in_the_end) {
    keep_calls(tx, kAlice, 10);
    keep_calls(tx, kBob, 2);
    const auto newest = count(tx, "SELECT max(call_number) FROM model_call WHERE user_number = 1");
    std::int64_t receipts = 0;
    int jobs = 0;
    for (bool is_all = false; !is_all; ++jobs) {
        const auto before = rows();
        const auto erased = erase_receipts(tx, kAlice, newest, 4);
        EXPECT_EQ(rows(), before - erased.rows);
        EXPECT_LE(erased.rows, 4);
        EXPECT_EQ(count(tx,
                        "SELECT count(*) FROM model_call_words WHERE call_number NOT IN "
                        "(SELECT call_number FROM model_call)"),
                  0);
        receipts += erased.receipts;
        is_all = erased.is_all;
    }
    EXPECT_EQ(receipts, 10);
    EXPECT_GE(jobs, 30 / 4);
    EXPECT_EQ(rows(), 2 * 3) << "another's stay";
}

TEST_F(Erasure, of_a_person_takes_no_more_rows_a_job_than_it_may_and_all_in_the_end) {
    keep_calls(tx, kAlice, 6);
    keep_calls(tx, kBob, 6);
    keep("INSERT INTO spent_tokens (user_number, day, tokens) VALUES (?1, ?2, 1)", kAlice, 9);
    keep(
        "INSERT INTO assistant_answer (asker_number, question_event_id, room_id, state, call_id, "
        "answer_event_id, asked_at_ms) VALUES (?1, ?2, '', 2, '', '', 1)",
        kAlice, 9);
    keep("INSERT INTO asked_by_itself (user_number, room_id, position) VALUES (?1, ?2, 1)", kAlice, 9);
    for (bool is_all = false; !is_all;) {
        const auto before = rows();
        const auto erased = erase_person(tx, kAlice, 1, 4);
        EXPECT_EQ(rows(), before - erased.rows);
        EXPECT_LE(erased.rows, 4);
        is_all = erased.is_all;
    }
    EXPECT_EQ(rows(), 6 * 2) << "another's receipts, without the note of the person's words";
}

struct ErasedOverHttp : AssistTest {
    void keep_many(const Person& person, int calls) {
        const auto kept = world.write([&](storage::Transaction& tx) -> base::Result<void> {
            keep_calls(tx, person.user, calls);
            return {};
        });
        ASSERT_TRUE(kept);
    }
};

TEST_F(ErasedOverHttp, receipts_are_all_gone_when_the_answer_comes) {
    keep_many(alice, 700);
    const auto jobs = world.database->statistics().jobs;
    const auto erased = world.call(alice, net::Method::del, kReceipts);
    EXPECT_EQ(erased.body.at("erased").as_int64(), 700);
    EXPECT_GE(world.database->statistics().jobs - jobs, 700 * 3 / static_cast<unsigned>(kErasedAtOnce));
    EXPECT_TRUE(world.get(alice, kReceipts).body.at("receipts").as_array().empty());
}

TEST_F(ErasedOverHttp, an_erasure_that_a_crash_cut_short_is_done_by_who_begins_anew) {
    keep_many(bob, 700);
    const auto begun = world.write(
        [&](storage::Transaction& tx) -> base::Result<bool> { return erase_person(tx, bob.user, 1).is_all; });
    ASSERT_FALSE(*begun);
    world.restart();
    ASSERT_TRUE(world.await(world.assistant->erase_user(bob.user)));
    EXPECT_EQ(rows_of(bob), 0);
}

}  // namespace
}  // namespace assistant::test
