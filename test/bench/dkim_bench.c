/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dkim_bench -- what a signature costs: processor time for one, ours and
 * libopendkim's, and how much more two threads make than one.
 */
#include <stdio.h>

#include <opendkim/dkim.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>

#include "auth/dkim_sign.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

#define THREADS_MAX 2
#define RUN_MS 700

static const struct {
	const char *name;
	size_t bytes;
} sizes[] = {{"1 KB", 1000}, {"10 KB", 10000}, {"1 MB", 1000000}};

static const char header[] =
    "Received: from a.example (a.example [192.0.2.1])\n"
    "\tby mail.example with ESMTPSA id 4Xk2vB1Zz;\n"
    "\tThu, 05 Mar 2026 10:11:12 +0000\n"
    "From: Alice Archer <alice@example.com>\n"
    "To: Bob Baker <bob@example.net>\n"
    "Subject: The minutes of our meeting are on the table\n"
    "Date: Thu, 05 Mar 2026 10:11:12 +0000\n"
    "Message-ID: <1234567890.1234@example.com>\n"
    "MIME-Version: 1.0\n"
    "Content-Type: text/plain; charset=utf-8\n";

/* One way to sign one mail. */
struct job {
	bool is_library, is_ed25519;
	const struct dkim_mail *mail;
	struct str wire_body;
	struct dkim_signer signer;
	struct dkim_sign_options options;
	DKIM_LIB *library;
	char *pem;
	int64_t until_ms;
};

static void
must(bool is_fine)
{
	if (!is_fine)
		abort();
}

static void
sign_ours(const struct job *job)
{
	struct arena *a = arena_new();
	struct str value;
	const char *why;
	must(dkim_sign_mail(
	    a, &job->signer, job->mail, &job->options, &value, &why));
	arena_free(a);
}

static void
sign_library(const struct job *job)
{
	DKIM_STAT status;
	DKIM *dkim = dkim_sign(job->library, (const u_char *)"bench", NULL,
	    (dkim_sigkey_t)job->pem, (const u_char *)"s",
	    (const u_char *)"example.com", DKIM_CANON_RELAXED,
	    DKIM_CANON_RELAXED,
	    job->is_ed25519 ? DKIM_SIGN_ED25519SHA256 : DKIM_SIGN_RSASHA256, -1,
	    &status);
	must(dkim != NULL);
	for (size_t i = 1; i < job->mail->n; i++)
		must(dkim_header(dkim,
			 (u_char *)(uintptr_t)job->mail->v[i].text.p,
			 job->mail->v[i].text.len) == DKIM_STAT_OK);
	must(dkim_eoh(dkim) == DKIM_STAT_OK);
	must(dkim_body(dkim, (u_char *)(uintptr_t)job->wire_body.p,
		 job->wire_body.len) == DKIM_STAT_OK);
	must(dkim_eom(dkim, NULL) == DKIM_STAT_OK);
	u_char *value;
	size_t len;
	must(dkim_getsighdr_d(dkim, 16, &value, &len) == DKIM_STAT_OK);
	must(dkim_free(dkim) == DKIM_STAT_OK);
}

static void *
run(void *arg)
{
	const struct job *job = arg;
	uintptr_t n = 0;
	while (clock_ms() < job->until_ms) {
		if (job->is_library)
			sign_library(job);
		else
			sign_ours(job);
		n++;
	}
	return (void *)n; /* NOLINT */
}

/* Signatures a second with `threads`; `*ret_cpu_ms`: processor time for one. */
static double
measure(struct job *job, size_t threads, double *ret_cpu_ms)
{
	pthread_t v[THREADS_MAX];
	int64_t start = clock_us();
	clock_t cpu = clock();
	job->until_ms = clock_ms() + RUN_MS;
	for (size_t i = 0; i < threads; i++)
		must(pthread_create(&v[i], NULL, run, job) == 0);
	uintptr_t n = 0;
	for (size_t i = 0; i < threads; i++) {
		void *count;
		must(pthread_join(v[i], &count) == 0);
		n += (uintptr_t)count;
	}
	*ret_cpu_ms =
	    (double)(clock() - cpu) * 1000 / CLOCKS_PER_SEC / (double)n;
	return (double)n * 1e6 / (double)(clock_us() - start);
}

