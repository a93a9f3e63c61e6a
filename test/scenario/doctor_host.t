#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# postern doctor on a host where all is well says so and ends with 0; each thing
# that is broken gives its own finding, no other, and ends with 1.
SCENARIO_TIME=${SCENARIO_TIME:-400}
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
. "$(dirname "$0")/lib/dns.sh"
. "$(dirname "$0")/lib/dkim.sh"
! is_sanitized || skip_all "a sanitizer sees this code in fuzz_doctor"
needs root postfix_program postconf nsd openssl
etc=$W/etc

# ---- a host where all is well

zone_good() {
	cat >"$W/dns/test.example.zone" <<-X
	@ TXT "v=spf1 ip4:9.9.9.25 -all"
	@ MX 10 mail
	mail A 9.9.9.25
	$(dkim_record rsa2026)
	X
	echo '@ A 192.0.2.9' >"$W/dns/example.zone"
	echo '25 PTR mail.test.example.' >"$W/dns/9.9.9.in-addr.arpa.zone"
}

postfix_good() {
	mkdir -p "$etc"
	cat >"$etc/main.cf" <<-X
	compatibility_level = 3.6
	queue_directory = $POSTERN
	meta_directory = /etc/postfix
	myhostname = mail.test.example
	myorigin = test.example
	mydestination = test.example
	alias_maps =
	local_recipient_maps = inline:{ { postmaster = x } }
	inet_protocols = ipv4
	smtp_bind_address = 9.9.9.25
	smtpd_milters = unix:milter.sock
	non_smtpd_milters = unix:milter.sock
	internal_mail_filter_classes = bounce
	milter_default_action = tempfail
	smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
	smtpd_discard_ehlo_keywords = silent-discard, dsn
	X
	cat >"$etc/master.cf" <<-X
	smtp       inet  n - n - - smtpd
	cleanup    unix  n - n - 0 cleanup
	smtp       unix  n - n - - smtp
	X
}

conf_good() {
	rm -f "${CONF-}"
	posternd_configure "egress-addresses = {\"9.9.9.25\"}" \
		"dkim-key-table = \"$W/dkim/KeyTable\"" \
		"dkim-signing-table = \"refile:$W/dkim/SigningTable\"" \
		"spool-dir = \"$W/spool\"" "notice-gate = yes" 'class submission { hold = 6 }'
	conf_is_old
}

# What was written is older than what posternd has.
conf_is_old() {
	find "$CONF" "$POSTERN/rules" -exec touch -d '1 day ago' {} +
}

# conf LINE...: as if it had always been there.
conf() {
	printf '%s\n' "$@" >>"$CONF"
	conf_is_old
}

again() {
	[ -z "${POSTERND_PID-}" ] || posternd_stop
	posternd_start && wait_for 20 [ -s "$POSTERN/state/ledger/memory.mdb" ] &&
		wait_for 20 "$POSTERN_PROGRAM" -c "$CONF" status || bail "posternd starts"
	conf_is_old
}

# ---- asking

apply=(--postfix "$etc")
examine() {
	"$POSTERN_PROGRAM" -c "$CONF" doctor --posternd "${apply[@]}" >"$W/doctor" 2>&1
}

# The checks that found something; the clock of a test host is as it is.
found() {
	sed -nE '/^note: clock:/d; s/^(note|warning|trouble): ([a-z-]+): .*/\2/p' \
		"$W/doctor" | sort -u | xargs
}

# Checks that could look at nothing.
skipped() {
	sed -nE 's/^skipped: ([a-z-]+): not checked: .*/\1/p' "$W/doctor" | sort -u | xargs
}

# Each finding says what, why, and the line that cures it.
is_whole() {
	awk '/^(warning|trouble): / {n++; if ((getline why) <= 0 || why !~ /^  [A-Za-z].*[.]$/) bad = 1
		if ((getline cure) <= 0 || cure !~ /^  (run|in .*):$/) bad = 1
		if ((getline line) <= 0 || line !~ /^    ./) bad = 1}
		END {exit !n || bad}' "$W/doctor"
}

