// sonolux/sdk/pipelines/simulate.cpp
#include <sonolux/sdk/pipelines/simulate.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <exception>
#include <filesystem>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/recipe_difference.hpp>
#include <sonolux/sdk/pipelines/simulation_recipe.hpp>

namespace sonolux {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begun) {
    return std::chrono::duration<double>(Clock::now() - begun).count();
}

/// Keeps other processes away from a shard for as long as it lives. Its file is gone afterwards.
class ShardLock {
public:
    explicit ShardLock(const fs::path& shard) : path_(shard.string() + ".lock") {
        descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        require(descriptor_ >= 0, Status::file_error, path_, ": cannot be written: ", std::strerror(errno));
        if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
        const int reason = errno;
        ::close(descriptor_);
        fail(Status::file_error, shard.string(), ": cannot be locked: ",
             reason == EWOULDBLOCK ? "another process is making it" : std::strerror(reason));
    }
    ~ShardLock() {
        ::unlink(path_.c_str());
        ::close(descriptor_);
    }
    ShardLock(const ShardLock&) = delete;
    ShardLock& operator=(const ShardLock&) = delete;

private:
    std::string path_;
    int descriptor_;
};

class Simulation {
public:
    explicit Simulation(const SimulateRequest& request)
        : request_(request),
          recipe_(read_simulation_recipe(request.recipe)),
          manifest_(manifest_of(recipe_)),
          folder_(!request.output.empty() ? fs::path(request.output) : fs::path("out") / recipe_.name),
          context_(make_openmp_runner(request.threads)) {
        require(request.processes >= 1 && request.processes <= 1000000 && request.process >= 1 &&
                    request.process <= request.processes,
                Status::invalid_argument, "a shard i/n must have 1 <= i <= n <= 1000000, got ",
                request.process, "/", request.processes);
        for (int thread = 0; thread < context_.threads(); ++thread) {
            serial_.push_back(std::make_unique<Context>(make_serial_runner()));
            // Samples may take minutes. The first thread asks whether to go on, the others follow.
            serial_.back()->set_progress([this, thread](const Progress&) {
                if (thread == 0 && !report()) stopped_ = true;
                return !stopped_;
            });
        }
    }

    SimulateSummary run() {
        summary_.folder = folder_.string();
        std::error_code error;
        fs::create_directories(folder_, error);
        require(!error, Status::file_error, folder_.string(), ": cannot be made a folder: ", error.message());
        settle_manifest();
        for (Index shard = request_.process - 1; shard < manifest_.shards(); shard += request_.processes) {
            ++summary_.shards;
            summary_.samples += manifest_.samples_in(shard);
            if (!fs::exists(path_of(shard))) to_make_ += manifest_.samples_in(shard);
        }
        say(fmt::format("{}: {} samples of the domain {}, {} of them in this process, {} still to make, {}",
                        manifest_.name, manifest_.samples, manifest_.domain, summary_.samples, to_make_,
                        context_.description()));
        bool go_on = true;
        for (Index shard = request_.process - 1; shard < manifest_.shards() && go_on;
             shard += request_.processes)
            if (!fs::exists(path_of(shard))) go_on = make(shard);
        summary_.finished = true;
        for (Index shard = request_.process - 1; shard < manifest_.shards(); shard += request_.processes)
            summary_.finished = summary_.finished && fs::exists(path_of(shard));
        summary_.seconds = seconds_since(begun_);
        return summary_;
    }

private:
    [[nodiscard]] fs::path path_of(Index shard) const { return folder_ / manifest_.file_of(shard); }
    [[nodiscard]] std::string checkpoint_of(Index shard) const {
        return path_of(shard).string() + ".unfinished";
    }

    void say(const std::string& text) const {
        if (request_.log) request_.log(text);
    }

    /// Writes the manifest, or finds that the one that is there says the same.
    void settle_manifest() {
        const std::string path = (folder_ / manifest_name).string();
        if (!fs::exists(path)) {
            write_file_atomically(path, to_text(manifest_));
            return;
        }
        const SetManifest there = read_manifest(path);
        const std::string what = recipe_difference(there.recipe, manifest_.recipe);
        require(what.empty(), Status::invalid_argument, path, ": belongs to another recipe than ",
                request_.recipe, ": ", what, "; --output names another folder");
        SetManifest same = there;
        same.version = manifest_.version;
        same.git_hash = manifest_.git_hash;
        require(same == manifest_, Status::invalid_argument, path, ": does not fit the recipe ",
                request_.recipe, " that it holds: it was changed, or made by another version of Sonolux (",
                there.version, ", ", there.git_hash, ")");
        if (there.git_hash != manifest_.git_hash)
            say(fmt::format("{} was begun by another version of Sonolux: {}", folder_.string(),
                            there.git_hash));
    }

