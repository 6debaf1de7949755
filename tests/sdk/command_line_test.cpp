// The commands of the program `sonolux`, but for demo (command_line_demo_test.cpp) and train
// (train_test.cpp).
#include <array>
#include <cstring>
#include <limits>
#include <span>

#include <sonolux/sdk/runtime/sha256.hpp>

#include "tests/support/command_line.hpp"
#include "tests/support/tiny_model.hpp"

namespace sonolux {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::string from_hexadecimal(std::string_view digits) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
    return bytes;
}

TEST_F(CommandLine, NeedsACommand) {
    EXPECT_THAT(run(""), FailsWith(2, "a subcommand is required (see sonolux --help)"));
    EXPECT_THAT(run("denoise"),
                FailsWith(2, "there is no command \"denoise\"; there are demo, simulate, train, evaluate"));
    EXPECT_THAT(run("--frobnicate"), FailsWith(2, "--frobnicate"));
}

TEST_F(CommandLine, HelpsWithEachCommandAndAnExample) {
    const Outcome all = run("--help");
    EXPECT_EQ(all.status, 0);
    EXPECT_THAT(all.err, IsEmpty());
    for (const char* command :
         {"demo", "simulate", "train", "evaluate", "reconstruct", "beamform", "inspect", "benchmark"}) {
        EXPECT_THAT(all.out, HasSubstr(command));
        const Outcome help = run(std::string(command) + " --help");
        EXPECT_EQ(help.status, 0) << command;
        EXPECT_THAT(help.err, IsEmpty()) << command;
        EXPECT_THAT(help.out, AllOf(HasSubstr("Example"), HasSubstr(std::string("sonolux ") + command)))
            << command;
    }
}

TEST_F(CommandLine, SaysItsVersion) {
    const Outcome version = run("--version");
    EXPECT_EQ(version.status, 0);
    EXPECT_THAT(version.out, StartsWith("sonolux 0."));
}

TEST_F(CommandLine, RefusesOptionsThatMeanNothing) {
    write_model("m.safetensors");
    write_noisy("in.png", 1, 20, 20);
    EXPECT_THAT(run("reconstruct m.safetensors"),
                FailsWith(2, "INPUT is required (see sonolux reconstruct --help)"));
    EXPECT_THAT(run("reconstruct m.safetensors in.png out.png --tile big"), FailsWith(2, "--tile"));
    EXPECT_THAT(run("reconstruct m.safetensors in.png out.png --tile -3"),
                FailsWith(2, "--tile must be from 0 to 1048576, got -3"));
    for (const char* sigma : {"-1", "0", "256", "nan", "inf", "loud"})
        EXPECT_THAT(run(std::string("reconstruct m.safetensors in.png out.png --sigma ") + sigma),
                    FailsWith(2, sentence("--sigma must be above 0 and at most 255, got ", sigma)));
    EXPECT_THAT(run("reconstruct m.safetensors in.png out.png --isa mmx"), FailsWith(2, "mmx"));
    EXPECT_THAT(run("reconstruct m.safetensors in.png out.png --threads -1"), FailsWith(2, "--threads"));
    EXPECT_THAT(run("reconstruct m.safetensors in.png out.png --blur"), FailsWith(2, "--blur"));
    EXPECT_THAT(run("reconstruct m.safetensors in.png out.jpg"),
                FailsWith(2, "OUTPUT must end in .png, .tif or .tiff"));
    EXPECT_THAT(run("reconstruct m.safetensors in.png out.png --bits 32"),
                FailsWith(2, "PNG holds at most 16 bits"));
    EXPECT_THAT(run("evaluate m.safetensors --data . --protocol best"), FailsWith(2, "--protocol"));
    EXPECT_THAT(run("demo --add-noise"), FailsWith(2, "--add-noise belongs to --image"));
    EXPECT_FALSE(fs::exists(file("out.png")));
}

