#include "keyed_lock.h"

#include <chrono>

#include <runtime/signal.h>

namespace chat {
namespace {

constexpr auto kPatience = std::chrono::minutes(2);

}  // namespace

struct KeyedLock::Entry {
    explicit Entry(runtime::Runtime& runtime) : released(runtime) {}
    runtime::Notifier released;
};

KeyedLock::KeyedLock(runtime::Runtime& runtime) : runtime_(runtime) {}
KeyedLock::~KeyedLock() = default;

runtime::Task<base::Result<KeyedLock::Guard>> KeyedLock::lock(std::string key) {
    for (;;) {
        const auto found = held_.find(key);
        if (found == held_.end()) {
            held_.emplace(key, std::make_shared<Entry>(runtime_));
            co_return Guard(*this, std::move(key));
        }
        const auto entry = found->second;  // kept while this waits: its holder drops it
        if (!co_await entry->released.wait(kPatience)) {
            co_return base::fail(base::ErrorKind::unavailable, "chat.media_busy",
                                 "The file is in use; try again.");
        }
    }
}

void KeyedLock::release(const std::string& key) {
    const auto found = held_.find(key);
    const auto entry = found->second;
    held_.erase(found);
    entry->released.notify();
}

}  // namespace chat
