/* SPDX-License-Identifier: MIT */
/*
 * unevaluatedItems and unevaluatedProperties: which items or members the other keywords at the same place look at. In a form all choices
 * are made, so these are the atoms that come from the location itself or from what it applies in place.
 */
#include "grammar/schema_records.h"

/* Did the way to atom `inner` lead through the location of `outer`, and through no negation since? */
static bool comes_from(const struct slm_form *form, const struct slm_atom *inner, const struct slm_atom *outer)
{
    for (uint32_t at = inner->visit; at != UINT32_MAX; at = form->visits[at].parent) {
        if (at == outer->visit) {
            return true;
        }
        if ((form->visits[at].literal & 1) != 0) {
            return false;
        }
    }
    return false;
}

slm_status slm__schema_evaluators(struct slm_schema_work *work, const struct slm_form *form, uint32_t atom, enum slm_keyword keyword,
                                  uint32_t **evaluators, uint32_t *count)
{
    const struct slm_atom *outer = &form->atoms[atom];
    *count = 0;
    if (form->shared) {
        return slm__schema_unsupported(work, outer->location, keyword, "a schema applies to the same value on several ways");
    }
    SLM_TRY(slm__schema_take(work, form->atom_count * sizeof **evaluators, evaluators));
    for (uint32_t i = 0; i < form->atom_count; i++) {
        if (form->atoms[i].kind == SLM_ATOM_KEYWORDS && comes_from(form, &form->atoms[i], outer)) {
            (*evaluators)[(*count)++] = i;
        }
    }
    return SLM_OK;
}
