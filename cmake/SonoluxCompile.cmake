# How every Sonolux source is compiled.

# The include tree: <sonolux/core/view.hpp> is core/view.hpp here and include/sonolux/core/view.hpp once installed.
set(SONOLUX_INCLUDE_DIR ${PROJECT_BINARY_DIR}/include)
file(MAKE_DIRECTORY ${SONOLUX_INCLUDE_DIR}/sonolux)
foreach(folder core priors solvers simulation sdk)
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${SONOLUX_INCLUDE_DIR}/sonolux/${folder} SYMBOLIC)
endforeach()

add_library(sonolux_compile INTERFACE)
target_include_directories(sonolux_compile INTERFACE ${SONOLUX_INCLUDE_DIR})
target_compile_features(sonolux_compile INTERFACE cxx_std_20)
target_compile_options(sonolux_compile INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wno-unknown-pragmas
    -ffunction-sections -fdata-sections
    # The same bits whatever the optimiser does: no contraction except where a source asks for it (the SIMD files).
    -ffp-contract=off -fno-math-errno)

# Sanitizers go into every object and every link, the tests' too.
set(SONOLUX_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined or thread")
if(SONOLUX_SANITIZE)
    add_compile_options(-fsanitize=${SONOLUX_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${SONOLUX_SANITIZE})
endif()

# Compiles SOURCE once per instruction set, each copy in a namespace of its own (SLX_ISA_NAMESPACE), and appends the
# objects to the list named OBJECTS.
# In these files a * b + c is a fused multiply-add wherever the instruction set has one: that is a rule of theirs,
# not an accident, and makes AVX2, AVX-512 and NEON agree to the bit.
function(sonolux_add_simd_source objects source)
    get_filename_component(name ${source} NAME_WE)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
        set(variants "baseline:-march=x86-64-v2" "avx2:-march=x86-64-v3" "avx512:-march=x86-64-v4")
    elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
        set(variants "baseline:-DSLX_PLAIN" "neon:-DSLX_NEON")
    else()
        set(variants "baseline:-DSLX_PLAIN")
    endif()
    # Here and not among the options of the targets, which stand before the -ffp-contract=off of sonolux_compile.
    set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "-ffp-contract=fast;-fno-trapping-math")
    set(list ${${objects}})
    foreach(variant ${variants})
        string(REPLACE ":" ";" parts ${variant})
        list(GET parts 0 isa)
        list(GET parts 1 flag)
        set(target ${name}_${isa})
        add_library(${target} OBJECT ${source})
        target_link_libraries(${target} PRIVATE sonolux_usage)
        target_compile_definitions(${target} PRIVATE SLX_ISA_NAMESPACE=${isa})
        target_compile_options(${target} PRIVATE ${flag} -O3)
        if(isa STREQUAL "avx512" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
            target_compile_options(${target} PRIVATE -mprefer-vector-width=512)
        endif()
        list(APPEND list $<TARGET_OBJECTS:${target}>)
    endforeach()
    set(${objects} ${list} PARENT_SCOPE)
endfunction()
