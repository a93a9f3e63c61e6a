/* SPDX-License-Identifier: BSD-2-Clause */
/* idn -- A-labels, by libidn2. */
#include "mail/idn.h"

#include <idn2.h>

#include "base/arena.h"
#include "base/utf8.h"

#define HOST_MAX 1024 /* bytes; a name has at most 253 characters */

static bool
is_ascii(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] >= 0x80 || s.p[i] == '\0')
			return false;
	return true;
}

struct str
idn_to_ascii(struct arena *a, struct str host)
{
	if (is_ascii(host) || host.len > HOST_MAX || !utf8_is_valid(host))
		return str_lower(a, host);
	char *ascii = NULL;
	int rc = idn2_to_ascii_8z(
	    str_c(a, host), &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	struct str ret =
	    rc == IDN2_OK ? str_lower(a, str_from(ascii)) : str_lower(a, host);
	idn2_free(ascii);
	return ret;
}