static void
report(struct job *job, const char *size)
{
	double one_ms, two_ms;
	double one = measure(job, 1, &one_ms);
	double two = measure(job, 2, &two_ms);
	printf("%-8s %-6s %-12s %9.3f %9.3f %8.2f\n",
	    job->is_ed25519 ? "ed25519" : "rsa2048", size,
	    job->is_library ? "libopendkim" : "postern", one_ms, two_ms,
	    two / one);
}

static char *
pem_new(struct arena *a, bool is_ed25519)
{
	EVP_PKEY *pkey =
	    is_ed25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
		       : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	BIO *bio = BIO_new(BIO_s_mem());
	must(pkey != NULL && bio != NULL &&
	     PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL));
	char *p;
	long len = BIO_get_mem_data(bio, &p);
	char *text = str_c(a, str_of(p, (size_t)len));
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	return text;
}

/* A line of a table has no line ends. */
static struct str
joined(struct arena *a, const char *text)
{
	struct buf *b = buf_new(a, strlen(text) + 1);
	for (; *text != '\0'; text++)
		if (*text != '\n')
			buf_putc(b, *text);
	return buf_str(b);
}

static struct dkim_keys *
keys_new(struct arena *a, const char *pem)
{
	struct dkim_tables tables = {
	    .key_table = STR("/bench"), .signing_table = STR("/bench")};
	struct diags diags = {.arena = a};
	struct str text = joined(a, pem);
	return dkim_keys_parse(&tables,
	    str_printf(a, "key example.com:s:%.*s\n", STR_ARG(text)),
	    STR("example.com key\n"), &diags);
}

/* Lines of words; `end` behind each. */
static struct str
body_new(struct arena *a, size_t bytes, const char *end)
{
	struct buf *b = buf_new(a, bytes * 2);
	for (unsigned i = 0; b->len < bytes; i++)
		buf_printf(b,
		    "%08x the minutes of our meeting  are on the "
		    "table, %u%s",
		    i * 2654435761u, i, end);
	return buf_str(b);
}

static void
bench(bool is_ed25519, size_t i)
{
	struct arena *a = arena_new();
	struct dkim_mail mail;
	dkim_mail_cut(a, str_from(header), SIZE_MAX, &mail);
	mail.body = body_new(a, sizes[i].bytes, "\n");
	struct strs fields = {0};
	for (struct str rest = STR(DKIM_FIELDS_DEFAULT); rest.len > 0;)
		strs_add(a, &fields, str_cut(&rest, ','));
	struct strs oversign = {0};
	strs_add(a, &oversign, STR("From"));
	struct job job = {.is_ed25519 = is_ed25519,
	    .mail = &mail,
	    .wire_body = body_new(a, sizes[i].bytes, "\r\n"),
	    .options = {DKIM_RELAXED, DKIM_RELAXED, &fields, &oversign,
		clock_wall(), 0},
	    .library = dkim_init(NULL, NULL),
	    .pem = pem_new(a, is_ed25519)};
	struct dkim_keys *keys = keys_new(a, job.pem);
	must(keys != NULL && dkim_signers_for(a, keys, STR("a@example.com"),
				 &job.signer, 1) == 1);
	report(&job, sizes[i].name);
	job.is_library = true;
	report(&job, sizes[i].name);
	dkim_close(job.library);
	dkim_keys_free(keys);
	arena_free(a);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%-8s %-6s %-12s %9s %9s %8s\n", "key", "body", "by", "ms CPU",
	    "2 threads", "2 to 1");
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		bench(false, i);
		bench(true, i);
	}
	return 0;
}
