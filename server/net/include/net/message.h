#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <base/json.h>
#include <base/result.h>
#include <runtime/task.h>

namespace net {

enum class Method : std::uint8_t { get, head, post, put, del, patch, options };
std::string_view to_string(Method method);

/// Header fields in order of arrival; names compare without case.
class Headers {
  public:
    void add(std::string_view name, std::string_view value);
    void set(std::string_view name, std::string_view value);
    /// The first value, or nothing.
    std::optional<std::string_view> get(std::string_view name) const;
    const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

  private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

/// Decoded query parameters (percent-decoding and '+'); repeated names are kept in order.
class Query {
  public:
    void add(std::string name, std::string value) { pairs_.emplace_back(std::move(name), std::move(value)); }
    std::optional<std::string_view> get(std::string_view name) const;
    std::vector<std::string_view> all(std::string_view name) const;
    const std::vector<std::pair<std::string, std::string>>& pairs() const { return pairs_; }

  private:
    std::vector<std::pair<std::string, std::string>> pairs_;
};

/// Who asks, as the authenticator that app wired found it. `net` gives no meaning to the fields.
struct Principal {
    std::string user_id;           ///< full Matrix id
    std::int64_t user_number = 0;  ///< identity's short id
    std::string device_id;
    std::int64_t device_number = 0;
    std::int64_t token_number = 0;
    bool is_admin = false;
};

/// A body that is read piece by piece (uploads). Only routes with `streams_body` get one.
class BodyReader {
  public:
    virtual ~BodyReader() = default;
    /// The next piece (at most 64 KiB), empty at the end. Errors: net.body_too_large (too_large),
    /// net.body_timeout (timeout), net.connection_lost (cancelled).
    virtual runtime::Task<base::Result<std::span<const std::uint8_t>>> next() = 0;
};

struct Request {
    Method method = Method::get;
    std::string path;                                              ///< raw path, without the query
    std::vector<std::pair<std::string, std::string>> path_values;  ///< decoded values of the route's {names}
    Query query;
    Headers headers;
    std::string body;  ///< whole body, within the route's limit; empty where the route streams
    BodyReader* body_reader = nullptr;  ///< valid until the handler returns
    std::optional<std::uint64_t> content_length;
    std::string peer_address;  ///< the client's, X-Forwarded-For believed from trusted proxies alone
    std::optional<Principal> principal;

    /// The value of a {name} of the route's path; empty for a name that the route lacks.
    const std::string& value(std::string_view name) const;
};

/// Writes a response body over time: Server-Sent Events. Buffered up to a bound; a reader that falls behind
/// is cut.
class EventStream {
  public:
    virtual ~EventStream() = default;
    /// Sends one event; `data` may hold line breaks. False once the client has gone.
    virtual runtime::Task<bool> send(std::string_view event, std::string_view data) = 0;
    /// Whether the client has gone, or was cut because it read too slowly. Turns true without a send.
    virtual bool closed() const = 0;
};

/// Writes a long body piece by piece (exports). Awaiting `write` is the back-pressure.
class BodyWriter {
  public:
    virtual ~BodyWriter() = default;
    virtual runtime::Task<bool> write(std::string_view piece) = 0;
};

/// An open file. Owns its descriptor, so that an answer that is never sent gives it back too.
struct FileBody {
    FileBody(int opened, std::uint64_t size) : descriptor(opened), size_bytes(size) {}
    FileBody(FileBody&& other) noexcept
        : descriptor(std::exchange(other.descriptor, -1)), size_bytes(other.size_bytes) {}
    FileBody& operator=(FileBody&& other) noexcept {
        std::swap(descriptor, other.descriptor);
        size_bytes = other.size_bytes;
        return *this;
    }
    ~FileBody();

    int descriptor;
    std::uint64_t size_bytes;
};

struct Response {
    int status = 200;
    Headers headers;
    std::string body;
    /// Instead of `body`: a file (ranges and conditional requests are net's work: set ETag or Last-Modified).
    std::optional<FileBody> file;
    /// Instead of `body`: runs after the head was sent, as text/event-stream.
    std::move_only_function<runtime::Task<void>(EventStream&)> events;
    /// Instead of `body`: runs after the head was sent, chunked.
    std::move_only_function<runtime::Task<void>(BodyWriter&)> writer;
};

/// A JSON response from text that is JSON already.
Response json(int status, std::string body);
Response json(int status, const base::json::value& value);
/// A literal that is JSON already; without this one "{}" could as well be a JSON string.
inline Response json(int status, const char* body) {
    return json(status, std::string(body));
}

}  // namespace net
