#!/usr/bin/env bash
# Makes the image that stands for the Dockerfile's base where no registry can be reached, and prints its name: Debian
# trixie by debootstrap, slimmed as Debian's slim images are, with the Node of this project's packages and this machine's
# npm. Needs root, debootstrap and a docker that answers. An image that is already there is taken.
set -euo pipefail
project=$(cd "$(dirname "$0")/../.." && pwd)
node=$project/node_modules/node/bin/node
name=journeyman-base:node$("$node" -p process.versions.node)-trixie-slim-$(sha256sum <"$0" | head -c 8)
echo "$name"
docker image inspect "$name" >/dev/null 2>&1 && exit

folder=$(mktemp -d /var/tmp/journeyman-base.XXXXXX)
trap 'rm -rf "$folder"' EXIT
root=$folder/root
mirror=$(awk '$1 == "URIs:" || $1 == "deb" { print $2; exit }' /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null || true)
debootstrap --variant=minbase trixie "$root" "${mirror:?no archive of Debian is named in /etc/apt}" >"$folder/log" || { tail -20 "$folder/log" >&2; exit 1; }

# What slim leaves out, now and in what is installed later.
cat >"$root/etc/dpkg/dpkg.cfg.d/docker" <<'SLIM'
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/linda/*
path-exclude /usr/share/lintian/overrides/*
path-exclude /usr/share/locale/*
path-include /usr/share/locale/locale.alias
path-exclude /usr/share/man/*
path-exclude /usr/share/groff/*
SLIM
find "$root"/usr/share/{doc,info,linda,lintian/overrides,locale,man,groff} ! -type d ! -name copyright ! -name locale.alias -delete 2>/dev/null || true
find "$root"/usr/share/{doc,info,linda,lintian,locale,man,groff} -depth -type d -empty -delete 2>/dev/null || true
printf 'APT::AutoRemove::SuggestsImportant "false";\nAcquire::Languages "none";\n' >"$root/etc/apt/apt.conf.d/docker"
rm -rf "$root"/var/cache/apt/* "$root"/var/cache/debconf/*-old "$root"/var/lib/apt/lists/* "$root"/var/log/*

mkdir -p "$root/usr/local/lib/node_modules"
cp "$node" "$root/usr/local/bin/node"
cp -R "$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")" "$root/usr/local/lib/node_modules/npm"
for program in npm npx; do ln -s "../lib/node_modules/npm/bin/$program-cli.js" "$root/usr/local/bin/$program"; done
# This machine's way to packages.
echo "registry=$(npm config get registry)" >"$root/usr/local/etc/npmrc"
if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then
  cp "$NODE_EXTRA_CA_CERTS" "$root/usr/local/etc/ca.pem"
  echo "cafile=/usr/local/etc/ca.pem" >>"$root/usr/local/etc/npmrc"
fi
chroot "$root" groupadd --gid 1000 node
chroot "$root" useradd --uid 1000 --gid node --shell /bin/bash --create-home node
tar -C "$root" --one-file-system -c . | docker import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
  --change 'CMD ["node"]' - "$name" >/dev/null
