#pragma once

#include <sqlite3.h>

namespace storage {

/// A method of a file that only hands over to the one beneath it (`File::inner`), with the same arguments:
/// `Forward<File, &sqlite3_io_methods::xRead>::call`.
template <class File, auto Method>
struct Forward;
template <class File, class R, class... Arguments,
          R (*sqlite3_io_methods::*Method)(sqlite3_file*, Arguments...)>
struct Forward<File, Method> {
    static R call(sqlite3_file* file, Arguments... arguments) {
        sqlite3_file* inner = static_cast<File*>(file)->inner;
        return (inner->pMethods->*Method)(inner, arguments...);
    }
};

/// Every method of `File` forwarded. Version 2: with shared memory, without memory-mapped pages.
template <class File>
constexpr sqlite3_io_methods forwarding_methods() {
    return {
        .iVersion = 2,
        .xClose = Forward<File, &sqlite3_io_methods::xClose>::call,
        .xRead = Forward<File, &sqlite3_io_methods::xRead>::call,
        .xWrite = Forward<File, &sqlite3_io_methods::xWrite>::call,
        .xTruncate = Forward<File, &sqlite3_io_methods::xTruncate>::call,
        .xSync = Forward<File, &sqlite3_io_methods::xSync>::call,
        .xFileSize = Forward<File, &sqlite3_io_methods::xFileSize>::call,
        .xLock = Forward<File, &sqlite3_io_methods::xLock>::call,
        .xUnlock = Forward<File, &sqlite3_io_methods::xUnlock>::call,
        .xCheckReservedLock = Forward<File, &sqlite3_io_methods::xCheckReservedLock>::call,
        .xFileControl = Forward<File, &sqlite3_io_methods::xFileControl>::call,
        .xSectorSize = Forward<File, &sqlite3_io_methods::xSectorSize>::call,
        .xDeviceCharacteristics = Forward<File, &sqlite3_io_methods::xDeviceCharacteristics>::call,
        .xShmMap = Forward<File, &sqlite3_io_methods::xShmMap>::call,
        .xShmLock = Forward<File, &sqlite3_io_methods::xShmLock>::call,
        .xShmBarrier = Forward<File, &sqlite3_io_methods::xShmBarrier>::call,
        .xShmUnmap = Forward<File, &sqlite3_io_methods::xShmUnmap>::call,
        .xFetch = nullptr,
        .xUnfetch = nullptr,
    };
}

}  // namespace storage
