#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A quarantine that cannot be written: the client is asked to try again.
. "$(dirname "$0")/lib/scenario.sh"
needs postfix mount
posternd_configure
mkdir -p "$POSTERN/state/quarantine"
mount -t tmpfs -o size=256k tmpfs "$POSTERN/state/quarantine" 2>/dev/null ||
	skip_all "cannot mount a tmpfs here"
at_exit "umount -l $POSTERN/state/quarantine"
chown "$POSTERND_USER" "$POSTERN/state/quarantine"
chmod 700 "$POSTERN/state/quarantine"
gate_with_postfix 'class submission { hold = 6 }'
large() { mail "$1"; head -c 150000 /dev/urandom | base64; }

said=$(mail "hold me: small" | send -l alice)
like "while there is room, mail is held" "$said" "^250 "
said=$(large "hold me: large" | send -l alice)
said=$(large "hold me: larger" | send -l alice)
like "disk full: 451" "$said" "^451 4.7.1 "
like "the log says why" "$(verdict_of "$said")" "action=defer .*note=quarantine:No"
is "nothing half-written is listed" \
	"$(postern quarantine list --json | wc -l)" "$(held_count)"
said=$(mail "good" | send -l alice)
like "good mail passes" "$said" "^250 "

mount -o remount,ro "$POSTERN/state/quarantine"
said=$(mail "hold me: again" | send -l alice)
like "read-only: 451" "$said" "^451 4.7.1 "
like "the log says why" "$(verdict_of "$said")" "action=defer .*Read-only"
mount -o remount,rw,size=10m "$POSTERN/state/quarantine"
said=$(mail "hold me: at last" | send -l alice)
like "with room again, mail is held again" "$said" "^250 "
ok "and is there" grep -rqs "at last" "$HELD"
wait_for 5 postfix_queue_is_empty
is "nothing that should be held left" "$(grep -rl 'hold me' "$W/sink")" ""
done_testing
