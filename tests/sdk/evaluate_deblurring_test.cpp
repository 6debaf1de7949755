// tests/sdk/evaluate_deblurring_test.cpp
#include <cmath>

#include <sonolux/sdk/pipelines/evaluate_deblurring.hpp>

#include "tests/support/command_line.hpp"

namespace sonolux {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

// Gives back what it is given.
class Nothing final : public Deblurrer {
public:
    Array<float> run(View<const float> blurred, View<const float>, double, const ProgressCallback&) override {
        Array<float> same({blurred.rows(), blurred.columns()});
        std::copy(blurred.begin(), blurred.end(), same.begin());
        return same;
    }
};

class EvaluateDeblurring : public CommandLine {
protected:
    // Steps, of which each channel has others.
    void write_steps(const std::string& name, Index channels, Index rows, Index columns) const {
        Array<float> sharp({channels, rows, columns});
        for (Index c = 0; c < channels; ++c)
            for (Index i = 0; i < rows; ++i)
                for (Index j = 0; j < columns; ++j)
                    sharp(c, i, j) = ((i + 3 * c) / 9 + (j + 5 * c) / 12) % 2 == 0 ? 0.25F : 0.75F;
        fs::create_directories(folder_ / "sharp");
        write_image(file("sharp/" + name), sharp, 16);
    }

    [[nodiscard]] EvaluateDeblurringOptions options() const {
        EvaluateDeblurringOptions options;
        options.data = file("sharp");
        return options;
    }
};

TEST_F(EvaluateDeblurring, MeasuresWhatNoBorderReaches) {
    write_steps("a.png", 1, 60, 70);
    Nothing nothing;
    EvaluateDeblurringOptions options = this->options();
    options.kernel = Array<float>({1, 3});
    options.kernel.data()[1] = 5;  // divided by its sum; no blur
    const Evaluation unblurred = evaluate_deblurring(nothing, options).evaluation;
    // Noise of 2 of 255, known to 1 / sqrt(2 x 4200) = 1 %, or 0.1 dB.
    EXPECT_NEAR(unblurred.mean.noisy.psnr, 20 * std::log10(255.0 / 2), 0.3);
    EXPECT_EQ(unblurred.mean.noisy.psnr, unblurred.mean.denoised.psnr);

    // A mean of two neighbours: an error of 1/4 at each of the 5 steps along a row, besides the noise.
    options.kernel.data()[0] = 5;
    const DeblurringEvaluation blurred = evaluate_deblurring(nothing, options);
    EXPECT_EQ(blurred.kernels, (std::vector<Shape>{{1, 3}}));
    EXPECT_EQ(blurred.evaluation.images[0].rows, 60);
    EXPECT_EQ(blurred.evaluation.images[0].columns, 68);
    const double error = 0.25 * 0.25 * 5 / 68 + std::pow(2.0 / 255, 2);
    EXPECT_NEAR(blurred.evaluation.mean.noisy.psnr, -10 * std::log10(error), 0.05);
}

TEST_F(EvaluateDeblurring, DrawsKernelsFromSeedAndPlace) {
    for (const char* name : {"a.png", "b.png", "c.png"}) write_steps(name, 1, 64, 64);
    Nothing nothing;
    EvaluateDeblurringOptions options = this->options();
    const DeblurringEvaluation first = evaluate_deblurring(nothing, options),
                               again = evaluate_deblurring(nothing, options);
    options.seed = 1;
    const DeblurringEvaluation other = evaluate_deblurring(nothing, options);
    double differences = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(first.evaluation.images[i].noisy.psnr, again.evaluation.images[i].noisy.psnr);
        EXPECT_NE(first.evaluation.images[i].noisy.psnr, other.evaluation.images[i].noisy.psnr);
        EXPECT_LE(std::max(first.kernels[i][0], first.kernels[i][1]), blur_protocol_kernel_size);
        differences +=
            std::abs(first.evaluation.images[i].noisy.psnr - first.evaluation.images[0].noisy.psnr);
    }
    EXPECT_GT(differences, 0.1) << "the same image three times, blurred in three ways";
}

TEST_F(EvaluateDeblurring, WorksOnTheColoursThatTheRuleNames) {
    write_steps("a.png", 3, 60, 60);
    Nothing nothing;
    EvaluateDeblurringOptions options = this->options();
    const ImageResult opponent = evaluate_deblurring(nothing, options).evaluation.images[0];
    EXPECT_EQ(opponent.channels, 3);
    EXPECT_NEAR(opponent.denoised.psnr, opponent.noisy.psnr, 1e-4) << "there and back";
    options.channels = ChannelRule::luma;
    EXPECT_EQ(evaluate_deblurring(nothing, options).evaluation.images[0].channels, 1);
    options.channels = ChannelRule::refuse;
    EXPECT_THAT([&] { (void)evaluate_deblurring(nothing, options); },
                ThrowsMessage<Error>(HasSubstr("a.png: has 3 channels")));
}

TEST_F(EvaluateDeblurring, NamesWhatIsWrong) {
    write_steps("small.png", 1, 9, 40);
    Nothing nothing;
    EvaluateDeblurringOptions options = this->options();
    options.sigma = 0;
    EXPECT_THAT([&] { (void)evaluate_deblurring(nothing, options); },
                ThrowsMessage<Error>(HasSubstr("sigma must be above 0")));
    options.sigma = 2;
    options.kernel = Array<float>({11, 11});
    std::fill(options.kernel.begin(), options.kernel.end(), 1.0F);
    options.kernel_source = "box.txt";
    EXPECT_THAT([&] { (void)evaluate_deblurring(nothing, options); },
                ThrowsMessage<Error>(StartsWith("box.txt: ")));
    options.kernel = {};
    options.progress = [](const Progress&) { return false; };
    write_steps("small.png", 1, 60, 60);
    EXPECT_THAT([&] { (void)evaluate_deblurring(nothing, options); },
                ThrowsMessage<Error>(HasSubstr("cancelled after 1 of 1 images")));
}

TEST_F(EvaluateDeblurring, IsACommand) {
    write_steps("a.png", 1, 50, 60);
    write_steps("b.png", 3, 50, 60);
    write_bytes("kernel.txt", "1 1 1\n1 1 1\n1 1 1\n");
    const Outcome outcome =
        run("evaluate wiener --protocol blur --data sharp --kernel kernel.txt --sigma 1 --csv table.csv");
    ASSERT_EQ(outcome.status, 0) << testing::PrintToString(outcome);
    EXPECT_THAT(outcome.out,
                AllOf(StartsWith("wiener: "), HasSubstr("blurred by the kernel of kernel.txt"),
                      HasSubstr("48 x 58   3 x 3"), HasSubstr("3 x 48 x 58"), HasSubstr("\nmean ")));
    EXPECT_THAT(read_text_file(file("table.csv")), HasSubstr("\nmean,"));
    EXPECT_THAT(run("evaluate wiener --protocol levin --data sharp --kernel kernel.txt"),
                FailsWith(2, "--kernel belongs to --protocol blur"));
}

}  // namespace
}  // namespace sonolux
