#include "config.h"

#include "support/cmocka.h"

#include <stdatomic.h>

#include "base/threads.h"

static atomic_int times[US_THREADS_MOST];

static void count(void *context, int i)
{
    atomic_int *counted = context;
    atomic_fetch_add(&counted[i], 1);
}

static void each_is_done_once(void **state)
{
    (void)state;
    static const int numbers[] = {0, 1, 2, 7, US_THREADS_MOST};
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
        for (int i = 0; i < US_THREADS_MOST; i++)
            atomic_store(&times[i], 0);
        us_threads_run(numbers[k], count, times);
        for (int i = 0; i < US_THREADS_MOST; i++)
            assert_int_equal(atomic_load(&times[i]), i < numbers[k]);
    }
}

static void there_is_one_processor_at_least(void **state)
{
    (void)state;
    assert_int_equal(us_threads(1), 1);
    assert_in_range(us_threads(US_THREADS_MOST), 1, US_THREADS_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_done_once),
        cmocka_unit_test(there_is_one_processor_at_least),
    };
    return RUN_TESTS(tests, NULL, NULL);
}
