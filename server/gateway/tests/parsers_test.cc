#include "completion_stream.h"
#include "provider_store.h"
#include "redaction.h"
#include "sse_parser.h"

#include <gtest/gtest.h>

namespace gateway {
namespace {

TEST(SseParser, bytes_may_be_cut_anywhere) {
    const std::string stream = ": keep-alive\r\n\r\ndata: 灵\r\ndata:犀\r\n\r\nevent: x\ndata: two\n\n";
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        SseParser parser;
        auto events = *parser.feed(std::string_view(stream).substr(0, cut));
        for (std::string& event : *parser.feed(std::string_view(stream).substr(cut)))
            events.push_back(std::move(event));
        EXPECT_EQ(events, (std::vector<std::string>{"灵\n犀", "two"})) << "cut at " << cut;
    }
}

TEST(SseParser, an_endless_line_is_refused) {
    SseParser parser(100);
    EXPECT_EQ(parser.feed("data: " + std::string(200, 'x')).error().code, "model.bad_answer");
}

TEST(CompletionStream, usage_may_stand_in_a_chunk_without_choices) {
    CompletionStream stream;
    EXPECT_EQ(
        *stream.feed("data: {\"choices\":[{\"delta\":{\"content\":\"你好\"},\"finish_reason\":null}]}\n\n"),
        "你好");
    EXPECT_EQ(*stream.feed("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"), "");
    EXPECT_EQ(*stream.feed(
                  "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}}\n\ndata: "
                  "[DONE]\n\n"),
              "");
    EXPECT_TRUE(stream.done());
    ASSERT_TRUE(stream.usage().has_value());
    EXPECT_EQ(stream.usage()->input_tokens, 7);
}

TEST(CompletionStream, a_missing_done_is_no_fault_but_a_cut_stream_is) {
    CompletionStream whole;
    (void)whole.feed("data: {\"choices\":[{\"delta\":{\"content\":\"ok\"},\"finish_reason\":\"stop\"}]}\n\n");
    EXPECT_TRUE(whole.finish().has_value());
    CompletionStream cut;
    (void)cut.feed("data: {\"choices\":[{\"delta\":{\"content\":\"o\"}}]}\n\n");
    EXPECT_EQ(cut.finish().error().code, "model.bad_answer");
    CompletionStream garbage;
    EXPECT_EQ(garbage.feed("data: <html>\n\n").error().code, "model.bad_answer");
    CompletionStream page;
    (void)page.feed("<html></html>");
    EXPECT_EQ(page.finish().error().code, "model.bad_answer");
}

TEST(CompletionStream, reasoning_is_counted_but_not_shown) {
    CompletionStream stream;
    EXPECT_EQ(*stream.feed("data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hmm\"}}]}\n\n"), "");
    EXPECT_TRUE(stream.started());
    EXPECT_EQ(stream.received_bytes(), 3);
}

TEST(Redaction, what_identifies_people_is_replaced_and_comes_back) {
    Redaction redaction;
    const std::string text =
        "打13812345678或写li.lei@example.com，卡号4111 1111 1111 1111，身份证11010519491231002X，key "
        "sk-abcdefghijklmnop1234";
    const std::string redacted = redaction.redact(text);
    EXPECT_EQ(redacted, "打[PHONE_1]或写[EMAIL_1]，卡号[CARD_1]，身份证[ID_1]，key [SECRET_1]");
    EXPECT_EQ(redaction.restore(redacted), text);
}

TEST(Redaction, ordinary_numbers_stay) {
    Redaction redaction;
    for (const std::string text : {"2026年11月23日 10:30", "2026-11-23 10:30", "05.11.2026 10:30",
                                   "05-11-2026 10.15", "1.234.567,89 €", "(1) 2 (3) 4", "v1.20.300.4000",
                                   "¥128.50", "room 4021", "第12345678页", "1 2 3 4 5 6 7"}) {
        EXPECT_EQ(redaction.redact(text), text);
    }
}

TEST(Redaction, numbers_are_known_however_they_are_grouped) {
    for (const std::string number :
         {"13812345678", "138 1234 5678", "138-1234-5678", "+86 138 1234 5678", "8613812345678",
          "010-62345678", "0755 1234 5678", "(010) 62345678", "415-555-2671", "(415) 555-2671",
          "415.555.2671", "+1 (415) 555-2671", "1-415-555-2671", "+44 20 7946 0958"}) {
        Redaction redaction;
        EXPECT_EQ(redaction.redact("call " + number + ", please"), "call [PHONE_1], please") << number;
    }
    for (const std::string number :
         {"4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "3782 822463 10005"}) {
        Redaction redaction;
        EXPECT_EQ(redaction.redact(number), "[CARD_1]") << number;
    }
}

TEST(Redaction, a_placeholder_cut_anywhere_is_restored) {
    Redaction redaction;
    const std::string redacted = redaction.redact("call 13812345678 [now]");
    for (std::size_t cut = 0; cut <= redacted.size(); ++cut) {
        Redaction::Restorer restorer(redaction);
        std::string out = restorer.feed(std::string_view(redacted).substr(0, cut));
        out += restorer.feed(std::string_view(redacted).substr(cut));
        out += restorer.finish();
        EXPECT_EQ(out, "call 13812345678 [now]") << "cut at " << cut;
    }
}

TEST(Redaction, the_same_original_has_one_placeholder) {
    Redaction redaction;
    EXPECT_EQ(redaction.redact("a@b.cc c@d.ee a@b.cc"), "[EMAIL_1] [EMAIL_2] [EMAIL_1]");
}

TEST(ProviderStore, addresses_are_checked) {
    EXPECT_TRUE(check_base_url("https://api.example.com/v1").has_value());
    EXPECT_TRUE(check_base_url("http://127.0.0.1:11434/v1").has_value());
    EXPECT_TRUE(check_base_url("http://192.168.1.5:8000/v1").has_value());
    EXPECT_FALSE(check_base_url("http://api.example.com/v1").has_value());
    EXPECT_FALSE(check_base_url("https://user:pass@example.com/v1").has_value());
    EXPECT_FALSE(check_base_url("file:///etc/passwd").has_value());
    EXPECT_FALSE(check_base_url("nonsense").has_value());
    EXPECT_TRUE(is_loopback_url("http://localhost:1234/v1"));
    EXPECT_TRUE(is_loopback_url("http://[::1]:1234/v1"));
    EXPECT_FALSE(is_loopback_url("http://localhost.example.com/v1"));
}

class ProviderFile : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/lingxi-gateway-XXXXXX";
        directory_ = ::mkdtemp(name);
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }
    static egress::Provider provider(std::string id, std::string url = "https://api.example.com/v1") {
        return {.id = std::move(id), .base_url = std::move(url), .model = "m"};
    }
    std::filesystem::path directory_;
};

