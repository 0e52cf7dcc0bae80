#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <base/id.h>
#include <base/result.h>
#include <runtime/task.h>
#include <wire/channel.h>

namespace egress {

struct CallTag;
/// Chosen by core, one a model call: the key of its reservation and its receipt.
using CallId = base::TextId<CallTag>;

/// Which calls go first when a provider is busy; each lane has a bounded queue of its own.
enum class Lane : std::uint8_t { interactive, user_async, background };

/// The largest request body that may leave, and so the most tokens that a prompt can be: whoever says more
/// than that is not believed.
constexpr std::int64_t kOutboundLimitBytes = std::int64_t{1024} * 1024;
/// More bytes than a token has on average in any language: whoever says that an answer was more tokens than
/// asked for is believed up to so many times the limit.
constexpr std::int64_t kTokenLimitBytes = 16;
/// A unit of the currency a token.
constexpr std::int64_t kPriceLimitMicrosPerMillion = 1'000'000'000'000;

struct PromptMessage {
    enum class Role : std::uint8_t { system, user, assistant };
    Role role = Role::user;
    std::string content;  ///< UTF-8
};

/// What core hands over for one call: all that the model will see, and nothing else leaves.
struct ModelRequest {
    CallId call_id;
    std::string purpose;  ///< "suggest_replies", "translate", "converse", "try_out": a closed set
    Lane lane = Lane::interactive;
    std::vector<PromptMessage> messages;
    std::int32_t max_output_tokens = 512;
    double temperature = 0.7;
    /// The only server that may be used; empty: the gateway's order of preference.
    std::string provider_id;
    /// The administrator wants to see whether `provider_id` answers: it is asked at once, whatever is known
    /// of it, and no other is.
    bool is_trial = false;
    /// What everybody whose words these are has agreed to: only a server on this machine, only the one of
    /// this name (empty: any).
    bool this_machine_only = false;
    std::string provider_name;
    bool json_object = false;  ///< asks for a JSON object where the provider can promise one
    /// An answer that the same bytes got a while ago in this scope (a room, a person) is as good; empty: none
    /// is.
    std::string reuse_scope;
    /// Only such an answer will do: nothing may leave (there is no budget for it).
    bool known_only = false;
    std::chrono::steady_clock::time_point deadline;
};

/// Whether anything of a request left the machine's gateway, as far as is known: as soon as one byte of it
/// was handed to a connection, all of it counts as gone. Numbers are stored; what is unknown is not.
enum class Left : std::uint8_t { no = 0, yes = 1, unknown = 2 };
std::string_view to_string(Left left);

/// What became of the request that was told to go last, where its call failed.
struct Fate {
    Left left = Left::unknown;
    bool nothing_owed = false;  ///< it surely was not worked on
};

/// First answer: what would go out, before it goes. Nothing has left the machine yet.
struct Prepared {
    /// Nothing will leave: the gateway still holds what this provider answered to the same bytes. Hash and
    /// size are of nothing then.
    bool known = false;
    /// Where this is another provider after one that failed: whether that one may have worked on the request
    /// before, and wants to be paid.
    bool paid_before = false;
    /// And whether what that one was to be sent has left.
    Left left_before = Left::unknown;
    std::string outbound_sha256;  ///< hex, of the exact bytes of the request body
    std::int64_t outbound_bytes = 0;
    std::string provider_id;
    std::string provider_name;
    std::string model;
    bool on_this_machine = false;
    // Micro-units of `currency` per million tokens.
    std::int64_t input_price_micros_per_million = 0;
    std::int64_t output_price_micros_per_million = 0;
    std::string currency;
};

/// A piece of the answer's text, whole UTF-8 characters. Reasoning is not passed on.
struct Delta {
    std::string text;
    /// Of content and reasoning so far, up to this piece: what a call that is given up here is paid for. 0:
    /// nobody counted.
    std::int64_t received_bytes = 0;
};

/// Last of a stream that went well.
struct Finished {
    std::int64_t input_tokens = 0;
    std::int64_t output_tokens = 0;
    bool estimated = false;           ///< the provider sent no usable usage: counted by an upper estimate
    std::int64_t received_bytes = 0;  ///< of content and reasoning: no token is shorter than a byte
    std::string finish_reason;        ///< "stop", "length", …
    bool retracted = false;           ///< the provider took back what it had sent (finish_reason "sensitive")
};

/// Whether a call that failed with this code, before any text came, was not worked on at all.
bool cost_nothing(std::string_view code);

using ModelEvent = std::variant<Prepared, Delta, Finished>;

/// One model call: begin → Prepared → go() → Delta… → Finished. Destroying it cancels.
class ModelCall {
  public:
    explicit ModelCall(std::unique_ptr<wire::Call> call);
    ~ModelCall();
    ModelCall(ModelCall&&) noexcept;
    ModelCall& operator=(ModelCall&&) noexcept;

