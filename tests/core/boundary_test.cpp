// tests/core/boundary_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include <sonolux/core/boundary.hpp>

namespace sonolux {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// The letters that stand at [-extent, size + extent).
std::string continued(BoundaryRule rule, const std::string& letters, Index extent) {
    const Index size = static_cast<Index>(letters.size());
    std::string text;
    for (Index i = -extent; i < size + extent; ++i) {
        const Index source = boundary_index(rule, i, size);
        text += source < 0 ? '0' : letters[static_cast<std::size_t>(source)];
    }
    return text;
}

TEST(BoundaryIndex, ContinuesAnImageAsItsRuleSays) {
    EXPECT_EQ(continued(BoundaryRule::zero, "abcd", 3), "000abcd000");
    EXPECT_EQ(continued(BoundaryRule::circular, "abcd", 3), "bcdabcdabc");
    EXPECT_EQ(continued(BoundaryRule::replicate, "abcd", 3), "aaaabcdddd");
    EXPECT_EQ(continued(BoundaryRule::symmetric, "abcd", 3), "cbaabcddcb");
    EXPECT_EQ(continued(BoundaryRule::reflect, "abcd", 3), "dcbabcdcba");
}

TEST(BoundaryIndex, GoesOnPastSeveralWraps) {
    EXPECT_EQ(continued(BoundaryRule::circular, "abc", 7), "cabcabcabcabcabca");
    EXPECT_EQ(continued(BoundaryRule::symmetric, "ab", 7), "bbaabbaabbaabbaa");
    EXPECT_EQ(continued(BoundaryRule::reflect, "ab", 7), "babababababababa");
    EXPECT_EQ(continued(BoundaryRule::replicate, "ab", 4), "aaaaabbbbb");
}

TEST(BoundaryIndex, RepeatsASingleSampleForEver) {
    for (BoundaryRule rule : boundary_rules) {
        const char outside = rule == BoundaryRule::zero ? '0' : 'a';
        EXPECT_EQ(continued(rule, "a", 4), std::string(4, outside) + "a" + std::string(4, outside))
            << to_string(rule);
    }
}

TEST(BoundaryIndex, StaysInsideForIndicesOfAnySize) {
    for (BoundaryRule rule : boundary_rules)
        for (Index size : {1, 2, 3, 17})
            for (Index index :
                 {Index{-1'000'000'000'007}, Index{-18}, Index{-17}, Index{17}, Index{1'000'000'000'007}}) {
                const Index source = boundary_index(rule, index, size);
                EXPECT_GE(source, rule == BoundaryRule::zero ? -1 : 0);
                EXPECT_LT(source, size) << to_string(rule) << " " << index;
            }
}

TEST(BoundaryRule, NamesReadBack) {
    for (BoundaryRule rule : boundary_rules) EXPECT_EQ(boundary_rule_from_string(to_string(rule)), rule);
}

TEST(BoundaryRule, RefusesAnUnknownWordAndListsTheRightOnes) {
    EXPECT_THAT([] { (void)boundary_rule_from_string("mirror"); },
                ThrowsMessage<Error>(AllOf(HasSubstr("zero, circular, replicate, symmetric or reflect"),
                                           HasSubstr("got \"mirror\""))));
}

}  // namespace
}  // namespace sonolux
