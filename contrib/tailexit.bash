# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion: everything there is to complete is in --help.

_tailexit() {
	local word=${COMP_WORDS[COMP_CWORD]} words
	if [ "$COMP_CWORD" = 1 ]; then
		words=$(tailexit --help | sed -nE 's/^  ([a-z-]+).*/\1/p')
	else
		words="--help $(tailexit "${COMP_WORDS[1]}" --help 2> /dev/null | grep -oE -- '^  --[a-z-]+')"
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _tailexit tailexit
