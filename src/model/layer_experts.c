/* SPDX-License-Identifier: MIT */
/*
 * A mixture of experts: softmax over the router's outputs, the best few of each row, their weights as they are or renormalised. The
 * experts run one after the other on the rows that chose them; each row sums its experts in ascending order of their numbers, so that the
 * sum does not depend on which other rows are there.
 */
#include "kernels/poly_math.h" /* slm__expf */
#include "model/layers.h"      /* struct slm_layer_step */
#include "ops/matmul.h"        /* slm__op_pack */
#include <math.h>
#include <string.h>

/* logits -> probabilities: f32 sums in ascending order. */
static void softmax(float *values, uint32_t count)
{
    float most = -INFINITY, sum = 0.0f;
    for (uint32_t i = 0; i < count; i++) {
        most = values[i] > most ? values[i] : most;
    }
    for (uint32_t i = 0; i < count; i++) {
        values[i] = slm__expf(values[i] - most);
        sum += values[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        values[i] /= sum;
    }
}

/* The `used` largest probabilities, ties to the lower number, listed by rising number. */
static void choose(const float *probabilities, uint32_t count, uint32_t used, bool renormalize, struct slm_expert_choice *choices)
{
    float sum = 0.0f;
    for (uint32_t n = 0; n < used; n++) {
        uint32_t best = UINT32_MAX;
        for (uint32_t e = 0; e < count; e++) {
            bool taken = false;
            for (uint32_t k = 0; k < n; k++) {
                taken = taken || choices[k].expert == e;
            }
            if (!taken && (best == UINT32_MAX || probabilities[e] > probabilities[best])) {
                best = e;
            }
        }
        choices[n] = (struct slm_expert_choice){best, probabilities[best]};
        sum += probabilities[best];
    }
    for (uint32_t n = 0; n < used; n++) {
        choices[n].weight = renormalize ? choices[n].weight / sum : choices[n].weight;
        for (uint32_t k = n; k > 0 && choices[k].expert < choices[k - 1].expert; k--) {
            const struct slm_expert_choice swap = choices[k];
            choices[k] = choices[k - 1];
            choices[k - 1] = swap;
        }
    }
}

static void route_rows(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct slm_layer_step *step = context;
    const struct slm_workspace *w = step->forward->workspace;
    const struct slm_layer *layer = step->layer;
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        float *logits = w->wide + (size_t)i * w->wide_stride;
        softmax(logits, layer->experts);
        choose(logits, layer->experts, layer->experts_used, step->forward->transformer->renormalize_experts,
               w->choices + (size_t)i * SLM_MAX_EXPERTS_USED);
        memset(w->expert_out + (size_t)i * w->x_stride, 0, w->x_stride * sizeof(float));
    }
}

static const struct slm_expert_choice *choice_of(const struct slm_layer_step *step, uint32_t row, uint32_t expert)
{
    const struct slm_expert_choice *choices = step->forward->workspace->choices + (size_t)row * SLM_MAX_EXPERTS_USED;
    for (uint32_t n = 0; n < step->layer->experts_used; n++) {
        if (choices[n].expert == expert) {
            return &choices[n];
        }
    }
    return NULL;
}

/* Copy the rows that chose `expert` to the front of h (their originals are kept in expert_in); returns their number. */
static uint32_t gather_rows(const struct slm_layer_step *step, uint32_t expert)
{
    const struct slm_workspace *w = step->forward->workspace;
    const uint32_t hidden = step->forward->transformer->hidden_size;
    uint32_t count = 0;
    for (uint32_t i = 0; i < step->count; i++) {
        if (choice_of(step, i, expert) != NULL) {
            memcpy(w->h + (size_t)count * w->h_stride, w->expert_in + (size_t)i * w->h_stride, hidden * sizeof(float));
            w->expert_rows[count++] = i;
        }
    }
    return count;
}

/* expert_out[row] += weight * (wide + bias), for the rows of one expert. */
static void scatter_rows(const struct slm_layer_step *step, uint32_t expert, uint32_t count)
{
    const struct slm_forward *f = step->forward;
    const struct slm_workspace *w = f->workspace;
    const uint32_t hidden = f->transformer->hidden_size;
    for (uint32_t n = 0; n < count; n++) {
        float *out = w->wide + (size_t)n * w->wide_stride;
        if (step->layer->expert_mlps[expert].down_bias != NULL) {
            f->kernels->add(out, step->layer->expert_mlps[expert].down_bias, hidden);
        }
        f->kernels->scale(out, out, choice_of(step, w->expert_rows[n], expert)->weight, hidden);
        f->kernels->add(w->expert_out + (size_t)w->expert_rows[n] * w->x_stride, out, hidden);
    }
}

void slm__layer_experts(struct slm_layer_step *step)
{
    const struct slm_forward *f = step->forward;
    const struct slm_workspace *w = f->workspace;
    const uint32_t count = step->count;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(w->expert_in + (size_t)i * w->h_stride, w->h + (size_t)i * w->h_stride, f->transformer->hidden_size * sizeof(float));
    }
    slm__project_packed(step, &step->layer->router, w->h_stride, w->wide_stride);
    slm__each_row(step, route_rows);
    for (uint32_t e = 0; e < step->layer->experts; e++) {
        step->count = count;
        step->picked = NULL;
        const uint32_t chosen = gather_rows(step, e);
        if (chosen > 0) {
            step->count = chosen;
            step->picked = w->expert_rows;
            slm__op_pack(f->team, f->kernels, &step->layer->expert_mlps[e].gate_up, w->h, w->h_stride, chosen, w->packed);
            slm__layer_mlp(step, &step->layer->expert_mlps[e]);
            scatter_rows(step, e, chosen);
        }
    }
    step->count = count;
    step->picked = NULL;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(w->wide + (size_t)i * w->wide_stride, w->expert_out + (size_t)i * w->x_stride, w->x_stride * sizeof(float));
    }
}
