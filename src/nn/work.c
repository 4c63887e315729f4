#include "config.h"

#include "nn/work.h"

void us_work_add(struct us_work *sum, const struct us_work *more)
{
    sum->models += more->models;
    sum->epochs += more->epochs;
    sum->trained += more->trained;
    sum->evaluated += more->evaluated;
    sum->gradients += more->gradients;
}

struct us_work us_work_times(const struct us_work *work, int64_t times)
{
    return (struct us_work){.models = times * work->models,
                            .epochs = times * work->epochs,
                            .trained = times * work->trained,
                            .evaluated = times * work->evaluated,
                            .gradients = times * work->gradients};
}

static const struct us_price by_passes = {.trained = 3, .evaluated = 1, .gradients = 3};

struct us_amount us_work_amount(const struct us_work *work, const struct us_price *price)
{
    const struct us_price *p = price ? price : &by_passes;
    return (struct us_amount){(uint64_t)(work->trained + work->evaluated + work->gradients),
                              p->trained * (double)work->trained + p->evaluated * (double)work->evaluated +
                                  p->gradients * (double)work->gradients};
}

struct us_amount us_pass_amount(int64_t n, bool training, const struct us_price *price)
{
    const struct us_work work = {.trained = training ? n : 0, .evaluated = training ? 0 : n};
    return us_work_amount(&work, price);
}
