# Every outside library, found once, under one name each. Which folder may use which is written in Module.cmake.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(ZLIB REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(icu REQUIRED IMPORTED_TARGET icu-uc icu-i18n)
pkg_check_modules(vips REQUIRED IMPORTED_TARGET vips)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
if(LINGXI_TESTS)
  find_package(GTest REQUIRED)
endif()

# Asio and JSON in every file: no exceptions through callbacks, no deprecated names, coroutines only. Frames of
# coroutines are not recycled: a small one that waits for long would keep the block of a large one that is gone.
add_library(lingxi_boost INTERFACE)
target_compile_definitions(lingxi_boost INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION
                                                  BOOST_ASIO_DISABLE_BOOST_COROUTINE
                                                  BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING)
target_link_libraries(lingxi_boost INTERFACE Boost::headers Boost::json Boost::url Threads::Threads)
