/* SPDX-License-Identifier: MIT */
/*
 * Answers taken apart. Every sample is parsed whole, byte by byte and in pieces of other sizes, with the same events; the texts of the
 * events are the answer, no byte lost or twice. Then answers that nobody should write.
 */
#include "tests/api/chat_fixture.h"

static slm_engine *engine;

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

#define WEATHER "{\"id\":\"call00001\",\"type\":\"function\",\"function\":{\"name\":\"weather\",\"arguments\":"
#define SECOND "{\"id\":\"call00002\",\"type\":\"function\",\"function\":{\"name\":\"time\",\"arguments\":"
#define PARIS "\"{\\\"city\\\": \\\"Paris\\\"}\"}}"

/* The end of a request: variables, a tool, no generation prompt but where the answer begins. */
#define WRITTEN_EXTRA                                                                                                                    \
  "],\"add_generation_prompt\":true,\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"description\":\"d\","         \
  "\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}}}}}],\"extra\":{\"bos_token\":\"\",\"eos_token\":" \
  "\"\"}}"

struct sample {
    int32_t format;
    uint32_t flags;
    const char *answer;
    const char *message; /* without {"role":"assistant","content": and the last brace */
};

static const char tools[] =
    "[{\"type\":\"function\",\"function\":{\"name\":\"typed\",\"parameters\":{\"type\":\"object\",\"properties\":{"
    "\"s\":{\"type\":\"string\"},\"n\":{\"type\":\"integer\"},\"b\":{\"type\":\"boolean\"},\"l\":{\"type\":\"array\"}}}}}]";

