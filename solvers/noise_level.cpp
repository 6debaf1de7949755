// sonolux/solvers/noise_level.cpp
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include <sonolux/core/parallel_rows.hpp>
#include <sonolux/solvers/noise_level.hpp>

namespace sonolux {

namespace {

constexpr int patch = 8;
constexpr int highest = 2 * (patch - 1);                    // of u + v
constexpr int first_high = 10;                              // where the measured coefficients begin
constexpr int high = 15;                                    // how many those are: 1 + 2 + 3 + 4 + 5
constexpr int lowest_frequency = first_high - (patch - 1);  // of u or v among them
constexpr int frequencies = patch - lowest_frequency;
constexpr int quiet_directions = 4;
constexpr Index square = 16;  // of the checkerboard, in pixels
constexpr Index most_patches = 250000;
constexpr Index fewest_flat = 256;  // or all there are
static_assert(high == (highest - first_high + 1) * (highest - first_high + 2) / 2);

using Coefficients = std::array<double, high>;
using Covariance = Eigen::Matrix<double, high, high>;

void require_image(View<const float> image, Index smallest) {
    require(image.rank() == 2 && image.rows() >= smallest && image.columns() >= smallest,
            Status::invalid_argument, "the noise level needs an image [rows, columns] of at least ", smallest,
            " x ", smallest, ", got ", to_string(image.shape()));
    for (Index i = 0; i < image.rows(); ++i)
        for (Index j = 0; j < image.columns(); ++j)
            require(std::isfinite(image(i, j)), Status::invalid_argument, "pixel [", i, ", ", j,
                    "] of the image whose noise level is wanted must be finite, got ", image(i, j));
}

/// The patches of an image, each `step` pixels from the next.
class Patches {
public:
    explicit Patches(View<const float> image) : image_(image) {
        for (std::size_t u = 0; u < frequencies; ++u)
            for (std::size_t x = 0; x < patch; ++x)
                cosines_[u][x] =
                    std::sqrt(2.0 / patch) * std::cos(std::numbers::pi * (static_cast<double>(x) + 0.5) *
                                                      static_cast<double>(u + lowest_frequency) / patch);
        const double places =
            static_cast<double>(image.rows() - patch + 1) * static_cast<double>(image.columns() - patch + 1);
        step_ = std::max<Index>(1, static_cast<Index>(std::ceil(std::sqrt(places / most_patches))));
        rows_ = (image.rows() - patch) / step_ + 1;
        columns_ = (image.columns() - patch) / step_ + 1;
        smallest_ = largest_ = image(0, 0);
        for (Index i = 0; i < image.rows(); ++i) {
            const auto [low, up] = std::minmax_element(image.row(i), image.row(i) + image.columns());
            smallest_ = std::min(smallest_, *low);
            largest_ = std::max(largest_, *up);
        }
    }

    [[nodiscard]] Index rows() const noexcept { return rows_; }
    [[nodiscard]] Index columns() const noexcept { return columns_; }
    [[nodiscard]] Index count() const noexcept { return rows_ * columns_; }

    [[nodiscard]] bool on_white_square(Index n) const noexcept {
        return (n / columns_ * step_ / square + n % columns_ * step_ / square) % 2 == 0;
    }

    [[nodiscard]] bool saturated(Index n) const noexcept {
        int pixels = 0;
        for (int y = 0; y < patch; ++y)
            for (int x = 0; x < patch; ++x) {
                const float value = at(n, y)[x];
                pixels += value == smallest_ || value == largest_;
            }
        return pixels > patch * patch / 4;
    }

    /// The coefficients with u + v >= first_high.
    [[nodiscard]] Coefficients coefficients(Index n) const noexcept {
        double across[frequencies][patch];
        for (int y = 0; y < patch; ++y)
            for (std::size_t v = 0; v < frequencies; ++v) {
                double sum = 0;
                for (std::size_t x = 0; x < patch; ++x)
                    sum += cosines_[v][x] * static_cast<double>(at(n, y)[x]);
                across[v][y] = sum;
            }
        Coefficients c{};
        std::size_t next = 0;
        for (std::size_t u = 0; u < frequencies; ++u)
            for (std::size_t v = frequencies - 1 - u; v < frequencies; ++v) {
                for (std::size_t y = 0; y < patch; ++y) c[next] += cosines_[u][y] * across[v][y];
                ++next;
            }
        return c;
    }

    /// The energy of the coefficients with 0 < u + v < first_high: all energy but that of the mean and that
    /// of the others (Parseval).
    [[nodiscard]] double low_energy(Index n) const noexcept {
        // About the first pixel, or a bright patch would lose its small differences.
        const double origin = static_cast<double>(at(n, 0)[0]);
        double sum = 0, squares = 0;
        for (int y = 0; y < patch; ++y)
            for (int x = 0; x < patch; ++x) {
                const double value = static_cast<double>(at(n, y)[x]) - origin;
                sum += value;
                squares += value * value;
            }
        double energy = squares - sum * sum / (patch * patch);
        for (double c : coefficients(n)) energy -= c * c;
        return energy;
    }

private:
    [[nodiscard]] const float* at(Index n, int y) const noexcept {
        return image_.row(n / columns_ * step_ + y) + n % columns_ * step_;
    }