TEST_F(CommandLine, ReconstructsAndSaysHow) {
    write_model("m.safetensors");
    write_noisy("in.png", 1, 40, 50);
    const Outcome outcome = run("reconstruct m.safetensors in.png out.png --threads 1");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.err, IsEmpty());
    EXPECT_THAT(outcome.out,
                AllOf(StartsWith("out.png: 1 x 40 x 50, 8 bits, sigma 25, 1 tile"), HasSubstr("1 thread")));
    const Image out = read_image(file("out.png"));
    EXPECT_EQ(out.pixels.shape(), (Shape{1, 40, 50}));
}

TEST_F(CommandLine, TilesMakeNoDifference) {
    write_model("m.safetensors");
    write_noisy("in.png", 1, 90, 130);
    ASSERT_EQ(run("reconstruct m.safetensors in.png whole.tif --bits 32 --tile 200").status, 0);
    const Outcome tiled = run("reconstruct m.safetensors in.png tiled.tif --bits 32 --tile 32 --threads 2");
    ASSERT_EQ(tiled.status, 0) << tiled.err;
    EXPECT_THAT(tiled.out, HasSubstr("15 tiles of up to 32 x 32"));
    EXPECT_EQ(read_file(file("whole.tif")), read_file(file("tiled.tif")));
}

TEST_F(CommandLine, DoesWithColourWhatItIsTold) {
    write_model("m.safetensors");
    write_noisy("in.png", 3, 30, 20);
    EXPECT_THAT(
        run("reconstruct m.safetensors in.png out.png --channels refuse"),
        FailsWith(1, "in.png: has 3 channels, the model \"m\" takes 1 (grey); choose --channels opponent"));
    EXPECT_FALSE(fs::exists(file("out.png")));
    EXPECT_THAT(run("reconstruct m.safetensors in.png opponent.png").err,
                HasSubstr("sonolux: in.png: 3 opponent colours, each denoised by itself\n"));
    EXPECT_THAT(run("reconstruct m.safetensors in.png separate.png --channels separate").err,
                HasSubstr("sonolux: in.png: 3 channels, each denoised by itself\n"));
    EXPECT_THAT(run("reconstruct m.safetensors in.png luma.png --channels luma").err,
                Not(HasSubstr("by itself")));
    EXPECT_EQ(read_image(file("separate.png")).pixels.shape(), (Shape{3, 30, 20}));
    EXPECT_EQ(read_image(file("luma.png")).pixels.shape(), (Shape{1, 30, 20}));

    // Each channel comes out as it would alone.
    const Image in = read_image(file("in.png"));
    write_image(file("green.png"), in.pixels.view()[1]);
    ASSERT_EQ(run("reconstruct m.safetensors green.png green_out.png").status, 0);
    const Image all = read_image(file("separate.png")), green = read_image(file("green_out.png"));
    EXPECT_TRUE(std::equal(green.pixels.begin(), green.pixels.end(), all.pixels.view()[1].begin()));
}

TEST_F(CommandLine, KeepsTheDepthOfTheImage) {
    write_model("m.safetensors");
    write_noisy("in.png", 1, 16, 16, 16);
    write_noisy("in.tif", 1, 16, 16, 32);
    ASSERT_EQ(run("reconstruct m.safetensors in.png out.png").status, 0);
    EXPECT_EQ(read_image(file("out.png")).bits, 16);
    ASSERT_EQ(run("reconstruct m.safetensors in.tif out.tif").status, 0);
    EXPECT_EQ(read_image(file("out.tif")).bits, 32);
    const Outcome narrowed = run("reconstruct m.safetensors in.tif narrowed.png");
    EXPECT_EQ(narrowed.status, 0);
    EXPECT_THAT(narrowed.err, HasSubstr("warning: in.tif holds floats, narrowed.png keeps 16 bits"));
}

TEST_F(CommandLine, DropsTransparencyAndSaysSo) {
    write_model("m.safetensors");
    write_bytes("in.png",
                from_hexadecimal("89504e470d0a1a0a0000000d494844520000000100000002080400000033887eac0000000e"
                                 "4944415478da6338d1c090c2000006b601ad211620550000000049454e44ae426082"));
    const Outcome outcome = run("reconstruct m.safetensors in.png out.png");
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.err, "sonolux: warning: in.png: transparency was dropped\n");
    EXPECT_EQ(read_image(file("out.png")).pixels.shape(), (Shape{1, 2, 1}));
}

