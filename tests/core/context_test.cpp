// tests/core/context_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <vector>

#include <sonolux/core/error.hpp>
#include <sonolux/core/parallel_rows.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// A host's own threads, not OpenMP's.
class HostRunner final : public ThreadRunner {
public:
    explicit HostRunner(int threads) : threads_(threads) {}

    int threads() const noexcept override { return threads_; }

    void run(Index items, Task task, void* data) noexcept override {
        ++runs;
        std::atomic<Index> next = 0;
        std::vector<std::thread> threads;
        for (int t = 0; t < threads_; ++t)
            threads.emplace_back([&, t] {
                for (Index item; (item = next++) < items;) task(data, item, t);
            });
        for (std::thread& thread : threads) thread.join();
    }

    int runs = 0;

private:
    int threads_;
};

std::vector<std::shared_ptr<ThreadRunner>> runners() {
    return {make_serial_runner(), make_openmp_runner(1), make_openmp_runner(2), make_openmp_runner(5),
            std::make_shared<HostRunner>(3)};
}

TEST(ParallelFor, VisitsEveryItemOnceOnThreadsThatExist) {
    for (const auto& runner : runners()) {
        Context context(runner);
        for (Index items : {0, 1, 2, 1000}) {
            std::vector<std::atomic<int>> visits(static_cast<std::size_t>(items));
            std::atomic<bool> strange_thread = false;
            parallel_for(context, items, [&](Index item, int thread) {
                ++visits[static_cast<std::size_t>(item)];
                if (thread < 0 || thread >= context.threads()) strange_thread = true;
            });
            for (const auto& count : visits) EXPECT_EQ(count, 1);
            EXPECT_FALSE(strange_thread);
        }
    }
}

TEST(ParallelFor, NeverRunsTwoItemsOfOneThreadAtTheSameTime) {  // what scratch per thread relies on
    for (const auto& runner : runners()) {
        Context context(runner);
        std::vector<std::atomic<int>> inside(static_cast<std::size_t>(context.threads()));
        std::atomic<bool> together = false;
        parallel_for(context, 200, [&](Index, int thread) {
            if (++inside[static_cast<std::size_t>(thread)] > 1) together = true;
            std::this_thread::yield();
            --inside[static_cast<std::size_t>(thread)];
        });
        EXPECT_FALSE(together);
    }
}

TEST(ParallelFor, RunsOnTheThreadsOfTheHost) {
    const auto host = std::make_shared<HostRunner>(2);
    Context context(host);
    parallel_for(context, 10, [](Index, int) {});
    EXPECT_EQ(host->runs, 1);
    EXPECT_EQ(context.threads(), 2);
}

