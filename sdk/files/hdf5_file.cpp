// sonolux/sdk/files/hdf5_file.cpp
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include <sonolux/sdk/files/hdf5_state.hpp>

namespace sonolux {

using namespace hdf5;

const char* to_string(Hdf5Type type) noexcept {
    switch (type) {
        case Hdf5Type::float32: return "float32";
        case Hdf5Type::float64: return "float64";
        case Hdf5Type::int8: return "int8";
        case Hdf5Type::int16: return "int16";
        case Hdf5Type::int32: return "int32";
        case Hdf5Type::int64: return "int64";
        case Hdf5Type::uint8: return "uint8";
        case Hdf5Type::uint16: return "uint16";
        case Hdf5Type::uint32: return "uint32";
        case Hdf5Type::uint64: return "uint64";
        case Hdf5Type::text: return "text";
        case Hdf5Type::other: return "of another type";
    }
    return "unknown";
}

Index Hdf5Content::elements() const noexcept {
    Index product = 1;
    for (Index size : sizes) product *= size;
    return product;
}

Hdf5File::Hdf5File(std::unique_ptr<State> state) : state_(std::move(state)) {}
Hdf5File::~Hdf5File() = default;
Hdf5File::Hdf5File(Hdf5File&&) noexcept = default;
Hdf5File& Hdf5File::operator=(Hdf5File&&) noexcept = default;

const std::string& Hdf5File::path() const noexcept { return state_->path; }

Hdf5File Hdf5File::open(const std::string& path) {
    auto state = std::make_unique<State>();
    state->path = path;
    std::FILE* file = std::fopen(path.c_str(), "rb");  // says why not, which the library does not
    require(file != nullptr, Status::file_error, path, ": cannot be opened: ", std::strerror(errno));
    std::fclose(file);
    const Session session;
    require(H5Fis_hdf5(path.c_str()) > 0, Status::corrupt_data, path, ": not an HDF5 file");
    state->file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    require(state->file >= 0, Status::corrupt_data, path,
            ": the HDF5 file is damaged, or open for writing elsewhere");
    return Hdf5File(std::move(state));
}

Hdf5File Hdf5File::create(const std::string& path) {
    auto state = std::make_unique<State>();
    state->path = path;
    state->partial.emplace(path);
    const Session session;
    state->file = H5Fcreate(state->partial->name().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    require(state->file >= 0, Status::file_error, path, ": cannot be written");
    return Hdf5File(std::move(state));
}

Hdf5File Hdf5File::create_in_memory(const std::string& path) {
    auto state = std::make_unique<State>();
    state->path = path;
    state->partial.emplace(path);
    state->in_memory = true;
    const Session session;
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    constexpr std::size_t growth = std::size_t{1} << 24;  // bytes
    H5Pset_fapl_core(access, growth, false);
    state->file = H5Fcreate(state->partial->name().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access);
    require(state->file >= 0, Status::file_error, path, ": cannot be written");
    return Hdf5File(std::move(state));
}

void Hdf5File::commit() {
    state_->check_writable();
    if (state_->in_memory) {
        std::vector<std::byte> bytes;
        {
            const Session session;
            const bool flushed = H5Fflush(state_->file, H5F_SCOPE_LOCAL) >= 0;
            const ssize_t size = flushed ? H5Fget_file_image(state_->file, nullptr, 0) : -1;
            if (size > 0) bytes.resize(static_cast<std::size_t>(size));
            const bool copied =
                size > 0 && H5Fget_file_image(state_->file, bytes.data(), bytes.size()) == size;
            H5Fclose(std::exchange(state_->file, -1));
            require(copied, Status::internal_error, path(), ": HDF5 cannot say what the file holds");
        }
        write_file_atomically(path(), bytes);
        return;
    }
    {
        const Session session;
        const bool flushed = H5Fflush(state_->file, H5F_SCOPE_LOCAL) >= 0;
        const bool closed = H5Fclose(std::exchange(state_->file, -1)) >= 0;
        require(flushed && closed, Status::file_error, path(), ": cannot be written");
    }
    state_->partial->commit();
}

bool Hdf5File::has(const std::string& name) const {
    state_->check_open();
    const Session session;
    return state_->has(name);
}

bool Hdf5File::is_group(const std::string& name) const {
    state_->check_open();
    const Session session;
    return state_->has(name) && H5Iget_type(state_->object(name)) == H5I_GROUP;
}

std::vector<std::string> Hdf5File::names(const std::string& group) const {
    state_->check_open();
    const Session session;
    const Handle owner = state_->object(group);
    if (H5Iget_type(owner) != H5I_GROUP) state_->corrupt("\"", group, "\" is not a group");
    std::vector<std::string> result;
    const auto add = [](hid_t, const char* name, const H5L_info_t*, void* list) -> herr_t {
        static_cast<std::vector<std::string>*>(list)->emplace_back(name);
        return 0;
    };
    if (H5Literate(owner, H5_INDEX_NAME, H5_ITER_INC, nullptr, add, &result) < 0)
        state_->corrupt("group \"", group, "\" cannot be read");
    return result;
}

Hdf5Content Hdf5File::content(const std::string& dataset) const {
    state_->check_open();
    const Session session;
    return state_->content(state_->dataset(dataset), dataset);
}

template <class T>
std::vector<T> Hdf5File::read(const std::string& dataset) const {
    return read<T>(dataset, content(dataset).sizes);
}

template <class T>
std::vector<T> Hdf5File::read(const std::string& dataset, const std::vector<Index>& sizes) const {
    state_->check_open();
    const Session session;
    const Handle set = state_->dataset(dataset);
    const Hdf5Content found = state_->content(set, dataset);
    state_->check_type(found, type_of<T>(), dataset);
    if (found.sizes != sizes)
        state_->corrupt(quoted(dataset), " is ", as_text(found.sizes), ", ", as_text(sizes), " is expected");
    std::vector<T> values;
    try {
        values.resize(static_cast<std::size_t>(found.elements()));
    } catch (const std::exception&) {
        fail(Status::out_of_memory, path(), ": ", quoted(dataset), ": no memory for ", as_text(found.sizes),
             " values");
    }
    if (!values.empty()) state_->read(set, dataset, H5S_ALL, H5S_ALL, values.data());
    return values;
}

template <class T>
void Hdf5File::read_part(const std::string& dataset, const std::vector<Index>& start,
                         const std::vector<Index>& count, std::span<T> values) const {
    state_->check_open();
    const Session session;
    const Handle set = state_->dataset(dataset);
    const Hdf5Content found = state_->content(set, dataset);
    state_->check_type(found, type_of<T>(), dataset);
    const Handle space = state_->block(set, found, dataset, start, count, values.size());
    if (values.empty()) return;
    const hsize_t length = values.size();
    const Handle memory(H5Screate_simple(1, &length, nullptr), H5Sclose);
    state_->read(set, dataset, memory, space, values.data());
}

std::string Hdf5File::read_text(const std::string& dataset) const {
    state_->check_open();
    const Session session;
    const Handle set = state_->dataset(dataset);
    const Hdf5Content found = state_->content(set, dataset);
    state_->check_type(found, Hdf5Type::text, dataset);
    if (found.elements() != 1) state_->corrupt(quoted(dataset), " must be one text");
    const Handle type(H5Dget_type(set), H5Tclose);
    const auto text = one_text(type, [&](hid_t memory, void* where) {
        return H5Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, where) >= 0;
    });
    if (!text) state_->corrupt(quoted(dataset), " cannot be read");
    return *text;
}

template <class T>
void Hdf5File::write(const std::string& dataset, const std::vector<Index>& sizes, std::span<const T> values,
                     const Hdf5Layout& layout) {
    state_->check_writable();
    const Session session;
    state_->make(dataset, type_of<T>(), sizes, layout);
    state_->write_part(dataset, std::vector<Index>(sizes.size(), 0), sizes, values);
}

void Hdf5File::write_text(const std::string& dataset, std::string_view text, Hdf5Text how) {
    state_->check_writable();
    const Session session;
    const Handle type = text_type(how, text.size());
    const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_obj_track_times(properties, false);
    state_->make_dataset(dataset, type, space, properties);
    const std::string copy(text);
    const char* start = copy.c_str();
    const void* value = how == Hdf5Text::variable ? static_cast<const void*>(&start) : start;
    require(H5Dwrite(state_->dataset(dataset), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0,
            Status::file_error, path(), ": ", quoted(dataset), " cannot be written");
}

template <class T>
void Hdf5File::make(const std::string& dataset, const std::vector<Index>& sizes, const Hdf5Layout& layout) {
    state_->check_writable();
    const Session session;
    state_->make(dataset, type_of<T>(), sizes, layout);
}

template <class T>
void Hdf5File::write_part(const std::string& dataset, const std::vector<Index>& start,
                          const std::vector<Index>& count, std::span<const T> values) {
    state_->check_writable();
    const Session session;
    state_->write_part(dataset, start, count, values);
}

template <class T>
void Hdf5File::append(const std::string& dataset, std::span<const T> values) {
    state_->check_writable();
    const Session session;
    std::vector<Index> start, count;
    {
        const Handle set = state_->dataset(dataset);
        const Hdf5Content found = state_->content(set, dataset);
        state_->check_type(found, type_of<T>(), dataset);
        require(!found.sizes.empty(), Status::invalid_argument, path(), ": ", quoted(dataset),
                " is a scalar and cannot grow");
        count = found.sizes;
        count[0] = 1;
        Index row = 1;
        for (Index size : count) row *= size;
        require(row > 0 && static_cast<Index>(values.size()) % row == 0, Status::size_mismatch, path(), ": ",
                quoted(dataset), ": appended are rows of ", row, " values, got ", values.size());
        count[0] = static_cast<Index>(values.size()) / row;
        start.assign(count.size(), 0);
        start[0] = found.sizes[0];
        std::vector<hsize_t> grown = as_hsize(found.sizes);
        grown[0] += static_cast<hsize_t>(count[0]);
        require(H5Dset_extent(set, grown.data()) >= 0, Status::invalid_argument, path(), ": ",
                quoted(dataset), " cannot grow");
    }
    state_->write_part(dataset, start, count, values);
}

void Hdf5File::make_group(const std::string& group) {
    state_->check_writable();
    const Session session;
    require(!state_->has(group), Status::invalid_argument, path(), ": \"", group, "\" is there already");
    const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
    H5Pset_create_intermediate_group(links, 1);
    const Handle made(H5Gcreate2(state_->file, group.c_str(), links, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
    require(made.open(), Status::file_error, path(), ": group \"", group, "\" cannot be written");
}

#define SLX_HDF5_TYPE(T)                                                                                \
    template std::vector<T> Hdf5File::read<T>(const std::string&) const;                                \
    template std::vector<T> Hdf5File::read<T>(const std::string&, const std::vector<Index>&) const;     \
    template void Hdf5File::read_part<T>(const std::string&, const std::vector<Index>&,                 \
                                         const std::vector<Index>&, std::span<T>) const;                \
    template void Hdf5File::write<T>(const std::string&, const std::vector<Index>&, std::span<const T>, \
                                     const Hdf5Layout&);                                                \
    template void Hdf5File::make<T>(const std::string&, const std::vector<Index>&, const Hdf5Layout&);  \
    template void Hdf5File::write_part<T>(const std::string&, const std::vector<Index>&,                \
                                          const std::vector<Index>&, std::span<const T>);               \
    template void Hdf5File::append<T>(const std::string&, std::span<const T>);
SLX_HDF5_TYPE(float)
SLX_HDF5_TYPE(double)
SLX_HDF5_TYPE(std::int8_t)
SLX_HDF5_TYPE(std::int16_t)
SLX_HDF5_TYPE(std::int32_t)
SLX_HDF5_TYPE(std::int64_t)
SLX_HDF5_TYPE(std::uint8_t)
SLX_HDF5_TYPE(std::uint16_t)
SLX_HDF5_TYPE(std::uint32_t)
SLX_HDF5_TYPE(std::uint64_t)
#undef SLX_HDF5_TYPE

}  // namespace sonolux
