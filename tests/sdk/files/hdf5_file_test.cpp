#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <unistd.h>

#include <filesystem>
#include <numeric>
#include <sonolux/core/error.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/hdf5_file.hpp>
#include <thread>

namespace sonolux {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class Hdf5 : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = std::filesystem::path(::testing::TempDir()) / ("sonolux_hdf5_" + std::to_string(getpid()));
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string path(const char* name) const { return (folder_ / name).string(); }
    int files() const {
        return static_cast<int>(std::distance(std::filesystem::directory_iterator(folder_), {}));
    }

    std::filesystem::path folder_;
};

template <class T>
std::vector<T> counted(Index count) {
    std::vector<T> values(static_cast<std::size_t>(count));
    std::iota(values.begin(), values.end(), T{1});
    return values;
}

template <class T>
void write(Hdf5File& file, const char* name, const std::vector<Index>& sizes, const std::vector<T>& values,
           const Hdf5Layout& layout = {}) {
    file.write<T>(name, sizes, std::span<const T>(values), layout);
}

template <class T>
void expect_kept(const std::string& path, Hdf5Type type) {
    const auto values = counted<T>(6);
    {
        Hdf5File file = Hdf5File::create(path);
        write<T>(file, "a/b/values", {2, 3}, values);
        file.commit();
    }
    const Hdf5File file = Hdf5File::open(path);
    EXPECT_EQ(file.read<T>("/a/b/values"), values);
    EXPECT_EQ(file.content("a/b/values").type, type);
    EXPECT_THAT(file.content("a/b/values").sizes, ElementsAre(2, 3));
}

TEST_F(Hdf5, ReadsBackEveryTypeOfNumber) {
    expect_kept<float>(path("a.h5"), Hdf5Type::float32);
    expect_kept<double>(path("a.h5"), Hdf5Type::float64);
    expect_kept<std::int8_t>(path("a.h5"), Hdf5Type::int8);
    expect_kept<std::int16_t>(path("a.h5"), Hdf5Type::int16);
    expect_kept<std::int32_t>(path("a.h5"), Hdf5Type::int32);
    expect_kept<std::int64_t>(path("a.h5"), Hdf5Type::int64);
    expect_kept<std::uint8_t>(path("a.h5"), Hdf5Type::uint8);
    expect_kept<std::uint16_t>(path("a.h5"), Hdf5Type::uint16);
    expect_kept<std::uint32_t>(path("a.h5"), Hdf5Type::uint32);
    expect_kept<std::uint64_t>(path("a.h5"), Hdf5Type::uint64);
}