TEST(ParallelRows, CoversEveryRowOnce) {
    Context context(make_openmp_runner(2));
    for (Index rows : {1, 3, 1000})
        for (Index cost : {1, 100, 1'000'000}) {
            std::vector<std::atomic<int>> visits(static_cast<std::size_t>(rows));
            parallel_rows(context, rows, cost, [&](Index begin, Index end, int) {
                for (Index i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
            });
            for (const auto& count : visits) EXPECT_EQ(count, 1) << rows << ", " << cost;
        }
}

TEST(ThreadRunner, RefusesANegativeNumberOfThreads) {
    EXPECT_THAT([] { (void)make_openmp_runner(-1); },
                ThrowsMessage<Error>(HasSubstr("threads must be at least 0, got -1")));
}

TEST(Context, CanBeCancelledFromAnotherThreadWhileItRuns) {
    Context context(make_serial_runner());
    EXPECT_EQ(context.poll(), Status::ok);
    std::thread other([&] { context.cancel(); });
    while (context.poll() == Status::ok) std::this_thread::yield();
    other.join();
    EXPECT_EQ(context.poll(), Status::cancelled);
    context.clear_cancel();
    EXPECT_EQ(context.poll(), Status::ok);
}

TEST(Context, StopsAtItsDeadlineAndNotBefore) {
    using namespace std::chrono_literals;
    Context context(make_serial_runner());
    context.set_deadline(Context::Clock::now() + 1h);
    EXPECT_EQ(context.poll(), Status::ok);
    context.set_deadline(Context::Clock::now() - 1ns);
    EXPECT_EQ(context.poll(), Status::deadline_exceeded);
    context.cancel();  // the caller's wish comes first
    EXPECT_EQ(context.poll(), Status::cancelled);
    context.clear_cancel();
    context.set_deadline(Context::Clock::time_point::max());
    EXPECT_EQ(context.poll(), Status::ok);
}

TEST(Context, TellsProgressAndIsCancelledByItsListener) {
    Context context(make_serial_runner());
    context.report({"training", 1, 10, 5.0});  // nobody listens
    std::vector<Index> heard;
    context.set_progress([&](const Progress& progress) {
        heard.push_back(progress.done);
        return progress.done < 3;
    });
    for (Index done = 1; done <= 3; ++done) {
        EXPECT_EQ(context.poll(), Status::ok);
        context.report({"training", done, 10, -1});
    }
    EXPECT_EQ(heard, (std::vector<Index>{1, 2, 3}));
    EXPECT_EQ(context.poll(), Status::cancelled);
}

TEST(Context, TakesAListenerThatThrowsForACancel) {
    Context context(make_serial_runner());
    context.set_progress([](const Progress&) -> bool { throw std::runtime_error("host"); });
    context.report({"training", 1, 10, 5.0});
    EXPECT_EQ(context.poll(), Status::cancelled);
}

TEST(Context, SaysWhatWasChosen) {
    Context context(make_serial_runner());
    context.set_isa(Isa::baseline);
    EXPECT_EQ(context.description(), "cpu, baseline, 1 thread");
    EXPECT_THAT(Context(std::make_shared<HostRunner>(2)).description(), HasSubstr(", 2 threads"));
}

TEST(Context, RefusesAnInstructionSetOfAnotherProcessor) {
#if defined(__x86_64__)
    const Isa foreign = Isa::neon;
#else
    const Isa foreign = Isa::avx2;
#endif
    EXPECT_THAT([&] { Context().set_isa(foreign); },
                ThrowsMessage<Error>(HasSubstr("cannot run the instruction set")));
}

/// Sets SONOLUX_ISA for as long as it lives.
class IsaVariable {
public:
    explicit IsaVariable(const char* value) {
        if (const char* old = std::getenv("SONOLUX_ISA")) old_ = old;
        setenv("SONOLUX_ISA", value, 1);
    }
    ~IsaVariable() {
        if (old_.empty())
            unsetenv("SONOLUX_ISA");
        else
            setenv("SONOLUX_ISA", old_.c_str(), 1);
    }

private:
    std::string old_;
};

TEST(Isa, DefaultIsTheLastThatTheProcessorRuns) {
    const IsaVariable unset("");
    EXPECT_EQ(available_isas().front(), Isa::baseline);
    EXPECT_EQ(default_isa(), available_isas().back());
}

TEST(Isa, FollowsTheEnvironment) {
    for (Isa isa : available_isas()) {
        const IsaVariable variable(to_string(isa));
        EXPECT_EQ(default_isa(), isa);
        EXPECT_EQ(Context(make_serial_runner()).isa(), isa);
    }
}

TEST(Isa, RefusesAnEnvironmentThatItCannotFollow) {
    {
        const IsaVariable variable("avx1024");
        EXPECT_THAT(
            [] { (void)default_isa(); },
            ThrowsMessage<Error>(HasSubstr("must be baseline, avx2, avx512 or neon, got \"avx1024\"")));
    }
#if defined(__x86_64__)
    const IsaVariable variable("neon");
    EXPECT_THAT([] { (void)default_isa(); },
                ThrowsMessage<Error>(HasSubstr("this processor cannot run \"neon\"")));
#endif
}

}  // namespace
}  // namespace sonolux
