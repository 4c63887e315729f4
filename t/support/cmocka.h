/* cmocka with the headers that it wants before it. */
#ifndef US_T_SUPPORT_CMOCKA_H
#define US_T_SUPPORT_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/status.h"

/* Success, or the reason printed. */
#define assert_ok(call)                                                                                      \
    do {                                                                                                     \
        if ((call) != UNSEEN_OK)                                                                             \
            fail_msg("%s", unseen_last_error());                                                             \
    } while (0)

/* A status, and an error text that contains `part`. */
#define assert_fails(status, part, call)                                                                     \
    do {                                                                                                     \
        assert_int_equal(call, status);                                                                      \
        if (!strstr(unseen_last_error(), part))                                                              \
            fail_msg("\"%s\" does not say \"%s\"", unseen_last_error(), part);                               \
    } while (0)

/* The group, reported as TAP. */
#define RUN_TESTS(tests, setup, teardown)                                                                    \
    (cmocka_set_message_output(CM_OUTPUT_TAP), cmocka_run_group_tests(tests, setup, teardown))

#endif
