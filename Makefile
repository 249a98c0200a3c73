# GNU make. `make help` lists what there is; README.md says it in prose.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

# ---- what may be set, on the command line or in the environment -------------------------------------
#
# CC       gcc (default) or clang              OPT, CFLAGS, LDFLAGS   optimisation, further flags
# BUILD    where everything is made            EXTRA    flags of compiler and linker (sanitizers)
# DESTDIR  PREFIX and the DIRs below: where `make install` puts things

CC ?= cc
BUILD ?= build
PREFIX ?= /usr
DESTDIR ?=
SYSCONFDIR ?= /etc
SBINDIR ?= $(PREFIX)/sbin
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/team
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR ?= $(PREFIX)/share/zsh/vendor-completions
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
PAMDIR ?= /lib/$(if $(MULTIARCH),$(MULTIARCH)/)security
UNITDIR ?= /lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
INSTALL ?= install

VERSION := 0.1.0

# ---- flags ----------------------------------------------------------------------------------------

WARN := -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wcast-align \
	-Wmissing-prototypes -Wstrict-prototypes -Wundef -Wwrite-strings -Wformat=2 -Wvla -Wswitch-enum \
	-Wimplicit-fallthrough -Wnull-dereference -Wpointer-arith -Wredundant-decls
HARDEN := -fstack-protector-strong -fstack-clash-protection
ifneq ($(filter x86_64%,$(shell $(CC) -dumpmachine 2>/dev/null)),)
HARDEN += -fcf-protection=full
endif
OPT ?= -O2 -D_FORTIFY_SOURCE=2
CFLAGS ?= -g
EXTRA ?=
ALL_CFLAGS := -std=gnu17 -Iinclude -iquote teamd -D_GNU_SOURCE -DTEAM_RELEASE='"$(VERSION)"' -MMD -MP \
	$(WARN) $(HARDEN) $(OPT) $(CFLAGS) $(EXTRA)
ALL_LDFLAGS := -Wl,-z,relro,-z,now,-z,defs,-z,noexecstack,--as-needed,--fatal-warnings $(LDFLAGS) $(EXTRA)

# What is made is named; V=1 shows the whole commands.
V ?=
SAY = @$(if $(V),set -x;,echo "    $(1) $@";)

# ---- what is made of what -------------------------------------------------------------------------

# Apart from the programs: a folder teamd and a program teamd cannot be in one place.
OBJ := $(BUILD)/obj

