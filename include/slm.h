/* SPDX-License-Identifier: MIT */
/*
 * slm.h - the public interface of libslm, a small-language-model runtime in C.
 *
 * This header is the manual, with three parts that it includes: slm_chat.h, slm_grammar.h, slm_tasks.h.
 * It is plain C11 and C++17, needs only <stdint.h>, and is meant to be bound by FFI without glue:
 * fixed-width scalars and pointers only, no struct by value, no varargs, no bitfields, no bool,
 * size_t or long inside structs.
 *
 * The nouns, from simple to advanced:
 *
 *   engine    allocator, log, threads, instruction set. No process globals exist at all.
 *   model     an opened .slm file: immutable, shared by any number of threads.
 *   session   one sequence of tokens with its KV cache and sampler. One thread at a time.
 *   pool      memory for many sessions of one model, stepped together. One thread at a time.
 *
 * The whole loop (every call returns a slm_status; see "Rules"):
 *
 *     slm_engine *engine = NULL;
 *     slm_model *model = NULL;
 *     slm_session *session = NULL;
 *     slm_error error = {sizeof error, 0, ""};
 *     slm_engine_create(NULL, &engine, &error);
 *     slm_model_open_file(engine, "model.slm", SLM_NUL_TERMINATED, NULL, &model, &error);
 *     slm_session_create(model, NULL, NULL, &session, &error);
 *
 *     int32_t ids[512];
 *     uint64_t count = 0;
 *     slm_tokenize(model, prompt, prompt_length, SLM_TOKENIZE_ADD_SPECIAL, ids, 512, &count, &error);
 *     slm_session_append(session, ids, count, NULL, &error);      // prefill
 *     slm_token token = {sizeof token};
 *     while (slm_session_next(session, &token, &error) == SLM_OK) { // decode
 *         fwrite(token.text, 1, (size_t)token.text_length, stdout);
 *         if (token.stop != SLM_STOP_NONE) break;
 *     }
 *     slm_session_destroy(session);
 *     slm_model_close(model);
 *     slm_engine_destroy(engine);
 *
 * or, the same in one call: slm_generate().
 *
 * Rules that hold for every function
 *
 *  - Status. Functions that can fail return slm_status; SLM_OK is 0. The library never prints, aborts,
 *    exits, asserts, raises a signal or touches locale and environment. A call that fails changes
 *    nothing: the handle is as it was before and can be used.
 *  - slm_error. Optional (may be NULL), owned by the caller, written only on failure: one sentence that
 *    names the file, key, value and what to do.
 *  - Options and results begin with `uint32_t struct_size`, which the caller sets to sizeof the struct.
 *    They only ever grow at the end. Zero in any option means its default, and reserved fields have to be 0. A NULL options pointer means
 *    all defaults. A struct longer than this library knows is accepted if the unknown part is all zero,
 *    and refused (SLM_E_STRUCT_SIZE) otherwise.
 *  - Strings are UTF-8, given as pointer and length in bytes. SLM_NUL_TERMINATED as length means: up to
 *    the first NUL. Text results go to the caller's buffer: `capacity` bytes are available, `*needed` is
 *    set to the length of the whole result (no NUL is counted or added); if it does not fit, nothing is
 *    written and SLM_E_BUFFER_TOO_SMALL is returned. Call with capacity 0 to learn the length.
 *  - Threads. Engine and model may be used by any number of threads at once. A pool and all its sessions
 *    belong to one thread at a time. slm_session_cancel() may be called from any thread and from a signal
 *    handler. Callbacks run on the calling thread, inside the call.
 *  - Ownership. What slm_X_create or slm_model_open_... returns is given back by slm_X_destroy or slm_model_close,
 *    which accept NULL. Destroying an engine or model that is still used is refused with SLM_E_BUSY.
 *  - Determinism. The same file and the same input give the same bits on every instruction set, thread
 *    count, batch and division of the prompt into appends.
 *  - fork(): do not use handles of the parent in the child. Threads exist only inside calls, except those
 *    that the OpenMP runtime keeps; a library built with THREADS=none creates none and may be unloaded.
 *  - Floating-point control (rounding, FTZ, DAZ) is set inside calls and restored before they return.
 */
#ifndef SLM_H
#define SLM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32) && defined(SLM_SHARED)
#  ifdef SLM_BUILD
#    define SLM_API __declspec(dllexport)
#  else
#    define SLM_API __declspec(dllimport)
#  endif
#elif defined(__GNUC__)
#  define SLM_API __attribute__((visibility("default")))
#else
#  define SLM_API
#endif

/* ------------------------------------------------------------------------------------------------
 * Version
 */

#define SLM_VERSION_MAJOR 0
#define SLM_VERSION_MINOR 1
#define SLM_VERSION_PATCH 0
#define SLM_ABI_VERSION 1 /* grows when a released struct or function changes incompatibly */

