// tests/oracles/published_denoisers_test.cpp
//
// Published networks, loaded from their authors' parameter files, against the figures that were published or
// reproduced for them. The files are not ours to ship: without them these tests skip.
#include <cmath>
#include <fstream>
#include <random>

#include <gtest/gtest.h>
#include <matio.h>

#include <sonolux/sdk/files/image.hpp>
#include <sonolux/solvers/variational_network.hpp>

#include "tests/support/data.hpp"
#include "tests/support/published_images.hpp"

namespace sonolux {
namespace {

std::vector<double> read_mat_matrix(const std::filesystem::path& file, const char* name) {
    mat_t* mat = Mat_Open(file.c_str(), MAT_ACC_RDONLY);
    require(mat != nullptr, Status::file_error, file.string(), ": not a MAT file");
    matvar_t* variable = Mat_VarRead(mat, name);
    Mat_Close(mat);
    require(variable != nullptr && variable->data_type == MAT_T_DOUBLE, Status::corrupt_data, file.string(),
            ": no double matrix \"", name, "\"");
    const auto* values = static_cast<const double*>(variable->data);
    std::vector<double> result(values, values + variable->dims[0] * variable->dims[1]);
    Mat_VarFree(variable);
    return result;
}

// TNRD, 5 stages of 48 filters 7x7 (Chen and Pock 2017).
VariationalNetworkOptions tnrd_options(int segments) {
    VariationalNetworkOptions options;
    options.prior.filters = {FilterKind::dct, 48, 7};
    options.prior.activation = {ActivationKind::gaussian_rbf, 63, -310, 310, 10, -320, 320, segments};
    return options;
}

// A stage in the file: 48 x 48 DCT coefficients, log lambda, 63 x 48 weights; ours has log lambda last.
void load_tnrd(UnrolledNetwork& network, const std::filesystem::path& file) {
    const std::vector<double> values = read_mat_matrix(file, "cof");
    constexpr std::size_t coefficients = 48 * 48, weights = 63 * 48, stage = coefficients + 1 + weights;
    ASSERT_EQ(values.size(), 5 * stage);
    ASSERT_EQ(network.parameters().size(), 5 * stage);
    for (std::size_t s = 0; s < 5; ++s) {
        const double* from = values.data() + s * stage;
        float* to = network.parameters().data() + s * stage;
        std::copy_n(from, coefficients, to);
        std::copy_n(from + coefficients + 1, weights, to + coefficients);
        to[coefficients + weights] = static_cast<float>(from[coefficients]);
    }
    network.update(25);
}

// Through `run`, on images in [0, 1].
double network_bsd68_psnr(const UnrolledNetwork& network, float sigma) {
    Context context;
    return bsd68_psnr(data_folder() / "restoration/bsd68_gray", sigma, [&](const Array<float>& noisy) {
        Array<float> unit(noisy.shape());
        for (Index i = 0; i < unit.elements(); ++i) unit.data()[i] = noisy.data()[i] / 255;
        context.workspace().reserve(network.run_workspace_bytes(unit.shape()[0], unit.shape()[1], context));
        EXPECT_EQ(network.run(unit.view(), unit.view(), context), Status::ok);
        for (float& pixel : unit) pixel *= 255;
        return unit;
    });
}

TEST(TnrdOracle, ReproducesTheDeterministicPinStageByStage) {
    SLX_NEEDS(oracle_folder() / "tnrd/sigma25_tnrd_7x7.mat");
    SLX_NEEDS(data_folder() / "restoration/pin/01.png");
    auto network = make_variational_network(tnrd_options(640));
    load_tnrd(*network, oracle_folder() / "tnrd/sigma25_tnrd_7x7.mat");
    const Array<float> truth = grey_image(data_folder() / "restoration/pin/01.png");
    const Array<float> noisy = pinned_noisy(truth);
    EXPECT_NEAR(noisy(0, 0), 184.604775922, 1e-4);
    EXPECT_NEAR(psnr_255(noisy, truth), 20.17029, 1e-5);

    const Index rows = truth.shape()[0], columns = truth.shape()[1];
    Context context;
    context.workspace().reserve(network->run_workspace_bytes(rows, columns, context));
    Array<float> estimate(truth.shape());
    const double published[] = {27.717563, 28.378785, 28.850403, 29.023021, 29.720350};
    for (Index steps = 1; steps <= 5; ++steps) {
        network->forward(noisy, {.data = noisy}, estimate, steps, context);
        EXPECT_NEAR(psnr_255(estimate, truth), published[steps - 1], 1e-3) << "after stage " << steps;
    }
    EXPECT_NEAR(estimate(100, 100), 14.140587322, 1e-3);
}

TEST(TnrdOracle, ReachesThePublishedMeanOnBsd68) {
    SLX_NEEDS(oracle_folder() / "tnrd/sigma25_tnrd_7x7.mat");
    SLX_NEEDS(data_folder() / "restoration/bsd68_gray");
    auto network = make_variational_network(tnrd_options(128));
    load_tnrd(*network, oracle_folder() / "tnrd/sigma25_tnrd_7x7.mat");
    const double psnr = network_bsd68_psnr(*network, 25);
    RecordProperty("psnr", std::to_string(psnr));
    std::printf("TNRD 7x7, BSD68, sigma 25: %.4f dB\n", psnr);
    EXPECT_NEAR(psnr, 28.90, 0.01);  // published 28.92, reproduced 28.903
}

TEST(KoblerOracle, ReachesThePublishedMeanOnBsd68) {
    const std::filesystem::path file = oracle_folder() / "vn/sigma25_vn_5x5_24.f32";
    SLX_NEEDS(file);
    SLX_NEEDS(data_folder() / "restoration/bsd68_gray");
    VariationalNetworkOptions options;
    options.value_scale = 1;
    options.step = StepRule::damped;
    options.prior.filters = {FilterKind::free, 24, 5};
    options.prior.boundary = BoundaryRule::reflect;
    options.prior.scale = 1.0f / 24;
    // Beyond the last Gaussian phi falls to zero; the table reaches far enough to show it.
    options.prior.activation = {
        ActivationKind::gaussian_rbf, 31, -0.25f, 0.25f, 0.5f / 31, -0.35f, 0.35f, 128};
    auto network = make_variational_network(options);

    // float32: filters [5, 5, 5, 1, 24], 121 values of a metric, weights [5, 24, 31].
    std::vector<float> values(5 * 600 + 121 + 5 * 744);
    std::ifstream stream(file, std::ios::binary);
    stream.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * 4));
    ASSERT_TRUE(stream) << file << " is shorter than expected";
    for (int s = 0; s < 5; ++s) {
        float* to = network->parameters().data() + network->layout()[3 * s].offset;
        for (int tap = 0; tap < 25; ++tap)
            for (int f = 0; f < 24; ++f) to[f * 25 + tap] = values[s * 600 + tap * 24 + f];
        std::copy_n(values.data() + 5 * 600 + 121 + s * 744, 744, to + 600);
        to[600 + 744] = std::log(0.1f);
    }
    network->update(25);
    const double psnr = network_bsd68_psnr(*network, 25);
    std::printf("Kobler VN 5x5, BSD68, sigma 25: %.4f dB\n", psnr);
    EXPECT_NEAR(psnr, 28.75, 0.01);  // published 28.78, reproduced 28.749
}

}  // namespace
}  // namespace sonolux
