# Precompiled outside headers: three quarters of a file's compile time were the same Asio, JSON and standard headers.
#
# Not CMake's own target_precompile_headers: it names the work tree inside the precompiled file, so that two checkouts
# would share nothing in ccache. Here the header comes by standard input and in the root directory, and the same text
# with the same flags is the same file everywhere.
set(LINGXI_PRELUDE_HEADER "${CMAKE_SOURCE_DIR}/cmake/prelude.h")

# lingxi_prelude(NAME LIKE target [DEFINES ...]): makes NAME.pch with the flags of `target`.
function(lingxi_prelude name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LIKE" "DEFINES")
  string(TOUPPER "${CMAKE_BUILD_TYPE}" config)
  separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${config}}")
  set(definitions "$<TARGET_PROPERTY:${arg_LIKE},COMPILE_DEFINITIONS>")
  set(options "$<FILTER:$<TARGET_PROPERTY:${arg_LIKE},COMPILE_OPTIONS>,EXCLUDE,pch>")
  set(output "${CMAKE_BINARY_DIR}/${name}.pch")
  add_custom_command(OUTPUT "${output}"
    COMMAND sh -c "exec \"$@\" <\"$0\"" "${LINGXI_PRELUDE_HEADER}"
            ${CMAKE_CXX_COMPILER} ${flags} "$<$<BOOL:${definitions}>:-D$<JOIN:${definitions},;-D>>" ${arg_DEFINES}
            "${options}" -std=c++2b -Xclang -fno-pch-timestamp -fpch-instantiate-templates
            -MD -MT "${output}" -MF "${output}.d" -x c++-header - -o "${output}"
    DEPENDS "${LINGXI_PRELUDE_HEADER}" DEPFILE "${output}.d"
    WORKING_DIRECTORY / COMMAND_EXPAND_LISTS VERBATIM COMMENT "Precompiling ${name}")
  add_custom_target(${name} DEPENDS "${output}")
endfunction()

# lingxi_use_prelude(TARGET NAME): every source of the target starts from NAME.pch (a path relative to the build directory,
# where Ninja runs the compiler).
function(lingxi_use_prelude target name)
  add_dependencies(${target} ${name})
  target_compile_options(${target} PRIVATE -include-pch ${name}.pch)
  get_target_property(sources ${target} SOURCES)
  set_property(SOURCE ${sources} TARGET_DIRECTORY ${target} APPEND PROPERTY OBJECT_DEPENDS "${CMAKE_BINARY_DIR}/${name}.pch")
endfunction()
