#!/usr/bin/env bash
# Runs the named steps of the Makefile in turn, stops at the first that fails, and says how long each took.
set -euo pipefail

taken=()

table() {
  printf '\n%-10s %7s\n' step seconds
  printf '%s\n' "${taken[@]}"
  printf '%-10s %7d\n' total "$SECONDS"
}

for step in "$@"; do
  printf '\n== %s\n' "$step"
  started=$SECONDS
  status=0
  "${MAKE:-make}" --no-print-directory "$step" || status=$?
  taken+=("$(printf '%-10s %7d' "$step" $((SECONDS - started)))")
  if ((status != 0)); then
    table
    printf 'make test: the step `%s` failed; what it said stands above. `make %s` runs it alone.\n' "$step" "$step" >&2
    exit "$status"
  fi
done
table
