#include <atomic>

#include <base/log.h>

namespace base {
namespace {

std::atomic<LogSink> sink{nullptr};

}  // namespace

void set_log_sink(LogSink to) {
    sink.store(to);
}

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
    if (const LogSink current = sink.load()) current(level, event, {fields.begin(), fields.size()});
}

}  // namespace base
