// A library that firmware cannot link: shows a C++ name and prints. The symbol check has to notice.
#include <iostream>

namespace unfit {

__attribute__((visibility("default"))) void greet() { std::cout << "hello\n"; }

}  // namespace unfit
