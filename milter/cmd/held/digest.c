/* SPDX-License-Identifier: BSD-2-Clause */
/* digest -- what came into the quarantine since the last digest. */
#include <errno.h>
#include <fcntl.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/held/digest_text.h"
#include "cmd/memory_open.h"
#include "cmd/ui.h"
#include "hold/disk.h"
#include "hold/filter.h"
#include "hold/inject.h"
#include "hold/letter.h"
#include "hold/release.h"
#include "session/config.h"

#define STAMP "digest"
#define STAMP_NEW "digest.new"
#define STAMP_BYTES 32
#define DAY_S ((int64_t)24 * 3600)

struct run {
	struct arena *arena;
	struct config config;
	bool is_mail, is_json;
	const char *since, *to; /* NULL: not given */
	int state;              /* state-dir */
	int64_t now;
	struct release *release;
	struct quarantine *quarantine;
	struct digest_page *page;
};

/* ---- until when the last one told */

/* 0: there was none, or it is of the future. */
static int64_t
stamp_read(struct run *run)
{
	struct str text;
	uint64_t wall;
	struct str path = str_printf(
	    run->arena, "%.*s/" STAMP, STR_ARG(run->config.state_dir));
	if (!file_text(run->arena, path, STAMP_BYTES, &text) ||
	    !str_u64(str_trim(text), INT64_MAX, &wall) ||
	    (int64_t)wall > run->now)
		return 0;
	return (int64_t)wall;
}

/* Whole, or not at all. */
static bool
stamp_write(struct run *run)
{
	(void)unlinkat(run->state, STAMP_NEW, 0);
	int fd = disk_create(run->state, STAMP_NEW);
	bool is_good = fd >= 0 &&
		       disk_write(fd, str_printf(run->arena, "%lld\n",
					  (long long)run->now)) &&
		       disk_sync(fd);
	disk_close(fd);
	return is_good &&
	       renameat(run->state, STAMP_NEW, run->state, STAMP) == 0;
}

static bool
since_of(struct run *run, int64_t *ret)
{
	int64_t age_s = DAY_S, last = stamp_read(run);
	*ret = last > 0 ? last : run->now - DAY_S;
	if (run->since == NULL)
		return true;
	if (!age_parse(str_from(run->since), &age_s) || age_s > run->now)
		return cmd_refuse(
		    "since", run->since, "an age such as 2h or 3d");
	*ret = run->now - age_s;
	return true;
}

/* ---- the digest */

static bool
take(void *arg, const struct held_entry *entry)
{
	struct run *run = arg;
	digest_page_add(run->page, entry);
	return true;
}

static int
show(struct run *run)
{
	struct ui ui;
	struct str rest = digest_page_text(run->arena, run->page);
	ui_init(&ui, stdout, UI_COLOR_AUTO);
	while (rest.len > 0) {
		ui_put(&ui, UI_PLAIN, str_line(&rest));
		(void)fputc('\n', stdout);
	}
	return CMD_FINE;
}

static bool
send(struct run *run)
{
	struct str to = str_from(run->to), why = STR_EMPTY;
	struct str host = config_host(run->arena, &run->config);
	struct letter letter = {
	    .from = config_alert_from(run->arena, &run->config),
	    .host = host,
	    .to = run->to == NULL ? run->config.alert_mail
				  : (struct strs){&to, 1, 1},
	    .subject =
		str_printf(run->arena, "Postern on %.*s: %.*s", STR_ARG(host),
		    STR_ARG(digest_page_title(run->arena, run->page))),
	    .body = digest_page_text(run->arena, run->page),
	};
	if (letter_send(
		run->arena, &letter, run->release, run->config.alert_via, &why))
		return true;
	log_error("the digest was not sent: %.*s", STR_ARG(why));
	return false;
}

/* An empty one is not sent; the next one begins here all the same. */
static int
mail(struct run *run)
{
	if (run->to == NULL && run->config.alert_mail.n == 0) {
		log_info("alert-mail names nobody: no digest is sent");
		return CMD_FINE;
	}
	if (digest_page_held(run->page) > 0 && !send(run))
		return CMD_TROUBLE;
	if (stamp_write(run))
		return CMD_FINE;
	log_error("%.*s/" STAMP ": %s", STR_ARG(run->config.state_dir),
	    strerror(errno));
	return CMD_TROUBLE;
}

static bool
stores_open(struct run *run)
{
	struct str why, may = cmd_who_may(run->arena, &run->config,
			    run->config.state_dir, R_OK | X_OK);
	if (!release_open_existing(
		run->arena, run->config.state_dir, &run->release, &why) ||
	    quarantine_open_existing(run->config.quarantine_dir,
		&run->quarantine, &why, run->arena) != QUARANTINE_OK) {
		log_error("%.*s%.*s", STR_ARG(why), STR_ARG(may));
		return false;
	}
	quarantine_set_key(run->quarantine, release_key(run->release));
	run->state = disk_dir(
	    AT_FDCWD, str_c(run->arena, run->config.state_dir), DISK_EXISTING);
	if (run->state < 0)
		log_error("%.*s: %s", STR_ARG(run->config.state_dir),
		    strerror(errno));
	return run->state >= 0;
}

/* Until all that is of this second is in the quarantine: the next digest begins
 * with the next second. */
static void
second_end(void)
{
	const struct timespec wait = {.tv_sec = 2};
	(void)nanosleep(&wait, NULL);
}

static int
digest(struct run *run)
{
	int64_t since;
	if (!since_of(run, &since) || !stores_open(run))
		return CMD_TROUBLE;
	run->page = digest_page_new(
	    run->arena, config_host(run->arena, &run->config), since, run->now);
	if (run->is_mail)
		second_end();
	if (quarantine_each(run->quarantine, FOLDER_COUNT, STR_EMPTY, take,
		run) != QUARANTINE_OK) {
		log_error("the quarantine cannot be read: %s", strerror(errno));
		return CMD_TROUBLE;
	}
	if (run->is_json)
		json_line(stdout, digest_page_json(run->page));
	if (run->is_mail)
		return mail(run);
	return run->is_json ? CMD_FINE : show(run);
}

int
cmd_digest(int argc, char **argv)
{
	struct run run = {.state = -1, .now = clock_wall()};
	const struct memory_flag flags[] = {{"mail", NULL, &run.is_mail},
	    {"json", NULL, &run.is_json}, {"since", &run.since, NULL},
	    {"to", &run.to, NULL}, {0}};
	if (!memory_flags_parse(argc, argv, flags))
		return CMD_TROUBLE;
	if (run.to != NULL && !run.is_mail)
		cmd_error("--to is where a digest is mailed: add --mail");
	if (optind < argc || (run.to != NULL && !run.is_mail))
		return cmd_usage(argv[0]);
	if (run.to != NULL && !inject_address_is_safe(str_from(run.to))) {
		(void)cmd_refuse("to", run.to, "an address");
		return CMD_TROUBLE;
	}
	run.arena = arena_new();
	cmd_config_load(run.arena, &run.config);
	int code = digest(&run);
	disk_close(run.state);
	release_close(run.release);
	quarantine_close(run.quarantine);
	arena_free(run.arena);
	return code;
}
