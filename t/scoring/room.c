/* What a scoring run takes is told before it begins, and refused where it is not there. */
#include "config.h"

#include "support/drawn.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "scoring/room.h"
#include "support/files.h"
#include "trajectory/trajectory.h"
#include "unseen/scoring.h"

enum { N = 60, NPY_HEADER = 128 };

static int set_up(void **state)
{
    return test_drawn(state, N);
}

static struct unseen_scoring_options options_of(enum unseen_protocol protocol, unsigned record_also,
                                                const char *name)
{
    struct unseen_scoring_options options;
    unseen_scoring_defaults(&options);
    options.recipe = test_small_recipe();
    options.protocol = protocol;
    options.folds = 3;
    options.record_also = record_also;
    options.out = test_path(name);
    return options;
}

/* Of all arrays of a trajectory, without their headers. */
static int64_t bytes_in(const char *out, const char *folder)
{
    int64_t bytes = 0;
    for (int array = 0; array < US_TRAJECTORY_ARRAYS; array++) {
        struct stat about;
        char *path = us_format("%s/%s/%s.npy", out, folder, us_trajectory_name(array));
        bytes += stat(path, &about) == 0 ? (int64_t)about.st_size - NPY_HEADER : 0;
        free(path);
    }
    return bytes;
}

static void trajectories_take_what_was_told(void **state)
{
    (void)state;
    const unsigned wide = 1u << UNSEEN_PROBS | 1u << UNSEEN_FEATURES | 1u << UNSEEN_FEATURE_NORM |
                          1u << UNSEEN_CHANGE | 1u << UNSEEN_PREDICTED;
    static const char *const names[] = {
        [UNSEEN_SEEN] = "seen", [UNSEEN_FOLD] = "fold", [UNSEEN_ONE_FOLD] = "one"};
    for (int protocol = UNSEEN_SEEN; protocol <= UNSEEN_ONE_FOLD; protocol++) {
        const struct unseen_scoring_options o = options_of(protocol, wide, names[protocol]);
        const struct us_scoring run = us_scoring_of(&o, data, NULL);
        struct us_room room;
        assert_ok(us_room_of(&run, &room));
        assert_ok(unseen_record_trajectory(test_device(), data, &o));
        assert_int_equal(room.kept, bytes_in(o.out, "trajectory") + bytes_in(o.out, "seen/trajectory"));
        assert_true(room.work > room.kept); /* "correct" is a float there, and there are checkpoints */
        room = (struct us_room){0};
        assert_ok(us_room_add(&run, &room)); /* it is finished */
        assert_int_equal(room.kept + room.work, 0);
        /* What was left of the models' work counts against their work alone. */
        static const char left[1 << 20];
        char *work = us_format("%s/work", o.out);
        assert_ok(us_make_folder(work));
        test_file(work, "records", left, sizeof left);
        assert_ok(us_room_add(&run, &room));
        assert_int_equal(room.kept + room.work, 0);
        free(work);
    }
}

/* ImageNet's size: what include/unseen/quantity.h says of it. */
static void what_imagenet_takes_is_documented(void **state)
{
    (void)state;
    struct unseen_dataset large = *data;
    large.classes = 1000;
    large.split[UNSEEN_TRAIN].n = 1281167;
    struct unseen_scoring_options o = options_of(UNSEEN_SEEN, 0, "large");
    o.recipe.epochs = 90;
    struct us_scoring run = us_scoring_of(&o, data, NULL);
    struct us_room always, change, probs;
    run.data = &large;
    run.n = large.split[UNSEEN_TRAIN].n;
    assert_ok(us_room_of(&run, &always));
    o.record_also = 1u << UNSEEN_CHANGE;
    assert_ok(us_room_of(&run, &change));
    o.record_also = 1u << UNSEEN_PROBS;
    assert_ok(us_room_of(&run, &probs));
    const int64_t n = run.n;
    assert_int_equal(always.kept, n * (90 * 21 + 8));
    assert_int_equal(change.kept - always.kept, n * 90 * 4);
    assert_int_equal(change.work - always.work, n * (90 * 4 + 3 * 4000));
    assert_int_equal(probs.kept - always.kept, n * 90 * 2000);
}

static void a_disk_without_room_is_refused_before_anything_is_there(void **state)
{
    (void)state;
    struct unseen_dataset large = *data;
    large.split[UNSEEN_TRAIN].n = (int64_t)1 << 50;
    struct unseen_scoring_options o = options_of(UNSEEN_FOLD, 1u << UNSEEN_PROBS, "disk");
    assert_fails(UNSEEN_FAILED, "and the disk has", unseen_record_trajectory(test_device(), &large, &o));
    assert_non_null(strstr(unseen_last_hint(), "--out"));
    struct stat about;
    assert_int_not_equal(stat(o.out, &about), 0);
}

/* Bytes of this process's addresses. */
static rlim_t virtual_memory(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu", &pages), 1);
    fclose(file);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void memory_that_is_not_there_is_refused(void **state)
{
    (void)state;
    struct unseen_scoring_options o = options_of(UNSEEN_FOLD, 0, "memory");
    struct us_scoring run = us_scoring_of(&o, data, NULL);
    struct us_room room = {0};
    struct rlimit before, least;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    least = before;
    least.rlim_cur = virtual_memory() + ((rlim_t)32 << 20);
    run.n = (int64_t)1 << 23; /* on disk a gigabyte */
    assert_ok(us_room_add(&run, &room));
    assert_int_equal(setrlimit(RLIMIT_AS, &least), 0);
    const enum unseen_status st = us_room_check(o.out, &room);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_fails(UNSEEN_FAILED, "MiB at least", st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trajectories_take_what_was_told),
        cmocka_unit_test(what_imagenet_takes_is_documented),
        cmocka_unit_test(a_disk_without_room_is_refused_before_anything_is_there),
        cmocka_unit_test(memory_that_is_not_there_is_refused),
    };
    test_device();
    return RUN_TESTS(tests, set_up, test_drawn_end);
}