TEST_F(CommandLine, TakesImagesOfOnePixelAndNoneOfZero) {
    write_model("m.safetensors");
    write_noisy("one.png", 1, 1, 1);
    ASSERT_EQ(run("reconstruct m.safetensors one.png out.png").status, 0);
    write_bytes("zero.png",
                from_hexadecimal("89504e470d0a1a0a0000000d49484452000000000000000008000000001ee023ce000000"
                                 "084944415478da0300000000016fddc9910000000049454e44ae426082"));
    EXPECT_THAT(run("reconstruct m.safetensors zero.png zero_out.png"), FailsWith(1, "zero.png: "));
    EXPECT_FALSE(fs::exists(file("zero_out.png")));
}

TEST_F(CommandLine, RefusesDamagedFilesAndWritesNothing) {
    write_model("m.safetensors");
    write_noisy("in.png", 1, 60, 60);
    const std::string model = read_text_file(file("m.safetensors")), image = read_text_file(file("in.png"));

    write_bytes("cut.png", image.substr(0, image.size() / 2));
    EXPECT_THAT(run("reconstruct m.safetensors cut.png out.png"), FailsWith(1, "cut.png: "));
    write_bytes("text.png", "not an image");
    EXPECT_THAT(run("reconstruct m.safetensors text.png out.png"),
                FailsWith(1, "text.png: not a PNG, TIFF or JPEG"));
    EXPECT_THAT(run("reconstruct m.safetensors nothing.png out.png"), FailsWith(1, "nothing.png: "));
    EXPECT_THAT(run("reconstruct nothing.safetensors in.png out.png"), FailsWith(1, "nothing.safetensors: "));

    write_bytes("cut.safetensors", model.substr(0, model.size() - 100));
    EXPECT_THAT(run("reconstruct cut.safetensors in.png out.png"), FailsWith(1, "cut.safetensors: "));
    write_bytes("huge.safetensors", std::string(7, '\xff') + '\x7f' + model.substr(8));
    EXPECT_THAT(run("reconstruct huge.safetensors in.png out.png"), FailsWith(1, "huge.safetensors: "));
    std::string flipped = model;
    flipped[flipped.size() - 10] = static_cast<char>(flipped[flipped.size() - 10] ^ 1);
    write_bytes("flipped.safetensors", flipped);
    EXPECT_THAT(run("reconstruct flipped.safetensors in.png out.png"), FailsWith(1, "flipped.safetensors: "));
    EXPECT_THAT(run("inspect flipped.safetensors"), FailsWith(1, "flipped.safetensors: "));

    EXPECT_THAT(run("reconstruct m.safetensors in.png no/such/folder/out.png"),
                FailsWith(1, "no/such/folder/out.png: there is no folder no/such/folder"));
    EXPECT_THAT(run("reconstruct m.safetensors in.png out.png --sigma 40"), FailsWith(1, "sigma must be"));
    EXPECT_FALSE(fs::exists(file("out.png")));
}

// The digest is made right again, so that it is the number itself that is found.
TEST_F(CommandLine, RefusesModelsThatHoldNaNOrInfinity) {
    write_model("m.safetensors");
    write_noisy("in.png", 1, 20, 20);
    fs::create_directories(file("data"));
    write_noisy("data/a.png", 1, 20, 20);
    const std::string model = read_text_file(file("m.safetensors"));
    std::uint64_t header = 0;
    std::memcpy(&header, model.data(), sizeof header);
    const auto digest = [&](const std::string& bytes) {
        return sha256_text(std::as_bytes(std::span(bytes)).subspan(sizeof header + header));
    };
    for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                              -std::numeric_limits<float>::infinity()}) {
        std::string bytes = model;
        std::memcpy(bytes.data() + bytes.size() - sizeof value, &value, sizeof value);
        const std::string right = digest(bytes);
        const std::size_t place = bytes.find(digest(model));
        ASSERT_NE(place, std::string::npos);
        bytes.replace(place, right.size(), right);
        write_bytes("bad.safetensors", bytes);
        for (const char* command : {"reconstruct bad.safetensors in.png out.png", "inspect bad.safetensors",
                                    "evaluate bad.safetensors --data data", "benchmark bad.safetensors"})
            EXPECT_THAT(run(command), AllOf(FailsWith(1, "bad.safetensors: tensor \"stage2."),
                                            FailsWith(1, "\" is not finite at index ")))
                << command << ", " << value;
    }
    EXPECT_FALSE(fs::exists(file("out.png")));
}

