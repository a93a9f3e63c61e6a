#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# postern scan: what counts as one message, what it would be done to, and exit
# codes.
. "$(dirname "$0")/lib/scenario.sh"
posternd_configure 'class submission { reject = 10 } class local { reject = 10 }' \
	'trusted-networks = {"192.0.2.0/24"}' 'class relay { networks = {"198.51.100.7"} }'
mkdir -p "$W/dir/cur" "$W/dir/tmp"

# Two with \n, one with \r\n; "From " in a body begins none.
{ echo "From a Mon Jan  1 00:00:00 2024"; mail good; echo
	echo "From b Mon Jan  1 00:00:00 2024"; mail "hold me"
	echo "From here it goes on"; echo; echo "From now on, at last"; echo
	printf 'From c Mon Jan  1 00:00:00 2024\r\nSubject: tag me\r\n\r\ntext\r\n\r\n'
} >"$W/dir/cur/mbox"
mail "half written" >"$W/dir/tmp/1"
said=$(postern scan "$W/dir")
is "a message over the hold threshold: exit 1" $? 1
is "an mbox in a directory, without tmp" \
	"$(sed -E 's/.*mbox:([0-9]+): ([a-z]+) .*/\1 \2/' <<<"$said" | xargs)" \
	"1 accept 2 hold 3 tag"

cat >"$W/mbox.cf" <<'END'
body MBOX_LINE eval:check_msg_parse_flags('mbox_sep')
header TWO_LINES ALL =~ /^From b/
END
{ echo "From a Mon Jan  1 00:00:00 2024"; mail good; echo
	echo "From a Mon Jan  1 00:00:00 2024"
	echo "From b Mon Jan  1 00:00:00 2024"; mail twice; } >"$W/mbox"
is "rules may ask whether a message was in an mbox, by the one line before it" \
	"$(postern scan --offline --rules "$W/mbox.cf" "$W/mbox" "$W/dir/tmp/1" |
		sed 's,^[^ ]*/,,' | grep -oE '^[^ ]+: |[A-Z_]{5,}' | xargs)" \
	"mbox:1: MBOX_LINE mbox:2: MBOX_LINE TWO_LINES 1:"

{ echo "From a Mon Jan  1 00:00:00 2024"; mail one; } >"$W/one"
is "what begins like an mbox and has one message is a file" \
	"$(postern scan --offline --rules "$W/mbox.cf" "$W/one" |
		sed 's,^[^ ]*/,,' | grep -oE '^[^ ]+: |[A-Z_]{5,}' | xargs)" \
	"one: MBOX_LINE"

for ((i = 0; i < 20000; i++)); do
	printf 'From a Mon Jan  1 00:00:00 2024\nSubject: many\n\n%0500d\n\n' $i
done >"$W/many"
SECONDS=0
is "20,000 messages of an mbox are read" \
	"$(postern scan "$W/many" | tail -n 1 | grep -o 'many:[0-9]*')" many:20000
ok "in a time that grows with their number only" [ $SECONDS -lt 30 ]

mail "reject me" >"$W/reject"
is "a client can be refused" "$(postern scan "$W/reject" | grep -o ' reject ')" \
	" reject "
is "a program of this host cannot" \
	"$(postern scan --class local "$W/reject" | grep -o ' hold ')" " hold "
printf 'Subject: =?utf-8?q?caf=C3=A9?=\nTo: a@b.example, c@d.example\n\ntext\n' >"$W/odd"
is "a selector shows what a header rule sees, a byte a character" \
	"$(postern scan --head Subject --head To:addr --head To:no "$W/odd" |
		grep -o '"head":.*')" \
	'"head":{"Subject":["caf\u00C3\u00A9\n"],"To:addr":["a@b.example","c@d.example"],"To:no":null}}'
# asks OPTION VALUE: no answer, but what to write.
asks() {
	postern scan "--$1" "$2" "$W/reject" 2>&1
	echo "exit $?"
}
is "a client that is no address" "$(asks client bogus)" \
	"postern: --client bogus: write an address like 192.0.2.7 or 2001:db8::7
exit 2"
for bad in 'client=192.0.2.07' 'client=' 'class=outgoing' 'from=a b' 'from=' \
	'rcpt=<>' 'login=' 'helo=' 'jobs=0' 'jobs=many' 'prefilter=maybe' $'from=a\n@b'; do
	is "--$bad is refused" "$(asks "${bad%%=*}" "${bad#*=}" | grep -oE 'write|exit.*' | xargs)" \
		"write exit 2"
done
is "brackets around an address are none of it" \
	"$(postern scan --from '<a@b.example>' --rcpt '<c@d.example>' --head EnvelopeFrom \
		--head X-Postern-Rcpt "$W/odd" | grep -o '"head":.*')" \
	'"head":{"EnvelopeFrom":["a@b.example"],"X-Postern-Rcpt":["c@d.example\n"]}}'
echo 'header OURS eval:check_all_trusted()' >"$W/trust.cf"
for client in 192.0.2.7=1 198.51.100.7=1 198.51.100.8=0; do
	is "our servers are trusted by rules: ${client%=*}" \
		"$(postern scan --class relay --rules "$W/trust.cf" --client "${client%=*}" "$W/odd" |
			grep -c OURS)" "${client#*=}"
done
postern scan "$W/reject" "$W/none" >/dev/null 2>"$W/errors"
is "a file that is not there: exit 2" $? 2
mkfifo "$W/pipe"
like "a pipe has no empty message in it, and is not waited for" \
	"$(timeout 60 "$POSTERN_PROGRAM" -c "$CONF" scan "$W/pipe" 2>&1; echo "exit $?")" \
	"pipe: it is no file: write - .*exit 2"
like "nor has the output of a command" "$(postern scan <(cat "$W/reject") 2>&1)" "it is no file: write -"
done_testing