static const struct sample samples[] = {
    /* content and reasoning */
    {SLM_CHAT_FORMAT_PLAIN, 0, "", "\"\""},
    {SLM_CHAT_FORMAT_PLAIN, 0, " Hello.\n\n", "\" Hello.\\n\\n\""},
    {SLM_CHAT_FORMAT_PLAIN, 0, "<tool_call>{\"name\":\"f\"}</tool_call>", "\"<tool_call>{\\\"name\\\":\\\"f\\\"}</tool_call>\""},
    {SLM_CHAT_FORMAT_PLAIN, 0, "<think>\nSo it is.\n</think>\n\nYes.", "\"Yes.\",\"reasoning_content\":\"So it is.\""},
    {SLM_CHAT_FORMAT_PLAIN, 0, "<think>\n\n</think>\n\nYes. \n", "\"Yes. \\n\""},
    {SLM_CHAT_FORMAT_PLAIN, 0, "<think>a <b> </ c", "\"\",\"reasoning_content\":\"a <b> </ c\""},
    {SLM_CHAT_FORMAT_PLAIN, 0, "The tag <think> opens, </think> closes.", "\"The tag <think> opens, </think> closes.\""},
    {SLM_CHAT_FORMAT_PLAIN, 0, "\n<think>a</think> <think>b</think>c", "\"c\",\"reasoning_content\":\"a\\nb\""},
    {SLM_CHAT_FORMAT_PLAIN, SLM_CHAT_PARSE_IN_REASONING, "\nhm\n</think>\n\nYes", "\"Yes\",\"reasoning_content\":\"hm\""},
    {SLM_CHAT_FORMAT_PLAIN, SLM_CHAT_PARSE_IN_REASONING, "never ends", "\"\",\"reasoning_content\":\"never ends\""},
    {SLM_CHAT_FORMAT_PLAIN, 0, "a < b <thin", "\"a < b <thin\""},
    /* Hermes, Qwen, SmolLM3 */
    {SLM_CHAT_FORMAT_HERMES, 0, "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>",
     "null,\"tool_calls\":[" WEATHER PARIS "]"},
    {SLM_CHAT_FORMAT_HERMES, 0,
     "<think>\nI need it.\n</think>\n\nLet me see.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n"
     "</tool_call>\n<tool_call>\n{\"name\": \"time\", \"arguments\": {}}\n</tool_call>\n",
     "\"Let me see.\",\"reasoning_content\":\"I need it.\",\"tool_calls\":[" WEATHER PARIS "," SECOND "\"{}\"}}]"},
    {SLM_CHAT_FORMAT_HERMES, 0, "<tool_call>{\"name\":\"f\",\"arguments\":{\"t\":\"</tool_call> \\\"}{\"}}</tool_call>",
     "null,\"tool_calls\":[{\"id\":\"call00001\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
     "\"{\\\"t\\\":\\\"</tool_call> \\\\\\\"}{\\\"}\"}}]"},
    {SLM_CHAT_FORMAT_HERMES, 0,
     "<tool_call>{\"name\": \"weather\", \"arguments\": \"{\\\"city\\\": \\\"Paris\\\"}\", \"id\": \"x1\"}</tool_call> ok",
     "\"ok\",\"tool_calls\":[{\"id\":\"x1\",\"type\":\"function\",\"function\":{\"name\":\"weather\",\"arguments\":" PARIS "]"},
    {SLM_CHAT_FORMAT_HERMES, 0, "<tool_call>{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}",
     "null,\"tool_calls\":[" WEATHER PARIS "]"},
    {SLM_CHAT_FORMAT_HERMES, 0, "a <tool_call>{\"name\": \"weather\", \"arguments\": {\"ci",
     "\"a <tool_call>{\\\"name\\\": \\\"weather\\\", \\\"arguments\\\": {\\\"ci\""},
    {SLM_CHAT_FORMAT_HERMES, 0, "<tool_call>{\"name\": 5}</tool_call> b", "\"<tool_call>{\\\"name\\\": 5}</tool_call> b\""},
    {SLM_CHAT_FORMAT_HERMES, 0, "<tool_call>{\"name\": \"f\", \"arguments\": [1]}</tool_call>",
     "\"<tool_call>{\\\"name\\\": \\\"f\\\", \\\"arguments\\\": [1]}</tool_call>\""},
    {SLM_CHAT_FORMAT_HERMES, 0, "Write <tool_call> first; <tool_call>{bad} <tool_call>{\"name\":\"time\"}</tool_call>",
     "\"Write <tool_call> first; <tool_call>{bad}\",\"tool_calls\":[{\"id\":\"call00001\",\"type\":\"function\",\"function\":{\"name\":"
     "\"time\",\"arguments\":\"{}\"}}]"},
    /* Llama 3 */
    {SLM_CHAT_FORMAT_LLAMA3, 0, "{\"name\": \"weather\", \"parameters\": {\"city\": \"Paris\"}}",
     "null,\"tool_calls\":[" WEATHER PARIS "]"},
    {SLM_CHAT_FORMAT_LLAMA3, 0,
     "\n{\"type\": \"function\", \"name\": \"weather\", \"parameters\": {\"city\": \"Paris\"}}; {\"name\": \"time\", \"parameters\": {}}",
     "null,\"tool_calls\":[" WEATHER PARIS "," SECOND "\"{}\"}}]"},
    {SLM_CHAT_FORMAT_LLAMA3, 0, "{\"name\": \"Bob\", \"age\": 3}", "\"{\\\"name\\\": \\\"Bob\\\", \\\"age\\\": 3}\""},
    {SLM_CHAT_FORMAT_LLAMA3, 0, "It is {\"name\": \"f\", \"parameters\": {}}",
     "\"It is {\\\"name\\\": \\\"f\\\", \\\"parameters\\\": {}}\""},
    {SLM_CHAT_FORMAT_LLAMA3, 0, "<|python_tag|>{\"name\": \"weather\", \"parameters\": {\"city\": \"Paris\"}}",
     "null,\"tool_calls\":[" WEATHER PARIS "]"},
    {SLM_CHAT_FORMAT_LLAMA3, 0, "<|python_tag|>weather.call(city=\"Paris\")", "null,\"tool_calls\":[" WEATHER PARIS "]"},
    {SLM_CHAT_FORMAT_LLAMA3, 0, "<|python_tag|>time.call()\n",
     "null,\"tool_calls\":[{\"id\":\"call00001\",\"type\":\"function\",\"function\":{\"name\":\"time\",\"arguments\":\"{}\"}}]"},
    {SLM_CHAT_FORMAT_LLAMA3, 0, "I compute.<|python_tag|>print(\"a\")\nx = 1",
     "\"I compute.\",\"tool_calls\":[{\"id\":\"call00001\",\"type\":\"function\",\"function\":{\"name\":\"python\",\"arguments\":"
     "\"{\\\"code\\\": \\\"print(\\\\\\\"a\\\\\\\")\\\\nx = 1\\\"}\"}}]"},
    /* Qwen3-Coder */
    {SLM_CHAT_FORMAT_QWEN_XML, 0,
     "Now.\n\n<tool_call>\n<function=typed>\n<parameter=s>\n42\n</parameter>\n<parameter=n>\n42\n</parameter>\n<parameter=b>\nTrue\n"
     "</parameter>\n<parameter=l>\n[1, \"<b>\"]\n</parameter>\n<parameter=other>\ntwo\nlines <p>\n</parameter>\n</function>\n</tool_call>",
     "\"Now.\",\"tool_calls\":[{\"id\":\"call00001\",\"type\":\"function\",\"function\":{\"name\":\"typed\",\"arguments\":"
     "\"{\\\"s\\\": \\\"42\\\", \\\"n\\\": 42, \\\"b\\\": true, \\\"l\\\": [1, \\\"<b>\\\"], \\\"other\\\": \\\"two\\\\nlines "
     "<p>\\\"}\"}}]"},
    {SLM_CHAT_FORMAT_QWEN_XML, 0, "<function=weather>\n<parameter=city>\nParis\n</parameter>\n</function>\n</tool_call>\n",
     "null,\"tool_calls\":[" WEATHER PARIS "]"},
    {SLM_CHAT_FORMAT_QWEN_XML, 0,
     "<tool_call><function=weather><parameter=city>Paris</parameter></function><function=time></function></tool_call>",
     "null,\"tool_calls\":[" WEATHER PARIS "," SECOND "\"{}\"}}]"},
    {SLM_CHAT_FORMAT_QWEN_XML, 0, "<tool_call>{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}</tool_call>",
     "null,\"tool_calls\":[" WEATHER PARIS "]"},
    {SLM_CHAT_FORMAT_QWEN_XML, 0, "<tool_call>\n<function=f>\n<parameter=x>\n1", "\"<tool_call>\\n<function=f>\\n<parameter=x>\\n1\""},
    /* Mistral */
    {SLM_CHAT_FORMAT_MISTRAL, 0, "[TOOL_CALLS] [{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}, \"id\": \"abcdefghi\"}]",
     "null,\"tool_calls\":[{\"id\":\"abcdefghi\",\"type\":\"function\",\"function\":{\"name\":\"weather\",\"arguments\":" PARIS "]"},
    {SLM_CHAT_FORMAT_MISTRAL, 0,
     "[TOOL_CALLS][{\"name\":\"weather\",\"arguments\":{\"city\": \"Paris\"}},{\"name\":\"time\",\"arguments\":{}}]",
     "null,\"tool_calls\":[" WEATHER PARIS "," SECOND "\"{}\"}}]"},
    {SLM_CHAT_FORMAT_MISTRAL, 0, "Sure.[TOOL_CALLS]weather[ARGS]{\"city\": \"Paris\"}[TOOL_CALLS]time[CALL_ID]zzzzzzzzz[ARGS]{}",
     "\"Sure.\",\"tool_calls\":[" WEATHER PARIS ",{\"id\":\"zzzzzzzzz\",\"type\":\"function\",\"function\":{\"name\":\"time\","
     "\"arguments\":\"{}\"}}]"},
    {SLM_CHAT_FORMAT_MISTRAL, 0, "[THINK]Hm.[/THINK]Well.", "\"Well.\",\"reasoning_content\":\"Hm.\""},
    {SLM_CHAT_FORMAT_MISTRAL, 0, "[TOOL_CALLS] is a marker", "\"[TOOL_CALLS] is a marker\""},
    {SLM_CHAT_FORMAT_MISTRAL, 0, "[TOOL_CALLS][{\"name\":\"f\",\"arguments\":{}},5]",
     "\"[TOOL_CALLS][{\\\"name\\\":\\\"f\\\",\\\"arguments\\\":{}},5]\""},
    /* Phi-4-mini */
    {SLM_CHAT_FORMAT_PHI4_MINI, 0, "<|tool_call|>[{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}]<|/tool_call|>",
     "null,\"tool_calls\":[" WEATHER PARIS "]"},
    {SLM_CHAT_FORMAT_PHI4_MINI, 0, "functools[{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}]",
     "null,\"tool_calls\":[" WEATHER PARIS "]"},
    /* Granite */
    {SLM_CHAT_FORMAT_GRANITE, 0, "<|tool_call|>[{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}]",
     "null,\"tool_calls\":[" WEATHER PARIS "]"},
    {SLM_CHAT_FORMAT_GRANITE, 0, "<tool_call>[{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}]\n",
     "null,\"tool_calls\":[" WEATHER PARIS "]"},
    {SLM_CHAT_FORMAT_GRANITE, 0, "<think>Hm.</think>\n<response>Yes.</response>", "\"Yes.\",\"reasoning_content\":\"Hm.\""},
    /* functionary */
    {SLM_CHAT_FORMAT_FUNCTIONARY, 0, "<function=weather>{\"city\": \"Paris\"}</function><function=time>{}</function>",
     "null,\"tool_calls\":[" WEATHER PARIS "," SECOND "\"{}\"}}]"},
    {SLM_CHAT_FORMAT_FUNCTIONARY, 0, "<|python_tag|>{\"code\": \"1+1\"}",
     "null,\"tool_calls\":[{\"id\":\"call00001\",\"type\":\"function\",\"function\":{\"name\":\"python\",\"arguments\":\"{\\\"code\\\": "
     "\\\"1+1\\\"}\"}}]"},
    {SLM_CHAT_FORMAT_FUNCTIONARY, 0, "<function=weather>Paris</function>", "\"<function=weather>Paris</function>\""},
};
enum { SAMPLES = sizeof samples / sizeof samples[0] };

