// Whatever numbers stand in a file: it is read as a recording that is one, or refused by name.
#include "tests/sdk/files/channel_data_fixture.hpp"

#include <hdf5.h>

#include <limits>

#include <sonolux/sdk/files/uff.hpp>
#include <sonolux/sdk/files/zea.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

using HostileRecordings = ChannelDataFiles;

/// The datasets of numbers in a file.
std::vector<std::string> datasets_of(const Hdf5File& file, const std::string& group = "/") {
    std::vector<std::string> list;
    for (const std::string& name : file.names(group)) {
        const std::string place = group == "/" ? name : group + "/" + name;
        if (file.is_group(place)) {
            for (std::string& inner : datasets_of(file, place)) list.push_back(std::move(inner));
        } else if (file.content(place).type != Hdf5Type::text) {
            list.push_back(place);
        }
    }
    return list;
}

/// Puts `value` into one element of a dataset.
void change(const std::string& path, const std::string& name, std::size_t at, double value) {
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t set = H5Dopen2(file, name.c_str(), H5P_DEFAULT), space = H5Dget_space(set);
    std::vector<double> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
    ASSERT_GE(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
    values[at % values.size()] = value;
    ASSERT_GE(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
    H5Sclose(space), H5Dclose(set), H5Fclose(file);
}

void expect_manners(const std::string& whole, const std::string& changed) {
    const double values[] = {std::numeric_limits<double>::quiet_NaN(),
                             std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(),
                             0,
                             -1,
                             1,
                             3.7,
                             1e-30,
                             1e30,
                             -1e300};
    const std::vector<std::string> names = datasets_of(Hdf5File::open(whole));
    std::size_t read = 0, refused = 0;
    for (const std::string& name : names) {
        if (name.ends_with("data") || name.ends_with("/real") || name.ends_with("/imag"))
            continue;  // samples
        for (int turn = 0; turn < 2; ++turn) {
            const double value =
                values[(read + 3 * refused + static_cast<std::size_t>(turn)) % std::size(values)];
            std::filesystem::copy_file(whole, changed, std::filesystem::copy_options::overwrite_existing);
            change(changed, name, 11 * read + 5 * refused, value);
            try {
                const ChannelData data = read_channel_data(changed);
                validate(data);
                for (const Transmission& t : data.acquisition.transmissions)
                    ASSERT_TRUE(std::isfinite(t.focus_time) && std::isfinite(t.focus.x) &&
                                std::isfinite(t.focus.z) && std::isfinite(t.angle))
                        << name << " " << value;
                ++read;
            } catch (const Error& error) {
                EXPECT_TRUE(std::string(error.what()).starts_with(changed + ": "))
                    << name << " " << value << ": " << error.what();
                EXPECT_NE(error.status(), Status::internal_error) << error.what();
                ++refused;
            }
        }
    }
    EXPECT_GT(read, 5u);
    EXPECT_GT(refused, 5u);
}

TEST_F(HostileRecordings, OfZeaAreReadOrRefusedByName) {
    write_zea(path("whole.hdf5"), recording(all_kinds(make_convex_array(8, 0.4e-3, 0.3e-3, 50e-3)), 1));
    expect_manners(path("whole.hdf5"), path("changed.hdf5"));
}

TEST_F(HostileRecordings, ThatStateMoreThanTheyCanHoldAreRefused) {
    {
        // HDF5 keeps nothing of what was never written: a few kilobytes that state 4 TB.
        Hdf5File file = Hdf5File::create(path("a.hdf5"));
        file.make<float>("tracks/track_0/data/raw_data", {1000000, 4, 10000, 128, 1},
                         {.chunk = {1, 1, 100, 128, 1}});
        file.set_attribute("/", "zea_version", "0.1.8");
        file.commit();
    }
    EXPECT_THAT(
        [&] { (void)read_channel_data(path("a.hdf5")); },
        ThrowsMessage<Error>(HasSubstr("raw_data\" is 1000000 x 4 x 10000 x 128 x 1 by its sizes, more "
                                       "than a file of ")));
}

TEST_F(HostileRecordings, OfUffAreReadOrRefusedByName) {
    Acquisition a = all_kinds(make_linear_array(8, 0.4e-3, 0.3e-3));
    a.demodulation_frequency = 5e6;
    write_uff(path("whole.uff"), recording(std::move(a), 2));
    expect_manners(path("whole.uff"), path("changed.uff"));
}

}  // namespace
}  // namespace sonolux
