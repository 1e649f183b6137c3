/* SPDX-License-Identifier: MIT */
/* The demonstration model: logits as transformers computes them, the answers to the evaluation rows, and the accuracy of every field for
 * each weight type. The printed table is the one in the README. */
#include "tests/api_fixture.h"
#include "base/json.h" /* slm__json_parse: the rows are JSON lines */

enum { FIELDS = 6, ANSWER_BYTES = 512 };

static const char *const field_names[FIELDS] = {"intent", "order", "urgency", "sentiment", "route", "escalate"};
static const char checkpoint[] = "examples/demo/hf";
static slm_engine *engine;

static slm_model *demo_model(int32_t type)
{
    char target[256];
    slm_model *model = NULL;
    const slm_convert_options options = {.struct_size = sizeof options, .type = type, .head_type = type == SLM_TYPE_F32 ? SLM_TYPE_F32 : 0};
    const slm_model_options read = {.struct_size = sizeof read, .flags = SLM_MODEL_READ};
    CHECK_OK(slm_convert(engine, checkpoint, SLM_NUL_TERMINATED, temporary_path("demo.slm", target), SLM_NUL_TERMINATED, &options, NULL,
                         &error));
    CHECK_OK(slm_model_open_file(engine, target, SLM_NUL_TERMINATED, &read, &model, &error));
    unlink(target);
    return model;
}

static void test_logits_equal_reference(void **state)
{
    char path[512];
    struct golden_file golden;
    (void)state;
    snprintf(path, sizeof path, "%s/demo/golden.safetensors", golden_root());
    if (!golden_open(&golden, path) && !golden_open(&golden, "tests/golden/demo/golden.safetensors")) {
        printf("skipped: %s is absent\n", path);
        skip();
    }
    slm_model *model = demo_model(SLM_TYPE_F32);
    for (int i = 0; i < 5; i++) {
        char name[32];
        slm_session *session = NULL;
        const slm_session_options options = {.struct_size = sizeof options, .kv_type = SLM_KV_F32};
        const struct golden_tensor ids = (snprintf(name, sizeof name, "input_ids.%d", i), golden_find(&golden, name));
        const struct golden_tensor logits = (snprintf(name, sizeof name, "logits.%d", i), golden_find(&golden, name));
        const struct golden_tensor greedy = (snprintf(name, sizeof name, "greedy_ids.%d", i), golden_find(&golden, name));
        float *got = malloc(logits.count * sizeof *got);
        const slm_append_options out = {.struct_size = sizeof out, .logits = got, .logits_capacity = logits.count};
        CHECK_OK(slm_session_create(model, NULL, &options, &session, &error));
        CHECK_OK(slm_session_append(session, ids.data, ids.count, &out, &error));
        assert_true(golden_nmse(got, logits.data, logits.count) <= 1e-10);
        for (uint64_t t = 0; t < greedy.count; t++) {
            slm_token token = {.struct_size = sizeof token};
            CHECK_OK(slm_session_next(session, &token, &error));
            assert_int_equal(token.token, ((const int32_t *)greedy.data)[t]);
            assert_int_equal(token.stop, t + 1 == greedy.count ? SLM_STOP_EOS : SLM_STOP_NONE);
        }
        slm_session_destroy(session);
        free(got);
    }
    assert_int_equal(slm_model_close(model), SLM_OK);
    golden_close(&golden);
}

struct score {
    uint32_t rows, referenced, same_text, all_fields, valid;
    uint32_t asked[FIELDS], right[FIELDS];
};

static uint32_t same_value(const struct slm_json *a, const struct slm_json *b)
{
    return a != NULL && b != NULL && a->type == b->type && slm__span_equal(a->text, b->text);
}

