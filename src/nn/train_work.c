#include "config.h"

#include "base/usable.h"
#include "nn/checkpoint.h"
#include "nn/sampler.h"
#include "nn/views.h"
#include "nn/work.h"

bool us_tests_after(const struct us_train_job *job, int epoch)
{
    return job->test_every < 2 || (epoch + 1) % job->test_every == 0 ||
           epoch + 1 == us_recipe_epochs(job->recipe);
}

bool us_reviews_after(const struct us_train_job *job, int epoch)
{
    const struct us_observer *observer = job->observer;
    return observer && observer->wants(observer->context, US_PASS_REVIEW, epoch);
}

bool us_views_after(const struct us_train_job *job, int epoch)
{
    return job->test && job->views != UNSEEN_VIEWS_NONE && epoch + 1 == us_recipe_epochs(job->recipe);
}

struct us_work us_train_work(const struct unseen_dataset *data, const struct us_train_job *job, int done)
{
    const int64_t n_test = job->test ? us_usable(&data->split[UNSEEN_TEST]) : 0;
    const int target = us_recipe_epochs(job->recipe);
    struct us_work work = {.models = done < target, .epochs = done < target ? target - done : 0};
    for (int epoch = done; epoch < target; epoch++) {
        work.trained += us_sampler_most(job->sampler, job->n_train);
        work.evaluated += job->n_heldout + job->n_probe;
        work.evaluated += us_tests_after(job, epoch) ? n_test : 0;
        work.evaluated += us_views_after(job, epoch) ? n_test * us_looks(job->views)->n : 0;
        work.evaluated += us_reviews_after(job, epoch) ? job->n_train : 0;
    }
    return work;
}

struct us_work us_train_left(const struct unseen_dataset *data, const struct us_train_job *job)
{
    return us_train_work(data, job, job->state ? us_checkpoint_epochs(job->state) : 0);
}
