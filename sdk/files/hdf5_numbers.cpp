// sonolux/sdk/files/hdf5_numbers.cpp
//
// Numbers of files that others wrote, whose type is theirs to choose.
#include <exception>

#include <sonolux/sdk/files/hdf5_state.hpp>

namespace sonolux {

using namespace hdf5;

namespace {

bool is_number(Hdf5Type type) { return type != Hdf5Type::text && type != Hdf5Type::other; }

}  // namespace

std::vector<double> Hdf5File::numbers(const std::string& dataset) const {
    state_->check_open();
    const Session session;
    const Handle set = state_->dataset(dataset);
    const Hdf5Content found = state_->content(set, dataset);
    if (!is_number(found.type))
        state_->corrupt(quoted(dataset), " is ", to_string(found.type), ", numbers are expected");
    std::vector<double> values;
    try {
        values.resize(static_cast<std::size_t>(found.elements()));
    } catch (const std::exception&) {
        fail(Status::out_of_memory, path(), ": ", quoted(dataset), ": no memory for ", as_text(found.sizes),
             " values");
    }
    if (!values.empty()) state_->read(set, dataset, H5S_ALL, H5S_ALL, values.data());
    return values;
}

double Hdf5File::number(const std::string& dataset) const {
    const Hdf5Content found = content(dataset);
    require(found.elements() == 1, Status::corrupt_data, path(), ": ", quoted(dataset), " is ",
            as_text(found.sizes), ", one number is expected");
    return numbers(dataset)[0];
}

void Hdf5File::read_part_as_float(const std::string& dataset, const std::vector<Index>& start,
                                  const std::vector<Index>& count, std::span<float> values) const {
    state_->check_open();
    const Session session;
    const Handle set = state_->dataset(dataset);
    const Hdf5Content found = state_->content(set, dataset);
    if (!is_number(found.type))
        state_->corrupt(quoted(dataset), " is ", to_string(found.type), ", numbers are expected");
    const Handle space = state_->block(set, found, dataset, start, count, values.size());
    if (values.empty()) return;
    const hsize_t length = values.size();
    const Handle memory(H5Screate_simple(1, &length, nullptr), H5Sclose);
    state_->read(set, dataset, memory, space, values.data());
}

}  // namespace sonolux