# broken CLAIM CHECK
broken() {
	local code
	examine
	code=$?
	is "$1: $2, and nothing else" "$(found) $code" "$2 1"
	ok "$1: with reason and cure" is_whole
}

mkdir -p "$W/dns" "$W/spool"
chown "$POSTERND_USER" "$W/spool"
chmod 700 "$W/spool"
dkim_keys_make test.example rsa2026 || bail "keys are made"
zone_good
dns_start || bail "nsd starts"
DNS="{\"$DNS\"}"
conf_good
postfix_good
again
mail good >"$W/good"
mail "hold me" >"$W/hold"
for mta in postfix sendmail; do
	mclient_files "$W/good" "$W/hold" -- --like $mta --login alice --repeat 2 >/dev/null
done
examine
is "a good Postfix has no finding" "$(found) $?" " 0"
examine
is "and the exit status is 0" $? 0
is "each check was made" "$(grep -cE '^(ok|note): ' "$W/doctor")" \
	"$(grep -cE '^[a-z]+: ' "$W/doctor")"
"$POSTERN_PROGRAM" -c "$CONF" doctor --posternd "${apply[@]}" --json >"$W/json"
ok "JSON says the same" python3 -c 'import json, sys
f = json.load(open(sys.argv[1]))["findings"]
sys.exit(any(x["level"] in ("warning", "trouble") for x in f) or len(f) < 40)' "$W/json"

# ---- broken: claim, check, how it is broken, how it is mended

socket=$POSTERN/milter.sock
main=$etc/main.cf
while IFS='|' read -r claim check break mend; do
	[ -n "$claim" ] || continue
	eval "$break"
	broken "$claim" "$check"
	eval "$mend"
