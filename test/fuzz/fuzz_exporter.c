/* SPDX-License-Identifier: BSD-2-Clause */
/* exporter -- requests: only GET and HEAD of one page are answered with it. */
#include "fuzz.h"

#include "session/exporter.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str request = str_of((const char *)data, size);
	bool is_head;
	if (exporter_judge(request, &is_head) != EXPORTER_METRICS)
		return 0;
	struct str start = is_head ? STR("HEAD /metrics") : STR("GET /metrics");
	if (!str_starts(request, start))
		abort();
	return 0;
}
