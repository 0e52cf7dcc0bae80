// lingxi: the only wiring. Subcommands: serve, admin, doctor, settings.

#include "admin.h"
#include "doctor.h"
#include "serve.h"
#include "settings.h"
#include "version.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <base/crypto.h>
#include <base/setting.h>
#include <runtime/supervisor.h>

namespace {

constexpr std::string_view kUsage =
    "lingxi serve [settings]            starts Lingxi\n"
    "lingxi admin setup-link [--data]   a new one-use link that makes the administrator\n"
    "lingxi doctor [settings]           looks at what a start with these settings needs, says what to do\n"
    "lingxi settings --markdown         the page of settings in docs\n"
    "lingxi --version\n\nSettings (also as LINGXI_NAME, or name = value in a TOML file given by --config):\n";

constexpr std::string_view kSettingsPage =
    "# Settings\n\n<!-- Written by `lingxi settings --markdown` from the rows in server/app/src/settings.cc; "
    "a test "
    "compares. -->\n\n"
    "`./run` and `lingxi serve` take each setting as a flag (`--name value` or `--name=value`), as an "
    "environment "
    "variable, and as a key of the TOML file that `--config` names. The command line wins over the "
    "environment, that "
    "over the file, that over the default. An unknown flag, key or variable (of those that begin with "
    "`LINGXI_`), or a value that does not fit, stops the start with "
    "words that say which.\n\n";

std::string other_variables_page() {
    std::string page = "\nScripts and tests of ours read variables of their own, which Lingxi lets pass:";
    for (const std::string_view name : app::other_variables())
        page += (page.ends_with(':') ? " `" : ", `") + std::string(name) + "`";
    return page + ".\n";
}

/// Who starts Lingxi at a terminal is told what to do next, and lines that are no news would push it out of
/// sight.
constexpr std::array<std::string_view, 1> kTerminalDefaults{"--log-level=warning"};

/// The demonstration stands beside a real server: with a directory, a name and ports of its own.
constexpr std::array<std::string_view, 4> kDemoDefaults{"--data=demo-data", "--server-name=demo.lingxi",
                                                        "--listen=127.0.0.1:8018",
                                                        "--metrics-listen=127.0.0.1:9018"};

std::map<std::string, std::string> environment() {
    std::map<std::string, std::string> variables;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        if (const std::size_t equals = text.find('='); equals != std::string_view::npos) {
            variables.emplace(text.substr(0, equals), text.substr(equals + 1));
        }
    }
    return variables;
}

/// Defaults, then the file, then the environment, then the command line.
base::Result<base::Settings> read_settings(std::span<const std::string_view> arguments,
                                           std::vector<std::string>& rest) {
    base::Settings first(app::setting_rows());
    if (auto applied = first.apply_environment(environment(), app::other_variables()); !applied)
        return base::fail(std::move(applied.error()));
    if (auto applied = first.apply_arguments(arguments, rest); !applied)
        return base::fail(std::move(applied.error()));
    const std::string file = first.text("config");
    if (file.empty()) return first;

    std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) {
        return base::fail(base::ErrorKind::invalid, "base.bad_setting",
                          "The file " + file + " cannot be read.");
    }
    base::Settings settings(app::setting_rows());
    rest.clear();
    if (auto applied = settings.apply_toml(text.str(), file); !applied)
        return base::fail(std::move(applied.error()));
    if (auto applied = settings.apply_environment(environment(), app::other_variables()); !applied)
        return base::fail(std::move(applied.error()));
    if (auto applied = settings.apply_arguments(arguments, rest); !applied)
        return base::fail(std::move(applied.error()));
    return settings;
}

/// Sets what nobody has set; each is a flag with its value.
base::Result<void> apply_fallbacks(base::Settings& settings, std::span<const std::string_view> fallbacks) {
    for (const std::string_view fallback : fallbacks) {
        const std::string_view name = fallback.substr(2, fallback.find('=') - 2);
        if (settings.is_set(name)) continue;
        std::vector<std::string> rest;
        if (auto applied = settings.apply_arguments(std::array{fallback}, rest); !applied) return applied;
    }
    return {};
}

int run(std::span<const std::string_view> arguments) {
    const std::string_view command = arguments.empty() ? "--help" : arguments.front();
    const auto rest_of_line = arguments.empty() ? arguments : arguments.subspan(1);
    const bool wants_help =
        command == "--help" || command == "-h" || command == "help" ||
        (!rest_of_line.empty() && (rest_of_line.back() == "--help" || rest_of_line.back() == "-h"));
    if (wants_help) {
        std::printf("%s%s", std::string(kUsage).c_str(), base::Settings(app::setting_rows()).help().c_str());
        return 0;
    }
    if (command == "--version") {
        std::printf("lingxi %s\n", std::string(app::kVersion).c_str());
        return 0;
    }
    if (command == "settings") {
        std::printf("%s%s%s", std::string(kSettingsPage).c_str(),
                    base::Settings(app::setting_rows()).markdown().c_str(), other_variables_page().c_str());
        return 0;
    }
    if (command != "serve" && command != "admin" && command != "doctor") {
        std::fprintf(stderr, "lingxi: there is no command '%s'; see lingxi --help\n",
                     std::string(command).c_str());
        return runtime::kExitMisconfigured;
    }
    std::vector<std::string> rest;
    auto settings = read_settings(rest_of_line, rest);
    if (!settings) {
        std::fprintf(stderr, "lingxi: %s\n  (%s)\n", settings.error().message.c_str(),
                     settings.error().code.c_str());
        return runtime::kExitMisconfigured;
    }
    if (settings->boolean("demo") && !apply_fallbacks(*settings, kDemoDefaults))
        return runtime::kExitMisconfigured;
    if (::isatty(STDERR_FILENO) == 1 && !apply_fallbacks(*settings, kTerminalDefaults))
        return runtime::kExitMisconfigured;
    if (command == "admin") return app::administer(*settings, rest);
    if (!rest.empty()) {
        std::fprintf(stderr,
                     "lingxi: '%s' is no setting: settings begin with -- (lingxi --help lists them)\n",
                     rest.front().c_str());
        return runtime::kExitMisconfigured;
    }
    return command == "doctor" ? app::examine(*settings) : app::serve(*settings);
}

}  // namespace

int main(int argc, char** argv) {
    base::initialise_crypto();
    const std::vector<std::string_view> arguments(argv + 1, argv + argc);
    return run(arguments);
}
