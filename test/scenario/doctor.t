#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# postern doctor names each sin of a configuration, by the real postconf(1),
# doveconf(1) and m4 of Sendmail, and its cure, as printed, cures it.
SCENARIO_TIME=${SCENARIO_TIME:-400}
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
! is_sanitized || skip_all "a sanitizer sees this code in fuzz_doctor"
needs postfix_program postconf
conf=$W/postern.conf etc=$W/etc

# Without a sin: what cures are applied to.
healthy() {
	rm -rf "$etc"
	mkdir -p "$etc"
	echo 'socket = "unix:/var/spool/postfix/postern/postern.sock"' >"$conf"
	echo "rules = {\"$srcdir/test/scenario/rules\"}" >>"$conf"
	cat >"$etc/main.cf" <<-X
	compatibility_level = 3.6
	queue_directory = /var/spool/postfix
	meta_directory = /etc/postfix
	myhostname = mail.test.example
	myorigin = test.example
	mydestination = test.example
	alias_maps = texthash:$etc/aliases
	virtual_alias_maps = texthash:$etc/virtual
	smtpd_milters = unix:postern/postern.sock
	non_smtpd_milters = unix:postern/postern.sock
	internal_mail_filter_classes = bounce
	milter_default_action = tempfail
	smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
	smtpd_discard_ehlo_keywords = silent-discard, dsn
	X
	cat >"$etc/master.cf" <<-X
	smtp       inet  n - n - - smtpd
	submission inet  n - n - - smtpd
	127.0.0.1:10025 inet n - n - - smtpd
	cleanup    unix  n - n - 0 cleanup
	X
	echo 'postmaster root' >"$etc/aliases"
	echo 'info@other.example alice@test.example' >"$etc/virtual"
	apply=(--postfix "$etc")
}

# Ask the doctor; $W/said has what it says.
examine() {
	"$POSTERN_PROGRAM" -c "$conf" doctor "${apply[@]}" >"$W/said" 2>&1
}

# What it said of check $1 (a regular expression), and was not ok: level and
# finding.
findings() {
	sed -nE "s/^(note|warning|trouble): ($1): /\1: /p" "$W/said"
}

levels() {
	findings "$1" | cut -d: -f1 | sort -u
}

# The other checks that are not ok; bounces are not signed here.
others() {
	sed -nE 's/^(note|warning|trouble): ([a-z-]+): .*/\2/p' "$W/said" |
		grep -vx "$1\|postfix-signature" | xargs
}

# The cures of check $1, as PLACE<TAB>LINE.
cures() {
	awk -v check="$1:" '
		/^[a-z]+: / {on = $2 == check; place = ""; next}
		on && /^  run:$/ {place = "run"; next}
		on && /^  in .*:$/ {place = substr($0, 6, length($0) - 6); next}
		on && /^    / {print place "\t" substr($0, 5)}' "$W/said"
}

# postconf -e would take a second to do it.
line_set() {
	sed -i "/^${1%% *} /d" "$2"
	echo "$1" >>"$2"
}

# Do what they say.
take_cures() {
	local place line
	while IFS=$'\t' read -r place line; do
		case $place in
		run) eval "$line" ;;
		postern.conf) line_set "$line" "$conf" ;;
		*/main.cf) line_set "$line" "$place" ;;
		sendmail.mc*) sed "s|/usr/share/doc/postern/examples|$srcdir/etc|" \
			<<<"$line" >>"$W/sins.mc" ;;
		*/local.conf) echo "$line" >>"$W/dovecot.conf" ;;
		*) sed -i "/^${line%% *}[[:blank:]]/d" "$place"; echo "$line" >>"$place" ;;
		esac
	done < <(cures "$1")
}

