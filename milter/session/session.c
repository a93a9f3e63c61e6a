/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session -- the milter protocol.  The only file that knows libmilter.  Nothing
 * is decided before end of message, so every reply but that one is negotiated
 * away where the MTA allows it.
 */
#include "session/session.h"

#include <errno.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <libmilter/mfapi.h>
#include <signal.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "session/action.h"
#include "session/class.h"
#include "session/config_form.h"
#include "session/kept_threads.h"
#include "session/metrics.h"
#include "session/spool.h"
#include "session/strip.h"
#include "session/workers.h"

#define HEADER_PACKET_BYTES (1024 * 1024 - 1)
#define RCPT_MAX 100000
/* Each costs the MTA a walk through the header. */
#define STRIPPED_MAX 100
#define AUTH_RESULTS STR("Authentication-Results")
/* What a message took: so much goes back to the host when it is answered. */
#define LARGE_BYTES ((size_t)16 * 1024 * 1024)
#define SLOT_WAIT_MS 2000
#define SLOT_WAITS 60
/* a second, all told */
#define SOCKET_LOOKS 10
#define SOCKET_LOOK_MS 100

/* A header the client sent under one of our names. */
struct stripped {
	char *name;
	int index; /* nth of that name, from 1 */
};

struct session {
	struct gate *gate;
	struct snapshot *snapshot;
	unsigned long noreply; /* SMFIP_NR_* that were negotiated */
	bool mta_can_hold;
	bool has_blanks; /* a header value has what is behind the colon */
	bool is_sendmail;
	/* connection */
	struct arena *connection;
	struct origin origin;
	struct handover handover;
	struct str client_name;
	struct str helo;
	/* message */
	struct arena *arena;
	struct spool *spool;
	bool in_message;
	unsigned generation;
	struct origin message_origin;
	struct handover message_handover;
	struct str from;
	struct strs rcpt;
	struct {
		struct stripped *v;
		size_t n, cap;
	} stripped;
	int nresults; /* fields called AUTH_RESULTS so far */
	struct str release;
	const char *trouble; /* see struct incoming */
	bool is_hostile;
	bool in_header;
};

static struct gate *shared_gate; /* set before the first callback */

/*
 * The answer to a step before end of message.  Without a session the peer has
 * not negotiated, or goes on after its goodbye: no MTA does, libmilter lets it.
 */