static slm_chat_parse_options parse_options(const struct sample *sample)
{
    return (slm_chat_parse_options){.struct_size = sizeof(slm_chat_parse_options),
                                    .flags = sample->flags,
                                    .format = sample->format,
                                    .tools = tools,
                                    .tools_length = sizeof tools - 1};
}

/* ---- events written down ---- */

/* Kinds and texts of all events, neighbours of one kind as one; calls with all they have. */
struct transcript {
    struct text events, bytes;
    int32_t last;
};

static void note(struct transcript *t, const slm_chat_event *event)
{
    char kind[4] = {'\n', (char)('0' + event->kind), ' ', '\0'};
    if (event->kind != t->last || event->kind == SLM_CHAT_EVENT_CALL) {
        text_put(&t->events, kind);
    }
    if (event->kind == SLM_CHAT_EVENT_CALL) {
        text_add(&t->events, event->name, event->name_length);
        text_put(&t->events, " ");
        text_add(&t->events, event->arguments, event->arguments_length);
        text_put(&t->events, " ");
        text_add(&t->events, event->id, event->id_length);
        text_put(&t->events, " ");
    } else {
        assert_true(event->text_length > 0);
    }
    t->last = event->kind;
    text_add(&t->events, event->text, event->text_length);
    text_add(&t->bytes, event->text, event->text_length);
}