/* MAJOR * 10000 + MINOR * 100 + PATCH of the library that is running. */
SLM_API uint32_t slm_version(void);
/* SLM_ABI_VERSION of the library that is running. */
SLM_API uint32_t slm_abi_version(void);
/* One line: version, compiler, thread backend, what was left out ("without grammar images"), instruction sets built in. Static text.
 * A build may leave parts out (WITH_GRAMMAR=0, MINIMAL=1 ... of the Makefile, in lower case here); their calls return SLM_E_UNSUPPORTED,
 * and a model file that needs one is refused with it. Without "messages" slm_error has the short text of the status for its sentence. */
SLM_API const char *slm_build_info(void);

/* Length argument that means: the string ends at its first NUL byte. */
#define SLM_NUL_TERMINATED UINT64_MAX

/* ------------------------------------------------------------------------------------------------
 * Status
 *
 * X(name, number, text). Numbers are pinned for ever, in tens by theme.
 */

#define SLM_STATUS_LIST(X)                                                                             \
    X(SLM_OK, 0, "success")                                                                            \
    X(SLM_E_ARGUMENT, 10, "an argument is invalid")                                                    \
    X(SLM_E_STRUCT_SIZE, 11, "struct_size is wrong, or an option unknown to this version is set")      \
    X(SLM_E_BUFFER_TOO_SMALL, 12, "the result does not fit into the buffer")                           \
    X(SLM_E_BUSY, 13, "the object is still in use")                                                    \
    X(SLM_E_STATE, 14, "the call is not possible in this state of the object")                         \
    X(SLM_E_FILE_MISSING, 20, "the file does not exist or cannot be opened")                           \
    X(SLM_E_FILE_READ, 21, "reading the file failed")                                                  \
    X(SLM_E_FILE_WRITE, 22, "writing the file failed")                                                 \
    X(SLM_E_BAD_MAGIC, 30, "the file is not of this format")                                           \
    X(SLM_E_VERSION, 31, "the format's version is not supported")                                      \
    X(SLM_E_TRUNCATED, 32, "the data end too early")                                                   \
    X(SLM_E_CHECKSUM, 33, "a checksum does not match")                                                 \
    X(SLM_E_BAD_VALUE, 34, "a value in the data is invalid")                                           \
    X(SLM_E_UNSUPPORTED, 35, "the data need something that this version does not support")             \
    X(SLM_E_SYNTAX, 36, "a text does not follow its grammar")                                          \
    X(SLM_E_LIMIT, 37, "a limit of size, depth or steps was reached")                                  \
    X(SLM_E_NO_MEMORY, 40, "memory could not be allocated")                                            \
    X(SLM_E_CONTEXT_FULL, 50, "the session's context is full")                                         \
    X(SLM_E_POOL_FULL, 51, "the pool has no free page or session left")                                \
    X(SLM_E_CANCELLED, 52, "the call was cancelled")                                                   \
    X(SLM_E_BAD_TOKEN, 53, "a token id is not in the vocabulary")                                      \
    X(SLM_E_REWIND_LIMIT, 54, "the position was dropped from a windowed cache")                        \
    X(SLM_E_NOT_FINITE, 55, "a logit is not a finite number, or no token is allowed")                  \
    X(SLM_E_NO_TOKENIZER, 60, "the model has no tokenizer")                                            \
    X(SLM_E_NO_TEMPLATE, 61, "the model has no chat template")                                         \
    X(SLM_E_ENCODING, 62, "the text is not valid UTF-8")                                               \
    X(SLM_E_TEMPLATE, 63, "the chat template refused the conversation or failed")                      \
    X(SLM_E_INTERNAL, 90, "a defect in libslm; please report it")

typedef int32_t slm_status;

enum {
#define SLM_STATUS_ENUM(name, number, text) name = number,
    SLM_STATUS_LIST(SLM_STATUS_ENUM)
#undef SLM_STATUS_ENUM
};

/* "SLM_E_TRUNCATED" for a status; "SLM_E_?" for a number that is none. Static text. */
SLM_API const char *slm_status_name(slm_status status);
/* The sentence above for a status. Static text. */
SLM_API const char *slm_status_text(slm_status status);

/* What went wrong. Caller-owned, optional everywhere. Untouched on success. */
typedef struct slm_error {
    uint32_t struct_size;
    int32_t status;
    char message[504]; /* UTF-8, NUL-terminated, one sentence */
} slm_error;

/* ------------------------------------------------------------------------------------------------
 * Engine
 */

/* Instruction set tiers. A tier includes all below it on its architecture. */
enum {
    SLM_ISA_BEST = 0, /* the best that this machine and this build have */
    SLM_ISA_SCALAR = 1,
    SLM_ISA_AVX2 = 10,
    SLM_ISA_AVXVNNI = 11,
    SLM_ISA_AVX512VNNI = 12,
    SLM_ISA_NEON = 20,
    SLM_ISA_NEON_DOTPROD = 21,
    SLM_ISA_NEON_I8MM = 22
};

enum { SLM_LOG_WARNING = 1, SLM_LOG_INFO = 2 };

/* Allocator hooks. `alignment` is a power of two, at most 4096. `allocate` returns NULL when it has no
 * memory; `release` gets the same number of bytes that was asked for. Both may be called from any thread
 * that calls into the library. */
