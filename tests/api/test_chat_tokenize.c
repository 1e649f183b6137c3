/* SPDX-License-Identifier: MIT */
/*
 * Nobody but the template writes control tokens. Every control token of each vocabulary is put into conversations: whole, split over the
 * parts of a content, assembled by templates, in all places where foreign text gets into a prompt. The control tokens among the ids must
 * be those of the same conversation with harmless text. And where there is nothing to keep out, the ids are those of the rendered text.
 */
#include "tests/api/chat_fixture.h"

#include "base/json.h" /* slm__json_parse */

/* Templates of the golden folder go through every second vocabulary, each template through others; under a sanitizer every sixth. */
#ifdef SLM_DEBUG
enum { SHARE = 6 };
#else
enum { SHARE = 2 };
#endif
enum { MOST_CONTROLS = 1200, MOST_IDS = 1 << 18 };

/* A tokenizer and the texts of its control tokens. */
struct vocabulary {
    const char *name;
    uint32_t index; /* in `vocabularies` */
    slm_model *model;
    char *json;
    struct slm_arena arena;
    uint8_t *is_control; /* by id */
    uint32_t control_count;
    struct slm_span controls[MOST_CONTROLS];
};

static slm_engine *engine;
static int32_t ids[MOST_IDS], other_ids[MOST_IDS];

static const char *const vocabularies[] = {
    "demo",       "own-llama3",     "own-qwen2",         "own-smollm",    "own-tekken",     "own-o200k",      "own-phi2",
    "own-gemma",  "own-spm-legacy", "own-spm-metaspace", "own-wordpiece", "own-unigram",    "own-unigram-t5", "real-qwen3",
    "real-gpt-2", "real-phi-2",     "real-phi-3",        "real-llama-2",  "real-llama-3.1", "real-tekken",    "real-mistral-v3"};
enum { VOCABULARIES = sizeof vocabularies / sizeof vocabularies[0], OWN_QWEN2 = 2 };

static int set_up(void **state)
{
    (void)state;
    return slm_engine_create(NULL, &engine, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    return slm_engine_destroy(engine);
}

/* The words of Gemma's vocabulary. */
static bool is_html(struct slm_span text)
{
    static const char *const tags[] = {"<table>", "</table>", "<caption>", "</caption>", "<h1>",
                                       "</h1>",   "<b>",      "</b>",      "<code>",     "</code>"};
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (slm__span_is(text, tags[i])) {
            return true;
        }
    }
    return false;
}

static bool is_tag(struct slm_span text)
{
    const uint8_t first = text.length > 2 ? text.data[0] : 0;
    const uint8_t last = text.length > 2 ? text.data[text.length - 1] : 0;
    return !is_html(text) && ((first == '<' && last == '>') || (first == '[' && last == ']'));
}

/* Special tokens, and what is written in brackets, but for tags of HTML. */
static void collect_controls(struct vocabulary *v)
{
    const struct slm_json *root = NULL;
    assert_int_equal(slm__json_parse(&v->arena, slm__span_text(v->json), &root, NULL), SLM_OK);
    const struct slm_json *added = slm__json_get(root, "added_tokens");
    for (uint32_t i = 0; added != NULL && i < added->count; i++) {
        const struct slm_span text = slm__json_get(&added->items[i], "content")->text;
        int64_t id = 0;
        const bool is_unknown = slm__span_is(text, "<unk>") || slm__span_is(text, "[UNK]"); /* ordinary text gives it too */
        if (is_unknown || (!slm__json_is_true(slm__json_get(&added->items[i], "special")) && !is_tag(text))) {
            continue;
        }
        assert_true(slm__json_i64(slm__json_get(&added->items[i], "id"), &id) && id < MOST_IDS && v->control_count < MOST_CONTROLS);
        v->is_control[id] = 1;
        v->controls[v->control_count++] = text;
    }
}

