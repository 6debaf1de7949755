# Tests of the house that are not GoogleTest: headers that stand alone, the firmware library's symbols, other presets.

# Every public header compiles alone, against the include tree and nothing else.
if(NOT SONOLUX_RUNTIME_ONLY AND SONOLUX_UNIT_TESTS)
    file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
        ${PROJECT_SOURCE_DIR}/core/*.h* ${PROJECT_SOURCE_DIR}/priors/*.h* ${PROJECT_SOURCE_DIR}/solvers/*.h*
        ${PROJECT_SOURCE_DIR}/simulation/*.h* ${PROJECT_SOURCE_DIR}/sdk/*.h*)
    list(FILTER headers EXCLUDE REGEX "^sdk/command_line/|^sdk/files/hdf5_(handles|state)")  # none is installed
    set(lone_sources)
    foreach(header ${headers})
        string(REPLACE "/" "_" name ${header})
        set(languages cpp)
        if(header MATCHES "\\.h$")
            list(APPEND languages c)
        endif()
        foreach(language ${languages})
            set(lone ${CMAKE_CURRENT_BINARY_DIR}/headers/${name}.${language})
            file(CONFIGURE OUTPUT ${lone} CONTENT "#include <sonolux/${header}>\n#include <sonolux/${header}>\n")
            list(APPEND lone_sources ${lone})
        endforeach()
    endforeach()
    if(lone_sources)
        add_library(house_headers OBJECT ${lone_sources})
        target_include_directories(house_headers PRIVATE ${SONOLUX_INCLUDE_DIR})
        target_compile_features(house_headers PRIVATE cxx_std_20 c_std_99)
        target_compile_options(house_headers PRIVATE -O0 -Wall -Wextra -Wpedantic)
    endif()
endif()

# The firmware library shows slx_ names only, and needs nothing that firmware lacks.
find_program(SONOLUX_NM NAMES ${CMAKE_NM} nm REQUIRED)
find_program(SONOLUX_READELF NAMES ${CMAKE_READELF} readelf REQUIRED)
set(header)
if(EXISTS ${PROJECT_SOURCE_DIR}/sdk/runtime/sonolux.h)
    set(header -D HEADER=${PROJECT_SOURCE_DIR}/sdk/runtime/sonolux.h)
endif()
function(house_symbol_test name library)
    add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -D LIBRARY=$<TARGET_FILE:${library}> -D NM=${SONOLUX_NM}
        -D READELF=${SONOLUX_READELF} ${ARGN} -P ${CMAKE_CURRENT_SOURCE_DIR}/house/firmware_symbols.cmake)
    set_tests_properties(${name} PROPERTIES LABELS house TIMEOUT 60)
endfunction()
house_symbol_test(FirmwareSymbols.AreOursAndNeedNothingElse sonolux_runtime ${header})
add_library(house_unfit_firmware SHARED house/unfit_firmware.cpp)
house_symbol_test(FirmwareSymbols.OfAnUnfitLibraryAreRefusedForStreams house_unfit_firmware)
set_tests_properties(FirmwareSymbols.OfAnUnfitLibraryAreRefusedForStreams PROPERTIES
    PASS_REGULAR_EXPRESSION "refers to [^\n]*std::cout")
house_symbol_test(FirmwareSymbols.OfAnUnfitLibraryAreRefusedForNames house_unfit_firmware)
set_tests_properties(FirmwareSymbols.OfAnUnfitLibraryAreRefusedForNames PROPERTIES
    PASS_REGULAR_EXPRESSION "shows [^\n]*_ZN5unfit5greetEv")

# The other kinds of library build, install and serve a user's programs. Only from an ordinary build: once is enough.
if(SONOLUX_UNIT_TESTS AND CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT SONOLUX_SANITIZE AND NOT BUILD_SHARED_LIBS
   AND NOT SONOLUX_RUNTIME_ONLY)
    set(options -DSONOLUX_UNIT_TESTS=OFF)
    foreach(variable CMAKE_C_COMPILER CMAKE_CXX_COMPILER CMAKE_C_COMPILER_LAUNCHER CMAKE_CXX_COMPILER_LAUNCHER
            SONOLUX_WITH_OPENMP)
        if(${variable})
            list(APPEND options -D${variable}=${${variable}})
        endif()
    endforeach()
    foreach(preset shared firmware)
        add_test(NAME Preset.${preset} COMMAND ${CMAKE_COMMAND} -D SOURCE=${PROJECT_SOURCE_DIR}
            -D BUILD=${PROJECT_BINARY_DIR}/nested -D PRESET=${preset} "-D OPTIONS=${options}"
            -P ${CMAKE_CURRENT_SOURCE_DIR}/house/nested_build.cmake)
        set_tests_properties(Preset.${preset} PROPERTIES LABELS "house;install" TIMEOUT 1800 RUN_SERIAL ON)
    endforeach()
endif()