typedef void *slm_allocate_fn(void *user, uint64_t bytes, uint64_t alignment);
typedef void slm_release_fn(void *user, void *memory, uint64_t bytes);
/* Log hook: one line without newline, valid during the call. level is SLM_LOG_WARNING or SLM_LOG_INFO. */
typedef void slm_log_fn(void *user, int32_t level, const char *message);
/* The host's own parallel loop: call task(context, i) for every i < count, in any order and on any
 * threads (one is enough), and return when all are done. */
typedef void slm_task_fn(void *context, uint32_t index);
typedef void slm_parallel_for_fn(void *user, uint32_t count, slm_task_fn *task, void *context);

typedef struct slm_engine_options {
    uint32_t struct_size;
    uint32_t threads;              /* 0: min(affinity mask, cgroup CPU quota) */
    int32_t isa;                   /* SLM_ISA_...: an upper bound; 0: the best */
    int32_t reserved;              /* 0 */
    slm_allocate_fn *allocate;     /* both or neither; NULL: the C library's */
    slm_release_fn *release;
    void *memory_user;
    slm_log_fn *log;               /* NULL: silence */
    void *log_user;
    slm_parallel_for_fn *parallel_for; /* NULL: OpenMP, or one thread in builds without it */
    void *parallel_user;
} slm_engine_options;

typedef struct slm_engine slm_engine;

/* Create an engine. Errors: SLM_E_ARGUMENT (half an allocator; a tier this machine or build lacks),
 * SLM_E_NO_MEMORY. */
SLM_API slm_status slm_engine_create(const slm_engine_options *options, slm_engine **engine, slm_error *error);
/* Bytes that slm_engine_init_in_place() needs, aligned to 64. */
SLM_API uint64_t slm_engine_size(void);
/* As slm_engine_create(), in the caller's memory; nothing is allocated. */
SLM_API slm_status slm_engine_init_in_place(void *memory, uint64_t bytes, const slm_engine_options *options,
                                            slm_engine **engine, slm_error *error);
/* SLM_E_BUSY while a model of the engine is open. NULL is fine. */
SLM_API slm_status slm_engine_destroy(slm_engine *engine);

typedef struct slm_engine_info {
    uint32_t struct_size;
    uint32_t threads;     /* threads that calls use */
    int32_t isa;          /* tier in use, SLM_ISA_... */
    int32_t reserved;
    const char *isa_name; /* "scalar", "avx2", ...; static text */
    const char *threads_name; /* "openmp", "none", "host"; static text */
    const char *cpu_name; /* the processor's own name, or ""; valid as long as the engine */
} slm_engine_info;

SLM_API slm_status slm_engine_get_info(const slm_engine *engine, slm_engine_info *info, slm_error *error);
/* The tier of a name such as "avx2", or -1. */
SLM_API int32_t slm_isa_from_name(const char *name, uint64_t name_length);

/* What the machine can do with this engine's threads and tier. Takes about a second. */
typedef struct slm_machine {
    uint32_t struct_size;
    uint32_t threads;
    double read_bandwidth_bytes_per_second; /* reading 512 MB or four times the last cache, whichever is more */
    double int8_peak_ops_per_second;        /* the tier's own i8 instruction mix, in registers */
    double int4_peak_ops_per_second;        /* the same for i4 */
} slm_machine;

SLM_API slm_status slm_engine_measure(slm_engine *engine, slm_machine *machine, slm_error *error);

/* ------------------------------------------------------------------------------------------------
 * Model
 */

typedef struct slm_model slm_model;

enum { SLM_TYPE_DEFAULT = 0, SLM_TYPE_F32 = 1, SLM_TYPE_F16 = 2, SLM_TYPE_BF16 = 3, SLM_TYPE_I8 = 4, SLM_TYPE_I4 = 5 };

enum {
    SLM_MODEL_READ = 1 /* read the file into memory instead of mapping it (a mapped file must not shrink while open) */
};

typedef struct slm_model_options {
    uint32_t struct_size;
    uint32_t flags;        /* SLM_MODEL_... */
    void *block;           /* memory for the handle, or NULL: the engine's allocator */
    uint64_t block_bytes;  /* at least slm_model_plan()'s handle_bytes, aligned to 64 */
} slm_model_options;

typedef struct slm_model_memory {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t handle_bytes; /* allocated by opening */
    uint64_t mapped_bytes; /* the file's size: mapped, or allocated too with SLM_MODEL_READ */
} slm_model_memory;

/* Open a .slm file: map and validate, no copy. Reads headers, directory and tokenizer tables only.
 * Errors: SLM_E_FILE_MISSING, SLM_E_FILE_READ, SLM_E_BAD_MAGIC, SLM_E_VERSION, SLM_E_TRUNCATED, SLM_E_CHECKSUM,
 * SLM_E_BAD_VALUE, SLM_E_UNSUPPORTED, SLM_E_NO_MEMORY. */
SLM_API slm_status slm_model_open_file(slm_engine *engine, const char *path, uint64_t path_length,
                                       const slm_model_options *options, slm_model **model, slm_error *error);
/* The same for bytes in memory, aligned to 64, which must stay there unchanged until slm_model_close().
 * They may be read-only (ROM). */
SLM_API slm_status slm_model_open_memory(slm_engine *engine, const void *bytes, uint64_t length,
                                         const slm_model_options *options, slm_model **model, slm_error *error);
