# SPDX-License-Identifier: MIT
# libslm: `make run` needs a C compiler and make; `make deps test` installs what the tests need and runs them; `make help` lists the rest.
# Sources are found by wildcard; each kernels/ folder has its own compiler flags in one variable below.

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
THREADS ?= auto
MINIMAL ?= 0
SMALL ?= 0
WERROR ?= 0
GOLDEN ?= tests/golden
HOSTCC ?= $(CC)
ifneq ($(words $(BUILD)),1)
  $(error BUILD must not $(if $(strip $(BUILD)),contain spaces: '$(BUILD)',be empty))
endif
override BUILD := $(patsubst %/,%,$(strip $(BUILD)))

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

# ---- version, machine, compiler -----------------------------------------------------------------------------------------------------

version_part = $(shell sed -n 's/^.define SLM_VERSION_$(1) \([0-9]*\).*/\1/p' include/slm.h)
MAJOR := $(call version_part,MAJOR)
VERSION := $(MAJOR).$(call version_part,MINOR).$(call version_part,PATCH)
comma := ,
TARGET := $(shell $(CC) -dumpmachine)
MACHINE := $(firstword $(subst -, ,$(TARGET)))
SYSTEM := $(shell uname -s)

# Flags of each folder of kernels; only folders of this machine are compiled. kernels/*.c and kernels/scalar have the baseline's flags.
ISA_FLAGS_avx2 := -mavx2 -mfma -mf16c
ISA_FLAGS_avxvnni := -mavx2 -mfma -mf16c -mavxvnni
ISA_FLAGS_avx512vnni := -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni
ISA_FLAGS_neon :=
ISA_FLAGS_neon_dotprod := -march=armv8.2-a+dotprod
ISA_FLAGS_neon_i8mm := -march=armv8.2-a+dotprod+i8mm
TIERS_x86_64 := avx2 avxvnni avx512vnni
TIERS_amd64 := $(TIERS_x86_64)
TIERS_aarch64 := neon neon_dotprod neon_i8mm
TIERS_arm64 := $(TIERS_aarch64)
TIERS := $(foreach tier,$(TIERS_$(MACHINE)),$(if $(wildcard kernels/$(tier)/*.c),$(tier)))
ifneq ($(filter-out $(TIERS_$(MACHINE)),$(TIERS)),)
  $(error TIERS: $(filter-out $(TIERS_$(MACHINE)),$(TIERS)) is unknown; possible on $(MACHINE) are $(or $(TIERS_$(MACHINE)),none))
endif
upper = $(shell echo $(1) | tr a-z A-Z)
HAVE_TIERS = $(foreach tier,$(TIERS),-DSLM_HAVE_$(call upper,$(tier))) \
             $(if $(filter 1,$(WITH_VARIANTS) $(WITH_IMAGES))$(TIERS),,-DSLM_COMMON_KERNELS=1)

# Stacks of Windows are aligned to 16 bytes, which gcc does not heed for wider registers: let no move rely on more.
TIER_FLAGS := $(if $(findstring mingw,$(TARGET)),-Wa$(comma)-muse-unaligned-vector-move)

# Goals that compile nothing need no probing.
QUIET_GOALS := clean help deps format uninstall
BUILDING := $(filter-out $(QUIET_GOALS),$(or $(MAKECMDGOALS),all))

can_link = $(shell mkdir -p $(BUILD) && echo '$(hash)include <omp.h>%int main(void){return omp_get_max_threads() < 1;}' | tr '%' '\n' | \
             $(CC) $(CFLAGS) $(1) -x c - -o $(BUILD)/probe 2>/dev/null && echo yes; rm -f $(BUILD)/probe $(BUILD)/probe.exe)
hash := \#
THREADS_USED := $(THREADS)
ifeq ($(THREADS),auto)
  ifneq ($(BUILDING),)
    THREADS_USED := $(if $(call can_link,-fopenmp),openmp,none)
    ifeq ($(THREADS_USED)$(MAKELEVEL),none0)
      $(info $(CC) cannot link OpenMP here: building for one thread (THREADS=none))
    endif
  endif
else ifeq ($(filter openmp none,$(THREADS)),)
  $(error THREADS=$(THREADS) is unknown; possible are openmp and none)
endif
# src/base/parts.h says what each part is.
PARTS := CONVERT CHAT GRAMMAR IMAGES SCORES REUSE SNAPSHOTS VARIANTS MEASURE MESSAGES
define part_option
  WITH_$(1) ?= $(if $(filter 1,$(MINIMAL)),0,1)
  SWITCHES += WITH_$(1)
endef
SWITCHES := MINIMAL SMALL
$(foreach part,$(PARTS),$(eval $(call part_option,$(part))))
$(foreach switch,$(SWITCHES),$(if $(filter 0 1,$($(switch))),,$(error $(switch)=$($(switch)) is unknown; possible are 0 and 1)))
PART_DEFINES := $(foreach part,$(PARTS),-DSLM_WITH_$(part)=$(WITH_$(part)))
PARTIAL := $(filter 0,$(foreach part,$(PARTS),$(WITH_$(part))))
OPENMP := $(if $(filter openmp,$(THREADS_USED)),-fopenmp)

# Use all processors unless a number of jobs was given.
ifeq ($(MAKELEVEL)$(filter -j% --jobserver%,$(MAKEFLAGS)),0)
  MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif

WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes $(if $(filter 1,$(WERROR)),-Werror)
COMMON_FLAGS := -std=c11 -O2 -ffp-contract=off $(WARNINGS) -Iinclude $(if $(findstring mingw,$(TARGET)),-D__USE_MINGW_ANSI_STDIO=1)
LIBRARY_FLAGS := $(COMMON_FLAGS) -Isrc -I. -fPIC -fvisibility=hidden -DSLM_BUILD $(PART_DEFINES) -DSLM_SMALL=$(SMALL) \
                 $(if $(OPENMP),-DSLM_THREADS_OPENMP) $(if $(PARTIAL),-ffunction-sections -fdata-sections)
LIBS := -lm -pthread $(OPENMP)
# What no token waits for is compiled for size, and of the grammar compiler what takes no time; with SMALL=1 all but the kernels of the
# tiers is.
COLD := $(if $(filter 1,$(SMALL)),src/% kernels/cpu_isa% kernels/kernel_table.c kernels/scalar/%, \
          src/api/% src/import/% src/text/template_% src/text/chat_% src/text/tokenizer_builder.c src/text/added_tokens_builder.c \
          src/text/gpt2_vocabulary.c src/text/tokenizer_steps.c src/text/token_stream.c src/format/weight_writer.c src/format/weight_file.c \
          src/format/weight_index.c src/format/metadata.c src/format/sink_% src/model/transformer_% src/model/vision_tower.c \
          src/model/trait_values.c src/model/workspace.c src/runtime/% src/sample/answer_fields.c kernels/%_fill.c \
          src/grammar/schema_% src/grammar/number_% src/grammar/ecma_regex.c src/grammar/gbnf.c src/grammar/string_formats.c \
          src/grammar/string_list.c)
HOT := src/import/weight_stream.c src/import/gguf_dequantize% src/runtime/constrain.c
takes = $(shell echo 'int main(void) { return 0; }' | $(CC) -Werror $(1) -x c - -o /dev/null 2>/dev/null && echo '$(1)')
SMALLEST := -Oz -fno-inline-small-functions -fno-partial-inlining -fno-move-loop-invariants
SMALLEST_HERE := $(if $(BUILDING),$(or $(call takes,$(SMALLEST)),$(call takes,-Oz),-Os))
size_flag = $(if $(filter-out $(if $(filter 0,$(SMALL)),$(HOT)),$(filter $(COLD),$<)),$(SMALLEST_HERE))

# ---- sources ------------------------------------------------------------------------------------------------------------------------

LIBRARY_SOURCES := $(wildcard src/*/*.c kernels/*.c kernels/scalar/*.c $(TIERS:%=kernels/%/*.c))
ifeq ($(WITH_CONVERT),0)
  LIBRARY_SOURCES := $(filter-out src/import/%,$(LIBRARY_SOURCES))
endif
ifeq ($(WITH_CHAT),0)
  LIBRARY_SOURCES := $(filter-out src/text/chat_% src/text/template_%,$(LIBRARY_SOURCES))
endif
# What the program decodes images with, where the compiler finds it; PNG= or JPEG= leaves it out.
finds = $(shell echo 'int main(void) { return 0; }' | $(CC) -x c -include stdio.h -include $(1) - -o /dev/null \
          $$(pkg-config --cflags --libs $(2) 2>/dev/null) 2>/dev/null && echo $(2))
ifneq ($(BUILDING),)
  PNG := $(call finds,png.h,libpng)
  JPEG := $(call finds,jpeglib.h,libjpeg)
endif
IMAGE_PACKAGES = $(strip $(PNG) $(JPEG))
IMAGE_LIBS = $(if $(IMAGE_PACKAGES),$(shell pkg-config --libs $(IMAGE_PACKAGES)))
CLI_SOURCES := $(filter-out examples/cli/embed_file.c,$(wildcard examples/cli/*.c))
EXAMPLE_SOURCES := $(wildcard examples/0*.c)
TEST_PROGRAMS := $(wildcard tests/*/test_*.c tests/*/check_*.c)
TEST_SUPPORT := $(filter-out $(TEST_PROGRAMS) tests/abi/%,$(wildcard tests/*/*.c))
BENCH_SOURCES := $(wildcard bench/bench_*.c)
BENCH_SUPPORT := $(filter-out $(BENCH_SOURCES),$(wildcard bench/*.c))

HEADERS := $(sort $(wildcard include/*.h))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIBRARY_OBJECTS := $(call objects,$(LIBRARY_SOURCES))
CLI_OBJECTS := $(call objects,$(CLI_SOURCES)) $(BUILD)/obj/demo_model.o $(BUILD)/obj/demo_schema.o
EXAMPLES := $(patsubst examples/%.c,$(BUILD)/examples/%,$(EXAMPLE_SOURCES))
TESTS := $(patsubst %.c,$(BUILD)/%,$(TEST_PROGRAMS))
BENCHES := $(patsubst %.c,$(BUILD)/%,$(BENCH_SOURCES))

STATIC := $(BUILD)/libslm.a
PROGRAM := $(BUILD)/slm$(if $(findstring mingw,$(TARGET)),.exe)
ifeq ($(SYSTEM),Darwin)
  SHARED := $(BUILD)/libslm.$(VERSION).dylib
  SONAME := libslm.$(MAJOR).dylib
  LINKNAME := libslm.dylib
  SHARED_FLAGS := -dynamiclib -Wl,-install_name,@rpath/$(SONAME) $(if $(PARTIAL),-Wl$(comma)-dead_strip)
else
  SHARED := $(BUILD)/libslm.so.$(VERSION)
  SONAME := libslm.so.$(MAJOR)
  LINKNAME := libslm.so
  SHARED_FLAGS := -shared -Wl,-soname,$(SONAME) -Wl,--no-undefined $(if $(PARTIAL),-Wl$(comma)--gc-sections)
endif
DEMO_MODEL := examples/demo/triage-i8.slm
DEMO_SCHEMA := examples/demo/schema.json

# ---- what to make -------------------------------------------------------------------------------------------------------------------

.PHONY: all run deps test test-golden check asan-test ubsan-test tsan-test test-aarch64 bench format install uninstall amalgamation size clean help
.PHONY: build-tests build-examples

all: $(STATIC) $(BUILD)/$(LINKNAME) $(PROGRAM) ## libslm.a, libslm.so and the program slm, in build/

run: $(PROGRAM) ## the demonstration: a model triages a customer's message into JSON
	@$(PROGRAM) run

deps: ## install what the tests need (Debian, Ubuntu), or say what is missing
	@tests/install_packages.sh

test: build-tests ## run all tests with the golden files in GOLDEN
	@SLM_GOLDEN='$(GOLDEN)' tests/run_tests.sh $(BUILD)

test-golden: build-tests ## every set of the golden files in GOLDEN: a line for each with cases, failures, worst error
	@SLM_GOLDEN='$(GOLDEN)' tests/run_golden.sh $(BUILD)

build-examples: $(EXAMPLES)
build-tests: all build-examples $(TESTS)

check: all build-examples $(BUILD)/amalgamation/slm.c ## layers, symbols, style, other compilers: what no test sees
	@CC='$(CC)' CFLAGS='$(CFLAGS)' MAKE='$(MAKE)' GOLDEN='$(GOLDEN)' tests/run_checks.sh $(BUILD)

asan-test: ## all tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@+SLM_SANITIZER=address $(MAKE) --no-print-directory BUILD=$(BUILD)/asan \
	    CFLAGS='$(CFLAGS) -O1 -g -DSLM_DEBUG -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer' test

ubsan-test: ## all tests under UndefinedBehaviorSanitizer
	@+SLM_SANITIZER=undefined $(MAKE) --no-print-directory BUILD=$(BUILD)/ubsan \
	    CFLAGS='$(CFLAGS) -O1 -g -DSLM_DEBUG -fsanitize=undefined -fno-sanitize-recover=all' test

tsan-test: ## the tests with threads under ThreadSanitizer
	@+SLM_SANITIZER=thread SLM_TESTS='parallel|thread|concurrent' TSAN_OPTIONS='halt_on_error=1 $(TSAN_OPTIONS)' $(MAKE) --no-print-directory \
	    BUILD=$(BUILD)/tsan CFLAGS='$(CFLAGS) -O1 -g -fsanitize=thread' test

test-aarch64: $(PROGRAM) $(BUILD)/tests/api/test_determinism ## AArch64 under qemu: kernels, models, answers have the bits of this machine
	@+SLM_GOLDEN='$(GOLDEN)' MAKE='$(MAKE)' tests/cross_aarch64.sh $(BUILD)

bench: $(PROGRAM) $(BENCHES) ## speed of the CPU, of prefill and of decode for one model shape
	@for program in $(BENCHES); do $$program || exit 1; done
	@$(PROGRAM) bench --shape smollm2-135m --type i4

amalgamation: $(BUILD)/amalgamation/slm.c ## one file slm.c (and one slm.h) to drop into another program
	@echo "made $(BUILD)/amalgamation/slm.c, slm.h (build: cc -O2 -ffp-contract=off -c slm.c; link: -lm -pthread)"

# What an embedder may build who counts bytes. nano: open, tokenize, prefill, decode and sample by scalar kernels on one thread. core: one
# tier, that of the oldest machines that have any, threads, chat templates, errors in sentences; without grammars and conversion.
SIZE_LTO = CFLAGS="$(or $(call takes,-flto=auto -flto-partition=one),$(call takes,-flto))"
SIZE_core := $(firstword $(TIERS_$(MACHINE)))
SIZE_LIBRARIES := nano core everything
SIZE_OPTIONS_nano = MINIMAL=1 SMALL=1 THREADS=none TIERS= $(SIZE_LTO)
SIZE_OPTIONS_core = MINIMAL=1 WITH_CHAT=1 WITH_MESSAGES=1 SMALL=1 TIERS=$(SIZE_core) $(SIZE_LTO)
SIZE_OPTIONS_everything =
SIZE_BUDGET_nano := 64
SIZE_BUDGET_core := 250
SIZE_BUDGET_everything := 800
size: $(SIZE_LIBRARIES:%=size-%) ## machine code (.text) of the shared library in three profiles, beside their budgets
	@printf '%-12s %9s %9s       %s\n' profile .text budget options
	@status=0; $(foreach p,$(SIZE_LIBRARIES),size -A $(BUILD)/size-$(p)/$(notdir $(SHARED)) | \
	    awk -v profile=$(p) -v budget=$(SIZE_BUDGET_$(p)) -v options='$(SIZE_OPTIONS_$(p))' '$$1 ~ /^\.text/ { bytes += $$2 } \
	    END { over = bytes > 1000 * budget; printf "%-12s %6.1f kB %6d kB %s %s\n", profile, bytes / 1000, budget, over ? "OVER" : "ok  ", options; \
	          exit over }' || status=1;) exit $$status
.PHONY: $(SIZE_LIBRARIES:%=size-%)
$(SIZE_LIBRARIES:%=size-%): size-%:
	@+$(MAKE) --no-print-directory BUILD=$(BUILD)/size-$* $(SIZE_OPTIONS_$*) $(BUILD)/size-$*/$(notdir $(SHARED))

format: ## clang-format (14) all sources but the public headers, whose columns are set by hand
	@clang-format -i $(shell git ls-files '*.c' '*.h' | grep -vE '_generated\.c$$|^include/')

clean: ## remove the build folder
	@rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1@\2/p' Makefile | awk -F@ '{ printf "%-20s %s\n", $$1, $$2 }'
	@echo
	@echo "  THREADS=openmp|none  thread backend; default: OpenMP where the compiler has it"
	@echo "  WITH_CONVERT=0       leaves out conversion, inspection and adapters; every call left out returns SLM_E_UNSUPPORTED"
	@echo "  WITH_CHAT=0          leaves out chat templates and the reading of answers: slm_generate is raw only"
	@echo "  WITH_GRAMMAR=0  WITH_IMAGES=0  WITH_SNAPSHOTS=0  WITH_MEASURE=0  leave out what they say (measure: slm bench)"
	@echo "  WITH_SCORES=0        leaves out slm_score, slm_embed, encoders, top_logprobs and slm_answer_fields"
	@echo "  WITH_REUSE=0         leaves out steps of many sessions, forks, kept prefixes and guesses ahead (speculate)"
	@echo "  WITH_VARIANTS=0      leaves out what rarer families need: mixtures of experts, layer norms, layers of another order, all"
	@echo "                       tokenizers but BPE, rarer normalizers and splits"
	@echo "  WITH_MESSAGES=0      slm_error has the text of the status, not a sentence"
	@echo "  MINIMAL=1            leaves all of these out that are not named: MINIMAL=1 WITH_CHAT=1 ..."
	@echo "  SMALL=1              optimises everything but the kernels of the tiers for size; CFLAGS=-flto takes some more away"
	@echo "  PNG=  JPEG=          leaves libpng or libjpeg out of the program, which takes images by them where they are installed"
	@echo "  TIERS='avx2 ...'     the instruction sets beside the scalar one; default: all of this machine's kind; empty: none"
	@echo "  CC=  CFLAGS=  BUILD=build  PREFIX=/usr/local  DESTDIR=  WERROR=1  V=1  GOLDEN=tests/golden"

# "make deps test" and "make check asan-test": one after the other, also with many jobs.
define after
  ifneq ($(filter $(1),$(MAKECMDGOALS)),)
    $(2): | $(1)
  endif
endef
$(eval $(call after,deps,$(TESTS) test test-golden check asan-test ubsan-test tsan-test $(BUILD)/tests/cmocka))
$(eval $(call after,test,test-golden check asan-test ubsan-test tsan-test))
$(eval $(call after,check,asan-test ubsan-test tsan-test))
$(eval $(call after,asan-test,ubsan-test tsan-test))
$(eval $(call after,ubsan-test,tsan-test))
$(eval $(call after,clean,all run test check asan-test $(BUILD)/flags))

# ---- rules --------------------------------------------------------------------------------------------------------------------------

# Everything compiled depends on this file, which changes when the flags do.
FLAGS_NOW := $(CC) $(COLD) $(HOT) $(SMALLEST_HERE) $(COMMON_FLAGS) $(LIBRARY_FLAGS) $(HAVE_TIERS) $(LIBS) $(CFLAGS) $(LDFLAGS) $(PNG) $(JPEG)
ifneq ($(BUILDING),)
  $(shell mkdir -p $(BUILD) && echo '$(FLAGS_NOW)' | cmp -s - $(BUILD)/flags || echo '$(FLAGS_NOW)' > $(BUILD)/flags)
endif
$(BUILD)/flags: ;

# V=1 shows the commands.
Q := $(if $(filter 1,$(V)),,@)
compile = $(Q)mkdir -p $(@D) && $(CC) -MMD -MP
$(BUILD)/obj/src/%.o: src/%.c $(BUILD)/flags
	$(compile) $(LIBRARY_FLAGS) $(size_flag) $(EXTRA_FLAGS) $(CFLAGS) -c $< -o $@
$(BUILD)/obj/kernels/%.o: kernels/%.c $(BUILD)/flags
	$(compile) $(LIBRARY_FLAGS) $(HAVE_TIERS) $(size_flag) $(EXTRA_FLAGS) $(CFLAGS) -c $< -o $@
$(BUILD)/obj/examples/%.o: examples/%.c $(BUILD)/flags
	$(compile) $(COMMON_FLAGS) -I. $(EXTRA_FLAGS) $(CFLAGS) -c $< -o $@
$(BUILD)/obj/tests/%.o: tests/%.c $(BUILD)/flags $(BUILD)/tests/cmocka
	$(compile) $(COMMON_FLAGS) -Isrc -I. $(HAVE_TIERS) $(OPENBLAS_DEFINE) $(CFLAGS) -c $< -o $@
$(BUILD)/obj/bench/%.o: bench/%.c $(BUILD)/flags
	$(compile) $(COMMON_FLAGS) -Isrc -I. $(HAVE_TIERS) $(OPENBLAS_DEFINE) $(CFLAGS) -c $< -o $@

$(BUILD)/obj/examples/cli/cli_image_files.o: EXTRA_FLAGS = $(if $(PNG),-DSLM_CLI_PNG=1) $(if $(JPEG),-DSLM_CLI_JPEG=1) \
    $(if $(IMAGE_PACKAGES),$(shell pkg-config --cflags $(IMAGE_PACKAGES)))
$(BUILD)/obj/src/base/parallel.o: EXTRA_FLAGS := $(OPENMP)
$(BUILD)/obj/src/api/api_engine.o: EXTRA_FLAGS := $(HAVE_TIERS)
define tier_flags
$(BUILD)/obj/kernels/$(1)/%.o: EXTRA_FLAGS := $(ISA_FLAGS_$(1)) $(TIER_FLAGS)
endef
$(foreach tier,$(TIERS),$(eval $(call tier_flags,$(tier))))

$(STATIC): $(LIBRARY_OBJECTS)
	@rm -f $@ && $(AR) rcs $@ $^
$(SHARED): $(LIBRARY_OBJECTS)
	$(Q)$(CC) $(SHARED_FLAGS) $(CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@
$(BUILD)/$(SONAME): $(SHARED)
	@ln -sf $(notdir $<) $@
$(BUILD)/$(LINKNAME): $(BUILD)/$(SONAME)
	@ln -sf $(notdir $<) $@

link = $(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) $(filter %.o,$^) $(filter %.a,$^)
$(PROGRAM): $(CLI_OBJECTS) $(STATIC)
	$(link) $(IMAGE_LIBS) $(LIBS) -o $@
$(EXAMPLES): $(BUILD)/examples/%: $(BUILD)/obj/examples/%.o $(STATIC)
	$(link) $(LIBS) -o $@
$(TESTS): $(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(BUILD)/tests/support.a $(STATIC)
	$(link) -lcmocka $(OPENBLAS_LIBS) $(LIBS) -o $@
$(BENCHES): $(BUILD)/bench/%: $(BUILD)/obj/bench/%.o $(BUILD)/bench/support.a $(STATIC)
	$(link) $(OPENBLAS_LIBS) $(LIBS) -o $@

$(BUILD)/tests/support.a: $(call objects,$(TEST_SUPPORT))
$(BUILD)/bench/support.a: $(call objects,$(BENCH_SUPPORT)) $(filter-out %/main.o,$(call objects,$(CLI_SOURCES)))
$(BUILD)/tests/support.a $(BUILD)/bench/support.a:
	@mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/tests/cmocka:
	@mkdir -p $(@D) && touch $@
	@printf '#include <stdarg.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <setjmp.h>\n#include <cmocka.h>\n' | \
	    $(CC) $(CFLAGS) -x c -fsyntax-only - 2>/dev/null || { echo "The tests need cmocka: make deps"; rm -f $@; exit 1; }

# An oracle for matrix products, where it is installed. Expanded when a recipe runs: `make deps test` installs it in the same breath.
wants_openblas = $(or $(findstring tests/kernels,$@),$(findstring bench_sgemm,$@))
OPENBLAS_LIBS = $(if $(wants_openblas),$(shell pkg-config --libs openblas 2>/dev/null))
OPENBLAS_DEFINE = $(if $(wants_openblas),$(shell pkg-config --exists openblas 2>/dev/null && \
                    echo -DSLM_HAVE_OPENBLAS && pkg-config --cflags openblas))

# The program's built-in model: the file's bytes as a C array; without the file an empty one.
$(BUILD)/embed_file: examples/cli/embed_file.c $(BUILD)/flags
	@mkdir -p $(@D) && $(HOSTCC) $(COMMON_FLAGS) $< -o $@
$(BUILD)/demo_model.c: $(BUILD)/embed_file $(wildcard $(DEMO_MODEL))
	@$(BUILD)/embed_file $(DEMO_MODEL) slm_demo_model $@
$(BUILD)/demo_schema.c: $(BUILD)/embed_file $(DEMO_SCHEMA)
	@$(BUILD)/embed_file $(DEMO_SCHEMA) slm_demo_schema $@
$(BUILD)/obj/demo_%.o: $(BUILD)/demo_%.c
	@mkdir -p $(@D) && $(CC) -std=c11 $(CFLAGS) -O0 -c $< -o $@

AMALGAMATED := $(filter-out $(TIERS:%=kernels/%/%),$(LIBRARY_SOURCES))
$(BUILD)/amalgamation/slm.c: src/amalgamate.awk $(AMALGAMATED) $(wildcard src/*/*.h kernels/*.h kernels/scalar/*.h) $(HEADERS) \
                              $(BUILD)/flags
	@mkdir -p $(@D) && awk '/^#include "slm_/ { part = "include/" substr($$2, 2, length($$2) - 2); \
	    while ((getline line < part) > 0) { if (line !~ /^#include "slm\.h"/) { print line } }; next } { print }' include/slm.h > $(@D)/slm.h
	@awk -v headers='$(HEADERS)' -v parts='$(foreach part,$(PARTS),SLM_WITH_$(part) $(WITH_$(part)))' -f src/amalgamate.awk $(AMALGAMATED) > $@

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# ---- installation -------------------------------------------------------------------------------------------------------------------

ROOT = $(DESTDIR)$(PREFIX)
define PKG_CONFIG
prefix=$(PREFIX)
libdir=$${prefix}/lib
includedir=$${prefix}/include

Name: libslm
Description: small language models on CPUs
Version: $(VERSION)
Cflags: -I$${includedir}
Libs: -L$${libdir} -lslm
Libs.private: $(LIBS)
endef
define CMAKE_CONFIG
get_filename_component(SLM_PREFIX "$${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET slm::slm)
  add_library(slm::slm SHARED IMPORTED)
  set_target_properties(slm::slm PROPERTIES
    IMPORTED_LOCATION "$${SLM_PREFIX}/lib/$(notdir $(SHARED))"
    IMPORTED_SONAME "$(SONAME)"
    INTERFACE_INCLUDE_DIRECTORIES "$${SLM_PREFIX}/include")
endif()
if(NOT TARGET slm::slm_static)
  add_library(slm::slm_static STATIC IMPORTED)
  set_target_properties(slm::slm_static PROPERTIES
    IMPORTED_LOCATION "$${SLM_PREFIX}/lib/libslm.a"
    INTERFACE_LINK_LIBRARIES "$(subst $(eval ) ,;,$(strip $(LIBS)))"
    INTERFACE_INCLUDE_DIRECTORIES "$${SLM_PREFIX}/include")
endif()
endef
define CMAKE_VERSION
set(PACKAGE_VERSION "$(VERSION)")
if(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION OR NOT PACKAGE_FIND_VERSION_MAJOR STREQUAL "$(MAJOR)")
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
else()
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
  if(PACKAGE_FIND_VERSION STREQUAL PACKAGE_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
  endif()
endif()
endef
export PKG_CONFIG CMAKE_CONFIG CMAKE_VERSION

install: all ## library, header, program, man page, pkg-config and CMake files, under DESTDIR PREFIX
	@mkdir -p '$(ROOT)/bin' '$(ROOT)/include' '$(ROOT)/lib/pkgconfig' '$(ROOT)/lib/cmake/slm' '$(ROOT)/share/man/man1'
	@install -m 755 $(PROGRAM) '$(ROOT)/bin/slm'
	@install -m 644 $(HEADERS) '$(ROOT)/include/'
	@install -m 644 $(STATIC) '$(ROOT)/lib/libslm.a'
	@install -m 755 $(SHARED) '$(ROOT)/lib/$(notdir $(SHARED))'
	@ln -sf $(notdir $(SHARED)) '$(ROOT)/lib/$(SONAME)'
	@ln -sf $(SONAME) '$(ROOT)/lib/$(LINKNAME)'
	@printf '%s\n' "$$PKG_CONFIG" > '$(ROOT)/lib/pkgconfig/libslm.pc'
	@printf '%s\n' "$$CMAKE_CONFIG" > '$(ROOT)/lib/cmake/slm/slm-config.cmake'
	@printf '%s\n' "$$CMAKE_VERSION" > '$(ROOT)/lib/cmake/slm/slm-config-version.cmake'
	@install -m 644 examples/cli/slm.1 '$(ROOT)/share/man/man1/slm.1'
	@echo "installed libslm $(VERSION) under $(ROOT)"

uninstall: ## remove what install put there
	@rm -f '$(ROOT)/bin/slm' $(HEADERS:%='$(ROOT)/%') '$(ROOT)/lib/libslm.a' '$(ROOT)/lib/$(notdir $(SHARED))' '$(ROOT)/lib/$(SONAME)' \
	    '$(ROOT)/lib/$(LINKNAME)' '$(ROOT)/lib/pkgconfig/libslm.pc' '$(ROOT)/share/man/man1/slm.1'
	@rm -rf '$(ROOT)/lib/cmake/slm'
