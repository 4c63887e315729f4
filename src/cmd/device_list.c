/* What --device list prints. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "unseen/device.h"

enum unseen_status us_print_device_list(void)
{
    enum unseen_status st = UNSEEN_OK;
    struct unseen_device_info *list = NULL;
    int n = 0, chosen[UNSEEN_DEVICES_MOST], count = 0;
    const char *why = "";
    US_TRY(unseen_device_list(&list, &n));
    US_TRY(unseen_device_choose(list, n, NULL, chosen, &count, &why));
    for (int i = 0; i < n; i++) {
        bool is_default = false;
        for (int k = 0; k < count; k++)
            is_default = is_default || chosen[k] == i;
        printf("%s %d  %s (%s, driver %s)%s%s\n", is_default ? "*" : " ", list[i].index, list[i].name,
               list[i].platform, list[i].driver, list[i].usable ? "" : ": not usable: ", list[i].reason);
    }
    printf("\n* is the default: %s. unseen devices tells more.\n", why);
out:
    free(list);
    return st;
}
