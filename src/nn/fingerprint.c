#include "config.h"

#include "nn/fingerprint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/hash.h"
#include "device/matrix.h"
#include "nn/model_parts.h"
#include "nn/sampler.h"
#include "nn/views.h"

static uint64_t hash_indices(const int64_t *indices, int64_t n)
{
    return us_hash(US_HASH_START, indices, (size_t)n * sizeof *indices);
}

enum unseen_status us_init_hash(const char *path, uint64_t *sum)
{
    char *bytes;
    size_t size;
    *sum = 0;
    if (!path)
        return UNSEEN_OK;
    enum unseen_status st;
    US_TRY(us_check_input(path));
    US_TRY(us_read_file(path, &bytes, &size));
    *sum = us_hash(US_HASH_START, bytes, size);
    free(bytes);
out:
    return st;
}

/* Of the algorithm of every convolution in every direction, linear layers' among them, and of what multiplies
 * narrow numbers. */
uint64_t us_algorithms_hash(uint64_t sum, const struct us_model *model)
{
    for (int i = 0; i < model->graph.n_nodes; i++) {
        const struct us_layer *layer = &model->layers[i];
        const struct us_conv *conv = layer->linear ? us_linear_conv(layer->linear) : layer->conv;
        for (int d = 0; conv && d < US_CONV_DIRECTIONS; d++) {
            const char *name = us_conv_algorithm_name(conv, (enum us_conv_direction)d);
            sum = us_hash(sum, name, strlen(name));
        }
    }
    const struct us_matrix_unit *unit;
    if (model->spec.precision != UNSEEN_FLOAT32 &&
        us_matrix_find(model->device, model->spec.precision, &unit) == UNSEEN_OK)
        sum = us_hash(sum, unit->name, strlen(unit->name));
    return sum;
}

char *us_made_by(const struct unseen_device *device, uint64_t algorithms)
{
    const struct unseen_device_info *info = unseen_device_info(device);
    return us_format("unseen %s, %s, %s, driver %s, convolutions %016" PRIx64, unseen_version(),
                     info->platform, info->name, info->driver, algorithms);
}

char *us_fingerprint(const struct unseen_device *device, const struct unseen_dataset *data,
                     const struct us_train_job *job, uint64_t algorithms)
{
    const struct unseen_device_info *about = unseen_device_info(device);
    const struct us_looks *looks = us_looks(job->views);
    uint64_t init;
    if (us_init_hash(job->init, &init))
        return NULL;
    char *settings = us_options_lines(us_recipe_options, job->recipe, US_PROLONGS | US_NO_IDENTITY);
    if (!settings)
        return NULL;
    char *sampler = us_sampler_lines(job->sampler);
    if (!sampler) {
        free(settings);
        return NULL;
    }
    char *text = us_format(
        "version %s\n%s%sseed %" PRIu64 "\nrun %" PRIu32 "\ninit %016" PRIx64 "\ndata %s\ntrain %" PRId64
        " %016" PRIx64 "\nheldout %" PRId64 " %016" PRIx64 "\nprobe %" PRId64 " %016" PRIx64
        "\ntest %d%s%s\ndevice %s, %s, driver %s\nconvolutions %016" PRIx64 "\n",
        unseen_version(), settings, sampler, job->seed, job->model, init, data->hash, job->n_train,
        hash_indices(job->train, job->n_train), job->n_heldout, hash_indices(job->heldout, job->n_heldout),
        job->n_probe, hash_indices(job->probe, job->n_probe), job->test, looks->n > 1 ? " views " : "",
        looks->n > 1 ? looks->name : "", about->platform, about->name, about->driver, algorithms);
    free(sampler);
    free(settings);
    return text;
}
