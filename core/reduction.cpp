// sonolux/core/reduction.cpp
#include <sonolux/core/reduction.hpp>

namespace sonolux {

namespace {

constexpr int lanes = 16;
constexpr int most_blocks = 256;  // their sums fit on the stack
constexpr Index smallest_block = 4096;

Index block_size(Index elements) noexcept {
    const Index share = (elements + most_blocks - 1) / most_blocks;
    return std::max(smallest_block, (share + lanes - 1) / lanes * lanes);
}

double sum_in_pairs(double* values, Index count) noexcept {
    if (count == 0) return 0;
    for (; count > 1; count = (count + 1) / 2) {
        const Index half = (count + 1) / 2;
        for (Index i = 0; i + half < count; ++i) values[i] += values[i + half];
    }
    return values[0];
}

/// The sum of term(i) for i in [begin, end).
template <class Term>
double block_sum(Index begin, Index end, const Term& term) noexcept {
    double lane[lanes] = {};
    Index i = begin;
    for (; i + lanes <= end; i += lanes)
        for (int l = 0; l < lanes; ++l) lane[l] += term(i + l);
    for (int l = 0; i < end; ++i, ++l) lane[l] += term(i);
    return sum_in_pairs(lane, lanes);
}

template <class Term>
double tree_sum(Index elements, Context* context, const Term& term) noexcept {
    const Index size = block_size(elements);
    const Index blocks = (elements + size - 1) / size;
    double partial[most_blocks];
    auto one = [&](Index block, int) {
        partial[block] = block_sum(block * size, std::min(elements, (block + 1) * size), term);
    };
    if (context != nullptr)
        parallel_for(*context, blocks, one);
    else
        for (Index block = 0; block < blocks; ++block) one(block, 0);
    return sum_in_pairs(partial, blocks);
}

double sum(View<const float> a, Context* context) noexcept {
    assert(a.contiguous());
    const float* x = a.data();
    return tree_sum(a.empty() ? 0 : a.elements(), context,
                    [x](Index i) { return static_cast<double>(x[i]); });
}

double dot(View<const float> a, View<const float> b, Context* context) noexcept {
    assert(a.contiguous() && b.contiguous() && a.shape().elements() == b.shape().elements());
    const float* x = a.data();
    const float* y = b.data();
    return tree_sum(a.empty() ? 0 : a.elements(), context,
                    [x, y](Index i) { return static_cast<double>(x[i]) * static_cast<double>(y[i]); });
}

}  // namespace

double sum(View<const float> a, Context& context) noexcept { return sum(a, &context); }
double sum(View<const float> a) noexcept { return sum(a, nullptr); }
double dot(View<const float> a, View<const float> b, Context& context) noexcept {
    return dot(a, b, &context);
}
double dot(View<const float> a, View<const float> b) noexcept { return dot(a, b, nullptr); }
double squared_norm(View<const float> a, Context& context) noexcept { return dot(a, a, &context); }
double squared_norm(View<const float> a) noexcept { return dot(a, a, nullptr); }

}  // namespace sonolux