/* One evaluation row: ask, compare the text with the reference's, and each field that the row expects. */
static void score_row(slm_model *model, int32_t kv_type, struct slm_span line, struct score *score)
{
    struct slm_arena arena;
    const struct slm_memory memory = slm__memory_default();
    const struct slm_json *row = NULL, *answer = NULL;
    char text[ANSWER_BYTES];
    uint64_t length = 0;
    slm_session *session = NULL;
    const slm_generate_options options = {.struct_size = sizeof options, .max_tokens = 64};
    slm__arena_init(&arena, &memory, 1 << 20);
    CHECK_OK(slm__json_parse(&arena, line, &row, &error));
    const struct slm_span message = slm__json_get(row, "message")->text;
    const struct slm_json *expected = slm__json_get(row, "expected"), *reference = slm__json_get(row, "reference_output");
    const slm_session_options session_options = {.struct_size = sizeof session_options, .kv_type = kv_type};
    CHECK_OK(slm_session_create(model, NULL, &session_options, &session, &error));
    CHECK_OK(slm_generate(session, (const char *)message.data, message.length, &options, text, sizeof text, &length, NULL, &error));
    slm_session_destroy(session);
    score->rows++;
    score->referenced += reference != NULL;
    score->same_text += reference != NULL && slm__span_equal(reference->text, slm__span(text, (size_t)length));
    if (slm__json_parse(&arena, slm__span(text, (size_t)length), &answer, NULL) == SLM_OK && answer->type == SLM_JSON_OBJECT) {
        uint32_t wrong = 0;
        score->valid++;
        for (int f = 0; f < FIELDS; f++) {
            const struct slm_json *value = slm__json_get(expected, field_names[f]);
            const uint32_t right = same_value(value, slm__json_get(answer, field_names[f]));
            score->asked[f] += value != NULL;
            score->right[f] += right;
            wrong += value != NULL && !right;
        }
        score->all_fields += wrong == 0;
    }
    slm__arena_free(&arena);
}

/* Under a sanitizer every tenth row: there the way is of interest, not the score. */
#ifdef SLM_DEBUG
enum { EVERY = 10 };
#else
enum { EVERY = 1 };
#endif

static struct score score_file(slm_model *model, int32_t kv_type, const char *path)
{
    struct score score = {0};
    char *text = golden_load(path, NULL);
    assert_non_null(text);
    uint32_t row = 0;
    for (char *line = text; *line != 0; row++) {
        char *end = strchr(line, '\n');
        const size_t length = end != NULL ? (size_t)(end - line) : strlen(line);
        if (row % EVERY == 0) {
            score_row(model, kv_type, slm__span(line, length), &score);
        }
        line += length + (end != NULL);
    }
    free(text);
    return score;
}

static double percent(uint32_t part, uint32_t whole) { return 100.0 * part / whole; }

static void print_score(const char *type, const char *set, const struct score *s)
{
    printf("| %s | %s | %u |", type, set, s->rows);
    for (int f = 0; f < FIELDS; f++) {
        if (s->asked[f] == 0) {
            printf(" - |");
        } else {
            printf(" %.1f |", percent(s->right[f], s->asked[f]));
        }
    }
    printf(" %.1f | %.1f |", percent(s->all_fields, s->rows), percent(s->valid, s->rows));
    if (s->referenced == 0) {
        printf(" - |\n");
    } else {
        printf(" %.1f |\n", percent(s->same_text, s->referenced));
    }
}

