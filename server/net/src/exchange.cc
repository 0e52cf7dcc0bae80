// What happens to a request between its head and its answer.
#include "body.h"
#include "connection.h"
#include "negotiation.h"
#include "target.h"
#include "text.h"

#include <algorithm>
#include <array>

#include <boost/asio/error.hpp>

#include <base/log.h>

namespace net {
namespace {

/// A body that a route does not ask for ("{}" with a DELETE) is read and dropped up to this.
constexpr std::size_t kUnwantedBodyLimitBytes = 64 * 1024;

struct StatusRow {
    std::string_view code;
    int status;
};
/// Errors of HTTP itself, which have a status of their own whatever the dialect's table makes of their kind.
constexpr std::array kStatuses{
    StatusRow{"net.head_too_large", 431}, StatusRow{"net.head_timeout", 408},
    StatusRow{"net.body_timeout", 408},   StatusRow{"net.bad_version", 505},
    StatusRow{"net.expectation", 417},    StatusRow{"net.bad_transfer_encoding", 501},
    StatusRow{"net.no_route", 404},       StatusRow{"net.wrong_method", 405},
};

/// For paths outside every surface.
Response plain_error(const base::Error& error) {
    static constexpr std::array kByKind{400, 401, 403, 404, 409, 413, 403, 429, 503, 504, 503, 500};
    Response response;
    response.status = kByKind[static_cast<std::size_t>(error.kind)];
    response.headers.add("Content-Type", "text/plain; charset=utf-8");
    response.body = error.message + "\n";
    if (error.retry_after) {
        response.headers.add("Retry-After", std::to_string((error.retry_after->count() + 999) / 1000));
    }
    return response;
}

/// The path in a head that was refused, so that its sender reads the error in its own dialect.
std::string_view path_in(std::string_view head) {
    take_until(head, ' ');
    auto target = head.substr(0, head.find_first_of(" \r\n"));
    return take_until(target, '?');
}

std::optional<std::string> bearer_token(const Headers& headers) {
    const auto field = headers.get("Authorization");
    if (!field || field->size() < 7 || !equal_without_case(field->substr(0, 7), "Bearer "))
        return std::nullopt;
    return std::string(trim(field->substr(7)));
}

/// The deprecated way to give a token. Taken out of the query, so that nothing behind can log it.
std::optional<std::string> take_query_token(Query& query) {
    const auto value = query.get("access_token");
    if (!value) return std::nullopt;
    std::string token(*value);
    Query rest;
    for (const auto& [name, kept] : query.pairs()) {
        if (name != "access_token") rest.add(name, kept);
    }
    query = std::move(rest);
    return token;
}

}  // namespace

Response Connection::error_response(const base::Error& error, const Exchange& ex) const {
    Response response;
    try {
        response = ex.surface && ex.surface->dialect ? ex.surface->dialect(error) : plain_error(error);
    } catch (const std::exception& fault) {
        base::log_error("net.dialect_fault", {{"code", error.code}, {"what", fault.what()}});
        response = plain_error(base::Error{base::ErrorKind::internal, "net.fault", "Internal error.", {}});
    }
    const auto row = std::ranges::find(kStatuses, std::string_view(error.code), &StatusRow::code);
    if (row != kStatuses.end()) response.status = row->status;
    return response;
}

IpAddress Connection::client_of(const Headers& headers) const {
    if (!core_->trusted_proxies.contains(peer_)) return peer_;
    std::string forwarded_for;
    for (const auto& [name, value] : headers.all()) {
        if (!equal_without_case(name, "X-Forwarded-For")) continue;
        if (!forwarded_for.empty()) forwarded_for += ',';
        forwarded_for += value;
    }
    return core_->trusted_proxies.client(peer_, forwarded_for);
}

runtime::Task<bool> Connection::exchange() {
    Exchange ex;
    ex.began = std::chrono::steady_clock::now();
    auto response = co_await prepare(ex);
    if (ex.is_lost) co_return false;
    if (!response) {
        response = co_await run_handler(ex);
        if (!ex.token.empty()) response = co_await unless_ended(std::move(*response), ex);
    }
    core_->observe(ex.rate, response->status, std::chrono::steady_clock::now() - ex.began);

    if (ex.body && !ex.body->done() && !co_await ex.body->drain()) ex.is_unreadable = true;
    timed_out_ = false;
    if (ex.is_unreadable || core_->stopping) ex.keep_alive = false;
    const bool sent = co_await send(std::move(*response), ex);
    if (sent && !ex.keep_alive) {
        transport_.finish_writing();
        // Closing over unread bytes would reset the connection, and the client might never read the answer.
        if (ex.is_unreadable || !in_.empty()) co_await linger();
    }
    co_return sent&& ex.keep_alive;
}

runtime::Task<std::optional<Response>> Connection::prepare(Exchange& ex) {
    user_number_ = 0;
    auto head = co_await read_head();
    if (!head) {
        if (head.error().kind == base::ErrorKind::cancelled) {
            ex.is_lost = true;
            co_return std::nullopt;
        }
        timed_out_ = false;
        ex.surface = core_->surface_of(path_in(in_));
        ex.is_unreadable = true;
        co_return error_response(head.error(), ex);
    }
    ex.method = head->method;
    ex.keep_alive = head->keep_alive;
    ex.is_1_0 = head->is_1_0;
    const auto take = [&](std::string_view name, std::string& into) {
        if (const auto value = head->headers.get(name)) into = *value;
    };
    take("If-None-Match", ex.if_none_match);
    take("If-Modified-Since", ex.if_modified_since);
    take("Range", ex.range);
    take("If-Range", ex.if_range);
    ex.accepts_gzip =
        accepts_encoding(head->headers.get("Accept-Encoding").value_or(std::string_view{}), "gzip");
    co_return co_await prepare_routed(std::move(*head), ex);
}

runtime::Task<std::optional<Response>> Connection::prepare_routed(RequestHead head, Exchange& ex) {
    const auto expectation = head.headers.get("Expect");
    const bool expects_continue =
        expectation && !head.is_1_0 && equal_without_case(trim(*expectation), "100-continue");
    const bool has_body = head.has_body();
    const auto expect_body = [&](std::size_t limit_bytes) {
        ex.body = std::make_unique<Body>(*this, head, expects_continue, limit_bytes);
    };
    const auto refuse = [&](const base::Error& error) {
        if (has_body && !ex.body) expect_body(kUnwantedBodyLimitBytes);
        return std::optional(error_response(error, ex));
    };
    using base::Error;
    using base::ErrorKind;

    const auto target = split_target(head.target);
    if (!target) co_return refuse(target.error());
    ex.surface = core_->surface_of(target->path);
    if (expectation && !expects_continue && !head.is_1_0) {
        co_return refuse(Error{ErrorKind::invalid, "net.expectation", "This expectation cannot be met.", {}});
    }
    auto segments = split_path(target->path);
    if (!segments) co_return refuse(segments.error());
    if (ex.method == Method::options && (target->path == "*" || (ex.surface && ex.surface->cors))) {
        if (has_body) expect_body(kUnwantedBodyLimitBytes);
        Response response;
        if (ex.surface) response = json(200, std::string("{}"));
        // A browser otherwise asks again every five seconds, for each address anew.
        response.headers.set("Access-Control-Max-Age", "86400");
        co_return response;
    }

    auto request = std::make_unique<Request>();
    auto match = core_->router.find(head.method, std::move(*segments));
    const Route* route = match.route;
    const bool is_reading = ex.method == Method::get || ex.method == Method::head;
    if (!route && !match.allow.empty()) {
        auto response =
            refuse(Error{ErrorKind::not_found, "net.wrong_method", "This path has no such method.", {}});
        response->headers.set("Allow", match.allow);
        co_return response;
    }
    if (!route && (ex.surface || !core_->fallback || !is_reading)) {
        co_return refuse(Error{ErrorKind::not_found, "net.no_route", "There is nothing at this path.", {}});
    }
    auto query = parse_query(target->query);
    if (!query) co_return refuse(query.error());

    request->method = *head.method;
    request->path = target->path;
    request->path_values = std::move(match.values);
    request->query = std::move(*query);
    request->content_length = head.content_length;
    request->peer_address = client_of(head.headers).text();
    request->headers = std::move(head.headers);
    if (route) {
        ex.rate = route->rate;
        ex.operation_id = route->operation_id;
        const auto admitted = co_await admit(*route, *request, ex);
        if (!admitted) co_return refuse(admitted.error());
    }
    ex.handler = route ? &route->handler : &core_->fallback;
    ex.may_cancel = is_reading || ex.rate == RateClass::sync || ex.rate == RateClass::assist;

    const std::size_t wanted_limit = route ? route->body_limit_bytes : 0;
    const std::size_t limit = wanted_limit > 0 ? wanted_limit : kUnwantedBodyLimitBytes;
    if (head.content_length.value_or(0) > limit) {
        co_return refuse(Error{ErrorKind::too_large, "net.body_too_large", "The body is too large.", {}});
    }
    const bool streams = route && route->streams_body;
    if (has_body || streams) expect_body(limit);
    if (streams) {
        request->body_reader = ex.body.get();
    } else if (has_body) {
        auto body = co_await ex.body->whole();
        if (!body) {
            if (body.error().kind == ErrorKind::cancelled) {
                ex.is_lost = true;
                co_return std::nullopt;
            }
            timed_out_ = false;
            co_return refuse(body.error());
        }
        if (wanted_limit > 0) request->body = std::move(*body);
        ex.body.reset();
    }
    ex.request = std::move(request);
    co_return std::nullopt;
}

/// Who asks, and how often. Errors: net.missing_token (unauthenticated), net.not_admin (forbidden),
/// net.too_fast (rate_limited), and the authenticator's.
runtime::Task<base::Result<void>> Connection::admit(const Route& route, Request& request, Exchange& ex) {
    std::optional<base::Error> failure;
    if (route.auth != Auth::none) {
        auto token = bearer_token(request.headers);
        auto query_token = take_query_token(request.query);
        if (!token) token = std::move(query_token);
        if (token) {
            auto kept = route.rate == RateClass::sync ? *token : std::string{};
            auto principal = core_->authenticator ? co_await core_->authenticator(std::move(*token))
                                                  : base::fail(base::ErrorKind::unavailable,
                                                               "net.no_authenticator", "Not ready yet.");
            if (principal) {
                request.principal = std::move(*principal);
                user_number_ = request.principal->user_number;
                ex.token = std::move(kept);
            } else {
                failure = std::move(principal.error());
            }
        } else if (route.auth != Auth::optional) {
            failure = base::Error{
                base::ErrorKind::unauthenticated, "net.missing_token", "Missing access token.", {}};
        }
    }
    // Failed attempts count too, for the address that they come from.
    if (core_->options.rate_limits) {
        const auto wait = core_->limiter.take(
            route.rate, request.principal ? request.principal->user_id : rate_key(request.peer_address));
        if (wait) {
            co_return base::fail(
                base::Error{base::ErrorKind::rate_limited, "net.too_fast", "Too many requests.", wait});
        }
    }
    if (failure) co_return base::fail(std::move(*failure));
    if (route.auth == Auth::admin && !request.principal->is_admin) {
        co_return base::fail(base::ErrorKind::forbidden, "net.not_admin",
                             "Only an administrator may do this.");
    }
    co_return base::Result<void>{};
}

/// `response`, unless whoever asked was logged out while the request was parked: they hear no more news. Who
/// has renewed the token meanwhile was not.
runtime::Task<Response> Connection::unless_ended(Response response, const Exchange& ex) {
    const auto still = co_await core_->authenticator(ex.token);
    if (still || still.error().kind != base::ErrorKind::unauthenticated ||
        still.error().code == kTokenExpired)
        co_return response;
    co_return error_response(still.error(), ex);
}

runtime::Task<Response> Connection::run_handler(Exchange& ex) {
    const bool streams = ex.body != nullptr;  // then the handler itself sees the client go away
    std::string fault;
    try {
        auto task = (*ex.handler)(std::move(*ex.request));
        ex.request.reset();
        if (!streams) start_watching(ex.may_cancel);
        auto response = co_await std::move(task);
        stop_watching();
        co_return response;
    } catch (const boost::system::system_error& error) {
        if (error.code() == boost::asio::error::operation_aborted && (peer_gone_ || aborted_)) throw;
        fault = error.what();
    } catch (const std::exception& error) {
        fault = error.what();
    }
    stop_watching();
    base::log_error("net.handler_fault",
                    {{"operation", ex.operation_id}, {"what", std::string_view(fault).substr(0, 200)}});
    co_return error_response(
        base::Error{base::ErrorKind::internal, "net.fault", "Internal server error.", {}}, ex);
}

}  // namespace net
