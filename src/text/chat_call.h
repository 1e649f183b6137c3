/* SPDX-License-Identifier: MIT */
/* One region of an answer that may be calls: finding its end piece by piece, and reading it when it is complete. */
#ifndef SLM_TEXT_CHAT_CALL_H
#define SLM_TEXT_CHAT_CALL_H

#include "base/buffer.h" /* struct slm_buffer */
#include "base/json.h"   /* struct slm_json */
#include "base/span.h"   /* struct slm_span */

/* How a region is written behind its marker. */
enum slm_chat_grammar {
    SLM_CHAT_JSON,     /* an object or list, then `tail` */
    SLM_CHAT_NAMED,    /* NAME>, an object, then `tail` */
    SLM_CHAT_BRACKETS, /* an object or list; or NAME[ARGS]{...}, NAME[CALL_ID]ID[ARGS]{...} */
    SLM_CHAT_XML,      /* <function=NAME><parameter=KEY>VALUE</parameter></function>, several, then `tail`; or JSON */
    SLM_CHAT_XML_BARE, /* NAME><parameter=KEY>VALUE</parameter></function>, then perhaps `tail` */
    SLM_CHAT_CODE      /* to the end of the answer; JSON when it begins with a brace */
};

struct slm_chat_marker {
    const char *text;
    enum slm_chat_grammar grammar;
    const char *tail; /* or NULL */
    bool tail_required;
    uint8_t kept; /* bytes of the marker that belong to the body */
};

enum slm_chat_phase {
    SLM_CHAT_AT_LEAD, /* white space before the body */
    SLM_CHAT_AT_HEAD, /* a name up to > or {, or what is between brackets */
    SLM_CHAT_AT_JSON,
    SLM_CHAT_AT_PARAMETER, /* before <parameter= or </function> */
    SLM_CHAT_AT_KEY,
    SLM_CHAT_AT_VALUE,
    SLM_CHAT_AT_TAIL,
    SLM_CHAT_AT_REST /* code: everything belongs to it */
};

/* A region that is being scanned. Offsets are into the answer. */
struct slm_chat_region {
    const struct slm_chat_marker *marker;
    size_t start; /* of the marker */
    size_t body;  /* behind it */
    size_t at;    /* scanned so far */
    size_t end;   /* behind what is complete, once it is */
    size_t head;  /* start of the name or key being scanned */
    enum slm_chat_phase phase;
    uint32_t depth; /* open brackets of the JSON */
    bool in_string;
    bool escaped;
    bool json_in_code; /* code that begins with a brace is JSON */
};

enum slm_chat_found { SLM_CHAT_NO, SLM_CHAT_YES, SLM_CHAT_MORE };

bool slm__chat_is_space(uint8_t byte);
/* Does `literal` stand at `at`? SLM_CHAT_MORE: the text ends before that is known. */
enum slm_chat_found slm__chat_literal(struct slm_span text, size_t at, const char *literal);
/* The end of the JSON value at `at`, an object or list that was parsed already. */
size_t slm__chat_json_end(struct slm_span text, size_t at);

void slm__chat_region_begin(struct slm_chat_region *region, const struct slm_chat_marker *marker, size_t start, bool json_in_code);
/* Scan on. SLM_CHAT_YES: complete up to region->end; SLM_CHAT_NO: no call, seen at region->at > region->start. `ended`: there is no more
 * text, so the answer is YES or NO. */
enum slm_chat_found slm__chat_region_scan(struct slm_chat_region *region, struct slm_span text, bool ended);

/* Calls that were read, as ranges of `text`. */
struct slm_chat_call {
    struct slm_text_part {
        size_t start, length;
    } name, arguments, id;
};

struct slm_chat_calls {
    struct slm_buffer text;
    struct slm_buffer list; /* struct slm_chat_call */
};

/* Read a complete region into `calls`, which is empty. *is_call: false when it is not what its format says; `calls` is to be cleared
 * then. `bare`: a JSON object without any marker, which has to look like a call in all its members. SLM_E_NO_MEMORY. */
slm_status slm__chat_calls_read(const struct slm_memory *memory, const struct slm_chat_region *region, struct slm_span text, bool bare,
                                const struct slm_json *tools, struct slm_chat_calls *calls, bool *is_call, slm_error *error);

#endif
