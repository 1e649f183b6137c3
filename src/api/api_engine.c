/* SPDX-License-Identifier: MIT */
/* Library and engine: version, status names, creation, measuring. */
#include "api/handles.h"
#include <string.h>

uint32_t slm_version(void) { return SLM_VERSION_MAJOR * 10000u + SLM_VERSION_MINOR * 100u + SLM_VERSION_PATCH; }

uint32_t slm_abi_version(void) { return SLM_ABI_VERSION; }

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

/* The name of a part, with a blank in front, where the build is without it. */
#define WITHOUT_1(name)
#define WITHOUT_0(name) " " name
#define WITHOUT_FLAG(flag, name) WITHOUT_##flag(name)
#define WITHOUT(flag, name) WITHOUT_FLAG(flag, name)
#define PARTS_MISSING                      \
  WITHOUT(SLM_WITH_CHAT, "chat")           \
  WITHOUT(SLM_WITH_GRAMMAR, "grammar")     \
  WITHOUT(SLM_WITH_IMAGES, "images")       \
  WITHOUT(SLM_WITH_SCORES, "scores")       \
  WITHOUT(SLM_WITH_REUSE, "reuse")         \
  WITHOUT(SLM_WITH_SNAPSHOTS, "snapshots") \
  WITHOUT(SLM_WITH_VARIANTS, "variants")   \
  WITHOUT(SLM_WITH_MEASURE, "measure")     \
  WITHOUT(SLM_WITH_MESSAGES, "messages")

const char *slm_build_info(void)
{
    return "libslm " TEXT(SLM_VERSION_MAJOR) "." TEXT(SLM_VERSION_MINOR) "." TEXT(SLM_VERSION_PATCH)
#if defined(__clang__)
        ", clang " TEXT(__clang_major__)
#elif defined(__GNUC__)
        ", gcc " TEXT(__GNUC__)
#endif
#ifdef SLM_THREADS_OPENMP
            ", threads openmp"
#else
            ", threads none"
#endif
#if SLM_WITH_CONVERT
            ", with conversion"
#endif
#if !SLM_WITH_CHAT || !SLM_WITH_GRAMMAR || !SLM_WITH_IMAGES || !SLM_WITH_SCORES || !SLM_WITH_REUSE || !SLM_WITH_SNAPSHOTS || \
    !SLM_WITH_VARIANTS || !SLM_WITH_MEASURE || !SLM_WITH_MESSAGES
            ", without" PARTS_MISSING
#endif
            ", kernels scalar"
#ifdef SLM_HAVE_AVX2
            " avx2"
#endif
#ifdef SLM_HAVE_AVXVNNI
            " avxvnni"
#endif
#ifdef SLM_HAVE_AVX512VNNI
            " avx512vnni"
#endif
#ifdef SLM_HAVE_NEON
            " neon"
#endif
#ifdef SLM_HAVE_NEON_DOTPROD
            " neon_dotprod"
#endif
#ifdef SLM_HAVE_NEON_I8MM
            " neon_i8mm"
#endif
        ;
}

const char *slm_status_name(slm_status status) { return slm__status_name(status); }

const char *slm_status_text(slm_status status) { return slm__status_text(status); }

int32_t slm_isa_from_name(const char *name, uint64_t name_length)
{
    struct slm_span span;
    return slm__text_in(name, name_length, "name", &span, NULL) == SLM_OK ? slm__isa_parse((const char *)span.data, span.length) : -1;
}

static slm_status check_isa(int32_t isa, slm_error *error)
{
    if (isa == SLM_ISA_BEST) {
        return SLM_OK;
    }
    const char *name = slm__isa_name(isa);
    if (name == NULL) {
        return slm__fail(error, SLM_E_ARGUMENT, "isa is %d, which is no instruction set tier", isa);
    }
    if (!slm__isa_usable((enum slm_isa)isa)) {
        return slm__fail(error, SLM_E_ARGUMENT, "this processor or this build does not have the tier %s; the best is %s", name,
                         slm__isa_name((int32_t)slm__isa_best(0)));
    }
    return SLM_OK;
}

