/* SPDX-License-Identifier: BSD-2-Clause */
/* results -- any value of Authentication-Results and Received-SPF. */
#include "fuzz.h"

#include "notice/results.h"

static void
look(const struct auth_results *results)
{
	if (results->n > RESULTS_MAX)
		abort();
	for (size_t i = 0; i < results->n; i++)
		if (results->v[i].method.len == 0 ||
		    results->v[i].result.len == 0)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct str text = str_dup(a, str_of((const char *)data, size));
	struct auth_results results;
	if (auth_results_parse(a, text, &results))
		look(&results);
	if (received_spf_parse(a, text, &results))
		look(&results);
	arena_free(a);
	return 0;
}
