// Blur kernels as NumPy, SciPy and MATLAB write them. The bytes below are theirs.
#include <sonolux/sdk/files/kernel_file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <matio.h>

#include <filesystem>
#include <fstream>
#include <numeric>

#include <sonolux/sdk/files/image.hpp>

#include "tests/support/data.hpp"
#include "tests/support/image_files.hpp"

namespace sonolux {
namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string hexadecimal(std::string_view digits) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
    return bytes;
}

// What numpy.save puts before the numbers.
std::string numpy_file(std::string_view dictionary, std::string_view numbers) {
    std::string header(dictionary);
    header.resize(117, ' ');
    return hexadecimal("934e554d505901007600") + header + "\n" + hexadecimal(numbers);
}

constexpr auto six_floats = "0000803f0000004000004040000080400000a0400000d040"sv;  // 1, 2, 3, 4, 5, 6.5

// What scipy.io.savemat puts before the variables.
std::string mat_file(std::string_view elements) {
    std::string header = "MATLAB 5.0 MAT-file Platform: posix, Created on: Mon Nov 23 19:33:15 2026";
    header.resize(116, '\0');
    return header + hexadecimal("00000000000000000001494d") + hexadecimal(elements);
}

// sigma = 2.0, kernels = {single([1 2 3; 4 5 6.5]), int16([7 8; 9 10; 11 12])}, note = 'x', compressed.
constexpr auto cell_of_two =
    "0f00000028000000789ce36360607000623620e680d220c00ae5332261905871667a6e2290e684ca438103004bf602da"
    "0f00000064000000789ce36360603801c46c40cc01c48c0c10c08ac46782d2ec409c9d5a94979a53ccc007647b20e963"
    "47d307d2c38c641e485e02cc6ab00762072003881700b103105f70e08308c0cde342338f19c91d0c503e0fd85c4e066e"
    "a00a2e308f810100664c097f0f00000027000000789ce36360603000623620e600621606086085f219e19885212fbf24"
    "5500c8aa00f201268402a4"sv;

class KernelFile : public ::testing::Test {
protected:
    void SetUp() override {
        const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
        folder_ = fs::path(::testing::TempDir()) / (std::string("sonolux_kernel_file_") + test->name());
        fs::remove_all(folder_);
        fs::create_directories(folder_);
    }
    void TearDown() override { fs::remove_all(folder_); }

