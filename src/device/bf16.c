#include "config.h"

#include "base/log.h"
#include "device/self_test.h"
#include "device/state.h"

#include <stdio.h>
#include <string.h>

#if defined __x86_64__ || defined __i386__
#include <cpuid.h>

/* The instructions are used behind the OpenCL compiler's back, so it cannot tell whether the CPU has them. */
static bool cpu_has_bf16(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax & 1u << 5) != 0;
}

static bool cpu_is_intel(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(0, &eax, &ebx, &ecx, &edx) && ebx == signature_INTEL_ebx;
}
#else
static bool cpu_has_bf16(void)
{
    return false;
}

static bool cpu_is_intel(void)
{
    return false;
}
#endif

#if defined __x86_64__ && defined __linux__
#include <sys/syscall.h>
#include <unistd.h>

/* Tile registers are 8 KiB that Linux saves only for processes that have asked: from then on all threads of
 * this one, those of OpenCL runtimes among them, may use them. */
static bool cpu_has_amx(void)
{
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 }; /* ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA */
    const unsigned bf16_and_tiles = 1u << 22 | 1u << 24;
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (edx & bf16_and_tiles) == bf16_and_tiles &&
           syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}
#else
static bool cpu_has_amx(void)
{
    return false;
}
#endif

enum { VALUES = 64, OUT = 48, SIDE = 16, DEPTH = 32, TILE = SIDE * DEPTH };

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

static bool passes(struct unseen_device *device, struct us_kernel *kernel)
{
    float in[VALUES], out[OUT];
    fill(in);
    return us_self_test_run(device, kernel, 1, in, sizeof in, out, sizeof out) == UNSEEN_OK && right(in, out);
}

/* Whether out[SIDE][SIDE] is a[SIDE][DEPTH] * b[DEPTH][SIDE], of integers. */
static bool right_product(const float *a, const float *b, const float *out)
{
    bool good = true;
    for (int i = 0; i < SIDE * SIDE; i++) {
        float sum = 0.0f;
        for (int k = 0; k < DEPTH; k++)
            sum += a[i / SIDE * DEPTH + k] * b[k * SIDE + i % SIDE];
        good = good && out[i] == sum;
    }
    return good;
}

static bool tiles_pass(struct unseen_device *device, struct us_kernel *kernel)
{
    float in[2 * TILE], out[SIDE * SIDE];
    for (int i = 0; i < 2 * TILE; i++)
        in[i] = (float)(i * 37 % 113 - 56);
    return us_self_test_run(device, kernel, 1, in, sizeof in, out, sizeof out) == UNSEEN_OK &&
           right_product(in, in + TILE, out);
}

/* The self-test of kernel `name`, unless the device has passed it before. */
static enum us_bf16 probe(struct unseen_device *device, const char *name,
                          bool (*pass)(struct unseen_device *, struct us_kernel *))
{
    struct us_kernel *kernel;
    char file[32];
    snprintf(file, sizeof file, "%s.cl", name);
    const struct us_self_test test = {.file = file, .options = ""};
    if (us_self_test_passed(device, &test))
        return US_BF16_WORKS;
    if (us_self_test_kernel(device, file, "", name, &kernel))
        return US_BF16_NO_COMPILER;
    if (!pass(device, kernel))
        return US_BF16_WRONG;
    us_self_test_keep(device, &test);
    return US_BF16_WORKS;
}

bool us_bf16_is_fast(void)
{
    /* Direct convolution on an Emerald Rapids: 170 GFLOP/s by its dot products, 300 in float32. */
    return !cpu_is_intel();
}

enum us_bf16 us_bf16_find_tiles(struct unseen_device *device)
{
    if (device->tiles == US_BF16_UNKNOWN) {
        device->tiles = us_device_is_cpu(device) && cpu_has_amx() ? probe(device, "amx_probe", tiles_pass)
                                                                  : US_BF16_NO_INSTRUCTIONS;
        if (device->tiles == US_BF16_NO_COMPILER || device->tiles == US_BF16_WRONG)
            us_log(UNSEEN_LOG_DEBUG, "AMX tiles are not used: %s", us_bf16_reason(device->tiles));
    }
    return device->tiles;
}

enum us_bf16 us_bf16_find(struct unseen_device *device)
{
    if (device->bf16 == US_BF16_UNKNOWN)
        device->bf16 = us_device_is_cpu(device) && cpu_has_bf16() ? probe(device, "bf16_probe", passes)
                                                                  : US_BF16_NO_INSTRUCTIONS;
    return device->bf16;
}

const char *us_bf16_reason(enum us_bf16 found)
{
    static const char *const reasons[] = {[US_BF16_UNKNOWN] = "not tried",
                                          [US_BF16_WORKS] = NULL,
                                          [US_BF16_NO_INSTRUCTIONS] = "the CPU lacks them",
                                          [US_BF16_NO_COMPILER] = "no OpenCL program reaches them",
                                          [US_BF16_WRONG] = "its self-test gave wrong numbers"};
    return reasons[found];
}
