# The command line and the samples.

# sdk/command_line is the program `sonolux`; it lies where the build tree starts, so that build/release/sonolux runs it.
file(GLOB program_sources CONFIGURE_DEPENDS sdk/command_line/*.cpp)
if(program_sources AND NOT SONOLUX_RUNTIME_ONLY)
    find_package(CLI11 REQUIRED)
    add_executable(sonolux_program ${program_sources})
    target_link_libraries(sonolux_program PRIVATE sonolux sonolux_full_usage CLI11::CLI11)
    set_target_properties(sonolux_program PROPERTIES
        OUTPUT_NAME sonolux EXPORT_NAME program RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
endif()

# sdk/kspace is the program `sonolux-kspace`.
file(GLOB kspace_sources CONFIGURE_DEPENDS sdk/kspace/*.cpp)
if(kspace_sources AND NOT SONOLUX_RUNTIME_ONLY)
    add_executable(sonolux_kspace ${kspace_sources})
    target_link_libraries(sonolux_kspace PRIVATE sonolux sonolux_full_usage CLI11::CLI11)
    set_target_properties(sonolux_kspace PROPERTIES
        OUTPUT_NAME sonolux-kspace EXPORT_NAME kspace RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
endif()

# Every samples/NAME.cpp uses the C++ library, every samples/NAME.c is strict C99 over the firmware library alone.
file(GLOB samples CONFIGURE_DEPENDS samples/*.cpp)
if(SONOLUX_RUNTIME_ONLY)
    set(samples)
endif()
file(GLOB firmware_samples CONFIGURE_DEPENDS samples/*.c)
foreach(sample ${samples} ${firmware_samples})
    get_filename_component(name ${sample} NAME_WE)
    add_executable(sample_${name} ${sample})
    set_target_properties(sample_${name} PROPERTIES
        OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/samples)
    if(sample IN_LIST samples)
        target_link_libraries(sample_${name} PRIVATE sonolux)
        target_compile_options(sample_${name} PRIVATE -Wall -Wextra -Wpedantic)
    else()
        target_link_libraries(sample_${name} PRIVATE sonolux_runtime m)
        set_target_properties(sample_${name} PROPERTIES C_STANDARD 99 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
        target_compile_options(sample_${name} PRIVATE -Wall -Wextra -Wpedantic -pedantic-errors)
    endif()
endforeach()