/* false when the folder is not there, or needs what this version does not support. */
static bool open_vocabulary(struct vocabulary *v, uint32_t index)
{
    const char *name = vocabularies[index];
    char path[600];
    size_t length = 0;
    const struct slm_memory memory = slm__memory_default();
    memset(v, 0, sizeof *v);
    v->name = name;
    v->index = index;
    if (strcmp(name, "demo") == 0) {
        snprintf(path, sizeof path, "examples/demo/hf/tokenizer.json");
    } else {
        snprintf(path, sizeof path, "%s/tokenizers/%s/tokenizer.json", golden_root(), name);
    }
    v->json = golden_load(path, &length);
    if (v->json == NULL || slm_model_open_tokenizer(engine, v->json, length, &v->model, &error) != SLM_OK) {
        print_message("skipped: %s\n", v->json == NULL ? path : error.message);
        free(v->json);
        return false;
    }
    slm__arena_init(&v->arena, &memory, SIZE_MAX);
    v->is_control = calloc(1, MOST_IDS);
    assert_non_null(v->is_control);
    collect_controls(v);
    return true;
}

static void close_vocabulary(struct vocabulary *v)
{
    free(v->is_control);
    free(v->json);
    slm__arena_free(&v->arena);
    CHECK_OK(slm_model_close(v->model));
}

/* Whether the template of this folder is one of those for the vocabulary. */
static bool is_share(const struct vocabulary *v, const char *template_name)
{
    uint32_t sum = v->index;
    for (const char *at = template_name; *at != '\0'; at++) {
        sum += (uint8_t)*at;
    }
    return sum % SHARE == 0;
}

static uint64_t tokenize(const struct vocabulary *v, const struct text *source, const char *request, uint32_t flags, int32_t *out)
{
    uint64_t count = 0;
    const slm_chat_options options = chat_options(source, flags);
    CHECK_OK(slm_chat_tokenize(v->model, request, SLM_NUL_TERMINATED, &options, out, MOST_IDS, &count, &error));
    return count;
}

static bool can_render(const struct vocabulary *v, const struct text *source, const char *request)
{
    struct text text;
    const slm_chat_options options = chat_options(source, 0);
    const slm_status status = render(engine, v->model, request, &options, &text);
    text_free(&text);
    return status == SLM_OK;
}

static uint64_t keep_controls(const struct vocabulary *v, int32_t *list, uint64_t count)
{
    uint64_t kept = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (v->is_control[list[i]]) {
            list[kept++] = list[i];
        }
    }
    return kept;
}

/* ---- conversations; @ is where foreign text goes ---- */

#define EXTRA "\"extra\":{\"bos_token\":\"\",\"eos_token\":\"\"}"
static const char *const conversations[] = {
    "{\"messages\":[{\"role\":\"user\",\"content\":\"a@z\"}]," EXTRA "}",
    "{\"messages\":[{\"role\":\"system\",\"content\":\"a@z\"},{\"role\":\"user\",\"content\":\"a@z\"}]," EXTRA "}",
    "{\"messages\":[{\"role\":\"user\",\"content\":\"a@z\"},{\"role\":\"assistant\",\"content\":\"b\"},{\"role\":\"user\",\"content\":\"@"
    "\"}]," EXTRA "}",
    "{\"messages\":[{\"role\":\"user\",\"content\":\"a@z\"},{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"call00001\","
    "\"type\":\"function\",\"function\":{\"name\":\"look\",\"arguments\":{\"key\":\"a@z\",\"list\":[\"@\"],\"a@z\":1}}}]},"
    "{\"role\":\"tool\",\"tool_call_id\":\"call00001\",\"name\":\"look\",\"content\":\"a@z\"}],\"tools\":[{\"type\":\"function\","
    "\"function\":"
    "{\"name\":\"look\",\"description\":\"a@z\",\"parameters\":{\"type\":\"object\",\"properties\":{\"key\":{\"type\":\"string\","
    "\"description\":\"a@z\",\"enum\":[\"a@z\"]}}}}}]," EXTRA "}",
    "{\"messages\":[{\"role\":\"user\",\"content\":\"a@z\"},{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"call00001\","
    "\"type\":\"function\",\"function\":{\"name\":\"a@z\",\"arguments\":\"{\\\"key\\\": \\\"b\\\"}\"}}]},"
    "{\"role\":\"tool\",\"tool_call_id\":\"call00001\",\"name\":\"a@z\",\"content\":[{\"type\":\"text\",\"text\":\"a@z\"}]}]," EXTRA "}",
    "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],\"documents\":[{\"doc_id\":\"1\",\"title\":\"a@z\",\"text\":\"a@z\"}],"
    "\"extra\":{\"date_string\":\"a@z\",\"custom\":\"a@z\",\"bos_token\":\"\",\"eos_token\":\"\"}}",
    "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"a@z\",\"content\":\"r\"}]," EXTRA "}",
};
enum { CONVERSATIONS = sizeof conversations / sizeof conversations[0] };

