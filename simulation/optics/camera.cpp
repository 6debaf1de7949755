// sonolux/simulation/optics/camera.cpp
#include <algorithm>
#include <cmath>

#include <sonolux/core/error.hpp>
#include <sonolux/simulation/degradation/noise.hpp>
#include <sonolux/simulation/optics/camera.hpp>

namespace sonolux {

namespace {

double nanometres(double metres) { return metres * 1e9; }

/// The weight of band b for light of a wavelength: linear from each band to the next.
std::vector<double> hats(std::span<const double> bands, double wavelength) {
    std::vector<double> weights(bands.size());
    const auto after = std::upper_bound(bands.begin(), bands.end(), wavelength);
    const auto next = static_cast<std::size_t>(after - bands.begin());
    if (next == 0) {
        weights.front() = 1;
    } else if (next == bands.size()) {
        weights.back() = 1;
    } else {
        const double t = (wavelength - bands[next - 1]) / (bands[next] - bands[next - 1]);
        weights[next - 1] = 1 - t;
        weights[next] = t;
    }
    return weights;
}

void require_same(const PsfBank& bank, const CameraResponse& response) {
    require(bank.wavelengths == response.wavelengths, Status::size_mismatch, "camera: the PSF bank has ",
            bank.wavelengths.size(), " wavelengths and the response ", response.wavelengths.size(),
            ", they must be the same");
}

/// Adds weight times each PSF to a kernel in double, and stores it.
class KernelSum {
public:
    explicit KernelSum(const PsfBank& bank) : bank_(bank), sum_({bank.size(), bank.size()}) {}

    void clear() { std::fill(sum_.begin(), sum_.end(), 0.0); }
    void add(double weight, Index wavelength) {
        if (weight == 0) return;
        const float* psf = bank_.psf.view()[wavelength].data();
        for (Index n = 0; n < sum_.elements(); ++n) sum_.data()[n] += weight * double{psf[n]};
    }
    void store(View<float> kernel) const {
        for (Index n = 0; n < sum_.elements(); ++n) kernel.data()[n] = static_cast<float>(sum_.data()[n]);
    }

private:
    const PsfBank& bank_;
    Array<double> sum_;
};

}  // namespace

std::vector<double> SpectralTable::at(std::size_t curve, std::span<const double> at) const {
    const std::vector<double>& values = curves[curve];
    std::vector<double> result;
    for (const double wavelength : at) {
        // Half a picometre for bounds that were computed.
        require(wavelength >= wavelengths.front() - 5e-13 && wavelength <= wavelengths.back() + 5e-13,
                Status::invalid_argument, name, ": goes from ", nanometres(wavelengths.front()), " to ",
                nanometres(wavelengths.back()), " nm and says nothing of ", nanometres(wavelength), " nm");
        const std::vector<double> weights = hats(wavelengths, wavelength);
        double sum = 0;
        for (std::size_t i = 0; i < weights.size(); ++i) sum += weights[i] * values[i];
        result.push_back(sum);
    }
    return result;
}

void check_table(const SpectralTable& table) {
    const std::size_t count = table.wavelengths.size();
    require(count >= 2 && !table.curves.empty(), Status::invalid_argument, table.name, ": has ", count,
            " wavelengths and ", table.curves.size(), " curves, at least 2 and 1 are needed");
    std::vector<double> steps;
    for (std::size_t i = 0; i + 1 < count; ++i) {
        steps.push_back(table.wavelengths[i + 1] - table.wavelengths[i]);
        require(steps.back() > 0, Status::invalid_argument, table.name, ": wavelengths must rise, got ",
                nanometres(table.wavelengths[i + 1]), " after ", nanometres(table.wavelengths[i]), " nm");
    }
    std::vector<double> sorted = steps;
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2),
                     sorted.end());
    const double usual = sorted[sorted.size() / 2];
    for (std::size_t i = 0; i < steps.size(); ++i)
        require(steps[i] <= 3 * usual * (1 + 1e-9), Status::invalid_argument, table.name, ": has a gap from ",
                nanometres(table.wavelengths[i]), " to ", nanometres(table.wavelengths[i + 1]),
                " nm, other steps are ", nanometres(usual), " nm");
    for (std::size_t c = 0; c < table.curves.size(); ++c) {
        require(table.curves[c].size() == count, Status::invalid_argument, table.name, ": curve ", c, " has ",
                table.curves[c].size(), " values for ", count, " wavelengths");
        for (std::size_t i = 0; i < count; ++i)
            require(table.curves[c][i] >= 0 && std::isfinite(table.curves[c][i]), Status::invalid_argument,
                    table.name, ": curve ", c, " has no value, or one below 0, at ",
                    nanometres(table.wavelengths[i]), " nm");
    }
}

