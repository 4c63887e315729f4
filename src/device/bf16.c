#include "config.h"

#include "base/log.h"
#include "device/state.h"

#include <string.h>

#if defined __x86_64__ || defined __i386__
#include <cpuid.h>

/* The instructions are used behind the OpenCL compiler's back, so it cannot tell whether the CPU has them. */
static bool cpu_has_bf16(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax & 1u << 5) != 0;
}
#else
static bool cpu_has_bf16(void)
{
    return false;
}
#endif

enum { VALUES = 64, OUT = 48 };

/* To nearest, ties to even; no NaN here. */
static uint16_t rounded(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float widened(uint16_t half)
{
    const uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Both signs, ties in either direction, values that are bf16 already. Products and sums of what they round to
 * are exact in float32. */
static void fill(float in[VALUES])
{
    for (int i = 0; i < VALUES; i++)
        in[i] = (float)((i * 5) % 16 - 8) * (1.0f + (float)(i % 4) * 0x1p-9f);
}

/* Whether `out` is what cl/bf16_probe.cl says. */
static bool right(const float in[VALUES], const float out[OUT])
{
    uint16_t halves[2 * (OUT - 16)];
    bool good = true;
    memcpy(halves, out + 16, sizeof halves);
    for (int i = 0; i < 16; i++) {
        float sum = 1.0f;
        for (int j = 2 * i; j < 2 * i + 2; j++)
            sum += widened(rounded(in[j])) * widened(rounded(in[32 + j]));
        good = good && out[i] == sum;
        good = good && halves[2 * i] == rounded(in[i]) && halves[2 * i + 1] == rounded(in[16 + i]);
    }
    for (int i = 0; i < 32; i++)
        good = good && halves[32 + i] == rounded(in[32 + i]);
    return good;
}

static enum unseen_status compute(struct unseen_device *device, struct us_kernel *kernel,
                                  const float in[VALUES], float out[OUT])
{
    enum unseen_status st = UNSEEN_OK;
    struct us_buf *from = NULL, *to = NULL;
    US_TRY(us_buf_new(device, VALUES * sizeof(float), &from));
    US_TRY(us_buf_new(device, OUT * sizeof(float), &to));
    US_TRY(us_write(device, from, 0, in, VALUES * sizeof(float)));
    US_TRY(us_run(device, kernel, US_RANGE1L(1, 1), "bb", from, to));
    US_TRY(us_read(device, to, 0, out, OUT * sizeof(float)));
out:
    us_buf_free(device, from);
    us_buf_free(device, to);
    return st;
}

static enum us_bf16 probe(struct unseen_device *device)
{
    struct us_kernel *kernel;
    float in[VALUES], out[OUT];
    /* Its program is to be built now, whatever is being gathered. */
    const int gathering = device->gathering;
    if (!us_device_is_cpu(device) || !cpu_has_bf16())
        return US_BF16_NO_INSTRUCTIONS;
    device->gathering = 0;
    const enum unseen_status built = us_kernel_get(device, "bf16_probe.cl", "", "bf16_probe", &kernel);
    device->gathering = gathering;
    if (built)
        return US_BF16_NO_COMPILER;
    fill(in);
    return compute(device, kernel, in, out) || !right(in, out) ? US_BF16_WRONG : US_BF16_WORKS;
}

enum us_bf16 us_bf16_find(struct unseen_device *device)
{
    if (device->bf16 == US_BF16_UNKNOWN)
        device->bf16 = probe(device);
    return device->bf16;
}