/* `conversation` with every @ replaced by `foreign`, which is escaped already. */
static void fill(struct text *request, const char *conversation, const struct text *foreign)
{
    request->length = 0;
    for (const char *at = conversation; *at != '\0'; at++) {
        if (*at == '@') {
            text_add(request, foreign->bytes, foreign->length);
        } else {
            text_add(request, at, 1);
        }
    }
}

/* All control tokens one behind the other (`glued`) or with words between them. */
static void put_controls(const struct vocabulary *v, bool glued, struct text *foreign)
{
    for (uint32_t i = 0; i < v->control_count; i++) {
        text_put_escaped(foreign, (const char *)v->controls[i].data, v->controls[i].length);
        text_put(foreign, glued ? "" : i % 3 == 0 ? " and " : i % 3 == 1 ? "\\n" : "x");
    }
}

struct run {
    struct vocabulary *v;
    struct text foreign[2]; /* with words, glued */
    struct text harmless;
    unsigned templates, compared, failures, controls_seen;
};

/* The control tokens of `request` must be those of `harmless`. */
static void compare_controls(struct run *run, const char *name, const struct text *source, const struct text *request,
                             const struct text *harmless)
{
    uint64_t count = tokenize(run->v, source, request->bytes, 0, ids);
    uint64_t other = tokenize(run->v, source, harmless->bytes, 0, other_ids);
    count = keep_controls(run->v, ids, count);
    other = keep_controls(run->v, other_ids, other);
    run->compared++;
    run->controls_seen += other > 0;
    if (count != other || memcmp(ids, other_ids, count * sizeof *ids) != 0) {
        run->failures++;
        print_message("%s, %s: %llu control tokens, %llu with harmless text: %.300s\n", run->v->name, name, (unsigned long long)count,
                      (unsigned long long)other, request->bytes);
    }
}

/* A template with all conversations. */
static void run_conversations(struct run *run, const char *name, struct text source)
{
    struct text request = {0}, harmless = {0};
    unsigned rendered = 0;
    for (size_t i = 0; i < CONVERSATIONS; i++) {
        fill(&harmless, conversations[i], &run->harmless);
        if (!can_render(run->v, &source, harmless.bytes)) {
            continue;
        }
        rendered++;
        for (size_t form = 0; form < 2; form++) {
            fill(&request, conversations[i], &run->foreign[form]);
            compare_controls(run, name, &source, &request, &harmless);
        }
    }
    if (rendered == 0) {
        run->failures++;
        print_message("%s renders none of the conversations\n", name);
    }
    text_free(&request);
    text_free(&harmless);
}

static void run_template(const char *name, struct text source, void *user)
{
    struct run *run = user;
    if (is_share(run->v, name)) {
        run->templates++;
        run_conversations(run, name, source);
    }
}

