/* SPDX-License-Identifier: MIT */
/* References between schemas: a URI reference resolved against a base (RFC 3986, section 5), and what a fragment says. */
#ifndef SLM_GRAMMAR_SCHEMA_URI_H
#define SLM_GRAMMAR_SCHEMA_URI_H

#include "base/arena.h" /* struct slm_arena */

/* `reference` seen from `base`, with its fragment, in the arena. SLM_E_LIMIT, SLM_E_NO_MEMORY. */
slm_status slm__uri_resolve(struct slm_arena *arena, struct slm_span base, struct slm_span reference, struct slm_span *result,
                            slm_error *error);
/* Cut at the first '#': what stands before it stays in *uri, what stands behind it is returned (empty when there is none). */
struct slm_span slm__uri_cut_fragment(struct slm_span *uri);
/* %XX decoded, in the arena. */
slm_status slm__uri_decode(struct slm_arena *arena, struct slm_span text, struct slm_span *result, slm_error *error);

#endif
