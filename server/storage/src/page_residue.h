#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace storage {

/// More pages than this a database must not have (max_page_count): below it an overflow page or a page of the
/// free list begins with a zero or a one, and is never taken for a page of a b-tree.
inline constexpr std::int64_t kPageCountLimit = 0x01FFFFFF;

/// Overwrites with zeros what a page of a b-tree holds beside its header and its cells: the gap before the
/// cells and the bodies of its free blocks. SQLite's secure_delete clears what a deletion frees, but when it
/// shares out the cells of neighbouring pages it leaves the old ones standing in that gap: what was redacted
/// later would live on in such a copy. A page that is not of a b-tree, or is damaged, is left as it is.
/// `header_at` is 100 for the first page of the file, 0 for the others.
/// Format: https://www.sqlite.org/fileformat2.html#b_tree_pages
void clear_residue(std::span<std::uint8_t> page, std::size_t header_at);

}  // namespace storage
