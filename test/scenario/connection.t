#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# One connection, many messages: each is judged for itself.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_postfix 'class submission { hold = 6 reject = 10 }'
mail "good one" >"$W/1"
mail "reject me" >"$W/2"
mail "hold me" >"$W/3"
mail "good two" >"$W/4"
envelope='MAIL FROM:<alice@test.example>
RCPT TO:<bob@remote.example>'

mapfile -t said < <(smtp "$SMTP_PORT" <<-X
	EHLO client.example
	$(smtp_auth alice)
	$envelope
	DATA
	@$W/1
	$envelope
	DATA
	@$W/2
	$envelope
	DATA
	@$W/3
	MAIL FROM:<gone@test.example>
	RCPT TO:<bob@remote.example>
	RSET
	$envelope
	RCPT TO:<eve@remote.example>
	DATA
	@$W/4
	QUIT
	X
)
like "the first is taken" "${said[6]}" "^250 2.0.0"
like "the second is refused" "${said[10]}" "^550 5.7.1"
like "the third is held" "${said[14]}" "^250 2.0.0"
like "the fourth, after one given up, is taken" "${said[22]}" "^250 2.0.0"
like "with its own recipients only" "$(verdict_of "${said[22]}")" \
	"action=accept .*from=<alice@test.example> nrcpt=2 "
is "one is in the quarantine" "$(held_count)" 1
ok "both good ones arrive" wait_for 5 eval '[ "$(sink_count)" = 2 ]'

# The client hangs up in the middle of a message.
smtp "$SMTP_PORT" >/dev/null <<-X
	EHLO client.example
	$(smtp_auth alice)
	$envelope
	DATA
	!printf 'Subject: hold me, half' >&\$wire; exec {wire}>&-; break
	X
wait_for 5 postfix_logged "lost connection after DATA"
is "half a message is no message" "$(held_count)" 1

for i in 1 2 3 4 5 6 7 8; do
	mail "parallel $i" | send -l alice >"$W/said.$i" &
	parallel+=($!)
done
wait "${parallel[@]}"
is "eight connections at once all hear 250" "$(cat "$W"/said.* | grep -c ^250)" 8
ok "and their mail arrives" wait_for 5 eval '[ "$(sink_count)" = 10 ]'
ok "posternd lives" is_alive "$POSTERND_PID"
done_testing
