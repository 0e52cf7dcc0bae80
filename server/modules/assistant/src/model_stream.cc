#include "model_stream.h"

namespace assistant {

namespace json = base::json;
using namespace std::chrono_literals;

Answered<Seats::Seat> take_seat(Core& core, identity::UserNumber user) {
    auto seat = core.seats.take(user);
    if (!seat) {
        return refuse(base::Error{base::ErrorKind::rate_limited, "M_LIMIT_EXCEEDED",
                                  "Too many answers are being written at once.", 2s});
    }
    return std::move(*seat);
}

runtime::Task<Answered<ModelStream>> begin_stream(Core& core, Seats::Seat seat, CallWish wish,
                                                  Excerpt excerpt) {
    const auto began = std::chrono::steady_clock::now();
    auto run = core.runs.start(std::move(wish));
    if (!run) co_return refuse(std::move(run.error()));
    auto prepared = co_await (*run)->prepared(kAnswerLimit);
    if (!prepared) co_return refuse(std::move(prepared.error()));
    co_return ModelStream{std::move(seat), std::move(*run), std::move(excerpt), began};
}

runtime::Task<bool> announce(ModelStream& stream, net::EventStream& out) {
    if (stream.announced == stream.run->attempts()) co_return !out.closed();
    stream.announced = stream.run->attempts();
    const egress::Prepared& prepared = stream.run->latest();
    json::array dropped;
    for (const auto& [event_id, reason] : stream.excerpt.dropped)
        dropped.push_back(json::object{{"event_id", event_id}, {"reason", to_string(reason)}});
    const json::object event{{"call_id", stream.run->call_id().value},
                             {"provider", prepared.provider_name},
                             {"model", prepared.model},
                             {"on_this_machine", prepared.on_this_machine},
                             {"used", json::value_from(stream.excerpt.used)},
                             {"dropped", std::move(dropped)}};
    co_return co_await out.send("prepared", json::serialize(event));
}

std::string done_event(const ModelStream& stream, json::value label) {
    const Usage& usage = stream.run->end().usage;
    return json::serialize(
        json::object{{"call_id", stream.run->call_id().value},
                     {"label", std::move(label)},
                     {"cut", stream.run->end().is_cut},
                     {"usage",
                      {{"input_tokens", usage.input_tokens},
                       {"output_tokens", usage.output_tokens},
                       {"estimated", usage.estimated}}},
                     {"cost", {{"micros", usage.cost_micros}, {"currency", usage.currency}}}});
}

}  // namespace assistant
