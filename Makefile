# spanledger: build, tests and checks. `make help` lists the targets.
# VARIANT=release|debug|asan|tsan|fuzz picks flags and the folder below build/; V=1 shows whole commands.

VARIANT ?= release
BUILD ?= build
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
OUT := $(if $(filter release,$(VARIANT)),$(BUILD),$(BUILD)/$(VARIANT))
GEN := $(BUILD)/gen

ifeq ($(origin CC),default)
CC := $(if $(filter fuzz,$(VARIANT)),clang-14,gcc)
endif
WARN := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wcast-align -Wcast-qual -Wwrite-strings -Wundef -Wvla -Walloca -Wformat=2 \
	-Wswitch-enum -Wnull-dereference -Wdouble-promotion -Wfloat-equal -Wunused-macros -Wredundant-decls -Wframe-larger-than=16384
ifneq (,$(findstring gcc,$(shell $(CC) --version | head -n 1)))
WARN += -Wlogical-op -Wduplicated-cond -Wduplicated-branches
endif
Q := $(if $(V),,@)
say = @$(if $(or $(V),$(findstring s,$(firstword -$(MAKEFLAGS)))),:,printf '%-7s %s\n')

ifeq ($(CI),true)
WARN += -Werror
endif

HARDEN := -fstack-protector-strong -fstack-clash-protection -fPIE
FLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 $(HARDEN)
FLAGS_debug := -O0 -g3
FLAGS_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_tsan := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
FLAGS_coverage := -O0 -g --coverage
FLAGS_fuzz := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS_release := -pie -Wl,-z,relro,-z,now
LDFLAGS_asan := -fsanitize=address,undefined
LDFLAGS_tsan := -fsanitize=thread
LDFLAGS_coverage := -O0 -g --coverage
LDFLAGS_fuzz := -fsanitize=address,undefined

PKGS := libpq libnghttp2 libprotobuf-c libevent libevent_openssl libevent_pthreads openssl zlib libzstd libxxhash
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lpthread -lm

CFLAGS_ALL := -std=gnu17 -D_GNU_SOURCE -Iinclude -I$(GEN) $(PKG_CFLAGS) $(FLAGS_$(VARIANT)) -pthread -MMD -MP
LDFLAGS_ALL := $(LDFLAGS_$(VARIANT)) -pthread

