/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz -- the entry point every fuzz target defines. */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
