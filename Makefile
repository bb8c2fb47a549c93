# SPDX-License-Identifier: Apache-2.0
#
# A thin front: Meson and Ninja build, the scripts do the work, and each target first sees to its packages.
# A newcomer needs two of these: make run, make test.

.PHONY: run test proof bench lint fuzz docs build clean help

help:
	@sed -n 's/^## //p' Makefile

## make run     the demo: a Django shop under load moves to its next release and back; AUTO=1 ends by itself
run: build
	@scripts/demo $(if $(AUTO),--auto)

## make test    every test, on one build with ASan, UBSan and coverage
test:
	@scripts/bootstrap run test
	@scripts/test

## make proof   the same with the full counts, and ThreadSanitizer; writes docs/proof.md
proof:
	@scripts/bootstrap run test bench
	@scripts/test --proof

## make bench   side by side with the peers
bench: build
	@scripts/bootstrap run test bench
	@bench/run
	@bench/shift
	@bench/user_refresh.py

## make lint    layout, clang-tidy, cppcheck, layers, gates, scripts
lint:
	@scripts/bootstrap run test lint
	@scripts/lint

## make fuzz    every fuzz target for a minute each
fuzz:
	@scripts/bootstrap run test
	@BANYAN_PROOF=1 scripts/test --only fuzz

## make docs    the reference pages, from the tables in the program
docs: build
	@build/release/banyan docs reference docs/reference

## make build   build/release/banyan
build:
	@scripts/bootstrap run
	@scripts/build release --quiet

## make clean   remove everything built
clean:
	rm -rf build
