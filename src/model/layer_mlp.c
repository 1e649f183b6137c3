/* SPDX-License-Identifier: MIT */
/* The feed-forward half of a layer: wide = down (activation(gate) up), or down activation(gate_up h) where it is not gated. */
#include "model/layers.h" /* struct slm_layer_step */

struct activate_job {
    struct slm_layer_step *step;
    const struct slm_mlp *mlp;
};

static void activate_row(const struct slm_forward *f, float *wide, uint32_t ffn, float *out)
{
    const struct slm_transformer *t = f->transformer;
    if (t->gated && t->activation == SLM_ACTIVATION_SILU) {
        f->kernels->silu_mul(wide, wide + ffn, ffn, out);
        return;
    }
    f->kernels->activate[t->activation](wide, ffn, out);
    if (t->gated) {
        f->kernels->multiply(out, wide + ffn, ffn);
    }
}

static void activate_rows(void *context, uint32_t begin, uint32_t end, uint32_t thread)
{
    const struct activate_job *job = context;
    const struct slm_forward *f = job->step->forward;
    const struct slm_workspace *w = f->workspace;
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        float *wide = w->wide + (size_t)i * w->wide_stride;
        if (job->mlp->gate_up_bias != NULL) {
            f->kernels->add(wide, job->mlp->gate_up_bias, job->mlp->gate_up.rows);
        }
        activate_row(f, wide, job->mlp->down.cols, w->h + (size_t)i * w->h_stride);
    }
}

void slm__layer_mlp(struct slm_layer_step *step, const struct slm_mlp *mlp)
{
    struct activate_job job = {step, mlp};
    slm__project_packed(step, &mlp->gate_up);
    slm__team_for(step->forward->team, step->count, step->count / 32 + 1, activate_rows, &job);
    slm__project(step, &mlp->down);
}
