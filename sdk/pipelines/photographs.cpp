// sonolux/sdk/pipelines/photographs.cpp
#include <sonolux/sdk/pipelines/photographs.hpp>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>

#include <sonolux/core/context.hpp>
#include <sonolux/core/operators/resample.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/pipelines/evaluate.hpp>

extern char** environ;

namespace sonolux {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts(1);
    for (char letter : text) {
        if (letter == at)
            parts.emplace_back();
        else
            parts.back() += letter;
    }
    return parts;
}

// The exit status of a program, with its standard output on our standard error.
int run_program(const std::vector<std::string>& words) {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    pid_t child = 0;
    const int error = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    require(error == 0, Status::file_error, words[0], ": cannot be run: ", std::strerror(error));
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        require(errno == EINTR, Status::file_error, words[0], ": ", std::strerror(errno));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Renames the second photograph of a name to NAME_2, the third to NAME_3, past names that are taken.
void tell_apart(std::vector<Photograph>& photographs) {
    std::set<std::string> taken, met;
    for (const Photograph& photograph : photographs) taken.insert(photograph.name);
    for (Photograph& photograph : photographs) {
        if (met.insert(photograph.name).second) continue;
        std::string numbered;
        int number = 2;
        do numbered = sentence(photograph.name, "_", number++);
        while (!taken.insert(numbered).second);
        met.insert(numbered);
        photograph.name = std::move(numbered);
    }
}

}  // namespace

std::vector<Photograph> photographs_in(const fs::path& folder) {
    std::vector<Photograph> photographs;
    const fs::path list = folder / "photographs.tsv";
    if (fs::is_regular_file(list)) {
        const std::vector<std::string> lines = split(read_text_file(list.string()), '\n');
        for (std::size_t i = 1; i < lines.size(); ++i) {  // the first line names the columns
            const std::vector<std::string> cells = split(lines[i], '\t');
            if (cells.size() < 5 || cells[1] != "demonstration") continue;
            const fs::path path = folder / cells[0];
            if (fs::is_regular_file(path))
                photographs.push_back({path, path.stem().string(), cells[3], cells[4]});
        }
        require(!photographs.empty(), Status::file_error, list.string(),
                ": lists no photograph for demonstration that is there");
        tell_apart(photographs);
        return photographs;
    }
    for (const std::string& name : images_in(folder.string()))
        photographs.push_back({folder / name, fs::path(name).stem().string(), "", ""});
    tell_apart(photographs);
    return photographs;
}

fs::path photograph_cache() {
    auto variable = [](const char* name) -> fs::path {
        const char* value = std::getenv(name);
        return value != nullptr ? value : "";
    };
    const fs::path cache = variable("XDG_CACHE_HOME"), home = variable("HOME");
    if (cache.is_absolute()) return cache / "sonolux/photographs";
    return (home.is_absolute() ? home / ".cache" : fs::temp_directory_path()) / "sonolux/photographs";
}

void fetch_photographs(const fs::path& script, const fs::path& folder,
                       const std::function<void(const std::string&)>& say) {
    auto there = [&] {
        try {
            return fs::is_regular_file(folder / "photographs.tsv") && !photographs_in(folder).empty();
        } catch (const Error&) {
            return false;
        }
    };
    if (there()) return;
    require(fs::is_regular_file(script), Status::file_error, script.string(),
            ": is missing, so the photographs cannot be fetched; --photographs FOLDER takes images of yours");
    say(sentence("fetching photographs into ", folder.string(), " (about 25 MB, once)"));
    const int status = run_program({"bash", script.string(), folder.string(), "demonstration"});
    require(status == 0 || there(), Status::file_error, "the photographs could not be downloaded (",
            script.string(), " ended with status ", status,
            "); without a network, --photographs FOLDER or --image FILE takes images of yours");
}

Array<float> clean_crop(const Image& photograph) {
    const Image grey = to_grey(photograph);
    const Index rows = grey.rows(), columns = grey.columns();
    const bool upright = rows > columns;
    const Index most_rows = upright ? 768 : 512, most_columns = upright ? 512 : 768;
    const Index least = photograph.format == "jpeg" && std::min(rows, columns) >= 2 ? 2 : 1;
    const Index factor = std::clamp(std::min(rows / most_rows, columns / most_columns), least, Index{4});

    // The middle, in whole boxes.
    const Index out_rows = std::min(rows / factor, most_rows),
                out_columns = std::min(columns / factor, most_columns);
    const Index top = (rows - out_rows * factor) / 2, left = (columns - out_columns * factor) / 2;
    Array<float> middle({out_rows * factor, out_columns * factor});
    for (Index i = 0; i < out_rows * factor; ++i)
        std::copy_n(&grey.pixels(Index{0}, top + i, left), out_columns * factor, &middle(i, Index{0}));
    Array<float> small({out_rows, out_columns});
    Context context(make_serial_runner());
    BoxDownsampling(middle.shape(), factor).apply(middle, small, context);
    return small;
}

}  // namespace sonolux
