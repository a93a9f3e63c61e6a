# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# responders -- a mail server as it should not be: it takes mail for anybody, and
# then Postfix, Dovecot, its Sieve scripts, a list manager and a web script
# answer whoever the sender claims to be.  One address for each kind of notice.
#
#   vacation@users.example  Sieve vacation                  sendmail(1), null sender
#   reject@users.example    Sieve reject                    sendmail(1), null sender
#   full@users.example      over quota at RCPT of LMTP      bounce(8)
#   brimful@users.example   over quota after DATA of LMTP   bounce(8)
#   ghost@users.example     no such user of LMTP            bounce(8)
#   full@lda.example        over quota in dovecot-lda(1)    sendmail(1), null sender
#   ghost@local.example     no such user of local(8)        bounce(8)
#   gone@users.example      forwarded, but refused there    bounce(8)
#   slow@users.example      forwarded, but waits there      bounce(8), a delay warning
#   alice@users.example     an ordinary mailbox; with the option NOTIFY=SUCCESS of
#                           RCPT a receipt of bounce(8), else silence
#   list@local.example      Mailman 2 holds a message       SMTP, list-bounces@
#   ticket@local.example    PHP acknowledges a message      sendmail -t -i, www-data

# A sink that answers RCPT with 5xx or 4xx; its port is in $port.
sink_unwilling() {
	port_free
	process_start "sink$1" smtp-sink -u postfix "$1" rcpt "127.0.0.1:$port" 64
	wait_for 10 port_is_open "$port"
}

# What Postfix needs beyond postfix_configure().
responders_postfix() {
	local etc=$POSTFIX/etc refuses slow
	sink_unwilling -f; refuses=$port
	sink_unwilling -r; slow=$port
	mkdir -p "$W/responder"
	cp "$library"/responder/* "$W/responder/"
	cat >"$etc/transport" <<-X
	users.example lmtp:unix:$DOVECOT_LMTP
	lda.example lda
	refuses.example smtp:[127.0.0.1]:$refuses
	slow.example smtp:[127.0.0.1]:$slow
	X
	cat >"$etc/virtual" <<-X
	gone@users.example gone@refuses.example
	slow@users.example slow@slow.example
	X
	# As newaliases(1) would have it; local(8) runs them as default_privs.
	cat >"$etc/aliases" <<-X
	list "|$W/responder/mailman-hold list local.example $SMTP_PORT"
	ticket "|$W/responder/php-ticket"
	X
	sed -i '/^mydestination =/d; /^alias_maps =/d' "$etc/main.cf"
	cat >>"$etc/main.cf" <<-X
	mydestination = local.example
	mailbox_size_limit = 0
	mail_spool_directory = $POSTFIX/data
	alias_maps = texthash:$etc/aliases
	default_privs = www-data
	virtual_mailbox_domains = users.example lda.example
	virtual_alias_maps = texthash:$etc/virtual
	transport_maps = texthash:$etc/transport
	lda_destination_recipient_limit = 1
	delay_warning_time = 1s
	X
	cat >>"$etc/master.cf" <<-X
	local    unix  - n n - - local
	lmtp     unix  - - n - - lmtp
	lda      unix  - n n - - pipe
	    flags=DRhu user=$DOVECOT_MAIL_USER argv=$DOVECOT_LIBEXEC/dovecot-lda
	    -c $DOVECOT/dovecot.conf -f \${sender} -d \${recipient}
	X
}

# Users of Dovecot, and what each of them has set.
responders_users() {
	dovecot_user alice@users.example </dev/null
	dovecot_user vacation@users.example <<-X
	require ["vacation"];
	vacation :days 1 :subject "Out of the office"
	    "I am away until Monday and shall read your message then.";
	X
	dovecot_user reject@users.example <<-X
	require ["reject"];
	reject "I do not take mail from strangers.";
	X
	dovecot_user full@users.example "userdb_quota_rule=*:bytes=1" </dev/null
	question somebody@elsewhere.example full@users.example |
		dovecot_put full@users.example
	dovecot_user full@lda.example "userdb_quota_rule=*:bytes=1" </dev/null
	dovecot_user brimful@users.example "userdb_quota_rule=*:bytes=400" \
		</dev/null
}

# Any user may hand in mail: a postdrop(1) that is not setgid, so that it takes
# the configuration folder it is told, and a maildrop open to all, as Postfix
# had it once.  /etc/postfix need not name the private folder then.
postfix_open_maildrop() {
	local bin=$POSTFIX/sbin program
	mkdir -p "$bin"
	for program in /usr/sbin/post*; do
		ln -sf "$program" "$bin/"
	done
	rm "$bin/postdrop"
	cp /usr/sbin/postdrop "$bin/postdrop"
	chmod 755 "$bin/postdrop"
	sed -i "s|^command_directory = .*|command_directory = $bin|" \
		"$POSTFIX/etc/main.cf"
}

# After postfix_start, which made the queue.
postfix_open_queue() {
	chmod 1733 "$POSTFIX/queue/maildrop"
	chmod 711 "$POSTFIX/queue/public"
}

# The mail server of above with posternd before the world.  The arguments are
# lines of postern.conf.
gate_with_responders() {
	needs postfix dovecot python3
	sink_start && posternd_configure "$@" && postfix_configure &&
		postfix_open_maildrop && dovecot_configure &&
		responders_postfix && responders_users && postfix_user alice &&
		posternd_start && dovecot_start && postfix_start &&
		postfix_open_queue ||
		bail "Postfix, Dovecot, posternd and a sink start"
}

# A message on standard output from SENDER, as its From says, to ADDRESS:
# question SENDER ADDRESS [SUBJECT]
question() {
	mail "${3-a question}" | sed "s/^From: .*/From: Victim <$1>/
		s/^To: .*/To: <$2>/"
}

# provoke [OPTION...] SENDER ADDRESS: that message comes from the world; options
# are those of send(), whose last reply is printed.
provoke() {
	local options=("${@:1:$#-2}")
	shift $(($# - 2))
	question "$1" "$2" | send -c 198.51.100.9 -f "$1" -t "$2" "${options[@]}"
}

# notice_logged ADDRESS [SECONDS]: wait for posternd's log line of a message to
# ADDRESS, by the queue id that Postfix logs when it delivers, discards or holds
# it; it is printed.
notice_logged() {
	wait_for "${2:-10}" postfix_logged "[ ;]to=<$1>" || return 1
	logged "(^| )$(postfix_logged "[ ;]to=<$1>" | head -n 1 |
		sed -E 's/.*\]: ([0-9A-Za-z]+): .*/\1/'): "
}
