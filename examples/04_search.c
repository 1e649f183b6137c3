/* SPDX-License-Identifier: MIT */
/*
 * Search by meaning: every line of a text file gets an embedding; a query is answered by the lines whose embeddings have the largest cosine
 * with its own.
 *
 *     echo "Where is my parcel?" | 04_search MODEL.slm FILE.txt      (one query a line)
 * Any model works; encoders made for it (MiniLM, bge, e5) work best.
 */
#include <slm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BEST = 3, GROUP = 64 };

struct index {
    slm_pool *pool;
    char *text; /* the file; line ends replaced by NUL */
    slm_input *lines;
    float *embeddings; /* [count][size] */
    size_t count;
    uint32_t size;
};

static int fail(const char *what, const slm_error *error)
{
    fprintf(stderr, "%s: %s\n", what, error->message);
    return -1;
}

/* The whole file as a string; NULL: it cannot be read. */
static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    const long size = file != NULL && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    char *text = size >= 0 ? calloc(1, (size_t)size + 1) : NULL;
    if (text != NULL && (fseek(file, 0, SEEK_SET) != 0 || fread(text, 1, (size_t)size, file) != (size_t)size)) {
        free(text);
        text = NULL;
    }
    if (file != NULL) {
        fclose(file);
    }
    return text;
}

/* Lines that are not empty. */
static int split_lines(struct index *index)
{
    size_t most = 1;
    for (const char *at = index->text; *at != '\0'; at++) {
        most += *at == '\n';
    }
    index->lines = calloc(most, sizeof *index->lines);
    for (char *line = strtok(index->text, "\r\n"); line != NULL && index->lines != NULL; line = strtok(NULL, "\r\n")) {
        index->lines[index->count++] = (slm_input){.text = line, .text_length = strlen(line)};
    }
    index->embeddings = calloc(index->count + 1, index->size * sizeof *index->embeddings);
    return index->lines != NULL && index->embeddings != NULL ? 0 : -1;
}

static int embed(const struct index *index, const slm_input *inputs, size_t count, float *embeddings)
{
    const slm_embed_options options = {
        .struct_size = sizeof options, .flags = SLM_EMBED_TRUNCATE | SLM_EMBED_PLAIN, .normalize = SLM_NORMALIZE_YES};
    slm_error error = {.struct_size = sizeof error};
    const uint64_t room = (uint64_t)count * index->size;
    return slm_embed(index->pool, inputs, count, &options, embeddings, room, &error) == SLM_OK ? 0 : fail("embedding", &error);
}

static int build(struct index *index)
{
    for (size_t i = 0; i < index->count; i += GROUP) {
        const size_t count = index->count - i < GROUP ? index->count - i : GROUP;
        if (embed(index, index->lines + i, count, index->embeddings + i * index->size) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Print the best lines for one query. Embeddings have length 1, so the cosine is the sum of products. */
static int answer(const struct index *index, const char *query)
{
    const slm_input input = {.text = query, .text_length = SLM_NUL_TERMINATED};
    float *asked = index->embeddings + index->count * index->size; /* the row behind the last */
    struct {
        float cosine;
        size_t line;
    } best[BEST] = {{-2, 0}, {-2, 0}, {-2, 0}};
    if (embed(index, &input, 1, asked) != 0) {
        return -1;
    }
    for (size_t i = 0; i < index->count; i++) {
        float cosine = 0;
        for (uint32_t k = 0; k < index->size; k++) {
            cosine += asked[k] * index->embeddings[i * index->size + k];
        }
        for (int place = 0; place < BEST; place++) {
            if (cosine > best[place].cosine) {
                memmove(&best[place + 1], &best[place], (size_t)(BEST - 1 - place) * sizeof best[0]);
                best[place].cosine = cosine;
                best[place].line = i;
                break;
            }
        }
    }
    printf("%s\n", query);
    for (int place = 0; place < BEST && best[place].cosine > -2; place++) {
        printf("  %.3f  %s\n", (double)best[place].cosine, index->lines[best[place].line].text);
    }
    return 0;
}

int main(int argc, char **argv)
{
    slm_engine *engine = NULL;
    slm_model *model = NULL;
    struct index index = {0};
    slm_error error = {.struct_size = sizeof error};
    slm_model_info info = {.struct_size = sizeof info};
    char query[4096];
    int status = -1;
    if (argc != 3) {
        fprintf(stderr, "usage: 04_search MODEL.slm FILE.txt\n");
        return 2;
    }
    if (slm_engine_create(NULL, &engine, &error) != SLM_OK ||
        slm_model_open_file(engine, argv[1], SLM_NUL_TERMINATED, NULL, &model, &error) != SLM_OK ||
        slm_model_get_info(model, &info, &error) != SLM_OK || slm_pool_create(model, NULL, &index.pool, &error) != SLM_OK) {
        status = fail(argv[1], &error);
    } else if ((index.text = read_file(argv[2])) == NULL) {
        fprintf(stderr, "%s: cannot be read\n", argv[2]);
    } else {
        index.size = info.hidden_size;
        status = split_lines(&index) == 0 ? build(&index) : -1;
        while (status == 0 && fgets(query, sizeof query, stdin) != NULL) {
            query[strcspn(query, "\r\n")] = '\0';
            status = query[0] != '\0' ? answer(&index, query) : 0;
        }
    }
    free(index.lines);
    free(index.embeddings);
    free(index.text);
    slm_pool_destroy(index.pool);
    slm_model_close(model);
    slm_engine_destroy(engine);
    return status == 0 ? 0 : 1;
}
