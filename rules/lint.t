#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The shipped rules are sound, and each scored one says what it is: describe, an
# example that it hits, one that it does not, and a reason for its score.
set -u
rules=$srcdir/rules
n=0
claim() { # TEXT OUTPUT: fine if there is no output
	n=$((n + 1))
	[ -z "$2" ] || { echo "$2" | sed 's/^/# /'; printf 'not '; }
	echo "ok $n - $1"
}
each() { # AWK over the rule files; R is the rule a line is about
	awk -v want="$1" '
	/^(header|body|rawbody|uri|full|mimeheader|meta) / && $2 !~ /^__/ {
		scored[$2] = FILENAME ":" FNR
	}
	$1 == "describe" && NF > 2 { has["describe", $2] = 1 }
	$1 == "score" { has["score", $2] = 1
		if (before ~ /^# / || /#/) has["reason", $2] = 1 }
	$1 == "test" { has["test " $3, $2] = 1 }
	{ before = $0 }
	END { for (rule in scored) if (!((want, rule) in has))
		print scored[rule] ": " rule }' "$rules"/*.cf
}
echo "1..7"
out=$("$builddir"/postern lint "$rules" 2>&1)
claim "postern lint finds nothing to say" \
	"$(echo "$out" | grep -v '^[0-9]* rules, [0-9]* active, 0 disabled, 0 warnings$')"
claim "each scored rule is described" "$(each describe)"
claim "each scored rule has a score" "$(each score)"
claim "each score has a reason" "$(each reason)"
claim "each scored rule has an example that it hits" "$(each 'test ok')"
claim "each scored rule has an example that it does not hit" "$(each 'test fail')"
names() {
	sed -nE 's/^(header|body|rawbody|uri|full|mimeheader|meta)[[:space:]]+([A-Za-z0-9_]+).*/\2/p' "$@" |
		LC_ALL=C sort -u
}
theirs=/usr/share/spamassassin
if ls "$theirs"/*.cf >/dev/null 2>&1; then
	list=$(mktemp)
	names "$theirs"/*.cf >"$list"
	claim "no name is one of SpamAssassin's" \
		"$(names "$rules"/*.cf | LC_ALL=C comm -12 - "$list")"
	rm -f "$list"
else
	echo "ok 7 - no name is one of SpamAssassin's # SKIP not installed"
fi
