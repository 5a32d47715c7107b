# siembridge: one file, not recursive.  `make help` lists the targets.
#
#   make V=1               shows the commands
#   make VARIANT=asan      builds beside the others, in build/asan (also: tsan, faults, faults-asan,
#                          faults-tsan, clang, fuzz)

CC       ?= cc
CFLAGS   ?= -O2 -g
VARIANT  ?= plain
OUT       = build/$(VARIANT)

WARNINGS  = -Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wvla -Wundef -Wpointer-arith \
            -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wcast-qual -Werror
# FJSON_NATIVE_API_ONLY for every file: without it libfastjson's macros turn
# json-c calls into calls of the other library, with no warning.
DEFINES   = -D_GNU_SOURCE -DFJSON_NATIVE_API_ONLY
HARDENING = -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE \
            -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
LDHARDENING = -pie -Wl,-z,relro,-z,now,-z,noexecstack

VARIANT_FLAGS_asan   = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
                       -fno-omit-frame-pointer -U_FORTIFY_SOURCE
VARIANT_FLAGS_tsan   = -fsanitize=thread -U_FORTIFY_SOURCE
VARIANT_FLAGS_faults = -DFAULTS
VARIANT_FLAGS_faults-asan = $(VARIANT_FLAGS_asan) $(VARIANT_FLAGS_faults)
VARIANT_FLAGS_faults-tsan = $(VARIANT_FLAGS_tsan) $(VARIANT_FLAGS_faults)
VARIANT_FLAGS_fuzz   = $(VARIANT_FLAGS_asan) -fsanitize=fuzzer-no-link
VARIANT_FLAGS        = $(VARIANT_FLAGS_$(VARIANT))

COMPILE = $(CC) -std=c11 -I. $(DEFINES) $(CFLAGS) $(WARNINGS) $(HARDENING) $(VARIANT_FLAGS) -MMD -MP
LINK    = $(CC) $(CFLAGS) $(LDHARDENING) $(VARIANT_FLAGS)
LIBS    = -levent_openssl -levent_pthreads -levent_extra -levent_core -lssl -lcrypto \
          -ljson-c -lfastjson -lsqlite3 -lcyaml -lyaml -lcurl -lz -lseccomp -lpthread -lm

