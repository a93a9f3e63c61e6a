#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# observe = yes: everything is decided and logged, nothing is changed.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_postfix 'observe = yes' 'add-headers = yes' \
	'class submission { tag = 4 defer = 5 hold = 6 reject = 10 }'

for would in tag defer hold reject; do
	{
		echo "X-Postern-Score: not ours"
		mail "$would me"
	} >"$W/$would"
	said=$(send -l alice <"$W/$would")
	like "$would: taken" "$said" "^250 "
	like "$would: logged" "$(verdict_of "$said")" "action=accept would=$would score="
	sink_message "$would me"
	ok "$would: unchanged" cmp <(sink_original "$got") "$W/$would"
done
on_terminal() { "$srcdir/test/scenario/lib/on_terminal" "$1" "$POSTERN_PROGRAM" -c "$CONF" "${@:2}" 2>&1; }
said=$(on_terminal wait:WITHOUT status)
like "status tells what would have been done" "$said" 'WITHOUT OBSERVE.*submission[^ ]* +0[^0-9]+1[^0-9]+1[^0-9]+1[^0-9]+1[^0-9]'
like "so does top" "$(postern top --once)" 'actions/s .*would/s +accept 0\.0 +tag '
held_back() { postern history | grep -q 'would reject'; }
ok "so does the history" wait_for 20 held_back
said=$(on_terminal wait:SUBJECT history | tr -d '\r' | sed -E 's/\x1b\[[0-9;]*m//g')
like "on one line a message" "$said" "would reject +20 +[^ ]+ +<[^ ]+ +reject me"
is "of 80 columns" "$(grep -cE '.{81}' <<<"$said")" 0
is "nothing is in the quarantine" "$(held_count)" 0
done_testing
