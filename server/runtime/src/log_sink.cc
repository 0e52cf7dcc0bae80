#include <charconv>
#include <csignal>
#include <memory>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <runtime/log_sink.h>

namespace runtime {
namespace {

std::shared_ptr<spdlog::logger> logger;

/// logfmt: bare when it is one plain word, else quoted with control characters escaped, so that hostile text
/// cannot forge a line.
void append_value(std::string& line, std::string_view text) {
    const bool plain = !text.empty() && text.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                            "._:/@!$#+-[]") == std::string_view::npos;
    if (plain) {
        line += text;
        return;
    }
    static constexpr std::string_view kHex = "0123456789abcdef";
    line += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            line += '\\';
            line += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            line += "\\x";
            line += kHex[byte >> 4U];
            line += kHex[byte & 15U];
        } else {
            line += c;
        }
    }
    line += '"';
}

spdlog::level::level_enum level_of(base::LogLevel level) {
    switch (level) {
        case base::LogLevel::debug:
            return spdlog::level::debug;
        case base::LogLevel::info:
            return spdlog::level::info;
        case base::LogLevel::warning:
            return spdlog::level::warn;
        case base::LogLevel::error:
            return spdlog::level::err;
    }
    return spdlog::level::err;
}

void write_event(base::LogLevel level, std::string_view event, std::span<const base::LogField> fields) {
    if (!logger->should_log(level_of(level))) return;
    std::string line(event);
    for (const base::LogField& field : fields) {
        line += ' ';
        line += field.name;
        line += '=';
        std::visit(
            [&line](const auto& value) {
                using T = std::decay_t<decltype(value)>;
                if constexpr (std::is_same_v<T, std::string_view>) {
                    append_value(line, value);
                } else if constexpr (std::is_same_v<T, bool>) {
                    line += value ? "true" : "false";
                } else {
                    char text[32];
                    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
                    line.append(text, end);
                }
            },
            field.value);
    }
    logger->log(level_of(level), "{}", line);
}

}  // namespace

void install_log_sink(std::string process, base::LogLevel least) {
    logger = std::make_shared<spdlog::logger>(process, std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %n %v");
    logger->set_level(level_of(least));
    logger->flush_on(spdlog::level::info);
    // Whoever read the log ("| tee", a journal that restarts) may go; that would else end the process.
    std::signal(SIGPIPE, SIG_IGN);
    base::set_log_sink(write_event);
}

}  // namespace runtime