static sfsistat
reply(const struct session *s, unsigned long step)
{
	if (s == NULL)
		return SMFIS_TEMPFAIL;
	return (s->noreply & step) != 0 ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static struct str
macro(SMFICTX *ctx, struct arena *a, const char *name)
{
	char key[64];
	(void)snprintf(key, sizeof(key), "%s", name);
	return str_dup(a, str_from(smfi_getsymval(ctx, key)));
}

static void
message_forget(struct session *s)
{
	if (s->in_message)
		gate_message_end(s->gate, s->generation);
	s->in_message = false;
	s->rcpt = (struct strs){0};
	s->stripped.v = NULL;
	s->stripped.n = s->stripped.cap = 0;
	s->nresults = 0;
	s->release = s->from = STR_EMPTY;
	s->trouble = NULL;
	s->is_hostile = false;
	spool_reset(s->spool);
	arena_reset(s->arena);
}

static void
count_connection(struct gate *gate)
{
	struct metrics *metrics = gate_metrics(gate);
	(void)atomic_fetch_add(&metrics->connections, 1);
	(void)atomic_fetch_add(&metrics->connections_open, 1);
}

static struct session *
session_new(struct gate *gate)
{
	struct session *s = calloc(1, sizeof(*s));
	if (s == NULL)
		log_fatal("out of memory");
	s->gate = gate;
	count_connection(gate);
	s->snapshot = gate_snapshot(gate);
	s->connection = arena_new();
	s->arena = arena_new();
	s->spool = spool_new(
	    s->snapshot->config.spool_dir, s->snapshot->config.memory_bytes);
	s->origin.login = s->origin.author = s->origin.client_addr =
	    s->origin.daemon_name = s->origin.daemon_addr =
		s->origin.host_name = STR_EMPTY;
	s->client_name = s->helo = s->from = s->release = STR_EMPTY;
	return s;
}

static void
session_free(struct session *s)
{
	message_forget(s);
	spool_free(s->spool);
	arena_free(s->arena);
	arena_free(s->connection);
	snapshot_put(s->snapshot);
	(void)atomic_fetch_sub(&gate_metrics(s->gate)->connections_open, 1);
	free(s);
}

/* What is asked of the MTA, if it offers it. */
#define WANTED_ACTIONS (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE)
#define WANTED_NOREPLY                                                     \
	(SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT |   \
	    SMFIP_NR_DATA | SMFIP_NR_UNKN | SMFIP_NR_EOH | SMFIP_NR_BODY | \
	    SMFIP_NR_HDR)
#define WANTED_STEPS \
	(SMFIP_HDR_LEADSPC | SMFIP_NODATA | SMFIP_NOUNKNOWN | SMFIP_NOEOH)

/* The macros each stage needs; without this the MTA sends its own choice. */
static const struct {
	int stage;
	const char *names;
} wanted_macros[] = {
    {SMFIM_CONNECT, "j v Z _ {daemon_name} {daemon_addr} {client_addr}"},
    {SMFIM_ENVFROM, "i r {auth_authen} {auth_author} {auth_ssf} "
		    "{tls_version} {cipher} {cipher_bits} {verify}"},
    {SMFIM_EOM, "i"},
};

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
    unsigned long unused2, unsigned long unused3, unsigned long *ret_actions,
    unsigned long *ret_steps, unsigned long *ret2, unsigned long *ret3)
{
	(void)unused2;
	(void)unused3;
	struct session *s = session_new(shared_gate);
	if (smfi_setpriv(ctx, s) != MI_SUCCESS) {
		session_free(s);
		return SMFIS_REJECT;
	}
	s->noreply = steps & WANTED_NOREPLY;
	s->mta_can_hold = (actions & SMFIF_QUARANTINE) != 0;
	s->has_blanks = (steps & SMFIP_HDR_LEADSPC) != 0;
	*ret_actions = actions & WANTED_ACTIONS;
	*ret_steps = steps & (WANTED_NOREPLY | WANTED_STEPS);
	*ret2 = *ret3 = 0;
	if ((actions & SMFIF_CHGHDRS) == 0 || (actions & SMFIF_ADDHDRS) == 0)
		log_warning("the MTA does not let a milter change headers");
	for (size_t i = 0; i < COUNT_OF(wanted_macros); i++) {
		char names[128];
		(void)snprintf(
		    names, sizeof(names), "%s", wanted_macros[i].names);
		(void)smfi_setsymlist(ctx, wanted_macros[i].stage, names);
	}
	return SMFIS_CONTINUE;
}

static void
client_take(struct session *s, const _SOCK_ADDR *address)
{
	char text[INET6_ADDRSTRLEN] = "";
	const void *raw = address;
	if (address != NULL && address->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = raw;
		(void)inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
		s->origin.client_port = ntohs(v4->sin_port);
	} else if (address != NULL && address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = raw;
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
		s->origin.client_port = ntohs(v6->sin6_port);
	}
	struct str shown = str_from(text);
	if (str_istarts(shown, STR("::ffff:")) &&
	    str_chr(shown, '.') != STR_NONE)
		shown = str_skip(shown, 7);
	s->origin.client_addr = str_dup(s->connection, shown);
}

/* Macro v is "Postfix 3.7.11", or Sendmail's bare "8.17.1.9". */
static bool
is_sendmail(struct str version)
{
	return version.len > 0 && char_is_digit(version.p[0]);
}

static sfsistat
on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
	struct session *s = smfi_getpriv(ctx);
	if (s == NULL)
		return reply(s, 0);
	client_take(s, address);
	s->client_name = str_dup(s->connection, str_from(host));
	s->origin.host_name = macro(ctx, s->connection, "j");
	s->origin.daemon_name = macro(ctx, s->connection, "{daemon_name}");
	s->origin.daemon_addr = macro(ctx, s->connection, "{daemon_addr}");
	s->handover.by = s->origin.host_name;
	s->handover.mta = macro(ctx, s->connection, "v");
	s->handover.config = macro(ctx, s->connection, "Z");
	s->handover.client = macro(ctx, s->connection, "_");
	s->is_sendmail = is_sendmail(s->handover.mta);
	return reply(s, SMFIP_NR_CONN);
}

static sfsistat
on_helo(SMFICTX *ctx, char *helo)
{
	struct session *s = smfi_getpriv(ctx);
	if (s == NULL)
		return reply(s, 0);
	s->helo = str_dup(s->connection, str_sub(str_from(helo), 0, 1024));
	return reply(s, SMFIP_NR_HELO);
}

