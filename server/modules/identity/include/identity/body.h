#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <base/json.h>
#include <base/result.h>
#include <net/message.h>

namespace identity {

/// The JSON object of a request, read member by member. The first thing that is wrong is kept, so that an
/// endpoint reads what it needs and asks once. `null` counts as absent, since clients write it so.
class Body {
  public:
    /// An empty body is an empty object. What is no JSON object becomes the failure.
    explicit Body(const net::Request& request);
    explicit Body(base::json::object object) : object_(std::move(object)) {}

    std::string string(std::string_view name);  ///< required
    std::optional<std::string> optional_string(std::string_view name);
    std::optional<std::int64_t> optional_int(std::string_view name);
    bool boolean(std::string_view name, bool fallback);
    std::optional<bool> optional_boolean(std::string_view name);
    const base::json::object* optional_object(std::string_view name);
    const base::json::array* optional_array(std::string_view name);
    bool has(std::string_view name) const;

    bool failed() const { return error_.has_value(); }
    const base::Error& error() const { return *error_; }
    const base::json::object& object() const { return object_; }

  private:
    const base::json::value* member(std::string_view name) const;
    void fail(std::string_view code, std::string message);
    void fail_type(std::string_view name, std::string_view wanted);

    base::json::object object_;
    std::optional<base::Error> error_;
};

}  // namespace identity
