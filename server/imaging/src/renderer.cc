#include <imaging/protocol.h>
#include <imaging/renderer.h>

namespace imaging {
namespace {

using base::ErrorKind;

/// What an error of the wire means here. `begun`: render had said that it works on this picture.
base::Error translate(base::Error error, bool begun) {
    // Render may have been taken over: it may not speak with another module's codes.
    if (error.code.starts_with("imaging.")) return error;
    // Begun or not: the time may have gone in waiting. A picture that itself takes too long ends render.
    if (error.code == "wire.deadline")
        return {ErrorKind::timeout, "imaging.late", "Too many pictures were waiting."};
    if (begun) return {ErrorKind::internal, "imaging.died", "The picture could not be processed."};
    if (error.code == "wire.busy")
        return {ErrorKind::unavailable, "imaging.busy", "Too many pictures are waiting."};
    return {ErrorKind::unavailable, "imaging.away", "Pictures cannot be processed just now."};
}

/// One call: "begun", then the answer.
runtime::Task<base::Result<std::string>> ask(wire::Peer& peer, std::string_view method,
                                             wire::Message request) {
    auto call = peer.call(method, std::move(request), std::chrono::steady_clock::now() + kCallLimit);
    if (!call) co_return base::fail(translate(call.error(), false));
    const auto begun = co_await (*call)->next();
    if (!begun) co_return base::fail(translate(begun.error(), false));
    auto answer = co_await (*call)->next();
    if (!answer) co_return base::fail(translate(answer.error(), true));
    co_return std::move(answer->text);
}

}  // namespace

runtime::Task<base::Result<Picture>> Renderer::inspect(wire::Descriptor picture) {
    wire::Message request{"{}", {}};
    request.descriptors.push_back(std::move(picture));
    const auto answer = co_await ask(peer_, kInspectMethod, std::move(request));
    if (!answer) co_return base::fail(answer.error());
    co_return decode_picture(*answer);
}

runtime::Task<base::Result<Thumbnail>> Renderer::thumbnail(wire::Descriptor picture, ThumbnailRequest request,
                                                           wire::Descriptor output) {
    wire::Message message{encode(request), {}};
    message.descriptors.push_back(std::move(picture));
    message.descriptors.push_back(std::move(output));
    const auto answer = co_await ask(peer_, kThumbnailMethod, std::move(message));
    if (!answer) co_return base::fail(answer.error());
    auto made = decode_thumbnail(*answer);
    // It never enlarges: more than was asked for is a lie.
    if (made && (made->width > request.width || made->height > request.height)) {
        co_return base::fail(ErrorKind::internal, "imaging.bad_message",
                             "Render answers what was not asked.");
    }
    co_return made;
}

}  // namespace imaging
