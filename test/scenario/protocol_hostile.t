#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Packets no MTA sends: posternd may close the connection, and serves the next.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
gate_alone 'class submission { hold = 6 reject = 10 }'

for mta in postfix sendmail; do
	mclient --garbage all --like $mta --login alice --timeout 10000 >"$W/attacks"
	is "$mta: no attack is refused or left without an end" \
		"$(grep -cE 'refused|silent' "$W/attacks")" 0
	ok "$mta: all were made" [ "$(wc -l <"$W/attacks")" -gt 70 ]
	answers_is "$mta: a message after them" accept --like $mta --login alice
done
mclient --garbage random --total 300 --login alice --timeout 10000 >"$W/attacks"
is "random packets: none refused or left without an end" \
	"$(grep -cE 'refused|silent' "$W/attacks")" 0
answers_is "a message after them" accept --login alice

# While some attack, others send.
for seed in 2 3 4; do
	mclient --garbage random --seed $seed --total 60 --login alice >/dev/null &
	attackers+=($!)
done
said=$(mclient --login alice --connections 10 --repeat 20)
wait "${attackers[@]}"
is "others are served meanwhile" "$(grep -c 'reply=accept stage=eom' <<<"$said")" 200
ok "nothing is left" wait_for 10 spool_is_empty
ok "posternd lives" is_alive "$POSTERND_PID"
done_testing
