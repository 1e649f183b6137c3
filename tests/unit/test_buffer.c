/* SPDX-License-Identifier: MIT */
/* The growing buffer and the rule by which results are handed out. */
#include "base/buffer.h"      /* struct slm_buffer, slm__copy_out */
#include "base/byte_reader.h" /* struct slm_byte_reader */

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void *refuse_large(void *user, uint64_t bytes, uint64_t alignment)
{
    return bytes > *(uint64_t *)user ? NULL : aligned_alloc((size_t)alignment, (size_t)slm__round_up(bytes, alignment));
}

static void give_back(void *user, void *memory, uint64_t bytes)
{
    (void)user;
    (void)bytes;
    free(memory);
}

static void appends(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    struct slm_buffer buffer;
    slm__buffer_init(&buffer, &memory, SIZE_MAX);
    assert_true(slm__buffer_append_text(&buffer, "abc"));
    assert_true(slm__buffer_append_byte(&buffer, 0xFE));
    assert_true(slm__buffer_append_u32(&buffer, 0x01020304));
    assert_true(slm__buffer_append_u64(&buffer, UINT64_C(0x1122334455667788)));
    assert_true(slm__buffer_append_format(&buffer, "%s=%d", "x", 5));
    assert_true(slm__buffer_append(&buffer, NULL, 0));
    assert_true(slm__buffer_align(&buffer, 16));
    assert_int_equal(buffer.length, 32);
    struct slm_byte_reader reader = slm__reader(buffer.data, buffer.length);
    assert_memory_equal(slm__read_bytes(&reader, 4), "abc\xFE", 4);
    assert_int_equal(slm__read_u32(&reader), 0x01020304);
    assert_true(slm__read_u64(&reader) == UINT64_C(0x1122334455667788));
    assert_memory_equal(slm__read_bytes(&reader, 16), "x=5\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_false(reader.failed);
    assert_int_equal(slm__read_u32(&reader), 0);
    assert_true(reader.failed);
    assert_int_equal(slm__buffer_failure(&buffer, NULL), SLM_OK);
    slm__buffer_free(&buffer);
    slm__buffer_free(&buffer);
}

static void limit_is_exact_and_remembered(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    struct slm_buffer buffer;
    slm_error error = {sizeof error, 0, ""};
    slm__buffer_init(&buffer, &memory, 100);
    for (int i = 0; i < 100; i++) {
        assert_true(slm__buffer_append_byte(&buffer, (uint8_t)i));
    }
    assert_false(slm__buffer_append_byte(&buffer, 1));
    assert_int_equal(buffer.length, 100);
    assert_false(slm__buffer_append_text(&buffer, ""));
    assert_int_equal(slm__buffer_failure(&buffer, &error), SLM_E_LIMIT);
    assert_non_null(strstr(error.message, "100 bytes"));
    assert_int_equal(buffer.data[99], 99);
    slm__buffer_free(&buffer);
}

static void allocator_refusal_keeps_the_content(void **state)
{
    (void)state;
    uint64_t largest = 256;
    struct slm_memory memory = {refuse_large, give_back, &largest};
    struct slm_buffer buffer;
    slm__buffer_init(&buffer, &memory, SIZE_MAX);
    size_t count = 0;
    while (slm__buffer_append_u32(&buffer, (uint32_t)count)) {
        count++;
    }
    assert_int_equal(count, 64);
    assert_int_equal(buffer.length, 256);
    assert_int_equal(slm__load_u32(buffer.data + 252), 63);
    assert_int_equal(slm__buffer_failure(&buffer, NULL), SLM_E_NO_MEMORY);
    slm__buffer_free(&buffer);
}

static void format_longer_than_256_is_refused(void **state)
{
    (void)state;
    struct slm_memory memory = slm__memory_default();
    struct slm_buffer buffer;
    slm__buffer_init(&buffer, &memory, SIZE_MAX);
    assert_true(slm__buffer_append_format(&buffer, "%0256d", 1));
    assert_false(slm__buffer_append_format(&buffer, "%0257d", 1));
    assert_int_equal(buffer.length, 256);
    slm__buffer_free(&buffer);
}

static void json_strings(void **state)
{
    (void)state;
    static const char text[] = "a\"b\\c\n\t\r\b\f\x01\x1F/\x7F\xC3\xA9\0z";
    static const char expected[] = "\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001\\u001f/\x7F\xC3\xA9\\u0000z\"";
    struct slm_memory memory = slm__memory_default();
    struct slm_buffer buffer;
    slm__buffer_init(&buffer, &memory, SIZE_MAX);
    assert_true(slm__buffer_append_json_string(&buffer, slm__span(text, sizeof text - 1)));
    assert_int_equal(buffer.length, sizeof expected - 1);
    assert_memory_equal(buffer.data, expected, sizeof expected - 1);
    buffer.limit = buffer.length + 5;
    assert_false(slm__buffer_append_json_string(&buffer, slm__span_text("a\nbc"))); /* all or nothing */
    assert_int_equal(buffer.length, sizeof expected - 1);
    slm__buffer_free(&buffer);
}

static void copy_out_follows_the_public_rule(void **state)
{
    (void)state;
    char target[8] = "-------";
    uint64_t needed = 99;
    struct slm_span result = slm__span_text("hello");
    assert_int_equal(slm__copy_out(result, NULL, 0, &needed, NULL), SLM_E_BUFFER_TOO_SMALL);
    assert_int_equal(needed, 5);
    assert_int_equal(slm__copy_out(result, target, 4, &needed, NULL), SLM_E_BUFFER_TOO_SMALL);
    assert_string_equal(target, "-------");
    assert_int_equal(slm__copy_out(result, target, 5, NULL, NULL), SLM_OK);
    assert_string_equal(target, "hello--");
    assert_int_equal(slm__copy_out(result, NULL, 5, &needed, NULL), SLM_E_ARGUMENT);
    assert_int_equal(slm__copy_out(slm__span(NULL, 0), NULL, 0, &needed, NULL), SLM_OK);
    assert_int_equal(needed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends),
        cmocka_unit_test(limit_is_exact_and_remembered),
        cmocka_unit_test(allocator_refusal_keeps_the_content),
        cmocka_unit_test(format_longer_than_256_is_refused),
        cmocka_unit_test(json_strings),
        cmocka_unit_test(copy_out_follows_the_public_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
