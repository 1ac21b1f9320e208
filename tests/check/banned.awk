# Refuses the calls of tests/check/banned.txt (the first file), comments and strings left out.

FNR == NR && $1 == "call" { banned[$2] = $0; sub(/^call +[^ ]+ +/, "", banned[$2]) }
FNR == NR && $1 == "allow" { allowed[$2] = allowed[$2] " " $3 }
FNR == NR { next }

FNR == 1 { comment = 0 }

{
    line = $0
    gsub(/\\\\/, "", line)
    gsub(/\\"/, "", line)
    gsub(/"[^"]*"/, "\"\"", line)
    gsub(/\/\*([^*]|\*[^\/])*\*\//, "", line)
    if (comment) {
        if (!sub(/^.*\*\//, "", line))
            next
        comment = 0
    }
    if (sub(/\/\*.*$/, "", line))
        comment = 1
    sub(/\/\/.*$/, "", line)
    while (match(line, /[A-Za-z_][A-Za-z_0-9]*[ \t]*\(|goto[ \t]/)) {
        name = substr(line, RSTART, RLENGTH)
        line = substr(line, RSTART + RLENGTH)
        gsub(/[ \t(]/, "", name)
        if (!(name in banned))
            continue
        fine = 0
        count = split(allowed[name], place, " ")
        for (i = 1; i <= count; i++)
            fine = fine || (place[i] ~ /\/$/ ? index(FILENAME, place[i]) == 1 : FILENAME == place[i])
        if (!fine) {
            printf "%s:%d: %s is banned: %s\n", FILENAME, FNR, name, banned[name]
            bad = 1
        }
    }
}

END { exit bad }
