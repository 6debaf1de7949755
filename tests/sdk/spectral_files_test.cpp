// tests/sdk/spectral_files_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include <matio.h>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/hdf5_file.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/spectral_files.hpp>
#include <sonolux/simulation/optics/spectral_lift.hpp>

#include "tests/support/data.hpp"

namespace sonolux {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class SpectralFiles : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ =
            fs::path(::testing::TempDir()) /
            ("spectral_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
        fs::remove_all(folder_);
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }
    [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
        write_file_atomically((folder_ / name).string(), text);
        return (folder_ / name).string();
    }
    fs::path folder_;
};

TEST_F(SpectralFiles, TablesOfNumbersSkipTheirHeaders) {
    const std::string path =
        file("sensor.csv", "Wavelength[nm],R,G\n400,0.1,0.2\n410, 0.3;0.4\r\n420\t0.5 0.6\n");
    const SpectralTable table = read_spectral_table(path, {2});
    EXPECT_EQ(table.wavelengths.size(), 3u);
    EXPECT_NEAR(table.wavelengths[1], 410e-9, 1e-18);
    ASSERT_EQ(table.curves.size(), 1u);
    EXPECT_EQ(table.curves[0], (std::vector<double>{0.2, 0.4, 0.6}));
    EXPECT_EQ(read_spectral_table(path).curves.size(), 2u);
    EXPECT_THAT([&] { static_cast<void>(read_spectral_table(path, {3})); },
                ThrowsMessage<Error>(HasSubstr("has no column 3 beside the wavelength, only 2")));
}

TEST_F(SpectralFiles, JsonTablesOfBothKinds) {
    const SpectralTable camera = read_spectral_table(
        file("a.json", R"({"spectral_data": {"data": {"main": {"410": [2, 3], "400": [0, 1]}}}})"));
    EXPECT_EQ(camera.curves[1], (std::vector<double>{1, 3}));
    const SpectralTable responses = read_spectral_table(file(
        "b.json",
        R"({"wavelengths": [0.4, 0.41], "red_response": [1, 2], "green_response": [3, 4], "blue_response": [5, 6]})"));
    EXPECT_NEAR(responses.wavelengths[1], 410e-9, 1e-18);
    EXPECT_EQ(responses.curves[2], (std::vector<double>{5, 6}));
}

TEST_F(SpectralFiles, RefusesTablesByFileAndLine) {
    EXPECT_THAT([&] { static_cast<void>(read_spectral_table(file("c.csv", "400,1\n410,1\n420,x\n"))); },
                ThrowsMessage<Error>(HasSubstr("c.csv:3: \"x\" is no number")));
    EXPECT_THAT([&] { static_cast<void>(read_spectral_table(file("d.csv", "400,1\n410,1,2\n"))); },
                ThrowsMessage<Error>(HasSubstr("d.csv:2: has 3 numbers, lines before had 2")));
    EXPECT_THAT([&] { static_cast<void>(read_spectral_table(file("g.csv", "400,1\n405\n410,1\n"))); },
                ThrowsMessage<Error>(HasSubstr("g.csv:2: has 1 numbers, lines before had 2")));
    EXPECT_THAT(
        [&] {
            static_cast<void>(read_spectral_table(file(
                "h.json", R"({"spectral_data": {"data": {"main": {"400": [0], "nan": [5], "410": [1]}}}})")));
        },
        ThrowsMessage<Error>(HasSubstr("\"nan\" is no wavelength")));
    EXPECT_THAT(
        [&] { static_cast<void>(read_spectral_table(file("e.csv", "400,1\n405,1\n410,1\n440,1\n"))); },
        ThrowsMessage<Error>(HasSubstr("e.csv: has a gap from 410 to 440 nm")));
    EXPECT_THAT([&] { static_cast<void>(read_spectral_table(file("f.csv", "nothing\n"))); },
                ThrowsMessage<Error>(HasSubstr("f.csv: has no line of numbers")));
}

// A cube whose value says where it is: 100 band + 10 row + column, over 1000.
float value_at(Index band, Index i, Index j) { return static_cast<float>(100 * band + 10 * i + j) / 1000; }

void expect_cube(const SpectralCube& cube, double tolerance) {
    ASSERT_EQ(cube.reflectance.shape(), (Shape{4, 2, 3}));
    for (Index b = 0; b < 4; ++b)
        for (Index i = 0; i < 2; ++i)
            for (Index j = 0; j < 3; ++j)
                EXPECT_NEAR(cube.reflectance(b, i, j), value_at(b, i, j), tolerance) << b << i << j;
}

const std::vector<double> four = {500e-9, 510e-9, 520e-9, 530e-9};

