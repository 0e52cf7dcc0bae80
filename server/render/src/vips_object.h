#pragma once

#include <memory>

#include <vips/vips.h>

namespace render {

struct Unref {
    void operator()(void* object) const { g_object_unref(object); }
};
/// A counted reference to an object of libvips.
template <class T>
using Owned = std::unique_ptr<T, Unref>;

}  // namespace render