static void take_events(slm_chat_parser *parser, struct transcript *t)
{
    slm_chat_event event = {.struct_size = sizeof event};
    do {
        CHECK_OK(slm_chat_parser_next(parser, &event, &error));
        if (event.kind != SLM_CHAT_EVENT_NONE) {
            note(t, &event);
        }
    } while (event.kind != SLM_CHAT_EVENT_NONE);
}

/* Parse in pieces of `step` bytes. */
static void transcribe(slm_chat_parser *parser, const char *answer, size_t length, size_t step, struct transcript *t)
{
    memset(t, 0, sizeof *t);
    text_put(&t->events, "");
    text_put(&t->bytes, "");
    CHECK_OK(slm_chat_parser_reset(parser, &error));
    for (size_t at = 0; at < length; at += step) {
        CHECK_OK(slm_chat_parser_add(parser, answer + at, length - at < step ? length - at : step, &error));
        take_events(parser, t);
    }
    CHECK_OK(slm_chat_parser_end(parser, &error));
    take_events(parser, t);
}

static void free_transcript(struct transcript *t)
{
    text_free(&t->events);
    text_free(&t->bytes);
}

/* Both ways of cutting give the same events, and all bytes. The ids count on, so each way has its own parser. */
static void check_pieces(const slm_chat_parse_options *options, const char *answer, size_t length)
{
    static const size_t steps[] = {1, 2, 3, 7, 64};
    struct transcript whole, pieces;
    slm_chat_parser *parser = NULL;
    CHECK_OK(slm_chat_parser_create(engine, NULL, options, &parser, &error));
    transcribe(parser, answer, length, length + 1, &whole);
    CHECK_OK(slm_chat_parser_destroy(parser));
    assert_int_equal(whole.bytes.length, length);
    assert_memory_equal(whole.bytes.bytes, answer, length);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        CHECK_OK(slm_chat_parser_create(engine, NULL, options, &parser, &error));
        transcribe(parser, answer, length, steps[i], &pieces);
        CHECK_OK(slm_chat_parser_destroy(parser));
        assert_int_equal(pieces.events.length, whole.events.length);
        assert_memory_equal(pieces.events.bytes, whole.events.bytes, whole.events.length);
        free_transcript(&pieces);
    }
    free_transcript(&whole);
}

