#include "config.h"

#include "nn/whiten.h"

#include <math.h>
#include <stdlib.h>

#include "base/eigen.h"
#include "loader/reading.h"
#include "nn/model_parts.h"

/* What keeps filters of small eigenvalues from drowning in noise: of the published recipe. */
static const double EPSILON = 5e-4;

/* Patches that are taken together: compilers make vector code of loops of this length. */
enum { TOGETHER = 32 };

/* Number i of `n` patches beside each other, from the upper left corner of the first on; then zeros. */
static void gather(const struct us_patches *patches, const uint8_t *corner, int width, int i, int n,
                   int16_t v[TOGETHER])
{
    const int k = patches->kernel, c = patches->channels;
    corner += (size_t)(i / k % k * width + i % k) * (size_t)c + (size_t)(i / (k * k));
    for (int x = 0; x < TOGETHER; x++)
        v[x] = x < n ? corner[x * c] : 0;
}

static int32_t dot(const int16_t a[TOGETHER], const int16_t b[TOGETHER])
{
    int32_t sum = 0;
    for (int x = 0; x < TOGETHER; x++)
        sum += a[x] * b[x];
    return sum;
}

/* Add `n` patches beside each other. */
static void add_row(struct us_patches *patches, const uint8_t *corner, int width, int n)
{
    const int size = us_patch_size(patches);
    int16_t v[US_PATCH_MOST][TOGETHER];
    for (int i = 0; i < size; i++) {
        gather(patches, corner, width, i, n, v[i]);
        for (int x = 0; x < n; x++)
            patches->sum[i] += v[i][x];
        for (int j = 0; j <= i; j++)
            patches->product[j * size + i] += dot(v[j], v[i]);
    }
    patches->n += n;
}

void us_patches_add(struct us_patches *patches, const uint8_t *image, int height, int width)
{
    const int down = height - patches->kernel + 1, across = width - patches->kernel + 1;
    for (int y = 0; y < down; y++) {
        for (int x = 0; x < across; x += TOGETHER) {
            const size_t corner = ((size_t)y * (size_t)width + (size_t)x) * (size_t)patches->channels;
            add_row(patches, image + corner, width, across - x < TOGETHER ? across - x : TOGETHER);
        }
    }
}

void us_patches_covariance(const struct us_patches *patches, const float mean[3], const float std[3],
                           double *covariance)
{
    const int size = us_patch_size(patches), each = patches->kernel * patches->kernel;
    const double n = (double)patches->n;
    for (int i = 0; i < size; i++) {
        const double mean_i = (double)mean[i / each], std_i = (double)std[i / each];
        const double sum_i = (double)patches->sum[i] / (255 * n);
        for (int j = i; j < size; j++) {
            const double mean_j = (double)mean[j / each], std_j = (double)std[j / each];
            const double sum_j = (double)patches->sum[j] / (255 * n);
            const double product = (double)patches->product[i * size + j] / (255.0 * 255.0 * n);
            covariance[i * size + j] = covariance[j * size + i] =
                (product - mean_i * sum_j - mean_j * sum_i + mean_i * mean_j) / (std_i * std_j);
        }
    }
}

enum unseen_status us_whiten_filters(const struct us_patches *patches, const float mean[3],
                                     const float std[3], float *filters)
{
    enum unseen_status st = UNSEEN_OK;
    const int size = us_patch_size(patches);
    double covariance[US_PATCH_MOST * US_PATCH_MOST], vectors[US_PATCH_MOST * US_PATCH_MOST];
    double values[US_PATCH_MOST];
    us_patches_covariance(patches, mean, std, covariance);
    US_TRY(us_eigen_symmetric(size, covariance, values, vectors));
    for (int k = 0; k < size; k++) {
        const double scale = 1 / sqrt(fmax(values[k], 0) + EPSILON);
        for (int i = 0; i < size; i++) {
            const float weight = (float)(scale * vectors[k * size + i]);
            filters[k * size + i] = weight;
            filters[(size + k) * size + i] = -weight;
        }
    }
out:
    return st;
}

