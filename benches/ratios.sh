#!/usr/bin/env bash
# A few rounds of benches/measure.py against floors that only a real loss of speed falls below. Needs root, python3 and the lab.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# floor FIELD AT_LEAST LINE: the number of a JSON field against its floor
floor() {
  local value; value=$(sed -n "s/.*\"$1\": \([0-9.]*\).*/\1/p" <<<"$3")
  awk -v value="$value" -v least="$2" 'BEGIN { exit !(value != "" && value >= least) }' ||
    { echo "ratios: $1 is ${value:-missing}, at least $2 is expected: $3"; return 1; }
}

run=$(benches/measure.py --rounds 7 run); echo "$run"
floor docker_ratio 5 "$run"
pull=$(benches/measure.py --rounds 2 pull); echo "$pull"
floor docker_ratio 1.2 "$pull"
