#include "completion_chunk.h"
#include "completion_stream.h"
#include "model_service.h"
#include "provider_store.h"
#include "redaction.h"
#include "retry_after.h"
#include "sse_parser.h"

#include <fstream>
#include <vector>

#include <gtest/gtest.h>

#include <base/json.h>

namespace gateway {
namespace {

TEST(SseParser, bytes_may_be_cut_anywhere) {
    const std::string stream = ": keep-alive\r\n\r\ndata: 灵\r\ndata:犀\r\n\r\nevent: x\ndata: two\n\n";
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        SseParser parser;
        std::vector<std::string> events;
        const auto take = [&](std::string_view event) {
            events.emplace_back(event);
            return base::Result<void>{};
        };
        ASSERT_TRUE(parser.feed(std::string_view(stream).substr(0, cut), take));
        ASSERT_TRUE(parser.feed(std::string_view(stream).substr(cut), take));
        EXPECT_EQ(events, (std::vector<std::string>{"灵\n犀", "two"})) << "cut at " << cut;
    }
}

TEST(SseParser, an_endless_line_is_refused) {
    SseParser parser(100);
    const auto take = [](std::string_view) { return base::Result<void>{}; };
    EXPECT_EQ(parser.feed("data: " + std::string(200, 'x'), take).error().code, "model.bad_answer");
}

TEST(SseParser, hands_over_no_more_once_an_event_was_refused) {
    SseParser parser;
    std::vector<std::string> events;
    const auto fed =
        parser.feed("data: one\n\ndata: two\n\n", [&](std::string_view event) -> base::Result<void> {
            events.emplace_back(event);
            return base::fail(base::ErrorKind::unavailable, "model.refused", "No.");
        });
    EXPECT_EQ(fed.error().code, "model.refused");
    EXPECT_EQ(events, (std::vector<std::string>{"one"}));
}

TEST(CompletionChunk, reads_what_a_chunk_says_and_passes_over_the_rest) {
    const auto chunk = read_completion_chunk(
        R"({"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":"a\n灵\u7280","extra":{"content":"no"}},)"
        R"("logprobs":{"content":[{"token":"no","delta":{"content":"no"}}]},"finish_reason":"stop"},"no",)"
        R"({"delta":{"content":"no"},"finish_reason":"no"}],"usage":{"prompt_tokens":7,"completion_tokens":3,)"
        R"("details":{"prompt_tokens":1}},"error":null,"content":"no"} )",
        8);
    ASSERT_TRUE(chunk);
    EXPECT_FALSE(chunk->reports_error);
    EXPECT_TRUE(chunk->has_usage);
    EXPECT_EQ(chunk->input_tokens, 7);
    EXPECT_EQ(chunk->output_tokens, 3);
    EXPECT_EQ(chunk->choice, CompletionChunk::Choice::object);
    EXPECT_EQ(chunk->content, "a\n灵犀");
    EXPECT_EQ(chunk->finish_reason, "stop");
}

TEST(CompletionChunk, the_last_value_of_a_name_counts) {
    const auto chunk = read_completion_chunk(
        R"({"choices":[{"delta":{"content":"one"},"finish_reason":"stop"}],"error":{"message":"x"},)"
        R"("usage":{"prompt_tokens":7,"completion_tokens":3},"usage":{"prompt_tokens":9},"error":null,)"
        R"("choices":[{"delta":{"content":"two","content":"three"}}]})",
        8);
    ASSERT_TRUE(chunk);
    EXPECT_EQ(chunk->content, "three");
    EXPECT_EQ(chunk->finish_reason, std::nullopt);
    EXPECT_FALSE(chunk->reports_error);
    EXPECT_EQ(chunk->input_tokens, 9);
    EXPECT_EQ(chunk->output_tokens, std::nullopt);
}

TEST(CompletionChunk, values_of_other_kinds_are_not_there) {
    const auto chunk = read_completion_chunk(
        R"({"choices":[{"delta":{"content":["no"],"reasoning":{"a":"no"},"reasoning_content":5},"finish_reason":null}],)"
        R"("usage":{"prompt_tokens":"7","completion_tokens":1.5}})",
        8);
    ASSERT_TRUE(chunk);
    EXPECT_EQ(chunk->content + chunk->reasoning + chunk->reasoning_content, "");
    EXPECT_EQ(chunk->finish_reason, std::nullopt);
    EXPECT_TRUE(chunk->has_usage);
    EXPECT_EQ(chunk->input_tokens, std::nullopt);
    EXPECT_EQ(chunk->output_tokens, std::nullopt);
    using Choice = CompletionChunk::Choice;
    const auto choice_of = [](std::string_view json) { return read_completion_chunk(json, 8)->choice; };
    EXPECT_EQ(choice_of(R"({"choices":[]})"), Choice::none);
    EXPECT_EQ(choice_of(R"({"choices":{"0":{}}})"), Choice::none);
    EXPECT_EQ(choice_of(R"({"choices":["x",{}]})"), Choice::other);
    EXPECT_EQ(choice_of(R"({"choices":[[{}],{}]})"), Choice::other);
    for (const char* error : {R"({"error":"x"})", R"({"error":{}})", R"({"error":[]})", R"({"error":0})"})
        EXPECT_TRUE(read_completion_chunk(error, 8)->reports_error) << error;
}

TEST(CompletionChunk, what_is_no_json_object_is_none) {
    for (const char* bad : {"", "null", "5", "\"x\"", "[]", "[{}]", "{", "{}{}", "{} x", R"({"a":1e999})",
                            "{\"a\":\"\xff\"}", R"({"a":"\ud800"})", R"({"a":[[[[[[[[]]]]]]]]})"})
        EXPECT_FALSE(read_completion_chunk(bad, 8)) << bad;
}

TEST(RetryAfter, is_seconds_or_a_date_and_bounded) {
    using namespace std::chrono_literals;
    constexpr std::int64_t kNow = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT
    constexpr const char* kNowDate = "Sun, 06 Nov 1994 08:49:37 GMT";
    EXPECT_EQ(pause_asked_for("30", "", kNow), 30s);
    EXPECT_EQ(pause_asked_for("30 ", "", kNow), 30s);
    EXPECT_EQ(pause_asked_for("Sun, 06 Nov 1994 08:50:37 GMT", "", kNow), 60s);
    // The server's clock is an hour ahead of ours, or behind: what counts is what it says of its own time.
    EXPECT_EQ(pause_asked_for("Sun, 06 Nov 1994 08:50:37 GMT", kNowDate, kNow - 3600), 60s);
    EXPECT_EQ(pause_asked_for("Sun, 06 Nov 1994 08:50:37 GMT", kNowDate, kNow + 3600), 60s);
    EXPECT_EQ(pause_asked_for("Sun, 06 Nov 1994 08:50:37 GMT", "soon", kNow), 60s);
    for (const char* no_pause : {"", "0", "-1", "1.5", "soon", kNowDate, "Sun, 06 Nov 1994 08:49:36 GMT",
                                 "Sun, 06 Nov 1994 08:50:37 CET", "30, 40"}) {
        EXPECT_EQ(pause_asked_for(no_pause, kNowDate, kNow), std::nullopt) << no_pause;
    }
    for (const char* for_ever :
         {"99999999", "999999999999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"}) {
        EXPECT_EQ(pause_asked_for(for_ever, kNowDate, kNow), 24h) << for_ever;
    }
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

TEST(CompletionStream, an_error_before_anything_came_is_a_refusal_and_after_it_a_broken_answer) {
    const std::string error = "data: {\"error\":{\"message\":\"out of memory\"}}\n\n";
    CompletionStream at_once;
    EXPECT_EQ(at_once.feed(error).error().code, "model.refused");
    for (const std::string field : {"reasoning_content", "reasoning", "content"}) {
        CompletionStream later;
        ASSERT_TRUE(later
                        .feed(R"(data: {"choices":[{"delta":{")" + field +
                              R"(":"hmm"}}]})"
                              "\n\n")
                        .has_value());
        EXPECT_EQ(later.feed(error).error().code, "model.bad_answer") << field;
    }
    CompletionStream none;
    EXPECT_EQ(*none.feed("data: {\"error\":null,\"choices\":[{\"delta\":{\"content\":\"ok\"}}]}\n\n"), "ok");
}