static void test_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        char expected[2048], message[2048];
        uint64_t needed = 0;
        const slm_chat_parse_options options = parse_options(&samples[i]);
        snprintf(expected, sizeof expected, "{\"role\":\"assistant\",\"content\":%s}", samples[i].message);
        CHECK_OK(
            slm_chat_parse(engine, NULL, samples[i].answer, SLM_NUL_TERMINATED, &options, message, sizeof message - 1, &needed, &error));
        message[needed] = '\0';
        if (strcmp(message, expected) != 0) {
            fail_msg("%s\n gives    %s\n expected %s", samples[i].answer, message, expected);
        }
    }
}

static void test_pieces_of_any_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        for (int32_t format = SLM_CHAT_FORMAT_PLAIN; format <= SLM_CHAT_FORMAT_FUNCTIONARY; format++) {
            slm_chat_parse_options options = parse_options(&samples[i]);
            options.format = format;
            check_pieces(&options, samples[i].answer, strlen(samples[i].answer));
        }
    }
}

/* Samples cut off anywhere, glued together, with bytes changed. */
static void test_damaged_answers(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (int round = 0; round < 3000; round++) {
        char answer[1024];
        size_t length = 0;
        for (int part = 0; part < 3; part++) {
            random = random * 1664525u + 1013904223u;
            const char *sample = samples[(random >> 8) % SAMPLES].answer;
            size_t take = strlen(sample) - (random >> 20) % (strlen(sample) + 1);
            take = take < sizeof answer - length ? take : sizeof answer - length;
            memcpy(answer + length, sample, take);
            length += take;
        }
        for (int change = 0; change < round % 3 && length > 0; change++) {
            random = random * 1664525u + 1013904223u;
            answer[(random >> 8) % length] = (char)(random >> 24);
        }
        slm_chat_parse_options options = parse_options(&samples[(size_t)round % SAMPLES]);
        check_pieces(&options, answer, length);
    }
}

static void test_what_may_be_shown(void **state)
{
    (void)state;
    slm_chat_parser *parser = NULL;
    slm_chat_event event = {.struct_size = sizeof event};
    const slm_chat_parse_options options = {.struct_size = sizeof options, .format = SLM_CHAT_FORMAT_HERMES};
    CHECK_OK(slm_chat_parser_create(engine, NULL, &options, &parser, &error));
    CHECK_OK(slm_chat_parser_add(parser, "Hi <b> \n<tool", SLM_NUL_TERMINATED, &error));
    CHECK_OK(slm_chat_parser_next(parser, &event, &error));
    assert_int_equal(event.kind, SLM_CHAT_EVENT_CONTENT);
    assert_int_equal(event.text_length, 6);
    assert_int_equal(event.pending, 7);
    CHECK_OK(slm_chat_parser_next(parser, &event, &error));
    assert_int_equal(event.kind, SLM_CHAT_EVENT_NONE);
    CHECK_OK(slm_chat_parser_add(parser, "_call>{\"name\":\"f\"", SLM_NUL_TERMINATED, &error));
    CHECK_OK(slm_chat_parser_next(parser, &event, &error));
    assert_int_equal(event.kind, SLM_CHAT_EVENT_NONE);
    assert_int_equal(event.pending, 24);
    CHECK_OK(slm_chat_parser_add(parser, "}</tool_call>", SLM_NUL_TERMINATED, &error));
    CHECK_OK(slm_chat_parser_next(parser, &event, &error));
    assert_int_equal(event.kind, SLM_CHAT_EVENT_MARK);
    CHECK_OK(slm_chat_parser_next(parser, &event, &error));
    assert_int_equal(event.kind, SLM_CHAT_EVENT_CALL);
    assert_int_equal(event.pending, 0);
    assert_memory_equal(event.name, "f", 1);
    CHECK_OK(slm_chat_parser_end(parser, &error));
    assert_int_equal(slm_chat_parser_add(parser, "x", 1, &error), SLM_E_STATE);
    CHECK_OK(slm_chat_parser_destroy(parser));
}