static slm_status fill_engine(struct slm_engine *engine, const slm_engine_options *options, slm_error *error)
{
    if ((options->allocate == NULL) != (options->release == NULL)) {
        return slm__fail(error, SLM_E_ARGUMENT, "allocate and release belong together: set both or neither");
    }
    SLM_TRY(check_isa(options->isa, error));
    memset(engine, 0, sizeof *engine);
    engine->memory = slm__memory_default();
    if (options->allocate != NULL) {
        engine->memory = (struct slm_memory){options->allocate, options->release, options->memory_user};
    }
    engine->log = (struct slm_log){options->log, options->log_user};
    slm__kernels_fill(&engine->kernels, slm__isa_best(options->isa));
    const struct slm_team_options team = {options->threads, options->parallel_for, options->parallel_user};
    engine->team = slm__team_init(&engine->storage, &team);
    if (SLM_WITH_MEASURE) {
        slm__cpu_name(engine->cpu_name);
    }
    return SLM_OK;
}

uint64_t slm_engine_size(void) { return sizeof(struct slm_engine); }

slm_status slm_engine_init_in_place(void *memory, uint64_t bytes, const slm_engine_options *options, slm_engine **engine, slm_error *error)
{
    slm_engine_options known;
    SLM_TRY(slm__require(memory, "memory", error));
    SLM_TRY(slm__require(engine, "engine", error));
    SLM_TRY(slm__options_in(&known, sizeof known, options, error));
    SLM_TRY(slm__require_zero(known.reserved, "engine options: reserved", error));
    if (bytes < sizeof **engine || (uintptr_t)memory % 64 != 0) {
        return slm__fail(error, SLM_E_ARGUMENT, "an engine needs %llu bytes at a multiple of 64; there are %llu",
                         (unsigned long long)sizeof **engine, (unsigned long long)bytes);
    }
    struct slm_engine *self = memory;
    SLM_TRY(fill_engine(self, &known, error));
    self->in_place = true;
    *engine = self;
    return SLM_OK;
}

slm_status slm_engine_create(const slm_engine_options *options, slm_engine **engine, slm_error *error)
{
    slm_engine_options known;
    SLM_TRY(slm__require(engine, "engine", error));
    SLM_TRY(slm__options_in(&known, sizeof known, options, error));
    SLM_TRY(slm__require_zero(known.reserved, "engine options: reserved", error));
    struct slm_memory memory = slm__memory_default();
    if (known.allocate != NULL && known.release != NULL) {
        memory = (struct slm_memory){known.allocate, known.release, known.memory_user};
    }
    struct slm_engine *self = slm__allocate(&memory, sizeof *self, 64);
    if (self == NULL) {
        return slm__fail_memory(error, sizeof *self);
    }
    const slm_status status = fill_engine(self, &known, error);
    if (status != SLM_OK) {
        slm__release(&memory, self, sizeof *self);
        return status;
    }
    *engine = self;
    return SLM_OK;
}

slm_status slm_engine_destroy(slm_engine *engine)
{
    if (engine == NULL) {
        return SLM_OK;
    }
    if (atomic_load(&engine->models) != 0) {
        return SLM_E_BUSY;
    }
    if (!engine->in_place) {
        const struct slm_memory memory = engine->memory;
        slm__release(&memory, engine, sizeof *engine);
    }
    return SLM_OK;
}

slm_status slm_engine_get_info(const slm_engine *engine, slm_engine_info *info, slm_error *error)
{
    SLM_TRY(slm__require(engine, "engine", error));
    const slm_engine_info known = {sizeof known,
                                   slm__team_threads(engine->team),
                                   (int32_t)engine->kernels.isa,
                                   0,
                                   slm__isa_name((int32_t)engine->kernels.isa),
                                   slm__team_backend(engine->team),
                                   engine->cpu_name};
    return slm__struct_out(info, &known, sizeof known, error);
}
