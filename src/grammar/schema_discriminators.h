/* SPDX-License-Identifier: MIT */
/* What plainly tells branches of a oneOf apart: the values of the whole, or of a required member, when each branch names its own. */
#ifndef SLM_GRAMMAR_SCHEMA_DISCRIMINATORS_H
#define SLM_GRAMMAR_SCHEMA_DISCRIMINATORS_H

#include "grammar/schema_goals.h" /* struct slm_schema_work */

enum { SLM_DISCRIMINATORS_MAX = 4 };

/* Only these values are possible. */
struct slm_discriminator {
    bool whole; /* for the value itself; otherwise for its member `key`, which it has if it is an object */
    struct slm_span key;
    const struct slm_json *values;
    uint32_t count;
};

struct slm_discriminators {
    struct slm_discriminator list[SLM_DISCRIMINATORS_MAX];
    uint32_t count;
};

slm_status slm__discriminators_of(struct slm_schema_work *work, uint32_t location, struct slm_discriminators *found);
/* Can no object (or, for the whole, no value) satisfy both? false: it does not show here. */
bool slm__discriminators_differ(const struct slm_discriminators *a, const struct slm_discriminators *b, enum slm_schema_type type);

#endif