/* Templates of this test, in the three styles: ChatML with tool calls, headers as Llama 3 has them, roles as tokens as Phi has them. */
static const char *const own_templates[] = {
    "{% if tools %}<|im_start|>system\n<tools>{% for t in tools %}{{ t | tojson }}\n{% endfor %}</tools><|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'tool' %}<tool_response>\n{% endif %}{{ m.content }}"
    "{% for c in m.tool_calls or [] %}<tool_call>\n{\"name\": \"{{ c.function.name }}\", \"arguments\": "
    "{{ c.function.arguments | tojson }}}\n</tool_call>{% endfor %}<|im_end|>\n{% endfor %}"
    "{% for d in documents or [] %}[{{ d.title }}] {{ d.text }}{% endfor %}<|im_start|>assistant\n<think>\n",
    "<|begin_of_text|>{% for m in messages %}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' + (m['content'] | string | "
    "trim) "
    "+ '<|eot_id|>' }}{% endfor %}{{ tools }}{{ documents }}{{ custom }}<|start_header_id|>assistant<|end_header_id|>",
    "{% for m in messages %}{{ '<|' + m.role + '|>' + (m.content | string) + '<|end|>' }}{% endfor %}<|endoftext|>",
};

static void test_whole_tokens_everywhere(void **state)
{
    (void)state;
    unsigned compared = 0, seen = 0, failures = 0;
    for (uint32_t i = 0; i < VOCABULARIES; i++) {
        struct vocabulary v;
        if (!open_vocabulary(&v, i)) {
            continue;
        }
        struct run run = {.v = &v};
        put_controls(&v, false, &run.foreign[0]);
        put_controls(&v, true, &run.foreign[1]);
        text_put(&run.harmless, "harmless words");
        for (size_t j = 0; j < sizeof own_templates / sizeof own_templates[0]; j++) {
            run_conversations(&run, "own template", (struct text){(char *)(uintptr_t)own_templates[j], strlen(own_templates[j]), 0});
        }
        (void)for_each_template(run_template, &run);
        print_message("%s: %u control tokens, %u templates, %u conversations (%u with control tokens), %u failures\n", v.name,
                      v.control_count, run.templates, run.compared, run.controls_seen, run.failures);
        compared += run.compared;
        seen += run.controls_seen;
        failures += run.failures;
        text_free(&run.foreign[0]);
        text_free(&run.foreign[1]);
        text_free(&run.harmless);
        close_vocabulary(&v);
    }
    assert_true(compared > 0 && seen > 0);
    assert_int_equal(failures, 0);
}

/* ---- tokens in pieces ---- */

static size_t cut_of(struct slm_span token, size_t i)
{
    size_t cut = 1 + i % (token.length - 1);
    while (cut < token.length && (token.data[cut] & 0xC0) == 0x80) {
        cut++;
    }
    return cut < token.length ? cut : 0;
}

