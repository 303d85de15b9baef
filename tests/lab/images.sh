#!/usr/bin/env bash
# Small real images for tests, made from busybox and files of this machine, pushed to the lab's registry with skopeo.
#   images.sh [REGISTRY]     makes those that the registry lacks (default: $WHARF_TEST_REGISTRY, then 127.0.0.1:5000)
#   bb:1     busybox in one layer            multi:1  an index of two platforms, linux/amd64 and linux/arm64
#   dup:1    41 layers, 30 of them the same empty one
#   many:1   31 layers of 1 MiB              zstd:1   one layer compressed with zstd (dockerd 20.10 cannot read it)
#   tree:1   hard links, whiteouts, an opaque folder, implied parents, set-uid and set-gid files of other owners, an
#            extended attribute
#   mid:1    about 60 MiB unpacked, in four layers, gzip, files of this machine with their owners
set -euo pipefail
registry=${1:-${WHARF_TEST_REGISTRY:-127.0.0.1:5000}}
folder=$(mktemp -d "${TMPDIR:-/tmp}/wharf-images.XXXXXX"); trap 'rm -rf "$folder"' EXIT
oci=application/vnd.oci.image

have() { curl -sf -m 10 -o /dev/null -H "Accept: $oci.index.v1+json, $oci.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json" \
  "http://$registry/v2/${1%:*}/manifests/${1#*:}"; }
hash_of() { sha256sum "$1" | cut -d' ' -f1; }

# add FILE: moves it into the layout's blobs; prints digest and size
add() { local hex; hex=$(hash_of "$1"); mv "$1" "$layout/blobs/sha256/$hex"; echo "sha256:$hex $(stat -c %s "$layout/blobs/sha256/$hex")"; }

