#include "yardstick.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <string_view>

#include <boost/json.hpp>

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSlices = 51;
constexpr int kParsesASlice = 1000;

constexpr std::string_view kEvent =
    R"({"type":"m.room.message","sender":"@alice:lingxi.example","room_id":"!3fJm0QyVbXcRkT1w:lingxi.example",)"
    R"("event_id":"$Kq8sZ0vN4hYw2uLr6tXc1pGd9aEi5oBm7nFj3kQxVyU","origin_server_ts":1767225600000,"depth":48213,)"
    R"("content":{"msgtype":"m.text","body":"Saturday at half past twelve, then; do bring the book from the second shelf)"
    R"( along, will you?"},"unsigned":{"age":1234,"transaction_id":"m1767225600000.17"}})";
static_assert(kEvent.size() == 402);

}  // namespace

double parse_event_us() {
    std::array<double, kSlices> slices{};
    for (double& slice : slices) {
        const auto start = Clock::now();
        for (int i = 0; i < kParsesASlice; ++i) {
            if (!boost::json::parse(kEvent).is_object()) std::abort();
        }
        slice = std::chrono::duration<double, std::micro>(Clock::now() - start).count() / kParsesASlice;
    }
    std::ranges::nth_element(slices, slices.begin() + kSlices / 2);
    return slices[kSlices / 2];
}

}  // namespace bench
