// sonolux/sdk/files/hdf5_state.hpp
//
// What every function of Hdf5File needs: the file, its name, and how to complain. Only for hdf5_*.cpp.
// All of it is called within a session.
#pragma once

#include <optional>

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/hdf5_handles.hpp>

namespace sonolux {

struct Hdf5File::State {
    using Handle = hdf5::Handle;

    std::string path;
    std::optional<PartialFile> partial;
    bool in_memory = false;
    hid_t file = -1;

    ~State() {
        if (file < 0) return;
        const hdf5::Session session;
        H5Fclose(file);
    }

    template <class... Parts>
    [[noreturn]] void corrupt(const Parts&... parts) const {
        fail(Status::corrupt_data, path, ": ", parts...);
    }

    void check_open() const {
        require(file >= 0, Status::invalid_argument, path, ": the file is closed: it was committed");
    }
    void check_writable() const {
        check_open();
        require(partial.has_value(), Status::invalid_argument, path, ": was opened for reading only");
    }

    /// H5Lexists wants every step of a path to be there, and fails for the root.
    [[nodiscard]] bool has(const std::string& name) const {
        for (std::size_t from = 0; from < name.size();) {
            const std::size_t slash = std::min(name.find('/', from), name.size());
            if (slash > from && H5Lexists(file, name.substr(0, slash).c_str(), H5P_DEFAULT) <= 0)
                return false;
            from = slash + 1;
        }
        const std::size_t last = name.find_last_not_of('/');
        return last == std::string::npos || H5Oexists_by_name(file, name.c_str(), H5P_DEFAULT) > 0;
    }

    [[nodiscard]] Handle object(const std::string& name) const {
        require(has(name), Status::corrupt_data, path, ": no dataset or group \"", name, "\"");
        Handle handle(H5Oopen(file, name.empty() ? "/" : name.c_str(), H5P_DEFAULT), H5Oclose);
        if (!handle.open()) corrupt("\"", name, "\" cannot be opened");
        return handle;
    }

    [[nodiscard]] Handle dataset(const std::string& name) const {
        require(has(name), Status::corrupt_data, path, ": no ", hdf5::quoted(name));
        Handle handle(H5Dopen2(file, name.c_str(), H5P_DEFAULT), H5Dclose);
        if (!handle.open()) corrupt("\"", name, "\" is not a dataset");
        return handle;
    }

    [[nodiscard]] Hdf5Content content(hid_t set, const std::string& name) const {
        const Handle type(H5Dget_type(set), H5Tclose);
        const Handle space(H5Dget_space(set), H5Sclose);
        const int rank = space.open() ? H5Sget_simple_extent_ndims(space) : -1;
        if (!type.open() || rank < 0) corrupt(hdf5::quoted(name), " is damaged");
        if (H5Sget_simple_extent_type(space) == H5S_NULL)  // else it would be read as a scalar 0
            corrupt(hdf5::quoted(name), " has no values");
        std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
        H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
        Hdf5Content result{hdf5::kind(type), {}};
        hsize_t elements = 1;
        for (hsize_t size : sizes) {
            if (__builtin_mul_overflow(elements, size, &elements) || elements > hsize_t{1} << 58)
                corrupt(hdf5::quoted(name), " claims more elements than there can be");
            result.sizes.push_back(static_cast<Index>(size));
        }
        return result;
    }

    void check_type(const Hdf5Content& content, Hdf5Type wanted, const std::string& name) const {
        if (content.type != wanted)
            corrupt(hdf5::quoted(name), " is ", to_string(content.type), ", ", to_string(wanted),
                    " is expected");
    }

