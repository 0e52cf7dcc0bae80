#include "provider_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

#include <boost/url/parse.hpp>
#include <toml++/toml.h>

#include <base/encoding.h>
#include <base/log.h>

namespace gateway {
namespace {

constexpr std::size_t kProvidersLimit = 32;
constexpr std::size_t kTextLimitBytes = 512;
/// Of names that stood for a place; the oldest is forgotten.
constexpr std::size_t kMeaningsLimit = 512;

std::unexpected<base::Error> bad_provider(std::string message) {
    return base::fail(base::ErrorKind::invalid, "gateway.bad_provider", std::move(message));
}

base::Result<void> check(const egress::Provider& provider) {
    const bool id_is_plain =
        !provider.id.empty() && provider.id.size() <= 32 &&
        provider.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
    if (!id_is_plain) return bad_provider("A model server's id is 1 to 32 of a–z, 0–9 and '-'.");
    if (provider.model.empty() || provider.model.size() > kTextLimitBytes)
        return bad_provider("Name the model.");
    if (provider.name.size() > kTextLimitBytes) return bad_provider("The name is too long.");
    for (const auto price :
         {provider.input_price_micros_per_million, provider.output_price_micros_per_million}) {
        if (price < 0 || price > egress::kPriceLimitMicrosPerMillion)
            return bad_provider(
                "A price is a whole number of micro-units, from 0 to a unit of the currency a token.");
    }
    if (provider.currency.size() != 3) return bad_provider("The currency is a three-letter code (ISO 4217).");
    return check_base_url(provider.base_url);
}

toml::table to_toml(const StoredProvider& stored) {
    const egress::Provider& shown = stored.shown;
    toml::table table{{"id", shown.id},
                      {"name", shown.name},
                      {"base_url", shown.base_url},
                      {"model", shown.model},
                      {"enabled", shown.enabled},
                      {"max_concurrent", shown.max_concurrent},
                      {"input_price_micros_per_million", shown.input_price_micros_per_million},
                      {"output_price_micros_per_million", shown.output_price_micros_per_million},
                      {"currency", shown.currency}};
    if (!stored.api_key.empty()) table.insert("api_key", stored.api_key);
    return table;
}

/// -1 for what is there and is no whole number; toml++ would convert a fraction, or fault on one over 64
/// bits.
std::int64_t whole_number(const toml::table& table, std::string_view name, std::int64_t fallback) {
    const auto* node = table.get(name);
    if (node == nullptr) return fallback;
    const auto* number = node->as_integer();
    return number == nullptr ? -1 : number->get();
}

StoredProvider from_toml(const toml::table& table) {
    StoredProvider stored;
    egress::Provider& shown = stored.shown;
    shown.id = table["id"].value_or(std::string());
    shown.base_url = table["base_url"].value_or(std::string());
    shown.model = table["model"].value_or(std::string());
    shown.name = table["name"].value_or(shown.id);
    shown.enabled = table["enabled"].value_or(true);
    shown.max_concurrent = static_cast<std::int32_t>(
        std::clamp(whole_number(table, "max_concurrent", 5), std::int64_t{1}, std::int64_t{256}));
    shown.input_price_micros_per_million = whole_number(table, "input_price_micros_per_million", 0);
    shown.output_price_micros_per_million = whole_number(table, "output_price_micros_per_million", 0);
    shown.currency = table["currency"].value_or(std::string("USD"));
    stored.api_key = table["api_key"].value_or(std::string());
    shown.has_key = !stored.api_key.empty();
    shown.on_this_machine = is_on_this_machine(shown);
    return stored;
}

/// Scheme, host and port: who receives what is sent.
std::string origin_of(std::string_view base_url) {
    const auto url = boost::urls::parse_uri(base_url);
    if (!url) return {};
    const std::string scheme = base::ascii_lower(std::string_view(url->scheme()));
    std::string port(url->port());
    if (port.empty()) port = scheme == "https" ? "443" : "80";
    return scheme + "://" + base::ascii_lower(url->host()) + ":" + port;
}

/// Written beside, synced, renamed: a crash leaves the old file or the new one, whole.
base::Result<void> replace_file(const std::filesystem::path& file, const std::string& text) {
    const auto failed = [&] {
        return base::fail(
            base::ErrorKind::unavailable, "gateway.cannot_save",
            "The list of model servers could not be saved: " + std::string(std::strerror(errno)) + ".");
    };
    const std::filesystem::path beside = file.string() + ".new";
    const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return failed();
    std::size_t written = 0;
    while (written < text.size()) {
        const ssize_t n = ::write(fd, text.data() + written, text.size() - written);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) break;
        written += static_cast<std::size_t>(n);
    }
    const bool synced = written == text.size() && ::fsync(fd) == 0;
    ::close(fd);
    if (!synced || ::rename(beside.c_str(), file.c_str()) != 0) return failed();
    const int directory = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0) {
        ::fsync(directory);
        ::close(directory);
    }
    return {};
}

