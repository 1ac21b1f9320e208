# spanledger: build, tests and checks. `make help` lists the targets.
# VARIANT=release|asan|tsan|debug picks flags and the folder below build/.

VARIANT ?= release
BUILD := build
OUT := $(if $(filter release,$(VARIANT)),$(BUILD),$(BUILD)/$(VARIANT))
GEN := $(BUILD)/gen

CC ?= gcc
WARN := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wcast-align -Wcast-qual -Wwrite-strings -Wundef -Wvla -Walloca -Wformat=2 \
	-Wswitch-enum -Wnull-dereference -Wdouble-promotion -Wfloat-equal -Wunused-macros -Wredundant-decls -Wframe-larger-than=16384
ifneq (,$(findstring gcc,$(shell $(CC) --version | head -n 1)))
WARN += -Wlogical-op -Wduplicated-cond -Wduplicated-branches
endif
ifeq ($(CI),true)
WARN += -Werror
endif

HARDEN := -fstack-protector-strong -fstack-clash-protection -fPIE
FLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 $(HARDEN)
FLAGS_debug := -O0 -g3
FLAGS_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_tsan := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
LDFLAGS_release := -pie -Wl,-z,relro,-z,now
LDFLAGS_asan := -fsanitize=address,undefined
LDFLAGS_tsan := -fsanitize=thread

PKGS := libpq libnghttp2 libprotobuf-c libevent libevent_openssl libevent_pthreads openssl zlib libzstd libxxhash
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lpthread -lm

CFLAGS_ALL := -std=gnu17 -D_GNU_SOURCE -Iinclude -I$(GEN) $(PKG_CFLAGS) $(FLAGS_$(VARIANT)) -pthread -MMD -MP
LDFLAGS_ALL := $(LDFLAGS_$(VARIANT)) -pthread

SRC := $(sort $(wildcard src/*/*.c) $(wildcard otlp/*.c))
LIB_SRC := $(filter-out src/cli/main.c,$(SRC))
PROTO := $(sort $(wildcard otlp/proto/*.proto))
PROTO_C := $(patsubst otlp/proto/%.proto,$(GEN)/%.pb-c.c,$(PROTO))
SQL := $(sort $(wildcard schema/*.sql schema/query/*.sql))
GEN_C := $(PROTO_C) $(GEN)/migrations.c $(GEN)/queries.c $(GEN)/assets.c
OBJ := $(patsubst %.c,$(OUT)/obj/%.o,$(LIB_SRC))
GEN_OBJ := $(patsubst $(GEN)/%.c,$(OUT)/obj/gen/%.o,$(GEN_C))
LIB := $(OUT)/libspanledger.a

UNIT := $(patsubst tests/%.c,$(OUT)/tests/%,$(sort $(wildcard tests/test_*.c)))
IT := $(patsubst tests/%.c,$(OUT)/tests/%,$(sort $(wildcard tests/it_*.c)))
TEST_SUPPORT := $(patsubst tests/support/%.c,$(OUT)/obj/tests/support/%.o,$(sort $(wildcard tests/support/*.c)))
BENCH := $(patsubst bench/%.c,$(OUT)/bench/%,$(sort $(wildcard bench/*.c)))

.PHONY: all clean unit it
all: $(if $(wildcard src/cli/main.c),$(OUT)/spanledger,$(LIB))

$(OUT)/spanledger: $(OUT)/obj/src/cli/main.o $(LIB)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$(LIB): $(OBJ) $(GEN_OBJ)
	@rm -f $@
	ar rcs $@ $^

# Headers made at build come before any object that may include them.
GEN_H := $(PROTO_C:.c=.h) $(GEN)/queries.h
$(OUT)/obj/%.o: %.c | $(GEN_H)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(WARN) -c -o $@ $<

$(OUT)/obj/gen/%.o: $(GEN)/%.c | $(GEN_H)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -w -c -o $@ $<

$(GEN)/%.pb-c.c $(GEN)/%.pb-c.h: otlp/proto/%.proto
	@mkdir -p $(GEN)
	protoc-c --c_out=$(GEN) -Iotlp/proto -I/usr/include $<

$(GEN)/migrations.c: schema/embed.sh $(SQL)
	@mkdir -p $(GEN)
	sh schema/embed.sh migrations > $@
$(GEN)/queries.c: schema/embed.sh $(SQL)
	@mkdir -p $(GEN)
	sh schema/embed.sh queries > $@
$(GEN)/queries.h: schema/embed.sh $(SQL)
	@mkdir -p $(GEN)
	sh schema/embed.sh queries-header > $@
$(GEN)/assets.c: schema/embed.sh $(wildcard docs/openapi.yaml)
	@mkdir -p $(GEN)
	sh schema/embed.sh assets > $@

$(OUT)/tests/%: tests/%.c $(TEST_SUPPORT) $(LIB) | $(GEN_H)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(WARN) -Itests $(LDFLAGS_ALL) -o $@ $< $(TEST_SUPPORT) $(LIB) $(PKG_LIBS) -lcmocka
$(OUT)/obj/tests/support/%.o: tests/support/%.c | $(GEN_H)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(WARN) -Itests -c -o $@ $<
$(OUT)/bench/%: bench/%.c $(LIB) | $(GEN_H)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(WARN) $(LDFLAGS_ALL) -o $@ $< $(LIB) $(PKG_LIBS)

unit: $(UNIT)
	@set -e; for t in $(UNIT); do $$t; done
it: $(OUT)/spanledger $(IT)
	@set -e; for t in $(IT); do $$t; done

clean:
	rm -rf $(BUILD)

-include $(shell find $(OUT)/obj $(OUT)/tests $(OUT)/bench -name '*.d' 2>/dev/null)