TEST_F(CommandLine, RefusesModelsWhoseProblemContradictsTheirArchitecture) {
    write_model("m.safetensors");
    write_noisy("in.png", 1, 20, 20);
    const auto write_with = [&](const std::string& field, const Json& value) {
        const std::vector<std::byte> bytes = read_file(file("m.safetensors"));
        const SafetensorsHeader header = read_safetensors_header(bytes, "m.safetensors");
        Json json = parse_json(header.metadata.at("sonolux"), "m.safetensors");
        Json problem = *json.find("problem");
        json.set("problem", problem.set(field, value));
        write_file_atomically(file("bad.safetensors"),
                              write_safetensors(read_tensors(header), {{"sonolux", to_text(json)}}));
    };
    const auto expect_refusal = [&](const std::string& what) {
        for (const char* command : {"reconstruct bad.safetensors in.png out.png", "inspect bad.safetensors"})
            EXPECT_THAT(run(command), FailsWith(1, "bad.safetensors: sonolux.problem." + what)) << command;
    };
    write_with("value_scale", 127.0);
    expect_refusal("value_scale is 127, the architecture says 255");
    write_with("boundary", "zero");
    expect_refusal("boundary is \"zero\", the architecture says \"symmetric\"");
    EXPECT_FALSE(fs::exists(file("out.png")));
    write_with("boundary", "symmetric");
    EXPECT_EQ(run("reconstruct bad.safetensors in.png out.png").status, 0);
}

TEST_F(CommandLine, ModelsOfARangeAskForTheLevel) {
    write_model("range.safetensors", 5, 55);
    write_noisy("in.png", 1, 20, 20);
    EXPECT_THAT(run("reconstruct range.safetensors in.png out.png"), FailsWith(1, "sigma must be given"));
    EXPECT_THAT(run("reconstruct range.safetensors in.png out.png --sigma 60"),
                FailsWith(1, "sigma must be"));
    EXPECT_EQ(run("reconstruct range.safetensors in.png out.png --sigma 20").status, 0);
}

TEST_F(CommandLine, EvaluatesWithNoiseThatDependsOnTheSeedAlone) {
    write_model("m.safetensors");
    fs::create_directories(file("data"));
    write_noisy("data/a.png", 1, 40, 30);
    write_noisy("data/b.tif", 1, 30, 40);
    const Outcome outcome = run("evaluate m.safetensors --data data --sigma 25 --csv one.csv --threads 1");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("a.png"), HasSubstr("b.tif"), HasSubstr("mean"),
                                   HasSubstr("neither clipped nor quantised, seed 0")));
    ASSERT_EQ(run("evaluate m.safetensors --data data --csv two.csv --threads 2").status, 0);
    ASSERT_EQ(run("evaluate m.safetensors --data data --csv other.csv --seed 1").status, 0);
    auto without_times = [&](const std::string& name) {
        std::string kept;
        const std::string csv = read_text_file(file(name));
        for (std::size_t begin = 0; begin < csv.size();) {
            const std::size_t end = csv.find('\n', begin);
            const std::string line = csv.substr(begin, end - begin);
            kept += line.substr(0, line.rfind(',')) + "\n";
            begin = end + 1;
        }
        return kept;
    };
    EXPECT_THAT(without_times("one.csv"), StartsWith("image,rows,columns,sigma,noisy_psnr_db,psnr_db,"));
    EXPECT_EQ(without_times("one.csv"), without_times("two.csv"));
    EXPECT_NE(without_times("one.csv"), without_times("other.csv"));
    // 20 log10(255 / 25) = 20.17 dB, give or take the noise of 2400 pixels (0.13 dB is one standard
    // deviation).
    const std::string csv = read_text_file(file("one.csv"));
    EXPECT_NEAR(std::stod(csv.substr(csv.find("mean,0,0,25,") + 12)), 20.17, 0.6);
}