/* ---- hostile answers: megabytes of what may become a call ---- */

static void check_hostile(int32_t format, const char *head, const char *unit, const char *tail)
{
    struct text answer = {0};
    struct transcript t;
    slm_chat_parser *parser = NULL;
    const slm_chat_parse_options options = {.struct_size = sizeof options, .format = format, .max_bytes = 4 << 20};
    text_put(&answer, head);
    while (answer.length < 2 << 20) {
        text_put(&answer, unit);
    }
    text_put(&answer, tail);
    CHECK_OK(slm_chat_parser_create(engine, NULL, &options, &parser, &error));
    transcribe(parser, answer.bytes, answer.length, 97, &t);
    assert_int_equal(t.bytes.length, answer.length);
    assert_memory_equal(t.bytes.bytes, answer.bytes, answer.length);
    free_transcript(&t);
    text_free(&answer);
    CHECK_OK(slm_chat_parser_destroy(parser));
}

static void test_hostile_answers(void **state)
{
    (void)state;
    check_hostile(SLM_CHAT_FORMAT_HERMES, "<tool_call>", "{\"a\":", "");
    check_hostile(SLM_CHAT_FORMAT_HERMES, "<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":[", "[],", "[]]}}</tool_call>");
    check_hostile(SLM_CHAT_FORMAT_HERMES, "<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":\"", "text ", "");
    check_hostile(SLM_CHAT_FORMAT_HERMES, "", "<tool_call>", "");
    check_hostile(SLM_CHAT_FORMAT_HERMES, "", "<tool_call>{", "");
    check_hostile(SLM_CHAT_FORMAT_HERMES, "", "<tool_call>{\"", "");
    check_hostile(SLM_CHAT_FORMAT_HERMES, "", "<tool_call", "");
    check_hostile(SLM_CHAT_FORMAT_HERMES, "", " ", "");
    check_hostile(SLM_CHAT_FORMAT_MISTRAL, "", "[TOOL_CALLS]", "");
    check_hostile(SLM_CHAT_FORMAT_MISTRAL, "[TOOL_CALLS][", "{\"name\":\"f\"},", "{\"name\":\"f\"}]");
    check_hostile(SLM_CHAT_FORMAT_MISTRAL, "", "[TOOL_CALLS]f[ARGS]{}", "");
    check_hostile(SLM_CHAT_FORMAT_QWEN_XML, "<tool_call><function=f>", "<parameter=a>b</parameter>", "");
    check_hostile(SLM_CHAT_FORMAT_QWEN_XML, "<tool_call><function=f>", "<parameter=a>b</parameter>", "</function></tool_call>");
    check_hostile(SLM_CHAT_FORMAT_QWEN_XML, "<tool_call><function=f><parameter=a>", "</parameter<", "");
    check_hostile(SLM_CHAT_FORMAT_QWEN_XML, "<tool_call>", "<function=f></function>", "</tool_call>");
    check_hostile(SLM_CHAT_FORMAT_LLAMA3, "<|python_tag|>f.call(", "a=\"b\", ", "a=\"b\")");
    check_hostile(SLM_CHAT_FORMAT_LLAMA3, "", "{\"name\":\"f\",\"parameters\":{}};", "");
    check_hostile(SLM_CHAT_FORMAT_LLAMA3, "", "{", "");
    check_hostile(SLM_CHAT_FORMAT_PLAIN, "", "<think></think>", "");
    check_hostile(SLM_CHAT_FORMAT_GRANITE, "", "<response></response>", "");
}

/* ---- formats by template ---- */

