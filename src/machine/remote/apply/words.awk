# What is new in a listing of a configuration (`postconf -nx` and `-Px`), beside that of before:
#   T WORD           a table that a parameter or an option names now, and none named then
#   C NAME = VALUE   a parameter or an option with another value than then
#   O                nothing in sight says who may relay
# Only parameters that open tables count, and words after check_..._access: `lmtp:unix:/path` is no table. Which
# parameters do so, the client says: opening matches their names, and not_opening does not.
# The words of a value; what stands in braces is one.
function words(value, into,    count, at, sign, depth, word) {
  count = depth = 0
  word = ""
  for (at = 1; at <= length(value); at++) {
    sign = substr(value, at, 1)
    if (sign == "{") depth++
    if (sign == "}") depth--
    if (depth <= 0 && (sign == " " || sign == "," || sign == "\t")) {
      if (word != "") into[++count] = word
      word = ""
    } else word = word sign
  }
  if (word != "") into[++count] = word
  return count
}
{
  at = index($0, " =")
  if (!at) next
  name = substr($0, 1, at - 1)
  value = substr($0, at + 3)
  base = name
  sub(/.*\//, "", base)
  before = (FILENAME == old)
  if (before) value_then[name] = value
  else if (!(name in value_then) || value_then[name] != value) print "C " name " = " value
  if (!before && value ~ /[^ \t]/ && base ~ /^smtpd_(relay|recipient)_restrictions$/) guarded = 1
  if (!before && name == "compatibility_level" && value !~ /^ *0*([^0-9]|$)/) guarded = 1
  count = words(value, list)
  for (number = 1; number <= count; number++) {
    word = list[number]
    sub(/^!/, "", word)
    if (word !~ /^[a-z][a-z0-9_]*:./) continue
    # The server of a policy looks like a table.
    if (number > 1 && list[number - 1] == "check_policy_service") continue
    if (!(base ~ opening && base !~ not_opening) && !(number > 1 && list[number - 1] ~ /^check_[a-z_]*_access$/)) continue
    if (before) table_then[word] = 1
    else if (!(word in table_then)) { table_then[word] = 1; print "T " word }
  }
}
END { if (!guarded) print "O" }