    /// Errors: model.none_configured, model.none_available, model.busy, model.refused, model.bad_key,
    /// model.no_such_model, model.unreachable, model.bad_answer (all unavailable), model.timeout (timeout),
    /// gateway.away (unavailable: the gateway is being restarted), wire.cancelled. In our own words, whatever
    /// the gateway's were.
    runtime::Task<base::Result<ModelEvent>> next();
    /// Lets the prepared request out. Core calls it only after the receipt is durable. Where it fails, the
    /// request has not left.
    runtime::Task<base::Result<void>> go();
    /// After next() failed: as far as the gateway could tell it.
    const Fate& fate() const { return fate_; }
    /// Gives the call up; a next() under way ends with wire.cancelled.
    void cancel();
    /// Gives the call up and hears the gateway out, for at most `last_words`: next() goes on to its failure,
    /// after which fate() says what became of the request.
    void ask_to_end(std::chrono::steady_clock::duration last_words);

  private:
    std::unique_ptr<wire::Call> call_;
    Fate fate_;
};

/// A configured model server, as the administrator's page shows it. The key never comes back.
struct Provider {
    std::string id;  ///< [a-z0-9-]{1,32}
    std::string name;
    std::string base_url;  ///< "https://api.example.com/v1"
    std::string model;
    bool has_key = false;
    bool on_this_machine = false;  ///< derived: loopback, and no model that is passed on from there
    bool enabled = true;
    std::int32_t max_concurrent = 5;
    std::int64_t input_price_micros_per_million = 0;
    std::int64_t output_price_micros_per_million = 0;
    std::string currency = "USD";
    bool circuit_open = false;
};

struct ProviderList {
    bool read_only = false;  ///< from a file named by --gateway-config
    std::string file;        ///< its name without directories
    std::vector<Provider> providers;
};

/// A model server that answers on loopback: offered, never switched on by itself.
struct Found {
    std::string kind;  ///< "ollama", "llama-server", "vllm", "lm-studio"
    std::string base_url;
    std::vector<std::string> models;
};

/// Core's client of the gateway. While the gateway is away every call fails with gateway.away, at once.
class Gateway {
  public:
    explicit Gateway(wire::Peer& peer) : peer_(peer) {}

    base::Result<ModelCall> begin(ModelRequest request);
    bool is_up() const { return peer_.is_open(); }

    /// In the order of preference, whatever may be used of them now.
    runtime::Task<base::Result<ProviderList>> providers();
    /// Adds or replaces. `key`: nothing keeps the stored one, "" removes it; passed through unstored and
    /// unlogged. Errors: gateway.read_only, gateway.name_taken, gateway.name_of_another_host (conflict),
    /// gateway.bad_provider (invalid).
    runtime::Task<base::Result<void>> put_provider(Provider provider, std::optional<std::string> key);
    runtime::Task<base::Result<void>> remove_provider(std::string id);
    runtime::Task<base::Result<void>> set_order(std::vector<std::string> ids);
    runtime::Task<base::Result<std::vector<Found>>> discover();

  private:
    wire::Peer& peer_;
};

}  // namespace egress