    /// The block of a dataset that a partial read or write means.
    [[nodiscard]] Handle block(hid_t set, const Hdf5Content& content, const std::string& name,
                               const std::vector<Index>& start, const std::vector<Index>& count,
                               std::size_t values) const {
        bool fits = start.size() == content.sizes.size() && count.size() == content.sizes.size();
        Index elements = 1;
        for (std::size_t d = 0; fits && d < start.size(); ++d) {
            fits = start[d] >= 0 && count[d] >= 0 && start[d] <= content.sizes[d] &&
                   count[d] <= content.sizes[d] - start[d];
            elements *= count[d];
        }
        require(fits, Status::invalid_argument, path, ": ", hdf5::quoted(name), " is ",
                hdf5::as_text(content.sizes), ": no block of ", hdf5::as_text(count), " from ",
                hdf5::as_text(start));
        require(static_cast<std::size_t>(elements) == values, Status::size_mismatch, path, ": ",
                hdf5::quoted(name), ": a block of ", hdf5::as_text(count), " has ", elements, " values, got ",
                values);
        Handle space(H5Dget_space(set), H5Sclose);
        if (!start.empty() && elements > 0)
            require(H5Sselect_hyperslab(space, H5S_SELECT_SET, hdf5::as_hsize(start).data(), nullptr,
                                        hdf5::as_hsize(count).data(), nullptr) >= 0,
                    Status::internal_error, path, ": ", hdf5::quoted(name), ": no such block");
        return space;
    }

    template <class T>
    void read(hid_t set, const std::string& name, hid_t memory_space, hid_t file_space, T* values) const {
        if (H5Dread(set, hdf5::number_type(hdf5::type_of<T>()).memory, memory_space, file_space, H5P_DEFAULT,
                    values) >= 0)
            return;
        require_filters(set, name);
        corrupt(hdf5::quoted(name), " cannot be read");
    }

    /// Compression that others' libraries have and ours does not is no damage of the file.
    void require_filters(hid_t set, const std::string& name) const {
        const Handle properties(H5Dget_create_plist(set), H5Pclose);
        const int filters = properties.open() ? H5Pget_nfilters(properties) : 0;
        for (int n = 0; n < filters; ++n) {
            char called[64] = "";
            std::size_t parameters = 0;
            const H5Z_filter_t filter = H5Pget_filter2(properties, static_cast<unsigned>(n), nullptr,
                                                       &parameters, nullptr, sizeof called, called, nullptr);
            called[sizeof called - 1] = '\0';
            require(filter < 0 || H5Zfilter_avail(filter) > 0, Status::unsupported, path, ": ",
                    hdf5::quoted(name), " is compressed by the filter ", static_cast<int>(filter),
                    called[0] != '\0' ? sentence(" (", called, ")") : std::string(),
                    ", which the HDF5 library does not have; set HDF5_PLUGIN_PATH to a folder that holds it, "
                    "or write the file again with gzip");
        }
    }

    void make_dataset(const std::string& name, hid_t type, hid_t space, hid_t properties) const {
        require(!name.empty() && name.back() != '/' && !has(name), Status::invalid_argument, path, ": \"",
                name, "\" is there already");
        const Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
        H5Pset_create_intermediate_group(links, 1);
        Handle set(H5Dcreate2(file, name.c_str(), type, space, links, properties, H5P_DEFAULT), H5Dclose);
        require(set.open(), Status::file_error, path, ": ", hdf5::quoted(name), " cannot be written");
    }

