#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <sqlite3.h>

namespace storage::test {

/// A disk beneath the database: while one lives, what is opened stands on it. The bytes lie in ordinary
/// files; it can run full, refuse, and lose its power.
///
/// Of each file it knows what a sync has made durable, and what was only written since. After a power cut any
/// part of the latter may be there, in any order, torn at any sector; everything of the former is.
class TestDisk {
  public:
    TestDisk();
    ~TestDisk();
    TestDisk(const TestDisk&) = delete;
    TestDisk& operator=(const TestDisk&) = delete;

    /// Files may grow by so much in all, then the disk is full.
    void leave_room(std::int64_t bytes);
    /// Writes and syncs of files whose name ends so fail as a broken disk does; "" ends that.
    void break_files(std::string_view suffix);
    /// Syncs of files whose name ends so, by whoever opened them last (of a Database, its checkpointer), wait
    /// until that is ended by "". The short gap before the log starts over syncs on the writer's connection,
    /// and goes on.
    void hold_syncs(std::string_view suffix);
    bool holds_a_sync() const;
    /// Whether something was written to the files whose name ends so, and not synced since.
    bool is_dirty(std::string_view suffix) const;

    /// Syncs of files whose name ends so fail, and what was written is taken for synced, as kernels do; ""
    /// ends that.
    void lose_syncs(std::string_view suffix);
    int lost_syncs() const;

    /// The power goes at the n-th write, sync, cut or removal from now on: it and all later ones fail.
    void cut_after(std::uint64_t operations);
    bool is_cut() const;
    std::uint64_t operations() const;
    /// A disk that answers a sync without doing it.
    void lie_about_syncs(bool lie);
    /// Puts into `directory` what a power cut now would leave; another seed, another luck.
    void restore(const std::filesystem::path& directory, std::uint64_t seed) const;

  private:
    struct Change {
        std::int64_t offset;
        std::string bytes;
        bool is_truncation = false;  ///< to `offset`
    };
    struct Image {
        std::string durable;
        std::vector<Change> pending;
        bool is_entered = false;  ///< its name is durable in the directory
        bool is_removed = false;
    };
    struct File;
    struct Methods;

    void opened(const std::string& path, bool existed);
    int begin(const std::string& path, bool counts_growth, std::int64_t growth);

    sqlite3_vfs vfs_{};
    sqlite3_vfs* beneath_;

    mutable std::mutex mutex_;
    std::map<std::string, Image> images_;
    std::int64_t room_ = -1;  // -1: endless
    std::string broken_suffix_;
    std::string held_suffix_;
    std::string lost_suffix_;
    int lost_syncs_ = 0;
    int held_syncs_ = 0;
    std::condition_variable released_;
    std::map<std::string, const void*> opened_last_;  ///< by path
    std::uint64_t operations_ = 0;
    std::uint64_t cut_at_ = 0;  // 0: never
    bool is_cut_ = false;
    bool lies_ = false;
};

}  // namespace storage::test