static void test_answers_and_accuracy(void **state)
{
    static const struct {
        const char *name;
        int32_t type, kv_type;
        uint32_t most_different; /* of 500 answers, from the reference's text; i4: what was measured plus 20 % */
    } types[4] = {{"f32", SLM_TYPE_F32, SLM_KV_F16, 1},
                  {"i8", SLM_TYPE_I8, SLM_KV_F16, 10},
                  {"i8, KV i8", SLM_TYPE_I8, SLM_KV_I8, 10},
                  {"i4", SLM_TYPE_I4, SLM_KV_F16, 26}};
    (void)state;
    printf("| type | set | rows | intent | order | urgency | sentiment | route | escalate | all fields | valid JSON | as reference |\n");
    for (int t = 0; t < 4; t++) {
        slm_model *model = demo_model(types[t].type);
        const struct score generated = score_file(model, types[t].kv_type, "examples/demo/eval/generated.jsonl");
        const struct score handwritten = score_file(model, types[t].kv_type, "examples/demo/eval/handwritten.jsonl");
        print_score(types[t].name, "generated", &generated);
        print_score(types[t].name, "handwritten", &handwritten);
        assert_int_equal(generated.rows, 500 / EVERY);
        assert_int_equal(handwritten.rows, 60 / EVERY);
        assert_true(generated.rows - generated.same_text <= types[t].most_different);
        assert_int_equal(slm_model_close(model), SLM_OK);
    }
}

/* ---- Accuracy against coverage: answers under the schema, kept where every field is sure enough */

enum { ROWS_MOST = 500, TOKENS_MOST = 64, THRESHOLDS = 7 };

struct confident_row {
    double confidence; /* of the field that the model is least sure of */
    uint32_t right;    /* fields */
};

static uint64_t answer_tokens(slm_session *session, slm_token *tokens, char *text, uint64_t *length)
{
    uint64_t count = 0;
    *length = 0;
    do {
        assert_true(count < TOKENS_MOST);
        tokens[count].struct_size = sizeof tokens[count];
        CHECK_OK(slm_session_next(session, &tokens[count], &error));
        assert_true(*length + tokens[count].text_length <= ANSWER_BYTES);
        memcpy(text + *length, tokens[count].text, (size_t)tokens[count].text_length);
        *length += tokens[count].text_length;
    } while (tokens[count++].stop == SLM_STOP_NONE);
    return count;
}

static struct confident_row ask_confident(slm_model *model, slm_session *session, struct slm_span line)
{
    struct slm_arena arena;
    const struct slm_memory memory = slm__memory_default();
    const struct slm_json *row = NULL, *answer = NULL;
    struct confident_row result = {.confidence = 1};
    slm_token tokens[TOKENS_MOST] = {{.struct_size = sizeof tokens[0]}};
    slm_answer_field fields[FIELDS + 1] = {{.struct_size = sizeof fields[0]}};
    char request[2048], text[ANSWER_BYTES], paths[128];
    int32_t ids[512];
    uint64_t length = 0, count = 0, field_count = 0, path_bytes = 0;
    slm__arena_init(&arena, &memory, 1 << 20);
    CHECK_OK(slm__json_parse(&arena, line, &row, &error));
    const uint64_t begin = slm__json_get(row, "message")->offset, end = slm__json_get(row, "expected")->offset;
    const int written = snprintf(request, sizeof request, "{\"messages\":[{\"role\":\"user\",\"content\":%.*s}]}",
                                 (int)(end - begin - strlen(", \"expected\": ")), (const char *)line.data + begin);
    CHECK_OK(slm_chat_tokenize(model, request, (uint64_t)written, NULL, ids, 512, &count, &error));
    CHECK_OK(slm_session_rewind(session, 0, &error));
    CHECK_OK(slm_session_append(session, ids, count, NULL, &error));
    count = answer_tokens(session, tokens, text, &length);
    CHECK_OK(slm_answer_fields(text, length, tokens, count, fields, FIELDS + 1, &field_count, paths, sizeof paths, &path_bytes, &error));
    CHECK_OK(slm__json_parse(&arena, slm__span(text, (size_t)length), &answer, &error));
    assert_int_equal(field_count, FIELDS + 1);
    for (int f = 0; f < FIELDS; f++) {
        result.right += same_value(slm__json_get(slm__json_get(row, "expected"), field_names[f]), slm__json_get(answer, field_names[f]));
        result.confidence = fields[f + 1].probability < result.confidence ? fields[f + 1].probability : result.confidence;
    }
    slm__arena_free(&arena);
    return result;
}

