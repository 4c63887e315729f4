/* All that training has made of a model, in host memory: parameters, velocity, running statistics, the state
 * of loss scaling, averages and the count of batches. */
#ifndef US_NN_MODEL_COPY_H
#define US_NN_MODEL_COPY_H

#include "nn/model.h"

enum { US_COPY_PARTS = 6 };

struct us_model_copy {
    int n;                        /* of the parts below, those that the model has */
    size_t count[US_COPY_PARTS];  /* floats */
    float *values[US_COPY_PARTS]; /* of us_copy_part(model, 0), .. */
    int64_t batches;
};

/* The parts of a model in their order, and how many it has. */
enum us_model_part us_copy_part(const struct us_model *model, int i);
int us_copy_parts(const struct us_model *model);

/* Read it from a model that was built for training; freed with us_model_copy_free, also after a failure. */
enum unseen_status us_model_copy_read(struct us_model *model, struct us_model_copy *copy);
void us_model_copy_free(struct us_model_copy *copy);

/* Put it into a model with the same parameters: one of the same recipe, for images of any size. */
enum unseen_status us_model_copy_write(struct us_model *model, const struct us_model_copy *copy);

#endif