/* Exact memory that opening this file takes. */
SLM_API slm_status slm_model_plan(slm_engine *engine, const char *path, uint64_t path_length,
                                  const slm_model_options *options, slm_model_memory *memory, slm_error *error);
/* SLM_E_BUSY while a pool or session of the model exists. NULL is fine. */
SLM_API slm_status slm_model_close(slm_model *model);

typedef struct slm_model_info {
    uint32_t struct_size;
    uint32_t layers;
    uint32_t hidden_size;
    uint32_t vocab_size;     /* rows of the output head; logits have this length (of an encoder: token ids are below). 0: a tokenizer
                              * without weights */
    uint32_t max_context;    /* longest sequence the model was made for, in tokens */
    uint32_t heads;          /* of the first layer */
    uint32_t kv_heads;
    uint32_t head_dim;
    int32_t body_type;       /* SLM_TYPE_... of the layers' matrices */
    int32_t head_type;       /* of the output head */
    int32_t tied;            /* 1: the output head is the embedding */
    int32_t has_tokenizer;
    int32_t has_chat_template;
    int32_t bos_token;       /* -1: none */
    uint32_t eos_count;      /* number of valid entries below */
    int32_t eos_tokens[16];
    uint32_t token_count;    /* entries of the tokenizer, 0 without */
    uint64_t parameters;     /* weights, without padding */
    uint64_t file_bytes;
    uint64_t bytes_per_token;    /* weight bytes read to decode one token */
    uint64_t body_ops_per_token; /* 2 x weights of the layers' matrices */
    float default_temperature;   /* sampling defaults of the checkpoint; 0: greedy */
    float default_top_p;         /* 0: not set */
    uint32_t default_top_k;      /* 0: not set */
    float default_repetition_penalty; /* 0: not set */
    int32_t encoder;             /* 1: tokens see the whole text; it has embeddings only: slm_embed() */
    int32_t pooling;             /* SLM_POOLING_...: how slm_embed() makes them by default */
    int32_t normalize;           /* 1: to length 1, by default */
    uint32_t image_size;   /* images become squares of so many pixels a side; 0: the model takes none */
    uint32_t image_tokens; /* tokens of an image */
    int32_t image_token;   /* the id that stands for each of them */
} slm_model_info;

SLM_API slm_status slm_model_get_info(const slm_model *model, slm_model_info *info, slm_error *error);

enum {
    SLM_TEXT_NAME = 1,
    SLM_TEXT_FAMILY = 2,        /* where the architecture came from, e.g. "llama" */
    SLM_TEXT_LICENSE = 3,       /* the weights' licence text */
    SLM_TEXT_NOTICE = 4,
    SLM_TEXT_CHAT_TEMPLATE = 5, /* Jinja source */
    SLM_TEXT_SOURCE = 6,        /* provenance: source format and hash */
    SLM_TEXT_TEMPLATE_TOKENS = 7 /* JSON object: bos_token, eos_token ... as the template sees them */
};

/* A text of the model, in place: valid until slm_model_close(). Empty (length 0) when the file has none. */
SLM_API slm_status slm_model_text(const slm_model *model, int32_t which, const char **text, uint64_t *length,
                                  slm_error *error);
/* Read the whole file and compare every checksum. `progress` may be NULL. */
typedef int32_t slm_progress_fn(void *user, uint64_t done, uint64_t total, const char *what); /* not 0: stop */
SLM_API slm_status slm_model_verify(const slm_model *model, slm_progress_fn *progress, void *user, slm_error *error);

/* ------------------------------------------------------------------------------------------------
 * Convert (left out of builds with WITH_CONVERT=0: then every call returns SLM_E_UNSUPPORTED)
 */

typedef struct slm_string {
    const char *text;
    uint64_t length;
} slm_string;

enum {
    SLM_CONVERT_TEXT_ONLY = 1 /* leave out the part of a model that sees */
};

typedef struct slm_convert_options {
    uint32_t struct_size;
    int32_t type;      /* of the layers' matrices; 0: I8 */
    int32_t head_type; /* of embedding and output head; 0: I8 for I4 and I8 bodies, else the body's */
    uint32_t flags;    /* SLM_CONVERT_... */
    slm_progress_fn *progress; /* may be NULL; returning not 0 stops with SLM_E_CANCELLED */
    void *progress_user;
    const slm_string *adapters;   /* paths of LoRA adapters (peft folders, GGUF files) to merge into the weights; at most 64 */
    const float *adapter_weights; /* a factor for each; NULL: 1 for all */
    uint64_t adapter_count;
} slm_convert_options;

typedef struct slm_convert_result {
    uint32_t struct_size;
    uint32_t tensors;
    uint64_t source_bytes;
    uint64_t file_bytes;
    uint64_t parameters;
    double body_error; /* relative rms error of the layers' matrices, median over matrices */
    double head_error;
} slm_convert_result;