TEST_F(CommandLine, EvaluationRefusesWhatItsProtocolDoesNotCover) {
    write_model("m.safetensors");
    fs::create_directories(file("data"));
    EXPECT_THAT(run("evaluate m.safetensors --data data"), FailsWith(1, "data: holds no image"));
    EXPECT_THAT(run("evaluate m.safetensors --data data --csv no/where.csv"),
                FailsWith(1, "no/where.csv: there is no folder no"));
    EXPECT_THAT(run("evaluate m.safetensors --data nowhere"),
                FailsWith(1, "nowhere: cannot be read as a folder"));
    write_noisy("data/a.png", 3, 20, 20);
    EXPECT_THAT(run("evaluate m.safetensors --data data --channels refuse"),
                FailsWith(1, "data/a.png: has 3 channels"));
    EXPECT_EQ(run("evaluate m.safetensors --data data --channels luma").status, 0);
    EXPECT_THAT(run("evaluate m.safetensors --data data --protocol bsd68"),
                FailsWith(1, "the protocol bsd68 needs 68 images, there are 1"));
}

TEST_F(CommandLine, InspectsModels) {
    write_model("m.safetensors", 5, 55);
    const Outcome outcome = run("inspect m.safetensors --pictures pictures");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.out,
                AllOf(HasSubstr("5 to 55"), HasSubstr("CC0-1.0"), HasSubstr("psnr_db 12.5 (made up)"),
                      HasSubstr("SHA-256 of the parameters is right"), HasSubstr("stage2.filters"),
                      HasSubstr("pictures/stage1_activations.png")));
    EXPECT_GT(read_image(file("pictures/stage2_filters.png")).columns(), 100);
}

TEST_F(CommandLine, SaysWhenItsResultsAreLost) {
    if (!fs::exists("/dev/full")) GTEST_SKIP() << "skipped: there is no /dev/full";
    write_model("m.safetensors");
    const int status = std::system(("'" + std::string(sonolux_program()) + "' inspect " +
                                    file("m.safetensors") + " >/dev/full 2>" + file("stderr.txt"))
                                       .c_str());
    EXPECT_EQ(WEXITSTATUS(status), 1);
    EXPECT_EQ(read_text_file(file("stderr.txt")), "sonolux: standard output could not be written\n");
}

TEST_F(CommandLine, InspectsImages) {
    write_image(file("ramp.png"), View<const float>(std::array{0.0F, 1.0F, 0.2F, 0.6F}.data(), {2, 2}), 16);
    const Outcome outcome = run("inspect ramp.png");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.out,
                AllOf(HasSubstr("png image, 2 rows, 2 columns, 1 channel of 16 bits"), HasSubstr("grey")));
    EXPECT_THAT(run("inspect ramp.png --pictures x"), FailsWith(2, "--pictures is for models"));
}

TEST_F(CommandLine, TimesModels) {
    write_model("m.safetensors");
    const Outcome outcome = run("benchmark m.safetensors --rows 33 --columns 47 --seconds 0 --threads 2");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.out,
                AllOf(HasSubstr("m, 33 x 47, cpu"), HasSubstr("median ms"), HasSubstr("p99 ms")));

    VariationalNetworkOptions options = tiny_architecture();
    options.sigma_degree = 1;
    Model model = tiny_model(options);
    model.problem.sigma_min = 0;  // of which no geometric mean is above 0
    write_file_atomically((folder_ / "from_0.safetensors").string(), save_model(model));
    EXPECT_EQ(run("benchmark from_0.safetensors --rows 9 --columns 9 --seconds 0 --threads 1").status, 0);
}

TEST_F(CommandLine, FindsModelsByName) {
    write_model("denoise_tiny.safetensors");
    write_noisy("in.png", 1, 20, 20);
    EXPECT_EQ(
        run("reconstruct denoise_tiny in.png out.png", "SONOLUX_MODELS='" + folder_.string() + "'").status,
        0);
    EXPECT_THAT(run("reconstruct denoise_huge in.png out.png", "SONOLUX_MODELS='" + folder_.string() + "'"),
                FailsWith(1, "denoise_huge: "));
}

}  // namespace
}  // namespace sonolux