SOURCES := $(wildcard formats/*.c bridge/*.c bridge/*/*.c)
OBJECTS := $(SOURCES:%.c=$(OUT)/%.o)
LIBRARY  = $(OUT)/libsiembridge.a
UNIT    := $(patsubst tests/unit/%.c,$(OUT)/unit/%,$(wildcard tests/unit/test_*.c))
TOOLS   := $(patsubst tests/tools/%.c,$(OUT)/tools/%,$(wildcard tests/tools/*.c))

FUZZ    := $(patsubst tests/fuzz/%.c,$(OUT)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
BENCH   := $(patsubst tests/bench/%.c,$(OUT)/bench/%,$(wildcard tests/bench/bench_*.c))
CRASH   := $(OUT)/crash/power
POWER   := $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/crash/*.c))
FUZZ_SECONDS ?= 30

# Where `make install` puts it, below DESTDIR.
prefix      ?= /usr/local
bindir      ?= $(prefix)/bin
datarootdir ?= $(prefix)/share
mandir      ?= $(datarootdir)/man
docdir      ?= $(datarootdir)/doc/siembridge
bashdir     ?= $(datarootdir)/bash-completion/completions
zshdir      ?= $(datarootdir)/zsh/site-functions
unitdir     ?= $(prefix)/lib/systemd/system
INSTALL     ?= install

ifeq ($(V),)
quiet = @echo "  $(1)	$@";
endif

MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:
.SECONDARY:

all: ## build/siembridge, after installing what the build needs
	@sh .ci/packages build
	@$(MAKE) -j$$(nproc) build/siembridge

build/siembridge: build/$(VARIANT)/siembridge
	$(call quiet,COPY)cp $< $@.new && mv $@.new $@

$(OUT)/siembridge: $(OUT)/bridge/main.o $(LIBRARY)
	$(call quiet,LINK)$(LINK) -o $@ $^ $(LIBS)

$(LIBRARY): $(filter-out $(OUT)/bridge/main.o,$(OBJECTS))
	$(call quiet,AR)rm -f $@ && ar rcs $@ $^

$(OUT)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(COMPILE) -c -o $@ $<

# .incbin is no #include: the compiler does not tell.
$(OUT)/bridge/console/console_assets.o: $(wildcard bridge/console/assets/*)

$(OUT)/unit/%: $(OUT)/tests/unit/%.o $(LIBRARY)
	@mkdir -p $(@D)
	$(call quiet,LINK)$(LINK) -o $@ $< $(LIBRARY) -lcmocka $(LIBS)

$(OUT)/tools/%: $(OUT)/tests/tools/%.o $(LIBRARY)
	@mkdir -p $(@D)
	$(call quiet,LINK)$(LINK) -o $@ $< $(LIBRARY) $(LIBS)

$(OUT)/bench/%: $(OUT)/tests/bench/%.o $(LIBRARY)
	@mkdir -p $(@D)
	$(call quiet,LINK)$(LINK) -o $@ $< $(LIBRARY) $(LIBS)

$(OUT)/fuzz/%: $(OUT)/tests/fuzz/%.o $(LIBRARY)
	@mkdir -p $(@D)
	$(call quiet,LINK)$(LINK) -fsanitize=fuzzer -o $@ $< $(LIBRARY) $(LIBS)

$(OUT)/crash/power: $(POWER) $(LIBRARY)
	@mkdir -p $(@D)
	$(call quiet,LINK)$(LINK) -Wl,--wrap=pwrite,--wrap=fsync,--wrap=fdatasync,--wrap=rename,--wrap=unlink -o $@ $^ $(LIBS)

# For what runs under valgrind: tests/run.py --memcheck.
$(OUT)/reexec.so: tests/sanitize/reexec.c
	@mkdir -p $(@D)
	$(call quiet,LINK)$(CC) -O2 -shared -fPIC -o $@ $<

# What a run needs of one variant; used by the targets below.
variant: $(OUT)/siembridge $(UNIT) $(TOOLS)
faults: $(OUT)/siembridge $(CRASH)
fuzz-targets: $(FUZZ)
bench-programs: $(BENCH)

run: ## a bridge, a real rsyslogd and twelve sample events, until Ctrl-C
	@sh .ci/packages build run
	@$(MAKE) -j$$(nproc) build/siembridge
	@sh rsyslog/try.sh

test: ## unit tests, plain and under ASan+UBSan, and integration tests
	@sh .ci/packages build run test
	@$(MAKE) -j$$(nproc) VARIANT=plain variant build/siembridge
	@$(MAKE) -j$$(nproc) VARIANT=asan variant
	@$(MAKE) -j$$(nproc) VARIANT=faults faults
	@python3 tests/run.py

unit: ## unit tests alone, plain
	@$(MAKE) -j$$(nproc) variant
	@python3 tests/run.py --unit $(VARIANT)

lint: ## house rules, clang-tidy, cppcheck, clang-format, shellcheck, and a clang build
	@sh .ci/packages build lint
	@$(MAKE) -j$$(nproc) VARIANT=plain variant
	@$(MAKE) -j$$(nproc) VARIANT=clang CC=clang variant
	@sh tests/lint/all

fuzz: ## each libFuzzer target for FUZZ_SECONDS (30)
	@sh .ci/packages build lint
	@$(MAKE) -j$$(nproc) VARIANT=fuzz CC=clang fuzz-targets
	@sh tests/fuzz/run $(FUZZ_SECONDS)

sanitize: ## all tests from outside and the fault matrix under ASan + UBSan and under TSan; threads, sockets, reloads under valgrind
	@sh .ci/packages build run test sanitize
	@$(MAKE) -j$$(nproc) VARIANT=plain variant build/plain/reexec.so
	@$(MAKE) -j$$(nproc) VARIANT=asan variant
	@$(MAKE) -j$$(nproc) VARIANT=tsan variant
	@$(MAKE) -j$$(nproc) VARIANT=faults-asan faults
	@$(MAKE) -j$$(nproc) VARIANT=faults-tsan faults
	@python3 tests/run.py --unit tsan
	@python3 tests/run.py --sanitized asan
	@python3 tests/run.py --sanitized tsan
	@python3 tests/run.py --memcheck

crash: ## the fault matrix in full: kills, power cuts, disks, peers, clocks (CRASH_SEED=N, CRASH_SHARE=N)
	@sh .ci/packages build run test
	@$(MAKE) -j$$(nproc) VARIANT=plain variant
	@$(MAKE) -j$$(nproc) VARIANT=faults faults
	@python3 tests/crash/run.py $(ROWS)

bench: ## requests and events per second, beside nginx and rsyslog
	@sh .ci/packages build run test bench
	@$(MAKE) -j$$(nproc) VARIANT=plain variant bench-programs build/siembridge
	@python3 tests/bench/run.py
	@python3 tests/bench/drain.py
	@for program in build/plain/bench/*; do echo && $$program || exit 1; done

# The units name the paths that they are installed for.
install: build/siembridge ## below DESTDIR and prefix (/usr/local): binary, units, manual, completion, examples
	$(INSTALL) -D -s -m 755 build/siembridge $(DESTDIR)$(bindir)/siembridge
	$(INSTALL) -d $(DESTDIR)$(unitdir) $(DESTDIR)$(docdir)/examples/rsyslog $(DESTDIR)$(docdir)/examples/prometheus
	for unit in siembridge.service siembridge.socket; do \
		sed 's,/usr/local/bin/,$(bindir)/,; s,/usr/local/share/doc/siembridge/,$(docdir)/,' bridge/$$unit \
			>$(DESTDIR)$(unitdir)/$$unit && chmod 644 $(DESTDIR)$(unitdir)/$$unit || exit 1; done
	for page in $(wildcard bridge/*.[58]); do \
		$(INSTALL) -D -m 644 $$page $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/} || exit 1; done
	for file in $(wildcard bridge/completion/*.bash); do \
		$(INSTALL) -D -m 644 $$file $(DESTDIR)$(bashdir)/siembridge || exit 1; done
	for file in $(wildcard bridge/completion/_siembridge); do \
		$(INSTALL) -D -m 644 $$file $(DESTDIR)$(zshdir)/_siembridge || exit 1; done
	$(INSTALL) -m 644 README.md LICENSE $(DESTDIR)$(docdir)
	$(INSTALL) -m 644 tests/integration/example.yaml $(DESTDIR)$(docdir)/examples/siembridge.yaml
	$(INSTALL) -m 644 $(wildcard rsyslog/*.conf) $(DESTDIR)$(docdir)/examples/rsyslog
	$(INSTALL) -m 644 $(wildcard bridge/console/examples/*) $(DESTDIR)$(docdir)/examples/prometheus

uninstall: ## what install put there; configuration and spool stay
	rm -f $(DESTDIR)$(bindir)/siembridge $(DESTDIR)$(unitdir)/siembridge.service $(DESTDIR)$(unitdir)/siembridge.socket \
		$(DESTDIR)$(mandir)/man8/siembridge.8 $(DESTDIR)$(mandir)/man5/siembridge.yaml.5 \
		$(DESTDIR)$(bashdir)/siembridge $(DESTDIR)$(zshdir)/_siembridge
	rm -rf $(DESTDIR)$(docdir)

deb: ## build/siembridge_VERSION_ARCHITECTURE.deb, for Debian 12
	@sh .ci/packages build package
	@$(MAKE) -j$$(nproc) build/siembridge
	@sh bridge/debian/build

test-package: ## installs, upgrades, removes and purges the .deb in a fresh Debian 12 that systemd runs (root)
	@sh .ci/packages build package package-test
	@$(MAKE) deb
	@python3 tests/package/lifecycle.py

clean: ## away with build/ and var/
	rm -rf build var

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile

.PHONY: all variant faults fuzz-targets bench-programs run test unit lint fuzz sanitize crash bench install uninstall deb test-package clean help
-include $(OBJECTS:.o=.d) $(UNIT:$(OUT)/unit/%=$(OUT)/tests/unit/%.d) $(TOOLS:$(OUT)/tools/%=$(OUT)/tests/tools/%.d) \
         $(FUZZ:$(OUT)/fuzz/%=$(OUT)/tests/fuzz/%.d) $(BENCH:$(OUT)/bench/%=$(OUT)/tests/bench/%.d) \
         $(POWER:.o=.d)
