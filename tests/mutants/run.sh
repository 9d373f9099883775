#!/usr/bin/env bash
# Breaks the counting on purpose, one way after another, and sees a named test fail each time.
#
#   tests/mutants/run.sh              all mutants, in about three quarters of an hour on two cores
#   tests/mutants/run.sh no-reset …   only the named ones
#
# A mutant is a patch of `src/` whose first lines say what is broken, which test must notice and, where the test is about
# many things at once, which of them its failure must name. The patches are applied to a copy of the tree, which is built
# under target/mutants (or in CARGO_TARGET_DIR). A mutant that survives, that does not compile, or whose patch no longer
# fits, makes the run fail.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
tree=$root/target/mutants/tree
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target/mutants/build}

fail() {
  printf 'tests/mutants/run.sh: %s\n' "$*" >&2
  exit 1
}

header() { # header FILE NAME: the value of a line `NAME: value` of a patch
  sed -n "s/^$2: //p" "$1" | head -n 1
}

copy() { # a fresh copy of all that git knows, as it stands
  rm -rf "$tree"
  mkdir -p "$tree"
  (cd "$root" && git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- --ignore-failed-read) |
    tar --extract --directory="$tree"
  # Times come with the files, so that what did not change is not built anew. What was broken in an earlier run is.
  sed -n 's/^+++ //p' "$here"/*.patch | sort -u | (cd "$tree" && xargs touch)
}

apply() { # apply PATCH [--reverse]
  (cd "$tree" && patch --quiet --strip=0 --fuzz=3 --no-backup-if-mismatch "${@:2}") <"$1"
}

test_it() { # test_it NAME LOG: runs one test in the copy
  (cd "$tree" && cargo test --locked --test it -- --exact "$1") >"$2" 2>&1
}

[[ $# -gt 0 ]] || set -- $(cd "$here" && ls -- *.patch | sed 's/\.patch$//')
for mutant in "$@"; do
  [[ -f $here/$mutant.patch ]] || fail "there is no mutant \`$mutant\`; there are $(cd "$here" && ls -- *.patch | sed 's/\.patch$//' | paste -sd' ')."
done
command -v patch >/dev/null || fail "\`patch\` is not installed, and mutants are made with it; install it and run this again."

copy
log=$root/target/mutants/log
mkdir -p "$log"
for test in $(for mutant in "$@"; do header "$here/$mutant.patch" Test; done | sort -u); do
  test_it "$test" "$log/unbroken" || fail "$test fails without any mutant: see $log/unbroken"
done

survivors=0
printf '%-18s %-72s %s\n' mutant 'test that failed' 'what is broken'
for mutant in "$@"; do
  patch=$here/$mutant.patch
  test=$(header "$patch" Test)
  apply "$patch" ||
    fail "\`$mutant\` does not fit any more: mend tests/mutants/$mutant.patch"
  if test_it "$test" "$log/$mutant"; then
    verdict='NONE: it survived'
    survivors=$((survivors + 1))
  elif grep -q "^test $test ... FAILED" "$log/$mutant"; then
    verdict=$test
    says=$(header "$patch" Says)
    grep -qF -- "$says" "$log/$mutant" || fail "\`$mutant\` makes the test fail without a word of '$says': see $log/$mutant"
  else
    fail "\`$mutant\` does not compile: see $log/$mutant"
  fi
  printf '%-18s %-72s %s\n' "$mutant" "$verdict" "$(header "$patch" What)"
  apply "$patch" --reverse
done
[[ $survivors -eq 0 ]] || fail "$survivors mutants survived."
