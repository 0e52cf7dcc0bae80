// gateway.toml, which an administrator writes by hand.
#include "fuzz.h"
#include "provider_store.h"

#include <sys/mman.h>
#include <unistd.h>

#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const int file = memfd_create("gateway.toml", MFD_CLOEXEC);
    fuzz::require(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == static_cast<ssize_t>(size));
    const auto store = gateway::ProviderStore::open("/proc/self/fd/" + std::to_string(file), true);
    if (!store) return 0;
    for (const auto& provider : store->all()) {
        fuzz::require(store->find(provider.shown.id) == &provider);
        fuzz::require(gateway::check_base_url(provider.shown.base_url).has_value());
        fuzz::require(provider.shown.on_this_machine == gateway::is_on_this_machine(provider.shown));
    }
    return 0;
}
