/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * null_milter -- reads every step and accepts, and replies only at end of
 * message: the floor that no libmilter milter goes below.  With --replies it
 * replies to each step, as a milter does that negotiates nothing.
 */
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <string.h>

#define NO_REPLIES                                                       \
	(SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT | \
	    SMFIP_NR_DATA | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY)

static sfsistat step_reply = SMFIS_NOREPLY;

static sfsistat
negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
    unsigned long unused2, unsigned long unused3, unsigned long *ret_actions,
    unsigned long *ret_steps, unsigned long *ret2, unsigned long *ret3)
{
	(void)ctx;
	(void)actions;
	(void)unused2;
	(void)unused3;
	*ret_actions = 0;
	*ret_steps = steps & (NO_REPLIES | SMFIP_NOUNKNOWN);
	*ret2 = *ret3 = 0;
	/* an MTA that cannot go without replies is told so */
	return (steps & NO_REPLIES) == NO_REPLIES ? SMFIS_CONTINUE
						  : SMFIS_REJECT;
}

static sfsistat
on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
	(void)ctx;
	(void)name;
	(void)address;
	return step_reply;
}

static sfsistat
on_helo(SMFICTX *ctx, char *name)
{
	(void)ctx;
	(void)name;
	return step_reply;
}

static sfsistat
on_path(SMFICTX *ctx, char **args)
{
	(void)ctx;
	(void)args;
	return step_reply;
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	(void)ctx;
	(void)name;
	(void)value;
	return step_reply;
}

static sfsistat
on_step(SMFICTX *ctx)
{
	(void)ctx;
	return step_reply;
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *chunk, size_t len)
{
	(void)ctx;
	(void)chunk;
	(void)len;
	return step_reply;
}

static sfsistat
on_end(SMFICTX *ctx)
{
	(void)ctx;
	return SMFIS_ACCEPT;
}

int
main(int argc, char **argv)
{
	static char name[] = "null";
	struct smfiDesc milter = {.xxfi_name = name,
	    .xxfi_version = SMFI_VERSION,
	    .xxfi_connect = on_connect,
	    .xxfi_helo = on_helo,
	    .xxfi_envfrom = on_path,
	    .xxfi_envrcpt = on_path,
	    .xxfi_header = on_header,
	    .xxfi_eoh = on_step,
	    .xxfi_body = on_body,
	    .xxfi_eom = on_end,
	    .xxfi_data = on_step,
	    .xxfi_negotiate = negotiate};
	if (argc == 3 && strcmp(argv[1], "--replies") == 0) {
		step_reply = SMFIS_CONTINUE;
		milter.xxfi_negotiate = NULL;
	} else if (argc != 2) {
		fprintf(stderr, "usage: null_milter [--replies] "
				"unix:/path|inet:port@host\n");
		return 2;
	}
	if (smfi_setconn(argv[argc - 1]) != MI_SUCCESS ||
	    smfi_register(milter) != MI_SUCCESS ||
	    smfi_opensocket(1) != MI_SUCCESS) {
		fprintf(stderr, "null_milter: cannot listen on %s\n",
		    argv[argc - 1]);
		return 1;
	}
	return smfi_main() == MI_SUCCESS ? 0 : 1;
}