/* Convert a checkpoint (Hugging Face folder, also of GPTQ or AWQ, or GGUF file; of a split one, the first part) into a .slm file.
 * Sources of 8 and 4 bits keep their codes in I8 and I4 where the groups allow; body_error says what was lost.
 * The file is written under a temporary name beside `destination` and renamed when complete; a failure leaves nothing
 * behind and an existing destination untouched. An existing file is replaced only if it is empty or an .slm file
 * (of a symbolic link, the link). The same source gives the same bytes on every machine. Warnings go to
 * the engine's log. */
SLM_API slm_status slm_convert(slm_engine *engine, const char *source, uint64_t source_length, const char *destination,
                               uint64_t destination_length, const slm_convert_options *options, slm_convert_result *result,
                               slm_error *error);
/* Describe a .slm file, a checkpoint folder, a GGUF or a safetensors file, a LoRA adapter as a JSON object: what it is, its parameters
 * and tensors, what slm_convert() would do. Fails, with the reason, where opening or converting would fail. */
SLM_API slm_status slm_inspect(slm_engine *engine, const char *path, uint64_t path_length, char *json, uint64_t capacity,
                               uint64_t *needed, slm_error *error);
/* A model without weights, only to tokenize with, from the text of a tokenizer.json. */
SLM_API slm_status slm_model_open_tokenizer(slm_engine *engine, const char *json, uint64_t length, slm_model **model,
                                            slm_error *error);
/* A model in memory with random weights in the shape of a config.json: to measure speed without a download. */
typedef struct slm_random_options {
    uint32_t struct_size;
    int32_t type;      /* as in slm_convert_options */
    int32_t head_type;
    uint32_t seed;
} slm_random_options;
SLM_API slm_status slm_model_open_random(slm_engine *engine, const char *config_json, uint64_t length,
                                         const slm_random_options *options, slm_model **model, slm_error *error);

/* ------------------------------------------------------------------------------------------------
 * Text
 */

enum {
    SLM_TOKENIZE_ADD_SPECIAL = 1, /* add what the model's post-processor adds (bos ...) */
    SLM_TOKENIZE_PLAIN = 2,       /* special tokens written in the text are ordinary text: use it for untrusted text. (A Unigram model may
                                     have `</s>` among its pieces and give it, as the reference; slm_chat_tokenize() keeps it out.) */
    SLM_TOKENIZE_STRICT = 4       /* refuse invalid UTF-8 (SLM_E_ENCODING) instead of reading it as U+FFFD */
};
enum { SLM_DETOKENIZE_SKIP_SPECIAL = 1 };

/* Text to token ids. *count is the number of ids; if it exceeds capacity nothing is written and
 * SLM_E_BUFFER_TOO_SMALL is returned. Takes O(n log n) time for n bytes. */
SLM_API slm_status slm_tokenize(const slm_model *model, const char *text, uint64_t length, uint32_t flags, int32_t *ids,
                                uint64_t capacity, uint64_t *count, slm_error *error);
/* Token ids to text. */
SLM_API slm_status slm_detokenize(const slm_model *model, const int32_t *ids, uint64_t count, uint32_t flags, char *text,
                                  uint64_t capacity, uint64_t *needed, slm_error *error);
/* The bytes that one token stands for, in the middle of a text; may be part of a character. */
SLM_API slm_status slm_token_bytes(const slm_model *model, int32_t token, char *bytes, uint64_t capacity, uint64_t *needed,
                                   slm_error *error);

/* ------------------------------------------------------------------------------------------------
 * Sessions and pools
 */

typedef struct slm_pool slm_pool;
typedef struct slm_session slm_session;

/* Keys and values in the cache. Default F16, in a pool for an encoder F32. I8 has one scale for each token and kv head, and takes half the
 * memory of F16. */
enum { SLM_KV_DEFAULT = 0, SLM_KV_F32 = 1, SLM_KV_F16 = 2, SLM_KV_I8 = 3 };

/* Reuse (prefixes not 0): an append that wants no logits or hidden states shares the longest beginning that it has in common with a kept
 * sequence or another session, instead of computing it: the same bits. Never between different adapters, and not beyond an image.
 * Kept sequences take pages that no session needs; the least recently used gives way. */
typedef struct slm_pool_options {
    uint32_t struct_size;
    uint32_t sessions;  /* most sessions at once; 0: 1 */
    uint32_t context;   /* most tokens of one session; 0: the model's max_context, at most 4096 */
    int32_t kv_type;    /* SLM_KV_... */
    uint64_t kv_tokens; /* tokens that all sessions hold together; 0: sessions x context */
    uint32_t batch;     /* most rows of one forward pass, at least image_tokens where the model takes images; 0: 512 */
    uint32_t reserved;
    void *block;        /* memory for the pool, or NULL: one allocation by the engine's allocator */
    uint64_t block_bytes; /* at least slm_pool_plan()'s total_bytes, aligned to 64 */
    uint32_t adapter_rank; /* largest rank (slm_adapter_info) of an adapter that a session may be given; 0: sessions have no adapters */
    uint32_t speculate;    /* most tokens guessed ahead of a session, at most 64; each takes vocab_size floats a session; 0: none */
    uint32_t prefixes;     /* most sequences kept for reuse when their session ends or is rewound to 0; 0: nothing is reused */
    uint32_t reserved2;
    uint64_t grammar_bytes; /* for matching a grammar, for each session; 2 MB is a good size, more for large ones; 0: no grammars */
} slm_pool_options;

