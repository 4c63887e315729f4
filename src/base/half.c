#include "config.h"

#include "base/half.h"

#include <math.h>
#include <string.h>

float us_half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    uint32_t exponent = (half >> 10) & 0x1fu;
    uint32_t mantissa = half & 0x3ffu;
    uint32_t bits;
    if (exponent == 0) { /* zero and subnormals: mantissa * 2^-24 */
        float magnitude = ldexpf((float)mantissa, -24);
        return sign ? -magnitude : magnitude;
    }
    if (exponent == 0x1f)
        bits = sign | 0x7f800000u | (mantissa << 13);
    else
        bits = sign | ((exponent + 112) << 23) | (mantissa << 13);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* `value` shifted right by `shift`, rounded to nearest even. */
static uint32_t shift_round(uint32_t value, unsigned shift)
{
    uint32_t kept = value >> shift;
    uint32_t lost = value & ((1u << shift) - 1);
    uint32_t middle = 1u << (shift - 1);
    return kept + (lost > middle || (lost == middle && (kept & 1)));
}

uint16_t us_float_to_half(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t sign = (uint16_t)((bits >> 16) & 0x8000u);
    uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) /* NaN: a quiet one, as the top mantissa bit may be all that is kept */
        return (uint16_t)(sign | 0x7e00u | ((magnitude >> 13) & 0x1ffu));
    if (magnitude >= 0x477ff000u) /* 65520: half way to the next binade rounds to infinity */
        return sign | 0x7c00u;
    if (magnitude >= 0x38800000u) /* 2^-14: normal; a carry out of the mantissa raises the exponent */
        return (uint16_t)(sign | shift_round(magnitude - (112u << 23), 13));
    unsigned exponent = magnitude >> 23;
    if (exponent < 102) /* below half the smallest subnormal */
        return sign;
    uint32_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
    return (uint16_t)(sign | shift_round(mantissa, 126 - exponent));
}
