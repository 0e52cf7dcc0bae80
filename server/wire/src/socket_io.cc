#include "socket_io.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <wire/frame.h>

namespace wire {
namespace {

constexpr std::size_t kFramesPerSend = 16;

union ControlBuffer {
    cmsghdr alignment;
    std::array<char, CMSG_SPACE(sizeof(int) * kDescriptorsLimit)> bytes;
};

/// As many frames from the front as one sendmsg may carry: descriptors stand beside the first byte of the
/// whole, so a frame that has some is always first, and is followed by none that has.
std::size_t gather(const std::deque<OutgoingFrame>& queue, std::array<iovec, kFramesPerSend>& parts) {
    std::size_t count = 0;
    for (const OutgoingFrame& frame : queue) {
        if (count == parts.size() || (count > 0 && !frame.descriptors.empty())) break;
        parts[count].iov_base = const_cast<char*>(frame.bytes.data()) + frame.sent_bytes;
        parts[count].iov_len = frame.bytes.size() - frame.sent_bytes;
        ++count;
    }
    return count;
}

void attach(msghdr& header, ControlBuffer& control, const std::vector<Descriptor>& descriptors) {
    header.msg_control = control.bytes.data();
    header.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
    std::array<int, kDescriptorsLimit> numbers{};
    std::ranges::transform(descriptors, numbers.begin(), [](const Descriptor& d) { return d.get(); });
    std::memcpy(CMSG_DATA(part), numbers.data(), sizeof(int) * descriptors.size());
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

Descriptor::~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

Received receive_some(int socket_fd, std::span<char> buffer, std::vector<Descriptor>& descriptors) {
    ControlBuffer control{};
    iovec part{buffer.data(), buffer.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.bytes.data();
    header.msg_controllen = control.bytes.size();

    ssize_t count = 0;
    do {
        count = ::recvmsg(socket_fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    if (count < 0) return {errno == EAGAIN ? IoOutcome::would_block : IoOutcome::peer_gone, 0};

    for (cmsghdr* cmsg = CMSG_FIRSTHDR(&header); cmsg != nullptr; cmsg = CMSG_NXTHDR(&header, cmsg)) {
        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t numbers = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < numbers; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
            descriptors.emplace_back(fd);
        }
    }
    // The kernel closed what did not fit: nobody of ours sends so many.
    if ((header.msg_flags & MSG_CTRUNC) != 0) return {IoOutcome::malformed, 0};
    if (count == 0) return {IoOutcome::peer_gone, 0};
    return {IoOutcome::done, static_cast<std::size_t>(count)};
}

IoOutcome send_some(int socket_fd, std::deque<OutgoingFrame>& queue, std::size_t& sent_bytes) {
    while (!queue.empty()) {
        std::array<iovec, kFramesPerSend> parts{};
        ControlBuffer control{};
        msghdr header{};
        header.msg_iov = parts.data();
        header.msg_iovlen = gather(queue, parts);
        if (!queue.front().descriptors.empty()) attach(header, control, queue.front().descriptors);

        ssize_t count = 0;
        do {
            count = ::sendmsg(socket_fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
        } while (count < 0 && errno == EINTR);
        if (count < 0) return errno == EAGAIN ? IoOutcome::would_block : IoOutcome::peer_gone;

        queue.front().descriptors.clear();
        auto left = static_cast<std::size_t>(count);
        sent_bytes += left;
        while (left > 0) {
            OutgoingFrame& front = queue.front();
            const std::size_t taken = std::min(left, front.bytes.size() - front.sent_bytes);
            front.sent_bytes += taken;
            left -= taken;
            if (front.sent_bytes == front.bytes.size()) queue.pop_front();
        }
    }
    return IoOutcome::done;
}

bool are_open(const std::vector<Descriptor>& descriptors) {
    return std::ranges::all_of(descriptors,
                               [](const Descriptor& d) { return ::fcntl(d.get(), F_GETFD) >= 0; });
}

}  // namespace wire
