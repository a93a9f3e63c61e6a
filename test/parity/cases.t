#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What must hit in cases.d, in SpamAssassin and in Postern.
set -u
. "$(dirname "$0")/lib.sh"
peer_is_there || echo "# SpamAssassin is not installed: Postern alone is asked"
exec "$srcdir/test/parity/cases" --postern "$builddir/postern" \
	"$srcdir"/test/parity/cases.d/*.case