static int surer_first(const void *a, const void *b)
{
    const double x = ((const struct confident_row *)a)->confidence, y = ((const struct confident_row *)b)->confidence;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Share of the surest answers (to the right) against the percentage of them that is wholly right (upwards). */
static void plot(struct confident_row *rows, uint32_t count)
{
    enum { LINES = 11, COLUMNS = 50 };
    char grid[LINES][COLUMNS + 1];
    memset(grid, ' ', sizeof grid);
    qsort(rows, count, sizeof *rows, surer_first);
    for (uint32_t column = 0, kept = 0, whole = 0; column < COLUMNS; column++) {
        while (kept < (column + 1) * count / COLUMNS) {
            whole += rows[kept++].right == FIELDS;
        }
        const int line = (int)((100 - percent(whole, kept)) / 2.5 + 0.5);
        grid[line < LINES ? line : LINES - 1][column] = '*';
    }
    for (int line = 0; line < LINES; line++) {
        grid[line][COLUMNS] = 0;
        printf("%5.1f %% |%s\n", 100 - 2.5 * line, grid[line]);
    }
    printf("        +----+----+----+----+----+----+----+----+----+----+\n            10   20   30   40   50   60   70   80   90  100 %%\n");
}

static void test_accuracy_and_coverage(void **state)
{
    static const double thresholds[THRESHOLDS] = {0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99};
    static struct confident_row rows[ROWS_MOST];
    uint32_t count = 0;
    double before = 0;
    slm_grammar *grammar = NULL;
    slm_session *session = NULL;
    const slm_session_options options = {.struct_size = sizeof options, .max_tokens = TOKENS_MOST, .grammar_bytes = 1 << 20};
    char *schema = golden_load("examples/demo/schema.json", NULL), *text = golden_load("examples/demo/eval/generated.jsonl", NULL);
    (void)state;
    assert_true(schema != NULL && text != NULL);
    slm_model *model = demo_model(SLM_TYPE_I8);
    CHECK_OK(slm_grammar_compile(engine, SLM_GRAMMAR_SCHEMA, schema, SLM_NUL_TERMINATED, NULL, &grammar, &error));
    CHECK_OK(slm_session_create(model, NULL, &options, &session, &error));
    CHECK_OK(slm_session_set_grammar(session, grammar, &error));
    for (char *line = text, *end; count < ROWS_MOST && (end = strchr(line, '\n')) != NULL; line = end + 1) {
        rows[count++] = ask_confident(model, session, slm__span(line, (size_t)(end - line)));
    }
    printf("| every field at least | rows kept | all fields right | fields right |\n");
    for (int t = 0; t < THRESHOLDS; t++) {
        uint32_t kept = 0, whole = 0, right = 0;
        for (uint32_t i = 0; i < count; i++) {
            if (rows[i].confidence >= thresholds[t]) {
                kept++;
                whole += rows[i].right == FIELDS;
                right += rows[i].right;
            }
        }
        printf("| %.2f | %.1f | %.1f | %.1f |\n", thresholds[t], percent(kept, count), percent(whole, kept), percent(right, kept * FIELDS));
        assert_true(kept > count / 10 && percent(whole, kept) >= before);
        before = percent(whole, kept);
    }
    plot(rows, count);
    slm_session_destroy(session);
    assert_int_equal(slm_grammar_destroy(grammar), SLM_OK);
    assert_int_equal(slm_model_close(model), SLM_OK);
    free(schema);
    free(text);
}

static int make_engine(void **state)
{
    (void)state;
    return slm_engine_create(NULL, &engine, &error);
}

static int drop_engine(void **state)
{
    (void)state;
    return slm_engine_destroy(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_logits_equal_reference), cmocka_unit_test(test_accuracy_and_coverage),
                                       cmocka_unit_test(test_answers_and_accuracy)};
    return cmocka_run_group_tests(tests, make_engine, drop_engine);
}
