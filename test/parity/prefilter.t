#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# All rules over all mail at hand, with the prefilter and without: what hits,
# and why, must be the same to the byte.  Stock SpamAssassin and KAM where they
# are, and the rules of this tree.
set -u
. "$(dirname "$0")/lib.sh"
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
mail=("$srcdir/test/mail")
corpus_unpack "$W/mail" "${PREFILTER_MAIL:-dev-mini}" && mail+=("$W/mail")

# scanned WHEN RULES...
scanned() {
	local when=$1
	shift
	"$builddir/postern" scan --prefilter "$when" --offline --json --subs "$@" \
		"${mail[@]}" 2>/dev/null | sed 's/"ms":[0-9.]*//'
}

n=0
check() {
	local name=$1
	shift
	n=$((n + 1))
	scanned no "$@" >"$W/without"
	scanned wait "$@" >"$W/with"
	if [ -s "$W/without" ] && cmp "$W/without" "$W/with"; then
		echo "ok $n - $name: $(wc -l <"$W/with") messages, the same hits"
	else
		echo "not ok $n - $name: other hits with the prefilter"
		diff "$W/without" "$W/with" | head -n 4 | cut -c 1-300 | sed 's/^/# /'
		status=1
	fi
}

status=0
check "the rules of this tree" --rules "$srcdir/rules"
if [ -d "$stock" ] && peer_rules && ! grep -qaE '__(asan|tsan)_init' "$builddir/postern"; then
	check "stock and KAM" "${rules[@]}"
else
	n=$((n + 1))
	echo "ok $n # SKIP needs SpamAssassin's rules, and no sanitizer"
fi
echo "1..$n"
exit $status