# cured NAME CHECK LEVEL: the sin is found, alone, and then cured; some cures
# take two steps.
cured() {
	examine
	is "$1: found" "$(levels "$2")" "$3"
	is "$1: and nothing else" "$(others "$2")" ""
	take_cures "$2"
	examine
	if [ -n "$(findings "$2")" ]; then
		take_cures "$2"
		examine
	fi
	is "$1: cured" "$(findings "$2"; others "$2")" ""
}

healthy
ok "a healthy Postfix is fine" "$POSTERN_PROGRAM" -c "$conf" doctor "${apply[@]}"

# level, check, sin: lines of main.cf with ; between them, or a command after !
while IFS='|' read -r level check sin; do
	[ -n "$level" ] || continue
	healthy
	case $sin in
	!*) eval "${sin#!}" ;;
	*) while IFS= read -r line; do
			line_set "$line" "$etc/main.cf"
		done <<<"${sin//; /$'\n'}" ;;
	esac
	cured "$check ($sin)" "$check" "$level"
done <<'X'
trouble|postfix-smtpd-milters|smtpd_milters =
trouble|postfix-smtpd-milters|smtpd_milters = inet:localhost:8891, unix:/run/postern/other.sock
trouble|postfix-non-smtpd-milters|non_smtpd_milters = $smtpd_milters_of_old
trouble|postfix-bounces|internal_mail_filter_classes =
trouble|postfix-bounces|internal_mail_filter_classes = notify
trouble|postfix-default-action|milter_default_action = reject
trouble|postfix-default-action|milter_default_action = shutdown
warning|postfix-default-action|milter_default_action = accept
warning|postfix-milter-protocol|milter_protocol = 2
trouble|postfix-services|!postconf -c "$etc" -P submission/inet/smtpd_milters=
trouble|postfix-services|!postconf -c "$etc" -P smtp/inet/receive_override_options=no_milters,no_address_mappings
trouble|postfix-services|!postconf -c "$etc" -P smtp/inet/receive_override_options=no_milters
trouble|postfix-services|!postconf -c "$etc" -P cleanup/unix/internal_mail_filter_classes=
trouble|postfix-no-milters|receive_override_options = no_milters
trouble|postfix-local-recipients|local_recipient_maps =
trouble|postfix-local-recipients|local_recipient_maps =; local_transport = lmtp:unix:private/lmtp
trouble|postfix-relay-recipients|relay_domains = inside.example
trouble|postfix-relay-recipients|relay_domains = inside.example; smtpd_recipient_restrictions = reject_unauth_destination, permit
trouble|postfix-virtual-mailboxes|virtual_mailbox_domains = users.example; virtual_transport = lmtp:unix:private/lmtp
trouble|postfix-virtual-mailboxes|virtual_mailbox_domains = users.example; smtpd_recipient_restrictions =
trouble|postfix-wildcards|!echo "@alias.example @test.example" >>"$etc/virtual"
trouble|postfix-wildcards|!echo "@alias.example somebody@elsewhere.example" >>"$etc/virtual"
warning|postfix-luser-relay|luser_relay = somebody@elsewhere.example
trouble|postfix-unlisted|smtpd_reject_unlisted_recipient = no
warning|postfix-reject-codes|unknown_local_recipient_reject_code = 450
warning|postfix-soft-bounce|soft_bounce = yes
trouble|postfix-mx-backup|smtpd_relay_restrictions = permit_mynetworks, permit_mx_backup, reject_unauth_destination
trouble|postfix-callouts|smtpd_sender_restrictions = reject_unverified_sender, permit_mynetworks
trouble|postfix-callouts|smtpd_recipient_restrictions = permit_mynetworks,reject_unverified_sender
trouble|postfix-callouts|!postconf -c "$etc" -P 'smtp/inet/smtpd_sender_restrictions=permit_mynetworks,reject_unverified_sender'
warning|postfix-delay-warning|delay_warning_time = 4h
note|postfix-receipts|smtpd_discard_ehlo_keywords =
X