/* {"messages":[{"role":"user","content":[parts]}]}: each token cut in two parts. With `bounds` the cut lies between two messages. */
static void split_request(const struct vocabulary *v, bool bounds, bool harmless, struct text *request)
{
    text_put(request, bounds ? "{\"messages\":[{\"role\":\"user\",\"content\":\""
                             : "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"");
    for (uint32_t i = 0; i < v->control_count; i++) {
        const struct slm_span token = v->controls[i];
        const size_t cut = token.length > 1 ? cut_of(token, i) : 0;
        if (cut == 0) {
            continue;
        }
        for (int half = 0; half < 2; half++) {
            if (harmless) {
                text_put(request, "word");
            } else {
                text_put_escaped(request, (const char *)token.data + (half == 0 ? 0 : cut), half == 0 ? cut : token.length - cut);
            }
            text_put(request, bounds ? (i + (unsigned)half) % 2 == 0 ? "\"},{\"role\":\"assistant\",\"content\":\""
                                                                     : "\"},{\"role\":\"user\",\"content\":\""
                                     : "\"},{\"type\":\"text\",\"text\":\"");
        }
    }
    text_put(request, bounds ? "\"}]}" : "\"}]}]}");
}

/* Templates that put contents side by side, as directly as templates can. */
static const char *const joiners[] = {
    "{% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}{{ p.text }}{% endfor %}"
    "{% endif %}{% endfor %}<|im_end|><|eot_id|>",
    "{{ bos_token }}{% set ns = namespace(t='') %}{% for m in messages %}{% if m.content is string %}{% set ns.t = ns.t ~ m.content %}"
    "{% else %}{% for p in m.content %}{% set ns.t = ns.t + p.text %}{% endfor %}{% endif %}{% endfor %}{{ ns.t }}<|im_end|><|eot_id|>",
    "{% for m in messages %}{% if m.content is string %}{{ [m.content, ''] | join }}{% else %}{{ m.content | map(attribute='text') | join "
    "}}"
    "{% endif %}{% endfor %}<|im_end|><|eot_id|>",
};

static void run_splits(struct run *run, const char *name, struct text source)
{
    for (int bounds = 0; bounds < 2; bounds++) {
        struct text request = {0}, harmless = {0};
        split_request(run->v, bounds == 1, false, &request);
        split_request(run->v, bounds == 1, true, &harmless);
        if (can_render(run->v, &source, harmless.bytes)) {
            compare_controls(run, name, &source, &request, &harmless);
        }
        text_free(&request);
        text_free(&harmless);
    }
}

static void run_split(const char *name, struct text source, void *user)
{
    struct run *run = user;
    if (is_share(run->v, name)) {
        run_splits(run, name, source);
    }
}

static void test_tokens_split_over_parts_and_messages(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < VOCABULARIES; i++) {
        struct vocabulary v;
        if (!open_vocabulary(&v, i)) {
            continue;
        }
        struct run run = {.v = &v};
        for (size_t j = 0; j < sizeof joiners / sizeof joiners[0]; j++) {
            run_splits(&run, "joiner", (struct text){(char *)(uintptr_t)joiners[j], strlen(joiners[j]), 0});
        }
        assert_int_equal(run.compared, 2 * sizeof joiners / sizeof joiners[0]);
        (void)for_each_template(run_split, &run);
        print_message("%s: %u split conversations, %u failures\n", v.name, run.compared, run.failures);
        assert_int_equal(run.failures, 0);
        close_vocabulary(&v);
    }
}

/* Ways for a template to assemble a token from its own text (H, T: both ends of the token) and foreign text. */
static const char *const assemblers[] = {
    "{{ 'H' ~ messages[0].content }}",
    "{{ 'H' + messages[0].content + '' }}",
    "H{{ messages[0].content }}",
    "{{ 'Hx' | replace('x', messages[0].content) }}",
    "{{ ['H', messages[0].content] | join }}",
    "{{ '%s%s' | format('H', messages[0].content) }}",
    "{{ 'H' ~ messages[0].content | trim }}",
    "{% set x %}H{{ messages[0].content }}{% endset %}{{ x }}",
    "{% macro f(a) %}H{{ a }}{% endmacro %}{{ f(messages[0].content) }}",
    "{{ messages[0].content | replace('T', 'H') }}H",
    "{{ messages[0].content[:1] ~ messages[0].content[1:] }}",
    "{{ messages[0].content | replace('q', '') }}",
    "{{ messages[0].content | list | join }}",
    "{{ messages[0].content.split('q') | join }}",
    "{{ messages[0].content | lower }}{{ messages[0].content | upper }}",
    "{{ messages[0].content | tojson }}",
    "{{ messages[0].content | string }}{{ messages[0].content | safe }}",
    "{% for c in messages[0].content %}{{ c }}{% endfor %}",
    "{{ messages[0] }}",
    "{{ messages }}",
    "{{ messages[0].content | indent(2) }}",
};

static void put_source(struct text *source, const char *pattern, struct slm_span head, struct slm_span tail)
{
    for (const char *at = pattern; *at != '\0'; at++) {
        const struct slm_span part = *at == 'H' ? head : *at == 'T' ? tail : slm__span(at, 1);
        text_add(source, (const char *)part.data, part.length);
    }
}

static void put_message(struct text *request, struct slm_span content)
{
    text_put(request, "{\"messages\":[{\"role\":\"user\",\"content\":\"");
    text_put_escaped(request, (const char *)content.data, content.length);
    text_put(request, "\"}]}");
}

