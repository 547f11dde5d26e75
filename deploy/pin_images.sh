#!/bin/sh
# Put behind the tag of every image the digest that the registry has for it now: pin_images.sh FILE…
#
# A tag can be moved to other bytes, a digest cannot. Run it where Docker reaches its registry, look at the change with
# git, and build from that; again after every change of a tag (按摘要固定镜像).
set -eu
for file in "$@"; do
    sed -nE 's/^(FROM|.*image:) +"?([a-z0-9./-]+:[A-Za-z0-9._-]+)(@sha256:[0-9a-f]{64})?"?([ },].*)?$/\2/p' "$file" |
        grep -v '^settlement/' | sort -u |
        while read -r image; do
            digest=$(docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$image")
            sed -i -E "s|$image(@sha256:[0-9a-f]{64})?|$image@$digest|" "$file"
            echo "$file: $image@$digest"
        done
done