SpectralTable gaussian_sensor() {
    SpectralTable table{"the Gaussian sensor", wavelengths_between(380e-9, 730e-9, 71), {}};
    for (const auto& [middle, deviation] : {std::pair{600e-9, 38e-9}, {535e-9, 42e-9}, {460e-9, 32e-9}}) {
        auto& curve = table.curves.emplace_back();
        for (const double wavelength : table.wavelengths)
            curve.push_back(0.5 * std::exp(-std::pow((wavelength - middle) / deviation, 2) / 2));
    }
    return table;
}

SpectralTable black_body(double kelvin) {
    require(kelvin >= 500 && kelvin <= 50000, Status::invalid_argument,
            "black body: the temperature must be 500 to 50000 K, got ", kelvin);
    SpectralTable table{
        sentence("a black body of ", kelvin, " K"), wavelengths_between(300e-9, 1100e-9, 161), {}};
    constexpr double second_radiation_constant = 1.438776877e-2;  // h c / k, m K
    const auto photons = [kelvin](double wavelength) {
        return std::pow(wavelength, -4) / std::expm1(second_radiation_constant / (wavelength * kelvin));
    };
    auto& curve = table.curves.emplace_back();
    for (const double wavelength : table.wavelengths) curve.push_back(photons(wavelength) / photons(560e-9));
    return table;
}

CameraResponse camera_response(const SpectralTable& sensor, const SpectralTable& light,
                               std::span<const double> wavelengths) {
    check_wavelengths(wavelengths);
    check_table(sensor);
    check_table(light);
    for (const SpectralTable* table : {&sensor, &light})
        require(table->wavelengths.back() > wavelengths.front() &&
                    table->wavelengths.front() < wavelengths.back(),
                Status::invalid_argument, table->name, ": ", nanometres(table->wavelengths.front()), " to ",
                nanometres(table->wavelengths.back()), " nm do not overlap the wavelengths ",
                nanometres(wavelengths.front()), " to ", nanometres(wavelengths.back()), " nm");
    const std::vector<double> illumination = light.at(0, wavelengths);
    const std::size_t count = wavelengths.size();
    CameraResponse response;
    response.wavelengths.assign(wavelengths.begin(), wavelengths.end());
    double brightest = 0;
    for (std::size_t c = 0; c < sensor.curves.size(); ++c) {
        std::vector<double> weights = sensor.at(c, wavelengths);
        double white = 0;
        for (std::size_t i = 0; i < count; ++i) {
            // The trapezoidal rule.
            const double before = i > 0 ? wavelengths[i] - wavelengths[i - 1] : 0;
            const double after = i + 1 < count ? wavelengths[i + 1] - wavelengths[i] : 0;
            weights[i] *= illumination[i] * (count == 1 ? 1 : (before + after) / 2);
            white += weights[i];
        }
        require(white > 0, Status::invalid_argument, sensor.name, ": channel ", c, " sees nothing from ",
                nanometres(wavelengths.front()), " to ", nanometres(wavelengths.back()), " nm");
        for (double& weight : weights) weight /= white;
        response.weights.push_back(std::move(weights));
        response.white.push_back(white);
        brightest = std::max(brightest, white);
    }
    for (double& white : response.white) white /= brightest;
    return response;
}

Array<float> camera_kernels(const PsfBank& bank, const CameraResponse& response,
                            std::span<const double> bands) {
    require_same(bank, response);
    check_wavelengths(bands);
    const auto count = static_cast<Index>(bands.size());
    Array<float> kernels({response.channels(), count, bank.size(), bank.size()});
    std::vector<std::vector<double>> hat;
    for (const double wavelength : bank.wavelengths) hat.push_back(hats(bands, wavelength));
    KernelSum sum(bank);
    for (Index c = 0; c < response.channels(); ++c)
        for (Index b = 0; b < count; ++b) {
            sum.clear();
            for (Index w = 0; w < bank.count(); ++w)
                sum.add(response.weights[static_cast<std::size_t>(c)][static_cast<std::size_t>(w)] *
                            hat[static_cast<std::size_t>(w)][static_cast<std::size_t>(b)],
                        w);
            sum.store(kernels.view()[c][b]);
        }
    return kernels;
}

Array<float> white_kernels(const PsfBank& bank, const CameraResponse& response) {
    require_same(bank, response);
    Array<float> kernels({response.channels(), bank.size(), bank.size()});
    KernelSum sum(bank);
    for (Index c = 0; c < response.channels(); ++c) {
        sum.clear();
        for (Index w = 0; w < bank.count(); ++w)
            sum.add(response.weights[static_cast<std::size_t>(c)][static_cast<std::size_t>(w)], w);
        sum.store(kernels.view()[c]);
    }
    return kernels;
}

