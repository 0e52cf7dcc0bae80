// The wire's frames: what a gateway or a render that was taken over may send to core.
#include "fuzz.h"

#include <wire/frame.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto bytes = fuzz::text_of(data, size);
    wire::FrameDecoder decoder;
    // The first byte says how the rest is cut into reads.
    const std::size_t step = size == 0 ? 1 : 1 + data[0] % 64;
    bytes.remove_prefix(size == 0 ? 0 : 1);
    while (!bytes.empty()) {
        decoder.feed(bytes.substr(0, step));
        bytes.remove_prefix(std::min(step, bytes.size()));
        for (;;) {
            const auto frame = decoder.next();
            if (!frame) return 0;
            if (!*frame) break;
            // What was read can be written, and reads the same again.
            wire::FrameDecoder again;
            again.feed(wire::encode(**frame));
            const auto copy = again.next();
            if (!copy || !*copy || (*copy)->text != (*frame)->text || (*copy)->call != (*frame)->call ||
                (*copy)->error.code != (*frame)->error.code) {
                std::abort();
            }
        }
    }
    return 0;
}
