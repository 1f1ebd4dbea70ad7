# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#
# zcbuf: kernel module, library, tools, examples and their tests.
# Everything that is built lands in build/; the source tree stays clean.

VERSION := 0.1.0

TOP := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
BUILD ?= $(TOP)/build
# An empty one would mean the root directory.
ifeq ($(strip $(BUILD)),)
override BUILD := $(TOP)/build
endif
PREFIX ?= /usr/local
CFLAGS ?= -O2 -g
WERROR ?=
ifeq ($(origin CC),default)
CC := gcc
endif
export TOP BUILD PREFIX CC CFLAGS WERROR VERSION DESTDIR

# What is given on the command line reaches the makefiles below through the
# environment; as an override it would also replace the compiler of the kernel.
MAKEOVERRIDES :=
MAKEFLAGS += --no-print-directory

# The kernel to build for: the running one if its headers are here, otherwise
# the one to test on. KERNEL chooses the latter, by its version's beginning.
KERNEL ?= 6.12
VM_KVER = $(shell $(TOP)/scripts/kernel version $(KERNEL))
VM_KDIR = $(shell $(TOP)/scripts/kernel headers $(VM_KVER))
HOST_KDIR := $(wildcard /lib/modules/$(shell uname -r)/build)
KDIR ?= $(or $(HOST_KDIR),$(VM_KDIR))
KVER = $(shell cat $(KDIR)/include/config/kernel.release)
KMOD = $(BUILD)/kmod/$(KVER)
KBUILD = $(MAKE) $(if $(V),,-s) -C $(KDIR) M=$(KMOD) \
	 $(if $(W),W=$(W)) $(if $(C),C=$(C)) $(if $(V),V=$(V))
INSTALL_MOD_PATH ?= $(DESTDIR)
export INSTALL_MOD_PATH

USER_DIRS := lib tools/zcctl examples

.PHONY: all
all: modules lib tools examples ## Build everything (the default)

.PHONY: help
help: ## Show this list
	@echo "Targets:"
	@sed -n 's/^\([a-z_-]*\):.*## \(.*\)/\1|\2/p' $(TOP)/Makefile | \
		while IFS='|' read -r name text; do \
			printf '  %-16s %s\n' "$$name" "$$text"; \
		done
	@echo "Variables:"
	@echo "  KDIR=DIR         headers of the kernel to build the module for"
	@echo "  KERNEL=VER       kernel to test on (beginning of its version)"
	@echo "  DESTDIR, PREFIX, INSTALL_MOD_PATH     where to install"
	@echo "  INPUT=PATH, HOST=1                    for demo"
	@echo "  SUITES=GLOB, SECONDS=N                for kunit, for fuzz"
	@echo "  CC, CFLAGS, W=1, C=1, V=1             as everywhere"

.PHONY: deps
deps: ## Install what building and testing needs (Debian, by apt)
	@$(TOP)/scripts/deps

## --- building ---

# One at a time: Kbuild writes some files anew even when nothing has changed.
.PHONY: modules
modules: ## Build zcbuf.ko in build/kmod/VERSION
	@test -n "$(KDIR)" || { \
		echo "no kernel headers found: run make deps, or set KDIR" >&2; \
		exit 1; }
	@$(TOP)/scripts/link-tree $(TOP) $(KMOD) Kbuild kmod uapi
	+@flock $(KMOD).lock $(KBUILD) modules

.PHONY: lib
lib: ## Build libzcbuf-user
	@$(MAKE) -C $(TOP)/lib all

.PHONY: tools
tools: lib ## Build zcctl
	@$(MAKE) -C $(TOP)/tools/zcctl all

.PHONY: examples
examples: lib ## Build the examples
	@$(MAKE) -C $(TOP)/examples all

.PHONY: vm-kit
vm-kit: vm-module vm-importer lib tools examples ## Build all that tests/vm/run wants

.PHONY: vm-module
vm-module: ## Build zcbuf.ko for the kernel to test on
	@test -n "$(VM_KDIR)" || { \
		echo "no kernel $(KERNEL) to test on: run make deps" >&2; exit 1; }
	@$(MAKE) modules KDIR=$(VM_KDIR)

# Beside the selftest that inserts it.
IMPORTER = $(BUILD)/importer/$(VM_KVER)
.PHONY: vm-importer
vm-importer: ## Build the selftests' user of dma-bufs for the kernel to test on
	@$(TOP)/scripts/link-tree $(TOP)/tests/importer $(IMPORTER) .
	+@flock $(IMPORTER).lock $(MAKE) $(if $(V),,-s) -C $(VM_KDIR) \
		M=$(IMPORTER) modules
	@install -D -m 644 $(IMPORTER)/zcbuf_importer.ko \
		$(BUILD)/selftest/importer-$$(cat \
		$(VM_KDIR)/include/config/kernel.release).ko

.PHONY: selftest-programs
selftest-programs: lib ## Build the selftests
	@$(MAKE) -C $(TOP)/tests/selftest all

.PHONY: clean
clean: ## Remove everything that was built
	rm -rf $(BUILD)

## --- installing ---

.PHONY: install
install: install-user modules_install ## Install everything