Array<float> camera_matrix(const CameraResponse& response, std::span<const double> bands) {
    check_wavelengths(bands);
    Array<double> sums({response.channels(), static_cast<Index>(bands.size())});
    for (std::size_t w = 0; w < response.wavelengths.size(); ++w) {
        const std::vector<double> hat = hats(bands, response.wavelengths[w]);
        for (Index c = 0; c < response.channels(); ++c)
            for (std::size_t b = 0; b < hat.size(); ++b)
                sums(c, static_cast<Index>(b)) += response.weights[static_cast<std::size_t>(c)][w] * hat[b];
    }
    Array<float> matrix(sums.shape());
    std::transform(sums.begin(), sums.end(), matrix.begin(), [](double x) { return static_cast<float>(x); });
    return matrix;
}

Array<float> sharp_image(View<const float> scene, View<const float> matrix) {
    require(scene.rank() == 3 && matrix.rank() == 2 && scene.size(0) == matrix.columns(),
            Status::size_mismatch, "camera: a scene ", to_string(scene.shape()),
            " does not have the bands of ", to_string(matrix.shape()), " [channels, bands]");
    Array<float> image({matrix.rows(), scene.rows(), scene.columns()});
    for (Index c = 0; c < matrix.rows(); ++c)
        for (Index b = 0; b < matrix.columns(); ++b)
            for (Index i = 0; i < scene.rows(); ++i) {
                const float* from = scene[b].row(i);
                float* to = image.view()[c].row(i);
                for (Index j = 0; j < scene.columns(); ++j) to[j] += matrix(c, b) * from[j];
            }
    return image;
}

void check_sensor(const Sensor& sensor) {
    require(sensor.full_well >= 1 && std::isfinite(sensor.full_well), Status::invalid_argument,
            "sensor: the full well must be at least 1 electron, got ", sensor.full_well);
    require(sensor.read_noise >= 0 && std::isfinite(sensor.read_noise), Status::invalid_argument,
            "sensor: the read noise must be at least 0 electrons, got ", sensor.read_noise);
    require(sensor.bits >= 0 && sensor.bits <= 16, Status::invalid_argument,
            "sensor: bits must be 0 (none) to 16, got ", sensor.bits);
    require(sensor.vignetting >= 0 && sensor.vignetting < 1, Status::invalid_argument,
            "sensor: vignetting must be 0 to below 1, got ", sensor.vignetting);
}

Array<float> vignette(const Sensor& sensor, Index rows, Index columns) {
    check_sensor(sensor);
    Array<float> factor({rows, columns});
    const double y0 = static_cast<double>(rows - 1) / 2, x0 = static_cast<double>(columns - 1) / 2;
    const double corner = std::max(1e-9, x0 * x0 + y0 * y0);
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j) {
            const double y = static_cast<double>(i) - y0, x = static_cast<double>(j) - x0;
            factor(i, j) = static_cast<float>(1 - sensor.vignetting * (x * x + y * y) / corner);
        }
    return factor;
}

void take_photograph(View<const float> clean, const Sensor& sensor, std::span<const double> white,
                     std::uint64_t seed, std::uint64_t sample, View<float> photograph, Context& context) {
    check_sensor(sensor);
    require(clean.rank() == 3 && clean.shape() == photograph.shape() &&
                clean.size(0) == static_cast<Index>(white.size()),
            Status::size_mismatch, "sensor: an image ", to_string(clean.shape()), " for ", white.size(),
            " channels, and a photograph ", to_string(photograph.shape()));
    const Array<float> factor = vignette(sensor, clean.rows(), clean.columns());
    Array<float> raw({clean.rows(), clean.columns()});
    for (Index c = 0; c < clean.size(0); ++c) {
        const auto level = static_cast<float>(white[static_cast<std::size_t>(c)]);
        for (Index i = 0; i < raw.view().rows(); ++i)
            for (Index j = 0; j < raw.view().columns(); ++j)
                raw(i, j) = clean(c, i, j) * level * factor(i, j);
        const Philox random(
            seed, streams::noise,
            static_cast<std::uint64_t>(clean.size(0)) * sample + static_cast<std::uint64_t>(c));
        const Exposure exposure{static_cast<float>(sensor.read_noise / sensor.full_well),
                                static_cast<float>(1 / sensor.full_well), sensor.bits};
        expose(raw, exposure, 1, random, photograph[c], context);
        for (Index i = 0; i < raw.view().rows(); ++i)
            for (Index j = 0; j < raw.view().columns(); ++j) photograph(c, i, j) /= level;
    }
}

double noise_variance(const Sensor& sensor, double white, double level) noexcept {
    const double gain = 1 / (sensor.full_well * white);
    return gain * std::max(level, 0.0) + std::pow(sensor.read_noise * gain, 2);
}

}  // namespace sonolux