    /// Samples of an unfinished shard, or none.
    [[nodiscard]] Index resume(Index shard, SampleBlock& block) const {
        if (!fs::exists(checkpoint_of(shard))) return 0;
        const SampleBlock before = read_samples(Hdf5File::open(checkpoint_of(shard)), manifest_);
        require(before.count() > 0 && before.first() == block.first() && before.count() <= block.count(),
                Status::corrupt_data, checkpoint_of(shard), ": has ", before.count(), " samples from ",
                before.first());
        for (Index n = 0; n < before.count(); ++n) {
            std::copy_n(before.sample(n).data(), before.sample(n).size(), block.sample(n).data());
            block.families[static_cast<std::size_t>(n)] = before.families[static_cast<std::size_t>(n)];
        }
        return before.count();
    }

    void write(const std::string& path, const SampleBlock& block, Index count, bool finished) const {
        Hdf5File file = Hdf5File::create_in_memory(path);
        write_samples(file, manifest_, block, count, finished);
        if (finished) recipe_.simulator->describe(file, count);
        file.commit();
    }

    /// Samples [from, to) of a block, each on one thread. The first error in order is thrown. Returns how
    /// many there are in a row: fewer only where it was told to stop.
    Index make_samples(SampleBlock& block, Index from, Index to) {
        std::vector<std::exception_ptr> errors(static_cast<std::size_t>(to - from));
        parallel_for(context_, to - from, [&](Index item, int thread) {
            const Index n = from + item;
            const auto index = static_cast<std::uint64_t>(block.first() + n);
            try {
                block.families[static_cast<std::size_t>(n)] =
                    static_cast<std::uint8_t>(recipe_.simulator->simulate(
                        index, block.sample(n), *serial_[static_cast<std::size_t>(thread)]));
                for (const float value : block.sample(n))
                    require(std::isfinite(value) || recipe_.simulator->has_gaps(), Status::internal_error,
                            "the result is not finite");
            } catch (const Error& error) {
                errors[static_cast<std::size_t>(item)] = std::make_exception_ptr(Error(
                    error.status(), fmt::format("{}: sample {}: {}", request_.recipe, index, error.what())));
            } catch (...) {
                errors[static_cast<std::size_t>(item)] = std::current_exception();
            }
        });
        for (std::size_t n = 0; n < errors.size(); ++n) {
            if (!errors[n]) continue;
            if (stopped_) return static_cast<Index>(n);
            std::rethrow_exception(errors[n]);
        }
        return to - from;
    }

    /// False where it was told to stop.
    bool make(Index shard) {
        const ShardLock lock(path_of(shard));
        if (fs::exists(path_of(shard))) return true;  // another process finished it meanwhile
        remove_partial_files(shard);
        const Index count = manifest_.samples_in(shard);
        SampleBlock block(manifest_, manifest_.first_sample(shard), count);
        Index done = resume(shard, block);
        to_make_ -= done;
        if (done > 0)
            say(fmt::format("{}: going on at sample {}", path_of(shard).string(), block.first() + done));

        // A batch takes about a second: long enough for its threads to share it, short enough to be stopped.
        Index batch = context_.threads();
        Clock::time_point saved = Clock::now();
        double saving = 0;  // s that the last checkpoint took
        bool go_on = true;
        while (done < count) {
            const Clock::time_point begun = Clock::now();
            const Index end = std::min(count, done + batch);
            const Index more = make_samples(block, done, end);
            made_ += more;
            done += more;
            const double took = seconds_since(begun);
            if (took < 0.5) batch = std::min<Index>(2 * batch, 4096);
            if (took > 2) batch = std::max<Index>(batch / 2, context_.threads());
            go_on = report() && !stopped_;
            if (done == count) break;
            if (done == 0) return false;
            if (!go_on || seconds_since(saved) > std::max(request_.save_every, 10 * saving)) {
                const Clock::time_point now = Clock::now();
                write(checkpoint_of(shard), block, done, false);
                saved = Clock::now();
                saving = seconds_since(now);
            }
            if (!go_on) return false;
        }
        write(path_of(shard).string(), block, count, true);
        fs::remove(checkpoint_of(shard));
        ++summary_.shards_made;
        return go_on;
    }

    bool report() {
        summary_.samples_made = made_;
        if (!request_.progress) return true;
        const double elapsed = seconds_since(begun_);
        return request_.progress(
            {"simulating", made_, to_make_,
             made_ == 0 ? -1.0
                        : elapsed * static_cast<double>(to_make_ - made_) / static_cast<double>(made_)});
    }

    /// What a process that was killed while writing left behind.
    void remove_partial_files(Index shard) const {
        const std::string begin = manifest_.file_of(shard);
        std::vector<fs::path> partial;
        for (const auto& entry : fs::directory_iterator(folder_)) {
            const std::string name = entry.path().filename().string();
            if (name.starts_with(begin) && name.find(".partial-") != std::string::npos)
                partial.push_back(entry.path());
        }
        for (const fs::path& path : partial) fs::remove(path);
    }

    const SimulateRequest& request_;
    SimulationRecipe recipe_;
    SetManifest manifest_;
    fs::path folder_;
    Context context_;
    std::vector<std::unique_ptr<Context>> serial_;
    SimulateSummary summary_;
    Index to_make_ = 0, made_ = 0;
    std::atomic<bool> stopped_ = false;
    Clock::time_point begun_ = Clock::now();
};

}  // namespace

SimulateSummary simulate(const SimulateRequest& request) { return Simulation(request).run(); }

}  // namespace sonolux
