#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Mail of unusual form passes unharmed, and is judged like any other.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_postfix

# passes NAME SUBJECT [SEND-OPTION...]: $W/NAME is taken and arrives as it was.
passes() {
	local name=$1 subject=$2 said
	shift 2
	said=$(send -l alice "$@" <"$W/$name")
	like "$name: taken" "$said" "^250 "
	sink_message "$subject"
	ok "$name: unchanged" cmp <(sink_original "$got") "$W/$name"
	like "$name: judged" "$(verdict_of "$said")" "action=accept score="
}

mail "Gr\303\274\303\237e \377\376 raw" | sed 's/of our/\xfc\x80\xff of our/' >"$W/8bit"
passes 8bit "minutes" -o BODY=8BITMIME
{ mail "zeros"; printf 'a\0b\0\0c\n\0\n'; } >"$W/nul-bytes"
passes nul-bytes "Subject: zeros"
mail "no text" | sed '/^$/,$d' >"$W/no-body"
passes no-body "Subject: no text"
mail "empty" "" >"$W/empty-body"
passes empty-body "Subject: empty"
{ mail "long"; head -c 900 /dev/zero | tr '\0' x; echo; } >"$W/900-byte-line"
passes 900-byte-line "Subject: long"
{ mail "dots" .; printf '..\n.x\n'; } >"$W/dots"
passes dots "Subject: dots"

# Postfix itself changes the form of these.
said=$({ mail "CR"; printf 'a\rb\n'; } | send -l alice)
like "bare CR: taken" "$said" "^250 "
said=$(printf 'no header at all\n' | sed 1i\\ | send -l alice)
like "no header: taken" "$said" "^250 "
ok "no header: arrives" sink_message "no header at all"
said=$({ mail "endless"; head -c 3000000 /dev/zero | tr '\0' y; } | send -l alice)
like "a line of 3 MB: taken" "$said" "^250 "
like "a line of 3 MB: judged" "$(verdict_of "$said")" "action=accept .*size=30[0-9]{5} "
said=$(head -c 200000 /dev/urandom | send -l alice)
like "random bytes: an answer" "$said" "^(250|[45][0-9][0-9]) "
said=$({ for i in {1..3000}; do echo "X-Line-$i: $i"; done; mail "many"; } | send -l alice)
like "3000 header lines: taken" "$said" "^250 "

said=$(mail "hold me, 本日" | send -l alice -o SMTPUTF8 -f ålice@test.example -t 鮑勃@remote.example)
like "SMTPUTF8: taken" "$said" "^250 "
like "SMTPUTF8: held" "$(verdict_of "$said")" "action=hold .*from=<ålice@test.example>"
ok "SMTPUTF8: its envelope is kept" grep -rqs "鮑勃@remote.example" "$HELD"
ok "posternd lives" is_alive "$POSTERND_PID"
done_testing
