#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace base {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

/// A field of a logged event. Never put message bodies, prompts, tokens or keys into one.
struct LogField {
    std::string_view name;
    std::variant<std::string_view, std::int64_t, double, bool> value;

    LogField(std::string_view n, std::string_view v) : name(n), value(v) {}
    LogField(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
    LogField(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
    template <class T>
        requires std::is_integral_v<T>
    LogField(std::string_view n, T v) : name(n) {
        if constexpr (std::is_same_v<T, bool>) {
            value = v;
        } else {
            value = static_cast<std::int64_t>(v);
        }
    }
    LogField(std::string_view n, double v) : name(n), value(v) {}
};

/// Where events go: runtime installs a sink at start. Thread-safe.
using LogSink = void (*)(LogLevel level, std::string_view event, std::span<const LogField> fields);
void set_log_sink(LogSink sink);

/// Logs the event `module.what_happened` with its fields.
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});
inline void log_info(std::string_view event, std::initializer_list<LogField> fields = {}) {
    log(LogLevel::info, event, fields);
}
inline void log_warning(std::string_view event, std::initializer_list<LogField> fields = {}) {
    log(LogLevel::warning, event, fields);
}
inline void log_error(std::string_view event, std::initializer_list<LogField> fields = {}) {
    log(LogLevel::error, event, fields);
}

}  // namespace base
