# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# sendmail -- a private Sendmail in $W/sendmail.  Its packages conflict with
# Postfix, so they are unpacked, not installed: scripts/check does that, into
# $SENDMAIL_ROOT.

SENDMAIL_ROOT=${SENDMAIL_ROOT:-$builddir/sendmail}

# Run the private sendmail(8).  The shim writes its syslog to a file and gives
# it a host name with a dot, for lack of which it would sleep for a minute.
sendmail_run() {
	SYSLOG_SHIM_FILE=$SENDMAIL/maillog SASL_CONF_PATH=$SENDMAIL/sasl \
		LD_PRELOAD=$builddir/test/scenario/syslog_shim.so \
		"$SENDMAIL_ROOT/usr/libexec/sendmail/sendmail" "$@"
}

# sendmail_cf NAME: $SENDMAIL/NAME.cf from NAME.mc.
sendmail_cf() {
	local cf=$SENDMAIL_ROOT/usr/share/sendmail/cf/
	m4 -D_CF_DIR_="$cf" "$cf/m4/cf.m4" "$SENDMAIL/$1.mc" \
		>"$SENDMAIL/$1.cf" 2>>"$W/log/sendmail"
}

# sendmail_configure [LINE...]: write its configuration, see postfix_configure,
# with these lines in front of the MAILER lines.  Its port is SENDMAIL_PORT.
# shellcheck disable=SC2120
sendmail_configure() {
	SENDMAIL=$W/sendmail
	mkdir -p "$SENDMAIL/queue" "$SENDMAIL/mspq" "$SENDMAIL/sasl"
	chmod 700 "$SENDMAIL/queue" "$SENDMAIL/mspq"
	touch "$SENDMAIL/maillog" "$SENDMAIL/st" "$SENDMAIL/msp.st"
	chown mail "$SENDMAIL/mspq" "$SENDMAIL/msp.st"
	chmod 666 "$SENDMAIL/maillog"
	port_free; SENDMAIL_PORT=$port
	printf 'hosts files\naliases files\n' >"$SENDMAIL/service.switch"
	cat >"$SENDMAIL/daemon.mc" <<-X
	divert(0)dnl
	OSTYPE(\`linux')dnl
	define(\`confDOMAIN_NAME', \`mail.test.example')dnl
	define(\`QUEUE_DIR', \`$SENDMAIL/queue')dnl
	define(\`STATUS_FILE', \`$SENDMAIL/st')dnl
	define(\`HELP_FILE', \`')dnl
	define(\`ALIAS_FILE', \`')dnl
	define(\`confPID_FILE', \`$SENDMAIL/pid')dnl
	define(\`confCONTROL_SOCKET_NAME', \`')dnl
	define(\`confSERVICE_SWITCH_FILE', \`$SENDMAIL/service.switch')dnl
	define(\`confCW_FILE', \`-o $SENDMAIL/local-host-names')dnl
	define(\`confLOG_LEVEL', \`14')dnl
	define(\`confMILTER_LOG_LEVEL', \`9')dnl
	define(\`confDONT_BLAME_SENDMAIL',
	  \`GroupWritableDirPathSafe,TrustStickyBit,GroupReadableSASLDBFile')dnl
	define(\`confAUTH_MECHANISMS', \`PLAIN LOGIN CRAM-MD5')dnl
	TRUST_AUTH_MECH(\`PLAIN LOGIN CRAM-MD5')dnl
	define(\`confAUTH_OPTIONS', \`')dnl
	define(\`confTO_IDENT', \`0')dnl
	define(\`confDIRECT_SUBMISSION_MODIFIERS', \`')dnl
	define(\`confCONNECTION_RATE_THROTTLE', \`0')dnl
	define(\`confMAX_DAEMON_CHILDREN', \`200')dnl
	define(\`confQUEUE_LA', \`100')dnl
	define(\`confREFUSE_LA', \`200')dnl
	FEATURE(\`nocanonify')dnl
	FEATURE(\`accept_unresolvable_domains')dnl
	FEATURE(\`promiscuous_relay')dnl
	FEATURE(\`no_default_msa')dnl
	DAEMON_OPTIONS(\`Family=inet, Name=MTA, Port=$SENDMAIL_PORT, Addr=127.0.0.1, Listen=200')dnl
	define(\`SMART_HOST', \`relay:[127.0.0.1]')dnl
	define(\`RELAY_MAILER_ARGS', \`TCP \$h $SINK_PORT')dnl
	${MILTER:+INPUT_MAIL_FILTER(\`postern', \`S=$MILTER, F=T, T=C:5s;S:10s;R:60s;E:60s')dnl}
	$(printf '%s\n' "$@")
	MAILER(\`local')dnl
	MAILER(\`smtp')dnl
	LOCAL_CONFIG
	ESASL_CONF_PATH=$SENDMAIL/sasl
	X
	cat >"$SENDMAIL/submit.mc" <<-X
	divert(0)dnl
	OSTYPE(\`linux')dnl
	define(\`confDOMAIN_NAME', \`mail.test.example')dnl
	define(\`_USE_ETC_MAIL_')dnl
	define(\`confTIME_ZONE', \`USE_TZ')dnl
	define(\`confDONT_INIT_GROUPS', \`True')dnl
	define(\`MSP_QUEUE_DIR', \`$SENDMAIL/mspq')dnl
	define(\`STATUS_FILE', \`$SENDMAIL/msp.st')dnl
	define(\`confPID_FILE', \`$SENDMAIL/msp.pid')dnl
	define(\`confRUN_AS_USER', \`mail')dnl
	define(\`confTRUSTED_USER', \`root')dnl
	define(\`confSERVICE_SWITCH_FILE', \`$SENDMAIL/service.switch')dnl
	define(\`confDONT_BLAME_SENDMAIL', \`GroupWritableDirPathSafe,TrustStickyBit')dnl
	define(\`RELAY_MAILER_ARGS', \`TCP \$h $SENDMAIL_PORT')dnl
	FEATURE(\`nocanonify')dnl
	FEATURE(\`msp', \`[127.0.0.1]')dnl
	X
	cat >"$SENDMAIL/sasl/Sendmail.conf" <<-X
	pwcheck_method: auxprop
	auxprop_plugin: sasldb
	mech_list: PLAIN LOGIN CRAM-MD5
	sasldb_path: $SENDMAIL/sasl/sasldb2
	X
	sendmail_cf daemon
	sendmail_cf submit
}

sendmail_start() {
	[ -n "${SENDMAIL-}" ] || sendmail_configure
	at_exit sendmail_stop
	sendmail_run -C "$SENDMAIL/daemon.cf" -L sendmail -bd >>"$W/log/sendmail" 2>&1
	wait_for 20 port_is_open "$SENDMAIL_PORT"
}

sendmail_stop() {
	process_stop "$(head -n 1 "$SENDMAIL/pid" 2>/dev/null)"
}

sendmail_user() {
	local db=$SENDMAIL/sasl/sasldb2
	printf secret | saslpasswd2 -p -c -f "$db" -u mail.test.example "$1"
	chmod 600 "$db"
}

# Mail from a program on the host: by the submission agent, to the daemon.
sendmail_submit() {
	sendmail_run -Ac -C "$SENDMAIL/submit.cf" -i "$@"
}

# Its queue as mailq(1) shows it; -qQ: what a milter asked it to hold.
sendmail_queue() {
	sendmail_run -C "$SENDMAIL/daemon.cf" -bp "$@"
}

# Deliver what waits.
sendmail_queue_run() {
	sendmail_run -C "$SENDMAIL/daemon.cf" -q
}

sendmail_logged() {
	grep -aE -- "$1" "$SENDMAIL/maillog"
}
