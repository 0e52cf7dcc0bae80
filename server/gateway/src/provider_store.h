#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <base/result.h>
#include <egress/model.h>

namespace gateway {

/// A provider with what never leaves this process.
struct StoredProvider {
    egress::Provider shown;
    std::string api_key;
};

/// The model servers in order of preference, kept in one TOML file that belongs to the gateway alone.
class ProviderStore {
  public:
    /// Reads `file`; a file that is not there is an empty list. Errors: gateway.bad_config (invalid).
    static base::Result<ProviderStore> open(std::filesystem::path file, bool read_only);

    const std::vector<StoredProvider>& all() const { return providers_; }
    const StoredProvider* find(std::string_view id) const;
    bool read_only() const { return read_only_; }
    std::string file_name() const { return file_.filename().string(); }

    /// Errors: gateway.read_only, gateway.name_taken (conflict: people agree to a name),
    /// gateway.name_of_another_host (conflict: it once meant another place that words go to),
    /// gateway.bad_provider (invalid), gateway.cannot_save (unavailable).
    base::Result<void> put(egress::Provider provider, std::optional<std::string> key);
    base::Result<void> remove(std::string_view id);
    /// `ids` first, in this order; the rest keep theirs after them.
    base::Result<void> reorder(const std::vector<std::string>& ids);

  private:
    ProviderStore(std::filesystem::path file, bool read_only)
        : file_(std::move(file)), read_only_(read_only) {}
    /// Whether another than `id` has this name.
    bool is_taken(std::string_view name, std::string_view id) const;
    /// Gives it a name that nobody has, where another has its own.
    void name_anew(egress::Provider& provider) const;
    /// Writes the list that is to be, and takes it over only when it is durable.
    base::Result<void> save(std::vector<StoredProvider> providers);

    /// What a name stands for, or stood for when people agreed to it: also where the model server is gone.
    struct Meaning {
        std::string name;
        std::string origin;
    };
    static void remember(const egress::Provider& provider, std::vector<Meaning>& meanings);

    std::filesystem::path file_;
    bool read_only_;
    std::vector<StoredProvider> providers_;
    std::vector<Meaning> meanings_;  ///< of model servers elsewhere, the latest last
};

/// Whether a base URL points at this machine (loopback), by its host alone.
bool is_loopback_url(std::string_view base_url);
/// Whether Ollama passes what is said to this model on to its maker's machines ("glm-4.6:cloud",
/// "gpt-oss:120b-cloud").
bool is_cloud_model(std::string_view model);
/// Whether words that this provider is given stay on this machine, as far as can be told: what listens on
/// loopback and passes them on is believed.
bool is_on_this_machine(const egress::Provider& provider);
/// http(s)://host[:port][/path], no credentials, no query. Errors: gateway.bad_provider (invalid).
base::Result<void> check_base_url(std::string_view base_url);

}  // namespace gateway