done <<'X'
an option that is not one|config|conf 'no-such-option = 1'|conf_good
a rule that is not one|config|echo 'body X /(/' >"$POSTERN/rules/x.cf"|rm "$POSTERN/rules/x.cf"; conf_is_old
a key file that others read|config|chmod 644 "$W/dkim/rsa2026.pem"|chmod 600 "$W/dkim/rsa2026.pem"
thresholds in reverse|config|conf 'class relay { tag = 9 }'|conf_good
configuration that was not read|posternd-reload|touch -d '1 hour' "$CONF"|conf_is_old
rules that were not read|posternd-reload|touch -d '1 hour' "$POSTERN/rules/test.cf"|conf_is_old
a socket that Postfix may not write|posternd-socket postfix-socket|chmod 600 "$socket"|chmod 660 "$socket"
a socket that nobody may write|posternd-socket postfix-socket|chmod 000 "$socket"|chmod 660 "$socket"
a socket of another group|posternd-socket postfix-socket|chgrp root "$socket"|chgrp postfix "$socket"
a folder that is closed to Postfix|posternd-socket postfix-socket|mkdir "$POSTERN/in"; chmod 700 "$POSTERN/in"; ln "$socket" "$POSTERN/in/s"; conf "socket = \"unix:$POSTERN/in/s\""; sed -i 's,unix:milter.sock,unix:in/s,' "$main"|rm -r "$POSTERN/in"; conf_good; postfix_good
a socket that everybody may write|posternd-others|chmod 666 "$socket"|chmod 660 "$socket"
a control socket that everybody may use|posternd-others|chmod 666 "$POSTERN/control.sock"|chmod 600 "$POSTERN/control.sock"
a port for the world|posternd-others|conf 'socket = "inet:8899@0.0.0.0"'; sed -i 's,unix:milter.sock,inet:127.0.0.1:8899,' "$main"|conf_good; postfix_good
configuration of somebody else|config-file|chown daemon "$CONF"|chown root "$CONF"
configuration that a group writes|config-file|chmod g+w "$CONF"|chmod g-w "$CONF"
state that others read|state|chmod 755 "$POSTERN/state"|chmod 700 "$POSTERN/state"
a key that others read|state|chmod 644 "$POSTERN/state/release.key"|chmod 600 "$POSTERN/state/release.key"
a quarantine of root|state|chown root "$HELD"|chown "$POSTERND_USER" "$HELD"
a quarantine that was moved|quarantine|mv "$HELD" "$HELD.away"|mv "$HELD.away" "$HELD"
a quarantine that is a link|quarantine|mv "$HELD" "$HELD.away"; ln -s "$HELD.away" "$HELD"|rm "$HELD"; mv "$HELD.away" "$HELD"
held mail that nobody purges|quarantine-age|touch -d '60 days ago' "$HELD"/new/*|touch "$HELD"/new/*
files from the future|clock|touch -d '2 days' "$POSTERN/state/release.key"|touch "$POSTERN/state/release.key"
a Postfix of long ago|mta-version|echo 'mail_version = 2.3.8' >>"$main"|postfix_good
a resolver that cannot be made|dns|conf 'dns-hosts = "/nowhere"'|conf_good
name servers that do not answer|dns|conf 'dns = {"127.0.0.1@9"}' 'dns-query-time = 100ms' 'dns-time = 200ms'|conf_good
mail that leaves from elsewhere|egress|sed -i 's/9.9.9.25/9.9.9.77/' "$main"|postfix_good
a service that leaves from elsewhere|egress|postconf -c "$etc" -P smtp/unix/smtp_bind_address=9.9.9.77|postfix_good
a smart host that nobody named|egress|conf 'egress-addresses = {"auto"}'; echo 'relayhost = [smart.test.example]' >>"$main"|conf_good; postfix_good
X

# found by what a name server says; answers are kept by nobody here
zone_broken() {
	zone_good
	eval "$1"
	dns_stop
	dns_start
	sed -i "s/^dns = .*/dns = {\"$DNS\"}/" "$CONF"
	conf_is_old
}
while IFS='|' read -r claim check break; do
	[ -n "$claim" ] || continue
	zone_broken "$break"
	broken "$claim" "$check"
done <<'X'
a name server that makes names up|dns-honest|echo '* A 192.0.2.99' >>"$W/dns/example.zone"
an address without a name|egress-names|sed -i s/^25/26/ "$W/dns/9.9.9.in-addr.arpa.zone"
a name that leads elsewhere|egress-names|sed -i 's/9.9.9.25$/9.9.9.26/' "$W/dns/test.example.zone"
a key that is not published|keys|sed -i /_domainkey/d "$W/dns/test.example.zone"
a key that is revoked|keys|sed -i 's/.*_domainkey.*/rsa2026._domainkey TXT "v=DKIM1; p="/' "$W/dns/test.example.zone"
a key that is another one|keys|sed -i 's/p=MII...../p=MIIBIjANBgkq/' "$W/dns/test.example.zone"
X
zone_broken :

# what posternd says of itself, changed on the way
cat >"$W/says.py" <<'X'
import json, os, socket, sys
path, real, change = sys.argv[1:]
if os.path.exists(path):
    os.unlink(path)
server = socket.socket(socket.AF_UNIX)
server.bind(path)
os.chmod(path, 0o600)
server.listen(8)
while True:
    client, _ = server.accept()
    question = client.recv(256)
    upstream = socket.socket(socket.AF_UNIX)
    upstream.connect(real)
    upstream.sendall(question)
    text = b""
    while True:
        piece = upstream.recv(65536)
        if not piece:
            break
        text += piece
    lines = text.split(b"\n")
    o = json.loads(lines[0])
    exec(change)
    client.sendall(json.dumps(o).encode() + b"\n" + b"\n".join(lines[1:]))
    client.close()
    upstream.close()
