# Chooses clang 19 before project() looks for a compiler; an explicit CMAKE_CXX_COMPILER is kept, and judged in Compiler.cmake.
if(NOT DEFINED CMAKE_CXX_COMPILER AND NOT DEFINED ENV{CXX})
  find_program(LINGXI_CLANGXX NAMES clang++-19)
  find_program(LINGXI_CLANG NAMES clang-19)
  if(LINGXI_CLANGXX AND LINGXI_CLANG)
    set(CMAKE_CXX_COMPILER "${LINGXI_CLANGXX}" CACHE FILEPATH "C++ compiler")
    set(CMAKE_C_COMPILER "${LINGXI_CLANG}" CACHE FILEPATH "C compiler")
  endif()
endif()

find_program(LINGXI_CCACHE ccache)
if(LINGXI_CCACHE)
  # Work trees of one repository share the cache: paths are hashed relative to the source directory. Depend mode, since
  # what is read from a precompiled header cannot be preprocessed again.
  set(LINGXI_CCACHE_LAUNCHER "${CMAKE_COMMAND};-E;env;CCACHE_BASEDIR=${CMAKE_SOURCE_DIR};CCACHE_NOHASHDIR=1;CCACHE_DEPEND=1;CCACHE_SLOPPINESS=pch_defines,time_macros;${LINGXI_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${LINGXI_CCACHE_LAUNCHER}" CACHE STRING "")
  set(CMAKE_C_COMPILER_LAUNCHER "${LINGXI_CCACHE_LAUNCHER}" CACHE STRING "")
endif()
