#pragma once

#include "rounding.h"

// What Swift's SIMD types do lane by lane in scalar code, as true vector operations.
//
// No function holds both a product and a sum: C may contract them to a fused multiply-add, and the
// bits would then depend on the instruction set.

typedef float lanes_f8 __attribute__((ext_vector_type(8)));
typedef int lanes_i8 __attribute__((ext_vector_type(8)));
typedef unsigned lanes_u8 __attribute__((ext_vector_type(8)));
typedef double lanes_d4 __attribute__((ext_vector_type(4)));
typedef long long lanes_l4 __attribute__((ext_vector_type(4)));
typedef unsigned long long lanes_q4 __attribute__((ext_vector_type(4)));

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi"
#define LANES static inline __attribute__((__always_inline__))

LANES lanes_f8 lanes_select_f8(lanes_i8 mask, lanes_f8 a, lanes_f8 b) { return mask ? a : b; }
LANES lanes_i8 lanes_less_f8(lanes_f8 a, lanes_f8 b) { return (lanes_i8)(a < b); }
LANES lanes_i8 lanes_less_equal_f8(lanes_f8 a, lanes_f8 b) { return (lanes_i8)(a <= b); }
LANES lanes_i8 lanes_equal_f8(lanes_f8 a, lanes_f8 b) { return (lanes_i8)(a == b); }
LANES lanes_i8 lanes_and_f8(lanes_i8 a, lanes_i8 b) { return a & b; }
LANES lanes_i8 lanes_or_f8(lanes_i8 a, lanes_i8 b) { return a | b; }
LANES lanes_i8 lanes_not_f8(lanes_i8 a) { return ~a; }
LANES lanes_f8 lanes_sqrt_f8(lanes_f8 x) { return __builtin_elementwise_sqrt(x); }
LANES lanes_f8 lanes_negate_f8(lanes_f8 x) { return -x; }
LANES lanes_f8 lanes_abs_f8(lanes_f8 x) { return (lanes_f8)((lanes_u8)x & 0x7fffffffu); }

// If a is a NaN, all bits set: a NaN. If b is a NaN, the comparison picks it.
LANES lanes_f8 lanes_max_f8(lanes_f8 a, lanes_f8 b) { return (lanes_f8)((lanes_i8)(a > b ? a : b) | (lanes_i8)(a != a)); }
LANES lanes_f8 lanes_min_f8(lanes_f8 a, lanes_f8 b) { return (lanes_f8)((lanes_i8)(a < b ? a : b) | (lanes_i8)(a != a)); }

// The magnitude of x with the sign of y.
LANES lanes_f8 lanes_copy_sign_f8(lanes_f8 x, lanes_f8 y) {
  return (lanes_f8)(((lanes_u8)x & 0x7fffffffu) | ((lanes_u8)y & ~0x7fffffffu));
}

// The nearest value with 12 significant bits; what it leaves of x has 11 at most.
LANES lanes_f8 lanes_upper_half_f8(lanes_f8 x) {
  return (lanes_f8)(((lanes_u8)x + 0x800u) & ~0xfffu);
}

// 2^n, for an integral n whose power is a normal number.
LANES lanes_f8 lanes_power_of_two_f8(lanes_f8 n) {
  return (lanes_f8)((lanes_u8)(n + 0x1.8000fep23f) << 23);
}

// m in [sqrt(1/2), sqrt(2)) and e of x = 2^e m, for a positive normal x.
LANES lanes_f8 lanes_mantissa_f8(lanes_f8 x) {
  lanes_u8 bits = (lanes_u8)x + (0x3f800000u - 0x3f3504f3u);
  return (lanes_f8)((bits & 0x7fffffu) + 0x3f3504f3u);
}
LANES lanes_f8 lanes_exponent_f8(lanes_f8 x) {
  lanes_u8 bits = (lanes_u8)x + (0x3f800000u - 0x3f3504f3u);
  return (lanes_f8)((bits >> 23) | 0x4b000000u) - 0x1.0000fep23f;
}