CORE_OBJS := $(patsubst %.c,$(OBJ)/%.o,$(wildcard teamd/core/*.c))
SHELL_OBJS := $(patsubst %.c,$(OBJ)/%.o,$(wildcard teamd/store/*.c teamd/ipc/*.c teamd/host/*.c teamd/conf/*.c))
TEAMD_OBJS := $(patsubst %.c,$(OBJ)/%.o,$(wildcard teamd/*.c))
COURIER_OBJS := $(patsubst %.c,$(OBJ)/%.o,$(wildcard teamd/courier/*.c))
TEAMCTL_OBJS := $(patsubst %.c,$(OBJ)/%.o,$(wildcard teamctl/*.c))
PAM_OBJS := $(patsubst %.c,$(OBJ)/%.pic.o,$(wildcard pam_team/*.c))

TEAMD_LIBS := -llmdb -lsodium -lconfig -lsystemd
TEAMCTL_LIBS := -ljansson
COURIER_LIBS := -lcurl -lcrypto -ljansson -lsystemd -lconfig -lsodium

PROGRAMS := $(BUILD)/teamd $(BUILD)/team-courier $(BUILD)/teamctl $(BUILD)/pam_team.so

.PHONY: all
all: $(PROGRAMS) ## build the programs into $(BUILD)

$(BUILD)/teamd: $(TEAMD_OBJS) $(BUILD)/libteamd.a
	$(call SAY,LD) $(CC) -pie -o $@ $(TEAMD_OBJS) $(BUILD)/libteamd.a $(ALL_LDFLAGS) $(TEAMD_LIBS)

$(BUILD)/libteamd.a: $(CORE_OBJS) $(SHELL_OBJS)
	$(call SAY,AR) rm -f $@ && ar rcs $@ $^

# All of the courier but its main.c, for the tests, too.
$(BUILD)/libcourier.a: $(filter-out %/main.o,$(COURIER_OBJS))
	$(call SAY,AR) rm -f $@ && ar rcs $@ $^

# The only program with a network. teamd's archive is there for the core and the sockets.
$(BUILD)/team-courier: $(OBJ)/teamd/courier/main.o $(BUILD)/libcourier.a $(BUILD)/libteamd.a
	$(call SAY,LD) $(CC) -pie -o $@ $^ $(ALL_LDFLAGS) $(COURIER_LIBS)

# The module's client is teamctl's too: one piece of code that knows how to ask teamd.
$(BUILD)/teamctl: $(TEAMCTL_OBJS) $(OBJ)/pam_team/client.o $(OBJ)/pam_team/verdict.o
	$(call SAY,LD) $(CC) -pie -o $@ $^ $(ALL_LDFLAGS) $(TEAMCTL_LIBS)

$(BUILD)/pam_team.so: $(PAM_OBJS) pam_team/pam_team.map
	$(call SAY,LD) $(CC) -shared -o $@ $(PAM_OBJS) $(ALL_LDFLAGS) -Wl,--version-script=pam_team/pam_team.map -lpam

$(OBJ)/%.pic.o: %.c
	@mkdir -p $(@D)
	$(call SAY,CC) $(CC) $(ALL_CFLAGS) -fPIC -fvisibility=hidden -c -o $@ $<

$(OBJ)/%.o: %.c
	@mkdir -p $(@D)
	$(call SAY,CC) $(CC) $(ALL_CFLAGS) -fPIE -c -o $@ $<

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# ---- tests ----------------------------------------------------------------------------------------

# A unit test is one file that prints TAP (cmocka does); it links what it needs from the archive.
UNIT_TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c tests/prop/test_*.c \
	tests/pam/test_*.c tests/aws/test_*.c))

TESTED_PAM_OBJS := $(patsubst %,$(OBJ)/pam_team/%.o,client inplace verdict wait)

$(BUILD)/tests/%: tests/%.c $(BUILD)/libteamd.a $(TESTED_PAM_OBJS)
	@mkdir -p $(@D)
	$(call SAY,CC) $(CC) $(ALL_CFLAGS) -Itests -I. -fPIE -pie -o $@ $< $(ALSO) $(TESTED_PAM_OBJS) \
		$(BUILD)/libteamd.a $(ALL_LDFLAGS) -lcmocka $(TEAMD_LIBS) -lpam

# Parts of the program itself that stand alone.
$(BUILD)/tests/unit/test_asked $(BUILD)/tests/unit/test_budget: $(BUILD)/tests/unit/test_%: $(OBJ)/teamd/%.o
$(BUILD)/tests/unit/test_asked: ALSO = $(OBJ)/teamd/asked.o
$(BUILD)/tests/unit/test_budget: ALSO = $(OBJ)/teamd/budget.o

# Tests of the module load it as built into the real libpam. The linker exports what they stand in for.
$(BUILD)/tests/pam/%: tests/pam/%.c $(BUILD)/pam_team.so
	@mkdir -p $(@D)
	$(call SAY,CC) $(CC) $(ALL_CFLAGS) -Itests -I. -fPIE -pie -o $@ $< $(ALL_LDFLAGS) -lcmocka -lpam

# Tests of the courier's parts.
$(BUILD)/tests/aws/%: tests/aws/%.c $(BUILD)/libcourier.a $(BUILD)/libteamd.a
	@mkdir -p $(@D)
	$(call SAY,CC) $(CC) $(ALL_CFLAGS) -Itests -I. -fPIE -pie -o $@ $< $(BUILD)/libcourier.a $(BUILD)/libteamd.a \
		$(ALL_LDFLAGS) -lcmocka $(COURIER_LIBS)

# A fuzz target is one file, tests/fuzz/fuzz_NAME.c, made by clang with libFuzzer in a build of its
# own. It may use everything that the programs are made of.
FUZZ_TARGETS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz/fuzz_*.c))

$(BUILD)/tests/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(BUILD)/libteamd.a $(BUILD)/libfront.a $(BUILD)/libcourier.a \
		$(TESTED_PAM_OBJS)
	@mkdir -p $(@D)
	$(call SAY,CC) $(CC) $(ALL_CFLAGS) -Itests -I. -fPIE -pie -fsanitize=fuzzer -o $@ $< $(TESTED_PAM_OBJS) \
		$(BUILD)/libfront.a $(BUILD)/libcourier.a $(BUILD)/libteamd.a $(ALL_LDFLAGS) \
		-lcmocka $(TEAMD_LIBS) $(COURIER_LIBS)

# teamd without its main().
$(BUILD)/libfront.a: $(filter-out $(OBJ)/teamd/main.o,$(TEAMD_OBJS))
	$(call SAY,AR) rm -f $@ && ar rcs $@ $^

$(BUILD)/tests/fuzz/dictionary: tests/fuzz/dictionary.c $(BUILD)/libteamd.a
	@mkdir -p $(@D)
	$(call SAY,CC) $(CC) $(ALL_CFLAGS) -Itests -I. -fPIE -pie -o $@ $< $(BUILD)/libteamd.a $(ALL_LDFLAGS) $(TEAMD_LIBS)

# What makes calls fail and clocks step, and who looks what comes of it.
TORTURE := $(BUILD)/tests/torture/fail.so $(BUILD)/tests/torture/clock.so $(BUILD)/tests/torture/torture

$(BUILD)/tests/torture/%.so: tests/torture/%.c
	@mkdir -p $(@D)
	$(call SAY,CC) $(CC) $(ALL_CFLAGS) -U_FORTIFY_SOURCE -fPIC -shared -o $@ $< $(ALL_LDFLAGS)

$(BUILD)/tests/torture/torture: tests/torture/torture.c
	@mkdir -p $(@D)
	$(call SAY,CC) $(CC) $(ALL_CFLAGS) -Itests -fPIE -pie -o $@ $< $(ALL_LDFLAGS)

# What the system tests need beside the programs.
SYSTEM_HELPERS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/system/*.c) \
	$(filter-out tests/aws/test_%,$(wildcard tests/aws/*.c)))
BENCH_PROGRAMS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(filter-out %/pam_ask.c,$(wildcard tests/bench/*.c))) \
	$(BUILD)/tests/bench/pam_ask.so $(BUILD)/tests/bench/teamd-one-by-one

$(BUILD)/tests/system/%: tests/system/%.c
	@mkdir -p $(@D)
	$(call SAY,CC) $(CC) $(ALL_CFLAGS) -fPIE -pie -o $@ $< $(ALL_LDFLAGS)

# teamd, except that it looks for strays every second instead of every minute, and that one person may
# make 20 requests at once instead of 10,000.
SYSTEM_HELPERS += $(BUILD)/tests/system/teamd-often

$(OBJ)/teamd/sessions.often.o: teamd/sessions.c
	@mkdir -p $(@D)
	$(call SAY,CC) $(CC) $(ALL_CFLAGS) -DLOOK_EVERY_US=1000000 -fPIE -c -o $@ $<

$(OBJ)/teamd/budget.often.o: teamd/budget.c
	@mkdir -p $(@D)
	$(call SAY,CC) $(CC) $(ALL_CFLAGS) -DASKS_AT_ONCE=20 -fPIE -c -o $@ $<

$(BUILD)/tests/system/teamd-often: $(OBJ)/teamd/sessions.often.o $(OBJ)/teamd/budget.often.o \
		$(filter-out %/sessions.o %/budget.o,$(TEAMD_OBJS)) $(BUILD)/libteamd.a
	@mkdir -p $(@D)
	$(call SAY,LD) $(CC) -pie -o $@ $^ $(ALL_LDFLAGS) $(TEAMD_LIBS)

# What `make bench` compares with. teamd-one-by-one is teamd, except that it commits each request for
# itself.
$(BUILD)/tests/bench/%: tests/bench/%.c $(BUILD)/libteamd.a
	@mkdir -p $(@D)
	$(call SAY,CC) $(CC) $(ALL_CFLAGS) -fPIE -pie -o $@ $< $(BUILD)/libteamd.a $(ALL_LDFLAGS) $(TEAMD_LIBS) -lpam

$(BUILD)/tests/bench/pam_ask.so: tests/bench/pam_ask.c
	@mkdir -p $(@D)
	$(call SAY,CC) $(CC) $(ALL_CFLAGS) -fPIC -fvisibility=hidden -shared -o $@ $< $(ALL_LDFLAGS) -lpam

$(OBJ)/teamd/turn.one.o: teamd/turn.c
	@mkdir -p $(@D)
	$(call SAY,CC) $(CC) $(ALL_CFLAGS) -DTURN_BATCH_MAX=1 -fPIE -c -o $@ $<

$(BUILD)/tests/bench/teamd-one-by-one: $(OBJ)/teamd/turn.one.o $(filter-out %/turn.o,$(TEAMD_OBJS)) $(BUILD)/libteamd.a
	@mkdir -p $(@D)
	$(call SAY,LD) $(CC) -pie -o $@ $^ $(ALL_LDFLAGS) $(TEAMD_LIBS)

.PHONY: system-helpers
system-helpers: $(SYSTEM_HELPERS)

.PHONY: tests
tests: $(PROGRAMS) $(UNIT_TESTS) $(SYSTEM_HELPERS) $(BENCH_PROGRAMS) $(TORTURE) ## build the programs and the tests

SYSTEM_TESTS := $(filter-out tests/system/lib.sh,$(shell find tests/system -maxdepth 1 -name '*.sh' -perm -u+x | sort))
OTHER_TESTS := $(shell find tests/purity tests/build tests/fuzz tests/torture -name 'test_*.sh' -perm -u+x 2>/dev/null | sort)

export BUILD CC
AGAIN := $(MAKE) --no-print-directory
PARALLEL := $(AGAIN) -j$(shell nproc)

# make reads this file before a fresh machine has a compiler, so what depends on one runs in a make
# of its own, after the dependencies.
.PHONY: check
check: deps ## dependencies, build, every test that ends in minutes; the last line counts
	@$(PARALLEL) tests
	@$(AGAIN) run-tests

.PHONY: run-tests
run-tests:
	@tests/run $(UNIT_TESTS) $(OTHER_TESTS) $(SYSTEM_TESTS)

.PHONY: run-unit-tests
run-unit-tests:
	@tests/run $(UNIT_TESTS)

.PHONY: demo
demo: deps ## the whole story with the real sudo, as root; nothing on the machine changes
	@mkdir -p $(BUILD)
	@$(PARALLEL) all $(SYSTEM_HELPERS) >$(BUILD)/demo.log 2>&1 || { cat $(BUILD)/demo.log; exit 1; }
	@tests/demo.sh

.PHONY: demo-aws
demo-aws: deps ## the story with AWS: moto plays it, the aws CLI is the witness
	@mkdir -p $(BUILD)
	@$(PARALLEL) all $(SYSTEM_HELPERS) >$(BUILD)/demo.log 2>&1 || { cat $(BUILD)/demo.log; exit 1; }
	@tests/demo_aws.sh

.PHONY: san
san: ## unit and property tests under address and undefined-behaviour sanitizers
	@$(PARALLEL) BUILD=$(BUILD)/san $(SAN) tests
	@$(AGAIN) BUILD=$(BUILD)/san $(SAN) run-unit-tests

SYSTEM ?= $(wildcard tests/system/aws*.sh)
.PHONY: san-system
san-system: ## system tests (SYSTEM=tests/system/aws*.sh) of programs under these sanitizers; as root
	@$(PARALLEL) pam-module BUILD=$(BUILD)/daemons
	@$(PARALLEL) BUILD=$(BUILD)/daemons $(SAN) all system-helpers
	@BUILD=$(BUILD)/daemons TEST_TIMEOUT=1800 tests/run $(SYSTEM)

# sudo, which loads the module, does not bring the sanitizers' run time with it.
.PHONY: pam-module
pam-module: $(BUILD)/pam_team.so

SAN := OPT=-O1 EXTRA="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"

FUZZ := CC=clang OPT=-O1 EXTRA="-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all \
	-fno-omit-frame-pointer"

.PHONY: fuzz-targets
fuzz-targets:
	@$(PARALLEL) BUILD=$(BUILD)/fuzz $(FUZZ) targets-in-this-build

.PHONY: targets-in-this-build
targets-in-this-build: $(FUZZ_TARGETS) $(BUILD)/tests/fuzz/dictionary

.PHONY: fuzz
fuzz: fuzz-targets ## every fuzz target for FUZZ_SECONDS (60), as many at once as there are cores
	@tests/fuzz/run $(FUZZ_TARGETS:$(BUILD)/%=$(BUILD)/fuzz/%)

.PHONY: bench
bench: deps ## measures ours beside what else would do, as root, in ten minutes; REALTIME=1 on a busy machine
	@$(PARALLEL) all $(SYSTEM_HELPERS) $(BENCH_PROGRAMS) >/dev/null
	@tests/bench/bench.sh

.PHONY: bench-history
bench-history: deps ## the same for a store of N requests (a million) with ten events each
	@$(PARALLEL) all $(SYSTEM_HELPERS) $(BENCH_PROGRAMS) >/dev/null
	@N=$(N) tests/bench/bench.sh history

.PHONY: torture
torture: tests ## fail every nth call of malloc, write, fdatasync, ... of teamd and teamctl; as root
	@WHOLE=1 TEST_TIMEOUT=36000 tests/run tests/torture/test_torture.sh

.PHONY: valgrind
valgrind: tests ## unit tests and a whole story under valgrind: memory, leaks, open descriptors; as root
	@TEST_TIMEOUT=3600 tests/run tests/valgrind/units.sh tests/valgrind/story.sh

.PHONY: mutation
mutation: ## change the core in one place at a time: which change do its tests not notice?
	@tests/mutation/run $(MUTATE)

.PHONY: purity
purity: ## who may include, call, export and link what
	@tests/purity/check.sh

C_FILES := $(shell find include teamd pam_team teamctl tests -name '*.c')
H_FILES := $(shell find include teamd pam_team teamctl tests -name '*.h')

.PHONY: tidy
tidy: ## clang-tidy (.clang-tidy says which checks and why)
	@printf '%s\n' $(filter-out tests/%,$(C_FILES)) | xargs -P $(shell nproc) -I{} clang-tidy --quiet {} \
		-- -std=gnu17 -Iinclude -iquote teamd -Itests -I. -D_GNU_SOURCE -DTEAM_RELEASE='"$(VERSION)"'

.PHONY: format
format: ## are the sources formatted as .clang-format says?
	@clang-format --dry-run -Werror $(C_FILES) $(H_FILES)

# Every test but those of building runs in an instrumented build, the daemon in its bastion too:
# tests/coverage lets programs of all users count.
COV := CC=gcc OPT=-O0 EXTRA=--coverage LDFLAGS="$(BUILD)/cov/workers.o -Wl,--wrap=recv"

.PHONY: coverage
coverage: ## lines and branches per folder; fails below what a folder must have
	@mkdir -p $(BUILD)/cov
	@gcc -O2 -fPIC -c -o $(BUILD)/cov/workers.o tests/coverage_workers.c
	@$(PARALLEL) BUILD=$(BUILD)/cov $(COV) tests
	@tests/coverage prepare $(BUILD)/cov
	@$(AGAIN) BUILD=$(BUILD)/cov $(COV) OTHER_TESTS= run-tests; failed=$$?; \
		tests/coverage report $(BUILD)/cov && exit $$failed

# ---- dependencies -----------------------------------------------------------------------------------

DEPS_BUILD := gcc make binutils libc6-dev libpam0g-dev liblmdb-dev libsodium-dev libconfig-dev \
	libsystemd-dev libjansson-dev libcurl4-openssl-dev libssl-dev
DEPS_CHECK := sudo libcmocka-dev pamtester sqlite3 clang libclang-rt-dev clang-tidy clang-format gcovr valgrind \
	iproute2 procps util-linux bsdutils passwd jq zsh expect login openssh-server openssh-client polkitd pkexec \
	dbus cron systemd libpam-systemd tmux curl openssl python3-botocore

.PHONY: build-deps
build-deps: ## install what building alone needs, as a bastion should have it
	@tests/deps $(DEPS_BUILD)

.PHONY: deps
deps: ## install what building and testing needs (Debian, Ubuntu; elsewhere: print it)
	@tests/deps $(DEPS_BUILD) $(DEPS_CHECK)

# ---- install ----------------------------------------------------------------------------------------
#
# One list, so that uninstall takes away what install put: FILE:PLACE:MODE. Never in it: the
# configuration of the host, and /etc/pam.d.

UNITS := $(patsubst conf/systemd/%,$(BUILD)/units/%,$(wildcard conf/systemd/*))
MAN_PAGES := $(wildcard teamd/*.[1-8] teamd/conf/*.[1-8] teamd/courier/*.[1-8] teamctl/*.[1-8] pam_team/*.[1-8])

INSTALLED := \
	$(BUILD)/teamd:$(SBINDIR)/teamd:0755 \
	$(BUILD)/team-courier:$(SBINDIR)/team-courier:0755 \
	$(BUILD)/teamctl:$(BINDIR)/teamctl:0755 \
	$(BUILD)/pam_team.so:$(PAMDIR)/pam_team.so:0644 \
	conf/completion/teamctl.bash:$(BASHCOMPDIR)/teamctl:0644 \
	conf/completion/_teamctl:$(ZSHCOMPDIR)/_teamctl:0644 \
	$(foreach f,$(UNITS),$f:$(UNITDIR)/$(notdir $f):0644) \
	$(foreach f,$(wildcard conf/sysusers.d/*.conf),$f:$(SYSUSERSDIR)/$(notdir $f):0644) \
	$(foreach f,$(wildcard conf/tmpfiles.d/*.conf),$f:$(TMPFILESDIR)/$(notdir $f):0644) \
	$(foreach f,$(MAN_PAGES),$f:$(MANDIR)/man$(subst .,,$(suffix $f))/$(notdir $f):0644) \
	$(foreach f,$(wildcard README.md LICENSE),$f:$(DOCDIR)/$f:0644) \
	$(foreach f,$(wildcard conf/team.conf conf/pam.d/* conf/ssh/*),$f:$(DOCDIR)/examples/$(f:conf/%=%):0644)

# The units name the programs where they are, which the next call may tell otherwise.
$(BUILD)/units/%: conf/systemd/% FORCE
	@mkdir -p $(@D)
	@sed 's|/usr/sbin/|$(SBINDIR)/|g; s|/usr/bin/team|$(BINDIR)/team|g' $< >$@

.PHONY: FORCE
FORCE:

# Each in one step: whoever runs or loads the old one at this moment, as sudo does, has it or the new one.
.PHONY: install
install: all $(UNITS) ## honours DESTDIR, PREFIX, PAMDIR, UNITDIR; keeps an existing configuration
	@set -e; for row in $(INSTALLED); do \
		file=$${row%%:*} rest=$${row#*:}; \
		$(INSTALL) -D -m "$${rest#*:}" "$$file" "$(DESTDIR)$${rest%:*}.new"; \
		mv -fT "$(DESTDIR)$${rest%:*}.new" "$(DESTDIR)$${rest%:*}"; \
		echo "installed $(DESTDIR)$${rest%:*}"; \
	done
	@set -e; config=$(DESTDIR)$(SYSCONFDIR)/team/team.conf; \
		if [ -e $$config ] || [ -L $$config ]; then echo "kept $$config"; \
		else $(INSTALL) -D -m 0644 conf/team.conf $$config; fi

.PHONY: uninstall
uninstall: ## takes away what install put; leaves configuration and state
	@! grep -ls '^[^#]*pam_team\.so' $(DESTDIR)$(SYSCONFDIR)/pam.d/* || { \
		echo "without pam_team.so nobody could use these any more; first run: teamctl pam remove" >&2; exit 1; }
	rm -f $(foreach row,$(INSTALLED),$(DESTDIR)$(word 2,$(subst :, ,$(row))))
	[ ! -d $(DESTDIR)$(DOCDIR) ] || find $(DESTDIR)$(DOCDIR) -depth -type d -empty -delete

# ---- the rest ---------------------------------------------------------------------------------------

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: clean
clean: ## remove $(BUILD)
	rm -rf $(BUILD)
