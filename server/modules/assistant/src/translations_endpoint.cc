#include "endpoints.h"
#include "inert_text.h"
#include "model_stream.h"
#include "prompts.h"
#include "quotes.h"

#include <base/crypto.h>
#include <base/encoding.h>
#include <identity/body.h>
#include <identity/matrix_error.h>

namespace assistant {
namespace {

namespace json = base::json;
using namespace std::chrono_literals;

constexpr std::size_t kTextLimitBytes = 8 * 1024;
constexpr std::size_t kTranslationLimitBytes = 32 * 1024;

struct Wish {
    std::string room_id;   ///< of a draft too: whose names stand in it, and may AI be used there?
    std::string event_id;  ///< empty: a draft
    std::string text;      ///< of the draft
    std::string target_language;
};

base::Result<Wish> read_wish(const net::Request& request) {
    identity::Body body(request);
    Wish wish{.room_id = body.string("room_id"),
              .event_id = body.optional_string("event_id").value_or(""),
              .text = body.optional_string("text").value_or(""),
              .target_language = body.string("target_language")};
    if (body.failed()) return base::fail(body.error());
    const auto invalid = [](std::string message) {
        return base::fail(base::ErrorKind::invalid, "M_INVALID_PARAM", std::move(message));
    };
    if (!is_language(wish.target_language)) return invalid("'target_language' is no language.");
    if (wish.event_id.empty() == wish.text.empty()) return invalid("Name either a message or a text.");
    if (wish.room_id.empty()) return invalid("'room_id' is empty.");
    if (wish.event_id.size() > 255) return invalid("'event_id' is no event id.");
    if (wish.text.size() > kTextLimitBytes)
        return base::fail(base::ErrorKind::too_large, "M_TOO_LARGE", "The text is too long.");
    return wish;
}

Refusal no_own_text() {
    return base::Error{base::ErrorKind::invalid, "M_INVALID_PARAM",
                       "There is no text of its author's in it."};
}

/// Why the one message that was asked for is not there to be translated. Somebody's unwillingness is of a
/// destination.
Refusal why_not(const Excerpt& excerpt) {
    if (!excerpt.unwilling_user_ids.empty() && excerpt.destination)
        return consent_needed(excerpt.unwilling_user_ids, *excerpt.destination);
    const auto reason = excerpt.dropped.empty() ? DropReason::not_visible : excerpt.dropped.front().second;
    if (reason == DropReason::over_limit)
        return base::Error{base::ErrorKind::too_large, "M_TOO_LARGE", "The message is too long."};
    if (reason == DropReason::not_text) return no_own_text();
    if (reason == DropReason::no_consent) return nobody_to_ask();
    return no_such_event();
}

/// The message as an excerpt of one line, or the draft as one.
Answered<Excerpt> read_text(storage::Transaction& tx, const Wish& wish, identity::UserNumber user,
                            identity::UserNumber assistant, const std::vector<Candidate>& candidates) {
    auto room = open_room(tx, wish.room_id, user);
    if (!room) return refuse(room.error());
    if (auto allowed = check_allowed(tx, user, *room); !allowed) return refuse(allowed.error());
    Excerpt excerpt;
    if (wish.event_id.empty()) {
        const auto own = without_quotes(wish.text);
        if (own.find_first_not_of(" \t\r\n") == std::string::npos) return refuse(no_own_text());
        excerpt.names.avoid(own);
        know_people(tx, *room, user, assistant, own, is_mostly_chinese(own), excerpt.names);
        excerpt.lines.push_back(
            {.event_id = "", .own = true, .speaker = "me", .text = excerpt.names.hide(own)});
        excerpt.whose.push_back(user);
        excerpt.go_to(first_of(candidates));
    } else {
        excerpt = gather_excerpt(tx, *room,
                                 {.caller = user,
                                  .assistant = assistant,
                                  .event_ids = {wish.event_id},
                                  .purpose = Purpose::translate,
                                  .candidates = candidates});
    }
    // Where there is no model, nobody could have agreed to it: that is not what to tell people.
    const bool lacks_model_only = !excerpt.destination && !excerpt.unwilling_user_ids.empty();
    if (excerpt.lines.empty() && !lacks_model_only) return refuse(why_not(excerpt));
    if (!excerpt.destination) {
        return refuse(model_unavailable(
            "Translation needs a model, and none is set up on this server, or none can be reached."));
    }
    return excerpt;
}

/// A message's translation is as good for everybody of its room, a draft's for whoever writes it. Hashed,
/// since it is nobody else's business which room that is.
std::string reuse_scope_of(const Wish& wish, identity::UserNumber user) {
    const auto scope =
        wish.event_id.empty() ? "person:" + std::to_string(user.value) : "room:" + wish.room_id;
    return base::base64url_encode(base::sha256(scope));
}

Task<void> write_translation(Core& core, ModelStream stream, net::EventStream& out) {
    if (!co_await announce(stream, out)) co_return;
    Names::Restorer restorer(stream.excerpt.names);
    InertText shown(kTranslationLimitBytes);
    const auto first_until = stream.began + kAnswerLimit;
    while (!stream.run->has_ended()) {
        const auto came = co_await stream.run->next_text(500ms);
        if (!co_await announce(stream, out)) co_return;
        const auto text = shown.feed(restorer.feed(came));
        if (!text.empty() && !co_await out.send("delta", json::serialize(json::object{{"text", text}})))
            co_return;
        if (shown.text().empty() && std::chrono::steady_clock::now() > first_until) {
            co_await out.send("error", as_event(model_unavailable("The model did not answer in time.")));
            co_return;
        }
    }
    if (const auto& refusal = stream.run->end().refusal) {
        core.count_refusal(*refusal);
        co_await out.send("error", as_event(*refusal));
        co_return;
    }
    const auto rest = shown.feed(restorer.finish());
    if (!rest.empty() && !co_await out.send("delta", json::serialize(json::object{{"text", rest}})))
        co_return;
    if (shown.text().empty()) {
        co_await out.send("error", as_event(model_unavailable("The model's answer is empty.")));
        co_return;
    }
    co_await out.send("done",
                      done_event(stream, core.labels->generated(stream.run->call_id().value,
                                                                stream.run->latest().model, shown.text())));
}

}  // namespace

Task<net::Response> translate(Core& core, net::Request request) {
    auto wish = read_wish(request);
    if (!wish) co_return identity::matrix_error(wish.error());
    const auto user = user_of(request);
    auto seat = take_seat(core, user);
    if (!seat) co_return refused(core, seat.error());

    auto candidates = candidates_of(co_await core.model_servers());
    auto excerpt = co_await read_answered<Excerpt>(
        core, [wish = *wish, user, assistant = core.assistant_user, candidates = std::move(candidates)](
                  storage::Transaction& tx) { return read_text(tx, wish, user, assistant, candidates); });
    if (!excerpt) co_return refused(core, excerpt.error());

    const std::string& text = excerpt->lines.front().text;
    CallWish call{.request = {.call_id = core.new_call_id(),
                              .purpose = std::string(to_string(Purpose::translate)),
                              .lane = egress::Lane::interactive,
                              .messages = translation_prompt(text, wish->target_language),
                              // Few languages need more tokens than twice a text's bytes; most need a third.
                              .max_output_tokens = static_cast<std::int32_t>(
                                  std::min<std::size_t>(4096, 256 + text.size() * 2)),
                              .temperature = 0.2,
                              .this_machine_only = excerpt->agreed.this_machine_only,
                              .provider_name = excerpt->agreed.provider_name,
                              .reuse_scope = reuse_scope_of(*wish, user),
                              .known_only = excerpt->destination_rests,
                              .deadline = std::chrono::steady_clock::now() + kLongAnswerLimit},
                  .user = user,
                  .room_id = wish->room_id,
                  .purpose = Purpose::translate,
                  .whose = excerpt->whose,
                  .still_allowed = consent_check({.user = user,
                                                  .room_id = wish->room_id,
                                                  .purpose = Purpose::translate,
                                                  .consenting = excerpt->consenting,
                                                  .reader = user,
                                                  .versions = excerpt->versions})};
    auto stream = co_await begin_stream(core, std::move(*seat), std::move(call), std::move(*excerpt));
    if (!stream) co_return refused(core, stream.error());
    net::Response response;
    response.events = [&core, stream = std::move(*stream)](net::EventStream& out) mutable {
        return write_translation(core, std::move(stream), out);
    };
    co_return response;
}

}  // namespace assistant
