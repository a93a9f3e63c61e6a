#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Messages at the edges of what the protocol can carry.
. "$(dirname "$0")/lib/scenario.sh"
. "$(dirname "$0")/lib/mclient.sh"
gate_alone 'class submission { hold = 6 reject = 10 }'

# odd NAME [WANTED]: the message on standard input is answered, and so is a good
# one after it on the same connection.
odd() {
	cat >"$W/$1"
	mail good >"$W/after"
	local said
	said=$(mclient_files "$W/$1" "$W/after" -- --login alice --repeat 2)
	is "$1" "$(answers <<<"$said")" "${2-accept} accept"
}

odd "8-bit" < <(mail $'Gr\303\274\303\237e \377\376' $'\200\201\377 8-bit')
odd "no header" < <(printf '\nno header\n')
odd "no body" discard < <(printf 'Subject: hold me\n')
odd "empty body" reject < <(printf 'Subject: reject me\n\n')
odd "nothing at all" </dev/null
odd "NUL bytes" < <(mail nul; head -c 100000 /dev/zero)
odd "a line of 3 MB" discard < <(mail "hold me"; head -c 3000000 /dev/zero | tr '\0' y)
odd "random bytes" < <(head -c 3000000 /dev/urandom)
odd "a header field of 59 kB" < <(printf 'Subject: long\nX-Long: '
	head -c 59000 /dev/zero | tr '\0' x; printf '\n\ntext\n')
{ printf 'X-Long: '; head -c 900000 /dev/zero | tr '\0' x
	printf '\nSubject: hold me\n\ntext\n'; } >"$W/huge"
said=$(mclient_files "$W/huge" -- --login alice --field-max 1000000)
is "a header field of 900 kB" "$(answers <<<"$said")" discard

said=$({ yes "X-Postern-Flag: NO" | head -n 100; mail forged; } >"$W/forged"
	mclient_files "$W/forged" -- --login alice)
is "100 fields under our names are removed" \
	"$(answers <<<"$said") $(grep -o 'X-Postern-Flag' <<<"$said" | wc -l)" \
	"accept 100"
said=$({ yes "X-Postern-Flag: NO" | head -n 200000; mail flood; } >"$W/flood"
	mclient_files "$W/flood" -- --login alice --queue-id FLOOD)
is "200,000 are too many" "$(answers <<<"$said")" reject
like "and the log says so" "$(logged 'FLOOD0: action')" \
	"action=reject .*reason=header note=too\\\\x20many"

answers_is "100,000 header fields" "accept accept" --login alice --fields 100000 \
	--repeat 2
said=$(mclient --login alice --size 50000000 --repeat 2 --queue-id BIG)
is "50 MB, twice" "$(answers <<<"$said")" "accept accept"
like "and all of it was counted" "$(logged 'BIG1: ')" \
	"size=49[0-9]{6} .*trouble=scan-limit"
answers_is "50 MB in one line" accept --login alice --size 50000000 --one-line
ok "nothing of them is left" wait_for 5 spool_is_empty
is_sanitized || ok "memory stays small ($(memory_kb VmHWM) kB)" \
	[ "$(memory_kb VmHWM)" -lt 300000 ]
done_testing