/// By a name that no public name server knows, or an address that no router of the Internet forwards to
/// (RFC 1918, 3927, 4193, 4291, 6598).
bool is_in_local_network(const boost::urls::url_view& url) {
    if (url.host_type() == boost::urls::host_type::ipv4) {
        const auto bytes = url.host_ipv4_address().to_bytes();
        return bytes[0] == 10 || (bytes[0] == 172 && (bytes[1] & 0xf0U) == 16) ||
               (bytes[0] == 192 && bytes[1] == 168) || (bytes[0] == 169 && bytes[1] == 254) ||
               (bytes[0] == 100 && (bytes[1] & 0xc0U) == 64);
    }
    if (url.host_type() == boost::urls::host_type::ipv6) {
        const auto bytes = url.host_ipv6_address().to_bytes();
        return (bytes[0] & 0xfeU) == 0xfc || (bytes[0] == 0xfe && (bytes[1] & 0xc0U) == 0x80);
    }
    const std::string host(url.host());
    return host.find('.') == std::string::npos || host.ends_with(".local") || host.ends_with(".internal") ||
           host.ends_with(".lan");
}

}  // namespace

bool is_loopback_url(std::string_view base_url) {
    const auto url = boost::urls::parse_uri(base_url);
    if (!url) return false;
    if (url->host_type() == boost::urls::host_type::ipv4) return url->host_ipv4_address().is_loopback();
    if (url->host_type() == boost::urls::host_type::ipv6) return url->host_ipv6_address().is_loopback();
    return url->host() == "localhost";
}

bool is_cloud_model(std::string_view model) {
    const auto name = base::ascii_lower(model);
    return name.ends_with(":cloud") || name.ends_with("-cloud");
}

bool is_on_this_machine(const egress::Provider& provider) {
    return is_loopback_url(provider.base_url) && !is_cloud_model(provider.model);
}

base::Result<void> check_base_url(std::string_view base_url) {
    const auto url = boost::urls::parse_uri(base_url);
    if (!url || base_url.size() > kTextLimitBytes || (url->scheme() != "https" && url->scheme() != "http") ||
        url->host().empty()) {
        return bad_provider("The address looks like https://host/v1.");
    }
    if (url->has_userinfo() || url->has_query() || url->has_fragment()) {
        return bad_provider(
            "The address holds no credentials, query or fragment: give the key in its own field.");
    }
    if (url->scheme() == "http" && !is_loopback_url(base_url) && !is_in_local_network(*url)) {
        return bad_provider("A model server outside the local network is reached by https.");
    }
    return {};
}

base::Result<ProviderStore> ProviderStore::open(std::filesystem::path file, bool read_only) {
    ProviderStore store(std::move(file), read_only);
    std::ifstream in(store.file_);
    if (!in) {
        if (!read_only) return store;
        return base::fail(base::ErrorKind::invalid, "gateway.bad_config",
                          "The gateway's configuration file cannot be read.");
    }
    std::ostringstream text;
    text << in.rdbuf();
    try {
        const toml::table table = toml::parse(text.str());
        if (const auto* list = table["name_meant"].as_array()) {
            for (const auto& node : *list) {
                if (node.as_table() == nullptr) continue;
                const auto& meant = *node.as_table();
                store.meanings_.push_back(
                    {meant["name"].value_or(std::string()), meant["origin"].value_or(std::string())});
            }
        }
        if (const auto* list = table["provider"].as_array()) {
            for (const auto& node : *list) {
                if (node.as_table() == nullptr) continue;
                StoredProvider stored = from_toml(*node.as_table());
                if (auto checked = check(stored.shown); !checked) {
                    return base::fail(base::ErrorKind::invalid, "gateway.bad_config",
                                      "Provider '" + stored.shown.id + "': " + checked.error().message);
                }
                if (store.find(stored.shown.id) != nullptr || store.providers_.size() == kProvidersLimit) {
                    return base::fail(
                        base::ErrorKind::invalid, "gateway.bad_config",
                        "Provider '" + stored.shown.id + "' stands twice, or there are too many.");
                }
                // People agree to a name. Ours may hold one twice from when that was allowed: whoever has it
                // second loses it, since nobody agreed to the new one. Who wrote a file by hand can mend it.
                if (!read_only) store.name_anew(stored.shown);
                if (store.is_taken(stored.shown.name, stored.shown.id)) {
                    return base::fail(base::ErrorKind::invalid, "gateway.bad_config",
                                      "Two providers are named '" + stored.shown.name + "'.");
                }
                remember(stored.shown, store.meanings_);
                store.providers_.push_back(std::move(stored));
            }
        }
    } catch (const toml::parse_error& error) {
        return base::fail(base::ErrorKind::invalid, "gateway.bad_config",
                          "Line " + std::to_string(error.source().begin.line) + ": " +
                              std::string(error.description()) + ".");
    }
    return store;
}

