#!/bin/sh
# Proposes a change of the spec: commits openapi/ and generated/ from FOLDER to the branch "specification", pushes it, and
# opens or updates its pull request. In shell, so that the job with the token installs and runs no package.
#
# usage: npm run propose -- FOLDER (it also holds verdict.md: what `npm run pull -- --markdown` printed)
set -eu
folder=$1
branch=specification

title=$(sed -n '1s/^# //p' "$folder/verdict.md")
case $title in
"")
  echo "error: $folder/verdict.md must begin with a heading that carries the verdict" >&2
  exit 1
  ;;
*": none")
  echo "Nothing to propose: $title"
  exit 0
  ;;
esac

# Files that are no longer generated must go as well.
rm -rf openapi generated
cp -R "$folder/openapi" "$folder/generated" .
git checkout -q -B "$branch"
git add --all openapi generated
if git diff --cached --quiet; then
  echo "Nothing to propose: the files are as they were"
  exit 0
fi
body=$(mktemp)
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

number=$(gh pr list --head "$branch" --state open --json number --jq '.[0].number // empty')
if [ -n "$number" ]; then
  gh pr edit "$number" --title "$title" --body-file "$body"
else
  gh pr create --head "$branch" --title "$title" --body-file "$body"
fi
rm -f "$body"
