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
is "nothing is in the quarantine" "$(held_count)" 0
done_testing
