# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# bounce -- mail that comes in and the bounce about it, at the socket: see
# mclient.sh.  good.example is who it says, victim.example is forged, and
# plain.example says nothing.

cat >"$W/zone" <<X
good.example. 300 IN TXT "v=spf1 ip4:192.0.2.7 -all"
victim.example. 300 IN TXT "v=spf1 ip4:192.0.2.250 -all"
plain.example. 300 IN A 192.0.2.250
X
DNS="{\"file:$W/zone\"}"
bounce_options=('egress-addresses = {"203.0.113.1"}' 'local-domains = {"ours.example"}')

# came SENDER ID: a message with that Message-ID comes in; $came_queue begins
# its queue id.
came() {
	mail "a question" | sed "s/^From: .*/From: <$1>/; s/^Message-ID: .*/Message-ID: <$2>/" \
		>"$W/in"
	mclient_files "$W/in" -- --from "$1" --rcpt nobody@ours.example --queue-id "${came_queue-IN}" | answers
}

# bounced ADDRESS ID [OPTION...]: Postfix's bounce about it; what it is answered.
bounced() {
	local to=$1 id=$2
	shift 2
	cat >"$W/out" <<-X
	From: MAILER-DAEMON@mail.test.example (Mail Delivery System)
	To: $to
	Subject: Undelivered Mail Returned to Sender
	Auto-Submitted: auto-replied
	MIME-Version: 1.0
	Content-Type: multipart/report; report-type=delivery-status; boundary="b"
	Message-Id: <$RANDOM.$RANDOM@mail.test.example>

	--b
	Content-Type: text/plain

	I'm sorry to have to inform you that your message could not be delivered.

	--b
	Content-Type: message/delivery-status

	Reporting-MTA: dns; mail.test.example

	Final-Recipient: rfc822; nobody@ours.example
	Action: failed
	Status: 5.1.1

	--b
	Content-Type: text/rfc822-headers

	Return-Path: <$to>
	Message-ID: <$id>
	Subject: a question

	--b--
	X
	mclient_files "$W/out" -- --client 127.0.0.1:0 --from '' --rcpt "$to" \
		--queue-id OUT "$@" | answers
}
