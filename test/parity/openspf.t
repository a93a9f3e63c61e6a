#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Our own SPF suite, and that the runner of such suites notices what is wrong.
set -u
openspf=${builddir:?}/test/parity/openspf
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
n=0

# claim NAME STATUS PATTERN FILE: so the runner ends, and says so.
claim() {
	local out status
	n=$((n + 1))
	out=$("$openspf" "$4" 2>&1)
	status=$?
	if [ $status = "$2" ] && grep -qE "$3" <<<"$out"; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "exit $status" "$out" | sed 's/^/# /'
	fi
}

scenario() {
	cat <<-EOT
		description: here
		tests:
		  one: {helo: x, host: 192.0.2.1, mailfrom: a@a.example, result: $1, explanation: $2}
		zonedata:
		  a.example: [{SPF: "v=spf1 -all exp=b.example"}]
		  b.example: [{TXT: "no %{d}"}]
	EOT
}

echo 1..6
claim "our suite passes" 0 '^[0-9]{3} passed, 0 failed$' "${srcdir:?}/test/parity/spf.yml"
scenario pass "no a.example" >"$work/result.yml"
claim "another result fails" 1 'FAILED here: one: the result is "fail", wanted "pass"' "$work/result.yml"
scenario "[pass, fail]" "yes" >"$work/text.yml"
claim "another explanation fails" 1 'FAILED here: one: the explanation is "no a.example", wanted "yes"' "$work/text.yml"
scenario fail "no a.example" >"$work/good.yml"
claim "one that is right passes" 0 '^1 passed, 0 failed$' "$work/good.yml"
printf 'tests: {\n  a: [\n' >"$work/broken.yml"
claim "a broken file is named with its line" 2 'broken.yml:[0-9]+: ' "$work/broken.yml"
printf 'tests: {}\nzonedata:\n  a.example: [{A: nonsense}]\n' >"$work/record.yml"
claim "a record that is none is named with its line" 2 'record.yml:3: a record that is none' "$work/record.yml"
