#!/usr/bin/env bash
# Runs many seeds of the simulation on all processors, optimised, with every assertion of a debug build:
#   tests/simulation/run.sh [SEEDS [FIRST]]
# The crates below Wharf are those of the other tests; Wharf alone is built once more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
WHARF_SIM_SEEDS=${1:-100000} WHARF_SIM_FIRST=${2:-1000} WHARF_SIM_THREADS=${WHARF_SIM_THREADS:-$(getconf _NPROCESSORS_ONLN)} \
  cargo test --locked --config 'profile.dev.package.wharf.opt-level=2' --test simulation -- simulation::no_seed --nocapture
