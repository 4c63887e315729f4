/* Models that share what is decoded: once an epoch for all, whoever starts late, stops or is elsewhere. */
#include "config.h"

#include "support/fake_reader.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/rng.h"
#include "loader/decoders.h"
#include "loader/gang.h"

enum { MODELS = 4, EPOCHS = 3, BYTES = PICTURE * PICTURE * 3, SEED = 11 };

static const struct us_image_input input = {.size = PICTURE, .resize = PICTURE, .resized = true};
static struct us_images *images;
static struct us_gang *gang;

static bool go_on(void *context, double seconds)
{
    (void)context;
    (void)seconds;
    return true;
}

static const struct us_waiting patient = {.go_on = go_on};

static int begin(void **state)
{
    (void)state;
    pictures_reset();
    us_decoders_limit(2);
    assert_ok(us_images_open(&pictures, &input, US_CACHE_OFF, &images));
    assert_ok(us_gang_new(&gang));
    return 0;
}

static int end(void **state)
{
    (void)state;
    us_images_ahead_limit(0);
    us_gang_free(gang);
    us_images_close(images);
    return 0;
}

/* One member: what it trains on, when, and what it was given. */
struct model {
    int fold, first, last;  /* epochs first .. last - 1 */
    int delay;              /* milliseconds before it comes */
    int stop;               /* images after which it stops; 0: none */
    bool unexpected, ahead; /* ahead: begin the next epoch before the end of one */
    int64_t n, sample[PICTURES];
    uint64_t sum[EPOCHS]; /* over what it was given */
};

static void nap(int milliseconds)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000L * milliseconds}, NULL);
}

static uint64_t sum_of(uint64_t sum, const uint8_t *pixels)
{
    for (int p = 0; p < BYTES; p++)
        sum = sum * 1099511628211u + pixels[p];
    return sum;
}

/* False: it stopped. */
static bool read_epoch(struct model *model, struct us_gang_member *member, int epoch,
                       struct us_reader **reader, struct us_reader **next)
{
    uint8_t pixels[BYTES];
    int64_t order[PICTURES];
    memcpy(order, model->sample, sizeof order);
    assert_ok(us_shuffle(SEED, US_STREAM_SHUFFLE, (uint32_t)epoch, (size_t)model->n, order));
    for (int64_t i = 0; i < model->n; i++) {
        if (model->stop && --model->stop == 0)
            return false;
        if (model->ahead && i == model->n / 2 && epoch + 1 < model->last)
            assert_ok(us_gang_begin(member, images, epoch + 1, &patient, next));
        assert_ok(us_reader_take(*reader, &order[i], 1, &patient, pixels));
        model->sum[epoch] = sum_of(model->sum[epoch], pixels);
    }
    return true;
}

static void *train(void *context)
{
    struct model *model = context;
    struct us_gang_member *member;
    struct us_reader *reader = NULL, *next = NULL;
    bool goes_on = true;
    nap(model->delay);
    for (int i = 0; i < PICTURES; i++) {
        if (i % MODELS != model->fold)
            model->sample[model->n++] = i;
    }
    assert_ok(us_gang_join(gang, !model->unexpected, model->sample, model->n, PICTURES, SEED, model->first,
                           &member));
    for (int epoch = model->first; epoch < model->last && goes_on; epoch++) {
        reader = next;
        next = NULL;
        if (!reader)
            assert_ok(us_gang_begin(member, images, epoch, &patient, &reader));
        goes_on = read_epoch(model, member, epoch, &reader, &next);
        us_reader_end(reader);
    }
    us_reader_end(next);
    us_gang_leave(member);
    return NULL;
}

static void run(struct model model[], int n)
{
    pthread_t thread[MODELS];
    int expected = 0;
    for (int i = 0; i < n; i++)
        expected += !model[i].unexpected;
    us_gang_expect(gang, expected);
    for (int i = 0; i < n; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, train, &model[i]), 0);
    for (int i = 0; i < n; i++)
        pthread_join(thread[i], NULL);
}

/* Each model by itself. */
static const uint64_t *alone(int fold)
{
    static uint64_t sums[MODELS][EPOCHS];
    if (!sums[fold][0]) {
        struct model model = {.fold = fold, .last = EPOCHS};
        run(&model, 1);
        memcpy(sums[fold], model.sum, sizeof model.sum);
    }
    return sums[fold];
}

/* What the epochs gave, and how many images were decoded. */
static void assert_given(const struct model model[], int n, int decoded)
{
    int reads = 0;
    for (int i = 0; i < PICTURES; i++)
        reads += atomic_load(&picture_reads[i]);
    assert_int_equal(reads, decoded);
    for (int i = 0; i < n; i++) {
        for (int e = model[i].first; e < model[i].last && !model[i].stop; e++)
            assert_true(model[i].sum[e] == alone(model[i].fold)[e]);
    }
}