bool ProviderStore::is_taken(std::string_view name, std::string_view id) const {
    return std::ranges::any_of(providers_, [&](const StoredProvider& other) {
        return other.shown.id != id && other.shown.name == name;
    });
}

void ProviderStore::name_anew(egress::Provider& provider) const {
    if (!is_taken(provider.name, provider.id)) return;
    base::log_warning("gateway.provider_renamed", {{"provider", provider.id}});
    provider.name = provider.id;
    for (int number = 2; is_taken(provider.name, provider.id); ++number)
        provider.name = provider.id + "-" + std::to_string(number);
}

const StoredProvider* ProviderStore::find(std::string_view id) const {
    const auto found =
        std::ranges::find(providers_, id, [](const StoredProvider& stored) { return stored.shown.id; });
    return found == providers_.end() ? nullptr : &*found;
}

base::Result<void> ProviderStore::put(egress::Provider provider, std::optional<std::string> key) {
    if (auto checked = check(provider); !checked) return checked;
    if (key && key->find_first_of("\r\n") != std::string::npos)
        return bad_provider("The key holds a line break.");
    if (provider.name.empty()) provider.name = provider.id;
    if (is_taken(provider.name, provider.id))
        return base::fail(base::ErrorKind::conflict, "gateway.name_taken",
                          "Another model server has this name, and people agree to a name: choose another.");
    provider.on_this_machine = is_on_this_machine(provider);
    const auto meaning = std::ranges::find(meanings_, provider.name, &Meaning::name);
    if (!provider.on_this_machine && meaning != meanings_.end() &&
        meaning->origin != origin_of(provider.base_url)) {
        return base::fail(base::ErrorKind::conflict, "gateway.name_of_another_host",
                          "People agreed to this name when it stood for another address, " + meaning->origin +
                              ": choose another name.");
    }
    auto next = providers_;
    auto place =
        std::ranges::find(next, provider.id, [](const StoredProvider& stored) { return stored.shown.id; });
    if (place == next.end()) {
        if (next.size() == kProvidersLimit) return bad_provider("There are too many model servers.");
        place = next.insert(next.end(), StoredProvider{});
    }
    // A key belongs to the address it was given for: another address must not receive it.
    const bool moved = !place->shown.base_url.empty() && place->shown.base_url != provider.base_url;
    if (key) {
        place->api_key = std::move(*key);
    } else if (moved) {
        place->api_key.clear();
    }
    provider.has_key = !place->api_key.empty();
    provider.circuit_open = false;
    place->shown = std::move(provider);
    return save(std::move(next));
}

base::Result<void> ProviderStore::remove(std::string_view id) {
    auto next = providers_;
    if (std::erase_if(next, [&](const StoredProvider& stored) { return stored.shown.id == id; }) == 0) {
        return base::fail(base::ErrorKind::not_found, "gateway.no_provider",
                          "There is no such model server.");
    }
    return save(std::move(next));
}

base::Result<void> ProviderStore::reorder(const std::vector<std::string>& ids) {
    std::vector<StoredProvider> next;
    for (const std::string& id : ids) {
        const StoredProvider* stored = find(id);
        const bool listed =
            std::ranges::any_of(next, [&](const StoredProvider& other) { return other.shown.id == id; });
        if (stored != nullptr && !listed) next.push_back(*stored);
    }
    for (const StoredProvider& stored : providers_) {
        if (std::ranges::find(ids, stored.shown.id) == ids.end()) next.push_back(stored);
    }
    return save(std::move(next));
}

base::Result<void> ProviderStore::save(std::vector<StoredProvider> providers) {
    if (read_only_) {
        return base::fail(
            base::ErrorKind::conflict, "gateway.read_only",
            "Model servers come from a file that the administrator named: edit " + file_name() + ".");
    }
    toml::array list;
    auto meanings = meanings_;
    for (const StoredProvider& stored : providers) {
        list.push_back(to_toml(stored));
        remember(stored.shown, meanings);
    }
    toml::array meant;
    for (const Meaning& meaning : meanings)
        meant.push_back(toml::table{{"name", meaning.name}, {"origin", meaning.origin}});
    std::ostringstream text;
    text << "# Model servers in order of preference, and what their names have stood for; written by the "
            "administrator's page.\n"
         << toml::table{{"provider", list}, {"name_meant", meant}} << '\n';
    if (auto saved = replace_file(file_, text.str()); !saved) return saved;
    providers_ = std::move(providers);
    meanings_ = std::move(meanings);
    return {};
}

/// Where words stay here, nobody agreed to a name.
void ProviderStore::remember(const egress::Provider& provider, std::vector<Meaning>& meanings) {
    if (provider.on_this_machine) return;
    std::erase_if(meanings, [&](const Meaning& meaning) { return meaning.name == provider.name; });
    if (meanings.size() >= kMeaningsLimit) meanings.erase(meanings.begin());
    meanings.push_back({provider.name, origin_of(provider.base_url)});
}

}  // namespace gateway