    [[nodiscard]] std::string file(const std::string& name, std::string_view bytes) const {
        const fs::path path = folder_ / name;
        std::ofstream(path, std::ios::binary) << bytes;
        return path.string();
    }
    [[nodiscard]] std::string file(const std::string& name, const Bytes& bytes) const {
        return file(name, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    }

    // What goes wrong, behind the name of the file.
    [[nodiscard]] static std::string complaint(const std::string& path, const std::string& variable = {}) {
        try {
            (void)read_kernel(path, variable);
        } catch (const Error& error) {
            const std::string text = error.what();
            return text.starts_with(path) ? text.substr(path.size()) : text;
        }
        return "no complaint";
    }

    fs::path folder_;
};

std::vector<float> numbers(const Array<float>& kernel) { return {kernel.begin(), kernel.end()}; }

TEST_F(KernelFile, ReadsNumpyArraysInEitherOrderOfDimensionsAndBytes) {
    const Array<float> rows = read_kernel(
        file("a.npy", numpy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", six_floats)));
    EXPECT_EQ(rows.shape(), (Shape{2, 3}));
    EXPECT_THAT(numbers(rows), ElementsAre(1, 2, 3, 4, 5, 6.5F));
    const Array<float> columns =
        read_kernel(file("f.npy", numpy_file("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }",
                                             "000000000000f03f00000000000010400000000000000040"
                                             "000000000000144000000000000008400000000000001a40")));
    EXPECT_EQ(columns.shape(), (Shape{2, 3}));
    EXPECT_THAT(numbers(columns), ElementsAre(1, 2, 3, 4, 5, 6.5F));
    const Array<float> big_endian =
        read_kernel(file("i.npy", numpy_file("{'descr': '>i2', 'fortran_order': False, 'shape': (2, 3), }",
                                             "0001fffe0003000400050258")));
    EXPECT_THAT(numbers(big_endian), ElementsAre(1, -2, 3, 4, 5, 600));
}

TEST_F(KernelFile, ReadsTheSecondVersionOfNumpyFiles) {
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    header.resize(115, ' ');
    const Array<float> kernel =
        read_kernel(file("a.npy", hexadecimal("934e554d505902007400") + hexadecimal("0000") + header + "\n" +
                                      hexadecimal(six_floats)));
    EXPECT_THAT(numbers(kernel), ElementsAre(1, 2, 3, 4, 5, 6.5F));
}

TEST_F(KernelFile, RefusesNumpyArraysThatAreNoKernels) {
    const auto refusal = [&](std::string_view dictionary, std::string_view content) {
        return complaint(file("a.npy", numpy_file(dictionary, content)));
    };
    EXPECT_EQ(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }", six_floats),
              ": is 1 x 2 x 3, expected a kernel of two dimensions (rows x columns)");
    EXPECT_EQ(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", six_floats),
              ": is 6, expected a kernel of two dimensions (rows x columns)");
    EXPECT_EQ(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }", ""),
              ": is empty (0 x 3)");
    EXPECT_THAT(refusal("{'descr': '<c16', 'fortran_order': False, 'shape': (1, 1), }", six_floats),
                StartsWith(": holds '<c16', expected float32 ('<f4'), float64"));
    EXPECT_THAT(refusal("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1, 1), }", six_floats),
                HasSubstr("expected float32"));
    EXPECT_EQ(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }", six_floats),
              ": holds 24 bytes of numbers, its \"shape\" needs 8 x 4");
    EXPECT_THAT(
        refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", six_floats),
        HasSubstr("its \"shape\" needs more than memory"));
    EXPECT_THAT(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3), }", six_floats),
                HasSubstr("the \"shape\" of the header is (-2, 3)"));
    EXPECT_THAT(refusal("{'descr': '<f4', 'shape': (2, 3), }", six_floats),
                HasSubstr("has no \"fortran_order\""));
    EXPECT_EQ(refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }", "0000803f0000c07f"),
              ": the value at row 1, column 2 is nan, expected a finite number");
    EXPECT_EQ(complaint(file("a.npy", hexadecimal("934e554d50590100760000"))), ": ends within its header");
    EXPECT_THAT(complaint(file("a.npy", hexadecimal("934e554d505909007600") + std::string(200, ' '))),
                StartsWith(": is of version 9 of the NumPy format"));
}

TEST_F(KernelFile, ReadsTheOnlyMatrixOfAMatlabFile) {
    // psf = [1 2 3; 4 5 6.5], not compressed.
    const std::string path = file(
        "p.mat",
        mat_file(
            "0e0000006000000006000000080000000600000000000000050000000800000002000000030000000100030070736600"
            "0900000030000000000000000000f03f0000000000001040000000000000004000000000000014400000000000000840"
            "0000000000001a40"));
    for (const char* variable : {"", "psf"}) {
        const Array<float> kernel = read_kernel(path, variable);
        EXPECT_EQ(kernel.shape(), (Shape{2, 3}));
        EXPECT_THAT(numbers(kernel), ElementsAre(1, 2, 3, 4, 5, 6.5F));
    }
    EXPECT_EQ(complaint(path, "kernel"), ": holds no variable \"kernel\"; it holds psf (double, 2 x 3)");
}

TEST_F(KernelFile, ReadsElementsOfCellArrays) {
    const std::string path = file("k.mat", mat_file(cell_of_two));
    EXPECT_THAT(numbers(read_kernel(path, "kernels{1}")), ElementsAre(1, 2, 3, 4, 5, 6.5F));
    const Array<float> second = read_kernel(path, "{2}");
    EXPECT_EQ(second.shape(), (Shape{3, 2}));
    EXPECT_THAT(numbers(second), ElementsAre(7, 8, 9, 10, 11, 12));
    EXPECT_EQ(read_kernels(path).size(), 2U);
    EXPECT_EQ(numbers(read_kernels(path, "kernels")[1]), numbers(second));

    EXPECT_EQ(complaint(path), ": \"kernels\" holds 2 kernels, say which: kernels{1} to kernels{2}");
    EXPECT_EQ(complaint(path, "kernels{3}"), ": \"kernels\" holds 2 kernels, there is no kernels{3}");
    EXPECT_EQ(complaint(path, "note"), ": \"note\" is char, expected a full, real matrix of numbers");
    EXPECT_THAT(complaint(path, "kernels{x}"),
                HasSubstr("name{number} with a number from 1, got \"kernels{x}\""));
    EXPECT_THAT(complaint(path, "kernels{1}x"), HasSubstr("got \"kernels{1}x\""));
}

