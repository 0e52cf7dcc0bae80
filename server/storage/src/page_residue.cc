#include "page_residue.h"

#include <algorithm>

namespace storage {

namespace {

constexpr std::uint8_t kInteriorIndex = 2;
constexpr std::uint8_t kInteriorTable = 5;
constexpr std::uint8_t kLeafIndex = 10;
constexpr std::uint8_t kLeafTable = 13;
constexpr std::size_t kLeafHeaderBytes = 8;
constexpr std::size_t kInteriorHeaderBytes = 12;
constexpr std::size_t kFreeBlockHeaderBytes = 4;

std::size_t header_bytes(std::uint8_t type) {
    switch (type) {
        case kLeafIndex:
        case kLeafTable:
            return kLeafHeaderBytes;
        case kInteriorIndex:
        case kInteriorTable:
            return kInteriorHeaderBytes;
        default:
            return 0;
    }
}

std::size_t number_at(std::span<const std::uint8_t> page, std::size_t at) {
    return static_cast<std::size_t>(page[at]) << 8 | page[at + 1];
}

/// Calls `visit(body)` for each free block; false where their chain is damaged.
template <class Visit>
bool visit_free_blocks(std::span<std::uint8_t> page, std::size_t first, std::size_t cells_at, Visit visit) {
    std::size_t lowest = cells_at;
    for (std::size_t at = first; at != 0; at = number_at(page, at)) {
        if (at < lowest || at + kFreeBlockHeaderBytes > page.size()) return false;
        const std::size_t bytes = number_at(page, at + 2);
        if (bytes < kFreeBlockHeaderBytes || at + bytes > page.size()) return false;
        visit(page.subspan(at + kFreeBlockHeaderBytes, bytes - kFreeBlockHeaderBytes));
        lowest = at + bytes;
    }
    return true;
}

}  // namespace

void clear_residue(std::span<std::uint8_t> page, std::size_t header_at) {
    if (page.size() < header_at + kInteriorHeaderBytes) return;
    const std::size_t header = header_bytes(page[header_at]);
    if (header == 0) return;
    const std::size_t first_free_block = number_at(page, header_at + 1);
    const std::size_t cells = number_at(page, header_at + 3);
    const std::size_t stored_start = number_at(page, header_at + 5);
    const std::size_t cells_at = stored_start == 0 ? 65536 : stored_start;
    const std::size_t gap_at = header_at + header + 2 * cells;
    if (gap_at > cells_at || cells_at > page.size()) return;
    for (std::size_t i = 0; i < cells; ++i) {
        const std::size_t cell = number_at(page, header_at + header + 2 * i);
        if (cell < cells_at || cell >= page.size()) return;
    }
    const auto look = [](std::span<std::uint8_t>) {};
    if (!visit_free_blocks(page, first_free_block, cells_at, look)) return;

    const auto clear = [](std::span<std::uint8_t> bytes) { std::ranges::fill(bytes, std::uint8_t{0}); };
    clear(page.subspan(gap_at, cells_at - gap_at));
    visit_free_blocks(page, first_free_block, cells_at, clear);
}

}  // namespace storage
