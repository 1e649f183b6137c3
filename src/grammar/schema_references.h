/* SPDX-License-Identifier: MIT */
/* Resources and anchors of a schema document. */
#ifndef SLM_GRAMMAR_SCHEMA_REFERENCES_H
#define SLM_GRAMMAR_SCHEMA_REFERENCES_H

#include "grammar/schema_document.h" /* struct slm_schema_document */

/* Find every $id (id in the oldest drafts) and anchor of the schemas in the document. */
slm_status slm__schema_scan(struct slm_schema_document *document, slm_error *error);

#endif
