#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# 50 MB: taken, unchanged, in bounded memory, through a file that leaves no trace.
. "$(dirname "$0")/lib/scenario.sh"
gate_with_postfix
is_sanitized() { grep -qaE '__(asan|tsan)_init' "$POSTERND"; }
! is_sanitized || skip_all "too slow with a sanitizer"
[ "$(df --output=avail -k "$W" | tail -n 1)" -gt 1000000 ] ||
	skip_all "needs 1 GB of disk"

big() {
	mail "$1"
	head -c 37500000 /dev/urandom | base64
	echo "the last words of a long message"
}

big "big and good" >"$W/big"
said=$(send -l alice <"$W/big")
like "50 MB are taken" "$said" "^250 "
like "and judged" "$(verdict_of "$said")" "action=accept .*size=50[0-9]{6} .*trouble=scan-limit"
sink_message "Subject: big and good" 30
wait_for 60 postfix_queue_is_empty
ok "and arrive unchanged" cmp <(sink_original "$got") "$W/big"
rm -f "$W"/sink/*

said=$(sed 's/big and good/hold me/' "$W/big" | send -l alice)
like "50 MB are held" "$(verdict_of "$said")" "action=hold .*size=50[0-9]{6} "
is "whole: there is one file" "$(held_count)" 1
ok "that ends as the message does" eval \
	'tail -n 1 "$HELD"/new/* | grep -q "the last words of a long message"'
peak=$(sed -n 's/^VmHWM: *//p' "/proc/$POSTERND_PID/status")
ok "in less than 200 MB of memory ($peak)" [ "${peak% kB}" -lt 200000 ]
is "the spool is empty" "$(find "$POSTERN/state/spool" -type f | wc -l)" 0
done_testing
