#include "rounding.h"

// Double, until something else is set.
_Thread_local struct narrow_record narrow_rounding_record = {
    0, 0x1p-1022, 0, 0, 0x1.fffffffffffffp+1023, 0x1p-50, 0x1p-53, 0, 0};