# A socket that nobody in a chroot can reach takes two files to cure.
healthy
sed -i 's/^smtp .*/smtp inet n - y - - smtpd/' "$etc/master.cf"
sed -i 's|^socket.*|socket = "unix:/run/postern/postern.sock"|' "$conf"
line_set "smtpd_milters = unix:/run/postern/postern.sock" "$etc/main.cf"
examine
for check in postfix-socket postfix-smtpd-milters postfix-non-smtpd-milters; do
	is "$check: seen in a chroot" "$(levels $check)" trouble
done
take_cures postfix-smtpd-milters
take_cures postfix-non-smtpd-milters
take_cures postfix-socket
ok "cured by both files" "$POSTERN_PROGRAM" -c "$conf" doctor "${apply[@]}"

# The way back from a content filter has been seen before; a chroot may name the
# socket from its own root.
healthy
line_set "content_filter = smtp-amavis:[127.0.0.1]:10024" "$etc/main.cf"
line_set "smtpd_milters = unix:/postern/postern.sock" "$etc/main.cf"
postconf -c "$etc" -P 127.0.0.1:10025/inet/receive_override_options=no_milters
sed -i 's/^smtp .*/smtp inet n - y - - smtpd/' "$etc/master.cf"
examine
is "no alarm over the way back from a filter" "$(others none)" postfix-content-filter

# Programs are named, and no terminal obeys what a file says.
healthy
printf 'list "|/usr/lib/mailman/mail/mailman post \033[2Jlist"\n' >>"$etc/aliases"
examine
like "an alias to a program is named" "$(findings postfix-programs)" \
	"note: list .*mailman"
unlike "control characters are not" "$(cat "$W/said")" $'\033'
"$POSTERN_PROGRAM" -c "$conf" doctor --postfix "$W/nowhere" >/dev/null 2>&1
is "a folder that is not there is trouble" $? 2
healthy
postconf -c "$etc" -P "smtp/inet/smtpd_milters=inet:it's:1"
cured "a quote in a value" postfix-services trouble
"$POSTERN_PROGRAM" -c "$conf" doctor "${apply[@]}" --json >"$W/json"
like "the same as JSON" "$(cat "$W/json")" \
	'"level":"ok","check":"postfix-services","found":"no service'

# ---- amavis, behind the queue

healthy
mkdir -p "$W/amavis/conf.d"
apply=(--amavis "$W/amavis")
sins() {
	printf '%s\n' "$@" '1;' >"$W/amavis/conf.d/20-debian_defaults"
	echo '1;' >"$W/amavis/conf.d/50-user"
}
sins '$final_spam_destiny = D_BOUNCE;' '$final_banned_destiny = D_REJECT;  # old'
cured "amavis bounces" amavis-destiny trouble
sins '$warnbannedsender = 1;' '#$warnvirussender = 1;'
cured "amavis warns" amavis-warnings trouble

# ---- Dovecot

if command -v doveconf >/dev/null; then
	cat >"$W/doveconf" <<-X
	#!/bin/sh
	exec doveconf -c "$W/dovecot.conf" "\$@"
	X
	chmod 755 "$W/doveconf"
	while IFS='|' read -r level check sin; do
		healthy
		apply=(--postfix "$etc" --dovecot "$W/doveconf")
		printf 'ssl = no\nprotocols = lmtp\nplugin {\n sieve_extensions = -reject\n}\n' \
			>"$W/dovecot.conf"
		printf '%b\n' "$sin" >>"$W/dovecot.conf"
		cured "$check ($sin)" "$check" "$level"
	done <<-'X'
	warning|dovecot-quota|protocol lmtp {\n mail_plugins = quota\n}
	note|dovecot-reject|mail_plugins = sieve\nplugin {\n sieve_extensions = +vnd.dovecot.debug\n}
	warning|dovecot-vacation|plugin {\n sieve_vacation_min_period = 0\n}
	warning|dovecot-vacation|plugin {\n sieve_vacation_dont_check_recipient = yes\n}
	warning|dovecot-vacation|plugin {\n sieve_vacation_send_from_recipient = yes\n}
	trouble|dovecot-submission|submission_host = smarthost.example:587
	X
	printf 'require "reject";\nif true {\n reject "no";\n}\n' >"$W/before.sieve"
	printf 'require "reject";\n# reject "no";\nkeep;\n' >"$W/after.sieve"
	printf 'plugin {\n sieve_before = %s\n sieve_after = file:%s;name=x\n}\n' \
		"$W/before.sieve" "$W/after.sieve" >>"$W/dovecot.conf"
	examine
	like "a script of the server that rejects is named" \
		"$(findings dovecot-scripts)" "warning: sieve_before:.*before.sieve"
	unlike "another is not" "$(findings dovecot-scripts)" after