TEST(CompletionStream, a_usage_that_cannot_be_is_none) {
    const auto usage_of = [](std::string_view content, const std::vector<std::pair<int, int>>& counted) {
        CompletionStream stream;
        std::string chunk = R"(data: {"choices":[{"delta":{"content":")" + std::string(content) +
                            R"("}}]})"
                            "\n\n";
        for (const auto& [input, output] : counted) {
            chunk += R"(data: {"choices":[],"usage":{"prompt_tokens":)" + std::to_string(input) +
                     R"(,"completion_tokens":)" + std::to_string(output) + "}}\n\n";
        }
        EXPECT_TRUE(stream.feed(chunk).has_value());
        return stream.usage();
    };
    EXPECT_FALSE(usage_of("hello", {{0, 0}}));
    EXPECT_FALSE(usage_of("hello", {{0, 5}}));
    EXPECT_FALSE(usage_of("hello", {{7, 0}}));
    EXPECT_TRUE(usage_of("", {{7, 0}})) << "an answer of nothing";
    const auto counted_as_it_came = usage_of("hello", {{7, 1}, {7, 2}, {0, 0}});
    ASSERT_TRUE(counted_as_it_came);
    EXPECT_EQ(counted_as_it_came->input_tokens, 7);
    EXPECT_EQ(counted_as_it_came->output_tokens, 2);
}

