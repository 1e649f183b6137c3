/* SPDX-License-Identifier: MIT */
/* Failures: slm_error is written within its struct_size, cut at characters, free of control bytes. Log lines likewise. */
#include "base/log.h"    /* slm__log */
#include "base/status.h" /* slm__fail, slm__fail_in */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void fills_error(void **state)
{
    (void)state;
    slm_error error = {sizeof error, 0, ""};
    assert_int_equal(slm__fail(&error, SLM_E_BAD_VALUE, "%s: key %s is %d", "a.json", "layers", -3), SLM_E_BAD_VALUE);
    assert_int_equal(error.status, SLM_E_BAD_VALUE);
    assert_string_equal(error.message, "a.json: key layers is -3");
    assert_int_equal(slm__fail_in(&error, SLM_E_LIMIT, "model %d", 7), SLM_E_LIMIT);
    assert_string_equal(error.message, "model 7: a.json: key layers is -3");
    assert_int_equal(slm__fail(NULL, SLM_E_LIMIT, "nobody listens"), SLM_E_LIMIT);
    assert_int_equal(slm__fail_memory(&error, 123456), SLM_E_NO_MEMORY);
    assert_non_null(strstr(error.message, "123456 bytes"));
}

static void stays_inside_struct_size(void **state)
{
    (void)state;
    for (uint32_t size = 0; size <= sizeof(slm_error) + 100; size++) {
        slm_error error;
        memset(&error, 0x55, sizeof error);
        error.struct_size = size;
        slm__fail(&error, SLM_E_LIMIT, "%0600d", 1);
        slm__fail_in(&error, SLM_E_LIMIT, "%0600d", 1);
        size_t written = size < 12 ? 4 : size < sizeof error ? size : sizeof error;
        const unsigned char *bytes = (const unsigned char *)&error;
        for (size_t i = written; i < sizeof error; i++) {
            assert_int_equal(bytes[i], 0x55);
        }
        if (size >= 12) {
            assert_int_equal(strlen(error.message), written - 8 - 1);
        } else {
            assert_int_equal(error.status, 0x55555555);
        }
    }
}

static void message_is_clean_utf8(void **state)
{
    (void)state;
    slm_error error = {sizeof error, 0, ""};
    slm__fail(&error, SLM_E_LIMIT, "name \"%s\"", "a\033[2J\nb\xFF\xC3(\xC2\x9B \xC3\xA9\xE2\x82\xAC");
    assert_string_equal(error.message, "name \"a?[2J?b?\?(?\? \xC3\xA9\xE2\x82\xAC\"");
}

static void cut_at_a_character(void **state)
{
    (void)state;
    static const char euros[] = "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC";
    for (uint32_t room = 4; room <= 13; room++) { /* bytes of the message, NUL included */
        slm_error error = {8 + room, 0, ""};
        slm__fail(&error, SLM_E_LIMIT, "%s", euros);
        assert_int_equal(strlen(error.message), (room - 1) / 3 * 3);
        assert_memory_equal(error.message, euros, strlen(error.message));
    }
}

static void prefix_longer_than_the_message(void **state)
{
    (void)state;
    slm_error error = {sizeof error, 0, ""};
    slm__fail(&error, SLM_E_LIMIT, "%0500d", 1);
    slm__fail_in(&error, SLM_E_LIMIT, "%0700d", 2);
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
}

/* Of a long path the beginning and the file's name stay, and all that is said about it. */
static void long_paths_are_shortened_in_the_middle(void **state)
{
    (void)state;
    static const char reason[] = "/\xC3\xA9/model.safetensors: tensor a is listed twice";
    char path[4100] = "/home";
    for (size_t length = 100; length < 4000; length += 37) {
        slm_error error = {sizeof error, 0, ""};
        for (size_t i = 5; i < length; i++) {
            path[i] = i % 40 == 0 ? '/' : i % 7 == 0 ? ' ' : i % 2 == 0 ? '\xC3' : '\xA9'; /* some of it no UTF-8 */
        }
        strcpy(path + length, "");
        slm__fail(&error, SLM_E_BAD_VALUE, "cannot open %s%s", path, reason);
        const size_t whole = strlen("cannot open ") + length + strlen(reason);
        assert_int_equal(strncmp(error.message, "cannot open /home", 17), 0);
        assert_true(strlen(error.message) >= (whole < 503 ? whole : 490));
        assert_string_equal(error.message + strlen(error.message) - strlen(reason), reason);
        assert_int_equal(strstr(error.message, "...") != NULL, whole > sizeof error.message - 1);
        slm__fail(&error, SLM_E_BAD_VALUE, "tensor a is listed twice");
        slm__fail_in(&error, SLM_E_BAD_VALUE, "adapter %s%s", path, "/\xC3\xA9/model.safetensors");
        assert_string_equal(error.message + strlen(error.message) - strlen(reason), reason);
    }
    slm_error small = {8 + 60, 0, ""};
    slm__fail(&small, SLM_E_BAD_VALUE, "%s%s", path, reason);
    assert_int_equal(strlen(small.message), 59);
}

struct heard {
    int lines;
    int32_t level;
    char text[600];
};

static void hear(void *user, int32_t level, const char *message)
{
    struct heard *heard = user;
    heard->lines++;
    heard->level = level;
    strncpy(heard->text, message, sizeof heard->text - 1);
}

static void log_gives_one_clean_line(void **state)
{
    (void)state;
    struct heard heard = {0, 0, ""};
    struct slm_log log = {hear, &heard};
    struct slm_log silent = {NULL, NULL};
    slm__log(&silent, SLM_LOG_WARNING, "nobody %d", 1);
    slm__log(NULL, SLM_LOG_WARNING, "nobody %d", 1);
    slm__log(&log, SLM_LOG_WARNING, "ignored \"%s\"", "a\nb");
    assert_int_equal(heard.lines, 1);
    assert_int_equal(heard.level, SLM_LOG_WARNING);
    assert_string_equal(heard.text, "ignored \"a?b\"");
    slm__log(&log, SLM_LOG_INFO, "%0900d", 5);
    assert_int_equal(strlen(heard.text), 511);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_error),
        cmocka_unit_test(stays_inside_struct_size),
        cmocka_unit_test(message_is_clean_utf8),
        cmocka_unit_test(cut_at_a_character),
        cmocka_unit_test(prefix_longer_than_the_message),
        cmocka_unit_test(log_gives_one_clean_line),
        cmocka_unit_test(long_paths_are_shortened_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
