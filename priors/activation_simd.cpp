// sonolux/priors/activation_simd.cpp
//
// Activations from their tables, and the gradients of responses and tables. Compiled once per instruction
// set; see sonolux_add_simd_source.
//
// A response falls on segment k of the table, at position t: phi = c0[k] + t (c1[k] + t (c2[k] + t c3[k])).
// For an upstream u, the gradient of the coefficients is u (1, t, t^2, t^3) added to segment k: a histogram
// with four numbers in each bin. A row's places and products come first, in whole vectors; then its pixels
// are added one by one. Neighbours often fall on the same segment, and an addition to a bin waits for the one
// before it, so that each bin comes in four copies, taken in turn.
#include <algorithm>

#include <sonolux/priors/fields_of_experts_simd.hpp>

namespace sonolux::foe::SLX_ISA_NAMESPACE {

namespace {

constexpr int powers = 4, copies = histogram_floats / powers;

// Where a row falls in the table: segments, and positions t in [0, 1] on them. NaN stays NaN in t, on segment
// 0. They go through memory because lanes are read from there one by one: taking them out of a vector that is
// still being computed is slower.
struct Places {
    static constexpr Index most = 128;  // columns at a time
    alignas(64) int segment[most];
    alignas(64) float t[most];
};

// Whole vectors: up to the next multiple of slack after `columns`.
inline void locate(const float* z, Index columns, const Table& table, Places& places) noexcept {
    const Vector inverse_step = splat(table.inverse_step), first = splat(-table.lower * table.inverse_step);
    const Vector last = splat(static_cast<float>(table.segments));
    const Integers end = Integers{} + (table.segments - 1);
    for (Index j = 0; j < round_up(columns); j += lanes) {
        // One fused operation: as (z - lower) * inverse_step the product could be fused with the difference
        // below on one instruction set and not on another.
        Vector position = load(z + j) * inverse_step + first;
        position = position < 0.0f ? Vector{} : position;
        position = position > last ? last : position;
        Integers segment = __builtin_convertvector(position, Integers);
        segment = segment < 0 ? Integers{} : segment;  // what NaN converts to
        segment = segment > end ? end : segment;
        std::memcpy(places.segment + j, &segment, sizeof segment);
        store(places.t + j, position - __builtin_convertvector(segment, Vector));
    }
}

// In every group of four lanes: a[first], b[first], a[first + 1], b[first + 1].
template <int first, int... lane>
Vector interleave(Vector a, Vector b, std::integer_sequence<int, lane...>) noexcept {
    return __builtin_shufflevector(a, b, (lane / 4 * 4 + first + lane % 4 / 2 + lane % 2 * lanes)...);
}

// In every group of four lanes: a[first], a[first + 1], b[first], b[first + 1].
template <int first, int... lane>
Vector join(Vector a, Vector b, std::integer_sequence<int, lane...>) noexcept {
    return __builtin_shufflevector(a, b, (lane / 4 * 4 + first + lane % 2 + lane % 4 / 2 * lanes)...);
}

// The coefficients of each lane's segment.
struct Cubic {
    Vector c0, c1, c2, c3;
};

#if defined(__AVX512F__)
// 64 entries live in four registers; two-register permutes read them without gathering from memory.
inline Vector lookup_64(const float* c, __m512i index, __mmask16 second_half) noexcept {
    const __m512 low = _mm512_permutex2var_ps(_mm512_loadu_ps(c), index, _mm512_loadu_ps(c + 16));
    const __m512 high = _mm512_permutex2var_ps(_mm512_loadu_ps(c + 32), index, _mm512_loadu_ps(c + 48));
    return reinterpret_cast<Vector>(_mm512_mask_blend_ps(second_half, low, high));
}

inline Cubic coefficients(const Table& table, const int* segments) noexcept {
    Integers segment;
    std::memcpy(&segment, segments, sizeof segment);
    const int n = table.segments;
    const float* c = table.coefficients;
    if (n >= 64) {
        // Responses crowd around the middle of a table: rarely does a lane leave its middle 64 segments.
        const int first = (n - 64) / 2;
        const __m512i index = _mm512_sub_epi32(reinterpret_cast<__m512i>(segment), _mm512_set1_epi32(first));
        if (_mm512_cmplt_epu32_mask(index, _mm512_set1_epi32(64)) == 0xffff) {
            const __mmask16 upper_half = _mm512_test_epi32_mask(index, _mm512_set1_epi32(32));
            auto at = [&](int power) { return lookup_64(c + power * n + first, index, upper_half); };
            return {at(0), at(1), at(2), at(3)};
        }
    }
    if (n == 128) {
        const __m512i index = reinterpret_cast<__m512i>(segment);
        const __mmask16 second_half = _mm512_test_epi32_mask(index, _mm512_set1_epi32(32));
        const __mmask16 upper_half = _mm512_test_epi32_mask(index, _mm512_set1_epi32(64));
        auto at = [&](int power) {
            const Vector low = lookup_64(c + power * n, index, second_half);
            const Vector high = lookup_64(c + power * n + 64, index, second_half);
            return reinterpret_cast<Vector>(_mm512_mask_blend_ps(upper_half, reinterpret_cast<__m512>(low),
                                                                 reinterpret_cast<__m512>(high)));
        };
        return {at(0), at(1), at(2), at(3)};
    }
    auto at = [&](int power) {
        return reinterpret_cast<Vector>(_mm512_mask_i32gather_ps(
            _mm512_setzero_ps(), 0xffff, reinterpret_cast<__m512i>(segment), c + power * n, 4));
    };
    return {at(0), at(1), at(2), at(3)};
}
#else
// The four coefficients of a segment lie side by side, so that a lane takes one load and not four: quad i has
// those of lanes i, i + 4 ..., and 4 x 4 transposes sort them.
template <int... lane>
Vector quad(const float* const* segments, std::integer_sequence<int, lane...>) noexcept {
    using Four = float __attribute__((vector_size(4 * sizeof(float))));
    return __builtin_shufflevector(load<Four>(segments[0]), load<Four>(segments[lanes - 4]), lane...);
}

inline Cubic coefficients(const Table& table, const int* segments) noexcept {
    static_assert(lanes == 4 || lanes == 8);
    constexpr auto all = std::make_integer_sequence<int, lanes>();
    const float* at[lanes];
    for (int i = 0; i < lanes; ++i) at[i] = table.by_segment + Index{4} * segments[i];
    const Vector q0 = quad(at, all), q1 = quad(at + 1, all), q2 = quad(at + 2, all), q3 = quad(at + 3, all);
    const Vector low01 = interleave<0>(q0, q1, all), low23 = interleave<0>(q2, q3, all);
    const Vector high01 = interleave<2>(q0, q1, all), high23 = interleave<2>(q2, q3, all);
    return {join<0>(low01, low23, all), join<2>(low01, low23, all), join<0>(high01, high23, all),
            join<2>(high01, high23, all)};
}
#endif

inline Vector value(const Cubic& c, Vector t) noexcept {
    return multiply_add(multiply_add(multiply_add(c.c3, t, c.c2), t, c.c1), t, c.c0);
}

inline Vector derivative(const Cubic& c, Vector t) noexcept {
    return multiply_add(multiply_add(3.0f * c.c3, t, 2.0f * c.c2), t, c.c1);
}

// Where `store_products` puts those of lane i.
constexpr int product_offset(int i) { return i % 4 * lanes + i / 4 * powers; }

// u (1, t, t^2, t^3) with the four products of a lane side by side: 4 x 4 transposes.
inline void store_products(Vector u, Vector t, float* products) noexcept {
    constexpr auto all = std::make_integer_sequence<int, lanes>();
    const Vector ut = u * t, t2 = t * t, ut2 = u * t2, ut3 = ut * t2;
    const Vector low01 = interleave<0>(u, ut, all), low23 = interleave<0>(ut2, ut3, all);
    const Vector high01 = interleave<2>(u, ut, all), high23 = interleave<2>(ut2, ut3, all);
    store(products, join<0>(low01, low23, all));
    store(products + lanes, join<2>(low01, low23, all));
    store(products + 2 * lanes, join<0>(high01, high23, all));
    store(products + 3 * lanes, join<2>(high01, high23, all));
}

inline void add_products(const float* products, float* bin) noexcept {
    using Four = float __attribute__((vector_size(powers * sizeof(float))));
    Four sum, more;
    std::memcpy(&sum, bin, sizeof sum);
    std::memcpy(&more, products, sizeof more);
    sum += more;
    std::memcpy(bin, &sum, sizeof sum);
}

}  // namespace

void activate(Plane z, Plane phi, Index rows, Index columns, const Table& shared_table) noexcept {
    const Table table = shared_table;  // which no store can alias
    Places places;
    for (Index r = 0; r < rows; ++r)
        for (Index begin = 0; begin < columns; begin += Places::most) {
            const Index end = std::min(columns - begin, Places::most);
            float* out = phi.at(r, begin);
            locate(z.at(r, begin), end, table, places);
            for (Index j = 0; j < round_up(end); j += lanes) {
                const Vector v = value(coefficients(table, places.segment + j), load(places.t + j));
                store(out + j, j + lanes <= end ? v : keep(v, end - j));
            }
        }
}

void activate_vjp(Plane z, Plane q, Index rows, Index columns, const Rectangle& own,
                  const Table& shared_table, float* histogram) noexcept {
    const Table table = shared_table;  // which no store can alias
    Places places;
    alignas(64) float products[Places::most * powers];
    const Vector inverse_step = splat(table.inverse_step), lower = splat(table.lower);
    const Vector upper = splat(table.lower + static_cast<float>(table.segments) / table.inverse_step);
    for (Index r = 0; r < rows; ++r)
        for (Index begin = 0; begin < columns; begin += Places::most) {
            float* z_row = z.at(r, begin);
            float* q_row = q.at(r, begin);
            const Index end = std::min(columns - begin, Places::most);
            const Index own_begin = std::max<Index>(own.column - begin, 0);
            const Index own_end = std::min(own.column_end - begin, end);
            locate(z_row, end, table, places);
            for (Index j = 0; j < round_up(end); j += lanes) {
                const Vector response = load(z_row + j), t = load(places.t + j);
                const Cubic c = coefficients(table, places.segment + j);
                const Vector v = value(c, t);
                Vector slope = derivative(c, t) * inverse_step;
                slope = response < lower ? Vector{} : slope;
                slope = response > upper ? Vector{} : slope;
                const Vector upstream = load(q_row + j);
                store_products(upstream, t, products + j * powers);
                const bool whole = j + lanes <= end;
                store(z_row + j, whole ? v : keep(v, end - j));
                store(q_row + j, whole ? slope * upstream : keep(slope * upstream, end - j));
            }
            if (r < own.row || r >= own.row_end) continue;
            // Whole vectors are unrolled; their lanes' offsets are then constants.
            auto add = [&](Index vector, int lane) {
                const Index j = vector + lane;
                add_products(products + vector * powers + product_offset(lane),
                             histogram + histogram_floats * places.segment[j] + lane % copies * powers);
            };
            for (Index vector = own_begin / lanes * lanes; vector < own_end; vector += lanes) {
                if (vector >= own_begin && vector + lanes <= own_end) {
#pragma GCC unroll 16
                    for (int lane = 0; lane < lanes; ++lane) add(vector, lane);
                } else {
                    for (int lane = 0; lane < lanes; ++lane)
                        if (vector + lane >= own_begin && vector + lane < own_end) add(vector, lane);
                }
            }
        }
}

}  // namespace sonolux::foe::SLX_ISA_NAMESPACE
