#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# posternd's signatures verify on the wire, behind Postfix and behind Sendmail,
# whatever the mail looks like: byte for byte what left is what was signed.
SCENARIO_TIME=${SCENARIO_TIME:-300}
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/dkim.sh"
. "$(dirname "$0")/lib/mclient.sh"
! is_sanitized || skip_all "the sanitizers see this in receiver and fuzz_dkim_verify"
needs root smtp-sink openssl
tool=$builddir/test/tool/dkim_tool
dkim_keys_make test.example rsa2026 ed2026 || bail "keys are made"
for selector in rsa2026 ed2026; do
	dkim_record $selector | sed 's/" "//g; s/^\([^ ]*\) TXT "\(.*\)"$/\1.test.example \2/'
done >"$W/records"
sed 's/ \(.*\)/. 300 IN TXT "\1"/; s/\([^"]\{200\}\)/&" "/g' "$W/records" >"$W/zone"
DNS="{\"file:$W/zone\"}"

# odd NAME HEADER [BODY]: one mail of $W/mail; printf's escapes.
mkdir "$W/mail"
odd() {
	printf "From: ${sender-Alice <alice@test.example>}\n$2\nX-Case: $1\n\n${3-Hello.\n}" \
		>"$W/mail/$1"
}
dates='Date: Thu, 05 Mar 2026 10:11:12 +0000\nMessage-ID: <1@test.example>'
odd plain "To: bob@remote.example\nSubject: hello\n$dates"
odd commas "To: a@b.example,c@d.example , e@f.example\n$dates"
odd names "To: \"Smith, Bob\" <b@b.example>,Bob O'Neil <o@b.example>\nCc: Dr. X. Y <x@b.example>,\n\tz@b.example <z@b.example>\n$dates"
odd folds "To: a@b.example,\n b@b.example,\n\n c@b.example\nSubject: a\n \tb\n   c\n$dates"
odd many "To: $(printf 'user%s@long.example,' {1..30})last@long.example\n$dates"
odd comments "To: a@b.example (one) ,(two) b@b.example, C (three) <c@b.example>\n$dates"
odd broken "To: local, Bob, Baker <b@b.example>;\nReply-To: <x@y.example\nCc: \"unbalanced <a@b.example>\n$dates"
odd group "To: undisclosed-recipients:;\nReply-To: friends: a@b.example, c@d.example;\n$dates"
odd bcc "To: a@b.example\nBcc: hidden@b.example\n$dates"
odd undated "To: a@b.example\nSubject: no Date, no Message-ID"
odd empty "To:\nCc: \nSubject:\n$dates"
odd eightbit "To: B\xc3\xb6b <b@b.example>\nSubject: \xd0\xbf\xd1\x80\n$dates" 'B\xc3\xb6b  \n\t x \n\n\n'
odd resent "To: a@b.example\nResent-To: c@d.example,e@f.example\nResent-From: x@y.example\n$dates"
odd list "To: a@b.example\nList-Unsubscribe: <https://x.example/>,<mailto:u@x.example>\nX-Addresses: a@b.example,c@d.example\n$dates"
odd mime "To: a@b.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed;boundary=\"x;y\"\n$dates" '--x;y\n\nHello.\n--x;y--\n'
odd dots "To: a@b.example\n$dates" '.\n..\nFrom me\n\n>From you\n\n \n'
long=$(head -c 900 /dev/zero | tr '\0' x)
odd longline "To: a@b.example\nX-Long: $long\n$dates" "$long\n"
odd nofinal "To: a@b.example\n$dates" 'no line end'
odd bodyless "To: a@b.example\n$dates" ''
sender="Alice O. Archer <alice@test.example>"
odd quoted "To: a@b.example\n$dates"
unset sender

# gate CANONICALIZATION: posternd signs like that.
gate() {
	if [ -n "${POSTERND_PID-}" ]; then
		sed -i "s|^dkim-canonicalization = .*|dkim-canonicalization = $1|" "$CONF"
		postern reload >"$W/said" || bail "posternd takes $1"
		return
	fi
	posternd_configure 'egress-addresses = {"192.0.2.1"}' \
		'class submission { hold = off }' \
		"dkim-key-table = \"$W/dkim/KeyTable\"" \
		"dkim-signing-table = \"refile:$W/dkim/SigningTable\"" \
		"dkim-canonicalization = $1"
	posternd_start || bail "posternd starts"
}

# arrived CLAIM FILE: both signatures verify as the mail arrived.
arrived() {
	"$tool" verify "$W/records" <"$2" >"$W/said" 2>&1
	is "$1" "$? $(grep -c pass "$W/said")" "0 2"
}

# every_mail CLAIM: each goes through, and verifies.
every_mail() {
	local file name options
	rm -f "$W"/sink/*
	for file in "$W"/mail/*; do
		options=()
		[ "${file##*/}" != eightbit ] || options=(-o BODY=8BITMIME)
		send -l alice "${options[@]}" <"$file" >>"$W/heard"
	done
	for file in "$W"/mail/*; do
		name=${file##*/}
		sink_message "X-Case: $name"
		sink_original "$got" >"$W/got"
		arrived "$1 verifies: $name" "$W/got"
	done
}

# Mail with addresses beyond ASCII (RFC 6531) goes to a program: the sink does
# not take it.
utf8_mail() {
	printf 'catch unix - n n - - pipe user=nobody argv=/usr/bin/tee %s\n' \
		"$W/piped/mail" >>"$POSTFIX/etc/master.cf"
	mkdir "$W/piped" && chown nobody "$W/piped"
	postfix_set 'transport_maps=inline:{ utf8.example=catch: }'
	printf 'From: J\xc3\xb6rg <j\xc3\xb6rg@test.example>\nTo: \xd0\xbf@utf8.example\nSubject: \xd0\xbf\n%b\n\n\xd0\xbf\n' \
		"$dates" | send -l alice -o SMTPUTF8 -f "$(printf 'j\xc3\xb6rg')@test.example" \
		-t "$(printf '\xd0\xbf')@utf8.example" >"$W/heard"
	wait_for 10 test -s "$W/piped/mail"
	sink_original "$W/piped/mail" >"$W/got"
	arrived "Postfix, SMTPUTF8" "$W/got"
}

# behind NAME PORT: mail through the MTA that listens there.
behind() {
	local canon
	SMTP_PORT=$2
	for canon in relaxed/relaxed simple/simple; do
		gate "$canon"
		every_mail "$1, $canon"
	done
}

sink_start && gate relaxed/relaxed
if [ -x /usr/lib/postfix/sbin/master ]; then
	postfix_configure && postfix_user alice && postfix_start || bail "Postfix starts"
	behind Postfix "$SMTP_PORT"
	dkim_verified "and dkimpy agrees" "$W/got" 2 "$W/records"
	utf8_mail
else
	skip "behind Postfix" "needs Postfix (scripts/check installs it)"
fi
if [ -x "$SENDMAIL_ROOT/usr/libexec/sendmail/sendmail" ]; then
	sendmail_configure && sendmail_user alice && sendmail_start || bail "Sendmail starts"
	behind Sendmail "$SENDMAIL_PORT"
	dkim_verified "and dkimpy agrees" "$W/got" 2 "$W/records"
else
	skip "behind Sendmail" "needs Sendmail (scripts/check unpacks it)"
fi
done_testing