/* Also where the ring is full most of the time. */
static void each_image_is_decoded_once_an_epoch(void **state)
{
    (void)state;
    static const int rings[] = {0, 1, 3, PICTURES / 2};
    for (int run_number = 0; run_number < 8; run_number++) {
        struct model model[MODELS];
        const bool ahead = run_number % 2;
        us_images_ahead_limit(rings[run_number / 2]);
        pictures_reset();
        for (int i = 0; i < MODELS; i++)
            model[i] = (struct model){.fold = i, .last = EPOCHS, .ahead = ahead};
        run(model, MODELS);
        assert_given(model, MODELS, EPOCHS * PICTURES);
        for (int i = 1; i < MODELS; i++)
            assert_true(model[i].sum[0] != model[0].sum[0]);
    }
}

/* Those on their way are waited for. */
static void late_ones_miss_nothing(void **state)
{
    (void)state;
    us_images_ahead_limit(5);
    struct model model[] = {{.fold = 0, .last = EPOCHS, .ahead = true},
                            {.fold = 1, .last = EPOCHS, .delay = 60},
                            {.fold = 2, .last = EPOCHS, .delay = 20, .ahead = true}};
    run(model, 3);
    assert_given(model, 3, EPOCHS * PICTURES);
}

/* One that nobody expected reads by itself, until it has caught up. */
static void unexpected_ones_read_as_well(void **state)
{
    (void)state;
    us_images_ahead_limit(5);
    struct model model[] = {{.fold = 0, .last = EPOCHS},
                            {.fold = 1, .last = EPOCHS, .delay = 30, .unexpected = true}};
    atomic_store(&picture_slow, 500);
    run(model, 2);
    atomic_store(&picture_slow, 0);
    int reads = 0;
    for (int i = 0; i < PICTURES; i++)
        reads += atomic_load(&picture_reads[i]);
    assert_true(reads >= EPOCHS * PICTURES && reads <= 2 * EPOCHS * (PICTURES - PICTURES / MODELS));
    for (int i = 0; i < 2; i++)
        assert_memory_equal(model[i].sum, alone(i), sizeof model[i].sum);
}

/* What is to be read by one that stops is not waited for, nor decoded for it. */
static void others_go_on_when_one_stops(void **state)
{
    (void)state;
    us_images_ahead_limit(5);
    struct model model[] = {{.fold = 0, .last = EPOCHS, .ahead = true},
                            {.fold = 1, .last = EPOCHS, .stop = 10},
                            {.fold = 2, .last = EPOCHS, .stop = 60, .ahead = true}};
    run(model, 3);
    assert_memory_equal(model[0].sum, alone(0), sizeof model[0].sum);
}

static void one_that_does_not_come_is_not_waited_for(void **state)
{
    (void)state;
    struct model model = {.fold = 0, .last = EPOCHS};
    us_gang_expect(gang, 1);
    us_gang_miss(gang);
    run(&model, 1);
    assert_given(&model, 1, EPOCHS * (PICTURES - PICTURES / MODELS));
}

/* Runs that were stopped in different epochs: who is one behind catches up, who is far behind goes alone. */
static void members_may_begin_in_different_epochs(void **state)
{
    (void)state;
    us_images_ahead_limit(5);
    struct model near[] = {{.fold = 0, .first = 1, .last = EPOCHS},
                           {.fold = 1, .first = 0, .last = EPOCHS, .ahead = true}};
    run(near, 2);
    assert_given(near, 2, (PICTURES - PICTURES / MODELS) + 2 * PICTURES);
    pictures_reset();
    struct model far[] = {{.fold = 0, .first = 2, .last = EPOCHS}, {.fold = 1, .first = 0, .last = 1}};
    run(far, 2);
    assert_given(far, 2, 2 * (PICTURES - PICTURES / MODELS));
}

static bool give_up(void *context, double seconds)
{
    (void)context;
    (void)seconds;
    return false;
}

/* A member that waits for others stops when it is told to. */
static void waiting_for_others_can_be_given_up(void **state)
{
    (void)state;
    struct us_gang_member *member;
    struct us_reader *reader;
    const struct us_waiting impatient = {.go_on = give_up};
    us_gang_expect(gang, 2);
    assert_ok(us_gang_join(gang, true, (int64_t[]){0, 1}, 2, PICTURES, SEED, 0, &member));
    assert_int_equal(us_gang_begin(member, images, 0, &impatient, &reader), UNSEEN_INTERRUPTED);
    us_gang_leave(member);
    us_gang_miss(gang);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_image_is_decoded_once_an_epoch, begin, end),
        cmocka_unit_test_setup_teardown(late_ones_miss_nothing, begin, end),
        cmocka_unit_test_setup_teardown(unexpected_ones_read_as_well, begin, end),
        cmocka_unit_test_setup_teardown(others_go_on_when_one_stops, begin, end),
        cmocka_unit_test_setup_teardown(one_that_does_not_come_is_not_waited_for, begin, end),
        cmocka_unit_test_setup_teardown(members_may_begin_in_different_epochs, begin, end),
        cmocka_unit_test_setup_teardown(waiting_for_others_can_be_given_up, begin, end),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
