# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# postfix -- a private Postfix in $W/postfix, made from the installed package:
# own configuration, queue, log and ports; /etc/postfix is not touched.

# Write its configuration; mail goes to $SINK_PORT, and to the milter at
# $MILTER (empty: none).  Ports: SMTP_PORT, and SUBMISSION_PORT whose service
# tells milters the name ORIGINATING.
postfix_configure() {
	POSTFIX=$W/postfix
	local etc=$POSTFIX/etc milter=${MILTER-}
	mkdir -p "$etc/sasl" "$POSTFIX/data" "$POSTFIX/queue"
	chown postfix "$POSTFIX/data"
	port_free; SMTP_PORT=$port
	port_free; SUBMISSION_PORT=$port
	cat >"$etc/main.cf" <<-X
	compatibility_level = 3.6
	config_directory = $etc
	queue_directory = $POSTFIX/queue
	data_directory = $POSTFIX/data
	daemon_directory = /usr/lib/postfix/sbin
	command_directory = /usr/sbin
	meta_directory = /etc/postfix
	shlib_directory = /usr/lib/postfix
	mail_owner = postfix
	setgid_group = postdrop
	maillog_file = $POSTFIX/maillog
	maillog_file_prefixes = $POSTFIX
	syslog_name = postfix
	inet_interfaces = loopback-only
	inet_protocols = ipv4
	myhostname = mail.test.example
	mydomain = test.example
	myorigin = test.example
	mydestination =
	local_recipient_maps =
	alias_maps =
	relay_domains = inside.example
	mynetworks = 127.0.0.0/8
	relayhost = [127.0.0.1]:$SINK_PORT
	smtp_dns_support_level = disabled
	smtpd_peername_lookup = no
	smtpd_relay_restrictions = permit_mynetworks,
	    permit_sasl_authenticated, reject_unauth_destination
	smtpd_authorized_xclient_hosts = 127.0.0.0/8
	smtpd_client_connection_count_limit = 0
	default_process_limit = 100
	message_size_limit = 120000000
	queue_minfree = 0
	minimal_backoff_time = 1s
	maximal_backoff_time = 2s
	queue_run_delay = 1s
	smtp_tls_security_level = none
	smtpd_tls_security_level = none
	smtpd_sasl_auth_enable = yes
	smtpd_sasl_type = cyrus
	smtpd_sasl_path = smtpd
	cyrus_sasl_config_path = $etc/sasl
	smtpd_sasl_local_domain =
	smtpd_sasl_security_options = noanonymous
	smtpd_milters = $milter
	non_smtpd_milters = $milter
	internal_mail_filter_classes = bounce
	milter_default_action = tempfail
	milter_connect_timeout = 5s
	milter_command_timeout = 20s
	milter_content_timeout = 60s
	X
	cat >"$etc/master.cf" <<-X
	127.0.0.1:$SMTP_PORT inet n - n - - smtpd
	127.0.0.1:$SUBMISSION_PORT inet n - n - - smtpd
	    -o milter_macro_daemon_name=ORIGINATING
	pickup   unix  n - n 1 1 pickup
	cleanup  unix  n - n - 0 cleanup
	qmgr     unix  n - n 1 1 qmgr
	rewrite  unix  - - n - - trivial-rewrite
	bounce   unix  - - n - 0 bounce
	defer    unix  - - n - 0 bounce
	trace    unix  - - n - 0 bounce
	verify   unix  - - n - 1 verify
	flush    unix  n - n 1000? 0 flush
	proxymap unix  - - n - - proxymap
	smtp     unix  - - n - 50 smtp
	relay    unix  - - n - 50 smtp
	showq    unix  n - n - - showq
	error    unix  - - n - - error
	retry    unix  - - n - - error
	discard  unix  - - n - - discard
	anvil    unix  - - n - 1 anvil
	scache   unix  - - n - 1 scache
	postlog  unix-dgram n - n - 1 postlogd
	X
	cat >"$etc/sasl/smtpd.conf" <<-X
	pwcheck_method: auxprop
	auxprop_plugin: sasldb
	mech_list: PLAIN LOGIN CRAM-MD5
	sasldb_path: $etc/sasl/sasldb2
	X
}

postfix_start() {
	[ -n "${POSTFIX-}" ] || postfix_configure
	at_exit postfix_stop
	postfix -c "$POSTFIX/etc" start >>"$W/log/postfix" 2>&1
	wait_for 20 port_is_open "$SMTP_PORT" &&
		wait_for 20 port_is_open "$SUBMISSION_PORT"
}

postfix_stop() {
	local pid
	pid=$(tr -d ' ' <"$POSTFIX/queue/pid/master.pid" 2>/dev/null) || return 0
	process_stop "$pid"
}

# postfix_set NAME=VALUE...: change main.cf and have it read again.
postfix_set() {
	local setting
	for setting; do
		postconf -c "$POSTFIX/etc" -e "$setting"
	done
	postfix -c "$POSTFIX/etc" reload >>"$W/log/postfix" 2>&1
}

# postfix_user NAME [REALM]: a user who may log in as NAME@REALM, as NAME too in
# the default realm; password: secret.
postfix_user() {
	local db=$POSTFIX/etc/sasl/sasldb2
	printf secret | saslpasswd2 -p -c -f "$db" -u "${2-mail.test.example}" "$1"
	chgrp postfix "$db"
	chmod 640 "$db"
}

# sendmail(1) of this Postfix: as a program on the host would hand in mail.
postfix_sendmail() {
	sendmail -C "$POSTFIX/etc" "$@"
}

# Its queue, one JSON object a line.
postfix_queue() {
	postqueue -c "$POSTFIX/etc" -j
}

postfix_queue_is_empty() {
	[ -z "$(find "$POSTFIX/queue/maildrop" "$POSTFIX/queue/incoming" \
		"$POSTFIX/queue/active" "$POSTFIX/queue/deferred" -type f)" ]
}

# Its log lines that match the regular expression $1.
postfix_logged() {
	grep -aE -- "$1" "$POSTFIX/maillog"
}
