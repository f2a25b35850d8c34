#pragma once

// How the narrow numbers of a thread are rounded: one record a thread, which Narrow.swift sets and
// reads. It lies here because Swift has no thread-local variable that is read in one instruction.

struct narrow_record {
  // The bits of a Double's significand that the format has not.
  unsigned long long dropped;
  double least_normal;
  // The distance of subnormal numbers, and its reciprocal; 0 of Double itself.
  double step;
  double per_step;
  double greatest;
  // What a function may be off by, relatively.
  double function_error;
  // Half an ulp of 1.
  double unit;
  int flushes;
  int everywhere;
};

extern _Thread_local struct narrow_record narrow_rounding_record;

static inline __attribute__((__always_inline__)) struct narrow_record *narrow_rounding(void) {
  return &narrow_rounding_record;
}
