#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every fuzz target lives through test/mail, its own seeds and random bytes.
set -u
cd "$builddir/test/fuzz" || exit 1
targets=$(find . -maxdepth 1 -name 'fuzz_*' -perm -u+x -type f ! -name '*.*' | sort)
echo "1..$(echo "$targets" | wc -w)"
mail=$srcdir/test/mail
[ -d "$mail" ] || mail=
random=$(mktemp)
trap 'rm -f "$random"' EXIT
head -c 200000 /dev/urandom > "$random"
n=0
for target in $targets; do
	n=$((n + 1))
	target=${target#./}
	seeds=$srcdir/test/fuzz/seeds/${target#fuzz_}
	[ -d "$seeds" ] || seeds=
	if out=$(./"$target" $mail $seeds "$random" 2>&1); then
		echo "ok $n - $target lives through $out"
	else
		echo "not ok $n - $target"
		echo "$out" | tail -n 30 | sed 's/^/# /'
	fi
done