TEST_F(KernelFile, RefusesMatlabVariablesThatAreNoKernels) {
    const auto refusal = [&](std::string_view elements) {
        return complaint(file("k.mat", mat_file(elements)));
    };
    EXPECT_EQ(
        refusal(
            "0f00000038000000789ce36360604800623620e680d220c00ae533013133103302612290e60462030618f8600fa1051c"
            "a002505a044a734069290700a5c903e60f0000002c000000789ce3636060b000623620e600624e06086085f299809819"
            "8819813009ca07a9656461626506320020a100f1"),
        ": holds 2 variables, say which: a (double, 2 x 3), b (uint8, 2 x 3)");
    EXPECT_THAT(
        refusal(
            "0f0000003c000000789ce36360606800623620e600622606086085f2199130482c373f253507cc6601ab65049289409a"
            "0f882d90cce1c3630e08f0208983000043ad03bb"),
        ": holds no matrix of numbers, but model (struct, 1 x 1)");
    EXPECT_THAT(
        refusal(
            "0f0000003e000000789ce36360609801c46c40cc01a2410410b042f94c40cc0cc48c40b2a0388d8113c83660201da0ea"
            "fb600fa1051ca002505a044a73406929070083ad0549"),
        ": holds no matrix of numbers, but psf (complex double, 2 x 3)");
    EXPECT_EQ(
        refusal(
            "0f00000030000000789ce3636060a800623620e680d220c00ac43c40cc84844180918199a1a0388d8113c8766080810f"
            "f6e4d200e2e60bc0"),
        ": \"psf\": is 2 x 2 x 2, expected a kernel of two dimensions (rows x columns)");
    EXPECT_EQ(
        refusal(
            "0f0000002f000000789ce36360607000623620e680d220c00ae53302311398666628284e63e004b2051860e0833d84fe"
            "510f004ffd047f"),
        ": \"psf\": the value at row 1, column 2 is nan, expected a finite number");
    EXPECT_EQ(
        refusal("0f00000024000000789ce36360603000623620e680d220c00ae5c3002303334341711a0327940f0020a701b6"),
        ": holds no matrix of numbers, but psf (double, 0 x 0)");
}

TEST_F(KernelFile, RefusesDamagedMatlabFiles) {
    EXPECT_EQ(complaint(file("k.mat", "hello")), ": is not a MATLAB file (version 5 or 7.3)");
    EXPECT_EQ(complaint(file("h5", "\x89HDF\r\n\x1a\n and nothing more"sv)),
              ": is not a MATLAB file (version 5 or 7.3)");
    const std::string whole = mat_file(cell_of_two);
    for (std::size_t size = 20; size < whole.size() - 60; size += 7)  // the last variable is only a note
        EXPECT_NE(complaint(file("k.mat", whole.substr(0, size)), "kernels{2}"), "no complaint") << size;
}

TEST_F(KernelFile, ReadsVersion73OfMatlabFiles) {
    const std::string path = (folder_ / "k.mat").string();
    std::size_t sizes[] = {2, 3};
    double values[] = {1, 4, 2, 5, 3, 6.5};  // down the columns
    mat_t* mat = Mat_CreateVer(path.c_str(), nullptr, MAT_FT_MAT73);
    matvar_t* variable = Mat_VarCreate("psf", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, sizes, values, 0);
    ASSERT_EQ(Mat_VarWrite(mat, variable, MAT_COMPRESSION_NONE), 0);
    Mat_VarFree(variable);
    Mat_Close(mat);
    const Array<float> kernel = read_kernel(path);
    EXPECT_EQ(kernel.shape(), (Shape{2, 3}));
    EXPECT_THAT(numbers(kernel), ElementsAre(1, 2, 3, 4, 5, 6.5F));
}

TEST_F(KernelFile, ReadsGreyImages) {
    const float values[] = {0, 0.2F, 0.4F, 0.6F, 0.8F, 1};
    for (const auto& [name, bits] :
         {std::pair{"k.png", 8}, {"k.png", 16}, {"k.tif", 8}, {"k.tif", 16}, {"k.tif", 32}}) {
        const std::string path = (folder_ / name).string();
        write_image(path, View<const float>(values, {2, 3}), bits);
        const Array<float> kernel = read_kernel(path);
        EXPECT_EQ(kernel.shape(), (Shape{2, 3}));
        for (Index i = 0; i < 6; ++i) EXPECT_FLOAT_EQ(kernel.data()[i], values[i]) << name << ", " << bits;
    }
}