.PHONY: install-user
install-user: lib tools examples ## Install all but the module
	install -d $(DESTDIR)$(PREFIX)/include/linux
	install -m 644 $(TOP)/uapi/linux/zcbuf.h $(DESTDIR)$(PREFIX)/include/linux
	@for dir in $(USER_DIRS); do $(MAKE) -C $(TOP)/$$dir install || exit 1; done
	$(if $(DESTDIR),,ldconfig)

.PHONY: modules_install
modules_install: modules ## Install the module for KDIR's kernel
	@$(KBUILD) CONFIG_MODULE_SIG_ALL= modules_install
	@if [ -e "$(INSTALL_MOD_PATH)/lib/modules/$(KVER)/modules.order" ]; then \
		depmod -b "$(INSTALL_MOD_PATH)/" $(KVER); \
	fi

# What install-user would install is found by letting it do so elsewhere.
.PHONY: uninstall
uninstall: ## Remove what install has installed
	@rm -rf $(BUILD)/uninstall
	@$(MAKE) install-user DESTDIR=$(BUILD)/uninstall >/dev/null
	@cd $(BUILD)/uninstall && find . ! -type d | while read -r file; do \
		rm -fv "$(DESTDIR)/$${file#./}"; done
	@rm -rf $(BUILD)/uninstall
	@rm -fv $(INSTALL_MOD_PATH)/lib/modules/$(KVER)/updates/zcbuf.ko*
	@if [ -e "$(INSTALL_MOD_PATH)/lib/modules/$(KVER)/modules.order" ]; then \
		depmod -b "$(INSTALL_MOD_PATH)/" $(KVER); \
	fi

## --- testing ---

.PHONY: demo
demo: deps ## Run the main job on real files (INPUT=PATH, HOST=1: on this kernel)
	@mkdir -p $(BUILD)
	@flock $(BUILD)/lock $(MAKE) $(if $(HOST),all,vm-kit)
	@$(TOP)/scripts/demo $(if $(HOST),--host) $(INPUT)

.PHONY: check
check: deps ## Build and test everything; ends with "N passed, N failed"
	@$(TOP)/scripts/check

.PHONY: host-test
host-test: ## Run the tests that need no kernel module
	@$(TOP)/scripts/check host

.PHONY: kunit
kunit: ## Run the KUnit suites in user mode Linux, with KASAN and lockdep
	@$(TOP)/scripts/kunit $(SUITES)

.PHONY: selftest check-stock
selftest: check-stock
check-stock: ## Run the selftests on a distribution's kernel
	@$(TOP)/scripts/check selftest

.PHONY: check-debug
check-debug: ## ... under KASAN, for lockdep, for kmemleak, and with fail-nth
	@$(TOP)/scripts/check um debug lockdep kmemleak failnth

.PHONY: check-kcsan
check-kcsan: ## Run the stress tests under KCSAN
	@$(TOP)/scripts/check kcsan

.PHONY: check-outside
check-outside: ## Run stress-ng on the node, and the selftests among signals
	@$(TOP)/scripts/check outside

.PHONY: check-planted
check-planted: ## Show that each kernel notices the bugs it is there for
	@$(TOP)/scripts/check planted

.PHONY: soak
soak: ## Run random operations on pools, and topics, for minutes
	@$(TOP)/scripts/check soak

# A variable of that name in the environment would set bash's clock.
unexport SECONDS
.PHONY: fuzz
fuzz: ## Fuzz core and module, for SECONDS each (60)
	@FUZZ_SECONDS=$(or $(SECONDS),60) $(TOP)/scripts/check fuzz

.PHONY: bench bench-quick
bench: deps ## Measure operations beside their peers; bench/out/table.txt, plots
	@$(TOP)/scripts/deps bench
	@$(TOP)/bench/run

bench-quick: deps ## The same in three minutes: instructions only
	@$(TOP)/scripts/deps bench
	@$(TOP)/bench/run --quick

# Room for four times 256 MiB, of which pools may be a quarter.
.PHONY: bench-register
bench-register: vm-kit ## Time how an arena and malloc's memory are registered
	@$(MAKE) -C $(TOP)/bench all
	@$(TOP)/tests/vm/run --mem 4096 -- $(BUILD)/bench/register \
		>$(BUILD)/bench/register.tsv; status=$$?; \
		cat $(BUILD)/bench/register.tsv; exit $$status

.PHONY: coverage
coverage: ## Run all that measures coverage, and report it
	@$(TOP)/scripts/check kunit um debug kmemleak failnth coverage

.PHONY: kernels
kernels: ## Build the kernels made for finding bugs, unless they are cached
	@for name in um-debug x86-debug x86-kcsan; do \
		$(TOP)/scripts/kernel-build $$name >/dev/null || exit 1; done

.PHONY: format
format: ## Lay out user space's C as scripts/format wants it
	@$(TOP)/scripts/format --fix

.PHONY: abi-record
abi-record: lib ## Write down the library's interface anew, where it is meant to change
	@$(TOP)/lib/abi record $(BUILD)/lib/libzcbuf-user.so >$(BUILD)/lib/abi.new
	@mv $(BUILD)/lib/abi.new $(TOP)/lib/libzcbuf-user.abi

.PHONY: lint
lint: deps ## Run all static checks
	@$(TOP)/scripts/lint
