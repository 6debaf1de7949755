// tests/support/mat_writer.hpp
//
// MATLAB files for tests, written by matio.
#pragma once

#include <gtest/gtest.h>
#include <matio.h>

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace sonolux {

/// A file as MATLAB writes it; values are in MATLAB's order, the first index fastest.
class MatWriter {
public:
    MatWriter(const std::string& path, mat_ft version, bool compressed = true)
        : file_(Mat_CreateVer(path.c_str(), nullptr, version)),
          compression_(compressed ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE) {}
    ~MatWriter() { Mat_Close(file_); }
    MatWriter(const MatWriter&) = delete;
    MatWriter& operator=(const MatWriter&) = delete;

    template <class T>
    static matvar_t* array(const char* name, std::vector<std::size_t> sizes, std::vector<T> values) {
        constexpr bool small = std::is_same_v<T, std::int16_t>, single = std::is_same_v<T, float>;
        return Mat_VarCreate(name,
                             small    ? MAT_C_INT16
                             : single ? MAT_C_SINGLE
                                      : MAT_C_DOUBLE,
                             small    ? MAT_T_INT16
                             : single ? MAT_T_SINGLE
                                      : MAT_T_DOUBLE,
                             static_cast<int>(sizes.size()), sizes.data(), values.data(), 0);
    }
    static matvar_t* complex_array(const char* name, std::vector<std::size_t> sizes, std::vector<float> re,
                                   std::vector<float> im) {
        mat_complex_split_t split{re.data(), im.data()};
        return Mat_VarCreate(name, MAT_C_SINGLE, MAT_T_SINGLE, static_cast<int>(sizes.size()), sizes.data(),
                             &split, MAT_F_COMPLEX);
    }
    static matvar_t* number(const char* name, double value) { return array<double>(name, {1, 1}, {value}); }

    void put(matvar_t* variable) {
        ASSERT_EQ(Mat_VarWrite(file_, variable, compression_), 0);
        Mat_VarFree(variable);
    }

    void put_struct(const char* name, const std::vector<std::pair<const char*, matvar_t*>>& fields) {
        std::vector<const char*> names;
        for (const auto& [field, value] : fields) names.push_back(field);
        std::size_t sizes[] = {1, 1};
        matvar_t* all =
            Mat_VarCreateStruct(name, 2, sizes, names.data(), static_cast<unsigned>(names.size()));
        for (const auto& [field, value] : fields) Mat_VarSetStructFieldByName(all, field, 0, value);
        put(all);
    }

private:
    mat_t* file_;
    matio_compression compression_;
};

}  // namespace sonolux
