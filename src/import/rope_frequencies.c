/* SPDX-License-Identifier: MIT */
/* The formulas of transformers' modeling_rope_utils.py, in f64 instead of f32. d is the number of rotated dimensions, f(i) the plain
 * frequency theta^(-2i/d). */
#include "import/rope_frequencies.h"

#include "kernels/poly_math.h" /* slm__exp64, slm__log64 */
#include <math.h>              /* sqrt */

static const double TWO_PI = 6.283185307179586476925286766559;

/* Between wavelengths original / high (kept) and original / low (divided by factor), linear in original / wavelength. */
static double llama3_frequency(const struct slm_rope_config *rope, double plain)
{
    const double turns = rope->original_context * plain / TWO_PI; /* original / wavelength */
    if (turns < rope->low_freq_factor) {
        return plain / rope->factor;
    }
    if (turns > rope->high_freq_factor) {
        return plain;
    }
    const double smooth = (turns - rope->low_freq_factor) / (rope->high_freq_factor - rope->low_freq_factor);
    return (1.0 - smooth) * plain / rope->factor + smooth * plain;
}

static double floor_of(double value)
{
    const double whole = (double)(int64_t)value; /* the caller's values are small */
    return whole > value ? whole - 1.0 : whole;
}

/* The dimension whose frequency turns `turns` times within the original context. */
static double yarn_dimension(const struct slm_rope_config *rope, double turns, double d)
{
    return d * slm__log64(rope->original_context / (turns * TWO_PI)) / (2.0 * slm__log64(rope->theta));
}

struct yarn_ramp {
    double low, high; /* dimensions below low keep their frequency, above high are divided by factor */
};

static struct yarn_ramp yarn_ramp_of(const struct slm_rope_config *rope, double d)
{
    struct yarn_ramp ramp = {yarn_dimension(rope, rope->beta_fast, d), yarn_dimension(rope, rope->beta_slow, d)};
    if (rope->truncate) {
        ramp.low = floor_of(ramp.low);
        ramp.high = -floor_of(-ramp.high);
    }
    ramp.low = ramp.low > 0.0 ? ramp.low : 0.0;
    ramp.high = ramp.high < d - 1.0 ? ramp.high : d - 1.0;
    if (ramp.low == ramp.high) {
        ramp.high += 0.001;
    }
    return ramp;
}

static double yarn_frequency(const struct slm_rope_config *rope, struct yarn_ramp ramp, double plain, uint32_t i)
{
    double divided = ((double)i - ramp.low) / (ramp.high - ramp.low);
    divided = divided < 0.0 ? 0.0 : divided > 1.0 ? 1.0 : divided;
    return plain / rope->factor * divided + plain * (1.0 - divided);
}

void slm__rope_frequencies(const struct slm_rope_config *rope, uint32_t rotary_dim, bool longer, float *frequencies)
{
    const double d = (double)rotary_dim, log_theta = slm__log64(rope->theta);
    struct yarn_ramp ramp = {0.0, 1.0};
    if (rope->kind == SLM_ROPE_YARN) {
        ramp = yarn_ramp_of(rope, d);
    }
    for (uint32_t i = 0; i < rotary_dim / 2; i++) {
        const double plain = slm__exp64(-((double)(2 * i) / d * log_theta));
        double frequency = plain;
        switch (rope->kind) {
        case SLM_ROPE_DEFAULT: break;
        case SLM_ROPE_LINEAR: frequency = plain / rope->factor; break;
        case SLM_ROPE_LLAMA3: frequency = llama3_frequency(rope, plain); break;
        case SLM_ROPE_YARN: frequency = yarn_frequency(rope, ramp, plain, i); break;
        }
        if (rope->divided) {
            frequency /= longer ? rope->long_divisors[i] : rope->divisors[i];
        }
        frequencies[i] = (float)frequency;
    }
}

static double yarn_magnitude(double scale, double factor) { return factor <= 1.0 ? 1.0 : 0.1 * scale * slm__log64(factor) + 1.0; }

double slm__yarn_attention_factor(double factor, double mscale, double mscale_all_dim)
{
    if (mscale != 0.0 && mscale_all_dim != 0.0) {
        return yarn_magnitude(mscale, factor) / yarn_magnitude(mscale_all_dim, factor);
    }
    return yarn_magnitude(1.0, factor);
}

double slm__longrope_attention_factor(double factor, double original)
{
    return factor <= 1.0 ? 1.0 : sqrt(1.0 + slm__log64(factor) / slm__log64(original));
}
