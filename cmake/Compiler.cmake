# One language, one compiler, one set of flags for every target.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR
    "Lingxi needs clang 19 or newer (found ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}). "
    "g++ 12 destroys temporaries of a co_await expression twice, which corrupts memory silently. "
    "Install clang-19 and lld-19, or pass -DCMAKE_CXX_COMPILER=clang++-19.")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(LINGXI_SANITIZE "" CACHE STRING "Comma-separated sanitizers")
option(LINGXI_TESTS "Build the tests beside the modules" ON)

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wunused -Wno-missing-field-initializers -Wno-missing-designated-field-initializers
                    -Werror=return-type -Werror=unused-result -fno-omit-frame-pointer -fPIC -pthread
                    "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
if(LINGXI_SANITIZE)
  add_compile_options("-fsanitize=${LINGXI_SANITIZE}" -fno-sanitize-recover=all)
  add_link_options("-fsanitize=${LINGXI_SANITIZE}")
  add_compile_definitions(LINGXI_SANITIZED=1)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-flto=thin -fstack-protector-strong)
  add_compile_definitions(_FORTIFY_SOURCE=2)
  add_link_options(-flto=thin -fuse-ld=lld "-Wl,--thinlto-cache-dir=${CMAKE_BINARY_DIR}/lto-cache" -Wl,-z,relro,-z,now)
else()
  add_compile_options(-gline-tables-only)
  find_program(LINGXI_MOLD mold)
  if(LINGXI_MOLD)
    add_link_options(-fuse-ld=mold)
  else()
    add_link_options(-fuse-ld=lld)
  endif()
endif()
