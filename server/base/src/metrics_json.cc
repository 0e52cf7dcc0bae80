#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include <base/json.h>
#include <base/metrics_json.h>

namespace base {
namespace {

constexpr std::size_t kTextLimitBytes = std::size_t{64} * 1024;
constexpr std::size_t kReadingsLimit = 256;
constexpr std::size_t kBucketsLimit = 64;
constexpr std::size_t kLabelsLimit = 4;
constexpr std::size_t kNameLimitBytes = 64;
constexpr std::size_t kHelpLimitBytes = 256;
constexpr std::array<std::string_view, 3> kKinds{"counter", "gauge", "histogram"};

std::unexpected<Error> bad(std::string_view what) {
    return fail(ErrorKind::invalid, "base.bad_metrics", "Metrics lack " + std::string(what) + ".");
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= kNameLimitBytes &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos &&
           (text.front() < '0' || text.front() > '9');
}

std::optional<double> number(const json::value* value) {
    if (value == nullptr || !value->is_number()) return std::nullopt;
    const auto read = value->to_number<double>();
    return std::isfinite(read) ? std::optional(read) : std::nullopt;
}

Result<Labels> read_labels(const json::object& reading) {
    const json::object* object = get_object(reading, "labels");
    if (object == nullptr || object->size() > kLabelsLimit) return bad("labels");
    Labels labels;
    for (const auto& member : *object) {
        const auto* value = member.value().if_string();
        if (value == nullptr || !is_name(member.key()) || !is_name(*value) || member.key() == "le")
            return bad("a label of small letters");
        labels.emplace(member.key(), *value);
    }
    return labels;
}

/// "bounds" without the last, which is infinite, and "counts", each at or below its bound.
Result<Histogram::Reading> read_histogram(const json::object& reading) {
    const json::array* bounds = get_array(reading, "bounds");
    const json::array* counts = get_array(reading, "counts");
    const auto sum = number(reading.if_contains("sum"));
    if (bounds == nullptr || counts == nullptr || !sum || bounds->size() > kBucketsLimit ||
        counts->size() != bounds->size() + 1)
        return bad("buckets");
    Histogram::Reading read{.sum = *sum};
    double above = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < counts->size(); ++i) {
        const auto bound = i < bounds->size() ? number(&bounds->at(i))
                                              : std::optional(std::numeric_limits<double>::infinity());
        const auto* count = counts->at(i).if_int64();
        if (!bound || *bound <= above || count == nullptr || *count < 0 ||
            static_cast<std::uint64_t>(*count) < read.count)
            return bad("buckets that grow");
        above = *bound;
        read.count = static_cast<std::uint64_t>(*count);
        read.cumulative.emplace_back(above, read.count);
    }
    return read;
}

Result<MetricReading> read_reading(const json::value& value, MetricKind kind) {
    const json::object* object = value.if_object();
    if (object == nullptr) return bad("a reading");
    auto labels = read_labels(*object);
    if (!labels) return fail(std::move(labels.error()));
    MetricReading reading{.labels = std::move(*labels)};
    if (kind == MetricKind::histogram) {
        auto histogram = read_histogram(*object);
        if (!histogram) return fail(std::move(histogram.error()));
        reading.histogram = std::move(*histogram);
        return reading;
    }
    const auto said = number(object->if_contains("value"));
    if (!said || (kind == MetricKind::counter && *said < 0)) return bad("a value");
    reading.value = *said;
    return reading;
}

Result<MetricFamily> read_family(const json::value& value, std::string_view prefix) {
    const json::object* object = value.if_object();
    if (object == nullptr) return bad("a family");
    const auto name = get_string(*object, "name");
    if (!name || !is_name(*name) || !name->starts_with(prefix) ||
        !name->substr(prefix.size()).starts_with('_'))
        return bad("a name of its own");
    const auto help = get_string(*object, "help");
    if (!help || help->size() > kHelpLimitBytes) return bad("a short help");
    const auto kind = std::ranges::find(kKinds, get_string(*object, "kind").value_or(std::string_view{}));
    const json::array* readings = get_array(*object, "readings");
    if (kind == kKinds.end() || readings == nullptr || readings->empty()) return bad("readings");
    MetricFamily family{
        .name = std::string(*name), .help = std::string(*help), .kind = MetricKind(kind - kKinds.begin())};
    for (const json::value& item : *readings) {
        auto reading = read_reading(item, family.kind);
        if (!reading) return fail(std::move(reading.error()));
        const bool is_twice = std::ranges::any_of(
            family.readings, [&](const MetricReading& other) { return other.labels == reading->labels; });
        if (is_twice || family.readings.size() == kReadingsLimit) return bad("labels of its own");
        family.readings.push_back(std::move(*reading));
    }
    return family;
}

}  // namespace

std::string metrics_json(const std::vector<MetricFamily>& families) {
    json::array list;
    for (const MetricFamily& family : families) {
        json::array readings;
        for (const MetricReading& reading : family.readings) {
            json::object labels;
            for (const auto& [key, value] : reading.labels) labels[key] = value;
            json::object item{{"labels", std::move(labels)}};
            if (family.kind == MetricKind::histogram) {
                json::array bounds;
                json::array counts;
                for (const auto& [bound, count] : reading.histogram.cumulative) {
                    if (std::isfinite(bound)) bounds.emplace_back(bound);
                    counts.emplace_back(static_cast<std::int64_t>(count));
                }
                item["bounds"] = std::move(bounds);
                item["counts"] = std::move(counts);
                item["sum"] = reading.histogram.sum;
            } else {
                item["value"] = reading.value;
            }
            readings.push_back(std::move(item));
        }
        list.push_back(json::object{{"name", family.name},
                                    {"help", family.help},
                                    {"kind", kKinds.at(static_cast<std::size_t>(family.kind))},
                                    {"readings", std::move(readings)}});
    }
    return json::serialize(json::object{{"families", std::move(list)}});
}

Result<std::vector<MetricFamily>> read_metrics(std::string_view text, std::string_view prefix) {
    auto value = parse_json(text, kTextLimitBytes, 8);
    if (!value) return fail(std::move(value.error()));
    const json::object* object = value->if_object();
    const json::array* list = object == nullptr ? nullptr : get_array(*object, "families");
    if (list == nullptr) return bad("families");
    std::vector<MetricFamily> families;
    std::size_t readings = 0;
    for (const json::value& item : *list) {
        auto family = read_family(item, prefix);
        if (!family) return fail(std::move(family.error()));
        readings += family->readings.size();
        if (readings > kReadingsLimit) return bad("a limit");
        if (!families.empty() && families.back().name >= family->name) return bad("an order of names");
        families.push_back(std::move(*family));
    }
    return families;
}

}  // namespace base
