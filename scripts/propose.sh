#!/bin/sh
# In shell, so that the job with the token installs and runs no package.
set -eu

help='Usage: npm run propose -- FOLDER

Proposes a change of the spec, as .github/workflows/spec.yml does: commits openapi/ and generated/ from FOLDER to the branch
"specification", pushes it, and opens or updates its pull request. If nothing changed, closes the one that is still open.

  FOLDER      openapi/, generated/ and verdict.md: what `npm run pull -- --markdown` printed
  GH_TOKEN    the token of the command `gh`, which may write contents and pull requests
  -h, --help  show this page'

fail() {
  echo "error: $1" >&2
  exit 1
}

case "$#:${1-}" in
1:-h | 1:--help)
  echo "$help"
  exit
  ;;
1:-* | 1:) fail "expected a folder, got \"$1\"; see --help" ;;
1:*) folder=$1 ;;
*) fail "expected one folder; see --help" ;;
esac
for part in verdict.md openapi generated; do
  [ -e "$folder/$part" ] || fail "$folder/$part is not there; see --help"
done
title=$(sed -n '1s/^# //p' "$folder/verdict.md")
[ -n "$title" ] || fail "$folder/verdict.md must begin with a heading that carries the verdict"
command -v gh >/dev/null || fail "there is no gh on the PATH: install GitHub's command line"
branch=specification

# A branch of a fork may have the same name.
open_proposal() {
  gh pr list --head "$branch" --state open --json number,isCrossRepository \
    --jq 'map(select(.isCrossRepository | not))[0].number // empty'
}

# The earlier proposal has been taken back, or merged.
nothing_to_propose() {
  number=$(open_proposal)
  if [ -n "$number" ]; then
    gh pr close "$number" --comment "There is nothing left to propose. $title"
  fi
  echo "Nothing to propose: $title"
  exit
}

case $title in *": none") nothing_to_propose ;; esac
# Files that are no longer generated must go as well.
rm -rf openapi generated
cp -R "$folder/openapi" "$folder/generated" .
git checkout -q -B "$branch"
git add --all openapi generated
if git diff --cached --quiet; then nothing_to_propose; fi
body=$(mktemp)
trap 'rm -f "$body"' EXIT
sed '1,2d' "$folder/verdict.md" >"$body"
git -c user.name="github-actions[bot]" -c user.email="41898282+github-actions[bot]@users.noreply.github.com" \
  commit --quiet --message "$title" --message "$(sed '/^## How to review$/,$d' "$body")"
# From here on git may push, with the token in GH_TOKEN.
gh auth setup-git
# The same proposal again would only start the checks again.
if git fetch --quiet --depth=1 origin "$branch" 2>/dev/null && git diff --quiet FETCH_HEAD HEAD; then
  echo "Proposed already: $title"
else
  git push --quiet --force origin "$branch"
fi

number=$(open_proposal)
if [ -n "$number" ]; then
  gh pr edit "$number" --title "$title" --body-file "$body"
else
  gh pr create --head "$branch" --title "$title" --body-file "$body"
fi