/* Postfix's pickup gives the address without < >, its bounce an empty string.
 */
static struct str
path_of(struct arena *a, const char *arg)
{
	struct str path = str_trim(str_from(arg));
	if (path.len >= 2 && path.p[0] == '<' && path.p[path.len - 1] == '>')
		path = str_sub(path, 1, path.len - 2);
	return str_dup(a, path);
}

/* What the MTA's own Received field will say of this message. */
static void
handover_take(SMFICTX *ctx, struct session *s)
{
	struct handover *h = &s->message_handover;
	*h = s->handover;
	h->with = macro(ctx, s->arena, "r");
	h->tls_version = macro(ctx, s->arena, "{tls_version}");
	h->cipher = macro(ctx, s->arena, "{cipher}");
	h->cipher_bits = macro(ctx, s->arena, "{cipher_bits}");
	h->verify = macro(ctx, s->arena, "{verify}");
	h->auth_ssf = macro(ctx, s->arena, "{auth_ssf}");
	h->time = clock_wall();
	h->is_internal = class_is_mta_itself(&s->origin);
}

static sfsistat
on_mail(SMFICTX *ctx, char **args)
{
	struct session *s = smfi_getpriv(ctx);
	if (s == NULL)
		return reply(s, 0);
	message_forget(s);
	s->in_message = true;
	s->in_header = true;
	s->generation = gate_message_begin(s->gate);
	s->from = path_of(s->arena, args[0]);
	s->message_origin = s->origin;
	s->message_origin.is_null_sender = s->from.len == 0;
	s->message_origin.login = macro(ctx, s->arena, "{auth_authen}");
	s->message_origin.author = macro(ctx, s->arena, "{auth_author}");
	handover_take(ctx, s);
	return reply(s, SMFIP_NR_MAIL);
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **args)
{
	struct session *s = smfi_getpriv(ctx);
	if (s == NULL)
		return reply(s, 0);
	if (s->rcpt.n < RCPT_MAX)
		strs_add(s->arena, &s->rcpt, path_of(s->arena, args[0]));
	else
		s->trouble = "too many recipients";
	return reply(s, SMFIP_NR_RCPT);
}

static struct str
authserv_id(const struct session *s)
{
	struct str id = s->snapshot->config.authserv_id;
	return id.len > 0 ? id : s->origin.host_name;
}

/* Remember which headers came under our names: nothing of a client passes as
 * ours. */
static void
own_name_take(struct session *s, struct str name, struct str value)
{
	if (!field_is_stripped(name, value, authserv_id(s)))
		return;
	if (s->stripped.n == STRIPPED_MAX) {
		s->trouble = "too many header fields under our names";
		s->is_hostile = true;
		return;
	}
	bool is_results = str_ieq(name, AUTH_RESULTS);
	int index = is_results ? s->nresults : 1;
	for (size_t i = 0; i < s->stripped.n && !is_results; i++)
		index += str_ieq(str_from(s->stripped.v[i].name), name);
	ARENA_PUSH(s->arena, &s->stripped) =
	    (struct stripped){str_c(s->arena, name), index};
	if (s->release.len == 0 && str_ieq(name, STR("X-Postern-Release")))
		s->release = str_dup(s->arena, str_trim(value));
}

static void
auto_submitted_take(struct session *s, struct str name, struct str value)
{
	if (str_ieq(name, STR("Auto-Submitted")) &&
	    class_is_auto_submitted(value))
		s->message_origin.is_auto_submitted = true;
}

static sfsistat
on_header(SMFICTX *ctx, char *name_c, char *value_c)
{
	struct session *s = smfi_getpriv(ctx);
	if (s == NULL)
		return reply(s, 0);
	struct str name = str_from(name_c), value = str_from(value_c);
	s->nresults += str_ieq(name, AUTH_RESULTS);
	own_name_take(s, name, value);
	auto_submitted_take(s, name, value);
	spool_put(s->spool, name);
	spool_put(s->spool, s->has_blanks ? STR(":") : STR(": "));
	spool_put(s->spool, value);
	spool_put(s->spool, STR("\n"));
	return reply(s, SMFIP_NR_HDR);
}

static void
header_end(struct session *s)
{
	if (s->in_header)
		spool_put(s->spool, STR("\n"));
	s->in_header = false;
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *bytes, size_t len)
{
	struct session *s = smfi_getpriv(ctx);
	if (s == NULL)
		return reply(s, 0);
	const void *p = bytes;
	header_end(s);
	spool_put(s->spool, str_of(p, len));
	return reply(s, SMFIP_NR_BODY);
}

