include(Prelude)

# lingxi_module(NAME [USES earlier modules...] [LINKS outside libraries...] [PUBLIC_LINKS ...])
#
# Makes a static library of a folder: public headers in include/NAME/, private code in src/, tests in tests/.
# USES may name only modules declared before this one, so that a cycle or an upward use stops the configuration;
# a header of a module that is not among the (transitive) USES is not on the include path, so that it stops the build.
# Sources named by OWN_FLAGS are compiled with flags of their own, and therefore without the precompiled headers; so is a
# module below the runtime, which alone compiles Asio.
# Which folder may include which outside library is checked by CheckIncludes.cmake before anything is compiled.
function(lingxi_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "USES;LINKS;PUBLIC_LINKS;OWN_FLAGS")
  foreach(used IN LISTS arg_USES)
    if(NOT TARGET ${used})
      message(FATAL_ERROR "Module '${name}' uses '${used}', which is not declared before it: "
                          "a module may use only earlier ones (order: server/CMakeLists.txt).")
    endif()
  endforeach()

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/src/*.cc")
  list(FILTER sources EXCLUDE REGEX "/src/main\\.cc$")
  file(GLOB migrations CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/migrations/*.sql")
  if(migrations)
    set(embedded "${CMAKE_CURRENT_BINARY_DIR}/${name}_migrations.cc")
    add_custom_command(OUTPUT "${embedded}"
      COMMAND ${CMAKE_COMMAND} -DMODULE=${name} "-DFILES=${migrations}" "-DOUTPUT=${embedded}"
              -P "${CMAKE_SOURCE_DIR}/cmake/EmbedMigrations.cmake"
      DEPENDS ${migrations} "${CMAKE_SOURCE_DIR}/cmake/EmbedMigrations.cmake" VERBATIM)
    list(APPEND sources "${embedded}")
  endif()

  if(NOT sources)
    message(FATAL_ERROR "Module '${name}' has no sources: no empty rooms.")
  endif()
  if(arg_OWN_FLAGS)
    list(REMOVE_ITEM sources ${arg_OWN_FLAGS})
    add_library(${name}_own_flags OBJECT ${arg_OWN_FLAGS})
    target_include_directories(${name}_own_flags PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/include" "${CMAKE_CURRENT_SOURCE_DIR}/src")
    target_link_libraries(${name}_own_flags PRIVATE lingxi_boost ${arg_USES} ${arg_PUBLIC_LINKS} ${arg_LINKS})
    list(APPEND sources $<TARGET_OBJECTS:${name}_own_flags>)
  endif()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC "${CMAKE_CURRENT_SOURCE_DIR}/include"
                                     PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/src")
  target_link_libraries(${name} PUBLIC lingxi_boost ${arg_USES} ${arg_PUBLIC_LINKS} PRIVATE ${arg_LINKS})
  if(TARGET check_includes)
    add_dependencies(${name} check_includes)
  endif()
  if(NOT TARGET prelude AND arg_USES)  # the first such module's flags are everyone's
    lingxi_prelude(prelude LIKE ${name})
    lingxi_prelude(prelude_tests LIKE ${name} DEFINES -DLINGXI_PRELUDE_TESTS -DGTEST_HAS_PTHREAD=1)
  endif()
  if(TARGET prelude)
    lingxi_use_prelude(${name} prelude)
  endif()

  file(GLOB tests CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/tests/*.cc")
  if(LINGXI_TESTS AND tests)
    add_executable(${name}_tests ${tests})
    target_include_directories(${name}_tests PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/src" "${CMAKE_CURRENT_SOURCE_DIR}/tests")
    target_compile_definitions(${name}_tests PRIVATE "LINGXI_MODULE_DIR=\"${CMAKE_CURRENT_SOURCE_DIR}\"")
    target_link_libraries(${name}_tests PRIVATE ${name} ${arg_LINKS} GTest::gtest GTest::gtest_main)
    if(TARGET prelude)
      lingxi_use_prelude(${name}_tests prelude_tests)
    endif()
    add_test(NAME ${name} COMMAND ${name}_tests)
  endif()
endfunction()

# lingxi_executable(NAME MODULE): the module's src/main.cc, linked with it, into bin/.
function(lingxi_executable name module)
  add_executable(${name} "${CMAKE_CURRENT_SOURCE_DIR}/src/main.cc")
  target_include_directories(${name} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/src")
  target_link_libraries(${name} PRIVATE ${module})
  lingxi_use_prelude(${name} prelude)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
endfunction()

# Runs before any compilation: outside libraries stay in the folder that owns them.
add_custom_target(check_includes ALL
  COMMAND ${CMAKE_COMMAND} -DSOURCE_DIR=${CMAKE_SOURCE_DIR} -P "${CMAKE_SOURCE_DIR}/cmake/CheckIncludes.cmake"
  VERBATIM)