X
while IFS='|' read -r claim check change; do
	[ -n "$claim" ] || continue
	conf_good
	conf "control-socket = \"$W/says.sock\""
	process_start says python3 "$W/says.py" "$W/says.sock" "$POSTERN/control.sock" "$change"
	says=$process
	wait_for 10 socket_is_open "$W/says.sock"
	broken "$claim" "$check"
	process_stop "$says"
done <<'X'
another version that runs|posternd-version|o["version"] = "0.0.9"
questions that are not answered|dns-failures|o["dns"].update(asked=1000, timeouts=150)
a quarantine that is nearly full|quarantine-size|o["quarantine"].update(held_bytes=9 * o["quarantine"]["max_bytes"] // 10)
no ledger|posternd-ledger|o["ledger"]["bytes"] = 0
X
conf_good

# room
if mount -t tmpfs -o size=20m tmpfs "$W/spool" 2>/dev/null; then
	at_exit "umount $W/spool"
	broken "a disk that is full" disk
	mount -o remount,ro,size=9g "$W/spool"
	broken "a disk that is read-only" disk
	umount "$W/spool"
else
	skip "a disk that is full" "cannot mount"
	skip "a disk that is read-only" "cannot mount"
fi

# what ends with a restart
for macro in i j '{daemon_name}' v; do
	mclient --login alice --macro "$macro=" >/dev/null
	broken "macro $macro that does not come" posternd-macros
	again
	mclient --login alice >/dev/null
done
rm "$socket"
broken "a socket that is gone" posternd-socket
again
posternd_stop
broken "no posternd" posternd
is "and what it would have said was not checked" "$(skipped)" \
	"dns-failures posternd-ledger posternd-macros posternd-others posternd-reload posternd-socket posternd-version postfix-socket quarantine quarantine-size"

# nothing to look at: no DNS, no keys, no mail
conf_good
sed -i '/^dkim-/d; s/^dns = .*/dns = off/' "$CONF"
again
examine
is "without DNS, keys and mail nothing is fine" "$(found): $(skipped)" \
	"dns postfix-signature: dns-failures dns-honest egress egress-names keys posternd-macros"
conf_good
again

# no MTA is named: the one that is installed
if [ -e /etc/postfix/main.cf ]; then
	named=("${apply[@]}") apply=()
	chmod 600 "$socket"
	broken "a socket that the installed Postfix may not write" posternd-socket
	chmod 660 "$socket"
	apply=("${named[@]}")
else
	skip "the installed Postfix" "needs its main.cf"
fi
examine
is "and all is well again" "$? $(found)" "0 "

# ---- Sendmail

if [ -x "$SENDMAIL_ROOT/usr/libexec/sendmail/sendmail" ] && command -v m4 >/dev/null; then
	cf=$SENDMAIL_ROOT/usr/share/sendmail/cf/
	conf 'helo-name = "mail.test.example"'
	# sendmail_mc LINE...
	sendmail_mc() {
		printf '%s\n' "divert(0)dnl" "OSTYPE(\`linux')dnl" \
			"define(\`confTO_QUEUEWARN', \`0')dnl" \
			"define(\`confPRIVACY_FLAGS', \`noreceipts')dnl" "$@" \
			"$(sed "s|unix:/run/postern/postern.sock|unix:$socket|" \
				"$srcdir/etc/sendmail.mc.snippet")" \
			"$(cat "$srcdir/etc/sendmail-notices.mc.snippet")" \
			"MAILER(\`local')dnl" "MAILER(\`smtp')dnl" |
			m4 -D_CF_DIR_="$cf" "$cf/m4/cf.m4" - >"$W/sendmail.cf" 2>"$W/log/m4"
	}
	apply=(--sendmail "$W/sendmail.cf")
	sendmail_mc
	examine
	is "a good Sendmail has no finding" "$? $(found)" "0 "
	sendmail_mc "define(\`confRUN_AS_USER', \`daemon:daemon')dnl"
	broken "a Sendmail that may not write the socket" posternd-socket
else
	skip "a good Sendmail" "needs Sendmail"
fi
done_testing