static const struct {
    const char *folder;
    int32_t format;
} templates[] = {
    {"meta-llama-Llama-3.1-8B-Instruct", SLM_CHAT_FORMAT_LLAMA3},
    {"meta-llama-Llama-3.2-3B-Instruct", SLM_CHAT_FORMAT_LLAMA3},
    {"NousResearch-Hermes-3-Llama-3.1-8B-tool_use", SLM_CHAT_FORMAT_HERMES},
    {"Qwen-Qwen2.5-7B-Instruct", SLM_CHAT_FORMAT_HERMES},
    {"Qwen-Qwen3-0.6B", SLM_CHAT_FORMAT_HERMES},
    {"Qwen-QwQ-32B", SLM_CHAT_FORMAT_HERMES},
    {"HuggingFaceTB-SmolLM3-3B", SLM_CHAT_FORMAT_HERMES},
    {"Qwen3-Coder", SLM_CHAT_FORMAT_QWEN_XML},
    {"Qwen3.5-4B", SLM_CHAT_FORMAT_QWEN_XML},
    {"mistral-common-v3", SLM_CHAT_FORMAT_MISTRAL},
    {"mistralai-Mistral-Nemo-Instruct-2407", SLM_CHAT_FORMAT_MISTRAL},
    {"Mistral-Small-3.2-24B-Instruct-2506", SLM_CHAT_FORMAT_MISTRAL},
    {"mistralai-Ministral-3-14B-Reasoning-2512", SLM_CHAT_FORMAT_MISTRAL},
    {"microsoft-Phi-4-mini-instruct", SLM_CHAT_FORMAT_PHI4_MINI},
    {"ibm-granite-granite-3.3-2B-Instruct", SLM_CHAT_FORMAT_GRANITE},
    {"meetkai-functionary-medium-v3.1", SLM_CHAT_FORMAT_FUNCTIONARY},
    {"google-gemma-3-4b-it", SLM_CHAT_FORMAT_PLAIN},
    {"microsoft-phi-4", SLM_CHAT_FORMAT_PLAIN},
    {"GLM-4.6", SLM_CHAT_FORMAT_PLAIN},
};

/* A sample of each format is read as calls with a template of that format. */
static void test_formats_of_templates(void **state)
{
    (void)state;
    unsigned found = 0;
    for (size_t i = 0; i < sizeof templates / sizeof templates[0]; i++) {
        char path[600];
        struct text source = {0};
        snprintf(path, sizeof path, "%s/templates/%s/template.jinja", golden_root(), templates[i].folder);
        source.bytes = golden_load(path, &source.length);
        for (size_t j = 0; source.bytes != NULL && j < SAMPLES; j++) {
            char by_template[2048], by_number[2048];
            uint64_t length = 0, other = 0;
            slm_chat_parse_options options = parse_options(&samples[j]);
            options.format = templates[i].format;
            CHECK_OK(slm_chat_parse(engine, NULL, samples[j].answer, SLM_NUL_TERMINATED, &options, by_number, 2048, &other, &error));
            options.format = SLM_CHAT_FORMAT_AUTO;
            options.template_text = source.bytes;
            options.template_length = source.length;
            CHECK_OK(slm_chat_parse(engine, NULL, samples[j].answer, SLM_NUL_TERMINATED, &options, by_template, 2048, &length, &error));
            if (length != other || memcmp(by_template, by_number, length) != 0) {
                fail_msg("%s is not of format %d", templates[i].folder, templates[i].format);
            }
        }
        found += source.bytes != NULL;
        free(source.bytes);
    }
    print_message("%u templates\n", found);
    if (found == 0) {
        skip();
    }
}

