/* SPDX-License-Identifier: BSD-2-Clause */
/* sample -- text such as mail is made of, to try on it what a regex costs. */
#ifndef RULES_SAMPLE_H
#define RULES_SAMPLE_H

#include "base/base.h"

/* Ended by NULL. */
extern const char *const SAMPLE_TEXTS[];

#endif
