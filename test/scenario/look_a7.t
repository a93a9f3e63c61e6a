. /work/wt-a7/test/scenario/lib/scenario.sh
. /work/wt-a7/test/scenario/lib/mclient.sh
. /work/wt-a7/test/scenario/lib/bounce.sh
gate_alone "${bounce_options[@]}" 'class submission { tag = 4 defer = 5 hold = 6 reject = 10 }' "$@"
for s in "plain words about lunch on thursday" "tag me" "defer me" "hold me now, please, this is urgent" "reject me" "hold me again"; do
{ echo "Message-ID: <${s// /-}@mail.example>"; mail "$s"; } >"$W/mail"
mclient_files "$W/mail" -- --login alice --from alice.wonderland@department.ours.example --rcpt bob@remote.example.net --rcpt x@y.example --client 198.51.100.77 --queue-id 4Xk2vB1ZzQ >/dev/null
done
came a@good.example 1@good; came v@victim.example 1@bad; came p@plain.example 1@plain
bounced a@good.example 1@good;bounced v@victim.example 1@bad;bounced p@plain.example 1@plain;bounced p@plain.example 1@plain
sleep 1
postern quarantine release --subject 'hold me again' --via /bin/true >/dev/null
postern quarantine delete --subject 'hold me now*' >/dev/null
sleep 1
t() { echo "== $*"; "$srcdir/test/scenario/lib/on_terminal" "size:24x$SIZE wait:ZZZ" "$POSTERN_PROGRAM" -c "$CONF" "$@" 2>&1 | sed -E 's/\x1b\[[0-9;]*m//g' | grep -v "^exit\|^$"; }
for SIZE in 80 120; do
t history; t notices; t quarantine list --folder all; t quarantine list --long --folder all; t ledger show v@victim.example
done
sed -i '$a observe = yes' "$CONF"; postern reload >/dev/null
mclient_files "$W/mail" -- --login alice --from alice@department.ours.example --rcpt bob@remote.example.net --client 198.51.100.77 --queue-id 4Xk2vB1ZzQ
bounced v@victim.example 1@bad
sleep 1; SIZE=80; t history; t notices
postern history --follow --limit 3 & sleep 1; kill $!
ok done true
done_testing
