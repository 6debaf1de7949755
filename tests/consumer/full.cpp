// A user's program over the whole library: prints the version it was made for and where it runs.
#include <cstdio>

#include <sonolux/core/array.hpp>
#include <sonolux/core/context.hpp>

int main() {
    sonolux::Context context(sonolux::make_serial_runner());
    sonolux::Array<float> image({2, 3});
    if (image.elements() != 6) return 1;
    std::printf("%s\n", context.description().c_str());
    return context.description().find("1 thread") == std::string::npos;
}
