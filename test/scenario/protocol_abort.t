#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A message given up at any stage leaves nothing behind, and the next one is
# judged as if it had not been.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
gate_alone 'class submission { hold = 6 reject = 10 }' 'memory-limit = 4K'
mail "hold me, given up" "$(head -c 20000 /dev/zero | tr '\0' x)" >"$W/first"
mail "good" >"$W/second"

for stage in mail rcpt data header eoh body; do
	for mta in postfix sendmail; do
		said=$(mclient_files "$W/first" "$W/second" -- --login alice --like $mta \
			--repeat 2 --abort-after $stage --queue-id "A$mta$stage")
		is "$mta: abort after $stage, then a message" "$(answers <<<"$said")" \
			"aborted accept"
		like "$mta: which is judged for itself" "$(logged "A$mta${stage}1: ")" \
			"action=accept score=0[^ ]* .*login=alice .*nrcpt=1 size=[0-9]{3} "
	done
done
said=$(mclient_files "$W/first" "$W/second" -- --login alice --repeat 20 \
	--abort-after body --connections 8)
is "eight connections with many aborts each: nothing else happens" \
	"$(answers <<<"$said" | tr ' ' '\n' | grep -cE 'aborted|accept|discard')" 160
ok "most are aborts" [ "$(grep -c reply=aborted <<<"$said")" -gt 140 ]

for stage in negotiate connect helo mail rcpt header body; do
	mclient_files "$W/first" -- --login alice --connections 5 \
		--disconnect-after $stage --queue-id "D$stage" >"$W/said"
	is "hanging up after $stage" "$(answers <"$W/said")" \
		"disconnected disconnected disconnected disconnected disconnected"
done
is "none of these was judged" "$(grep -cE ' (D[a-z]+[0-9]+|A[a-z]+0): ' \
	"$W/log/posternd")" 0
held_before=$(held_count)
mclient_files "$W/first" -- --login alice --disconnect-after eom --queue-id LATE >/dev/null
logged "LATE0: " 10 >/dev/null
is "hanging up before the answer: the message is kept, the MTA still has it" \
	"$(held_count)" $((held_before + 1))
answers_is "a half-closed connection" accept --login alice --half-close
ok "nothing is left of what was given up" wait_for 10 spool_is_empty
answers_is "posternd serves on" "accept accept" --login alice --repeat 2
done_testing
