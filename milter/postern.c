/* SPDX-License-Identifier: BSD-2-Clause */
/* postern -- the operator's command: finds the subcommand and runs it. */
#include <getopt.h>

#include "base/log.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/ui.h"
#include "session/config.h"

const struct command CMD_TABLE[] = {
    {"scan", NULL,
	"[--json] [--explain] [--subs] [--views] [--head SELECTOR]... "
	"[--offline] [--prefilter auto|wait|no] [--jobs N]\n"
	"            [--config FILE] [--rules PATH]... [--class C] [--from A]\n"
	"            [--rcpt A]... [--login U] [--client IP] [--helo H]\n"
	"            FILE|DIR|-...",
	"score mail offline: files, directories, Maildir, mbox", cmd_scan},
    {"profile", NULL,
	"[--top N] [--json] [--prefilter wait|no] [--config FILE]\n"
	"            [--rules PATH]... FILE|DIR|-...",
	"which rules take how long on given mail", cmd_profile},
    {"masscheck", NULL,
	"--log FILE [--jobs N] [--subs] [--class C] [--json]\n"
	"            [--config FILE] [--rules PATH]... ham:PATH|spam:PATH...",
	"run the rules over folders of ham and spam, into a log",
	cmd_masscheck},
    {"freqs", NULL,
	"[--hash H] [--top N] [--overlap PERCENT] [--never] [--json] LOG",
	"how often each rule hits ham and spam, by that log", cmd_freqs},
    {"fpfn", NULL,
	"[--hash H] [--from SCORE] [--to SCORE] [--step N]\n"
	"            [--max-fp PERCENT] [--lambda N] [--json] LOG",
	"what each threshold does to ham and spam, by that log", cmd_fpfn},
    {"rescore", NULL,
	"[--hash H] [--threshold SCORE] [--max-change N]\n"
	"            [--deviation N] [--ham-weight N] [--min-hits N] [--folds "
	"K]\n"
	"            [--seed N] [--jobs N] [--top N] [--json] [--output FILE] "
	"LOG",
	"scores that fit ham and spam better, by that log", cmd_rescore},
    {"what-if", NULL,
	"[--config FILE] [--rules PATH]... [--quarantine] [--history]\n"
	"            [--since TIME] [--until TIME] [--offline] [--messages]\n"
	"            [--top N] [--jobs N] [--json] [FILE|DIR]...",
	"whom another configuration would hold, release or reject",
	cmd_what_if},
    {"preflight", NULL, "[--from ADDRESS] [--json] DOMAIN|ADDRESS",
	"what receivers will think of mail from a domain", cmd_preflight},
    {"doctor", NULL,
	"[--postfix DIR] [--sendmail FILE] [--dovecot COMMAND|FILE]\n"
	"            [--amavis DIR] [--posternd] [--json]",
	"what is wrong on this host, and the lines that cure it", cmd_doctor},
    {"quarantine", "q", "list|show|release|delete|purge [...]",
	"review held mail", cmd_quarantine},
    {"explain", NULL, "[--json] ID", "what happened to a message, and why",
	cmd_explain},
    {"history", NULL,
	"[--sender A] [--login U] [--to A] [--class C] [--action A]\n"
	"            [--would A] [--rule R] [--score-min N] [--score-max N]\n"
	"            [--id ID] [--client IP|NET|NAME] [--subject T] [--notice "
	"K]\n"
	"            [--reason R] [--spf R] [--dkim R] [--dmarc R] [--since "
	"T]\n"
	"            [--until T] [--limit N] [--follow] [--json] [--csv]",
	"search what was decided", cmd_history},
    {"digest", NULL, "[--mail [--to ADDRESS]] [--since AGE] [--json]",
	"what came into the quarantine since the last digest", cmd_digest},
    {"notices", NULL,
	"[--limit N] [--kind K] [--origin O] [--to ADDRESS] [--explain]\n"
	"            [--json]",
	"what was decided about automatic notices, and why", cmd_notices},
    {"ledger", NULL, "[--json] [--limit N] [show ADDRESS|MESSAGE-ID]",
	"messages that posternd remembers", cmd_ledger},
    {"lint", NULL, "[-v] [--report] [--json] [PATH...]",
	"check configuration and rules, run the rules' tests; --report: what "
	"became of each",
	cmd_lint},
    {"reload", NULL, "", "make posternd read configuration and rules again",
	cmd_reload},
    {"status", NULL, "[--json]", "what posternd is and has done so far",
	cmd_status},
    {"top", NULL, "[--interval SECONDS] [--rounds N] [--once] [--json]",
	"what posternd does now, every second", cmd_top},
    {"config", NULL, "[NAME...]", "show options, values and meanings",
	cmd_config},
    {"help", NULL, "[COMMAND [VERB]]", "say what a command takes", cmd_help},
    {0}};

