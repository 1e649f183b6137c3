/* SPDX-License-Identifier: MIT */
/* CRC-32C and SHA-256 against published vectors, any division of the input, and the generated tables against their definition. */
#include "base/checksum.h"      /* slm__crc32c, struct slm_sha256 */
#include "base/crc32c_tables.h" /* slm__crc32c_tables */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void crc_vectors(void **state)
{
    (void)state;
    unsigned char bytes[32];
    assert_int_equal(slm__crc32c(0, "", 0), 0);
    assert_int_equal(slm__crc32c(0, "123456789", 9), 0xE3069283);
    memset(bytes, 0, sizeof bytes); /* RFC 3720, B.4 */
    assert_int_equal(slm__crc32c(0, bytes, 32), 0x8A9136AA);
    memset(bytes, 0xFF, sizeof bytes);
    assert_int_equal(slm__crc32c(0, bytes, 32), 0x62A8AB43);
    for (int i = 0; i < 32; i++) {
        bytes[i] = (unsigned char)i;
    }
    assert_int_equal(slm__crc32c(0, bytes, 32), 0x46DD794E);
}

static void crc_tables(void **state)
{
    (void)state;
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t c = b;
        for (int bit = 0; bit < 8; bit++) {
            c = c >> 1 ^ ((c & 1) != 0 ? 0x82F63B78 : 0);
        }
        for (int n = 0; n < 8; n++) {
            assert_int_equal(slm__crc32c_tables[n][b], c);
            for (int bit = 0; bit < 8; bit++) {
                c = c >> 1 ^ ((c & 1) != 0 ? 0x82F63B78 : 0);
            }
        }
    }
}

static void crc_in_parts(void **state)
{
    (void)state;
    unsigned char bytes[200];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(i * 37 + 11);
    }
    uint32_t whole = slm__crc32c(0, bytes, sizeof bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        assert_int_equal(slm__crc32c(slm__crc32c(0, bytes, cut), bytes + cut, sizeof bytes - cut), whole);
    }
}

static void expect_sha(const char *text, size_t length, const char *expected)
{
    for (size_t step = 1; step < 140; step += 23) {
        struct slm_sha256 hash;
        char hex[65];
        slm__sha256_init(&hash);
        for (size_t i = 0; i < length; i += step) {
            slm__sha256_update(&hash, text + i, length - i < step ? length - i : step);
        }
        slm__sha256_hex(&hash, hex);
        assert_string_equal(hex, expected);
    }
}

static void sha_vectors(void **state)
{
    (void)state;
    expect_sha("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_sha("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect_sha("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    expect_sha("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu", 112,
               "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    char *million = malloc(1000000);
    assert_non_null(million);
    memset(million, 'a', 1000000);
    expect_sha(million, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_vectors),
        cmocka_unit_test(crc_tables),
        cmocka_unit_test(crc_in_parts),
        cmocka_unit_test(sha_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