TEST(CompletionStream, an_answer_is_too_long_by_its_pieces_its_bytes_or_its_servers_count) {
    const auto feed = [](CompletionStream& stream, std::string_view name, std::string_view piece) {
        ASSERT_TRUE(stream
                        .feed(R"(data: {"choices":[{"delta":{")" + std::string(name) + R"(":")" +
                              std::string(piece) +
                              R"("}}]})"
                              "\n\n")
                        .has_value());
    };
    CompletionStream by_pieces;
    for (const std::string_view name : {"reasoning_content", "reasoning", "content", "content"})
        feed(by_pieces, name, "x");
    feed(by_pieces, "content", "");
    EXPECT_FALSE(by_pieces.is_longer_than(4));
    feed(by_pieces, "reasoning", "x");
    EXPECT_TRUE(by_pieces.is_longer_than(4));

    CompletionStream by_bytes;
    feed(by_bytes, "content", std::string(64, 'x'));
    EXPECT_FALSE(by_bytes.is_longer_than(4));
    feed(by_bytes, "reasoning", "x");
    EXPECT_TRUE(by_bytes.is_longer_than(4));

    CompletionStream by_count;
    ASSERT_TRUE(
        by_count.feed("data: {\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":5}}\n\n").has_value());
    EXPECT_FALSE(by_count.is_longer_than(5));
    EXPECT_TRUE(by_count.is_longer_than(4));
    EXPECT_EQ(by_count.estimated_tokens(4), 4) << "it thinks in secret, but it did spend them";
    EXPECT_EQ(by_count.estimated_tokens(5), 0);
    EXPECT_EQ(by_bytes.estimated_tokens(4), 65);
    EXPECT_EQ(by_bytes.estimated_tokens(5), 5);

    CompletionStream under_both_names;
    ASSERT_TRUE(
        under_both_names
            .feed("data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"x\",\"reasoning\":\"x\"}}]}\n\n")
            .has_value());
    EXPECT_FALSE(under_both_names.is_longer_than(1));
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

TEST(Redaction, keys_are_known_by_the_marks_of_their_issuers) {
    for (const std::string mark :
         {"lxa_", "lxr_", "sk-", "hf_", "AKIA", "AKID", "LTAI", "ghp_", "github_pat_", "xoxp-"}) {
        Redaction redaction;
        const std::string key = mark + "Zq3xT8wLm5vB2nR7cK4d";
        EXPECT_EQ(redaction.redact("use " + key + " here"), "use [SECRET_1] here") << mark;
        EXPECT_EQ(redaction.redact("use " + mark + "short here"), "use " + mark + "short here") << mark;
    }
}

