#include "negotiation.h"

#include "text.h"

#include <algorithm>
#include <charconv>

namespace net {
namespace {

/// Whether parameters such as "q=0.000" say "never".
bool is_refused(std::string_view parameters) {
    while (!parameters.empty()) {
        const auto parameter = trim(take_until(parameters, ';'));
        if (parameter.size() < 3 || lower(parameter[0]) != 'q' || parameter[1] != '=') continue;
        const auto weight = parameter.substr(2);
        return weight.find_first_not_of("0.") == std::string_view::npos;
    }
    return false;
}

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string_view without_weakness(std::string_view etag) {
    if (etag.starts_with("W/")) etag.remove_prefix(2);
    return etag;
}

}  // namespace

bool accepts_encoding(std::string_view field, std::string_view coding) {
    bool any = false;
    while (!field.empty()) {
        auto parameters = trim(take_until(field, ','));
        const auto name = trim(take_until(parameters, ';'));
        if (equal_without_case(name, coding)) return !is_refused(parameters);
        if (name == "*") any = !is_refused(parameters);
    }
    return any;
}

bool etag_matches(std::string_view if_none_match, std::string_view etag) {
    if (trim(if_none_match) == "*") return true;
    // An entity tag may hold commas: read it quote by quote.
    while (!if_none_match.empty()) {
        const auto open = if_none_match.find('"');
        if (open == std::string_view::npos) return false;
        const auto close = if_none_match.find('"', open + 1);
        if (close == std::string_view::npos) return false;
        if (if_none_match.substr(open, close - open + 1) == without_weakness(etag)) return true;
        if_none_match.remove_prefix(close + 1);
    }
    return false;
}

RangeKind parse_range(std::string_view field, std::uint64_t size_bytes, ByteRange& range) {
    field = trim(field);
    if (field.size() < 6 || !equal_without_case(field.substr(0, 6), "bytes=")) return RangeKind::whole;
    auto last = trim(field.substr(6));
    if (last.contains(',') || !last.contains('-')) return RangeKind::whole;
    const auto first = trim(take_until(last, '-'));
    last = trim(last);

    if (first.empty()) {  // the last so many bytes
        const auto count = number(last);
        if (!count) return RangeKind::whole;
        if (*count == 0 || size_bytes == 0) return RangeKind::unsatisfiable;
        range.bytes = std::min(*count, size_bytes);
        range.from = size_bytes - range.bytes;
        return RangeKind::part;
    }
    const auto from = number(first);
    const auto to = last.empty() ? std::optional<std::uint64_t>(UINT64_MAX) : number(last);
    if (!from || !to || *to < *from) return RangeKind::whole;
    if (*from >= size_bytes) return RangeKind::unsatisfiable;
    range.from = *from;
    range.bytes = std::min(*to, size_bytes - 1) - *from + 1;
    return RangeKind::part;
}

}  // namespace net
