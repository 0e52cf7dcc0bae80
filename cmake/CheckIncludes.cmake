# Fails when a file includes an outside library that belongs to another folder.
# Each rule: how the name of the header begins, then the folders (under server/) that may hold it.
set(rules
  "boost/beast"        "net"
  "openssl/"           "base|net"
  "zlib[.]h"           "net"
  "sqlite3"            "storage"
  "libpq"              "storage"
  "curl/"              "gateway"
  "vips/"              "render"
  "spdlog/"            "runtime"
  "seccomp"            "runtime"
  "linux/landlock"     "runtime"
  "sodium"             "base"
  "toml[+][+]/"          "base|gateway"
  "unicode/"           "modules/identity|modules/chat|modules/assistant")

set(failed FALSE)
file(GLOB_RECURSE files "${SOURCE_DIR}/server/*.cc" "${SOURCE_DIR}/server/*.h")
list(LENGTH rules count)
foreach(file IN LISTS files)
  file(STRINGS "${file}" includes REGEX "^[ \t]*#[ \t]*include[ \t]")
  file(RELATIVE_PATH relative "${SOURCE_DIR}/server" "${file}")
  math(EXPR last "${count} - 2")
  foreach(i RANGE 0 ${last} 2)
    math(EXPR j "${i} + 1")
    list(GET rules ${i} pattern)
    list(GET rules ${j} owners)
    foreach(line IN LISTS includes)
      if(line MATCHES "include[ \t]+[<\"]${pattern}" AND NOT relative MATCHES "^(${owners})/")
        message("server/${relative}: '${line}' belongs to ${owners} alone (cmake/CheckIncludes.cmake)")
        set(failed TRUE)
      endif()
    endforeach()
  endforeach()
endforeach()
if(failed)
  message(FATAL_ERROR "forbidden include")
endif()