TEST_F(Hdf5, ReadsNumbersOfTheOtherByteOrder) {
    const hid_t made = H5Fcreate(path("big.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t length = 3;
    const hid_t space = H5Screate_simple(1, &length, nullptr);
    const hid_t set = H5Dcreate2(made, "x", H5T_IEEE_F32BE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const float values[] = {1, -2.5f, 3};
    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(set);
    H5Sclose(space);
    H5Fclose(made);
    EXPECT_THAT(Hdf5File::open(path("big.h5")).read<float>("x"), ElementsAre(1, -2.5f, 3));
}

TEST_F(Hdf5, RefusesADatasetWithoutValues) {  // instead of reading the number 0
    const hid_t made = H5Fcreate(path("null.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t space = H5Screate(H5S_NULL);
    H5Dclose(H5Dcreate2(made, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
    H5Fclose(made);
    EXPECT_THAT([&] { (void)Hdf5File::open(path("null.h5")).read<float>("x"); },
                ThrowsMessage<Error>(HasSubstr("null.h5: dataset \"x\" has no values")));
}

TEST_F(Hdf5, KeepsTextsAndAttributes) {
    {
        Hdf5File file = Hdf5File::create(path("a.h5"));
        file.write_text("note", "Schall und Licht: \xc3\xbc");
        file.write_text("empty", "");
        file.write_text("old", "for C", Hdf5Text::fixed);
        file.set_attribute("/", "file_type", "input", Hdf5Text::fixed);
        file.set_attribute("note", "unit", "m/s");
        file.set_attribute("note", "unit", "mm");  // replaces
        file.set_attribute("note", "pitch", 3e-4);
        file.set_attribute("/", "count", 7);
        file.commit();
    }
    const Hdf5File file = Hdf5File::open(path("a.h5"));
    EXPECT_EQ(file.read_text("note"), "Schall und Licht: \xc3\xbc");
    EXPECT_EQ(file.read_text("empty"), "");
    EXPECT_EQ(file.read_text("old"), "for C");
    EXPECT_EQ(file.text_attribute("/", "file_type"), "input");
    EXPECT_EQ(file.text_attribute("note", "unit"), "mm");
    EXPECT_EQ(file.number_attribute("note", "pitch"), 3e-4);
    EXPECT_EQ(file.number_attribute("/", "count"), 7);
    EXPECT_FALSE(file.has_attribute("note", "count"));
    EXPECT_THAT(file.names("/"), ElementsAre("empty", "note", "old"));
}

TEST_F(Hdf5, ReadsAndWritesBlocks) {
    Hdf5File file = Hdf5File::create(path("a.h5"));
    file.make<float>("x", {3, 4}, {.chunk = {2, 2}, .deflate = 4});
    file.write_part<float>("x", {1, 1}, {2, 2}, std::vector<float>{1, 2, 3, 4});
    EXPECT_THAT(file.read<float>("x"), ElementsAre(0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0));
    std::vector<float> part(3);
    file.read_part<float>("x", {0, 2}, {3, 1}, part);
    EXPECT_THAT(part, ElementsAre(0, 2, 4));
    EXPECT_THAT(
        [&] {
            file.read_part<float>("x", {2, 0}, {2, 1}, part);
        },
        ThrowsMessage<Error>(HasSubstr("dataset \"x\" is 3 x 4: no block of 2 x 1 from 2 x 0")));
    EXPECT_THAT(
        [&] {
            file.read_part<float>("x", {0, 0}, {1, 2}, part);
        },
        ThrowsMessage<Error>(HasSubstr("a block of 1 x 2 has 2 values, got 3")));
}

TEST_F(Hdf5, GrowsAlongTheFirstDimension) {
    {
        Hdf5File file = Hdf5File::create(path("a.h5"));
        file.make<std::int16_t>("rf", {0, 2}, {.chunk = {16, 2}, .grows = true});
        file.append<std::int16_t>("rf", std::vector<std::int16_t>{1, 2, 3, 4});
        file.append<std::int16_t>("rf", std::vector<std::int16_t>{5, 6});
        EXPECT_THAT([&] { file.append<std::int16_t>("rf", std::vector<std::int16_t>{7}); },
                    ThrowsMessage<Error>(HasSubstr("appended are rows of 2 values, got 1")));
        file.commit();
    }
    const Hdf5File file = Hdf5File::open(path("a.h5"));
    EXPECT_THAT(file.content("rf").sizes, ElementsAre(3, 2));
    EXPECT_THAT(file.read<std::int16_t>("rf"), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(Hdf5, ScalarsAndEmptyDatasetsAreDatasetsToo) {
    Hdf5File file = Hdf5File::create(path("a.h5"));
    write<double>(file, "c", {}, {1540.0});
    write<float>(file, "none", {0, 5}, {});
    EXPECT_THAT(file.read<double>("c"), ElementsAre(1540.0));
    EXPECT_TRUE(file.content("c").sizes.empty());
    EXPECT_TRUE(file.read<float>("none").empty());
}

TEST_F(Hdf5, ReadsNumbersOfAnyTypeWhereTheTypeIsOthersToChoose) {
    {
        Hdf5File file = Hdf5File::create(path("a.h5"));
        write<std::int16_t>(file, "i", {2, 3}, {-1, 2, 3, 4, 5, 6});
        write<double>(file, "d", {1, 1}, {0.25});
        file.write_text("t", "no number");
        const std::vector<double> size = {1, 7};
        file.set_attribute("i", "size", std::span<const double>(size));
        file.set_attribute("/", "version", "v1", Hdf5Text::listed);
        file.commit();
    }
    const Hdf5File file = Hdf5File::open(path("a.h5"));
    EXPECT_THAT(file.numbers("i"), ElementsAre(-1, 2, 3, 4, 5, 6));
    EXPECT_EQ(file.number("d"), 0.25);
    std::vector<float> block(2);
    file.read_part_as_float("i", {0, 2}, {2, 1}, block);
    EXPECT_THAT(block, ElementsAre(3, 6));
    EXPECT_THAT(file.numbers_attribute("i", "size"), ElementsAre(1, 7));
    EXPECT_EQ(file.text_attribute("/", "version"), "v1");
    EXPECT_THAT([&] { (void)file.number("i"); },
                ThrowsMessage<Error>(HasSubstr("dataset \"i\" is 2 x 3, one number is expected")));
    EXPECT_THAT([&] { (void)file.numbers("t"); },
                ThrowsMessage<Error>(HasSubstr("dataset \"t\" is text, numbers are expected")));
    EXPECT_THAT([&] { (void)file.number_attribute("i", "size"); },
                ThrowsMessage<Error>(HasSubstr("must be one value")));
}

std::size_t leave_as_it_is(unsigned, std::size_t, const unsigned*, std::size_t bytes, std::size_t*, void**) {
    return bytes;
}

TEST_F(Hdf5, NamesTheCompressionThatTheLibraryLacks) {
    constexpr H5Z_filter_t number = 32099;
    const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, number, 1, 1, "strange", nullptr, nullptr, leave_as_it_is};
    ASSERT_GE(H5Zregister(&filter), 0);
    {
        const hid_t file = H5Fcreate(path("a.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
        const hsize_t size = 4;
        const hid_t space = H5Screate_simple(1, &size, nullptr), properties = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_chunk(properties, 1, &size);
        H5Pset_filter(properties, number, H5Z_FLAG_MANDATORY, 0, nullptr);
        const hid_t set =
            H5Dcreate2(file, "x", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, properties, H5P_DEFAULT);
        const float values[] = {1, 2, 3, 4};
        ASSERT_GE(H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
        H5Dclose(set), H5Pclose(properties), H5Sclose(space), H5Fclose(file);
    }
    ASSERT_GE(H5Zunregister(number), 0);
    const Hdf5File file = Hdf5File::open(path("a.h5"));
    EXPECT_THAT(
        [&] { (void)file.read<float>("x"); },
        ThrowsMessage<Error>(HasSubstr("dataset \"x\" is compressed by the filter 32099 (strange), which the "
                                       "HDF5 library does not have; set HDF5_PLUGIN_PATH")));
}

TEST_F(Hdf5, LeavesTheOldFileWhereNothingIsCommitted) {
    write_file_atomically(path("a.h5"), "old");
    {
        Hdf5File file = Hdf5File::create(path("a.h5"));
        write<float>(file, "x", {1}, {1});
        EXPECT_EQ(files(), 2);
    }
    EXPECT_EQ(files(), 1);
    EXPECT_EQ(read_text_file(path("a.h5")), "old");
    Hdf5File file = Hdf5File::create(path("a.h5"));
    write<float>(file, "x", {1}, {1});
    file.commit();
    EXPECT_EQ(files(), 1);
    EXPECT_THAT(Hdf5File::open(path("a.h5")).read<float>("x"), ElementsAre(1));
    EXPECT_THAT([&] { (void)file.has("x"); }, ThrowsMessage<Error>(HasSubstr("it was committed")));
}

TEST_F(Hdf5, TheSameContentIsTheSameBytes) {
    for (const char* name : {"a.h5", "b.h5"}) {
        Hdf5File file = Hdf5File::create(path(name));
        write<float>(file, "x", {2}, {1, 2}, {.chunk = {1}, .deflate = 1});
        file.write_text("t", "text");
        file.commit();
        if (name[0] == 'a') std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // times are in s
    }
    EXPECT_EQ(read_file(path("a.h5")), read_file(path("b.h5")));
}

TEST_F(Hdf5, NamesTheFileTheDatasetAndWhatWasExpected) {
    write_file_atomically(path("text.h5"), "not HDF5 at all");
    EXPECT_THAT([&] { (void)Hdf5File::open(path("text.h5")); },
                ThrowsMessage<Error>(HasSubstr("text.h5: not an HDF5 file")));
    EXPECT_THAT([&] { (void)Hdf5File::open(path("none.h5")); },
                ThrowsMessage<Error>(HasSubstr("none.h5: cannot be opened: No such file")));
    EXPECT_THAT([&] { (void)Hdf5File::create(path("no/such/folder.h5")); },
                ThrowsMessage<Error>(HasSubstr("folder.h5: cannot be written: No such file")));
    {
        Hdf5File file = Hdf5File::create(path("a.h5"));
        write<float>(file, "g/x", {2, 1}, {1, 2});
        EXPECT_THAT([&] { write<float>(file, "g/x", {1}, {1}); },
                    ThrowsMessage<Error>(HasSubstr("\"g/x\" is there already")));
        EXPECT_THAT([&] { write<float>(file, "y", {3}, {1}); },
                    ThrowsMessage<Error>(HasSubstr("\"y\": a block of 3 has 3 values, got 1")));
        file.commit();
    }
    Hdf5File file = Hdf5File::open(path("a.h5"));
    EXPECT_THAT([&] { (void)file.read<float>("g/z"); },
                ThrowsMessage<Error>(HasSubstr("a.h5: no dataset \"g/z\"")));
    EXPECT_THAT([&] { (void)file.read<float>("h/x/y"); },
                ThrowsMessage<Error>(HasSubstr("a.h5: no dataset \"h/x/y\"")));
    EXPECT_THAT([&] { (void)file.read<float>("g"); },
                ThrowsMessage<Error>(HasSubstr("\"g\" is not a dataset")));
    EXPECT_THAT([&] { (void)file.read<double>("g/x"); },
                ThrowsMessage<Error>(HasSubstr("dataset \"g/x\" is float32, float64 is expected")));
    EXPECT_THAT([&] { (void)file.read<float>("g/x", {2}); },
                ThrowsMessage<Error>(HasSubstr("dataset \"g/x\" is 2 x 1, 2 is expected")));
    EXPECT_THAT([&] { (void)file.text_attribute("/", "version"); },
                ThrowsMessage<Error>(HasSubstr("\"/\" has no attribute \"version\"")));
    EXPECT_THAT([&] { write<float>(file, "y", {1}, {1}); },
                ThrowsMessage<Error>(HasSubstr("opened for reading only")));
    EXPECT_TRUE(file.is_group("g"));
    EXPECT_FALSE(file.is_group("g/x"));
    EXPECT_FALSE(file.has("g/x/y"));
}

TEST_F(Hdf5, PrintsNothingAndLeavesTheHabitsOfOthersAlone) {
    H5E_auto2_t before = nullptr, after = nullptr;
    void* data = nullptr;
    H5Eget_auto2(H5E_DEFAULT, &before, &data);
    testing::internal::CaptureStderr();
    write_file_atomically(path("text.h5"), std::string(4096, 'x'));
    EXPECT_THROW((void)Hdf5File::open(path("text.h5")), Error);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    H5Eget_auto2(H5E_DEFAULT, &after, &data);
    EXPECT_EQ(before, after);
}

TEST_F(Hdf5, ServesFilesOfSeveralThreads) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([this, t] {
            const std::string name = path(("t" + std::to_string(t) + ".h5").c_str());
            for (int repeat = 0; repeat < 20; ++repeat) expect_kept<float>(name, Hdf5Type::float32);
        });
    for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace sonolux