typedef struct slm_pool_memory {
    uint32_t struct_size;
    uint32_t page_tokens;     /* tokens of one KV page */
    uint64_t total_bytes;     /* all that creating the pool allocates, to the byte */
    uint64_t kv_bytes;        /* KV pages */
    uint64_t workspace_bytes; /* activations of one forward pass */
    uint64_t session_bytes;   /* tokens, page tables, samplers and logits of all sessions */
} slm_pool_memory;

/* Exact memory of a pool; pure arithmetic. */
SLM_API slm_status slm_pool_plan(const slm_model *model, const slm_pool_options *options, slm_pool_memory *memory,
                                 slm_error *error);
/* Create a pool: one allocation, or none with a block. Afterwards running its sessions allocates nothing. */
SLM_API slm_status slm_pool_create(slm_model *model, const slm_pool_options *options, slm_pool **pool, slm_error *error);
/* SLM_E_BUSY while a session of the pool exists. NULL is fine. */
SLM_API slm_status slm_pool_destroy(slm_pool *pool);

typedef struct slm_logit_bias {
    int32_t token;
    float bias; /* added to the logit; -INFINITY forbids the token */
} slm_logit_bias;

/* How the next token is chosen. In this order: logit bias, repetition / frequency / presence penalty, top-k, temperature,
 * top-p, min-p, one draw of a portable generator: the same seed gives the same tokens on every machine. */
typedef struct slm_sampling {
    uint32_t struct_size;
    float temperature;        /* 0: greedy (highest logit, lowest id among equals) */
    uint32_t top_k;           /* keep the k best; 0: off */
    float top_p;              /* smallest set of best tokens whose probabilities reach p; 0 or >= 1: off */
    float min_p;              /* keep tokens with at least min_p x the best probability; 0: off */
    float repetition_penalty; /* logits of tokens seen are divided (> 0) or multiplied (< 0) by it; 0 or 1: off */
    float frequency_penalty;  /* subtracted for each occurrence */
    float presence_penalty;   /* subtracted once when seen */
    uint32_t penalty_window;  /* last tokens that count as seen; 0: all of the session */
    uint32_t reserved;
    uint64_t seed;
    const slm_logit_bias *bias; /* copied; at most 1024 */
    uint64_t bias_count;
} slm_sampling;

enum { SLM_TOP_LOGPROBS_MAX = 20 };
enum {
    SLM_SESSION_IGNORE_EOS = 1,
    SLM_SESSION_SHOW_SPECIAL = 2,
    SLM_SESSION_JUMP = 4 /* bytes that a grammar leaves no choice of are tokenized and appended in one pass, without choosing */
};

/* Guessing ahead (speculate not 0): where the last tokens stood before in the sequence, the next ones may be those that followed; a pass
 * computes them too, and those that are then chosen cost none of their own. Tokens and bits are the same as without; guessing pauses
 * where too few come true. */
typedef struct slm_session_options {
    uint32_t struct_size;
    uint32_t flags;      /* SLM_SESSION_... */
    uint32_t context;    /* most tokens; 0: the pool's, or the default of slm_pool_options */
    uint32_t max_tokens; /* stop after so many tokens from slm_session_next() since the last append; 0: no limit */
    int32_t kv_type;     /* only without a pool */
    uint32_t batch;      /* only without a pool: as in slm_pool_options */
    const slm_sampling *sampling; /* copied; NULL: greedy */
    const slm_string *stop;       /* stop strings, copied; at most 16, together at most 2048 bytes */
    uint64_t stop_count;
    uint32_t adapter_rank; /* only without a pool: as in slm_pool_options */
    uint32_t top_logprobs; /* slm_token.top: the N most probable tokens at every step; at most SLM_TOP_LOGPROBS_MAX */
    uint32_t speculate;    /* guess up to so many tokens ahead, at most the pool's; 8 is a good choice; 0: off */
    uint32_t reserved;
    uint64_t grammar_bytes; /* only without a pool: as in slm_pool_options */
} slm_session_options;

/* A session in `pool`, or, with pool NULL, in a pool of its own (one allocation). */
SLM_API slm_status slm_session_create(slm_model *model, slm_pool *pool, const slm_session_options *options,
                                      slm_session **session, slm_error *error);
/* NULL is fine. */
SLM_API slm_status slm_session_destroy(slm_session *session);

typedef struct slm_append_options {
    uint32_t struct_size;
    uint32_t reserved;
    float *logits;            /* [count, vocab_size]: logits after every token; NULL: not wanted */
    uint64_t logits_capacity; /* in floats */
    float *hidden;            /* [count, hidden_size]: input of the output head; NULL: not wanted */
    uint64_t hidden_capacity;
} slm_append_options;

/* Add tokens to the sequence (prefill), in chunks of at most the pool's batch. All or nothing: on SLM_E_CONTEXT_FULL,
 * SLM_E_POOL_FULL, SLM_E_BAD_TOKEN, SLM_E_CANCELLED or SLM_E_NOT_FINITE the session is as it was before. count 0 is fine. The id of a
 * model's image_token is refused (SLM_E_BAD_TOKEN): see slm_session_append_image(). */