/* Last first, so that the numbers of the others stay true. */
static void
headers_strip(SMFICTX *ctx, struct session *s)
{
	for (size_t i = s->stripped.n; i-- > 0;)
		if (smfi_chgheader(ctx, s->stripped.v[i].name,
			s->stripped.v[i].index, NULL) != MI_SUCCESS)
			log_error(
			    "cannot remove header %s", s->stripped.v[i].name);
}

/* With SMFIP_HDR_LEADSPC the blank behind the colon is ours to give. */
static void
headers_add(SMFICTX *ctx, struct session *s, const struct answer *answer)
{
	struct arena *a = s->arena;
	for (size_t i = 0; i < answer->nheaders; i++) {
		char *name = str_c(a, str_from(answer->headers[i].name));
		char *value =
		    str_c(a, str_printf(a, "%s%.*s", s->has_blanks ? " " : "",
				 STR_ARG(answer->headers[i].value)));
		if (smfi_addheader(ctx, name, value) != MI_SUCCESS)
			log_error("cannot add header %s", name);
	}
}

/* Below the MTA's own Received field. */
static void
signatures_add(SMFICTX *ctx, struct session *s, const struct answer *answer)
{
	char name[] = "DKIM-Signature";
	for (size_t i = 0; i < answer->nsignatures; i++) {
		struct str value = str_printf(s->arena, "%s%.*s",
		    s->has_blanks ? " " : "", STR_ARG(answer->signatures[i]));
		if (smfi_insheader(ctx, 1, name, str_c(s->arena, value)) !=
		    MI_SUCCESS)
			log_error("cannot add a signature");
	}
}

/* libmilter formats the text: a single % would be lost, or all of it. */
static void
reply_set(SMFICTX *ctx, struct arena *a, const char *code, const char *xcode,
    struct str text)
{
	char *doubled = arena_alloc(a, text.len * 2 + 1);
	size_t n = 0;
	for (size_t i = 0; i < text.len; i++) {
		doubled[n++] = text.p[i];
		if (text.p[i] == '%')
			doubled[n++] = '%';
	}
	doubled[n] = '\0';
	char *code_c = str_c(a, str_from(code));
	char *xcode_c = str_c(a, str_from(xcode));
	if (smfi_setreply(ctx, code_c, xcode_c, doubled) != MI_SUCCESS)
		log_error("the MTA did not take the reply text");
}

static sfsistat
answer_give(SMFICTX *ctx, struct session *s, const struct answer *answer)
{
	struct arena *a = s->arena;
	switch (answer->kind) {
	case ANSWER_ACCEPT:
		if (answer->strips_headers)
			headers_strip(ctx, s);
		headers_add(ctx, s, answer);
		signatures_add(ctx, s, answer);
		return SMFIS_ACCEPT;
	case ANSWER_TEMPFAIL:
		reply_set(ctx, a, "451", "4.7.1", answer->text);
		return SMFIS_TEMPFAIL;
	case ANSWER_REJECT:
		reply_set(ctx, a, "550", "5.7.1", answer->text);
		return SMFIS_REJECT;
	case ANSWER_DISCARD:
		return SMFIS_DISCARD;
	case ANSWER_MTA_HOLD:
		if (answer->strips_headers)
			headers_strip(ctx, s);
		signatures_add(ctx, s, answer);
		return smfi_quarantine(ctx, str_c(a, answer->text)) ==
			       MI_SUCCESS
			   ? SMFIS_ACCEPT
			   : SMFIS_TEMPFAIL;
	}
	return SMFIS_TEMPFAIL;
}

static char bound_path[sizeof(((struct sockaddr_un *)0)->sun_path)];

/* The listener looks up every 5 s only: a connection wakes it (unix sockets).
 * Where so many wait that there is no room for one more, it is awake. */
