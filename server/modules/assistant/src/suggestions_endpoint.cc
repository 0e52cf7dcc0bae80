#include "asked_by_itself.h"
#include "endpoints.h"
#include "inert_text.h"
#include "model_stream.h"
#include "prompts.h"

#include <algorithm>

#include <identity/body.h>
#include <identity/matrix_error.h>
#include <identity/users.h>

namespace assistant {
namespace {

namespace json = base::json;
using namespace std::chrono_literals;

constexpr std::int32_t kOutputLimitTokens = 512;
constexpr std::size_t kSuggestionLimitBytes = 600;

struct Wish {
    std::string room_id;
    std::vector<std::string> event_ids;
    std::string language;
    bool automatic = false;  ///< the client asks by itself: once a message
};

base::Result<Wish> read_wish(const net::Request& request) {
    identity::Body body(request);
    Wish wish{.room_id = body.string("room_id")};
    const auto* events = body.optional_array("event_ids");
    wish.language = body.optional_string("language").value_or("");
    wish.automatic = body.optional_boolean("automatic").value_or(false);
    if (body.failed()) return base::fail(body.error());
    const auto invalid = [](std::string message) {
        return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM", std::move(message));
    };
    if (!wish.language.empty() && !is_language(wish.language)) return invalid("'language' is no language.");
    if (events == nullptr || events->empty() || events->size() > kExcerptEventsLimit)
        return invalid("'event_ids' names 1 to 50 messages.");
    for (const auto& value : *events) {
        const auto* id = value.if_string();
        if (id == nullptr || id->size() > 255) return invalid("'event_ids' is a list of event ids.");
        wish.event_ids.emplace_back(*id);
    }
    return wish;
}

Answered<Excerpt> read_excerpt(storage::Transaction& tx, const Wish& wish, identity::UserNumber user,
                               identity::UserNumber assistant, std::vector<Candidate> candidates) {
    auto room = open_room(tx, wish.room_id, user);
    if (!room) return refuse(room.error());
    if (auto allowed = check_allowed(tx, user, *room); !allowed) return refuse(allowed.error());
    auto excerpt = gather_excerpt(tx, *room,
                                  {.caller = user,
                                   .assistant = assistant,
                                   .event_ids = wish.event_ids,
                                   .purpose = Purpose::suggest_replies,
                                   .candidates = std::move(candidates)});
    if (excerpt.destination_rests) return refuse(agreed_server_rests());
    if (!excerpt.destination)
        return refuse(model_unavailable("No model is set up on this server, or none can be reached."));
    // Without a word of anybody else there is nothing to reply to.
    if (!excerpt.has_words_of_others()) {
        if (!excerpt.unwilling_user_ids.empty())
            return refuse(consent_needed(excerpt.unwilling_user_ids, *excerpt.destination));
        const bool is_anybodys = std::ranges::any_of(
            excerpt.dropped, [](const auto& one) { return one.second == DropReason::no_consent; });
        return refuse(is_anybodys ? nobody_to_ask() : no_such_event());
    }
    return excerpt;
}

/// The newest message of somebody else in the excerpt.
chat::Position newest_of_others(const Excerpt& excerpt) {
    chat::Position newest;
    for (std::size_t i = 0; i < excerpt.lines.size(); ++i)
        if (!excerpt.lines[i].own) newest = std::max(newest, excerpt.versions[i].event);
    return newest;
}

Task<void> write_suggestions(Core& core, ModelStream stream, net::EventStream& out) {
    if (!co_await announce(stream, out)) co_return;
    std::string answer;
    const auto until = stream.began + kAnswerLimit;
    while (!stream.run->has_ended()) {
        answer += co_await stream.run->next_text(500ms);
        if (!co_await announce(stream, out)) co_return;
        if (std::chrono::steady_clock::now() > until) {
            co_await out.send("error", as_event(model_unavailable("The model did not answer in time.")));
            co_return;
        }
    }
    if (const auto& refusal = stream.run->end().refusal) {
        core.count_refusal(*refusal);
        co_await out.send("error", as_event(*refusal));
        co_return;
    }
    const auto suggestions = read_suggestions(answer);
    if (suggestions.empty()) {
        co_await out.send("error", as_event(model_unavailable("The model's answer could not be read.")));
        co_return;
    }
    for (std::size_t i = 0; i < suggestions.size(); ++i) {
        Names::Restorer restorer(stream.excerpt.names);
        std::string text = restorer.feed(suggestions[i]);
        text = inert_line(text + restorer.finish(), kSuggestionLimitBytes);
        const json::object suggestion{
            {"index", i},
            {"text", text},
            {"label", core.labels->generated(stream.run->call_id().value, stream.run->latest().model, text)}};
        if (!co_await out.send("suggestion", json::serialize(suggestion))) co_return;
    }
    co_await out.send("done", done_event(stream, nullptr));
}

}  // namespace

Task<net::Response> suggest_replies(Core& core, net::Request request) {
    auto wish = read_wish(request);
    if (!wish) co_return identity::matrix_error(wish.error());
    const auto user = user_of(request);
    auto seat = take_seat(core, user);
    if (!seat) co_return refused(core, seat.error());

    auto candidates = candidates_of(co_await core.model_servers());
    auto excerpt = co_await read_answered<Excerpt>(
        core, [wish = *wish, user, assistant = core.assistant_user, candidates = std::move(candidates)](
                  storage::Transaction& tx) { return read_excerpt(tx, wish, user, assistant, candidates); });
    if (!excerpt) co_return refused(core, excerpt.error());
    if (wish->automatic) {
        auto turn = co_await write_answered<void>(
            core, storage::OrderKey{kBudgetOrder},
            [user, room_id = wish->room_id,
             newest = newest_of_others(*excerpt)](storage::Transaction& tx) -> Answered<void> {
                if (!identity::is_active(tx, user)) return refuse(account_gone());
                if (!take_turn(tx, user, room_id, newest)) return refuse(already_asked());
                return {};
            });
        if (!turn) co_return refused(core, turn.error());
    }

    CallWish call{.request = {.call_id = core.new_call_id(),
                              .purpose = std::string(to_string(Purpose::suggest_replies)),
                              .lane = egress::Lane::interactive,
                              .messages = suggestions_prompt(*excerpt, wish->language),
                              .max_output_tokens = kOutputLimitTokens,
                              .temperature = 0.8,
                              .this_machine_only = excerpt->agreed.this_machine_only,
                              .provider_name = excerpt->agreed.provider_name,
                              .json_object = true,
                              .deadline = std::chrono::steady_clock::now() + kAnswerLimit},
                  .user = user,
                  .room_id = wish->room_id,
                  .purpose = Purpose::suggest_replies,
                  .whose = excerpt->whose,
                  .still_allowed = consent_check({.user = user,
                                                  .room_id = wish->room_id,
                                                  .purpose = Purpose::suggest_replies,
                                                  .consenting = excerpt->consenting,
                                                  .reader = user,
                                                  .versions = excerpt->versions})};
    auto stream = co_await begin_stream(core, std::move(*seat), std::move(call), std::move(*excerpt));
    if (!stream) co_return refused(core, stream.error());
    net::Response response;
    response.events = [&core, stream = std::move(*stream)](net::EventStream& out) mutable {
        return write_suggestions(core, std::move(stream), out);
    };
    co_return response;
}

}  // namespace assistant