SLM_API slm_status slm_session_append(slm_session *session, const int32_t *tokens, uint64_t count,
                                      const slm_append_options *options, slm_error *error);

enum {
    SLM_IMAGE_RGB8 = 0,  /* bytes: red, green, blue, row after row from the top */
    SLM_IMAGE_VALUES = 1 /* f32 [3, image_size, image_size]: what a processor would make of the bytes, for comparisons */
};

typedef struct slm_image {
    uint32_t struct_size;
    int32_t format;       /* SLM_IMAGE_... */
    uint32_t width;       /* pixels, 1 to 16384 */
    uint32_t height;
    const void *pixels;
    uint64_t pixel_bytes; /* length of the buffer: 3 x width x height; with row_bytes, at least up to the end of the last row */
    uint64_t row_bytes;   /* RGB8: from one row to the next; 0: 3 x width */
} slm_image;

/* Add an image: the model's image_tokens tokens, which see each other in both directions. RGB8 is resized to image_size x image_size by
 * the reference's rule (bilinear with antialiasing, to the bit as Pillow 12 does). Tokens that begin and end an image in a prompt are
 * ordinary ones: append them before and after (slm_chat_tokenize() writes them, and image_tokens times image_token in between, where the
 * template places an image). options->logits and hidden have image_tokens rows. All or nothing as slm_session_append(); besides its errors
 * SLM_E_UNSUPPORTED (the model takes no images), SLM_E_ARGUMENT (sizes, a value that is not finite). */
SLM_API slm_status slm_session_append_image(slm_session *session, const slm_image *image, const slm_append_options *options,
                                            slm_error *error);

enum {
    SLM_STOP_NONE = 0,
    SLM_STOP_EOS = 1,     /* the model ended its answer; the eos token itself has no text */
    SLM_STOP_LENGTH = 2,  /* max_tokens reached */
    SLM_STOP_STRING = 3,  /* a stop string was found; the text ends before it */
    SLM_STOP_CONTEXT = 4, /* the context is full */
    SLM_STOP_TIME = 5,    /* slm_generate: the time limit was reached */
    SLM_STOP_CALLBACK = 6,/* slm_generate: the callback asked to stop */
    SLM_STOP_CANCELLED = 7,/* slm_generate: slm_session_cancel() */
    SLM_STOP_GRAMMAR = 8   /* the text of the grammar is complete, and nothing can follow */
};

typedef struct slm_token_logprob {
    int32_t token;
    float logprob; /* natural logarithm of the probability under the model's own distribution */
} slm_token_logprob;

typedef struct slm_token {
    uint32_t struct_size;
    int32_t token;        /* its id */
    float logprob;        /* natural logarithm of its probability under the model's own distribution */
    int32_t stop;         /* SLM_STOP_...; not 0: this was the last */
    const char *text;     /* complete UTF-8 that has become certain with this token; may be empty; valid until the next call */
    uint64_t text_length;
    uint32_t top_count;   /* as many as the session's top_logprobs asks for, fewer where the vocabulary has no more possible tokens */
    uint32_t reserved;
    const slm_token_logprob *top; /* the most probable tokens, best first, lower id first among equals; valid until the next call */
    float allowed_logprob; /* the same as logprob among the tokens that the session's grammar allowed here; without grammar: logprob */
    uint32_t forced;       /* tokens behind this one that needed no choice: their text is in `text`, their ids in slm_session_tokens() */
} slm_token;

/* Choose the next token from the logits of the last position, and give it out. The token counts as part of the sequence
 * at once. SLM_E_STATE before the first append; after a stop the next call goes on. On cancellation the session is unharmed. */
SLM_API slm_status slm_session_next(slm_session *session, slm_token *token, slm_error *error);

/* slm_session_next() for many sessions of one pool in one forward pass. statuses[i] and tokens[i] belong to sessions[i];
 * the call returns the first status that is not SLM_OK; a session that fails is unchanged, the others have advanced. The bits are those
 * of stepping each alone. */
SLM_API slm_status slm_pool_step(slm_pool *pool, slm_session *const *sessions, uint32_t count, slm_token *tokens,
                                 slm_status *statuses, slm_error *error);

/* Logits after the last token: vocab_size floats, valid until the next call on the session. SLM_E_STATE when empty. */
SLM_API slm_status slm_session_logits(slm_session *session, const float **logits, uint64_t *count, slm_error *error);
/* Keep the first `tokens` tokens and forget the rest; no copying. Held-back text is dropped. Layers with a window of W keep W + 256 keys:
 * rewinding further is SLM_E_REWIND_LIMIT, whose message names the position; 0 is always possible. Images are kept whole (SLM_E_ARGUMENT);
 * after a rewind to the end of one, tokens have to be appended before slm_session_next() or slm_session_logits() (SLM_E_STATE). */
