/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A state file of any bytes is sound or said not to be.  The content of each
 * page that has a chance is put under the number that it should have, so that
 * more than the first pages is read.
 */
#include "fuzz.h"

#include <sys/mman.h>

#include "state/file_check.h"

#define FILE_BYTES_MAX (256 * 1024)

static void
check(const char *bytes, size_t n)
{
	struct store_why why = {.text = ""};
	int fd = memfd_create("state", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
		abort();
	if (!file_check_fd(fd, &why) && why.text[0] == '\0')
		abort();
	(void)close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t page_bytes = 0;
	if (size > FILE_BYTES_MAX)
		return 0;
	char *copy = malloc(size + 1);
	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	check(copy, size);
	if (size > 64)
		memcpy(&page_bytes, data + 40, sizeof(page_bytes));
	if (page_bytes >= 512 && page_bytes <= 32768) {
		for (uint64_t i = 0; (i + 1) * page_bytes <= size; i++)
			memcpy(copy + i * page_bytes, &i, sizeof(i));
		check(copy, size);
	}
	free(copy);
	return 0;
}
