#include "grammar/regex_syntax.h"
bool slm__unicode_property(struct slm_code_collector *codes, struct slm_span name)
{
    (void)codes;
    (void)name;
    return false;
}
