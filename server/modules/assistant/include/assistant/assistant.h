#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <base/clock.h>
#include <base/json.h>
#include <base/random.h>
#include <base/result.h>
#include <egress/model.h>
#include <identity/ids.h>
#include <net/route.h>
#include <runtime/runtime.h>
#include <runtime/task.h>
#include <storage/database.h>

namespace chat {
class Chat;
struct TypingNews;
}  // namespace chat

namespace assistant {

std::span<const storage::Migration> migrations();

/// Shows in a room that @assistant writes, or no longer (chat::Sync::tell_typing).
using TypingTeller = std::function<void(const chat::TypingNews&)>;

/// Reply suggestions, translation and @assistant: consent, budgets, receipts and labels around calls of
/// models.
class Assistant {
  public:
    /// The references outlive it.
    Assistant(runtime::Runtime& runtime, storage::Database& database, const base::Clock& clock,
              base::Random& random, chat::Chat& chat, egress::Gateway& gateway);
    ~Assistant();
    Assistant(const Assistant&) = delete;
    Assistant& operator=(const Assistant&) = delete;

    /// Settles what a crash left open, reads the label key, makes @assistant's account where the server has
    /// its name, and begins to listen. Nothing of it waits for the gateway.
    runtime::Task<base::Result<void>> start();
    /// Gives up the calls under way, so that whoever reads one is told, and begins no other.
    void release();
    /// The same; and waits until they are settled.
    runtime::Task<void> stop();

    std::vector<net::Route> routes();
    /// Before start().
    void set_typing_teller(TypingTeller tell);

    /// In the job that writes the server's name: @assistant's account (identity::Hooks::server_named).
    base::Result<void> server_named(storage::Transaction& tx);
    /// The zone of the server's days, as the setup page had it. Errors: assistant.bad_time_zone (invalid).
    runtime::Task<base::Result<void>> set_time_zone(std::string time_zone);

    /// Deletes what is kept of a person who asked to be forgotten: receipts, the note in other people's that
    /// words of theirs were in it, what they asked @assistant, what they spent (the server's sum stays).
    /// Calls under way are settled first. Repeating it does no harm.
    runtime::Task<base::Result<void>> erase_user(identity::UserNumber user);

    /// Whether every `im.lingxi.ai` label in this content is one that this server gave to this text. For
    /// chat, before sending. Errors: IM.LINGXI.FORGED_LABEL (invalid).
    base::Result<void> verify_content(std::string_view type, const base::json::object& content) const;

    struct Core;  ///< what the endpoints share (src/core.h)

  private:
    std::unique_ptr<Core> core_;
};

}  // namespace assistant