TEST_F(KernelFile, TakesRedGreenAndBlueOnlyWhereTheyAreEqual) {
    Array<float> pixels({3, 2, 2});
    for (Index i = 0; i < 12; ++i) pixels.data()[i] = static_cast<float>(i % 4) / 3;
    const std::string path = (folder_ / "k.png").string();
    write_image(path, pixels);
    EXPECT_THAT(numbers(read_kernel(path)), ElementsAre(0, 1.0F / 3, 2.0F / 3, 1));
    pixels.data()[7] = 0;
    write_image(path, pixels);
    EXPECT_EQ(complaint(path), ": is a colour image, expected a grey one");
}

TEST_F(KernelFile, RefusesTransparentAndCompressedPictures) {
    EXPECT_THAT(complaint(file("k.png", png_file(1, 1, 8, 4, {0, 200, 100}))), HasSubstr("has transparency"));
    EXPECT_THAT(complaint(file("k.jpg", small_jpeg(1))), HasSubstr("is a JPEG"));
    EXPECT_THAT(complaint(file("k.png", "\x89PNG\r\n\x1a\n"sv)), StartsWith(": "));
}

TEST_F(KernelFile, ReadsText) {
    for (const char* text :
         {"# a kernel\n1 2 3\n\n  4 5 6.5\n", "1,2,3\r\n4,5,6.5", "1; 2; 3\n+4\t5\t6.5e0 \n% the end\n",
          "\xef\xbb\xbf"
          "1,2,3\n4,5,6.5\n"}) {
        const Array<float> kernel = read_kernel(file("k.csv", text));
        EXPECT_EQ(kernel.shape(), (Shape{2, 3})) << text;
        EXPECT_THAT(numbers(kernel), ElementsAre(1, 2, 3, 4, 5, 6.5F)) << text;
    }
}

TEST_F(KernelFile, RefusesTextThatIsNoMatrixOfNumbers) {
    EXPECT_EQ(complaint(file("k.txt", "1 2\n3 four\n")), ": line 2: \"four\" is not a number");
    EXPECT_EQ(complaint(file("k.txt", "1 2\n\n3 4 5\n")), ": line 3 has 3 numbers, the lines above have 2");
    EXPECT_EQ(complaint(file("k.txt", "1 nan\n")),
              ": the value at row 1, column 2 is nan, expected a finite number");
    EXPECT_THAT(complaint(file("k.txt", "1 1e300\n")),
                HasSubstr("column 2 is 1e+300, expected a finite number"));
    EXPECT_EQ(complaint(file("k.txt", "# nothing\n")), ": is empty (0 x 0)");
    EXPECT_EQ(complaint(file("k.txt", "")), ": is empty");
    EXPECT_EQ(complaint(file("k.bin", "\1\2\3"sv)),
              ": is not a PNG, TIFF, NumPy (.npy), MATLAB (.mat) or text file");
    EXPECT_THAT(complaint(file("k.txt", "1 2\n"), "psf"),
                HasSubstr("there is no variable \"psf\" to choose"));
    EXPECT_THAT(complaint((folder_ / "missing.npy").string()),
                AllOf(StartsWith(": "), HasSubstr("No such file")));
}

// The same kernels, as MATLAB matrices of version 7.3 and as pictures of 8 bits.
TEST(KernelFileOracle, AgreesWithPicturesOfTheLevinKernels) {
    const fs::path folder = data_folder() / "restoration/levin";
    SLX_NEEDS(folder / "Levin09.mat");
    for (int k = 1; k <= 8; ++k) {
        const Array<float> kernel =
            read_kernel((folder / "Levin09.mat").string(), "kernels{" + std::to_string(k) + "}");
        const Array<float> picture =
            read_kernel((folder / "gt" / ("kernel" + std::to_string(k) + ".png")).string());
        ASSERT_EQ(kernel.shape(), picture.shape());
        const float sum = std::accumulate(picture.begin(), picture.end(), 0.0F);
        const float largest = *std::max_element(kernel.begin(), kernel.end());
        for (Index i = 0; i < kernel.elements(); ++i) {
            // Pictures 4 and 8 are turned by 180 degrees.
            const Index place = k == 4 || k == 8 ? kernel.elements() - 1 - i : i;
            EXPECT_NEAR(picture.data()[place] / sum, kernel.data()[i], 0.004 * largest) << "kernel " << k;
        }
    }
}

}  // namespace
}  // namespace sonolux
