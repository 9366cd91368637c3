# The forced command of sshd: answers lines from the table that is named first.
BEGIN { srand() }
NR == FNR { at = index($0, ": "); topic = substr($0, 1, at - 1); text[topic, count[topic]++] = substr($0, at + 2); next }
{ topic = tolower($0); gsub(/^[ \t]+|[ \t\r]+$/, "", topic) }
topic in count { print text[topic, int(rand() * count[topic])]; next }
{ print "I've got nothing." }
