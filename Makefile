# GNU make. `make help` lists what there is; README.md says it in prose.

CC ?= cc
BUILD ?= build
PREFIX ?= /usr
DESTDIR ?=
SYSCONFDIR ?= /etc
SBINDIR ?= $(PREFIX)/sbin
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/team
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
PAMDIR ?= /lib/$(if $(MULTIARCH),$(MULTIARCH)/)security
UNITDIR ?= /lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d

VERSION := 0.1.0

# ---- flags ----------------------------------------------------------------------------------------

WARN := -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wcast-align \
	-Wmissing-prototypes -Wstrict-prototypes -Wundef -Wwrite-strings -Wformat=2 -Wvla -Wswitch-enum \
	-Wimplicit-fallthrough -Wnull-dereference -Wpointer-arith -Wredundant-decls
HARDEN := -fstack-protector-strong -fstack-clash-protection
ifneq ($(filter x86_64%,$(shell $(CC) -dumpmachine)),)
HARDEN += -fcf-protection=full
endif
OPT ?= -O2 -D_FORTIFY_SOURCE=2
CFLAGS ?= -g
EXTRA ?=
ALL_CFLAGS := -std=gnu17 -Iinclude -Iteamd -D_GNU_SOURCE -DTEAM_RELEASE='"$(VERSION)"' -MMD -MP \
	$(WARN) $(HARDEN) $(OPT) $(CFLAGS) $(EXTRA)
ALL_LDFLAGS := -Wl,-z,relro,-z,now,-z,defs,-z,noexecstack,--as-needed,--fatal-warnings $(LDFLAGS) $(EXTRA)

# ---- what is made of what -------------------------------------------------------------------------

CORE_OBJS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard teamd/core/*.c))
SHELL_OBJS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard teamd/store/*.c teamd/ipc/*.c teamd/host/*.c teamd/conf/*.c))
TEAMD_OBJS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard teamd/*.c))
TEAMCTL_OBJS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard teamctl/*.c))
PAM_OBJS := $(patsubst %.c,$(BUILD)/%.pic.o,$(wildcard pam_team/*.c))

TEAMD_LIBS := -llmdb -lsodium -lconfig -lsystemd
TEAMCTL_LIBS := -ljansson

PROGRAMS := $(BUILD)/teamd $(BUILD)/teamctl $(BUILD)/pam_team.so

.PHONY: all
all: $(PROGRAMS)

$(BUILD)/teamd: $(TEAMD_OBJS) $(BUILD)/libteamd.a
	$(CC) -pie -o $@ $(TEAMD_OBJS) $(BUILD)/libteamd.a $(ALL_LDFLAGS) $(TEAMD_LIBS)

$(BUILD)/libteamd.a: $(CORE_OBJS) $(SHELL_OBJS)
	rm -f $@ && ar rcs $@ $^

# The module's client is teamctl's too: one piece of code that knows how to ask teamd.
$(BUILD)/teamctl: $(TEAMCTL_OBJS) $(BUILD)/pam_team/client.o
	$(CC) -pie -o $@ $^ $(ALL_LDFLAGS) $(TEAMCTL_LIBS)

$(BUILD)/pam_team.so: $(PAM_OBJS) pam_team/pam_team.map
	$(CC) -shared -o $@ $(PAM_OBJS) $(ALL_LDFLAGS) -Wl,--version-script=pam_team/pam_team.map -lpam

$(BUILD)/%.pic.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fPIC -fvisibility=hidden -c -o $@ $<

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fPIE -c -o $@ $<

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# ---- tests ----------------------------------------------------------------------------------------

# A unit test is one file that prints TAP (cmocka does); it links what it needs from the archive.
UNIT_TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c tests/prop/test_*.c tests/pam/test_*.c))

$(BUILD)/tests/%: tests/%.c $(BUILD)/libteamd.a $(BUILD)/pam_team/client.o $(BUILD)/pam_team/verdict.o
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Itests -I. -fPIE -pie -o $@ $< $(BUILD)/pam_team/client.o $(BUILD)/pam_team/verdict.o \
		$(BUILD)/libteamd.a $(ALL_LDFLAGS) -lcmocka $(TEAMD_LIBS) -lpam

.PHONY: tests
tests: $(UNIT_TESTS)

.PHONY: clean
clean:
	rm -rf $(BUILD)