new_layout() { layout=$folder/$1; mkdir -p "$layout/blobs/sha256"; echo '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"; new_image; }
new_image() { layers='' diffs='' steps=''; }

# layer FOLDER [gzip|zstd] [tar options and names]: packs FOLDER, or the names given, as the next layer.
# What is in it belongs to root, unless `owners=kept` is set.
layer() {
  local from=$1 packer=${2:-gzip} diff blob; shift; [ $# -eq 0 ] || shift
  [ $# -gt 0 ] || set -- .
  local all_to_root=(--owner=0 --group=0); [ "${owners:-root}" = root ] || all_to_root=()
  tar -C "$from" --sort=name --mtime=@1700000000 "${all_to_root[@]}" --numeric-owner --format=pax \
    --pax-option=delete=atime,delete=ctime --xattrs -cf "$folder/layer" "$@"
  diff=sha256:$(hash_of "$folder/layer")
  if [ "$packer" = gzip ]; then gzip -n1 <"$folder/layer" >"$folder/packed"; else zstd -q <"$folder/layer" >"$folder/packed"; fi
  blob=$(add "$folder/packed")
  layers+="${layers:+,}{\"mediaType\":\"$oci.layer.v1.tar+$packer\",\"digest\":\"${blob% *}\",\"size\":${blob#* }}"
  diffs+="${diffs:+,}\"$diff\""
  steps+="${steps:+,}{\"created\":\"2023-11-14T22:13:20Z\",\"created_by\":\"COPY $(basename "$from") /\"}"
}

# manifest ARCHITECTURE: closes the image; prints its descriptor
manifest() {
  local config blob
  printf '{"architecture":"%s","os":"linux","created":"2023-11-14T22:13:20Z","config":{"Env":["PATH=/bin:/sbin:/usr/bin"],"Cmd":["/bin/sh"],"Labels":{"origin":"lab"}},"history":[%s],"rootfs":{"type":"layers","diff_ids":[%s]}}' "$1" "$steps" "$diffs" >"$folder/config"
  config=$(add "$folder/config")
  printf '{"schemaVersion":2,"mediaType":"%s.manifest.v1+json","config":{"mediaType":"%s.config.v1+json","digest":"%s","size":%s},"layers":[%s]}' \
    "$oci" "$oci" "${config% *}" "${config#* }" "$layers" >"$folder/manifest"
  blob=$(add "$folder/manifest")
  printf '{"mediaType":"%s.manifest.v1+json","digest":"%s","size":%s,"platform":{"os":"linux","architecture":"%s"}}' "$oci" "${blob% *}" "${blob#* }" "$1"
}

# push NAME:TAG DESCRIPTOR [skopeo options]: writes the layout's index and copies it
push() {
  local name=$1 descriptor=$2; shift 2
  printf '{"schemaVersion":2,"manifests":[%s]}' "$descriptor" >"$layout/index.json"
  skopeo copy -q --insecure-policy --preserve-digests "$@" --dest-tls-verify=false "oci:$layout" "docker://$registry/$name"
  echo "$registry/$name"
}

busybox_tree() {
  local tree=$folder/busybox applet; [ -d "$tree" ] && return
  mkdir -p "$tree"/{bin,dev,etc,proc,sys,tmp,root,var}; chmod 1777 "$tree/tmp"
  cp "$(command -v busybox)" "$tree/bin/busybox"
  for applet in $("$tree/bin/busybox" --list); do [ "$applet" = busybox ] || ln -sf busybox "$tree/bin/$applet"; done
  printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$tree/etc/passwd"
  printf 'root:x:0:\nuser:x:1000:\ngames:x:20:user\nnogroup:x:65534:\n' >"$tree/etc/group"
}

base() { busybox_tree; layer "$folder/busybox"; }
note() { rm -rf "$folder/note"; mkdir -p "$folder/note"; printf '%s' "$2" >"$folder/note/$1"; layer "$folder/note" gzip "$1"; }

make_bb() { new_layout bb; base; push bb:1 "$(manifest amd64)"; }
make_zstd() { new_layout zstd; busybox_tree; layer "$folder/busybox" zstd; push zstd:1 "$(manifest amd64)"; }
make_multi() {
  local first; new_layout multi; base; note arch amd64; first=$(manifest amd64)
  new_image; base; note arch arm64
  printf '{"schemaVersion":2,"mediaType":"%s.index.v1+json","manifests":[%s,%s]}' "$oci" "$first" "$(manifest arm64)" >"$folder/index"
  local blob; blob=$(add "$folder/index")
  push multi:1 "{\"mediaType\":\"$oci.index.v1+json\",\"digest\":\"${blob% *}\",\"size\":${blob#* }}" --all
}
make_dup() {
  new_layout dup; base; mkdir -p "$folder/empty"
  for i in $(seq 10); do
    for _ in 1 2 3; do layer "$folder/empty" gzip -T /dev/null; done
    note "f$i" "$i"
  done
  push dup:1 "$(manifest amd64)"
}
make_many() {
  new_layout many; base; mkdir -p "$folder/random"
  for i in $(seq 30); do head -c 1048576 /dev/urandom >"$folder/random/f$i"; layer "$folder/random" gzip "f$i"; done
  push many:1 "$(manifest amd64)"
}
make_tree() {
  local first=$folder/tree1 second=$folder/tree2; new_layout tree; base
  mkdir -p "$first"/{kept,emptied,a/b/c}; echo one >"$first/kept/file"; echo two >"$first/gone"; echo three >"$first/emptied/old"
  echo linked >"$first/a/original"; ln "$first/a/original" "$first/a/b/hard"; ln -s ../original "$first/a/b/soft"; ln -s /etc/passwd "$first/absolute"
  echo set >"$first/a/setuid"; chown 1000:1000 "$first/a/setuid"; chmod 4755 "$first/a/setuid"; chmod 0700 "$first/kept"
  echo set >"$first/a/setgid"; chgrp 42 "$first/a/setgid"; chmod 2755 "$first/a/setgid"
  setfattr -n user.note -v lab "$first/kept/file" 2>/dev/null || echo "images: no extended attributes here, tree:1 goes without" >&2
  owners=kept layer "$first"
  mkdir -p "$second"/{emptied,kept}; : >"$second/.wh.gone"; : >"$second/emptied/.wh..wh..opq"; echo new >"$second/emptied/new"; echo late >"$second/kept/added"
  # The folder "kept" is left out on purpose: its mode must come from the layer below.
  layer "$second" gzip .wh.gone emptied kept/added
  push tree:1 "$(manifest amd64)"
}
make_mid() {
  new_layout mid; base
  # Each file with the folders above it, so that nothing in these layers is implied.
  find /usr/bin /usr/lib /usr/share -xdev \( -type l -o -type f -size -1024k -readable \) -printf '%s %p\n' 2>/dev/null | LC_ALL=C sort -k2 |
    awk -v out="$folder/part" '{ total += $1; if (total > 60 * 1048576) next; part = int(total / (20 * 1048576)); if (part > 2) part = 2
      path = substr($0, index($0, "/") + 1); count = split(path, names, "/"); above = ""
      for (i = 1; i < count; i++) { above = above names[i]; if (!((part, above) in seen)) { seen[part, above] = 1; print above > (out part) }; above = above "/" }
      print path > (out part) }'
  for part in 0 1 2; do [ ! -s "$folder/part$part" ] || owners=kept layer / gzip --no-recursion -T "$folder/part$part"; done
  push mid:1 "$(manifest amd64)"
}

for image in bb multi dup many tree zstd mid; do have "$image:1" || "make_$image"; done