static const struct command *
command_find(const char *name)
{
	for (const struct command *c = CMD_TABLE; c->name != NULL; c++)
		if (strcmp(c->name, name) == 0 ||
		    (c->alias != NULL && strcmp(c->alias, name) == 0))
			return c;
	return NULL;
}

static void
overview(FILE *out)
{
	(void)fputs("usage: postern [-hV] [-c FILE] COMMAND [...]\n\n", out);
	for (const struct command *c = CMD_TABLE; c->name != NULL; c++)
		fprintf(out, "  %-11s %s\n", c->name, c->help);
	(void)fputs("\n`postern help COMMAND` says what it takes; postern(1) "
		    "has examples.\n",
	    out);
}

int
cmd_usage(const char *name)
{
	const struct command *c = command_find(name);
	fprintf(stderr, "usage: postern %s %s\n", name,
	    c == NULL ? "" : c->synopsis);
	return CMD_TROUBLE;
}

void
cmd_help_show(const char *name)
{
	const struct command *c = command_find(name);
	if (c != NULL)
		printf("usage: postern %s %s\n    %s\n", c->name, c->synopsis,
		    c->help);
}

/* The first option that is left, other arguments before it or not. */
static const char *
option_next(int argc, char **argv)
{
	for (int i = optind == 0 ? 1 : optind; i < argc; i++)
		if (argv[i][0] == '-' && argv[i][1] != '\0')
			return argv[i];
	return "";
}

int
cmd_option(int argc, char **argv, const char *shorts,
    const struct option *longs, int *which)
{
	if (cmd_is_help(option_next(argc, argv))) {
		cmd_help_show(argv[0]);
		exit(cmd_end(CMD_FINE));
	}
	return getopt_long(argc, argv, shorts, longs, which);
}

static const struct command *
command_need(const char *name)
{
	const struct command *c = command_find(name);
	if (c == NULL)
		cmd_error("there is no command \"%s\"; `postern help` lists "
			  "them",
		    name);
	return c;
}

/* Each command says itself what it takes. */
int
cmd_help(int argc, char **argv)
{
	static char help[] = "--help";
	const struct command *c = NULL;
	if (argc < 2) {
		overview(stdout);
		return CMD_FINE;
	}
	if (argc > 3)
		return cmd_usage(argv[0]);
	if (cmd_is_help(argv[1])) {
		cmd_help_show(argv[0]);
		return CMD_FINE;
	}
	c = command_need(argv[1]);
	if (c == NULL)
		return CMD_TROUBLE;
	char *words[] = {argv[1], argc == 3 ? argv[2] : help, help, NULL};
	return c->run(argc, words);
}

static int
run(int argc, char **argv)
{
	static const struct option longs[] = {{"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'}, {0}};
	int c;
	while ((c = getopt_long(argc, argv, "+c:hV", longs, NULL)) != -1)
		switch (c) {
		case 'c':
			cmd_config_path = optarg;
			break;
		case 'V':
			(void)puts("postern " PACKAGE_VERSION);
			return CMD_FINE;
		case 'h':
			overview(stdout);
			return CMD_FINE;
		default:
			overview(stderr);
			return CMD_TROUBLE;
		}
	if (optind == argc) {
		overview(stderr);
		return CMD_TROUBLE;
	}
	const struct command *command = command_need(argv[optind]);
	if (command == NULL)
		return CMD_TROUBLE;
	argc -= optind;
	argv += optind;
	optind = 0; /* glibc: start again for the subcommand */
	return command->run(argc, argv);
}

int
main(int argc, char **argv)
{
	ui_begin();
	log_open("postern", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	return cmd_end(run(argc, argv));
}
