/* SPDX-License-Identifier: MIT */
/* The formats of the families, and which one a chat template belongs to. */
#include "text/chat_format.h"

#include "text/chat_parse.h" /* slm__chat_format_detect */

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct slm_chat_marker llama3_calls[] = {{"<|python_tag|>", SLM_CHAT_CODE, NULL, false, 0}};

static const struct slm_chat_marker hermes_calls[] = {{"<tool_call>", SLM_CHAT_JSON, "</tool_call>", true, 0}};

static const struct slm_chat_marker xml_calls[] = {
    {"<tool_call>", SLM_CHAT_XML, "</tool_call>", true, 0},
    {"<function=", SLM_CHAT_XML_BARE, "</tool_call>", false, 0},
};

static const struct slm_chat_marker mistral_calls[] = {{"[TOOL_CALLS]", SLM_CHAT_BRACKETS, NULL, false, 0}};

static const struct slm_chat_marker phi4_calls[] = {
    {"<|tool_call|>", SLM_CHAT_JSON, "<|/tool_call|>", false, 0},
    {"functools[", SLM_CHAT_JSON, NULL, false, 1},
};

static const struct slm_chat_marker granite_calls[] = {
    {"<|tool_call|>", SLM_CHAT_JSON, NULL, false, 0},
    {"<tool_call>", SLM_CHAT_JSON, "</tool_call>", false, 0},
};

static const struct slm_chat_marker functionary_calls[] = {
    {"<function=", SLM_CHAT_NAMED, "</function>", true, 0},
    {"<|python_tag|>", SLM_CHAT_CODE, NULL, false, 0},
};

static const struct slm_chat_block think_blocks[] = {{"<think>", "</think>", true}};

static const struct slm_chat_block mistral_blocks[] = {{"<think>", "</think>", true}, {"[THINK]", "[/THINK]", true}};

static const struct slm_chat_block granite_blocks[] = {{"<think>", "</think>", true}, {"<response>", "</response>", false}};

static const struct slm_chat_format formats[] = {
    {NULL, 0, think_blocks, COUNT(think_blocks), false, false},
    {llama3_calls, COUNT(llama3_calls), think_blocks, COUNT(think_blocks), true, true},
    {hermes_calls, COUNT(hermes_calls), think_blocks, COUNT(think_blocks), false, false},
    {xml_calls, COUNT(xml_calls), think_blocks, COUNT(think_blocks), false, false},
    {mistral_calls, COUNT(mistral_calls), mistral_blocks, COUNT(mistral_blocks), false, false},
    {phi4_calls, COUNT(phi4_calls), think_blocks, COUNT(think_blocks), false, false},
    {granite_calls, COUNT(granite_calls), granite_blocks, COUNT(granite_blocks), false, false},
    {functionary_calls, COUNT(functionary_calls), think_blocks, COUNT(think_blocks), false, false},
};

const struct slm_chat_format *slm__chat_format(int32_t format) { return &formats[format - SLM_CHAT_FORMAT_PLAIN]; }

static bool contains(struct slm_span text, const char *part)
{
    const size_t length = strlen(part);
    for (size_t at = 0; at + length <= text.length; at++) {
        const uint8_t *found = memchr(text.data + at, part[0], text.length - at - length + 1);
        if (found == NULL) {
            return false;
        }
        at = (size_t)(found - text.data);
        if (memcmp(found, part, length) == 0) {
            return true;
        }
    }
    return false;
}

int32_t slm__chat_format_detect(struct slm_span source)
{
    /* The first row whose markers are all there; `without` must not be. */
    static const struct {
        const char *with, *also, *without;
        int32_t format;
    } rows[] = {
        {"[TOOL_CALLS]", "", NULL, SLM_CHAT_FORMAT_MISTRAL},
        {"[THINK]", "", NULL, SLM_CHAT_FORMAT_MISTRAL},
        {"<|start_of_role|>", "", NULL, SLM_CHAT_FORMAT_GRANITE},
        {"<function=", "<parameter=", NULL, SLM_CHAT_FORMAT_QWEN_XML},
        {"<function=", "", NULL, SLM_CHAT_FORMAT_FUNCTIONARY},
        {"<tool_call>", "", "<arg_key>", SLM_CHAT_FORMAT_HERMES},
        {"SmolLM", "", NULL, SLM_CHAT_FORMAT_HERMES},
        {"<|tool_call|>", "", NULL, SLM_CHAT_FORMAT_PHI4_MINI},
        {"<|tool|>", "", NULL, SLM_CHAT_FORMAT_PHI4_MINI},
        {"<|python_tag|>", "", NULL, SLM_CHAT_FORMAT_LLAMA3},
        {"<|start_header_id|>", "\"parameters\"", NULL, SLM_CHAT_FORMAT_LLAMA3},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (contains(source, rows[i].with) && (rows[i].also[0] == '\0' || contains(source, rows[i].also)) &&
            (rows[i].without == NULL || !contains(source, rows[i].without))) {
            return rows[i].format;
        }
    }
    return SLM_CHAT_FORMAT_PLAIN;
}
