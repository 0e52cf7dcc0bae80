#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include <base/result.h>
#include <runtime/runtime.h>
#include <runtime/task.h>
#include <runtime/task_group.h>

namespace chat {

/// Mutual exclusion among coroutines, by name. I/O thread only.
class KeyedLock {
    struct Entry;

  public:
    class Guard {
      public:
        Guard(KeyedLock& lock, std::string key) : lock_(&lock), key_(std::move(key)) {}
        Guard(Guard&& other) noexcept
            : lock_(std::exchange(other.lock_, nullptr)), key_(std::move(other.key_)) {}
        Guard(const Guard&) = delete;
        Guard& operator=(const Guard&) = delete;
        Guard& operator=(Guard&&) = delete;
        ~Guard() {
            if (lock_ != nullptr) lock_->release(key_);
        }

      private:
        KeyedLock* lock_;
        std::string key_;
    };

    explicit KeyedLock(runtime::Runtime& runtime);
    ~KeyedLock();
    KeyedLock(const KeyedLock&) = delete;
    KeyedLock& operator=(const KeyedLock&) = delete;

    /// Errors: chat.media_busy (unavailable): its turn did not come in two minutes, or the task was
    /// cancelled.
    runtime::Task<base::Result<Guard>> lock(std::string key);

  private:
    void release(const std::string& key);

    runtime::Runtime& runtime_;
    std::map<std::string, std::shared_ptr<Entry>, std::less<>> held_;
};

}  // namespace chat