static bool goes_on(void *context, double seconds)
{
    (void)seconds;
    return !us_session_stopped(context);
}

/* Add images that are decoded one by one. */
static enum unseen_status add_decoded(struct us_session *session, const struct us_view *view,
                                      const int64_t *samples, int64_t n, struct us_patches *patches)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_image_order order = {.split = UNSEEN_TRAIN, .sample = samples, .n = n};
    const struct us_waiting waiting = {goes_on, session};
    struct us_reader *reader = NULL;
    uint8_t *image = us_calloc(us_image_bytes(view->images), 1);
    US_TRY_ALLOC(image);
    US_TRY(us_reader_begin(view->images, &order, &reader));
    for (int64_t i = 0; i < n; i++) {
        US_TRY(us_session_stopped(session) ? UNSEEN_INTERRUPTED
                                           : us_reader_take(reader, samples + i, 1, &waiting, image));
        us_patches_add(patches, image, view->input.size, view->input.size);
    }
out:
    us_reader_end(reader);
    free(image);
    return st == UNSEEN_INTERRUPTED ? us_fail(st, "reading images", "stopped on request") : st;
}

enum unseen_status us_whiten(struct us_session *session, const struct unseen_recipe *recipe,
                             const int64_t *samples, int64_t n, int kernel, float *filters)
{
    enum unseen_status st = UNSEEN_OK;
    const struct unseen_dataset *data = session->data;
    const struct us_view *view = us_session_view(session, recipe, US_EVALUATION);
    const uint8_t *held = us_images_held(view->images, UNSEEN_TRAIN);
    struct us_patches patches = {.kernel = kernel, .channels = data->channels};
    if (n > US_WHITEN_IMAGES)
        n = US_WHITEN_IMAGES;
    for (int64_t i = 0; held && i < n; i++)
        us_patches_add(&patches, held + (size_t)samples[i] * us_image_bytes(view->images), view->input.size,
                       view->input.size);
    if (!held)
        US_TRY(add_decoded(session, view, samples, n, &patches));
    US_TRY(us_whiten_filters(&patches, data->mean, data->std, filters));
out:
    return st;
}

/* Parameter k of the model: of two filters for each number of a patch. */
static enum unseen_status whiten_param(struct us_session *session, const struct unseen_recipe *recipe,
                                       const int64_t *samples, int64_t n, struct us_model *model, int k)
{
    enum unseen_status st = UNSEEN_OK;
    const struct us_param *param = &model->graph.params.item[k];
    const int size = param->i * param->h * param->w;
    float filters[2 * US_PATCH_MOST * US_PATCH_MOST], values[2 * US_PATCH_MOST * US_PATCH_MOST];
    if (size > US_PATCH_MOST || param->h != param->w || param->o != 2 * size) {
        st = us_fail(UNSEEN_FAILED, param->name, "%d filters of %d x %d x %d cannot whiten", param->o,
                     param->i, param->h, param->w);
        goto out;
    }
    US_TRY(us_whiten(session, recipe, samples, n, param->h, filters));
    for (int e = 0; e < 2 * size * size; e++) {
        const int o = e / size, i = e / (param->h * param->w) % param->i;
        values[us_param_index(param, o, i, e / param->w % param->h, e % param->w)] = filters[e];
    }
    US_TRY(us_write(model->device, model->params.part[k], 0, values, param->count * sizeof *values));
out:
    return st;
}

enum unseen_status us_whiten_model(struct us_session *session, const struct unseen_recipe *recipe,
                                   const int64_t *samples, int64_t n, struct us_model *model)
{
    enum unseen_status st = UNSEEN_OK;
    for (int k = 0; k < model->graph.params.n; k++) {
        if (model->graph.params.item[k].init == US_INIT_WHITEN)
            US_TRY(whiten_param(session, recipe, samples, n, model, k));
    }
out:
    return st;
}
