#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <base/json.h>
#include <base/random.h>
#include <base/result.h>
#include <net/message.h>
#include <runtime/task.h>

namespace identity {

/// What a user-interactive authentication is for: another operation, person or device cannot use its session.
struct UiaPurpose {
    std::string operation;
    std::int64_t user_number = 0;  ///< 0: nobody yet
    std::int64_t device_number = 0;
    bool operator==(const UiaPurpose&) const = default;
};

struct UiaSession {
    std::string id;
    UiaPurpose purpose;
    std::string completed_stage;     ///< empty: none yet
    std::string registration_token;  ///< of m.login.registration_token
    std::string password_hash;       ///< of m.login.password: what the password was compared with
    std::int64_t expires_at_ms = 0;
};

/// Sessions in memory, bounded. One that a restart or the bound lost is answered with a new one.
class UiaSessions {
  public:
    UiaSession& open(base::Random& random, UiaPurpose purpose, std::int64_t now_ms);
    UiaSession* find(std::string_view id, const UiaPurpose& purpose, std::int64_t now_ms);
    /// Whatever it is for: of those who have nothing but its id (the pages of stages).
    UiaSession* find(std::string_view id, std::int64_t now_ms);
    void close(std::string_view id);

  private:
    std::list<UiaSession> by_age_;
    std::unordered_map<std::string, std::list<UiaSession>::iterator> by_id_;
};

/// The 401 that asks for one of `stages` (each a flow of its own); with `error`, why the last attempt failed.
net::Response uia_challenge(const UiaSession& session, const std::vector<std::string>& stages,
                            const std::optional<base::Error>& error);

}  // namespace identity
