// tests/core/error_test.cpp
#include <gtest/gtest.h>

#include <set>

#include <sonolux/core/error.hpp>

namespace sonolux {
namespace {

TEST(Sentence, JoinsWordsAndNumbersOfEveryKind) {
    const std::string word = "rows";
    const std::string_view view = "columns";
    EXPECT_EQ(sentence(word, " ", 3, ", ", view, " ", -4L, ", ", 5u, ", ", true, ", ", 0.5, ", ", 0.25f),
              "rows 3, columns -4, 5, true, 0.5, 0.25");
}

TEST(Require, ThrowsTheStatusAndTheSentence) {
    require(true, Status::internal_error, "not this one");
    try {
        require(false, Status::size_mismatch, "rows must be at least ", 1, ", got ", 0);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::size_mismatch);
        EXPECT_STREQ(error.what(), "rows must be at least 1, got 0");
    }
}

TEST(Status, EachHasItsOwnWords) {
    std::set<std::string> words;
    for (int value = 0; value <= 10; ++value) words.insert(to_string(static_cast<Status>(value)));
    EXPECT_EQ(words.size(), 11u);
    EXPECT_EQ(words.count("unknown status"), 0u);
    EXPECT_STREQ(to_string(static_cast<Status>(77)), "unknown status");
}

}  // namespace
}  // namespace sonolux