SRC := $(sort $(wildcard src/*/*.c) $(wildcard otlp/*.c))
LIB_SRC := $(filter-out src/cli/main.c,$(SRC))
PROTO := $(sort $(wildcard otlp/proto/*.proto))
PROTO_C := $(patsubst otlp/proto/%.proto,$(GEN)/%.pb-c.c,$(PROTO))
SQL := $(sort $(wildcard schema/*.sql schema/query/*.sql schema/query/*.txt))
GEN_C := $(PROTO_C) $(GEN)/migrations.c $(GEN)/queries.c $(GEN)/assets.c $(GEN)/dialects.c
OBJ := $(patsubst %.c,$(OUT)/obj/%.o,$(LIB_SRC))
GEN_OBJ := $(patsubst $(GEN)/%.c,$(OUT)/obj/gen/%.o,$(GEN_C))
LIB := $(OUT)/libspanledger.a

TEST_NAMES = $(patsubst tests/%.c,$(OUT)/tests/%,$(sort $(wildcard tests/$(1)_*.c)))
UNIT := $(call TEST_NAMES,test)
IT := $(call TEST_NAMES,it)
FUZZ := $(call TEST_NAMES,fuzz)
CORPUS := $(patsubst $(OUT)/tests/fuzz_%,$(OUT)/tests/corpus_%,$(FUZZ))
IT_SCRIPTS := $(sort $(wildcard tests/it_*.sh))
TEST_SUPPORT := $(patsubst tests/support/%.c,$(OUT)/obj/tests/support/%.o,$(sort $(wildcard tests/support/*.c)))
BENCH_SUPPORT := $(patsubst bench/support/%.c,$(OUT)/obj/bench/support/%.o,$(sort $(wildcard bench/support/*.c)))
BENCH := $(patsubst bench/%.c,$(OUT)/bench/%,$(sort $(wildcard bench/*.c)))
PROGRAM := $(if $(wildcard src/cli/main.c),$(OUT)/spanledger)

.PHONY: all help deps run test unit it corpus built-for-tests test-kill test-overload
.PHONY: check check-format check-layers check-names check-banned check-size check-docs check-spelling tidy cppcheck
.PHONY: check-deep analyze coverage asan tsan fuzz fuzz-targets bench test-clients install uninstall clean
.DELETE_ON_ERROR:

all: $(or $(PROGRAM),$(LIB))

help:
	@sed -n 's/^#: *//p' Makefile

# All processors, unless the caller chose a number.
PARALLEL = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

#: make              build/spanledger
#: make run          installs what is missing, builds, serves with an embedded database (ARGS='--flag …')
#: make deps         only installs what is missing (apt-get; .ci/deps)
run:
	@.ci/deps run
	@$(MAKE) --no-print-directory $(PARALLEL) all
	@exec deploy/run $(OUT)/spanledger $(ARGS)

deps:
	@.ci/deps all

# ---- program ----

$(OUT)/spanledger: $(OUT)/obj/src/cli/main.o $(LIB)
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$(LIB): $(OBJ) $(GEN_OBJ)
	$(say) AR $@
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

# Headers made at build come before any object that may include them.
GEN_H := $(PROTO_C:.c=.h) $(GEN)/queries.h $(GEN)/genai/targets.h
COMPILE = $(CC) $(CFLAGS_ALL) $(WARN)

$(OUT)/obj/%.o: %.c | $(GEN_H)
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(COMPILE) -c -o $@ $<

$(OUT)/obj/gen/%.o: $(GEN)/%.c | $(GEN_H)
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(CFLAGS_ALL) -w -c -o $@ $<

$(GEN)/%.pb-c.c $(GEN)/%.pb-c.h: otlp/proto/%.proto
	@mkdir -p $(GEN)
	$(say) PROTOC $<
	$(Q)protoc-c --c_out=$(GEN) -Iotlp/proto -I/usr/include $<

EMBED = sh schema/embed.sh
$(GEN)/migrations.c: schema/embed.sh $(SQL)
	@mkdir -p $(GEN)
	$(say) EMBED $@
	$(Q)$(EMBED) migrations > $@
$(GEN)/queries.c: schema/embed.sh $(SQL)
	@mkdir -p $(GEN)
	$(say) EMBED $@
	$(Q)$(EMBED) queries > $@
$(GEN)/queries.h: schema/embed.sh $(SQL)
	@mkdir -p $(GEN)
	$(say) EMBED $@
	$(Q)$(EMBED) queries-header > $@
$(GEN)/assets.c: schema/embed.sh $(wildcard docs/openapi.yaml src/ledger/*.txt)
	@mkdir -p $(GEN)
	$(say) EMBED $@
	$(Q)$(EMBED) assets > $@

# The table of dialects: read by a program of ours, which finds the hash with the code of run time.
DIALECTS := src/genai/dialects.tsv src/genai/values.tsv
COMPILER := src/genai/compile
$(GEN)/compile-dialects: $(wildcard $(COMPILER)/*.[ch]) include/genai/table.h include/model/meaning.h
	@mkdir -p $(GEN)
	$(say) CC $(COMPILER)
	$(Q)$(CC) -std=gnu17 -D_GNU_SOURCE -O1 $(WARN) -Iinclude -o $@ $(wildcard $(COMPILER)/*.c)
$(GEN)/genai/targets.h: $(GEN)/compile-dialects $(DIALECTS)
	@mkdir -p $(@D)
	$(say) EMBED $@
	$(Q)$(GEN)/compile-dialects header $(DIALECTS) > $@
$(GEN)/dialects.c: $(GEN)/compile-dialects $(DIALECTS)
	$(say) EMBED $@
	$(Q)$(GEN)/compile-dialects table $(DIALECTS) > $@

# ---- tests ----

# Allocations of our own objects go through tests/support/failing_malloc.c.
WRAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
TEST_LINK = $(TEST_SUPPORT) $(LIB) $(PKG_LIBS) -lcmocka

$(OUT)/obj/tests/%.o: CFLAGS_ALL += -Itests
# Tests run on the main thread with its whole stack.
$(OUT)/obj/tests/%.o: WARN += -Wno-frame-larger-than
$(OUT)/tests/%: $(OUT)/obj/tests/%.o $(TEST_SUPPORT) $(LIB)
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS_ALL) $(WRAP) -o $@ $< $(TEST_LINK)
$(OUT)/tests/corpus_%: $(OUT)/obj/tests/fuzz_%.o $(OUT)/obj/tests/corpus_main.o $(TEST_SUPPORT) $(LIB)
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS_ALL) $(WRAP) -o $@ $(wordlist 1,2,$^) $(TEST_LINK)
$(BUILD)/fuzz/tests/fuzz_%: $(BUILD)/fuzz/obj/tests/fuzz_%.o $(TEST_SUPPORT) $(LIB)
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CC) -fsanitize=fuzzer $(LDFLAGS_ALL) $(WRAP) -o $@ $< $(TEST_LINK)
# jansson is measured against, never used; without it that line is left out.
BENCH_JANSSON := $(shell pkg-config --libs jansson 2>/dev/null)
$(OUT)/obj/bench/%.o: CFLAGS_ALL += -Ibench $(if $(BENCH_JANSSON),-DBENCH_JANSSON)
$(OUT)/bench/%: $(OUT)/obj/bench/%.o $(BENCH_SUPPORT) $(LIB)
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< $(BENCH_SUPPORT) $(LIB) $(PKG_LIBS) $(BENCH_JANSSON)
$(OUT)/check/%: $(OUT)/obj/tests/check/%.o $(LIB)
	@mkdir -p $(@D)
	$(say) LINK $@
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< $(LIB) $(PKG_LIBS)
.PRECIOUS: $(OUT)/obj/%.o $(OUT)/obj/tests/%.o

TEST_RUN = TEST_BIN=$(abspath $(OUT))/spanledger TEST_BUILD=$(abspath $(OUT)) tests/run.sh

#: make test         installs what is missing, builds, runs every test; leaves nothing behind
#: make unit|it|corpus   one kind: pure units; with a real database; replay of all fuzz inputs
test:
	@.ci/deps test
	@$(MAKE) --no-print-directory $(PARALLEL) built-for-tests
	@$(TEST_RUN) $(UNIT) $(CORPUS) $(IT) $(IT_SCRIPTS)
# With the programs of bench/, which no test runs: a change must not break them unseen.
built-for-tests: all $(UNIT) $(CORPUS) $(IT) $(BENCH)
unit: $(UNIT)
	@$(TEST_RUN) $(UNIT)
it: all $(IT)
	@$(TEST_RUN) $(IT) $(IT_SCRIPTS)
corpus: $(CORPUS)
	@$(TEST_RUN) $(CORPUS)

#: make asan|tsan    units, corpus and integration tests under the sanitizers
asan tsan:
	@$(MAKE) --no-print-directory VARIANT=$@ built-for-tests
	@$(MAKE) --no-print-directory VARIANT=$@ run-sanitized
.PHONY: run-sanitized
run-sanitized:
	@ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1 \
	TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 $(TEST_RUN) $(UNIT) $(CORPUS) $(IT)

#: make fuzz         every target FUZZ_SECONDS=60 long; TARGET=name for one; findings in build/fuzz/found
fuzz:
	@$(MAKE) --no-print-directory VARIANT=fuzz fuzz-targets
	@tests/fuzz.sh $(BUILD)/fuzz $(FUZZ_SECONDS) $(TARGET)
fuzz-targets: $(FUZZ)

#: make test-clients live SDKs against the binary (installs them below build/)
test-clients: all
	@$(TEST_RUN) tests/clients/run.sh

#: make test-kill    kill -9 of the server, of backends, of the database, lost answers; counts: KILLS_SERVER=100 …
test-kill: all $(OUT)/tests/it_kill
	@KILLS_SERVER=$(or $(KILLS_SERVER),100) KILLS_BACKEND=$(or $(KILLS_BACKEND),30) \
	KILLS_DATABASE=$(or $(KILLS_DATABASE),20) LOST_RESPONSES=$(or $(LOST_RESPONSES),1000) \
	STOPS_SERVER=$(or $(STOPS_SERVER),20) TEST_SECONDS=3600 $(TEST_RUN) -v $(OUT)/tests/it_kill

#: make test-overload ten times the capacity for OVERLOAD_SECONDS=120: memory, goodput, nothing lost
test-overload: all $(OUT)/tests/it_overload
	@OVERLOAD_SECONDS=$(or $(OVERLOAD_SECONDS),120) TEST_SECONDS=3600 $(TEST_RUN) -v $(OUT)/tests/it_overload

#: make bench        the figures of docs/benchmarks.md
bench: all $(BENCH)
	@bench/run.sh

# ---- checks ----

C_FILES := $(sort $(wildcard src/*/*.[ch] src/genai/compile/*.[ch] include/*/*.[ch] otlp/*.[ch] tests/*.[ch] tests/*/*.[ch] bench/*.[ch] bench/*/*.[ch]))
TIDY_FILES := $(SRC)
CHECKS := check-format check-layers check-names check-banned check-size check-docs check-spelling cppcheck tidy

#: make check        installs what is missing, then format, layers, names, banned calls, sizes, docs, lint
check:
	@.ci/deps check
	@$(MAKE) --no-print-directory $(PARALLEL) --output-sync=target $(CHECKS)
	@echo "check: all passed"
.PHONY: format
#: make format       clang-format over every file of ours
format:
	$(Q)clang-format-14 -i $(C_FILES)
check-format:
	$(Q)clang-format-14 --dry-run -Werror $(C_FILES)
	$(Q)awk 'length > 160 { print FILENAME ":" FNR ": line of " length " characters, limit 160"; bad = 1 } END { exit bad }' $(C_FILES)
check-layers:
	$(Q)awk -f tests/check/layers.awk tests/layers.txt $(sort $(wildcard src/*/*.c include/*/*.h otlp/*.c otlp/*.h))
check-names: $(OBJ)
	$(Q)tests/check/names.sh $(OUT)/obj
check-banned:
	$(Q)awk -f tests/check/banned.awk tests/check/banned.txt $(C_FILES)
check-size:
	$(Q)awk -f tests/check/size.awk tests/check/size.txt $(C_FILES)
check-docs: $(OUT)/check/print_settings
	$(Q)tests/check/docs.sh $(OUT)/check/print_settings
	$(Q)tests/check/conformance.py --check
	$(Q)tests/check/genai_tables.py --check
check-spelling:
	$(Q)tests/check/spelling.sh

# A stamp per file, so that only what changed is looked at again.
tidy: $(patsubst %.c,$(BUILD)/tidy/%.ok,$(TIDY_FILES))
$(BUILD)/tidy/%.ok: %.c .clang-tidy | $(GEN_H)
	@mkdir -p $(@D)
	$(say) TIDY $<
	$(Q)clang-tidy-14 --quiet --warnings-as-errors='*' $< -- -std=gnu17 -D_GNU_SOURCE -Iinclude -I$(GEN) $(PKG_CFLAGS) 2>$@.log >$@.out \
		|| { cat $@.out; exit 1; }
	@$(CC) $(filter-out -MMD -MP,$(CFLAGS_ALL)) -MM -MP -MT $@ -MF $(@:.ok=.d) $<
	@touch $@

cppcheck: | $(GEN_H)
	@mkdir -p $(BUILD)/cppcheck
	$(say) CPPCHECK src otlp
	$(Q)cppcheck --quiet --enable=warning,style,performance,portability --error-exitcode=1 --inline-suppr \
		--std=c11 -D_GNU_SOURCE -Iinclude -I$(GEN) --cppcheck-build-dir=$(BUILD)/cppcheck \
		--suppressions-list=tests/check/cppcheck.txt $(SRC)

#: make check-proof  plants a violation of each rule in a copy of the tree and wants it caught
.PHONY: check-proof
check-proof:
	@tests/check/proof.sh

.PHONY: docs
#: make docs         writes the tables that are made from sources into docs/*.md
docs: $(OUT)/check/print_settings
	@awk -v table="$$($(OUT)/check/print_settings | sed 's/\\\\/&&/g')" \
		'/end of settings/ { skip = 0 } !skip { print } /<!-- settings/ { print table; skip = 1 }' \
		docs/configuration.md > $(BUILD)/configuration.md
	@cp $(BUILD)/configuration.md docs/configuration.md
	@tests/check/conformance.py > $(BUILD)/conformance.md && cp $(BUILD)/conformance.md docs/conformance.md
	@tests/check/genai_tables.py

#: make check-deep   before a release: gcc's analyzer, clang build, asan, tsan, fuzz, coverage
check-deep: check check-proof
	@$(MAKE) --no-print-directory analyze
	@$(MAKE) --no-print-directory BUILD=build/clang CC=clang-14 CI=true all
	@$(MAKE) --no-print-directory asan
	@$(MAKE) --no-print-directory tsan
	@$(MAKE) --no-print-directory fuzz
	@$(MAKE) --no-print-directory coverage
# For information: gcc 12's analyzer is wrong too often in C with cleanup attributes to be a gate.
analyze: | $(GEN_H)
	@for file in $(SRC); do $(CC) $(filter-out -MMD -MP,$(CFLAGS_ALL)) -fanalyzer -c -o /dev/null $$file; done
#: make coverage     lines that no unit or integration test runs, in build/coverage
coverage:
	@$(MAKE) --no-print-directory VARIANT=coverage built-for-tests
	@$(MAKE) --no-print-directory VARIANT=coverage run-sanitized
	@tests/check/coverage.sh $(BUILD)/coverage

# ---- installation ----

#: make install      PREFIX=/usr/local, DESTDIR=; make uninstall takes the same
install: all
	install -D -m 755 $(OUT)/spanledger $(DESTDIR)$(PREFIX)/bin/spanledger
	install -d $(DESTDIR)$(PREFIX)/share/doc/spanledger
	install -m 644 README.md LICENSE CHANGELOG.md docs/*.md $(DESTDIR)$(PREFIX)/share/doc/spanledger/
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/spanledger
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/spanledger

#: make clean        removes build/
clean:
	rm -rf $(BUILD)

-include $(shell find $(OUT)/obj $(BUILD)/tidy -name '*.d' 2>/dev/null)
