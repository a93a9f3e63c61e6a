/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exporter -- "GET /metrics" over HTTP, for Prometheus and curl: a thread of
 * its own, so that nobody who asks can make mail or signals wait.  Who may open
 * a unix socket is the file's permission.
 */
#ifndef SESSION_EXPORTER_H
#define SESSION_EXPORTER_H

#include <sys/stat.h>

#include "base/str.h"

struct arena;
struct exporter;

struct exporter_options {
	struct str at; /* a path, or a loopback address and port; listen.h */
	mode_t mode;   /* of the unix socket */
	/* What is shown, in `a`; called by the exporter's thread. */
	struct str (*text)(void *arg, struct arena *a);
	void *arg;
};

/* NULL: errno says why. */
MUST_CHECK struct exporter *exporter_start(
    const struct exporter_options *options);
/* NULL is fine.  The socket's file is removed. */
void exporter_stop(struct exporter *exporter);

enum exporter_request {
	EXPORTER_METRICS,
	EXPORTER_MALFORMED,
	EXPORTER_OTHER_METHOD, /* neither GET nor HEAD */
	EXPORTER_OTHER_PAGE
};
/* What a request, any bytes, asks for; for HEAD the answer has no body. */
enum exporter_request exporter_judge(struct str request, bool *ret_is_head);

#endif
