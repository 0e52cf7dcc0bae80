#include "vips_object.h"

#include <cstdlib>

#include <base/log.h>
#include <render/picture.h>

namespace render {
namespace {

/// Its text may come from the picture: it is counted, not repeated.
void drop_message(const char*, GLogLevelFlags, const char*, void*) {
    base::log(base::LogLevel::debug, "render.vips_said");
}

}  // namespace

bool start_decoders() {
    ::setenv("VIPS_NOVECTOR", "1", 1);  // its vector code is compiled while it runs, which the lock refuses
    ::setenv("VIPS_WARNING", "0", 1);
    if (vips_init("lingxi-render") != 0) return false;
    g_log_set_default_handler(drop_message, nullptr);
    vips_concurrency_set(1);  // pictures have time; chat has not
    vips_cache_set_max(0);    // one person's picture must not wait in memory for another's
    vips_block_untrusted_set(TRUE);
    for (const char* all : {"VipsForeignLoad", "VipsForeignSave"}) vips_operation_block_set(all, TRUE);
    for (const char* served :
         {"VipsForeignLoadPng", "VipsForeignLoadJpeg", "VipsForeignLoadWebp", "VipsForeignLoadNsgif",
          "VipsForeignLoadHeif", "VipsForeignSaveJpeg", "VipsForeignSavePng", "VipsForeignSaveWebp"}) {
        vips_operation_block_set(served, FALSE);
    }
    return true;
}

}  // namespace render