SLM_API slm_status slm_session_rewind(slm_session *session, uint64_t tokens, slm_error *error);
/* A second session with the same tokens, sampler and cache, in the same pool; shares pages, copies none. */
SLM_API slm_status slm_session_fork(slm_session *session, slm_session **fork, slm_error *error);
/* Change the sampler; the generator starts again from sampling->seed. */
SLM_API slm_status slm_session_set_sampling(slm_session *session, const slm_sampling *sampling, slm_error *error);
/* The sequence so far. */
SLM_API slm_status slm_session_tokens(const slm_session *session, int32_t *ids, uint64_t capacity, uint64_t *count,
                                      slm_error *error);

typedef struct slm_session_info {
    uint32_t struct_size;
    uint32_t tokens;      /* length of the sequence */
    uint32_t context;     /* its limit */
    uint32_t pages;       /* KV pages held, shared ones too */
    int32_t last_stop;    /* SLM_STOP_... of the last slm_session_next() */
    int32_t kv_type;
    int32_t long_context; /* 1: its context is long enough for the model's second set of rotary frequencies (longrope) */
    uint32_t reused;      /* tokens of the last append that were found in the pool's cache */
    uint64_t guessed;     /* tokens that were guessed ahead */
    uint64_t accepted;    /* of them those that were then chosen */
} slm_session_info;

SLM_API slm_status slm_session_get_info(const slm_session *session, slm_session_info *info, slm_error *error);
/* The session as bytes, to go on later, in another session or process or on another machine: tokens, keys and values, sampler with its
 * generator, stop strings, text held back. *needed is their number; a NULL or smaller buffer is SLM_E_BUFFER_TOO_SMALL. The format, little-
 * endian with a CRC-32C, is in src/runtime/snapshot.h. Conversation and all, the bytes are as private as the session. */
SLM_API slm_status slm_session_save(const slm_session *session, void *bytes, uint64_t capacity, uint64_t *needed, slm_error *error);
/* Make a session what was saved; what it held is given up. Refused, and nothing changes, when the bytes are cut or damaged
 * (SLM_E_TRUNCATED, SLM_E_BAD_MAGIC, SLM_E_VERSION, SLM_E_CHECKSUM), for another model, kv_type, adapters or rotary frequencies
 * (SLM_E_BAD_VALUE), or when context or pool are too small (SLM_E_CONTEXT_FULL, SLM_E_POOL_FULL). */
SLM_API slm_status slm_session_restore(slm_session *session, const void *bytes, uint64_t length, slm_error *error);
/* Make the running append, next, logits or generate of this session return SLM_E_CANCELLED soon; without one, the next to start.
 * From any thread, and from a signal handler. */
SLM_API void slm_session_cancel(slm_session *session);

/* ------------------------------------------------------------------------------------------------
 * The simple case
 */

enum { SLM_GENERATE_RAW = 1 }; /* the prompt is the text itself: no chat template, special tokens added */

/* Called with each piece of complete UTF-8 text. Not 0: stop. */
typedef int32_t slm_text_fn(void *user, const char *text, uint64_t length);

/* Called with each new token, its log-probability and alternatives. Not 0: stop. */
typedef int32_t slm_token_fn(void *user, const slm_token *token);

typedef struct slm_generate_options {
    uint32_t struct_size;
    uint32_t flags;           /* SLM_GENERATE_... */
    uint32_t max_tokens;      /* 0: as the session says, and until the context is full */
    uint32_t max_milliseconds; /* 0: no limit */
    slm_text_fn *on_text;     /* may be NULL */
    void *user;
    slm_token_fn *on_token;   /* may be NULL; called before on_text gets the token's text */
} slm_generate_options;

typedef struct slm_generate_result {
    uint32_t struct_size;
    int32_t stop;             /* SLM_STOP_... */
    uint32_t prompt_tokens;
    uint32_t new_tokens;      /* the eos token included */
    double prefill_seconds;   /* time to the first token's logits */
    double decode_seconds;
    double mean_logprob;      /* mean of the new tokens' log-probabilities */
} slm_generate_result;

/* Render `prompt` as a user's message through the chat template (raw if the model has none), tokenize it as slm_chat_tokenize() does,
 * append it to the session and generate until a stop. `text` receives the answer; it may be NULL: then only the callback gets it.
 * *needed (may be NULL) is the answer's length in bytes. If that exceeds capacity, `text` holds the whole pieces that fitted, the session
 * holds the answer's tokens all the same, and SLM_E_BUFFER_TOO_SMALL is returned. A time limit and slm_session_cancel() end the answer
 * with SLM_OK and result->stop; cancelling during the prefill is SLM_E_CANCELLED. Whatever stopped it, the session can go on.
 * Rendering and tokenizing take scratch memory from the engine's allocator. */
SLM_API slm_status slm_generate(slm_session *session, const char *prompt, uint64_t length,
                                const slm_generate_options *options, char *text, uint64_t capacity, uint64_t *needed,
                                slm_generate_result *result, slm_error *error);

#ifdef __cplusplus
}
#endif

#include "slm_chat.h"    /* slm_chat_...: templates, messages, tool calls */
#include "slm_grammar.h" /* slm_grammar_..., slm_matcher_..., slm_session_set_grammar, slm_answer_fields */
#include "slm_tasks.h"   /* slm_adapter_..., slm_embed, slm_score */

#endif /* SLM_H */