/* What a template writes for a call is read as that call. */
static void check_written_call(const char *name, struct text source, void *user)
{
    static const char asked[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}" WRITTEN_EXTRA;
    static const char answered[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"\",\"tool_"
                                   "calls\":[{\"id\":\"abcdefghi\","
                                   "\"type\":\"function\",\"function\":{\"name\":\"weather\",\"arguments\":{\"city\":\"a \\\"b\\\" </x> "
                                   "{\",\"days\":3}}}]}" WRITTEN_EXTRA;
    static const char expected[] =
        "\"name\":\"weather\",\"arguments\":\"{\\\"city\\\": \\\"a \\\\\\\"b\\\\\\\" </x> {\\\", \\\"days\\\": 3}\"";
    const slm_chat_options options = chat_options(&source, 0);
    const slm_chat_parse_options parsing = {.struct_size = sizeof parsing, .template_text = source.bytes, .template_length = source.length};
    struct text before, after;
    char message[4096] = "";
    uint64_t needed = 0;
    unsigned *count = user;
    const slm_status first = render(engine, NULL, asked, &options, &before);
    const slm_status second = render(engine, NULL, answered, &options, &after);
    /* Some templates write no calls at all; those of these families that do are counted. */
    if (first == SLM_OK && second == SLM_OK && after.length > before.length && strstr(after.bytes, "days") != NULL &&
        memcmp(before.bytes, after.bytes, before.length) == 0) {
        const char *answer = after.bytes + before.length;
        CHECK_OK(slm_chat_parse(engine, NULL, answer, SLM_NUL_TERMINATED, &parsing, message, sizeof message - 1, &needed, &error));
        const int is_read = strstr(message, expected) != NULL;
        print_message("%s: %s\n", name, is_read ? "read" : message);
        *count += (unsigned)is_read;
    }
    text_free(&before);
    text_free(&after);
}

static void test_calls_written_by_templates(void **state)
{
    (void)state;
    unsigned count = 0;
    const unsigned folders = for_each_template(check_written_call, &count);
    print_message("%u calls read back\n", count);
    if (folders < 30) {
        skip();
    }
    assert_true(count >= 12);
}

static void test_arguments(void **state)
{
    (void)state;
    char message[64];
    uint64_t needed = 0;
    slm_chat_parser *parser = NULL;
    slm_chat_parse_options options = {.struct_size = sizeof options, .max_bytes = 4};
    assert_int_equal(slm_chat_parse(engine, NULL, "a\xFF", 2, NULL, message, 64, &needed, &error), SLM_E_ENCODING);
    assert_int_equal(slm_chat_parse(engine, NULL, "a", 1, NULL, message, 3, &needed, &error), SLM_E_BUFFER_TOO_SMALL);
    assert_int_equal(needed, 34);
    assert_int_equal(slm_chat_parse(NULL, NULL, "a", 1, NULL, message, 3, &needed, &error), SLM_E_ARGUMENT);
    CHECK_OK(slm_chat_parser_create(engine, NULL, &options, &parser, &error));
    assert_int_equal(slm_chat_parser_add(parser, "12345", 5, &error), SLM_E_LIMIT);
    CHECK_OK(slm_chat_parser_add(parser, "1234", 4, &error));
    slm_chat_event event = {.struct_size = 2};
    assert_int_equal(slm_chat_parser_next(parser, &event, &error), SLM_E_STRUCT_SIZE);
    event.struct_size = sizeof event;
    CHECK_OK(slm_chat_parser_next(parser, &event, &error));
    assert_int_equal(event.text_length, 4);
    CHECK_OK(slm_chat_parser_destroy(parser));
    options.format = 99;
    assert_int_equal(slm_chat_parser_create(engine, NULL, &options, &parser, &error), SLM_E_ARGUMENT);
    options.format = 0;
    options.tools = "[";
    options.tools_length = 1;
    assert_int_equal(slm_chat_parser_create(engine, NULL, &options, &parser, &error), SLM_E_SYNTAX);
    CHECK_OK(slm_chat_parser_destroy(NULL));
}

/* Each allocation fails once: a status, no leak, and an event that is not lost. */
static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    const struct sample *sample = &samples[12];
    for (uint64_t fail_at = 1;; fail_at++) {
        struct counting_allocator counter = {0, 0, 0, 0};
        const slm_engine_options engine_options = counting_options(&counter);
        const slm_chat_parse_options options = parse_options(sample);
        slm_engine *small = NULL;
        char message[2048];
        uint64_t needed = 0;
        CHECK_OK(slm_engine_create(&engine_options, &small, &error));
        const uint64_t before = counter.calls, live = counter.live_blocks;
        counter.fail_at = before + fail_at;
        const slm_status status =
            slm_chat_parse(small, NULL, sample->answer, SLM_NUL_TERMINATED, &options, message, sizeof message, &needed, &error);
        const int was_reached = counter.calls >= counter.fail_at;
        assert_int_equal(counter.live_blocks, live);
        assert_int_equal(status, was_reached ? SLM_E_NO_MEMORY : SLM_OK);
        CHECK_OK(slm_engine_destroy(small));
        if (!was_reached) {
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_pieces_of_any_size),
        cmocka_unit_test(test_damaged_answers),
        cmocka_unit_test(test_what_may_be_shown),
        cmocka_unit_test(test_hostile_answers),
        cmocka_unit_test(test_formats_of_templates),
        cmocka_unit_test(test_calls_written_by_templates),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