TEST_F(SpectralFiles, CubesAreReadAlikeFromImagesMatAndHdf5) {
    for (Index b = 0; b < 4; ++b) {
        Array<float> band({2, 3});
        for (Index i = 0; i < 2; ++i)
            for (Index j = 0; j < 3; ++j) band(i, j) = value_at(b, i, j);
        fs::create_directories(folder_ / "stack");
        write_image((folder_ / "stack" / sentence("band_0", b, ".png")).string(), band, 16);
    }
    const SpectralCube stack = read_spectral_cube((folder_ / "stack").string(), four);
    expect_cube(stack, 1e-5);
    EXPECT_THAT(stack.source, HasSubstr("4 grey png of 16 bits, as linear light"));

    std::vector<float> last, first;
    for (Index i = 0; i < 2; ++i)
        for (Index j = 0; j < 3; ++j)
            for (Index b = 0; b < 4; ++b) last.push_back(value_at(b, i, j));
    for (Index b = 0; b < 4; ++b)
        for (Index i = 0; i < 2; ++i)
            for (Index j = 0; j < 3; ++j) first.push_back(value_at(b, i, j));
    const std::string h5 = (folder_ / "cube.h5").string();
    Hdf5File out = Hdf5File::create_in_memory(h5);
    out.write<float>("cube", {2, 3, 4}, last);
    out.write<float>("other", {4, 2, 3}, first);
    out.commit();
    expect_cube(read_spectral_cube(h5, four, "cube"), 1e-6);
    expect_cube(read_spectral_cube(h5, four, "other"), 1e-6);
    EXPECT_THAT([&] { static_cast<void>(read_spectral_cube(h5, four)); },
                ThrowsMessage<Error>(HasSubstr("both cube and other have three dimensions")));

    // MATLAB's order: the first index is the fastest.
    std::vector<double> columns;
    for (Index b = 0; b < 4; ++b)
        for (Index j = 0; j < 3; ++j)
            for (Index i = 0; i < 2; ++i) columns.push_back(double{value_at(b, i, j)});
    const std::string mat = (folder_ / "cube.mat").string();
    mat_t* handle = Mat_CreateVer(mat.c_str(), nullptr, MAT_FT_MAT5);
    std::size_t sizes[] = {2, 3, 4};
    matvar_t* variable = Mat_VarCreate("rad", MAT_C_DOUBLE, MAT_T_DOUBLE, 3, sizes, columns.data(), 0);
    Mat_VarWrite(handle, variable, MAT_COMPRESSION_NONE);
    Mat_VarFree(variable);
    Mat_Close(handle);
    expect_cube(read_spectral_cube(mat, four), 1e-6);
}

TEST_F(SpectralFiles, RefusesCubesOfOtherBands) {
    fs::create_directories(folder_ / "stack");
    write_image((folder_ / "stack/one.png").string(), Array<float>({2, 2}));
    EXPECT_THAT([&] { static_cast<void>(read_spectral_cube((folder_ / "stack").string())); },
                ThrowsMessage<Error>(HasSubstr("has 1 images for 31 wavelengths")));
    EXPECT_THAT([&] { static_cast<void>(read_spectral_cube(file("x.txt", "1"))); },
                ThrowsMessage<Error>(HasSubstr("is no folder of images, and neither .mat, .h5 nor .hdf5")));
}

TEST(SpectralFilesOracle, ReadsTheCamerasThatAreThere) {
    SLX_NEEDS(data_folder() / "optics/sensors");
    for (const auto& entry : fs::directory_iterator(data_folder() / "optics/sensors")) {
        if (entry.path().extension() != ".json") continue;
        EXPECT_EQ(read_spectral_table(entry.path().string()).curves.size(), 3u) << entry.path();
    }
}

// Lifted spectra under D65 look to the CIE 1931 observer as the colours that they were lifted from.
TEST(SpectralLiftOracle, LooksLikeItsColour) {
    SLX_NEEDS(data_folder() / "optics/spectral");
    const std::string folder = (data_folder() / "optics/spectral").string();
    const std::vector<double> fine = wavelengths_between(400e-9, 700e-9, 121);
    const CameraResponse eye = camera_response(read_spectral_table(folder + "/dflat_1931XYZ.txt", {1, 2, 3}),
                                               read_spectral_table(folder + "/dflat_D65.txt"), fine);
    const Array<float> xyz = camera_matrix(eye, lift_wavelengths());  // relative to white
    const double to_srgb[3][3] = {{3.2404542 * 0.95047, -1.5371385, -0.4985314 * 1.08883},
                                  {-0.9692660 * 0.95047, 1.8760108, 0.0415560 * 1.08883},
                                  {0.0556434 * 0.95047, -0.2040259, 1.0572252 * 1.08883}};
    for (Index colour = 0; colour < 3; ++colour)
        for (Index c = 0; c < 3; ++c) {
            double light = 0;
            for (Index k = 0; k < 3; ++k)
                for (Index b = 0; b < 31; ++b) light += to_srgb[c][k] * xyz(k, b) * lift_basis()(colour, b);
            EXPECT_NEAR(light, c == colour, 1e-3) << colour << " in " << c;
        }
}

}  // namespace
}  // namespace sonolux
