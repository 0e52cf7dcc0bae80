#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

struct sqlite3;
struct sqlite3_file;

namespace storage {

/// Our layer over SQLite's default VFS (the operating system's files; in tests, a disk that fails):
/// - what is written to the database file has no residue of old rows in it (page_residue.h);
/// - a connection's writes to the database file can be paced, which is how a checkpoint leaves the disk to
///   the commits beside it;
/// - a connection's writes to the WAL can be gathered, which are two for each frame.
/// Registers it once and returns its name for sqlite3_open_v2.
const char* disk_vfs();

/// The pace of one connection's writes to the database file.
struct Pace {
    /// After so many bytes they are synced, so that no long sync is left for the end; 0: never.
    std::int64_t bite_bytes = 0;
    /// Then this is called with the time that the sync took.
    std::function<void(std::chrono::nanoseconds)> after_bite;
};
/// `pace` must outlive the connection, and is read by the thread that uses it.
void set_pace(sqlite3* handle, const Pace* pace);
/// Syncs what a paced connection has written since its last bite. 0 where all went well, else SQLite's code.
int end_bite(sqlite3* handle);

/// From now on what this connection, which has read or written already, writes to the WAL goes to the file in
/// large pieces, and all of it before a sync. For a connection with synchronous=FULL: SQLite then syncs
/// before it lets others see a frame.
void gather_log_writes(sqlite3* handle);
/// After a transaction was rolled back: what it wrote need not come to the disk.
void forget_gathered(sqlite3* handle);

/// Whether no connection reads now, of this program or of another. For a connection that has read or written
/// already, in WAL mode, and has no transaction open.
bool nobody_reads(sqlite3* handle);

/// The WAL's file of a connection that has read or written already. 0 where all went well, else SQLite's
/// code.
class LogFile {
  public:
    explicit LogFile(sqlite3* handle);
    int size(std::int64_t& bytes);
    int fill_with_zeros(std::int64_t from, std::int64_t to);
    int sync();
    int truncate(std::int64_t bytes);
    /// Makes it a log without frames, durably: its header and that of its first frame become zeros. To be
    /// done once the database file holds all of it, and before anything else in it is overwritten: a log that
    /// lost its end is a valid shorter one, and after a crash would put old pages over newer ones.
    int invalidate();

  private:
    sqlite3_file* file_ = nullptr;
};

}  // namespace storage
