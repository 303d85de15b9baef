#!/usr/bin/env bash
# Runs many seeds of the simulations on all processors, optimised, with every assertion of a debug build:
#   tests/simulation/run.sh [SEEDS [FIRST [SEEDS_OF_IMAGES [SEEDS_OF_FRONTS]]]]
# SEEDS histories of containers, then those of images and their containers, then those of whole engines, each from FIRST on;
# a twentieth as many of images and a fifth as many of engines unless said otherwise, and 0 leaves one of them out. Wharf is
# built once more for it, with the crates that most time is spent in.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seeds=${1:-100000} first=${2:-1000}
images=${3:-$((seeds / 20))} fronts=${4:-$((seeds / 5))}
threads=${WHARF_SIM_THREADS:-$(getconf _NPROCESSORS_ONLN)}
fast=(--config 'profile.dev.package.wharf.opt-level=2')
for crate in serde_json corosensei http tokio; do fast+=(--config "profile.dev.package.$crate.opt-level=3"); done
for crate in serde_json sha2; do fast+=(--config "profile.dev.package.$crate.debug-assertions=false"); done
many() {
  WHARF_SIM_SEEDS=$2 WHARF_SIM_FIRST=$first WHARF_SIM_THREADS=$threads \
    cargo test --locked "${fast[@]}" --test simulation -- --exact "$1::no_seed_breaks_a_promise" --nocapture
}
if [ "$seeds" -gt 0 ]; then many simulation "$seeds"; fi
if [ "$images" -gt 0 ]; then many simulation::images "$images"; fi
if [ "$fronts" -gt 0 ]; then many simulation::front "$fronts"; fi
