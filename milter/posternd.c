/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/base.h"
int
main(void)
{
	return 0;
}
