/* Many parameters in one device buffer, each in a window of its own: the optimiser sees one array, operators
 * see tensors. */
#ifndef US_NN_FLAT_H
#define US_NN_FLAT_H

#include "device/device.h"
#include "nn/graph.h"

struct us_flat {
    const struct us_params *params; /* borrowed; offsets placed */
    struct us_buf *whole;
    struct us_buf **part; /* [params->n], NULL if made without windows */
};

/* Zeroed, so that the padding between parameters stays zero whatever runs over the whole. Freed with
 * us_flat_free, also after a failure. */
enum unseen_status us_flat_new(struct unseen_device *device, const struct us_params *params, bool windows,
                               struct us_flat *flat);
void us_flat_free(struct unseen_device *device, struct us_flat *flat);

/* Device bytes that it takes. */
size_t us_flat_bytes(const struct us_params *params);

/* Copies of all parameters one after another, without padding: params->count floats. */
enum unseen_status us_flat_get(struct unseen_device *device, const struct us_flat *flat, float *values);
enum unseen_status us_flat_set(struct unseen_device *device, const struct us_flat *flat, const float *values);

#endif
