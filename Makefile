# `make test` is what has to pass; every step of it can be run alone, as `make clippy`.
# `cargo test` by itself needs nothing but Rust, and leaves out the tests that need real servers and tools.

# Where real servers and checkers are built, once: outside the checkout, so that a fresh clone finds them.
export SLOBURN_TOOLS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sloburn-tools

CARGO_DENY = $(SLOBURN_TOOLS)/cargo-deny-$(shell cat tests/tools/cargo-deny/version)/bin/cargo-deny

# The platform that rustc builds for: the static binary has a folder of its own in `target`.
PLATFORM = $(shell rustc -vV | sed -n 's/^host: //p')

.PHONY: test tools format clippy docs deny static tests mutants

test:
	@MAKE="$(MAKE)" tests/tools/steps.sh tools format clippy docs deny static tests

tools:
	tests/tools/install.sh

format:
	cargo fmt --check

clippy:
	cargo clippy --locked --all-targets -- -D warnings

# Twice, since each finds what the other cannot: links from public to private items, and broken links on private ones.
docs:
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --document-private-items
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps

# Advisories are left out: their database cannot be cloned where this runs.
deny:
	$(CARGO_DENY) --locked check bans licenses sources

# The binary of the image, which needs no library of the system. Tests run one that is optimized less; the Dockerfile builds
# the one that is shipped, by the same step with PROFILE=image.
PROFILE ?= quick

static:
	RUSTFLAGS='-C target-feature=+crt-static' cargo build --locked --profile $(PROFILE) --bin sloburn --target $(PLATFORM)

# Tests against real servers wait for them most of the time, so there are more threads than cores.
tests:
	SLOBURN_REAL_SERVERS=required cargo test --locked -- --test-threads=3

# Not a part of `make test`: it builds once for each mutant, which takes about three quarters of an hour on two cores.
mutants:
	tests/mutants/run.sh
