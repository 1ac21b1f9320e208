# Compares #include lines with tests/layers.txt, which is the first file.

function fail(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text
    bad = 1
}

# src/wire/x.c, include/wire/x.h -> wire; otlp/x.c -> otlp
function layer_of(path,    part) {
    split(path, part, "/")
    return part[1] == "src" || part[1] == "include" ? part[2] : part[1]
}

FNR == NR && $1 == "layer" {
    known[$2] = 1
    may[$2, $2] = 1
    for (i = 3; i <= NF; i++) {
        if (!known[$i])
            fail("layer '" $i "' stands below '" $2 "', which uses it")
        may[$2, $i] = 1
    }
}
FNR == NR && $1 == "library" {
    for (i = 3; i <= NF; i++)
        places[$2] = places[$2] " " $i
}
FNR == NR { next }

FNR == 1 {
    layer = layer_of(FILENAME)
    if (!known[layer])
        fail("layer '" layer "' is not in tests/layers.txt")
}

/^[ \t]*#[ \t]*include/ {
    split($0, piece, /[<>"]/)
    header = piece[2]
    used = layer_of("include/" header)
    if ($0 ~ /"/ && header ~ /\// && !known[used])
        fail("\"" header "\" belongs to no layer")
    else if ($0 ~ /"/ && header ~ /\// && !may[layer, used])
        fail("layer " layer " may not include \"" header "\"")
    for (prefix in places)
        if (index(header, prefix) == 1) {
            fine = 0
            count = split(places[prefix], place, " ")
            for (i = 1; i <= count; i++)
                fine = fine || index(FILENAME, place[i]) == 1
            if (!fine)
                fail(header " is for" places[prefix] " only")
        }
}

END { exit bad }