    View<const float> image_;
    std::array<std::array<double, patch>, frequencies> cosines_;  // [u - lowest_frequency][x]
    Index step_ = 1, rows_ = 0, columns_ = 0;
    float smallest_ = 0, largest_ = 0;
};

/// E[c c^T], the coefficients' means being zero.
Covariance covariance(const std::vector<Coefficients>& samples) {
    Covariance sum = Covariance::Zero();
    for (const Coefficients& c : samples) {
        const Eigen::Map<const Eigen::Matrix<double, high, 1>> v(c.data());
        sum += v * v.transpose();
    }
    return sum / static_cast<double>(samples.size());
}

/// The mean variance in `measured` along the directions that are quietest in `other`.
double quiet_variance(const Covariance& other, const Covariance& measured) {
    const Eigen::SelfAdjointEigenSolver<Covariance> solver(other);  // eigenvalues rise
    const auto directions = solver.eigenvectors().leftCols<quiet_directions>();
    return (directions.transpose() * measured * directions).trace() / quiet_directions;
}

}  // namespace

double noise_level_from_median(View<const float> image) {
    require_image(image, 3);
    std::vector<float> sizes;
    sizes.reserve(static_cast<std::size_t>((image.rows() - 2) * (image.columns() - 2)));
    for (Index i = 1; i + 1 < image.rows(); ++i) {
        const float *above = image.row(i - 1), *here = image.row(i), *below = image.row(i + 1);
        auto column = [=](Index j) { return above[j] - 2 * here[j] + below[j]; };
        for (Index j = 1; j + 1 < image.columns(); ++j)
            sizes.push_back(std::abs(column(j - 1) - 2 * column(j) + column(j + 1)) / 6);
    }
    const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
    std::nth_element(sizes.begin(), middle, sizes.end());
    constexpr double upper_quartile_of_normal = 0.67448975019608171;
    return static_cast<double>(*middle) / upper_quartile_of_normal;
}

double noise_level_from_patches(View<const float> image, Context& context) {
    require_image(image, noise_level_patch_image);
    const Patches patches(image);
    constexpr double left_out = std::numeric_limits<double>::infinity();
    std::vector<double> energies(static_cast<std::size_t>(patches.count()));
    parallel_rows(context, patches.rows(), 64 * patches.columns(), [&](Index begin, Index end, int) {
        for (Index n = begin * patches.columns(); n < end * patches.columns(); ++n)
            energies[static_cast<std::size_t>(n)] = patches.saturated(n) ? left_out : patches.low_energy(n);
    });

    std::vector<double> sorted;
    for (double energy : energies)
        if (energy != left_out) sorted.push_back(energy);
    if (sorted.empty()) return 0;  // nothing but black and white
    const std::size_t wanted =
        std::min(std::max(sorted.size() / 10, static_cast<std::size_t>(fewest_flat)), sorted.size());
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(wanted - 1), sorted.end());
    const double limit = sorted[wanted - 1];

    std::vector<Coefficients> white, black;
    for (Index n = 0; n < patches.count(); ++n)
        if (energies[static_cast<std::size_t>(n)] <= limit)
            (patches.on_white_square(n) ? white : black).push_back(patches.coefficients(n));
    // Flat patches may all lie on squares of one colour. Then chance has its part in what is quietest.
    constexpr std::size_t enough = 4 * high;
    if (white.size() < enough || black.size() < enough) {
        white.insert(white.end(), black.begin(), black.end());
        const Covariance all = covariance(white);
        return std::sqrt(std::max(quiet_variance(all, all), 0.0));
    }
    const Covariance one = covariance(white), other = covariance(black);
    const double variance = (quiet_variance(one, other) + quiet_variance(other, one)) / 2;
    return std::sqrt(std::max(variance, 0.0));
}

NoiseLevel estimate_noise_level(View<const float> image, Context& context) {
    require(image.rank() == 2 || image.rank() == 3, Status::invalid_argument,
            "the noise level needs an image [rows, columns] or [channels, rows, columns], got ",
            to_string(image.shape()));
    require(image.rank() == 2 || image.size(0) >= 1, Status::invalid_argument,
            "the noise level needs an image of at least 1 channel, got 0");
    const bool patches =
        image.rows() >= noise_level_patch_image && image.columns() >= noise_level_patch_image;
    NoiseLevel level;
    level.method = patches ? "patches" : "median";
    const Index channels = image.rank() == 3 ? image.size(0) : 1;
    double squares = 0;
    for (Index c = 0; c < channels; ++c) {
        const View<const float> plane = image.rank() == 3 ? image[c] : image;
        level.channels.push_back(patches ? noise_level_from_patches(plane, context)
                                         : noise_level_from_median(plane));
        squares += level.channels.back() * level.channels.back();
    }
    level.combined = std::sqrt(squares / static_cast<double>(channels));
    return level;
}

}  // namespace sonolux
