#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A signature made in a milter verifies on the wire, behind Postfix as it stands
# and behind Sendmail as dkim_mail_as_sendmail() foresees it.
. "$(dirname "$0")/lib/scenario.sh"
needs root smtp-sink openssl
tool=$builddir/test/tool/dkim_tool
(umask 077 && openssl genrsa -out "$W/key" 2048) 2>/dev/null
printf 's._domainkey.test.example v=DKIM1; p=%s\n' "$(openssl pkey -in "$W/key" \
	-pubout -outform DER | base64 -w0)" >"$W/records"

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
odd bodyless "To: a@b.example\n$dates" ''
sender="Alice O. Archer <alice@test.example>"
odd quoted "To: a@b.example\n$dates"
unset sender

# sign_start ARGUMENT...: the signing milter; it is $MILTER.
sign_start() {
	MILTER=unix:$W/milter.sock
	process_stop "${sign_process-}"
	rm -f "$W/milter.sock"
	process_start sign_milter "$builddir/test/tool/sign_milter" "$MILTER" \
		test.example s "$W/key" "$W/seen" "$@"
	sign_process=$process
	wait_for 10 test -S "$W/milter.sock"
	chmod 777 "$W/milter.sock"
}

# every_mail CLAIM: each goes through and verifies.
every_mail() {
	local file name
	for file in "$W"/mail/*; do
		name=${file##*/}
		rm -f "$W"/sink/*
		send -l alice <"$file" >/dev/null
		sink_message "X-Case: $name"
		sink_original "$got" >"$W/got"
		ok "$1 verifies: $name" "$tool" verify "$W/records" <"$W/got"
	done
}

sink_start
if [ -x /usr/lib/postfix/sbin/master ]; then
	for canon in relaxed simple; do
		sign_start "$canon"
		[ -n "${POSTFIX-}" ] || {
			postfix_configure && postfix_user alice && postfix_start
		} || bail "Postfix starts"
		every_mail "Postfix, $canon"
	done
else
	skip "behind Postfix" "needs Postfix (scripts/check installs it)"
fi
if [ -x "$SENDMAIL_ROOT/usr/libexec/sendmail/sendmail" ]; then
	for canon in relaxed simple; do
		sign_start sendmail "$canon"
		[ -n "${SENDMAIL-}" ] || {
			sendmail_configure && sendmail_user alice && sendmail_start
		} || bail "Sendmail starts"
		SMTP_PORT=$SENDMAIL_PORT
		every_mail "Sendmail, $canon"
	done
else
	skip "behind Sendmail" "needs Sendmail (scripts/check unpacks it)"
fi
done_testing
