/* Filters that whiten small patches of images, for a first convolution that is not trained (Jordan, "94% on
 * CIFAR-10 in 3.29 seconds on a single GPU", arXiv 2404.00498). */
#ifndef US_NN_WHITEN_H
#define US_NN_WHITEN_H

#include "nn/session.h"

enum {
    US_WHITEN_IMAGES = 5000, /* of a training set that are looked at; at most */
    US_PATCH_MOST = 27       /* numbers of a patch: 3 x 3 pixels of 3 channels */
};

/* Sums over patches of kernel x kernel pixels. A patch is a vector of `size` = channels * kernel^2 numbers in
 * the order [channel][y][x], pixels as they are, 0..255: the sums are exact. Zeroed but for kernel and
 * channels to begin with. */
struct us_patches {
    int kernel, channels;
    int64_t n; /* patches */
    int64_t sum[US_PATCH_MOST];
    int64_t product[US_PATCH_MOST * US_PATCH_MOST]; /* [size][size], the upper triangle */
};

static inline int us_patch_size(const struct us_patches *patches)
{
    return patches->channels * patches->kernel * patches->kernel;
}

/* Add all patches of an image [height, width, channels], both at least `kernel`. */
void us_patches_add(struct us_patches *patches, const uint8_t *image, int height, int width);

/* The mean of v v' over all patches v, normalised as a model sees them, (pixel / 255 - mean_c) / std_c:
 * [size][size]. Their mean is not subtracted. There is at least one patch. */
void us_patches_covariance(const struct us_patches *patches, const float mean[3], const float std[3],
                           double *covariance);

/* For each eigenvector e of the covariance, of eigenvalue l, the filter e / sqrt(l + 5e-4), largest l first,
 * then the same with all signs turned: [2 size][channels][kernel][kernel]. Applied to the patches, the first
 * `size` give uncorrelated numbers of mean square l / (l + 5e-4). UNSEEN_FAILED if memory runs out. */
enum unseen_status us_whiten_filters(const struct us_patches *patches, const float mean[3],
                                     const float std[3], float *filters);

/* Those for the first US_WHITEN_IMAGES of `samples` [n] of the training split, as evaluation takes them.
 * Equal wherever the images lie and whoever else reads them. UNSEEN_BAD_DATA, naming the file, if one cannot
 * be had; UNSEEN_INTERRUPTED. */
enum unseen_status us_whiten(struct us_session *session, const struct unseen_recipe *recipe,
                             const int64_t *samples, int64_t n, int kernel, float *filters);

/* Put such filters into each parameter of `model` that wants them (US_INIT_WHITEN). */
enum unseen_status us_whiten_model(struct us_session *session, const struct unseen_recipe *recipe,
                                   const int64_t *samples, int64_t n, struct us_model *model);

#endif
