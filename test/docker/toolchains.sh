#!/usr/bin/env bash
# Makes what stands for repositories' own images and for set-up actions where no registry can be reached: an image of
# Debian 12 with Go, Java, Python and Ruby of its packages, one of musl and busybox without any other C library, and a
# runner's tool cache with the same toolchains. Prints the names of both images and the folder, a line each. Needs root,
# debootstrap and a docker that answers. What is already there is taken.
set -euo pipefail
version=$(sha256sum <"$0" | head -c 8)
home=${DOCKER_ENGINE_HOME:-/var/tmp/journeyman-docker}/toolchains
debian=journeyman-toolchains:debian12-$version musl=journeyman-toolchains:musl-$version cache=$home/tool-cache-$version
printf '%s\n' "$debian" "$musl" "$cache"
[ -e "$cache/.complete" ] && docker image inspect "$debian" "$musl" >/dev/null 2>&1 && exit

export DEBIAN_FRONTEND=noninteractive
root=$home/debian small=$home/musl
if [ ! -e "$root.complete" ]; then
  rm -rf "$home" && mkdir -p "$home"
  mirror=$(awk '$1 == "URIs:" || $1 == "deb" { print $2; exit }' /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null || true)
  debootstrap --variant=minbase --include=golang-go,openjdk-17-jdk-headless,python3,ruby,musl,busybox-static \
    bookworm "$root" "${mirror:?no archive of Debian is named in /etc/apt}" >"$home/log" || { tail -20 "$home/log" >&2; exit 1; }
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
  chroot "$root" find /usr -xtype l -delete # they would break copies that follow links
  touch "$root.complete"
fi
rm -rf "$small" "$home"/tool-cache-* && mkdir "$cache"
docker image ls --quiet journeyman-toolchains | sort -u | xargs --no-run-if-empty docker image rm --force >/dev/null

# As set-up actions leave a tool cache: {tool}/{version}/{architecture}, with links and wrappers.
lib=/usr/lib/x86_64-linux-gnu
[ -d "$root$lib" ] || lib=/usr/lib/aarch64-linux-gnu
java=$(basename "$(ls -d "$root"/usr/lib/jvm/java-17-openjdk-*)")
put() { mkdir -p "$(dirname "$2")"; chroot "$root" tar -C "$(dirname "$1")" -chf - "$(basename "$1")" | tar -C "$(dirname "$2")" -xf - --transform "s,^$(basename "$1"),$(basename "$2"),"; }
put /usr/lib/go-1.19 "$cache/go/1.19.8/x64"
put "/usr/lib/jvm/$java" "$cache/jvm/17/files"
mkdir -p "$cache/Java_Debian_jdk/17.0.0" && ln -s "$cache/jvm/17/files" "$cache/Java_Debian_jdk/17.0.0/x64"
put /usr/bin/python3.11 "$cache/Python/3.11.2/x64/bin/python3.11"
put /usr/lib/python3.11 "$cache/Python/3.11.2/x64/lib/python3.11"
ln -s python3.11 "$cache/Python/3.11.2/x64/bin/python3"
ruby=$cache/Ruby/3.1.2/x64
put /usr/bin/ruby3.1 "$ruby/bin/ruby.bin"
put /usr/lib/ruby "$ruby/lib/ruby"
for library in "$root$lib"/libruby-3.1.so.3.1 "$root$lib"/libcrypt.so.1; do cp -L "$library" "$ruby/lib/"; done
put "$lib/ruby/3.1.0" "$ruby/arch"
cat >"$ruby/bin/ruby" <<RUBY
#!/bin/sh
here=$ruby
export LD_LIBRARY_PATH=\$here/lib RUBYLIB=\$here/lib/ruby/3.1.0:\$here/arch:\$here/lib/ruby/vendor_ruby:\$(echo \$here/lib/ruby/gems/3.1.0/gems/*/lib | tr ' ' :)
exec \$here/bin/ruby.bin --disable-gems "\$@"
RUBY
chmod 0755 "$ruby/bin/ruby"
find "$cache" -type d -exec chmod 0755 {} +

mkdir -p "$small"/{bin,lib,etc,tmp}
chmod 1777 "$small/tmp"
cp "$root"/usr/bin/busybox "$small/bin/" 2>/dev/null || cp "$root"/bin/busybox "$small/bin/"
for name in $(chroot "$root" busybox --list); do [ "$name" = busybox ] || ln -s busybox "$small/bin/$name"; done
cp -L "$root"/lib/ld-musl-*.so.1 "$small/lib/"
echo 'root:x:0:0:root:/root:/bin/sh' >"$small/etc/passwd"
echo 'root:x:0:' >"$small/etc/group"
tar -C "$small" -c . | docker import --change 'ENV PATH=/bin' --change 'ENV LD_PRELOAD=/lib/none.so' - "$musl" >/dev/null

tar -C "$root" --one-file-system -c . | docker import --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin' --change 'ENV SHOP_HOME=/srv' - "$debian" >/dev/null
touch "$cache/.complete"
rm -rf "$root" "$root.complete" "$small"
