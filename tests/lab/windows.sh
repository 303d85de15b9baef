#!/usr/bin/env bash
# Builds for x86_64-pc-windows-gnu and runs under Wine what must hold on Windows: the ten-point lock suite (tests/locks)
# and the unit tests of the portable engine (domain, core, sync, store, records, locks, images, registry).
#   windows.sh test    installs what is missing (as root), builds, runs
# What cannot be had here is said in one line and is no failure, unless WHARF_TEST_STRICT=1: a skipped run is not a pass.
# Wine is a stand-in, not Windows: seen to behave alike are LockFileEx (exclusive between processes, released when the
# holder is killed) and renaming onto an open file (access denied).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
target=x86_64-pc-windows-gnu
lab=${WHARF_WINDOWS_LAB:-${TMPDIR:-/tmp}/wharf-windows}
[ "${1:-}" = test ] || { sed -n 2,8p "$0"; exit 2; }
mkdir -p "$lab"

cannot() { echo "windows: NOT checked: $1"; if [ "${WHARF_TEST_STRICT:-}" = 1 ]; then exit 1; else exit 0; fi; }

missing=()
command -v x86_64-w64-mingw32-gcc >/dev/null || missing+=(gcc-mingw-w64-x86-64)
command -v wine >/dev/null || missing+=(wine wine64)
if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" -eq 0 ] || cannot "only root can install ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || cannot "${missing[*]} cannot be installed"
fi
sysroot=$(rustc --print sysroot)
if [ ! -d "$sysroot/lib/rustlib/$target" ]; then
  command -v rustup >/dev/null || cannot "there is no rustup to bring the target $target"
  timeout 300 rustup target add "$target" 2>/dev/null || cannot "rustup cannot bring the target $target"
fi

# Wine 8 lacks this library, of which the standard library wants one function.
cat >"$lab/prng.c" <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count) { return SystemFunction036(bytes, (ULONG)count); }
C
x86_64-w64-mingw32-gcc -shared -o "$lab/bcryptprimitives.dll" "$lab/prng.c" -ladvapi32
printf '#!/bin/sh\nexport WINEDEBUG=-all WINEPREFIX="%s/prefix" WINEPATH="%s"\nexec wine "$@"\n' "$lab" "Z:${lab//\//\\\\}" >"$lab/run"
chmod +x "$lab/run"

# A folder of its own: cargo locks a build folder, and the target's own artefacts are no use to anybody else.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/windows CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=$lab/run
unset WHARF_TEST_STRICT
cargo test --locked --target "$target" --test all -- locks::
cargo test --locked --target "$target" --lib -- engine::domain engine::core engine::sync engine::backend::embedded