// The even and the odd elements of a and b in one row, and the halves of the row a0 b0 a1 b1 ...
LANES lanes_f8 lanes_evens_f8(lanes_f8 a, lanes_f8 b) { return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14); }
LANES lanes_f8 lanes_odds_f8(lanes_f8 a, lanes_f8 b) { return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15); }
LANES lanes_f8 lanes_zip_low_f8(lanes_f8 a, lanes_f8 b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
LANES lanes_f8 lanes_zip_high_f8(lanes_f8 a, lanes_f8 b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }

LANES lanes_d4 lanes_select_d4(lanes_l4 mask, lanes_d4 a, lanes_d4 b) { return mask ? a : b; }
LANES lanes_l4 lanes_less_d4(lanes_d4 a, lanes_d4 b) { return (lanes_l4)(a < b); }
LANES lanes_l4 lanes_less_equal_d4(lanes_d4 a, lanes_d4 b) { return (lanes_l4)(a <= b); }
LANES lanes_l4 lanes_equal_d4(lanes_d4 a, lanes_d4 b) { return (lanes_l4)(a == b); }
LANES lanes_l4 lanes_and_d4(lanes_l4 a, lanes_l4 b) { return a & b; }
LANES lanes_l4 lanes_or_d4(lanes_l4 a, lanes_l4 b) { return a | b; }
LANES lanes_l4 lanes_not_d4(lanes_l4 a) { return ~a; }
LANES lanes_d4 lanes_sqrt_d4(lanes_d4 x) { return __builtin_elementwise_sqrt(x); }
LANES lanes_d4 lanes_negate_d4(lanes_d4 x) { return -x; }
LANES lanes_d4 lanes_abs_d4(lanes_d4 x) { return (lanes_d4)((lanes_q4)x & 0x7fffffffffffffffull); }

// If a is a NaN, all bits set: a NaN. If b is a NaN, the comparison picks it.
LANES lanes_d4 lanes_max_d4(lanes_d4 a, lanes_d4 b) { return (lanes_d4)((lanes_l4)(a > b ? a : b) | (lanes_l4)(a != a)); }
LANES lanes_d4 lanes_min_d4(lanes_d4 a, lanes_d4 b) { return (lanes_d4)((lanes_l4)(a < b ? a : b) | (lanes_l4)(a != a)); }

// The magnitude of x with the sign of y.
LANES lanes_d4 lanes_copy_sign_d4(lanes_d4 x, lanes_d4 y) {
  return (lanes_d4)(((lanes_q4)x & 0x7fffffffffffffffull) | ((lanes_q4)y & ~0x7fffffffffffffffull));
}

// The nearest value with 26 significant bits; what it leaves of x has 26 at most.
LANES lanes_d4 lanes_upper_half_d4(lanes_d4 x) {
  return (lanes_d4)(((lanes_q4)x + 0x4000000ull) & ~0x7ffffffull);
}

// 2^n, for an integral n whose power is a normal number.
LANES lanes_d4 lanes_power_of_two_d4(lanes_d4 n) {
  return (lanes_d4)((lanes_q4)(n + 0x1.80000000003ffp52) << 52);
}

// m in [sqrt(1/2), sqrt(2)) and e of x = 2^e m, for a positive normal x.
LANES lanes_d4 lanes_mantissa_d4(lanes_d4 x) {
  lanes_q4 bits = (lanes_q4)x + (0x3ff0000000000000ull - 0x3fe6a09e667f3bcdull);
  return (lanes_d4)((bits & 0xfffffffffffffull) + 0x3fe6a09e667f3bcdull);
}
LANES lanes_d4 lanes_exponent_d4(lanes_d4 x) {
  lanes_q4 bits = (lanes_q4)x + (0x3ff0000000000000ull - 0x3fe6a09e667f3bcdull);
  return (lanes_d4)((bits >> 52) | 0x4330000000000000ull) - 0x1.00000000003ffp52;
}

// As of Float.
LANES lanes_d4 lanes_evens_d4(lanes_d4 a, lanes_d4 b) { return __builtin_shufflevector(a, b, 0, 2, 4, 6); }
LANES lanes_d4 lanes_odds_d4(lanes_d4 a, lanes_d4 b) { return __builtin_shufflevector(a, b, 1, 3, 5, 7); }
LANES lanes_d4 lanes_zip_low_d4(lanes_d4 a, lanes_d4 b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
LANES lanes_d4 lanes_zip_high_d4(lanes_d4 a, lanes_d4 b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }

#undef LANES
#pragma clang diagnostic pop
