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

    /// Errors: gateway.read_only, gateway.name_taken (conflict: people agree to a name), gateway.bad_provider
    /// (invalid), gateway.cannot_save (unavailable).
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

    std::filesystem::path file_;
    bool read_only_;
    std::vector<StoredProvider> providers_;
};

/// Whether a base URL points at this machine (loopback), by its host alone.
bool is_loopback_url(std::string_view base_url);
/// http(s)://host[:port][/path], no credentials, no query. Errors: gateway.bad_provider (invalid).
base::Result<void> check_base_url(std::string_view base_url);

}  // namespace gateway
