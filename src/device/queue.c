/* Waiting for a device's queue. */
#include "config.h"

#include "device/state.h"

enum unseen_status us_finish(struct unseen_device *device)
{
    enum unseen_status st = UNSEEN_OK;
    US_CL(clFinish(device->queue));
out:
    return st;
}

enum unseen_status us_flush(struct unseen_device *device)
{
    enum unseen_status st = UNSEEN_OK;
    US_CL(clFlush(device->queue));
out:
    return st;
}

enum unseen_status us_queue_mark(struct unseen_device *device, cl_event *mark)
{
    enum unseen_status st = UNSEEN_OK;
    US_CL(clEnqueueMarkerWithWaitList(device->queue, 0, NULL, mark));
    US_CL(clFlush(device->queue));
out:
    return st;
}

enum unseen_status us_queue_wait(cl_event *mark)
{
    enum unseen_status st = UNSEEN_OK;
    if (*mark)
        US_CL(clWaitForEvents(1, mark));
out:
    us_queue_forget(mark);
    return st;
}

bool us_queue_reached(cl_event mark)
{
    cl_int status = CL_COMPLETE;
    return !mark || clGetEventInfo(mark, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL) ||
           status <= CL_COMPLETE;
}

void us_queue_forget(cl_event *mark)
{
    if (*mark)
        clReleaseEvent(*mark);
    *mark = NULL;
}
