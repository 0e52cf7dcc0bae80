#include <algorithm>

#include <boost/asio/steady_timer.hpp>

#include <base/log.h>
#include <base/metrics_json.h>
#include <render/picture.h>
#include <render/service.h>

namespace render {

using base::ErrorKind;

/// A place in the queue of pictures; given up on every way out.
struct Service::Turn {
    explicit Turn(Service& s) : service(s), number(++s.last_turn_) { service.turns_.push_back(number); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
        std::erase(service.turns_, number);
        service.turn_passed_.notify();
    }
    bool has_come() const { return service.turns_.front() == number; }

    Service& service;
    std::uint64_t number;
};

Service::Service(runtime::Runtime& runtime, Options options)
    : runtime_(runtime), options_(std::move(options)), decoder_("decoder", 1, 1), turn_passed_(runtime) {}

wire::Service Service::wire_service() {
    return [this](std::string method, wire::Message request, wire::ServedCall& call) {
        return serve(std::move(method), std::move(request), call);
    };
}

runtime::Task<base::Result<void>> Service::serve(std::string method, wire::Message request,
                                                 wire::ServedCall& call) {
    if (method == base::kMetricsMethod) co_return co_await tell_metrics(call);
    const bool inspects = method == imaging::kInspectMethod;
    if (!inspects && method != imaging::kThumbnailMethod) {
        co_return base::fail(ErrorKind::not_found, "imaging.no_such_method", "There is no such method.");
    }
    auto wanted = inspects ? imaging::ThumbnailRequest{} : imaging::decode_request(request.text);
    if (!wanted) co_return base::fail(wanted.error());
    if (request.descriptors.size() != (inspects ? 1U : 2U)) {
        co_return base::fail(ErrorKind::invalid, "imaging.bad_message", "The call lacks its files.");
    }
    if (turns_.size() > imaging::kWaitingLimit) {
        count(method, "busy");
        co_return base::fail(ErrorKind::unavailable, "imaging.busy", "Too many pictures are waiting.");
    }

    const Turn turn(*this);
    call.on_cancelled([this] { turn_passed_.notify(); });
    // One that is begun has the time that a picture may take: core must not give up a good one amid it.
    const auto latest = call.deadline() - options_.job_limit;
    while (!turn.has_come() && !call.cancelled() && std::chrono::steady_clock::now() < latest) {
        co_await turn_passed_.wait(latest - std::chrono::steady_clock::now());
    }
    if (!call.cancelled() && std::chrono::steady_clock::now() >= latest) {
        count(method, "late");
        co_return base::fail(ErrorKind::timeout, "imaging.late", "Too many pictures were waiting.");
    }
    const auto begun = co_await call.send({std::string(imaging::kBegun), {}});
    if (!begun) co_return base::fail(begun.error());

    auto answer = co_await run(
        [inspects, wanted = *wanted, files = &request.descriptors]() -> base::Result<std::string> {
            if (inspects) {
                const auto picture = inspect(files->at(0).get());
                if (!picture) return base::fail(picture.error());
                return imaging::encode(*picture);
            }
            const auto made = make_thumbnail(files->at(0).get(), wanted, files->at(1).get());
            if (!made) return base::fail(made.error());
            return imaging::encode(*made);
        });
    count(method, answer ? "made" : "refused");
    if (!answer) {
        base::log_info("render.refused", {{"method", method}, {"code", answer.error().code}});
        co_return base::fail(answer.error());
    }
    co_return co_await call.send({std::move(*answer), {}});
}

void Service::count(std::string_view method, std::string_view outcome) {
    runtime_.metrics()
        .counter("render_pictures_total", "Pictures by what was to be done with them and what came of it.",
                 {{"work", method == imaging::kInspectMethod ? "inspect" : "thumbnail"},
                  {"outcome", std::string(outcome)}})
        .add();
}

runtime::Task<base::Result<void>> Service::tell_metrics(wire::ServedCall& call) {
    runtime_.metrics()
        .gauge("render_pictures_waiting", "Pictures that wait for their turn, or are at it.")
        .set(static_cast<double>(turns_.size()));
    co_return co_await call.send({base::metrics_json(runtime_.metrics().read()), {}});
}

runtime::Task<base::Result<std::string>> Service::run(std::function<base::Result<std::string>()> job) {
    boost::asio::steady_timer overrun(runtime_.io(), options_.job_limit);
    overrun.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        base::log_error("render.overrun", {{"limit_ms", options_.job_limit.count()}});
        options_.on_overrun();
    });
    const auto began = std::chrono::steady_clock::now();
    auto answer = co_await runtime_.on_pool<base::Result<std::string>>(decoder_, std::move(job));
    runtime_.metrics()
        .histogram("render_picture_seconds", "Time at work on one picture.", {0.01, 0.03, 0.1, 0.3, 1, 3, 10})
        .observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    if (!answer) co_return base::fail(answer.error());
    co_return std::move(*answer);
}

}  // namespace render
