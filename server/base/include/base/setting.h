#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <base/result.h>

namespace base {

enum class SettingType : std::uint8_t { text, integer, boolean, choice, list, path };

/// One row declares a setting: from it come the flag (--rate-limits), the TOML key (rate_limits), the
/// variable (LINGXI_RATE_LIMITS), --help and the page in docs.
struct Setting {
    std::string_view name;  ///< kebab-case, as the flag
    SettingType type;
    std::string_view default_value;
    std::string_view unit;     ///< "ms", "bytes", … or empty
    std::string_view choices;  ///< "a|b|c" for choice
    bool secret;               ///< never printed
    std::string_view help;
};

/// The values in force. Later sources win: defaults, TOML file, environment, command line.
class Settings {
  public:
    explicit Settings(std::span<const Setting> rows);

    /// Errors: base.unknown_setting, base.bad_setting (invalid), with the source's name in the message.
    Result<void> apply_toml(std::string_view text, std::string_view source);
    /// Takes the variables whose names begin with LINGXI_; `others` of them are read by something else.
    Result<void> apply_environment(const std::map<std::string, std::string>& environment,
                                   std::span<const std::string_view> others = {});
    /// Takes `--name value`, `--name=value` and, for booleans, `--name`. What is no flag is left in `rest`.
    Result<void> apply_arguments(std::span<const std::string_view> arguments, std::vector<std::string>& rest);

    const std::string& text(std::string_view name) const;
    std::int64_t integer(std::string_view name) const;
    bool boolean(std::string_view name) const;
    std::vector<std::string> list(std::string_view name) const;
    /// Whether a source other than the default has set it.
    bool is_set(std::string_view name) const;
    std::span<const Setting> rows() const { return rows_; }

    std::string help() const;      ///< for --help
    std::string markdown() const;  ///< the table in docs

  private:
    Result<void> assign(std::string_view name, std::string value, std::string_view source);

    std::span<const Setting> rows_;
    std::map<std::string, std::string, std::less<>> values_;
    std::map<std::string, bool, std::less<>> set_;
};

}  // namespace base
