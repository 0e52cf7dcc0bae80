#include "sync/answer_desk.h"

#include "test_house.h"

namespace chat {
namespace {

runtime::Task<void> ask(AnswerDesk& desk, std::vector<std::string>& codes) {
    auto query = std::make_shared<SyncQuery>();
    query->rooms.emplace();  // small, so that what waits is read together
    query->since.emplace();
    query->filter = std::make_shared<const SyncFilter>();
    const auto answer = co_await desk.answer(std::move(query));
    codes.push_back(answer ? "" : answer.error().code);
}

TEST(AnswerDesk, answers_all_who_wait_though_a_read_ends_with_an_exception) {
    TestHouse house;
    std::vector<std::string> codes;
    constexpr std::size_t kAsking = AnswerDesk::kReadsAtOnce + 8;
    house.run([&](TestHouse& h) -> runtime::Task<void> {
        runtime::TaskGroup reads(h.runtime, "reads");
        runtime::TaskGroup asking(h.runtime, "asking");
        AnswerDesk desk(h.runtime, reads, *h.database);
        // All reads fail, so that those who were read together are read alone; which a cancelled task cannot.
        h.database->close();
        for (std::size_t i = 0; i < kAsking; ++i) asking.spawn(ask(desk, codes));
        while (codes.empty()) co_await runtime::sleep_for(std::chrono::milliseconds(0));
        co_await reads.stop();
        EXPECT_TRUE(co_await asking.wait(std::chrono::seconds(10)));
    });
    EXPECT_EQ(codes.size(), kAsking);
    EXPECT_TRUE(std::ranges::none_of(codes, &std::string::empty));
}

}  // namespace
}  // namespace chat
