#include "settings.h"

namespace app {
namespace {

using base::SettingType;

constexpr base::Setting kRows[] = {
    {"listen", SettingType::text, "127.0.0.1:8008", "", "", false,
     "Address and port for clients; port 0 lets the system choose."},
    {"metrics-listen", SettingType::text, "127.0.0.1:9008", "", "", false,
     "Address and port for Prometheus (/metrics); empty switches it off."},
    {"public-url", SettingType::text, "", "", "", false,
     "How clients reach this server (https://chat.example.org): in links, QR codes and well-known. Without "
     "it, the "
     "listener's address."},
    {"data", SettingType::path, "data", "", "", false, "Directory of everything that is kept."},
    {"config", SettingType::path, "", "", "", false, "A TOML file with any of these settings."},
    {"server-name", SettingType::text, "", "", "", false,
     "The part of every id after the colon. Kept with the first account and immutable from then on."},
    {"registration", SettingType::choice, "invitation", "", "open|invitation|closed", false,
     "Who may register: anybody, people with an invitation, or nobody."},
    {"directory", SettingType::choice, "everyone", "", "everyone|shared-rooms", false,
     "Whom people find by name: everyone, or those with whom they share a room or who are in one that "
     "anybody may join or read."},
    {"support-page", SettingType::text, "", "", "", false,
     "Web page on which people find help (https://example.org/help); clients are told of it at "
     "/.well-known/matrix/support. Empty: none."},
    {"rate-limits", SettingType::boolean, "on", "", "", false,
     "Whether clients that ask too often are slowed."},
    {"connections-per-address", SettingType::integer, "2000", "connections", "", false,
     "Most connections that one address (of IPv6: one /64) may hold, trusted proxies excepted; 0: no limit. "
     "Not in force with rate-limits off."},
    {"trusted-proxies", SettingType::list, "", "", "", false,
     "Addresses or blocks (10.0.0.0/8) of proxies whose X-Forwarded-For is believed."},
    {"tls-certificate", SettingType::path, "", "", "", false,
     "Certificate chain (PEM). With it and tls-key the listener speaks HTTPS; both are read again when they "
     "change."},
    {"tls-key", SettingType::path, "", "", "", false, "Private key (PEM) of the certificate."},
    {"web-root", SettingType::path, "", "", "", false,
     "Directory of the built web client; empty serves none."},
    {"upload-limit", SettingType::integer, "104857600", "bytes", "", false,
     "Largest file that may be uploaded."},
    {"upload-quota", SettingType::integer, "10737418240", "bytes", "", false,
     "Most that the uploads of one person may take together."},
    {"scrub-after", SettingType::integer, "60", "seconds", "", false,
     "How long text that was redacted or deleted may stay in the database's files before it is overwritten."},
    {"gateway-config", SettingType::path, "", "", "", false,
     "A TOML file of model servers that is only read; without it they are kept in the data directory and "
     "edited on "
     "the administrator's page."},
    {"log-level", SettingType::choice, "info", "", "debug|info|warning|error", false,
     "Least important events to log; at a terminal it is warning where nobody sets it."},
    {"demo", SettingType::boolean, "off", "", "", false,
     "Starts on a data directory of its own with two demonstration accounts, and prints a one-use link for "
     "each."},
};

constexpr std::string_view kOtherVariables[] = {
    "LINGXI_BACKEND",  // web: the server behind `npm run dev`
    "LINGXI_BUILD",    // tests, bench: the executables
    "LINGXI_E2E_TIMEOUT_MS", "LINGXI_LINT_JOBS",
    "LINGXI_RENDER",  // tests of render: the executable
    "LINGXI_SPEC",    // tests/conformance: Matrix's specification
    "LINGXI_TEST_JOBS",
    "LINGXI_WRITE_DOCS",  // tests/conformance: writes what it would compare
};

}  // namespace

std::span<const base::Setting> setting_rows() {
    return kRows;
}

std::span<const std::string_view> other_variables() {
    return kOtherVariables;
}

}  // namespace app
