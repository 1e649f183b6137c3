/* SPDX-License-Identifier: MIT */
/*
 * embed_file INPUT SYMBOL OUTPUT.c: write a C file that holds the bytes of INPUT, aligned to 64:
 *
 *     _Alignas(64) const unsigned char SYMBOL[] = {...};
 *     const unsigned long long SYMBOL_length = N;
 *
 * A program run while building, since C11 has no #embed. Without INPUT the array holds one zero and the length is 0.
 */
#include <stdio.h>

static int complain(const char *what, const char *path)
{
    (void)fprintf(stderr, "embed_file: %s %s\n", what, path);
    return 1;
}

/* Bytes as decimal numbers without blanks, 32 a line: the shortest text that a compiler reads. */
static size_t write_bytes(FILE *input, FILE *output)
{
    static unsigned char bytes[65536];
    size_t total = 0;
    size_t count = 0;
    while ((count = fread(bytes, 1, sizeof bytes, input)) > 0) {
        for (size_t i = 0; i < count; i++) {
            char digits[8];
            char *at = digits;
            const unsigned value = bytes[i];
            if (value >= 100) {
                *at++ = (char)('0' + value / 100);
            }
            if (value >= 10) {
                *at++ = (char)('0' + value / 10 % 10);
            }
            *at++ = (char)('0' + value % 10);
            *at++ = ',';
            if (i % 32 == 31) {
                *at++ = '\n';
            }
            (void)fwrite(digits, 1, (size_t)(at - digits), output);
        }
        total += count;
    }
    return total;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        return complain("usage: embed_file INPUT SYMBOL", "OUTPUT.c");
    }
    const char *symbol = argv[2];
    FILE *input = fopen(argv[1], "rb");
    FILE *output = fopen(argv[3], "wb");
    if (output == NULL) {
        return complain("cannot write", argv[3]);
    }
    (void)fprintf(output,
                  "/* Made by embed_file.c. */\nextern const unsigned char %s[];\nextern const unsigned long long %s_length;\n"
                  "_Alignas(64) const unsigned char %s[] = {\n",
                  symbol, symbol, symbol);
    const size_t length = input != NULL ? write_bytes(input, output) : 0;
    if (input != NULL && (ferror(input) || fclose(input) != 0)) {
        return complain("cannot read", argv[1]);
    }
    (void)fprintf(output, "%s};\nconst unsigned long long %s_length = %zu;\n", length == 0 ? "0" : "", symbol, length);
    if (ferror(output) || fclose(output) != 0) {
        (void)remove(argv[3]);
        return complain("cannot write", argv[3]);
    }
    return 0;
}