    void make(const std::string& name, Hdf5Type type, const std::vector<Index>& sizes,
              const Hdf5Layout& layout) const {
        bool good = sizes.size() <= H5S_MAX_RANK;
        for (Index size : sizes) good = good && size >= 0;
        require(good, Status::invalid_argument, path, ": ", hdf5::quoted(name),
                ": sizes must be at least 0, got ", hdf5::as_text(sizes));
        good = layout.chunk.empty() || layout.chunk.size() == sizes.size();
        for (Index size : layout.chunk) good = good && size >= 1;
        const bool needs_chunk = layout.deflate > 0 || layout.grows;
        require(good && !(needs_chunk && layout.chunk.empty()) && !(layout.grows && sizes.empty()),
                Status::invalid_argument, path, ": ", hdf5::quoted(name), " of ", hdf5::as_text(sizes),
                ": no chunk of ", hdf5::as_text(layout.chunk));
        require(layout.deflate >= 0 && layout.deflate <= 9, Status::invalid_argument, path, ": ",
                hdf5::quoted(name), ": deflate must be 0 to 9, got ", layout.deflate);

        const Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
        H5Pset_obj_track_times(properties, false);  // the same content is the same bytes
        std::vector<hsize_t> most = hdf5::as_hsize(sizes);
        if (layout.grows) most[0] = H5S_UNLIMITED;
        if (!layout.chunk.empty()) {
            std::vector<hsize_t> chunk = hdf5::as_hsize(layout.chunk);
            for (std::size_t d = layout.grows ? 1 : 0; d < chunk.size(); ++d)
                chunk[d] = std::clamp<hsize_t>(chunk[d], 1, std::max<hsize_t>(1, most[d]));
            H5Pset_chunk(properties, static_cast<int>(chunk.size()), chunk.data());
            if (layout.deflate > 0) {
                H5Pset_shuffle(properties);
                H5Pset_deflate(properties, static_cast<unsigned>(layout.deflate));
            }
        }
        const Handle space(sizes.empty() ? H5Screate(H5S_SCALAR)
                                         : H5Screate_simple(static_cast<int>(sizes.size()),
                                                            hdf5::as_hsize(sizes).data(), most.data()),
                           H5Sclose);
        make_dataset(name, hdf5::number_type(type).file, space, properties);
    }

    template <class T>
    void write_part(const std::string& name, const std::vector<Index>& start, const std::vector<Index>& count,
                    std::span<const T> values) const {
        const Handle set = dataset(name);
        const Hdf5Content found = content(set, name);
        check_type(found, hdf5::type_of<T>(), name);
        const Handle space = block(set, found, name, start, count, values.size());
        if (values.empty()) return;
        const hsize_t length = values.size();
        const Handle memory(H5Screate_simple(1, &length, nullptr), H5Sclose);
        require(H5Dwrite(set, hdf5::number_type(hdf5::type_of<T>()).memory, memory, space, H5P_DEFAULT,
                         values.data()) >= 0,
                Status::file_error, path, ": ", hdf5::quoted(name), " cannot be written");
    }

    void set_attribute(const std::string& name, const std::string& attribute, hid_t file_type,
                       hid_t memory_type, const void* value, std::optional<hsize_t> list = {}) const {
        const Handle owner = object(name);
        if (H5Aexists(owner, attribute.c_str()) > 0) H5Adelete(owner, attribute.c_str());
        const Handle space(list ? H5Screate_simple(1, &*list, nullptr) : H5Screate(H5S_SCALAR), H5Sclose);
        const Handle handle(H5Acreate2(owner, attribute.c_str(), file_type, space, H5P_DEFAULT, H5P_DEFAULT),
                            H5Aclose);
        require(handle.open() && H5Awrite(handle, memory_type, value) >= 0, Status::file_error, path,
                ": attribute \"", attribute, "\" of \"", name, "\" cannot be written");
    }

    [[nodiscard]] Handle attribute(hid_t owner, const std::string& name, const std::string& wanted,
                                   hssize_t most = 1) const {
        if (H5Aexists(owner, wanted.c_str()) <= 0)
            corrupt("\"", name, "\" has no attribute \"", wanted, "\"");
        Handle handle(H5Aopen(owner, wanted.c_str(), H5P_DEFAULT), H5Aclose);
        const Handle space(handle.open() ? H5Aget_space(handle) : -1, H5Sclose);
        const hssize_t values = space.open() ? H5Sget_simple_extent_npoints(space) : -1;
        if (values < 1 || values > most)
            corrupt("attribute \"", wanted, "\" of \"", name, "\" must be one value");
        return handle;
    }
};

}  // namespace sonolux