TEST_F(ProviderFile, what_was_put_is_there_after_a_restart_and_the_file_is_private) {
    auto store = ProviderStore::open(directory_ / "gateway.toml", false);
    ASSERT_TRUE(store.has_value());
    ASSERT_TRUE(store->put(provider("one"), "key-1").has_value());
    ASSERT_TRUE(store->put(provider("two"), std::nullopt).has_value());
    ASSERT_TRUE(store->reorder({"two", "one"}).has_value());

    const auto again = ProviderStore::open(directory_ / "gateway.toml", false);
    ASSERT_TRUE(again.has_value());
    ASSERT_EQ(again->all().size(), 2U);
    EXPECT_EQ(again->all()[0].shown.id, "two");
    EXPECT_EQ(again->find("one")->api_key, "key-1");
    EXPECT_EQ(std::filesystem::status(directory_ / "gateway.toml").permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(ProviderFile, a_key_does_not_follow_to_another_address) {
    auto store = ProviderStore::open(directory_ / "gateway.toml", false);
    ASSERT_TRUE(store->put(provider("one"), "key-1").has_value());
    ASSERT_TRUE(store->put(provider("one", "https://elsewhere.example.com/v1"), std::nullopt).has_value());
    EXPECT_TRUE(store->find("one")->api_key.empty());
}

TEST_F(ProviderFile, a_read_only_file_is_never_written) {
    {
        auto store = ProviderStore::open(directory_ / "gateway.toml", false);
        ASSERT_TRUE(store->put(provider("one"), std::nullopt).has_value());
    }
    auto store = ProviderStore::open(directory_ / "gateway.toml", true);
    EXPECT_EQ(store->put(provider("two"), std::nullopt).error().code, "gateway.read_only");
    EXPECT_EQ(store->all().size(), 1U);
}

}  // namespace
}  // namespace gateway