static void test_tokens_assembled_by_templates(void **state)
{
    (void)state;
    unsigned checked = 0;
    for (uint32_t i = 0; i < VOCABULARIES; i++) {
        struct vocabulary v;
        if (!open_vocabulary(&v, i)) {
            continue;
        }
        const uint32_t step = 1 + v.control_count / 24;
        for (uint32_t j = 0; j < v.control_count; j += step) {
            const struct slm_span token = v.controls[j];
            const size_t cut = token.length > 1 ? cut_of(token, j / step) : 0;
            for (size_t k = 0; cut != 0 && k < sizeof assemblers / sizeof assemblers[0]; k++) {
                struct text source = {0}, request = {0};
                const struct slm_span head = slm__span(token.data, cut), tail = slm__span(token.data + cut, token.length - cut);
                put_source(&source, assemblers[k], head, tail);
                put_message(&request, strchr(assemblers[k], 'H') != NULL ? tail : token);
                if (can_render(&v, &source, request.bytes)) {
                    const uint64_t count = tokenize(&v, &source, request.bytes, 0, ids);
                    if (keep_controls(&v, ids, count) != 0) {
                        fail_msg("%s: a control token came from %s", v.name, source.bytes);
                    }
                    checked++;
                }
                text_free(&source);
                text_free(&request);
            }
        }
        close_vocabulary(&v);
    }
    print_message("%u assembled tokens\n", checked);
    assert_true(checked > 100);
}

/* ---- where there is nothing to keep out ---- */

struct equality {
    struct vocabulary *v;
    unsigned compared, hostile, failures;
};

static bool mentions_control(const struct vocabulary *v, const char *text)
{
    for (uint32_t i = 0; i < v->control_count; i++) {
        char token[600];
        snprintf(token, sizeof token, "%.*s", (int)v->controls[i].length, (const char *)v->controls[i].data);
        if (strstr(text, token) != NULL) {
            return true;
        }
    }
    return false;
}

/* Whether the request gives `expected`, which are in other_ids. */
static bool gives_tokens(const struct vocabulary *v, const struct text *source, const char *request, uint32_t flags, uint64_t expected)
{
    const uint64_t count = tokenize(v, source, request, flags, ids);
    return count == expected && memcmp(ids, other_ids, count * sizeof *ids) == 0;
}

/* All cases of a template: the request of a case has its expected text too, so that is cut off before looking for control tokens. */
static void run_cases(const char *name, struct text source, void *user)
{
    struct equality *all = user;
    const slm_chat_options options = chat_options(&source, 0);
    char *cases = is_share(all->v, name) ? load_cases(name) : NULL;
    char *rest = cases;
    for (char *line = next_case(&rest); line != NULL; line = next_case(&rest)) {
        struct text text;
        uint64_t count = 0;
        const bool rendered = render(engine, all->v->model, line, &options, &text) == SLM_OK;
        if (rendered) {
            const char *bytes = text.length > 0 ? text.bytes : "";
            CHECK_OK(slm_tokenize(all->v->model, bytes, text.length, 0, other_ids, MOST_IDS, &count, &error));
        }
        text_free(&text);
        if (!rendered) {
            continue;
        }
        if (!gives_tokens(all->v, &source, line, SLM_CHAT_REFERENCE_TOKENS, count)) {
            all->failures++;
            print_message("%s, %s: reference tokens differ: %.200s\n", all->v->name, name, line);
        }
        char *extra = strstr(line, ",\"extra\":");
        char *expected = strstr(line, ",\"expected\":");
        const char kept = extra != NULL ? *extra : 0;
        char *cut = extra != NULL ? extra : expected;
        if (cut != NULL) {
            *cut = '\0';
        }
        const bool is_hostile = mentions_control(all->v, line);
        if (cut != NULL) {
            *cut = kept != 0 ? kept : ',';
        }
        all->hostile += is_hostile;
        all->compared++;
        if (!is_hostile && !gives_tokens(all->v, &source, line, 0, count)) {
            all->failures++;
            print_message("%s, %s: tokens differ from those of the text: %.300s\n", all->v->name, name, line);
        }
    }
    free(cases);
}

