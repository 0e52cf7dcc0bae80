#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include <net/message.h>
#include <runtime/task.h>

namespace net {

enum class Auth : std::uint8_t {
    none,
    optional,  ///< a token is looked at if there is one; a bad one is an error
    required,
    admin,  ///< required, and the principal is an administrator
};

/// What a request costs against its client's allowance; each class has its own bucket (rate_limit.h).
enum class RateClass : std::uint8_t { none, read, sync, write, send, login, registration, upload, assist };

/// Answers one request. When the client goes away, a handler of GET or HEAD, and any of RateClass::sync or
/// RateClass::assist, is cancelled: the wait that it is in ends (a job of the database runs to its end all
/// the same), and its next co_await throws operation_aborted. Every other handler runs to its end, so that
/// what it began to change is whole; so does a handler that reads a streamed body (its reader tells).
using Handler = std::function<runtime::Task<Response>(Request)>;

/// One row of a module's route table: dispatch, authentication, limits, the OpenAPI document and the table in
/// docs all come from it.
struct Route {
    Method method;
    std::string_view path;  ///< "/_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}"
    std::string_view operation_id;
    Auth auth;
    RateClass rate;
    std::size_t body_limit_bytes;
    bool streams_body;
    Handler handler;
    std::string_view summary;
    /// Older paths of the same endpoint ("/_matrix/client/r0/…"), answered alike.
    std::vector<std::string_view> aliases = {};
    /// What is asked for beside the path, for the OpenAPI document: a GET's query, else the body's fields, as
    /// "room_id:string event_ids:strings language?:string". Empty where the Matrix specification tells it.
    std::string_view asks = {};
    std::string_view answers = "application/json";  ///< the media type of a good answer
    /// What a refusal (403) says beside code and words, in the form of `asks`; empty where that is nothing.
    std::string_view refuses = {};
};

/// How a surface words errors that arise in net itself (no route, wrong method, too large, rate limit) and
/// those that its handlers return. Matrix's is chat's to give, by path prefix.
using ErrorDialect = std::function<Response(const base::Error&)>;

struct Surface {
    std::string_view path_prefix;  ///< "/_matrix/"
    ErrorDialect dialect;
    bool cors;  ///< answer OPTIONS and add the Access-Control headers as the Matrix specification requires
};

/// The OpenAPI 3.1 document of the routes whose path starts with one of `prefixes`.
base::json::object openapi_document(std::span<const Route> routes, std::string_view title,
                                    std::string_view version, std::span<const std::string_view> prefixes);

}  // namespace net