static void
listener_wake(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	memcpy(to.sun_path, bound_path, sizeof(to.sun_path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const void *address = &to;
	if (fd >= 0 && bound_path[0] != '\0')
		(void)connect(fd, address, sizeof(to));
	if (fd >= 0)
		(void)close(fd);
}

/* Callbacks that wait for the DNS. */
static _Atomic unsigned waiting;

/*
 * libmilter gives sessions that become ready together to the workers that are
 * idle then, and those that are left over wait for one of these, however long
 * it takes.  A new connection makes it start another worker, which goes on with
 * what is left over.
 */
static void
others_go_on(void *arg)
{
	bool *is_waiting = arg;
	*is_waiting = true;
	if (atomic_fetch_add(&waiting, 1) > 0)
		listener_wake();
}

/* Sendmail waits 10 s for each reply: say that we are alive. */
static bool
slot_wait(SMFICTX *ctx, struct gate *gate)
{
	for (int i = 0; i < SLOT_WAITS; i++) {
		if (gate_slot_take(gate, SLOT_WAIT_MS))
			return true;
		(void)smfi_progress(ctx);
	}
	return false;
}

static struct incoming
incoming_of(struct session *s)
{
	const struct config *config = &s->snapshot->config;
	struct origin *origin = &s->message_origin;
	return (struct incoming){
	    .envelope =
		{
		    .class = class_of(config, origin),
		    .from = s->from,
		    .rcpt = s->rcpt,
		    .login = class_login(
			s->arena, config, origin->login, origin->host_name),
		    .client_addr = origin->client_addr,
		    .client_name = s->client_name,
		    .helo = s->helo,
		    .queue_id = STR_EMPTY,
		    .daemon_name = origin->daemon_name,
		    .handover = &s->message_handover,
		},
	    .mta_name = origin->host_name,
	    .authserv_id = authserv_id(s),
	    .is_sendmail = s->is_sendmail,
	    .can_refuse = class_can_refuse(origin),
	    .is_of_mta = class_is_of_mta(config, origin),
	    .is_auto_submitted = origin->is_auto_submitted,
	    .mta_can_hold = s->mta_can_hold,
	    .spool = s->spool,
	    .release = s->release,
	    .is_hostile = s->is_hostile,
	    .trouble = s->trouble,
	};
}

/* An MTA that is told to keep them back makes us blind: let doctor see it. */
static void
macros_count(const struct session *s, struct str queue_id)
{
	const struct str values[MACRO_COUNT] = {
	    [MACRO_QUEUE_ID] = queue_id,
	    [MACRO_HOST] = s->origin.host_name,
	    [MACRO_DAEMON] = s->origin.daemon_name,
	    [MACRO_VERSION] = s->handover.mta,
	};
	for (size_t i = 0; i < MACRO_COUNT; i++)
		if (values[i].len == 0)
			metrics_macro_missing(
			    gate_metrics(s->gate), (enum metrics_macro)i);
}

static sfsistat
on_eom(SMFICTX *ctx)
{
	struct session *s = smfi_getpriv(ctx);
	if (s == NULL)
		return reply(s, 0);
	if (!gate_answer_begin(s->gate)) {
		message_forget(s);
		return SMFIS_TEMPFAIL;
	}
	header_end(s);
	struct incoming in = incoming_of(s);
	in.end_us = clock_us();
	in.envelope.queue_id = macro(ctx, s->arena, "i");
	macros_count(s, in.envelope.queue_id);
	struct arena *scratch = arena_new();
	struct answer answer;
	bool has_waited = false;
	in.on_wait = others_go_on;
	in.wait_arg = &has_waited;
	struct action_work *work =
	    action_begin(scratch, s->gate, s->snapshot, &in);
	if (has_waited)
		(void)atomic_fetch_sub(&waiting, 1);
	if (has_waited)
		(void)smfi_progress(ctx);
	bool wants_slot = action_wants_slot(work);
	bool has_slot = wants_slot && slot_wait(ctx, s->gate);
	action_finish(work, wants_slot && !has_slot, &answer);
	sfsistat status = answer_give(ctx, s, &answer);
	histogram_add(&gate_metrics(s->gate)->answer, clock_us() - in.end_us);
	bool was_large = arena_used(scratch) > LARGE_BYTES;
	arena_free(scratch);
	spool_reset(s->spool);
	if (was_large)
		memory_trim();
	if (has_slot)
		gate_slot_give(s->gate);
	message_forget(s);
	gate_answer_end(s->gate);
	return status;
}

static sfsistat
on_abort(SMFICTX *ctx)
{
	struct session *s = smfi_getpriv(ctx);
	if (s != NULL)
		message_forget(s);
	return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	struct session *s = smfi_getpriv(ctx);
	(void)smfi_setpriv(ctx, NULL);
	if (s != NULL)
		session_free(s);
	return SMFIS_CONTINUE;
}

/*
 * libmilter's signal thread sigwait()s for HUP, TERM and INT and stops at once
 * on each, with messages in flight.  This definition takes the place of the C
 * library's for it: it waits until control.c has drained the gate.
 */
static sem_t stop_now;

int sigwait(const sigset_t *set, int *ret_signal);
int
sigwait(const sigset_t *set, int *ret_signal)
{
	(void)set;
	while (sem_wait(&stop_now) != 0)
		;
	*ret_signal = SIGTERM;
	return 0;
}

void
session_stop(void)
{
	(void)sem_post(&stop_now);
	(void)usleep(20000);
	listener_wake();
}

static bool
socket_answers(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const void *address = &to;
	bool answers = fd >= 0 && connect(fd, address, sizeof(to)) == 0;
	if (fd >= 0)
		(void)close(fd);
	return answers;
}

/*
 * libmilter would take the place of a live posternd without a word.  The socket
 * of one that was killed answers until its last thread is gone.
 */
static bool
socket_is_free(const char *path)
{
	struct stat st;
	if (lstat(path, &st) != 0) {
		if (errno == ENOENT)
			return true;
		log_error("%s: %s", path, strerror(errno));
		return false;
	}
	if (!S_ISSOCK(st.st_mode)) {
		log_error("socket: %s is there and is no socket: remove it, "
			  "or name another path",
		    path);
		return false;
	}
	const struct timespec pause = {.tv_nsec = SOCKET_LOOK_MS * 1000000};
	for (int i = 0; i < SOCKET_LOOKS; i++) {
		if (!socket_answers(path))
			return true;
		(void)nanosleep(&pause, NULL);
	}
	log_error("socket: another posternd serves %s: stop that one, or "
		  "name another path",
	    path);
	return false;
}

/*
 * The directory may belong to the user we are not yet: nothing that could have
 * been put in the place of the socket is followed.
 */
static void
socket_own(const char *path, const struct config *config)
{
	char name[64];
	(void)snprintf(
	    name, sizeof(name), "%.*s", STR_ARG(config->socket_group));
	struct group *group = name[0] == '\0' ? NULL : getgrnam(name);
	if (group == NULL && name[0] != '\0')
		log_warning("socket-group: no group is called %s", name);
	if (group != NULL && lchown(path, (uid_t)-1, group->gr_gid) != 0)
		log_warning("%s: cannot give it to group %s: %s", path, name,
		    strerror(errno));
	if (fchmodat(AT_FDCWD, path, (mode_t)config->socket_mode,
		AT_SYMLINK_NOFOLLOW) != 0)
		log_warning(
		    "%s: cannot set its mode: %s", path, strerror(errno));
}

static char milter_name[] = "postern";
static struct smfiDesc description = {
    .xxfi_name = milter_name,
    .xxfi_version = SMFI_VERSION,
    .xxfi_flags = WANTED_ACTIONS,
    .xxfi_connect = on_connect,
    .xxfi_helo = on_helo,
    .xxfi_envfrom = on_mail,
    .xxfi_envrcpt = on_rcpt,
    .xxfi_header = on_header,
    .xxfi_body = on_body,
    .xxfi_eom = on_eom,
    .xxfi_abort = on_abort,
    .xxfi_close = on_close,
    .xxfi_negotiate = on_negotiate,
};

bool
session_bind(const struct config *config)
{
	struct arena *a = arena_new();
	char *spec = str_c(a, config->socket);
	char *path = str_c(a, config_form_socket_path(config->socket));
	bool is_good = path[0] == '\0' || socket_is_free(path);
	(void)snprintf(bound_path, sizeof(bound_path), "%s", path);
	(void)sem_init(&stop_now, 0, 0);
	mode_t mask = umask(0177);
	if (is_good && (smfi_register(description) != MI_SUCCESS ||
			   smfi_setconn(spec) != MI_SUCCESS ||
			   smfi_opensocket(true) != MI_SUCCESS)) {
		log_error(
		    "socket: cannot listen on %s: %s", spec, strerror(errno));
		is_good = false;
	}
	(void)umask(mask);
	if (is_good && path[0] != '\0')
		socket_own(path, config);
	arena_free(a);
	return is_good;
}

bool
session_serve(struct gate *gate)
{
	shared_gate = gate;
	kept_threads_here();
	workers_start();
	(void)smfi_setmaxdatasize(HEADER_PACKET_BYTES);
	return smfi_main() == MI_SUCCESS;
}
