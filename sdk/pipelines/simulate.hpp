// sonolux/sdk/pipelines/simulate.hpp
//
// Makes the training set that a recipe asks for, shard by shard, and goes on where it was stopped.
#pragma once

#include <functional>
#include <string>

#include <sonolux/core/context.hpp>

namespace sonolux {

struct SimulateRequest {
    std::string recipe;  ///< path
    std::string output;  ///< folder; empty: out/NAME
    Index process = 1,
          processes = 1;     ///< this one makes the shards process - 1, process - 1 + processes, ...
    int threads = 0;         ///< 0: all processors. Does not change the result
    double save_every = 30;  ///< s between checkpoints of an unfinished shard; 0: after every few samples
    std::function<bool(const Progress&)> progress;  ///< returns false to stop
    std::function<void(const std::string&)> log;
};

struct SimulateSummary {
    std::string folder;
    Index shards = 0, shards_made = 0;    ///< of this process: all, and those that were not there before
    Index samples = 0, samples_made = 0;  ///< likewise
    double seconds = 0;
    bool finished = false;  ///< false where it was stopped: the same call goes on
};

/// The content of a shard is a function of the recipe and of the version of Sonolux: of neither threads,
/// processes, nor how often it was stopped. Shards that are there are left alone; an unfinished one is
/// `NAME-00012.h5.unfinished`.
///
/// Throws Error naming the file and why: a bad recipe, a process outside 1 .. processes, a folder that holds
/// a set of another recipe, a shard that another process is making, a disk that is full.
SimulateSummary simulate(const SimulateRequest& request);

}  // namespace sonolux
