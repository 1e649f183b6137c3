/* SPDX-License-Identifier: MIT */
/* Markers of images in prompts: replaced where the template wrote them, left where others did; ranges of untrusted text move along. */
#include "text/chat_images.h"
#include "text/tokenizer.h" /* struct slm_text_range */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Untrusted text is in parentheses, which belong to it. */
static void expect(const char *text, const char *wanted)
{
    const struct slm_memory memory = slm__memory_default();
    const struct slm_chat_images images = {.marker = slm__span_text("<i>"),
                                           .before = slm__span_text("[<i>"),
                                           .token = slm__span_text("#"),
                                           .after = slm__span_text("]"),
                                           .tokens = 3};
    struct slm_buffer out, ranges;
    struct slm_text_range range = {0, 0};
    slm_error error = {.struct_size = sizeof error};
    slm__buffer_init(&out, &memory, 1 << 20);
    slm__buffer_init(&ranges, &memory, 1 << 20);
    slm__buffer_append_text(&out, text);
    for (size_t i = 0; text[i] != 0; i++) {
        range.start = text[i] == '(' ? i : range.start;
        range.end = i + 1;
        if (text[i] == ')') {
            slm__buffer_append(&ranges, &range, sizeof range);
        }
    }
    const size_t count = ranges.length;
    assert_int_equal(slm__chat_place_images(&images, &out, &ranges, &error), SLM_OK);
    assert_int_equal(out.length, strlen(wanted));
    assert_memory_equal(out.data, wanted, out.length);
    assert_int_equal(ranges.length, count);
    for (size_t at = 0; at < ranges.length; at += sizeof range) {
        memcpy(&range, ranges.data + at, sizeof range);
        assert_true(out.data[range.start] == '(' && out.data[range.end - 1] == ')');
    }
    slm__buffer_free(&out);
    slm__buffer_free(&ranges);
}

static void markers_of_the_template(void **state)
{
    (void)state;
    expect("", "");
    expect("no image", "no image");
    expect("<i>", "[<i>###]");
    expect("a<i><i>b", "a[<i>###][<i>###]b");
    expect("<i", "<i");
    expect("<<i>i>", "<[<i>###]i>");
}

static void markers_of_others_stay(void **state)
{
    (void)state;
    expect("(<i>)", "(<i>)");
    expect("(a)<i>(<i>)<i>(b)", "(a)[<i>###](<i>)[<i>###](b)");
    expect("<(i)>", "<(i)>");
    expect("(<)i>", "(<)i>");
    expect("x(1)(2)<i>y(3)z<i>", "x(1)(2)[<i>###]y(3)z[<i>###]");
}

static void no_marker_no_change(void **state)
{
    const struct slm_memory memory = slm__memory_default();
    const struct slm_chat_images none = {0};
    struct slm_buffer text, ranges;
    (void)state;
    slm__buffer_init(&text, &memory, 100);
    slm__buffer_init(&ranges, &memory, 100);
    slm__buffer_append_text(&text, "<i>");
    const uint8_t *data = text.data;
    assert_int_equal(slm__chat_place_images(&none, &text, &ranges, NULL), SLM_OK);
    assert_true(text.data == data && text.length == 3);
    slm__buffer_free(&text);
    slm__buffer_free(&ranges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markers_of_the_template),
        cmocka_unit_test(markers_of_others_stay),
        cmocka_unit_test(no_marker_no_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
