#include <random>

#include <gtest/gtest.h>

#include <wire/frame.h>

namespace wire {
namespace {

Frame call_frame() {
    return {.kind = FrameKind::call,
            .descriptors = 2,
            .call = 0x0102030405060708,
            .remaining_ms = 5000,
            .credits = 7,
            .method = "model.chat",
            .text = "{\"a\":1}"};
}

/// The only frame in `bytes`.
Frame decode(std::string_view bytes) {
    FrameDecoder decoder;
    decoder.feed(bytes);
    auto frame = decoder.next();
    EXPECT_TRUE(frame.has_value() && frame->has_value());
    EXPECT_FALSE(decoder.is_amid_frame());
    return frame && *frame ? **frame : Frame{};
}

std::string_view fault_of(std::string_view bytes) {
    FrameDecoder decoder;
    decoder.feed(bytes);
    for (;;) {
        const auto frame = decoder.next();
        if (!frame) return frame.error();
        if (!*frame) return "none";
    }
}

TEST(Frame, every_kind_survives_the_way_through_the_wire) {
    const auto call = decode(encode(call_frame()));
    EXPECT_EQ(call.kind, FrameKind::call);
    EXPECT_EQ(call.descriptors, 2);
    EXPECT_EQ(call.call, 0x0102030405060708U);
    EXPECT_EQ(call.remaining_ms, 5000U);
    EXPECT_EQ(call.credits, 7U);
    EXPECT_EQ(call.method, "model.chat");
    EXPECT_EQ(call.text, "{\"a\":1}");

    const auto message =
        decode(encode({.kind = FrameKind::reply_message, .descriptors = 1, .call = 3, .text = "x"}));
    EXPECT_EQ(message.kind, FrameKind::reply_message);
    EXPECT_EQ(message.text, "x");
    EXPECT_EQ(decode(encode({.kind = FrameKind::caller_message, .call = 3})).text, "");
    EXPECT_EQ(decode(encode({.kind = FrameKind::caller_credit, .call = 3, .credits = 9})).credits, 9U);
    EXPECT_EQ(decode(encode({.kind = FrameKind::cancel, .call = 3})).kind, FrameKind::cancel);
    EXPECT_EQ(decode(encode({.kind = FrameKind::end, .call = 3})).kind, FrameKind::end);

    const auto error = decode(encode(
        {.kind = FrameKind::error,
         .call = 3,
         .error = {base::ErrorKind::rate_limited, "model.busy", "Wait.", std::chrono::milliseconds(1500)}}));
    EXPECT_EQ(error.error.kind, base::ErrorKind::rate_limited);
    EXPECT_EQ(error.error.code, "model.busy");
    EXPECT_EQ(error.error.message, "Wait.");
    EXPECT_EQ(error.error.retry_after, std::chrono::milliseconds(1500));
    const auto plain =
        decode(encode({.kind = FrameKind::error, .call = 3, .error = {base::ErrorKind::invalid, "a.b", ""}}));
    EXPECT_EQ(plain.error.retry_after, std::nullopt);
}

TEST(Frame, error_texts_are_cut_and_bad_codes_replaced_rather_than_refused_by_the_other_side) {
    const auto error =
        decode(encode({.kind = FrameKind::error,
                       .call = 1,
                       .error = {base::ErrorKind::internal, "has space", std::string(9999, 'm')}}));
    EXPECT_EQ(error.error.code, "wire.bad_code");
    EXPECT_EQ(error.error.message.size(), kErrorMessageLimitBytes);
}

TEST(FrameDecoder, reads_frames_that_come_byte_by_byte) {
    const std::string bytes = encode(call_frame()) + encode({.kind = FrameKind::end, .call = 9});
    FrameDecoder decoder;
    std::vector<FrameKind> kinds;
    for (const char byte : bytes) {
        decoder.feed({&byte, 1});
        const auto frame = decoder.next();
        ASSERT_TRUE(frame.has_value());
        if (*frame) kinds.push_back((*frame)->kind);
    }
    EXPECT_EQ(kinds, (std::vector{FrameKind::call, FrameKind::end}));
    EXPECT_FALSE(decoder.is_amid_frame());
}

TEST(FrameDecoder, takes_the_longest_text_and_refuses_one_byte_more) {
    EXPECT_EQ(
        decode(
            encode({.kind = FrameKind::reply_message, .call = 1, .text = std::string(kTextLimitBytes, 'x')}))
            .text.size(),
        kTextLimitBytes);
    auto bytes =
        encode({.kind = FrameKind::reply_message, .call = 1, .text = std::string(kTextLimitBytes, 'x')});
    const auto length = static_cast<std::uint32_t>(kTextLimitBytes + 1);
    bytes.replace(0, 4, reinterpret_cast<const char*>(&length), 4);
    bytes += 'x';
    EXPECT_EQ(fault_of(bytes), "text");
}

TEST(FrameDecoder, refuses_a_forged_header_before_any_payload_has_come) {
    const auto with = [](std::size_t at, char byte) {
        auto bytes = encode({.kind = FrameKind::cancel, .call = 1});
        bytes[at] = byte;
        return bytes;
    };
    EXPECT_EQ(fault_of(with(3, '\x7f')), "length");
    EXPECT_EQ(fault_of(with(4, '\0')), "kind");
    EXPECT_EQ(fault_of(with(4, '\x09')), "kind");
    EXPECT_EQ(fault_of(with(5, '\x01')), "descriptors");  // a cancel carries none
    EXPECT_EQ(fault_of(with(6, '\x01')), "reserved");
    auto message = encode({.kind = FrameKind::reply_message, .call = 1});
    message[5] = 5;
    EXPECT_EQ(fault_of(message), "descriptors");
}

TEST(FrameDecoder, refuses_payloads_that_do_not_fit_their_kind) {
    const auto raw = [](FrameKind kind, std::string_view payload) {
        auto bytes = encode({.kind = FrameKind::cancel, .call = 1});
        bytes[0] = static_cast<char>(payload.size());
        bytes[4] = static_cast<char>(kind);
        return bytes + std::string(payload);
    };
    using namespace std::string_view_literals;
    EXPECT_EQ(fault_of(raw(FrameKind::cancel, "x")), "payload");
    EXPECT_EQ(fault_of(raw(FrameKind::end, "x")), "payload");
    EXPECT_EQ(fault_of(raw(FrameKind::reply_credit, "\1\0\0"sv)), "credits");
    EXPECT_EQ(fault_of(raw(FrameKind::reply_credit, "\0\0\0\0"sv)), "credits");
    EXPECT_EQ(fault_of(raw(FrameKind::reply_credit, "\1\0\0\0\0"sv)), "payload");
    EXPECT_EQ(fault_of(raw(FrameKind::call, "\1\0\0\0\1\0\0\0\2a"sv)), "method");
    EXPECT_EQ(fault_of(raw(FrameKind::call, "\1\0\0\0\1\0\0\0\1A"sv)), "method");
    EXPECT_EQ(fault_of(raw(FrameKind::call, "\1\0\0\0\0\0\0\0\1a"sv)), "credits");
    EXPECT_EQ(fault_of(raw(FrameKind::error, "\x7f\0\0\0\0\3a.bx"sv)), "error kind");
    EXPECT_EQ(fault_of(raw(FrameKind::error, "\0\0\0\0\0\0"sv)), "error code");
    EXPECT_EQ(fault_of(raw(FrameKind::error, "\0\0\0\0\0\3a b"sv)), "error code");
}

TEST(FrameDecoder, stays_at_its_fault) {
    FrameDecoder decoder;
    decoder.feed(std::string(16, '\xff'));
    EXPECT_FALSE(decoder.next().has_value());
    decoder.feed(encode({.kind = FrameKind::end, .call = 1}));
    EXPECT_FALSE(decoder.next().has_value());
}

TEST(FrameDecoder, any_bytes_are_a_frame_an_unfinished_one_or_a_fault) {
    std::mt19937 random(20240517);
    for (int round = 0; round < 20'000; ++round) {
        auto bytes =
            encode(call_frame()) + encode({.kind = FrameKind::reply_credit, .call = 2, .credits = 1});
        for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
        EXPECT_FALSE(fault_of(bytes).empty());
    }
}

}  // namespace
}  // namespace wire