else
	skip "Dovecot's sins" "needs doveconf"
fi

# ---- Sendmail

if [ -x "$SENDMAIL_ROOT/usr/libexec/sendmail/sendmail" ] && command -v m4 >/dev/null; then
	cf=$SENDMAIL_ROOT/usr/share/sendmail/cf/
	good_mc=$(sed 's|unix:/run/postern/postern.sock|unix:/var/spool/postfix/postern/postern.sock|' \
		"$srcdir/etc/sendmail.mc.snippet"; cat "$srcdir/etc/sendmail-notices.mc.snippet")
	sendmail_mc() {
		{
			printf '%s\n' "divert(0)dnl" "OSTYPE(\`linux')dnl" \
				"define(\`confTO_QUEUEWARN', \`0')dnl" \
				"define(\`confPRIVACY_FLAGS', \`noreceipts')dnl"
			cat "$W/sins.mc"
			printf '%s\n' "MAILER(\`local')dnl" "MAILER(\`smtp')dnl"
		} | m4 -D_CF_DIR_="$cf" "$cf/m4/cf.m4" - >"$W/sendmail.cf" 2>"$W/log/m4"
	}
	healthy
	apply=(--sendmail "$W/sendmail.cf")
	echo "$good_mc" >"$W/sins.mc"
	sendmail_mc
	ok "a healthy Sendmail is fine" "$POSTERN_PROGRAM" -c "$conf" doctor "${apply[@]}"
	while IFS='|' read -r level check sin; do
		eval "$sin"
		sendmail_mc
		examine
		is "$check ($sin): found" "$(levels "$check")" "$level"
		take_cures "$check"
		sendmail_mc
		examine
		is "$check ($sin): cured" "$(findings "$check"; others none)" ""
	done <<-'X'
	trouble|sendmail-milter|sed 's/^INPUT_MAIL.*//' <<<"$good_mc" >"$W/sins.mc"
	trouble|sendmail-bounces|grep INPUT_MAIL <<<"$good_mc" >"$W/sins.mc"
	trouble|sendmail-bounces|grep -v DaemonPort <<<"$good_mc" >"$W/sins.mc"
	warning|sendmail-luser-relay|printf '%s\n' "$good_mc" "define(\`LUSER_RELAY', \`local:all')dnl" >"$W/sins.mc"
	note|sendmail-delay-warning|printf '%s\n' "$good_mc" "define(\`confTO_QUEUEWARN', \`4h')dnl" >"$W/sins.mc"
	note|sendmail-receipts|printf '%s\n' "$good_mc" "define(\`confPRIVACY_FLAGS', \`authwarnings')dnl" >"$W/sins.mc"
	X
	printf '%s\n' "$good_mc" "FEATURE(\`virtusertable', \`hash -o $W/virtusers')dnl" >"$W/sins.mc"
	printf 'info@here.example\tbob\n@here.example\t%%1@there.example\n' >"$W/virtusers"
	sendmail_mc
	cured "a domain sent on as a whole" sendmail-wildcards trouble
else
	skip "Sendmail's sins" "needs Sendmail"
fi
done_testing
