// sonolux/sdk/files/hdf5_file.hpp
//
// HDF5 files, thinly: what Sonolux needs of the C library, with handles that close themselves and errors that
// name the file, the dataset and what was expected. Nothing is printed by the library.
//
// The library is not safe beside threads. Calls here take one lock of the process, so they are safe among
// each other; a file still serves one caller at a time.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sonolux/core/shape.hpp>

namespace sonolux {

/// What the elements of a dataset or attribute are; `other` is everything that is not read here (compounds,
/// enumerations, references, 16-bit floats).
enum class Hdf5Type {
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
    text,
    other
};
[[nodiscard]] const char* to_string(Hdf5Type type) noexcept;

/// How a text is stored: with the length that it has (HDF5 1.8 and later, Python's habit), in a field of
/// fixed length (what older C programs read), or, of attributes, as a list of one such field (MATLAB's
/// hdf5write).
enum class Hdf5Text { variable, fixed, listed };

/// How a dataset is laid out in the file. `chunk` empty means contiguous, which datasets that grow cannot be.
struct Hdf5Layout {
    std::vector<Index> chunk;  ///< as many sizes as the dataset has, each at least 1
    int deflate = 0;           ///< 0 to 9; above 0 asks for a chunk
    bool grows = false;        ///< along the first dimension, by `append`
};

/// One dataset, without its values.
struct Hdf5Content {
    Hdf5Type type = Hdf5Type::other;
    std::vector<Index> sizes;  ///< slowest first; empty for a scalar
    [[nodiscard]] Index elements() const noexcept;
};

/// A file of groups, datasets and attributes. Names are paths from the root: "scan/sampling_frequency"; a
/// leading slash is allowed. T is float, double, or a signed or unsigned integer of 8 to 64 bits, and must be
/// what the file has, in either byte order: nothing is converted.
///
/// Every function throws Error: file_error (the file, or the disk), corrupt_data (a file that is not what it
/// should be: not HDF5, a dataset missing, of another type or size), invalid_argument (of the caller).
class Hdf5File {
public:
    /// For reading; the file is not changed, and others may read it too.
    [[nodiscard]] static Hdf5File open(const std::string& path);

    /// A new file, which takes the place of `path` with `commit` and leaves nothing without.
    [[nodiscard]] static Hdf5File create(const std::string& path);

    /// The same for a file that fits into memory twice: it is on the disk at `commit` and not before. A disk
    /// that is full is an error then, after which all else goes on; the library may crash where a write of
    /// its own has failed.
    [[nodiscard]] static Hdf5File create_in_memory(const std::string& path);

    ~Hdf5File();
    Hdf5File(Hdf5File&&) noexcept;
    Hdf5File& operator=(Hdf5File&&) noexcept;

    [[nodiscard]] const std::string& path() const noexcept;

    /// Closes a created file and puts it in its place: whole, or not at all. Nothing may follow.
    void commit();

    // --- what is there ---

    [[nodiscard]] bool has(const std::string& name) const;
    [[nodiscard]] bool is_group(const std::string& name) const;
    /// The names in a group ("/" is the root), in alphabetical order.
    [[nodiscard]] std::vector<std::string> names(const std::string& group) const;
    [[nodiscard]] Hdf5Content content(const std::string& dataset) const;

    // --- datasets ---

    /// All elements, slowest dimension first.
    template <class T>
    [[nodiscard]] std::vector<T> read(const std::string& dataset) const;

    /// The same, of a dataset that must have exactly these sizes.
    template <class T>
    [[nodiscard]] std::vector<T> read(const std::string& dataset, const std::vector<Index>& sizes) const;

    /// The block [start, start + count) of every dimension. `values` has as many elements as the block.
    template <class T>
    void read_part(const std::string& dataset, const std::vector<Index>& start,
                   const std::vector<Index>& count, std::span<T> values) const;

    [[nodiscard]] std::string read_text(const std::string& dataset) const;

    // For files that others wrote: any type of number, converted. A dataset that was compressed by a filter
    // that the library does not have is refused by the filter's name (Error{unsupported}).

    /// All elements, slowest dimension first.
    [[nodiscard]] std::vector<double> numbers(const std::string& dataset) const;

    /// Of a dataset with one element, whatever its dimensions.
    [[nodiscard]] double number(const std::string& dataset) const;

    /// A block, as read_part takes it.
    void read_part_as_float(const std::string& dataset, const std::vector<Index>& start,
                            const std::vector<Index>& count, std::span<float> values) const;

    /// Groups of a name that are not there yet are made: here and in the functions below.
    template <class T>
    void write(const std::string& dataset, const std::vector<Index>& sizes, std::span<const T> values,
               const Hdf5Layout& layout = {});

    void write_text(const std::string& dataset, std::string_view text, Hdf5Text how = Hdf5Text::variable);

    /// A dataset of zeros, to be filled by `write_part` or `append`.
    template <class T>
    void make(const std::string& dataset, const std::vector<Index>& sizes, const Hdf5Layout& layout = {});

    template <class T>
    void write_part(const std::string& dataset, const std::vector<Index>& start,
                    const std::vector<Index>& count, std::span<const T> values);

    /// Adds elements behind the last of the first dimension. As many values as whole rows have.
    template <class T>
    void append(const std::string& dataset, std::span<const T> values);

    void make_group(const std::string& group);

    // --- attributes, of a dataset or group ("/" is the root): one number, one text, or a list of numbers ---

    [[nodiscard]] bool has_attribute(const std::string& object, const std::string& name) const;
    [[nodiscard]] std::string text_attribute(const std::string& object, const std::string& name) const;
    /// Of any type of number.
    [[nodiscard]] double number_attribute(const std::string& object, const std::string& name) const;
    [[nodiscard]] std::vector<double> numbers_attribute(const std::string& object,
                                                        const std::string& name) const;
    void set_attribute(const std::string& object, const std::string& name, std::string_view text,
                       Hdf5Text how = Hdf5Text::variable);
    void set_attribute(const std::string& object, const std::string& name, double number);
    void set_attribute(const std::string& object, const std::string& name, std::span<const double> numbers);
    void set_attribute(const std::string& object, const std::string& name, std::integral auto number) {
        set_integer(object, name, static_cast<std::int64_t>(number));
    }

private:
    void set_integer(const std::string& object, const std::string& name, std::int64_t number);
    struct State;
    explicit Hdf5File(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace sonolux
