#!/usr/bin/env bash
# What has to be seen on a machine with a CUDA device: tests that need one, the compute-sanitizer over them, and
# benchmarks. Made for a machine that builds nothing and has nothing of ours:
#
#     bench/cuda_checks.sh pack build/bench cuda.tar.xz    # where it was built: programs, the module, shared libraries
#     bench/cuda_checks.sh run cuda.tar.xz out/cuda        # where the device is, in the same checkout: about 8 minutes
#     bench/cuda_checks.sh run cuda.tar.xz out/cuda memcheck_network 'benchmark_.*'    # only those checks
#
# A check is one line at the end of this file: its name, its limit in seconds, its command. What it prints goes to
# NAME.log; a table of all follows; the exit status is 1 if one failed or ran out of time. Checks stand in order of
# worth: a machine that is taken away early has shown the most.
set -uo pipefail

usage() { sed -n '5,7p' "$0" | sed 's/^# *//' >&2; exit 2; }

# Programs and the module, with the libraries that only this machine has.
pack() {
    local build=$1 file=$2 to program
    to=$(mktemp -d) && mkdir "$to/lib" || exit 1
    for program in "$build"/tests/sonolux_tests "$build"/bench/sonolux_cuda_* "$build"/sonolux "$build"/libsonolux_cuda.so; do
        [ -f "$program" ] && cp "$program" "$to" && strip "$to/$(basename "$program")"
    done
    [ -f "$to/sonolux_tests" ] && [ -f "$to/libsonolux_cuda.so" ] ||
        { echo "cuda_checks: $build holds no tests/sonolux_tests or no libsonolux_cuda.so" >&2; exit 1; }
    find "$to" -maxdepth 1 -type f -exec ldd {} + 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | sort -u |
        grep -v -E '/(libc|libm|libdl|librt|libpthread|ld-linux[^/]*)\.so' | xargs -r cp -L -t "$to/lib"
    tar -C "$to" -cJf "$file" . && ls -sh "$file"
    rm -r "$to"
}

failed=0
check() {
    local name=$1 limit=$2 began=$SECONDS status; shift 2
    printf '%s\n' "$name" | grep -q -x -E "$chosen" || return 0
    timeout --kill-after=5 "$limit" "$@" >"$out/$name.log" 2>&1
    status=$?
    case $status in
        0) word=passed ;;
        124 | 137) word="out of time" failed=1 ;;
        *) word="failed ($status)" failed=1 ;;
    esac
    # A test that found no device proves nothing.
    if [ $status = 0 ] && grep -q 'needs a CUDA device' "$out/$name.log"; then word="skipped" failed=1; fi
    printf '%-32s %-12s %4d s\n' "$name" "$word" $((SECONDS - began)) | tee -a "$out/summary.txt"
    case $name in benchmark_*) cat "$out/$name.log" ;; esac
    [ "$word" = passed ] || tail -n 40 "$out/$name.log"
}

case ${1:-} in
    pack) [ $# = 3 ] || usage; pack "$2" "$3"; exit ;;
    run) [ $# -ge 3 ] || usage ;;
    *) usage ;;
esac
bin=$(mktemp -d) && tar -C "$bin" -xJf "$2" && mkdir -p "$3" && out=$(cd "$3" && pwd) || exit 1
trap 'rm -r "$bin"' EXIT
shift 3
chosen=$(IFS='|'; echo "${*:-.*}")
export LD_LIBRARY_PATH="$bin/lib:$bin:${LD_LIBRARY_PATH:-}"
SONOLUX_TEST_SOURCE=$(cd "$(dirname "$0")/.." && pwd) && export SONOLUX_TEST_SOURCE
: >"$out/summary.txt"
tests=$bin/sonolux_tests
memcheck="compute-sanitizer --tool memcheck --error-exitcode 9"
racecheck="compute-sanitizer --tool racecheck --error-exitcode 9"

# NAME                      SECONDS  COMMAND
check tests_gpu                 120  "$tests" --gtest_filter='*Gpu.*'
check benchmark_network          30  "$bin/sonolux_cuda_network" 7x7x48/narrow 512 512 1
check benchmark_network_5x5      30  "$bin/sonolux_cuda_network" 5x5x24/narrow 512 512 1
check benchmark_beamforming      40  "$bin/sonolux_cuda_beamforming" 32 1
check memcheck_network           60  $memcheck "$tests" --gtest_filter='VariationalNetworkCudaGpu.*:DeviceChoiceGpu.*'
check memcheck_training          60  $memcheck "$tests" --gtest_filter='VariationalTrainingCudaGpu.*'
check racecheck_training         60  $racecheck "$tests" --gtest_filter='VariationalTrainingCudaGpu.*'
check racecheck_network          60  $racecheck "$tests" --gtest_filter='VariationalNetworkCudaGpu.*:DeviceChoiceGpu.*'
check memcheck_operators         60  $memcheck "$tests" --gtest_filter='DelayAndSumCudaGpu.*:SpectralBlurCudaGpu.*'
check racecheck_operators        60  $racecheck "$tests" --gtest_filter='DelayAndSumCudaGpu.*:SpectralBlurCudaGpu.*'
exit $failed
