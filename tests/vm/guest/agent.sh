#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# agent.sh - runs in the virtual machine what is asked for on its second serial port. A line in is
# NUMBER COMMAND, a line out NUMBER STATUS OUTPUT; command and output are base64.
exec < /dev/ttyS1 > /dev/ttyS1
stty raw -echo
while read -r number command; do
	output=$(
		base64 -d <<< "$command" | bash 2>&1 | base64 -w 0
		exit "${PIPESTATUS[1]}"
	)
	echo "$number $? $output"
done