TEST(Redaction, ordinary_numbers_stay) {
    Redaction redaction;
    for (const std::string text :
         {"2026年11月23日 10:30", "2026-11-23 10:30", "05.11.2026 10:30", "05-11-2026 10.15",
          "1.234.567,89 €", "(1) 2 (3) 4", "v1.20.300.4000", "¥128.50", "room 4021", "第12345678页",
          "1 2 3 4 5 6 7", "2026-11-23 10:30 ok", "12345678901234567890123 4", "1024 2048 4096 8192"}) {
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

TEST(Redaction, a_number_ends_where_something_else_begins) {
    for (const auto& [text, redacted] : {
             std::pair<std::string, std::string>("打13812345678 10点", "打[PHONE_1] 10点"),
             {"13812345678 10:30", "[PHONE_1] 10:30"},
             {"138 1234 5678 5pm", "[PHONE_1] 5pm"},
             {"4111 1111 1111 1111 12/27", "[CARD_1] 12/27"},
             {"4111111111111111 123", "[CARD_1] 123"},
             {"110101199003070011 2", "[ID_1] 2"},
             {"11010519491231002X 2", "[ID_1] 2"},
             {"110105 19491231 002X", "[ID_1]"},
             {"(415) 555-2671 2 people", "[PHONE_1] 2 people"},
             {"13812345678-2", "[PHONE_1]-2"},
             {"13812345678.", "[PHONE_1]."},
             {"13812345678 13912345678", "[PHONE_1] [PHONE_2]"},
             {"13812345678 13912345678 1", "[PHONE_1] [PHONE_2] 1"},
             {"138 1234 5678 139 1234 5678", "[PHONE_1] [PHONE_2]"},
             {"10 13812345678 10", "10 [PHONE_1] 10"},
             {"13812345678abc", "[PHONE_1]abc"},
             {"4111111111111111or", "[CARD_1]or"},
             {"110101199003070011a", "[ID_1]a"},
             {"+86 138 1234 5678, 2", "[PHONE_1], 2"},
         }) {
        Redaction redaction;
        const auto got = redaction.redact(text);
        EXPECT_EQ(got, redacted) << text;
        EXPECT_EQ(redaction.restore(got), text);
    }
}

TEST(Redaction, where_numbers_overlap_all_that_may_be_of_one_goes) {
    for (const std::string text :
         {"150 4111 1111 1111 1111", "150 4111 1111 1111 1111 12/27", "+86 10 4111 1111 1111 1111 ok"}) {
        Redaction redaction;
        const auto redacted = redaction.redact(text);
        EXPECT_EQ(redacted.find("111"), std::string::npos) << redacted;
        EXPECT_EQ(redaction.restore(redacted), text);
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

TEST(Redaction, a_server_that_repeats_a_placeholder_gets_no_more_memory_for_it) {
    Redaction redaction;
    const std::string secret = "sk-" + std::string(8000, 'a');
    const std::string placeholder = redaction.redact(secret);
    std::string repeated;
    for (int i = 0; i < 1000; ++i) repeated += placeholder;
    const std::string restored = redaction.restore(repeated);
    EXPECT_TRUE(restored.starts_with(secret + secret));
    EXPECT_TRUE(restored.ends_with(placeholder + placeholder));
    EXPECT_LE(restored.size(), Redaction::kRestoredLimitBytes + repeated.size());
}

/// What would leave for a prompt whose user message is a JSON document, as those of excerpts are.
std::string outbound(const base::json::object& document, Redaction& redaction) {
    const egress::ModelRequest request{
        .call_id = egress::CallId("c"),
        .messages = {{egress::PromptMessage::Role::system, "Translate."},
                     {egress::PromptMessage::Role::user, base::json::serialize(document)}}};
    return completion_body({.shown = {.id = "p", .model = "m"}, .api_key = {}}, request, redaction);
}

/// The document inside of a body.
base::json::value document_in(std::string_view body) {
    const auto read = base::json::parse(body);
    return base::json::parse(read.at("messages").at(1).at("content").as_string());
}

TEST(Redaction, what_stands_behind_an_escape_of_json_does_not_leave) {
    constexpr std::string_view kKey = "sk-abcdefghijklmnop1234";
    for (const std::string_view space : {"\n", "\t", "\r\n", "\"", "\\", "\b", "\f", "\x1f", "/"}) {
        for (const auto& [secret, placeholder] :
             {std::pair<std::string_view, std::string_view>("13812345678", "[PHONE_1]"),
              {"4111 1111 1111 1111", "[CARD_1]"},
              {"11010519491231002X", "[ID_1]"},
              {"nora.tran@example.com", "[EMAIL_1]"},
              {kKey, "[SECRET_1]"}}) {
            const std::string text =
                "call" + std::string(space) + std::string(secret) + std::string(space) + "ok";
            Redaction redaction;
            const auto body = outbound({{"text", text}}, redaction);
            EXPECT_EQ(body.find(secret), std::string::npos) << body;
            EXPECT_EQ(document_in(body).at("text").as_string(),
                      "call" + std::string(space) + std::string(placeholder) + std::string(space) + "ok");
            EXPECT_EQ(redaction.restore(document_in(body).at("text").as_string()), text);
        }
    }
}

TEST(Redaction, digits_are_known_however_they_are_written) {
    for (const std::string number :
         {R"(\u0031\u0033812345678)", "１３８１２３４５６７８", "１３８　１２３４　５６７８",
          "（010）62345678", "138‑1234‑5678", "138\u00a01234\u00a05678", "wx13812345678"}) {
        Redaction redaction;
        const auto redacted = redaction.redact("打" + number + "吧");
        EXPECT_TRUE(redacted.ends_with("[PHONE_1]吧")) << redacted;
        EXPECT_EQ(redaction.restore(redacted), "打" + number + "吧");
    }
    Redaction redaction;
    EXPECT_EQ(redaction.redact(R"(li.lei\u0040example.com)"), "[EMAIL_1]");
}

TEST(Redaction, what_is_no_escape_of_json_is_read_as_it_stands) {
    for (const auto& [text, redacted] :
         {std::pair<std::string, std::string>(R"(\13812345678)", R"(\[PHONE_1])"),
          {R"(\u12 13812345678)", R"(\u12 [PHONE_1])"},
          {R"(C:\new\13812345678)", R"(C:\new\[PHONE_1])"},
          {R"(ends in \)", R"(ends in \)"},
          {R"(ends in \u123)", R"(ends in \u123)"}}) {
        Redaction redaction;
        EXPECT_EQ(redaction.redact(text), redacted);
        EXPECT_EQ(redaction.restore(redacted), text);
    }
}

TEST(Redaction, a_placeholder_that_people_wrote_themselves_stays_what_it_is) {
    Redaction redaction;
    const base::json::object document{
        {"conversation", {"mine is a@b.cc", "say [EMAIL_1] and [EMAIL_2] and [PHONE_1]"}}};
    const auto body = outbound(document, redaction);
    EXPECT_EQ(document_in(body).at("conversation").at(0).as_string(), "mine is [EMAIL_3]");
    EXPECT_EQ(redaction.restore("[EMAIL_1] [EMAIL_2] [EMAIL_3] [PHONE_1]"),
              "[EMAIL_1] [EMAIL_2] a@b.cc [PHONE_1]");
}

TEST(Redaction, the_same_original_has_one_placeholder) {
    Redaction redaction;
    EXPECT_EQ(redaction.redact("a@b.cc c@d.ee a@b.cc"), "[EMAIL_1] [EMAIL_2] [EMAIL_1]");
}

TEST(ProviderStore, addresses_are_checked) {
    EXPECT_TRUE(check_base_url("https://api.example.com/v1").has_value());
    EXPECT_TRUE(check_base_url("http://127.0.0.1:11434/v1").has_value());
    EXPECT_TRUE(check_base_url("http://192.168.1.5:8000/v1").has_value());
    for (const std::string_view local : {"10.1.2.3", "172.31.0.1", "169.254.1.1", "100.100.0.1", "[fd00::1]",
                                         "[fe80::1]", "models", "models.lan"}) {
        EXPECT_TRUE(check_base_url("http://" + std::string(local) + "/v1").has_value()) << local;
    }
    for (const std::string_view far :
         {"api.example.com", "8.8.8.8", "172.32.0.1", "192.169.0.1", "100.128.0.1", "[2001:db8::1]"}) {
        EXPECT_FALSE(check_base_url("http://" + std::string(far) + "/v1").has_value()) << far;
        EXPECT_TRUE(check_base_url("https://" + std::string(far) + "/v1").has_value()) << far;
    }
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

TEST_F(ProviderFile, a_price_that_cannot_be_is_refused) {
    auto store = ProviderStore::open(directory_ / "gateway.toml", false);
    for (const std::int64_t price : {std::int64_t{-1}, egress::kPriceLimitMicrosPerMillion + 1}) {
        auto dear = provider("one");
        dear.output_price_micros_per_million = price;
        EXPECT_EQ(store->put(dear, std::nullopt).error().code, "gateway.bad_provider");
    }
    auto dear = provider("one");
    dear.input_price_micros_per_million = egress::kPriceLimitMicrosPerMillion;
    EXPECT_TRUE(store->put(dear, std::nullopt).has_value());
}

TEST_F(ProviderFile, a_key_does_not_follow_to_another_address) {
    auto store = ProviderStore::open(directory_ / "gateway.toml", false);
    ASSERT_TRUE(store->put(provider("one"), "key-1").has_value());
    auto moved = provider("one", "https://elsewhere.example.com/v1");
    moved.name = "Another";
    ASSERT_TRUE(store->put(moved, std::nullopt).has_value());
    EXPECT_TRUE(store->find("one")->api_key.empty());
}

TEST_F(ProviderFile, a_name_that_people_agreed_to_does_not_follow_to_another_host) {
    const auto file = directory_ / "gateway.toml";
    auto store = ProviderStore::open(file, false);
    auto named = provider("one", "https://API.example.com/v1");
    named.name = "Qwen";
    ASSERT_TRUE(store->put(named, std::nullopt).has_value());
    const auto is_refused = [&](const std::string& id, const std::string& url,
                                const std::string& model = "m") {
        auto moved = provider(id, url);
        moved.name = "Qwen";
        moved.model = model;
        const auto put = store->put(moved, std::nullopt);
        if (!put) EXPECT_EQ(put.error().code, "gateway.name_of_another_host");
        return !put;
    };
    EXPECT_TRUE(is_refused("one", "https://elsewhere.example.com/v1"));
    EXPECT_TRUE(is_refused("one", "https://api.example.com:8443/v1"));
    EXPECT_TRUE(is_refused("one", "http://qwen.lan/v1"));
    EXPECT_EQ(store->find("one")->shown.base_url, "https://API.example.com/v1");
    EXPECT_FALSE(is_refused("one", "https://api.example.com:443/other")) << "the same host";

    EXPECT_FALSE(is_refused("one", "http://127.0.0.1:9/v1")) << "nothing leaves this machine";
    EXPECT_TRUE(is_refused("one", "http://127.0.0.1:9/v1", "qwen3:cloud")) << "but for this";
    EXPECT_TRUE(is_refused("one", "https://elsewhere.example.com/v1")) << "nor by way of it";
    ASSERT_TRUE(store->remove("one").has_value());
    store = ProviderStore::open(file, false);
    EXPECT_TRUE(is_refused("two", "https://elsewhere.example.com/v1")) << "nor as another server's name";
    EXPECT_FALSE(is_refused("two", "https://api.example.com/v1"));
    EXPECT_EQ(ProviderStore::open(file, false)->find("two")->shown.name, "Qwen");
}

TEST_F(ProviderFile, a_model_that_is_passed_on_from_loopback_is_elsewhere) {
    auto store = ProviderStore::open(directory_ / "gateway.toml", false);
    for (const char* model : {"glm-4.6:cloud", "gpt-oss:120b-cloud", "Kimi-K2:1T-Cloud"}) {
        auto passed_on = provider("one", "http://127.0.0.1:11434/v1");
        passed_on.model = model;
        ASSERT_TRUE(store->put(passed_on, std::nullopt).has_value());
        EXPECT_FALSE(store->find("one")->shown.on_this_machine) << model;
        EXPECT_FALSE(
            ProviderStore::open(directory_ / "gateway.toml", false)->find("one")->shown.on_this_machine);
    }
    for (const char* model : {"qwen3", "cloud", "cloudy:7b", "clouds-cloud:7b"}) {
        auto local = provider("one", "http://127.0.0.1:11434/v1");
        local.model = model;
        ASSERT_TRUE(store->put(local, std::nullopt).has_value());
        EXPECT_TRUE(store->find("one")->shown.on_this_machine) << model;
    }
}

TEST_F(ProviderFile, a_name_is_one_servers_alone_since_people_agree_to_a_name) {
    auto store = ProviderStore::open(directory_ / "gateway.toml", false);
    auto named = provider("one");
    named.name = "Qwen";
    ASSERT_TRUE(store->put(named, std::nullopt).has_value());
    ASSERT_TRUE(store->put(named, std::nullopt).has_value()) << "its own name";
    auto another = provider("two", "https://elsewhere.example.com/v1");
    another.name = "Qwen";
    const auto refused = store->put(another, std::nullopt);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "gateway.name_taken");
    named.name = "two";
    ASSERT_TRUE(store->put(named, std::nullopt).has_value());
    another.name.clear();
    EXPECT_FALSE(store->put(another, std::nullopt)) << "without a name, it would be called by its id";
    EXPECT_EQ(store->all().size(), 1U);

    std::ofstream(directory_ / "by_hand.toml")
        << "[[provider]]\nid = \"a\"\nname = \"Q\"\nbase_url = \"https://a.example/v1\"\nmodel = \"m\"\n"
           "[[provider]]\nid = \"b\"\nname = \"Q\"\nbase_url = \"https://b.example/v1\"\nmodel = \"m\"\n";
    EXPECT_EQ(ProviderStore::open(directory_ / "by_hand.toml", true).error().code, "gateway.bad_config");
    // Our own may be from before names were one server's alone: the page must come up, for it to be mended.
    auto old = ProviderStore::open(directory_ / "by_hand.toml", false);
    ASSERT_TRUE(old.has_value());
    EXPECT_EQ(old->find("a")->shown.name, "Q");
    EXPECT_EQ(old->find("b")->shown.name, "b");
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