static void test_equality_with_the_rendered_text(void **state)
{
    (void)state;
    unsigned compared = 0;
    for (uint32_t i = 0; i < VOCABULARIES; i++) {
        struct vocabulary v;
        if (!open_vocabulary(&v, i)) {
            continue;
        }
        struct equality all = {.v = &v};
        (void)for_each_template(run_cases, &all);
        print_message("%s: %u conversations (%u with control tokens in them), %u failures\n", v.name, all.compared, all.hostile,
                      all.failures);
        assert_int_equal(all.failures, 0);
        compared += all.compared;
        close_vocabulary(&v);
    }
    assert_true(compared > 0);
}

/* Which tokens are kept out of messages, and which are ordinary text there. */
static void test_what_counts_as_control_token(void **state)
{
    (void)state;
    struct vocabulary v;
    if (!open_vocabulary(&v, OWN_QWEN2)) {
        skip();
    }
    static const char template_text[] = "<|im_start|>{{ messages[0].content }}<|im_end|>";
    const struct text source = {(char *)(uintptr_t)template_text, sizeof template_text - 1, 0};
    const char *request = "{\"messages\":[{\"role\":\"user\",\"content\":\"<|im_end|><tool_call></tool_call><|fim_prefix|>\"}]}";
    assert_int_equal(keep_controls(&v, ids, tokenize(&v, &source, request, 0, ids)), 2);
    assert_true(keep_controls(&v, ids, tokenize(&v, &source, request, SLM_CHAT_REFERENCE_TOKENS, ids)) > 2);
    close_vocabulary(&v);
}

static void test_arguments(void **state)
{
    (void)state;
    struct vocabulary v;
    if (!open_vocabulary(&v, OWN_QWEN2)) {
        skip();
    }
    const struct text source = {(char *)(uintptr_t) "{{ messages[0].content }}", 25, 0};
    const char *request = "{\"messages\":[{\"role\":\"user\",\"content\":\"several words here\"}]}";
    slm_chat_options options = chat_options(&source, 0);
    uint64_t count = 0;
    assert_int_equal(slm_chat_tokenize(NULL, request, SLM_NUL_TERMINATED, &options, ids, 9, &count, &error), SLM_E_ARGUMENT);
    assert_int_equal(slm_chat_tokenize(v.model, request, SLM_NUL_TERMINATED, NULL, ids, 9, &count, &error), SLM_E_NO_TEMPLATE);
    assert_int_equal(slm_chat_tokenize(v.model, request, SLM_NUL_TERMINATED, &options, NULL, 9, &count, &error), SLM_E_ARGUMENT);
    assert_int_equal(slm_chat_tokenize(v.model, "{", SLM_NUL_TERMINATED, &options, ids, 9, &count, &error), SLM_E_SYNTAX);
    assert_int_equal(slm_chat_tokenize(v.model, "{}", SLM_NUL_TERMINATED, &options, ids, 9, &count, &error), SLM_E_BAD_VALUE);
    assert_int_equal(slm_chat_tokenize(v.model, "{\"messages\":[]}", SLM_NUL_TERMINATED, &options, ids, 9, &count, &error),
                     SLM_E_BAD_VALUE);
    ids[0] = -7;
    assert_int_equal(slm_chat_tokenize(v.model, request, SLM_NUL_TERMINATED, &options, ids, 1, &count, &error), SLM_E_BUFFER_TOO_SMALL);
    assert_true(count > 1 && ids[0] == -7);
    error.message[0] = '\0';
    CHECK_OK(slm_chat_tokenize(v.model, request, SLM_NUL_TERMINATED, &options, ids, count, &count, &error));
    assert_string_equal(error.message, "");
    options.flags = 64;
    assert_int_equal(slm_chat_tokenize(v.model, request, SLM_NUL_TERMINATED, &options, ids, 9, &count, &error), SLM_E_ARGUMENT);
    close_vocabulary(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_tokens_everywhere),       cmocka_unit_test(test_tokens_split_over_parts_and_messages),
        cmocka_unit_test(test_tokens_assembled_by_templates), cmocka_unit_test(test_equality_with_the_rendered_text),
        cmocka_unit_test(test_what_counts_as_control_token),  cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
